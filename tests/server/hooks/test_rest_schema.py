"""What other systems read, as the public tool schemathesis asks it by our own OpenAPI document.

Against a started service with a record in it, with a token of every scope: every answer is one
that the document names, in the form it names, whatever is asked and however badly.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest

TOOL = Path(sys.executable).with_name("schemathesis")
LONG = os.environ.get("MADOGUCHI_FUZZ") == "long"
EXAMPLES = "400" if LONG else "6"
# Of ids half are made up, half are that of the call in the service.
CONFIG = """
[auth.openapi.token]
bearer = "{token}"

[dictionaries.calls]
values = ["{call}"]

[parameters]
"path.call" = {{ dictionary = "calls", probability = 0.5 }}
"""


@pytest.mark.fuzz
@pytest.mark.timeout(3600 if LONG else 120)
async def test_schemathesis_finds_nothing_wrong_with_what_other_systems_read(
    world: Any, closing: Any, tmp_path: Path
) -> None:
    world.enforce({"hooks.bundle_networks": ["127.0.0.0/8"]})
    call = await closing()
    page = await world.signed_in(world.town.administrator)
    scopes = ["records", "bundles", "counts"]
    terms = {"name": "検査", "scopes": scopes, "networks": ["127.0.0.0/8"]}
    status, made = await page.request("POST", "/api/v1/tokens", body=terms)
    assert status == 201
    settings = CONFIG.format(token=made["token"], call=call.id)
    (tmp_path / "schemathesis.toml").write_text(settings)
    base = world.service.base_url.replace("localhost", "127.0.0.1")
    options = ("--seed", "1", "--max-examples", EXAMPLES, "--checks", "all", "--no-color")
    asking = await asyncio.create_subprocess_exec(
        *(TOOL, "run", f"{base}/api/openapi.json", "--include-path-regex", "^/api/v1/rest/"),
        *options,
        *("--phases", "examples,coverage,fuzzing", "--generation-database", "none"),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asking.communicate()
    assert asking.returncode == 0, said.decode()
    log, home = world.service.parts.audit, world.town.municipality.id
    every = await log.since(home, world.clock().replace(year=2020), limit=100_000)
    tags = {one.tag for one in every}
    assert tags >= {"gate:rest:records", "gate:rest:counts", "record:bundle:taken"}
