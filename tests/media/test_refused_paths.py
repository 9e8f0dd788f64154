"""The path that media takes: told at every change, and refused by address."""

from collections.abc import Awaitable, Callable
from typing import Any

from media.node import MediaNode
from tests.media.basics import CALL

Make = Callable[..., Any]
Eventually = Callable[..., Awaitable[bool]]
IN, OUT = "127.0.0.1", "127.0.0.2"


async def pair(node: MediaNode, make_probe: Make) -> tuple[Any, Any]:
    """Return two connected parties."""
    counter, desk = make_probe(ssrc=1000), make_probe(ssrc=2000)
    await counter.connect(node, "counter")
    await desk.connect(node, "desk")
    return counter, desk


async def go_out(desk: Any, eventually: Eventually) -> None:
    """Move to the other address and have it proven there."""
    desk.move(OUT)
    seen = len(desk.stun)
    desk.check()
    assert await eventually(lambda: len(desk.stun) > seen)


async def test_every_address_that_media_takes_is_told_once(
    node: MediaNode, make_probe: Make, events: Any, eventually: Eventually
) -> None:
    _, desk = await pair(node, make_probe)
    assert await eventually(lambda: len(events.paths) == 2)
    assert events.paths == [(CALL, "counter", IN), (CALL, "desk", IN)]
    await go_out(desk, eventually)
    desk.send_audio(1)
    assert await eventually(lambda: len(events.paths) == 3)
    assert events.paths[-1] == (CALL, "desk", OUT)
    held = node.held(CALL)
    assert held is not None
    assert held.paths == {"counter": IN, "desk": OUT}


async def test_a_connection_over_tcp_is_told_with_its_address(
    node: MediaNode, make_probe: Make, events: Any, eventually: Eventually
) -> None:
    _, desk = await pair(node, make_probe)
    desk.move_to_tcp(node.port, OUT)
    desk.check()
    desk.send_audio(1)
    assert await eventually(lambda: events.paths[-1] == (CALL, "desk", OUT))


async def test_nothing_comes_from_or_goes_to_a_refused_address(
    node: MediaNode, make_probe: Make, eventually: Eventually
) -> None:
    counter, desk = await pair(node, make_probe)
    await go_out(desk, eventually)
    desk.send_audio(1)
    assert await eventually(lambda: len(counter.sounds()) == 1)
    node.refuse(CALL, "desk", [OUT])
    answered = len(desk.stun)
    counter.send_audio(1)
    assert await eventually(lambda: len(desk.sounds()) == 1)
    assert desk.sounds()[0].port == desk._sockets[0].getsockname()[1]
    desk.check(nominates=True)
    desk.send_audio(2, b"refused")
    desk.drop_last()
    desk.send_audio(3)
    assert await eventually(lambda: len(counter.sounds()) == 2)
    assert b"refused" not in [x.payload for x in counter.sounds()]
    assert len(desk.stun) == answered


async def test_a_party_with_no_other_address_hears_nothing_until_it_has_one(
    node: MediaNode, make_probe: Make, events: Any, eventually: Eventually
) -> None:
    counter, desk = await pair(node, make_probe)
    node.refuse(CALL, "desk", [IN])
    assert await eventually(lambda: ("lost", CALL, "desk") in events.told)
    heard = len(desk.rtp)
    counter.send_audio(1)
    desk.check()
    await go_out(desk, eventually)
    desk.send_audio(1)
    assert await eventually(lambda: len(counter.sounds()) == 1)
    counter.send_audio(2)
    assert await eventually(lambda: len(desk.sounds()) == 1)
    assert {x.port for x in desk.rtp[heard:]} == {desk.address[1]}


async def test_a_new_connection_of_the_party_is_refused_there_too(
    node: MediaNode, make_probe: Make, eventually: Eventually
) -> None:
    counter = make_probe(ssrc=1000)
    node.refuse(CALL, "desk", [OUT])
    await counter.connect(node, "counter")
    desk = make_probe(ssrc=2000)
    await desk.join(node, "desk")
    desk.move(OUT)
    desk.check()
    desk.drop_last()
    desk.check()
    assert await eventually(lambda: bool(desk.stun))
    assert len(desk.stun) == 1
    node.refuse(CALL, "desk", [])
    await go_out(desk, eventually)
