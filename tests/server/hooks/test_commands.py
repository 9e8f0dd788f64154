"""`madoguchi token` and `madoguchi hook` beside a running server."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from server.cli.root import commands

Json = dict[str, Any]
LOCAL = {"hooks.destinations": ["127.0.0.1"], "hooks.private_networks": ["127.0.0.0/8"]}


@pytest.fixture
def command(world: Any, tmp_path: Path) -> Any:
    """Return what runs a command on the data of the running service."""
    settings = world.service.parts.settings
    file = tmp_path / "madoguchi.toml"
    file.write_text(
        f'[data]\nfolder = "{settings.data.folder}"\n[keys]\nkek_file = "{settings.keys.kek_file}"'
    )

    async def run(*words: str, code: int = 0) -> str:
        line = [*words, "--config", str(file)]
        done = await asyncio.to_thread(CliRunner().invoke, commands, line)
        assert done.exit_code == code, done.output
        return str(done.output)

    return run


async def commanded(world: Any) -> dict[str, Json]:
    """Return what commands have noted, by tag."""
    log, home = world.service.parts.audit, world.town.municipality.id
    start = world.clock().replace(year=2020)
    every = await log.since(home, start, limit=9_999)
    found = {one.tag: json.loads(one.entry) for one in every}
    return {tag: said for tag, said in found.items() if tag.startswith("command:")}


async def test_a_token_of_a_command_opens_what_it_says_until_a_command_revokes_it(
    world: Any, command: Any
) -> None:
    terms = ("--scope", "counts", "--scope", "bundles", "--network", "127.0.0.0/8")
    said = await command("token", "new", "統計", *terms)
    assert "hooks.bundle_networks" in said
    token = next(word for word in said.split() if word.startswith("mdt_"))
    (listed,) = json.loads(await command("token", "list", "--json"))
    assert (listed["name"], listed["scopes"], listed["counts"]) == ("統計", "counts bundles", True)
    assert token not in json.dumps(listed)
    url = world.service.base_url.replace("localhost", "127.0.0.1") + "/api/v1/rest/counts"
    answers = []
    for words in ((), ("token", "revoke", listed["id"])):
        if words:
            await command(*words)
        async with world.http.get(url, headers={"Authorization": f"Bearer {token}"}) as response:
            answers.append(response.status)
    assert answers == [200, 401]
    assert "no such token" in await command("token", "revoke", "x", code=1)
    assert "network" in await command("token", "new", "a", *terms[:2], "--network", "here", code=1)
    noted = await commanded(world)
    assert noted["command:token:make"]["subject"] == listed["id"]
    assert "uid" in noted["command:token:revoke"]["detail"]


async def test_commands_send_a_test_and_retry_what_the_running_server_could_not_tell(
    world: Any, command: Any, receiver: Any, until: Any
) -> None:
    page = await world.signed_in(world.town.administrator)
    body = {"name": "住民情報", "url": receiver.url()}
    status, made = await page.request("POST", "/api/v1/hooks", body=body)
    assert status == 201
    hook, parts = made["webhook"]["id"], world.service.parts
    await command("hook", "test", hook)
    await parts.deliveries.look()
    (failed,) = json.loads(await command("hook", "list", "--troubled", "--json"))
    assert (failed["problem"], failed["state"]) == ("not_listed", "waiting")
    (listed,) = json.loads(await command("hook", "list", "--json"))
    assert (listed["id"], listed["waiting"], listed["dead"]) == (hook, 1, 0)
    world.enforce(LOCAL)
    await command("hook", "retry", failed["id"])
    await until(lambda: receiver.got)  # the server looks by itself
    assert json.loads(receiver.got[0][1])["type"] == "hook.test"
    await until(lambda: not parts.deliveries._busy)
    assert "over" in await command("hook", "retry", failed["id"], code=1)
    assert "0" in await command("hook", "retry", "--dead")
    assert "no webhook" in await command("hook", "test", "x", code=1)
    assert "--dead" in await command("hook", "retry", code=2)
    noted = await commanded(world)
    assert noted["command:delivery:retry"]["subject"] == hook
    assert "command:hook:test" in noted
