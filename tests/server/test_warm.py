"""Connections made before the call: by whom, where they wait, what becomes of them."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest

from security.errors import NotFound
from server.calls.events import Withdrawn
from tests.media.basics import until
from tests.media.probe import Probe

KEYFRAME = b"\x10\x50"
PLACE = {
    "procedure": "new-issue",
    "consent": {"video": True, "text_version": "1", "language": "ja"},
}


@pytest.fixture
async def make_probe() -> AsyncIterator[Callable[..., Probe]]:
    made: list[Probe] = []

    def make(ssrc: int) -> Probe:
        made.append(Probe(ssrc=ssrc))
        return made[-1]

    yield make
    for probe in made:
        probe.close()
    assert [trouble for probe in made for trouble in probe.troubles] == []


async def _connect(world: Any, client: Any, probe: Probe, number: int = 1) -> Any:
    """Offer by the client's socket and shake hands with the media port."""
    answer = await client.offer(number, probe.offer())
    assert (answer["type"], answer["connection"]) == ("answer", number)
    await probe.connect_by(answer["sdp"], world.service.parts.media.ports[0])
    return answer


async def _idle_desk(world: Any, index: int = 0) -> Any:
    desk = await world.desk(index)
    await desk.connect()
    await desk.do("desk.state", state="open")
    return desk


async def test_what_is_ready_before_the_call_carries_it_from_the_answer_on(
    world: Any, make_probe: Callable[..., Probe]
) -> None:
    counter, desk = await world.counter(), await _idle_desk(world)
    await counter.connect()
    sees, shows = make_probe(2000), make_probe(1000)
    await _connect(world, desk, sees)
    await counter.do("call.place", **PLACE)
    await _connect(world, counter, shows)
    for seq in range(5):
        shows.send_video(seq, KEYFRAME + b"before")
        sees.send_audio(seq, b"before")
    await desk.until("queue")
    assert (await desk.do("call.accept", call=None))["call"]["state"] == "talking"
    await counter.until_state("talking")
    shows.send_video(5, KEYFRAME + b"after")
    sees.send_audio(5, b"after")
    assert await until(lambda: bool(sees.videos()) and bool(shows.sounds()))
    assert {x.payload[-5:] for x in sees.videos() + shows.sounds()} == {b"after"}
    assert not [m for m in desk.inbox + counter.inbox if m["type"] == "please-offer"]


async def test_a_desk_that_takes_no_calls_keeps_no_connection(
    world: Any, make_probe: Callable[..., Probe]
) -> None:
    desk = await world.desk()
    await desk.connect()
    with pytest.raises(Exception, match="wrong_state"):
        await desk.do("offer", connection=1, sdp=make_probe(1000).offer())
    await desk.do("desk.state", state="open")
    probe = make_probe(2000)
    await _connect(world, desk, probe)
    goodbyes = probe.dtls = []
    await desk.do("desk.state", state="away")
    assert await until(lambda: len(goodbyes) == 1)


@pytest.mark.parametrize("how", ["leaves", "signs out"])
async def test_a_waiting_connection_ends_with_the_page_that_made_it(
    world: Any, make_probe: Callable[..., Probe], how: str
) -> None:
    desk, probe = await _idle_desk(world), make_probe(2000)
    await _connect(world, desk, probe)
    goodbyes = probe.dtls = []
    if how == "leaves":
        await desk.leave()
    else:
        await desk.request("POST", "/api/v1/sign-out")
    assert await until(lambda: len(goodbyes) == 1)


async def test_a_page_whose_connection_is_gone_at_the_answer_is_asked_for_another(
    world: Any, make_probe: Callable[..., Probe]
) -> None:
    counter, desk = await world.counter(), await _idle_desk(world)
    await counter.connect()
    await _connect(world, desk, make_probe(2000))
    await counter.do("call.place", **PLACE)
    await world.service.parts.media.dismiss(desk_person(world))
    await desk.do("call.accept", call=None)
    assert (await desk.until("please-offer"))["reason"] == "new_connection"
    types = [m["type"] for m in desk.inbox if m["type"] in ("please-offer", "call")]
    assert types == ["please-offer", "call"]
    await _connect(world, desk, make_probe(3000), 2)


async def test_a_page_takes_over_no_connection_of_the_one_before_it(
    world: Any, make_probe: Callable[..., Probe]
) -> None:
    counter, first, second = await world.counter(), await _idle_desk(world), await world.desk()
    await counter.connect()
    probe = make_probe(2000)
    await _connect(world, first, probe)
    await second.connect(takeover=True)
    await counter.do("call.place", **PLACE)
    goodbyes = probe.dtls = []
    call = (await second.do("call.accept", call=None))["call"]
    assert await until(lambda: len(goodbyes) == 1)
    held = world.service.parts.media.held(call["id"])
    assert held is not None
    assert "desk" not in held.connected


async def test_a_desk_to_which_it_only_rings_is_not_let_into_the_call(
    world: Any, make_probe: Callable[..., Probe]
) -> None:
    counter, desk = await world.counter(), await _idle_desk(world)
    await counter.connect()
    call = (await counter.do("call.place", **PLACE))["call"]
    await _connect(world, counter, make_probe(1000))
    await desk.until_that(lambda m: m["type"] == "queue" and m["queue"]["offered"] == call["id"])
    await _connect(world, desk, make_probe(2000))
    held = world.service.parts.media.held(call["id"])
    assert held is not None
    assert (held.connected, held.gate_open) == ({"counter"}, False)


async def test_a_call_that_waits_again_keeps_its_counter_and_loses_its_desk(
    world: Any, make_probe: Callable[..., Probe]
) -> None:
    registry = world.service.parts.registry
    registry.limits = replace(registry.limits, resume_seconds=0.2)
    counter, first, second = await world.counter(), await _idle_desk(world), await world.desk(1)
    await counter.connect()
    shows, saw, sees = make_probe(1000), make_probe(2000), make_probe(3000)
    await _connect(world, first, saw)
    call = (await counter.do("call.place", **PLACE))["call"]
    await _connect(world, counter, shows)
    await first.do("call.accept", call=call["id"])
    shows.send_video(0, KEYFRAME)
    assert await until(lambda: len(saw.videos()) == 1)
    counter.inbox.clear()
    await first.leave()
    await counter.until_state("waiting")
    held = world.service.parts.media.held(call["id"])
    assert held is not None
    assert (held.connected, held.gate_open) == ({"counter"}, False)
    await second.connect()
    await second.do("desk.state", state="open")
    await _connect(world, second, sees)
    shows.send_video(1, KEYFRAME + b"between")
    await second.do("call.accept", call=call["id"])
    shows.send_video(2, KEYFRAME + b"again")
    assert await until(lambda: bool(sees.videos()))
    assert not [x for x in sees.videos() if x.payload.endswith(b"between")]
    assert len(saw.videos()) == 1


async def test_a_call_that_is_being_closed_leaves_no_room_behind(world: Any) -> None:
    counter = await world.counter()
    await counter.connect()
    call = (await counter.do("call.place", **PLACE))["call"]
    registry = world.service.parts.registry
    closing = asyncio.create_task(registry.apply(call["id"], Withdrawn()))
    late = asyncio.create_task(registry.open_media(call["id"]))
    await closing
    with pytest.raises(NotFound):
        await late
    assert world.service.parts.media.held(call["id"]) is None


def desk_person(world: Any) -> str:
    """Return the person at the first desk."""
    return str(world.town.verifiers[0].id)


async def test_an_answer_says_nothing_of_another_run_when_a_connection_is_moved(
    world: Any, make_probe: Callable[..., Probe]
) -> None:
    counter, desk = await world.counter(), await _idle_desk(world)
    await counter.connect()
    probe = make_probe(2000)
    before = await _connect(world, desk, probe)
    await counter.do("call.place", **PLACE)
    await desk.do("call.accept", call=None)
    after = await desk.do("offer", connection=1, sdp=probe.offer())
    assert after["media_epoch"] == before["media_epoch"]
    ssrcs = [set(re.findall("a=ssrc:([0-9]+)", x["sdp"])) for x in (before, after)]
    assert ssrcs[0] == ssrcs[1]


async def test_a_desk_that_waits_where_the_call_is_not_is_asked_nearer_while_it_rings(
    world: Any, make_probe: Callable[..., Probe], monkeypatch: pytest.MonkeyPatch
) -> None:
    counter, desk = await world.counter(), await _idle_desk(world)
    await counter.connect()
    await _connect(world, desk, make_probe(2000))
    media = world.service.parts.media
    monkeypatch.setattr(type(media), "near", lambda self, call_id, seat: False)
    await counter.do("call.place", **PLACE)
    assert (await desk.until("please-offer"))["reason"] == "new_connection"
    await _connect(world, desk, make_probe(3000), 2)
