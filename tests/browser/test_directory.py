"""A person signs in by the municipality's own directory, at another site, in a real browser."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tools.browsers.chromium import Chromium
from tools.browsers.people import DESK_SIZE, words
from tools.browsers.service import RunningService

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(100),
]
SCRIPT = Path(__file__).resolve().parents[1] / "support" / "oidc-provider.mjs"
SLUG = "by-directory"
PEOPLE = {"hanako": {"name": "架空 花子", "groups": ["窓口"]}}


@pytest_asyncio.fixture(loop_scope="session")
async def service(tmp_path: Path) -> AsyncIterator[RunningService]:
    """A service on localhost whose municipality has a directory on 127.0.0.1: another site."""
    pipe = asyncio.subprocess.PIPE
    provider = await asyncio.create_subprocess_exec(
        "node",
        SCRIPT,
        stdin=pipe,
        stdout=pipe,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=SCRIPT.parent,
    )
    assert provider.stdin
    assert provider.stdout
    port = json.loads(await provider.stdout.readline())["port"]
    directory = {
        "issuer": f"http://127.0.0.1:{port}",
        "client_id": "madoguchi",
        "scopes": ["profile", "groups"],
        "groups": {"窓口": "verifier"},
    }
    service = RunningService(tmp_path / "service", oidc={SLUG: directory})
    await service.start()
    client: dict[str, Any] = {
        "client_id": "madoguchi",
        "token_endpoint_auth_method": "none",
        "redirect_uris": [f"{service.base_url}/signed-in/{SLUG}"],
    }
    wanted = {"clients": [client], "people": PEOPLE, "key": "first", "idTokenSeconds": 300}
    provider.stdin.write((json.dumps(wanted) + "\n").encode())
    await provider.stdout.readline()
    yield service
    await service.stop()
    provider.kill()
    await provider.wait()


async def test_a_person_comes_back_from_the_directory_signed_in(
    service: RunningService, tmp_path: Path
) -> None:
    """No session's cookie goes with the navigation from there: the page of ours asks itself."""
    await service.town(SLUG)
    browser = await Chromium.start(tmp_path)
    page = await browser.seat(*DESK_SIZE)
    try:
        await page.open(f"{service.base_url}/sign-in?page=desk")
        await page.click("button", words("sign_in.directory"))
        await page.until("location.hostname === '127.0.0.1'")
        await page.fill("[name=login]", "hanako")
        await page.fill("[name=password]", "any")
        await page.click("button[type=submit]")
        await page.until("document.querySelector('[value=consent]') !== null")
        await page.click("button[type=submit]")
        await page.until("location.pathname === '/desk'")
        await page.until_seen("架空 花子")
        assert not await page.eval("location.search")
    finally:
        await page.close()
        await browser.close()
