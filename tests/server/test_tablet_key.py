"""A tablet's cookie is worth nothing without its key: by HTTP, on the socket, in offers."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from security.errors import Denied
from security.people import LinkPurpose, Tablet
from security.tablet_key import read_key
from server.api.tablet_proof import MAX_OF_TABLET, PAGE_LIFETIME, TabletProof
from server.clock import utc_now
from server.db import schema as t
from server.demo.soft_key import SoftKey
from tests.server.conftest import PLACE, Json, Refused

OFFER = (Path(__file__).parents[1] / "media" / "offers" / "chromium.sdp").read_text("utf-8")


def thief_of(world: Any, counter: Any) -> Any:
    """Return a page with the counter's cookies and page token, and a key of its own."""
    thief = world.another(counter)
    thief.key = SoftKey()
    return thief


async def refusals(world: Any) -> list[str]:
    """Return the purposes of the refusals in the audit log."""
    parts, home = world.service.parts, world.town.municipality.id
    entries = await parts.audit.since(home, parts.clock() - timedelta(hours=1), limit=500)
    found = [json.loads(one.entry) for one in entries if one.tag == "tablet:key:refused"]
    return [entry["detail"]["purpose"] for entry in found]


async def test_stolen_cookies_open_nothing_by_http(world: Any) -> None:
    counter = await world.counter()
    thief = thief_of(world, counter)
    thief.csrf = ""
    for method, path in (
        ("GET", "/api/v1/me"),
        ("GET", "/api/v1/procedures"),
        ("GET", "/api/v1/calls/" + "a" * 22),
        ("GET", "/api/v1/calls/" + "a" * 22 + "/files/" + "a" * 22 + "/content"),
        ("POST", "/api/v1/calls/" + "a" * 22 + "/files"),
        ("POST", "/api/v1/sign-out"),
    ):
        status, body = await thief.request(method, path)
        assert (status, body["error"]["code"]) == (403, "csrf"), path
    status, body = await thief.show_key()
    assert (status, body["error"]["code"]) == (401, "key_refused")
    assert await refusals(world) == ["page"]
    assert (await counter.request("GET", "/api/v1/me"))[0] == 200


async def test_stolen_cookies_get_no_socket(world: Any) -> None:
    counter = await world.counter()
    thief = thief_of(world, counter)
    hello = {"type": "hello", "page": thief.page_id, "epoch": None, "seq": None}
    for shown, code in (
        ({}, "key_required"),
        ({"proof": None}, "key_required"),
        (None, "key_refused"),
    ):
        await thief.open_socket()
        proof = await thief.proof()
        await thief.send_raw(hello | (proof if shown is None else shown))
        assert await thief.until_closed() == 1008
        assert thief.inbox[-1]["error"]["code"] == code
        assert not [m for m in thief.inbox if m["type"] == "welcome"]
        await thief.leave()
    assert await refusals(world) == ["socket"] * 3
    await counter.connect()


async def test_a_proof_is_worth_nothing_on_another_socket_or_for_another_page(world: Any) -> None:
    counter = await world.counter()
    await counter.connect()
    asked, hello = counter.asked, {"type": "hello", "epoch": None, "seq": None}
    old = {"page": counter.page_id, "proof": counter.key.socket(asked, counter.page_id)}
    replay = world.another(counter)
    await replay.open_socket()
    await replay.until("challenge")
    await replay.send_raw(hello | old)
    assert await replay.until_closed() == 1008
    await replay.leave()
    await replay.open_socket()
    await replay.send_raw(hello | await replay.proof() | {"page": counter.page_id})
    assert await replay.until_closed() == 1008
    assert counter.close_code is None


async def test_an_answer_by_http_is_good_once_and_for_its_tablet(world: Any) -> None:
    counter = await world.counter()
    _, asked = await counter.request("POST", "/api/v1/tablet/challenge", body={})
    good = counter.key.page(asked)
    other = await world.counter(tablet=world.town.second_tablet)
    status, body = await other.request("POST", "/api/v1/tablet/proof", body=good)
    assert (status, body["error"]["code"]) == (401, "key_refused")
    assert (await counter.request("POST", "/api/v1/tablet/proof", body=good))[0] == 200
    status, body = await counter.request("POST", "/api/v1/tablet/proof", body=good)
    assert (status, body["error"]["code"]) == (401, "key_refused")


def test_challenges_and_page_tokens_end() -> None:
    proof, key, now = TabletProof(bytes(32)), SoftKey(), utc_now()
    tablet = Tablet("t", "m", "o", "1", now, None, read_key(key.public))
    late = proof.ask(tablet, now)
    asked = {
        "challenge": late.value,
        "issued_at": late.issued_at,
        "municipality": "m",
        "tablet": "t",
    }
    answer = key.page(asked)["signature"]
    with pytest.raises(Denied):
        proof.answer(tablet, late.value, answer, now + timedelta(seconds=60))
    first = proof.ask(tablet, now)
    for _ in range(MAX_OF_TABLET):
        proof.ask(tablet, now)
    asked |= {"challenge": first.value, "issued_at": first.issued_at}
    with pytest.raises(Denied):
        proof.answer(tablet, first.value, key.page(asked)["signature"], now)
    token = proof.page_token("cookie", now)
    assert proof.is_page_token("cookie", token, now, purpose="page")
    assert not proof.is_page_token("cookie", token, now + PAGE_LIFETIME, purpose="page")
    assert not proof.is_page_token("another", token, now, purpose="page")
    assert not proof.is_page_token("cookie", token, now, purpose="ticket")
    assert not TabletProof(b"x" * 32).is_page_token("cookie", token, now, purpose="page")
    for bad in ("", ".", "x.y", "1" * 30 + ".x", token + "x", "\ud800", "١." + token.split(".")[1]):
        assert not proof.is_page_token("cookie", bad, now, purpose="page")


async def test_a_ticket_shows_the_content_of_files_and_opens_nothing_else(world: Any) -> None:
    counter = await world.counter()
    _, shown = await counter.show_key()
    counter.csrf, content = "", "/api/v1/calls/" + "a" * 22 + "/files/" + "a" * 22 + "/content"
    for path in ("me", "procedures", "clerks", "calls/" + "a" * 22, "calls/content"):
        query = f"?page=counter&ticket={shown['ticket']}"
        status, body = await counter.request("GET", f"/api/v1/{path}{query}")
        assert status == 404 or (status, body["error"]["code"]) == (403, "csrf"), path
        assert "csrf" not in body, path
    status, _ = await counter.request("GET", f"{content}?page=counter&ticket={shown['ticket']}")
    assert status == 404  # past the door: there is no such call
    status, body = await counter.request("GET", f"{content}?page=counter&ticket={shown['csrf']}")
    assert (status, body["error"]["code"]) == (403, "csrf")


async def test_a_page_token_is_never_renewed_but_by_showing_the_key(make_world: Any) -> None:
    world = await make_world()
    counter, clerk = await world.counter(), world.town.clerk
    pin, (_, first) = await world.pin(clerk), await counter.show_key()
    counter.csrf = first["csrf"]
    make_world.clock.advance(minutes=11 * 60)
    _, me = await counter.request("GET", "/api/v1/me")
    _, again = await counter.request("POST", "/api/v1/clerk", body={"clerk": clerk.id, "pin": pin})
    for said in (me, again):
        assert (said["csrf"], said["ticket"]) == (first["csrf"], first["ticket"])
    make_world.clock.advance(minutes=61)
    status, body = await counter.request("GET", "/api/v1/me")
    assert (status, body["error"]["code"]) == (403, "csrf")
    _, fresh = await counter.show_key()
    assert fresh["csrf"] != first["csrf"]


async def test_a_tablet_enrolled_before_keys_is_told_to_enrol_again(world: Any) -> None:
    counter = await world.counter()
    async with world.service.parts.database.writing() as connection:
        await connection.execute(sa.update(t.tablet).values(public_key=None))
    for status, body in (
        await counter.show_key(),
        await counter.request("GET", "/api/v1/me"),
    ):
        assert (status, body["error"]["code"]) == (401, "key_missing")
    code = await world.service.parts.sign_in.make_link(
        LinkPurpose.ENROL, world.town.municipality.id, tablet_id=world.town.tablet.id
    )
    body = {"code": code, **counter.key.claim(code)}
    assert (await counter.request("POST", "/api/v1/enrol", body=body))[0] == 200
    assert (await counter.show_key())[0] == 200


async def test_a_code_is_not_used_up_by_a_key_that_is_refused(world: Any) -> None:
    code = await world.service.parts.sign_in.make_link(
        LinkPurpose.ENROL, world.town.municipality.id, tablet_id=world.town.tablet.id
    )
    tablet = world.stranger("counter")
    good = {"code": code, **tablet.key.claim(code)}
    for body, refused in (
        (good | {"key": "AAAA"}, (400, "bad_key")),
        (good | {"key": SoftKey().public}, (401, "key_refused")),
        (good | tablet.key.claim("ABCD-EFGH"), (401, "key_refused")),
    ):
        status, answer = await tablet.request("POST", "/api/v1/enrol", body=body)
        assert (status, answer["error"]["code"]) == refused
    assert (await tablet.request("POST", "/api/v1/enrol", body=good))[0] == 200


async def code_of_offer(page: Any, sdp: str, **fields: Any) -> str:
    """Return the code by which an offer is refused."""
    with pytest.raises(Refused) as caught:
        await page.do("offer", sdp=sdp, **{"connection": 1} | fields)
    return caught.value.code


def swapped(sdp: str) -> str:
    """Return the SDP with another certificate's fingerprint in every line."""
    lines = sdp.splitlines(keepends=True)
    other = "a=fingerprint:sha-256 " + ":".join(["AB"] * 32) + "\r\n"
    return "".join(other if x.startswith("a=fingerprint:") else x for x in lines)


async def test_an_offer_is_taken_only_with_the_signature_of_this_very_offer(world: Any) -> None:
    counter, _, call = await world.talking()
    good = counter.sign_offer(1, OFFER)
    swap = swapped(OFFER)
    for sdp, fields in (
        (OFFER, {}),
        (OFFER, {"signature": None}),
        (OFFER, {"signature": "A" * 86}),
        (OFFER, {"signature": SoftKey().offer(counter.asked, call["id"], 1, OFFER)}),
        (OFFER, {"signature": counter.sign_offer(1, OFFER, "a" * 22)}),
        (OFFER, {"signature": good, "connection": 2}),
        (swap, {"signature": good}),
        (OFFER + "a=ice-pwd:mutated\r\n", {"signature": good}),
        (OFFER.replace("\n", "\r\n"), {"signature": good}),
    ):
        assert await code_of_offer(counter, sdp, **fields) == "offer_unsigned"
    assert await refusals(world) == ["offer"] * 9
    assert (await counter.do("offer", connection=1, sdp=OFFER, signature=good))["sdp"]


async def test_a_signature_is_worth_nothing_on_the_next_socket_or_in_the_next_call(
    world: Any,
) -> None:
    counter, desk, _ = await world.talking()
    old = counter.sign_offer(1, OFFER)
    await counter.do("offer", connection=1, sdp=OFFER, signature=old)
    await counter.leave()
    await counter.connect()
    assert await code_of_offer(counter, OFFER, signature=old) == "offer_unsigned"
    same_socket = counter.sign_offer(1, OFFER)
    await desk.until_state("talking")
    await desk.do("call.close", outcome="returned", reason="書類が足りません。")
    await counter.until_state("closed")
    await counter.do("call.place", **PLACE)
    assert await code_of_offer(counter, OFFER, signature=same_socket) == "offer_unsigned"
    again: Json = await counter.offer(1, OFFER)
    assert again["sdp"]
