"""A real OpenID provider (npm `oidc-provider`) as a process, and a browser for it."""

import json
import re
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import aiohttp
import pytest

Json = dict[str, Any]
ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "tests" / "support" / "oidc-provider.mjs"
SECRET = "a-secret-of-these-tests-0123456789abcdef"
PEOPLE: dict[str, Json] = {
    "hanako": {"name": "架空 花子", "preferred_username": "hanako", "groups": ["窓口-判定", "x"]},
    "taro": {"name": "架空 太郎", "groups": ["窓口-上席"]},
    "auditor": {"groups": ["監査"]},
    "nobody": {"name": "役割 無し", "groups": ["別の課"]},
    "double": {"groups": ["窓口-判定", "監査"]},
    "groupless": {"name": "組 無し"},
    "thief": {"preferred_username": "verifier-1", "groups": ["窓口-判定"]},
}
GROUPS = {"窓口-判定": "verifier", "窓口-上席": "senior", "監査": "auditor"}


@dataclass
class OpenId:
    """The provider's process. `setup` makes it a new provider on the same port."""

    process: subprocess.Popen[str]
    port: int = 0
    changes: Json = field(default_factory=dict)

    @property
    def issuer(self) -> str:
        """Who it says it is."""
        return f"http://127.0.0.1:{self.port}"

    def setup(self, redirect_uris: list[str], **changes: Any) -> None:
        """Take clients, people, signing key and lifetime of tokens from now on."""
        clients = [
            {
                "client_id": name,
                "client_secret": SECRET,
                "redirect_uris": redirect_uris,
                "post_logout_redirect_uris": [urljoin(redirect_uris[0], "/sign-in")],
            }
            for name in ("madoguchi", "another-service")
        ]
        wanted = {"clients": clients, "people": PEOPLE, "key": "first", "idTokenSeconds": 300}
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(wanted | changes) + "\n")
        self.process.stdin.flush()
        assert "ready" in self.heard()

    def heard(self) -> Json:
        """Return the next line that the process prints."""
        assert self.process.stdout is not None
        return dict(json.loads(self.process.stdout.readline()))

    def settings(self, folder: Path, **changes: Any) -> Json:
        """Return what an operator writes into `[oidc.NAME]`."""
        secret = folder / "oidc-secret"
        if not secret.exists():
            secret.touch(mode=0o600)
            secret.write_text(SECRET + "\n", encoding="ascii")
        return {
            "issuer": self.issuer,
            "client_id": "madoguchi",
            "client_secret_file": secret,
            "scopes": ["profile", "groups"],
            "groups": GROUPS,
        } | changes

    def stop(self) -> None:
        """Take the provider away."""
        self.process.kill()
        self.process.communicate()


def start() -> OpenId:
    """Start a provider on a free port; it answers nothing before `setup`."""
    process = subprocess.Popen(
        ["node", str(SCRIPT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
    )
    found = OpenId(process)
    found.port = found.heard()["port"]
    return found


@pytest.fixture(scope="package")
def _kept() -> Iterator[list[OpenId]]:
    kept = [start(), start()]
    yield kept
    for one in kept:
        one.stop()


@pytest.fixture
def openid(_kept: list[OpenId]) -> OpenId:
    """The municipality's provider."""
    return _kept[0]


@pytest.fixture
def other_openid(_kept: list[OpenId]) -> OpenId:
    """Another municipality's provider."""
    return _kept[1]


@pytest.fixture
def start_openid() -> Iterator[Callable[[], OpenId]]:
    """Return what starts a provider that the test may stop."""
    started: list[OpenId] = []

    def one() -> OpenId:
        started.append(start())
        return started[-1]

    yield one
    for provider in started:
        provider.stop()


class Browser:
    """Follows redirects and fills the provider's development forms, with a cookie jar."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self.http = http

    async def sign_in(self, way: str, login: str) -> Json:
        """Return what the provider sends back to us, once `login` has signed in there."""
        status, location, text = await self._ask("GET", way)
        for _ in range(12):
            if location and urlsplit(location).path.startswith("/signed-in/"):
                return self._answer(location)
            if location:
                status, location, text = await self._ask("GET", location)
                continue
            found = re.search(r'<form[^>]* action="([^"]+)" method="post"', text)
            assert status == 200, text
            assert found, text
            prompt = "login" if 'name="login"' in text else "consent"
            fields = {"prompt": prompt, "login": login, "password": "any"}
            action = urljoin(way, unescape(found[1]))
            status, location, text = await self._ask("POST", action, data=fields)
        raise AssertionError("the provider never sent the browser back")

    async def _ask(self, method: str, url: str, **kw: Any) -> tuple[int, str | None, str]:
        async with self.http.request(method, url, allow_redirects=False, **kw) as response:
            location = response.headers.get("Location")
            return response.status, location and urljoin(url, location), await response.text()

    def _answer(self, location: str) -> Json:
        parts = urlsplit(location)
        said = {name: values[0] for name, values in parse_qs(parts.query).items()}
        slug = parts.path.rpartition("/")[2]
        answer = {"municipality": slug, "state": said.get("state"), "code": said.get("code")}
        return answer | {"iss": said.get("iss")}


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A browser without any cookie."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        yield Browser(http)


def with_query(way: str, **changes: str) -> str:
    """Return an address with parts of its query changed."""
    query = {name: values[0] for name, values in parse_qs(urlsplit(way).query).items()}
    return urlsplit(way)._replace(query=urlencode(query | changes)).geturl()


@pytest.fixture
def change_query() -> Callable[..., str]:
    """Return what changes the query of an address."""
    return with_query
