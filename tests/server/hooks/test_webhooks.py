"""Webhooks from a call's end to a receiver: signed, retried, in order, nowhere else."""

import asyncio
import json
import os
import signal
import socket
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from server.calls.call import Outcome
from server.db import outbox
from server.demo.authority import issue, server_context
from server.hooks.fact import Fact

LOCAL = {"hooks.destinations": ["127.0.0.1"], "hooks.private_networks": ["127.0.0.0/8"]}
Json = dict[str, Any]


async def hook_to(world: Any, url: str, **fields: Any) -> Json:
    """Set a webhook up as the administrator does; return the answer."""
    page = await world.signed_in(world.town.administrator)
    body = {"name": "住民情報", "url": url, "types": ["call.closed"], **fields}
    status, said = await page.request("POST", "/api/v1/hooks", body=body)
    assert status == 201, said
    return {**said, "world": world, "page": page, "path": f"/api/v1/hooks/{said['webhook']['id']}"}


async def look(world: Any) -> None:
    await world.service.parts.deliveries.look()


async def troubled(hook: Json) -> list[Json]:
    """Return what a page opened now shows of what was tried in vain."""
    world = hook["world"]
    page = await world.signed_in(world.town.administrator)
    _, said = await page.request("GET", "/api/v1/hooks")
    return list(said["troubled"])


async def test_a_call_that_is_over_is_told_signed_with_ids_alone(
    world: Any, receiver: Any, closing: Any
) -> None:
    world.enforce(LOCAL)
    hook = await hook_to(world, receiver.url())
    call = await closing(Outcome.RETURNED)
    await look(world)
    ((headers, body),) = receiver.got
    said = Webhook(hook["secret"]).verify(body, headers)
    assert (said["type"], said["data"]["call"]) == ("call.closed", call.id)
    assert said["data"]["outcome"] == "returned"
    for word in (call.reason, world.town.clerk.name, world.town.office.name):
        assert word.encode() not in body
    await look(world)
    assert len(receiver.got) == 1


async def test_names_and_reasons_go_out_over_tls_where_the_policy_says_so(
    make_world: Any, make_receiver: Any, tmp_path: Path, closing_in: Any
) -> None:
    issued = issue(("127.0.0.1",), now=datetime.now(UTC))
    (tmp_path / "ca.pem").write_bytes(issued.authority)
    receiver = await make_receiver(server_context(issued, tmp_path))
    world = await make_world(hooks={"ca_file": tmp_path / "ca.pem"})
    world.enforce({**LOCAL, "hooks.content": "full"})
    hook = await hook_to(world, receiver.url(scheme="https"))
    call = await closing_in(world)(Outcome.RETURNED)
    await look(world)
    ((headers, body),) = receiver.got
    data = Webhook(hook["secret"]).verify(body, headers)["data"]
    assert (data["reason"], data["clerk_name"]) == (call.reason, world.town.clerk.name)
    assert data["office_name"] == world.town.office.name


async def test_a_certificate_of_another_name_or_authority_is_not_believed(
    make_world: Any, make_receiver: Any, tmp_path: Path, closing_in: Any
) -> None:
    issued = issue(("127.0.0.2",), now=datetime.now(UTC))
    (tmp_path / "ca.pem").write_bytes(issued.authority)
    receiver = await make_receiver(server_context(issued, tmp_path))
    for settings in ({"ca_file": tmp_path / "ca.pem"}, {}):
        world = await make_world(hooks=settings)
        world.enforce(LOCAL)
        hook = await hook_to(world, receiver.url(scheme="https"))
        await closing_in(world)()
        await look(world)
        assert [one["problem"] for one in await troubled(hook)] == ["tls"]
        await make_world.stop()
        make_world._running.clear()
        (tmp_path / "data" / "madoguchi.sqlite").unlink()
        (tmp_path / "data" / "audit-heads").unlink(missing_ok=True)
    assert receiver.got == []


async def test_both_secrets_count_after_a_rotation_until_the_old_one_ends(
    world: Any, receiver: Any, closing: Any
) -> None:
    world.enforce(LOCAL)
    hook = await hook_to(world, receiver.url())
    status, said = await hook["page"].request("POST", hook["path"] + "/rotate", body={"hours": 1})
    assert status == 200
    assert said["secret"] != hook["secret"]
    assert said["webhook"]["public_key"] != hook["webhook"]["public_key"]
    await closing()
    await look(world)
    headers, body = receiver.got[-1]
    for secret in (said["secret"], hook["secret"]):
        Webhook(secret).verify(body, headers)
    assert headers["webhook-signature"].count("v1a,") == 2
    assert "hook:webhook:rotate" in [tag for tag, _ in await noted(world)]
    world.clock.advance(minutes=61)
    await closing()
    await look(world)
    headers, body = receiver.got[-1]
    (signatures,) = [headers["webhook-signature"].split()]
    assert [one.split(",")[0] for one in signatures] == ["v1", "v1a"]
    file = world.service.parts.settings.data.folder / "madoguchi.sqlite"
    assert hook["secret"][6:].encode() not in file.read_bytes()


async def test_a_receiver_that_fails_for_an_hour_hears_each_call_in_order_afterwards(
    world: Any, receiver: Any, closing: Any
) -> None:
    world.enforce(LOCAL)
    hook = await hook_to(world, receiver.url(), types=["call.closed", "record.closed"])
    receiver.answers = [500] * 1000
    calls = [(await closing()).id, (await closing()).id]
    for _ in range(12):
        await look(world)
        world.clock.advance(minutes=5)
    assert 5 <= len(receiver.got) <= 16
    assert {one["problem"] for one in await troubled(hook)} == {"status_500"}
    receiver.answers, receiver.got = [], []
    world.clock.advance(hours=2)
    await look(world)
    heard = [json.loads(body) for _, body in receiver.got]
    for call in calls:
        mine = [one["type"] for one in heard if one["data"]["call"] == call]
        assert mine == ["call.closed", "record.closed"]
    assert await troubled(hook) == []


async def test_what_fails_for_a_day_is_a_dead_letter_until_somebody_retries_it(
    world: Any, receiver: Any, closing: Any
) -> None:
    world.enforce(LOCAL)
    hook = await hook_to(world, receiver.url())
    receiver.answers = [503] * 1000
    call = await closing()
    for _ in range(30):
        await look(world)
        world.clock.advance(hours=1)
    (dead,) = await troubled(hook)
    assert (dead["state"], dead["number"], dead["next_at"]) == ("dead", call.number, None)
    before = len(receiver.got)
    world.clock.advance(days=3)
    await look(world)
    assert len(receiver.got) == before
    receiver.answers = []
    page = await world.signed_in(world.town.administrator)
    status, _ = await page.request("POST", f"/api/v1/deliveries/{dead['id']}/retry")
    assert status == 204
    await look(world)
    assert len(receiver.got) == before + 1
    assert len(set(receiver.ids)) == 1
    assert await troubled(hook) == []
    assert "hook:delivery:retry" in [tag for tag, _ in await noted(world)]


async def test_a_redirect_is_never_followed(world: Any, make_receiver: Any, closing: Any) -> None:
    world.enforce(LOCAL)
    here, there = await make_receiver(), await make_receiver()

    async def elsewhere(_: web.Request) -> web.StreamResponse:
        raise web.HTTPTemporaryRedirect(there.url())

    here.answers = [elsewhere]
    hook = await hook_to(world, here.url())
    await closing()
    await look(world)
    assert (len(here.got), there.got) == (1, [])
    assert [one["problem"] for one in await troubled(hook)] == ["status_307"]


async def test_an_answer_after_the_time_limit_brings_the_same_message_again(
    world: Any, receiver: Any, closing: Any
) -> None:
    world.enforce(LOCAL)
    answered = asyncio.Event()

    async def slow(_: web.Request) -> web.StreamResponse:
        await answered.wait()
        return web.Response(status=200)

    receiver.answers = [slow]
    hook = await hook_to(world, receiver.url())
    world.service.parts.deliveries._senders["webhook"]._send_seconds = 0.2
    await closing()
    await look(world)
    answered.set()
    assert [one["problem"] for one in await troubled(hook)] == ["timeout"]
    world.clock.advance(seconds=10)
    await look(world)
    (first, second) = receiver.ids
    assert first == second
    with pytest.raises(WebhookVerificationError):  # a new signature, of the new moment
        Webhook(hook["secret"]).verify(receiver.got[0][1], {
            **receiver.got[0][0],
            "webhook-timestamp": receiver.got[1][0]["webhook-timestamp"],
        })  # fmt: skip
    assert await troubled(hook) == []


async def test_a_slow_receiver_keeps_no_other_waiting(
    world: Any, make_receiver: Any, closing: Any, until: Any
) -> None:
    world.enforce(LOCAL)
    slow, quick = await make_receiver(), await make_receiver()

    async def never(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(60)
        return web.Response()

    slow.answers = [never]
    await hook_to(world, slow.url())
    await hook_to(world, quick.url())
    await closing()
    world.service.parts.deliveries.wake()
    await until(lambda: slow.got and quick.got)
    await closing()
    world.service.parts.deliveries.wake()
    await until(lambda: len(quick.got) == 2)


async def test_facts_that_keep_coming_keep_none_waiting(
    world: Any, receiver: Any, monkeypatch: pytest.MonkeyPatch, until: Any
) -> None:
    world.enforce(LOCAL)
    await hook_to(world, receiver.url())
    parts, home = world.service.parts, world.town.municipality.id
    unspread = parts.outbox.unspread

    async def one_more_each_time(limit: int) -> Any:
        fact = Fact(home, "call.closed", "c", parts.clock(), {})
        async with parts.database.writing() as connection:
            await outbox.add(connection, fact)
        return await unspread(limit)

    monkeypatch.setattr(parts.outbox, "unspread", one_more_each_time)
    await until(lambda: receiver.got)


async def test_a_receiver_that_is_gone_is_told_no_more(
    world: Any, receiver: Any, closing: Any
) -> None:
    world.enforce(LOCAL)
    hook = await hook_to(world, receiver.url())
    receiver.answers = [410]
    await closing()
    await look(world)
    await closing()
    await look(world)
    assert len(receiver.got) == 1
    _, said = await hook["page"].request("GET", "/api/v1/hooks")
    assert (said["webhooks"], said["troubled"]) == ([], [])
    gone = json.dumps({"host": "127.0.0.1", "status": 410}, separators=(",", ":")).encode()
    assert [gone in entry for tag, entry in await noted(world) if tag == "hook:webhook:gone"] == [
        True
    ]


REFUSED: list[tuple[Json, str, str]] = [
    ({}, "127.0.0.1", "not_listed"),
    ({"hooks.destinations": ["127.0.0.1"]}, "127.0.0.1", "address_refused"),
    ({"hooks.destinations": ["localhost"]}, "localhost", "address_refused"),
    ({"hooks.destinations": ["127.1"]}, "127.1", "address_refused"),
    ({"hooks.destinations": ["[::ffff:127.0.0.1]"]}, "[::ffff:127.0.0.1]", "address_refused"),
    ({**LOCAL, "hooks.content": "full"}, "127.0.0.1", "address_refused"),
]


async def test_no_connection_is_made_to_what_the_policy_does_not_list(
    world: Any, receiver: Any, closing: Any
) -> None:
    for number, (values, host, problem) in enumerate(REFUSED, 1):
        world.enforce(values, number)
        hook = await hook_to(world, receiver.url(host=host))
        await closing()
        await look(world)
        assert [one["problem"] for one in await troubled(hook)] == [problem], host
        await hook["page"].request("POST", hook["path"] + "/remove")
    assert receiver.got == []


async def test_the_connection_goes_to_the_address_that_was_looked_at(
    world: Any, receiver: Any, closing: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = {"hooks.private_networks": ["127.0.0.2/32"]}
    world.enforce({"hooks.destinations": ["rebound.example"], **listed})
    loop = asyncio.get_running_loop()
    real, asked = loop.getaddrinfo, []

    async def resolver(host: Any, port: Any, **kw: Any) -> Any:
        # A name server of the attacker: what is listed first, where the receiver is ever after.
        if host == "rebound.example":
            asked.append(host)
            host = "127.0.0.2" if len(asked) == 1 else "127.0.0.1"
        return await real(host, port, **kw)

    hook = await hook_to(world, receiver.url(host="rebound.example"))
    with monkeypatch.context() as patch:
        patch.setattr(loop, "getaddrinfo", resolver)
        await closing()
        await look(world)
    assert [one["problem"] for one in await troubled(hook)] == ["no_connection"]
    assert (len(asked), receiver.got) == (1, [])


async def test_training_is_told_only_to_whoever_asked_for_it(
    world: Any, make_receiver: Any, closing: Any
) -> None:
    world.enforce(LOCAL)
    real, both = await make_receiver(), await make_receiver()
    await hook_to(world, real.url())
    await hook_to(world, both.url(), training=True)
    await closing(training=True)
    await look(world)
    assert (len(real.got), len(both.got)) == (0, 1)
    assert json.loads(both.got[0][1])["data"]["training"] is True


async def noted(world: Any) -> list[tuple[str, bytes]]:
    """Return tags and entries of the audit log."""
    log, home = world.service.parts.audit, world.town.municipality.id
    every = await log.since(home, datetime(2020, 1, 1, tzinfo=UTC), limit=9_999)
    return [(one.tag, one.entry) for one in every]


async def test_a_test_message_goes_to_the_one_webhook(
    world: Any, make_receiver: Any, until: Any
) -> None:
    world.enforce(LOCAL)
    one, other = await make_receiver(), await make_receiver()
    hook = await hook_to(world, one.url())
    await hook_to(world, other.url())
    status, _ = await hook["page"].request("POST", hook["path"] + "/test")
    assert status == 202
    await until(lambda: one.got)
    assert json.loads(one.got[0][1])["type"] == "hook.test"
    assert other.got == []
    assert "hook:webhook:test" in [tag for tag, _ in await noted(world)]


async def test_only_an_administrator_of_the_municipality_changes_webhooks(world: Any) -> None:
    hook = await hook_to(world, "https://hooks.example/a")
    away = await world.town_of("ibara")
    other = await world.signed_in(away.administrator, away)
    for what in ("rotate", "test", "remove"):
        status, _ = await other.request("POST", f"{hook['path']}/{what}", body={})
        assert status == 404
    _, said = await other.request("GET", "/api/v1/hooks")
    assert said["webhooks"] == []
    _, said = await hook["page"].request("GET", "/api/v1/hooks")
    assert "secret" not in json.dumps(said)
    for url in ("http://", "https://u:p@a.example/", "gopher://a.example/"):
        status, said = await hook["page"].request(
            "POST", "/api/v1/hooks", body={"name": "a", "url": url}
        )
        assert (status, said["error"]["code"]) == (400, "bad_url")


DIES = """
import asyncio, os, signal, sys
from pathlib import Path
from server.app import build_parts
from server.settings import Settings
from server.hooks.worker import Deliveries

async def main():
    parts = await build_parts(Settings.load(Path(sys.argv[1])))
    async def dies(*told):
        os.kill(os.getpid(), signal.SIGKILL)
    if sys.argv[2] == "before":
        parts.deliveries._senders["webhook"].send = dies
    else:
        parts.outbox.settle = dies
    await parts.deliveries.look()

asyncio.run(main())
"""


@pytest.mark.fault
@pytest.mark.parametrize(("when", "heard"), [("before", 0), ("after", 1)])
async def test_a_server_killed_before_or_after_it_told_a_fact_tells_it_when_it_is_back(
    make_world: Any,
    receiver: Any,
    closing_in: Any,
    tmp_path: Path,
    until: Any,
    when: str,
    heard: int,
) -> None:
    world = await make_world()
    settings = world.service.parts.settings
    folder, kek = settings.data.folder, settings.keys.kek_file
    world.enforce(LOCAL)
    await hook_to(world, receiver.url())
    # The policy of this test stands in memory; a process of its own reads it from the disk.
    version = world.service.parts.policies.version_in_force(world.town.municipality.id)
    await store(world, version)
    world.service.parts.deliveries._senders = {}
    await closing_in(world)()
    file = tmp_path / "madoguchi.toml"
    places = f'[data]\nfolder = "{folder}"\n[keys]\nkek_file = "{kek}"'
    file.write_text(f"{places}\n[media]\nprocesses = 0\nport = 0\n")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", DIES, str(file), when, env=os.environ
    )
    assert await process.wait() == -signal.SIGKILL
    assert len(receiver.got) == heard
    again = await make_world.restart(world)
    again.enforce(LOCAL)
    again.clock.advance(seconds=10)
    again.service.parts.deliveries.wake()
    await until(lambda: len(receiver.got) == heard + 1)
    assert len(set(receiver.ids)) == 1  # told twice, it is the same message


async def store(world: Any, version: Any) -> None:
    """Write a version as approved, as a rescue does."""
    by = world.town.administrator.id
    await world.service.parts.policy_store.add_rescue(
        replace(version, author_id=by, approved_by=None)
    )


def test_the_receiver_of_these_tests_is_no_name_server() -> None:
    assert socket.gethostbyname("127.1") == "127.0.0.1"
