"""The codec of a call's pictures: what is agreed, and who is asked to offer again."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from media.node import MediaNode
from tests.media.basics import CALL, Events, make_permit

VP8_KEY = b"\x10\x50"
SPS, IDR, SLICE = b"\x67\x42\xe0\x1f", b"\x65\x88", b"\x41\x9a"
Make = Callable[..., Any]
Eventually = Callable[..., Awaitable[bool]]


@pytest.fixture
async def tablet(make_probe: Make) -> Any:
    """A counter that makes H.264 in hardware."""
    return make_probe(ssrc=1000, h264=108, wishes_h264=True)


def _told(events: Events) -> list[str]:
    return [party for reason, _, party in events.told if reason == "streams"]


def _first(probe: Any) -> int:
    """Return the number of the codec in which the probe was last told to send."""
    line = next(x for x in probe.answer.split("\r\n") if x.startswith("m=video"))
    return int(line.split()[3])


async def _again(node: MediaNode, probe: Any, party: str) -> None:
    probe.take(node.join(await make_permit(), CALL, party, probe.offer()), node.port)


async def test_pictures_go_in_h264_under_each_sides_own_number(
    node: MediaNode, make_probe: Make, tablet: Any, eventually: Eventually, events: Events
) -> None:
    desk = make_probe(ssrc=2000, h264=126, wishes_h264=False)
    await tablet.connect(node, "counter")
    await desk.connect(node, "desk")
    assert (_first(tablet), _first(desk)) == (108, 126)
    assert _told(events) == []
    tablet.send_h264(0, SLICE)  # nobody can begin with it
    tablet.send_h264(1, SPS)
    tablet.send_h264(2, IDR)
    desk.send_h264(0, SPS)
    assert await eventually(lambda: len(desk.h264s()) == 2 and len(tablet.h264s()) == 1)
    assert [x.payload for x in desk.h264s()] == [SPS, IDR]


async def test_vp8_is_taken_while_nobody_wishes_for_anything_else(
    node: MediaNode, make_probe: Make, eventually: Eventually
) -> None:
    counter, desk = (make_probe(ssrc=n, h264=108) for n in (1000, 2000))
    await counter.connect(node, "counter")
    await desk.connect(node, "desk")
    assert (_first(counter), _first(desk)) == (96, 96)
    counter.send_video(0, VP8_KEY)
    assert await eventually(lambda: len(desk.videos()) == 1)


async def test_who_lacks_h264_turns_the_call_to_vp8_and_back_when_it_leaves(
    node: MediaNode, make_probe: Make, tablet: Any, eventually: Eventually, events: Events
) -> None:
    old = make_probe(ssrc=2000)
    await tablet.connect(node, "counter")
    await old.connect(node, "desk")
    assert _told(events) == ["counter"]
    tablet.send_h264(0, SPS)
    tablet.send_h264(1, IDR)
    await _again(node, tablet, "counter")
    assert _first(tablet) == 96
    tablet.send_video(2, VP8_KEY)
    assert await eventually(lambda: len(old.rtp) == 1)
    assert [x.payload for x in old.videos()] == [VP8_KEY]
    assert _told(events) == ["counter"]
    node.leave(CALL, "desk")
    assert _told(events) == ["counter", "counter"]
    await _again(node, tablet, "counter")
    assert _first(tablet) == 108


async def test_a_desk_from_the_lobby_gets_h264_at_once_and_is_asked_to_send_it_too(
    node: MediaNode, make_probe: Make, tablet: Any, eventually: Eventually, events: Events
) -> None:
    desk = make_probe(ssrc=2000, h264=126)
    await tablet.connect(node, "counter")
    await desk.warm(node, "person-1")
    assert _first(desk) == 96
    assert node.adopt(await make_permit(), CALL, "desk", "person-1")
    assert _told(events) == ["desk"]
    tablet.send_h264(0, SPS)
    assert await eventually(lambda: len(desk.h264s()) == 1)
    await _again(node, desk, "desk")
    assert _first(desk) == 126
    desk.send_h264(0, SPS)
    assert await eventually(lambda: len(tablet.h264s()) == 1)
    assert _told(events) == ["desk"]


async def test_a_third_party_without_h264_has_both_others_asked(
    node: MediaNode, make_probe: Make, tablet: Any, eventually: Eventually, events: Events
) -> None:
    await tablet.connect(node, "counter")
    await make_probe(ssrc=2000, h264=126).connect(node, "desk")
    await make_probe(ssrc=3000).connect(node, "interpreter")
    assert await eventually(lambda: "interpreter" in _told(events))  # for lines of both others
    assert sorted(_told(events)) == ["counter", "desk", "interpreter"]
