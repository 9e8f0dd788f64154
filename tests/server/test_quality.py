"""The quality of calls as pages see it, with real sound and pictures at both ends."""

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from security.errors import ProtocolError
from server.api import housekeeping
from server.api.messages import parse_frame, parse_message
from server.demo.encoded import EncodedClip, desk_clip
from server.demo.leg import MediaLeg

Json = dict[str, Any]
REPORT: Json = {
    "seconds": 3,
    "rtt_ms": 40,
    "received": {
        "fps": 25.0,
        "width": 1280,
        "height": 720,
        "loss": 0.0,
        "jitter_ms": 4,
        "freezes": 0,
        "frozen_ms": 0,
    },
    "sent": {"fps": 25.0, "width": 1280, "height": 720, "limited_by": "none"},
}


@pytest.fixture(autouse=True)
def looked_at_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test says when the watch looks."""
    monkeypatch.setattr(housekeeping, "LOOK_SECONDS", 3600.0)


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, float], None]:
    """Return what sets a watch's clock ahead by seconds, once more each time."""
    ahead = 0.0

    def set_ahead(watch: Any, seconds: float) -> None:
        nonlocal ahead
        ahead += seconds
        monkeypatch.setattr(watch, "_now", lambda by=ahead: time.monotonic() + by)

    return set_ahead


@pytest.fixture(scope="module")
def clip() -> EncodedClip:
    return desk_clip(30)


@pytest.fixture
async def legs() -> AsyncIterator[list[MediaLeg]]:
    """Connections that are closed at the end."""
    made: list[MediaLeg] = []
    yield made
    for leg in made:
        await leg.close()


async def join(page: Any, clip: EncodedClip, legs: list[MediaLeg]) -> MediaLeg:
    """Send and get sound and pictures as the page."""
    leg = MediaLeg(clip)
    legs.append(leg)
    answer = await page.offer(1, await leg.offer(), id="o1")
    await leg.accept(answer["sdp"])
    async with asyncio.timeout(10):
        await leg.until_connected()
    return leg


async def until_packets(leg: MediaLeg, more: int = 30) -> None:
    start = leg.audio.packets
    async with asyncio.timeout(10):
        while leg.audio.packets < start + more:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_both_ends_are_told_how_good_the_call_is_and_it_is_kept(
    make_world: Any,
    clip: EncodedClip,
    legs: list[MediaLeg],
    pass_time: Callable[[Any, float], None],
) -> None:
    world = await make_world()
    world.enforce({"calls.poor_picture_seconds": 5})
    counter, desk, call = await world.talking()
    watch = world.service.parts.quality
    at_counter, at_desk = await join(counter, clip, legs), await join(desk, clip, legs)
    await until_packets(at_desk)
    await watch.look()
    await until_packets(at_counter)
    await counter.do("call.quality", **REPORT)
    little = {**REPORT, "received": {**REPORT["received"], "fps": 1.0, "freezes": 3}}
    await desk.do("call.quality", **little)
    await watch.look()
    await until_packets(at_counter, 55)
    pass_time(watch, 5.0)
    await watch.look()

    message = await desk.until_that(
        lambda m: m["type"] == "quality" and m["quality"]["abort_offered"]
    )
    told = message["quality"]
    assert told["level"] == "poor"
    assert (told["cause"], told["place"]) == ("slow", "desk")
    line = told["lines"]["counter"]["sends"]
    assert line["kbps"] > 50
    assert line["loss"] == 0.0
    assert line["width"] == 1280
    assert line["fps"] > 5
    own = (await counter.until("quality"))["quality"]
    assert own["lines"] is None
    assert not own["abort_offered"]

    status, body = await desk.request("GET", f"/api/v1/calls/{call['id']}")
    assert status == 200
    kept = {(x["party"], x["direction"]): x for x in body["quality"]}
    assert len(kept) == 4
    assert kept["desk", "receives"]["freezes"] == 3
    await desk.do("call.close", outcome="aborted", reason="映像か音声の状態がよくありません")
    await watch.look()
    total = (await desk.request("GET", "/api/v1/calls"))[1]["quality"][call["id"]]
    assert sum(total[f"{level}_percent"] for level in ("good", "fair", "poor")) == 100
    assert (total["poor_percent"], total["cause"], total["place"]) == (100, "slow", "desk")
    again = await make_world.restart(world)
    desk = await again.desk()
    _, body = await desk.request("GET", f"/api/v1/calls/{call['id']}")
    assert {(x["party"], x["direction"]): x for x in body["quality"]} == kept


async def test_the_policy_says_what_picture_is_too_poor_and_for_how_long(
    world: Any, clip: EncodedClip, legs: list[MediaLeg], pass_time: Callable[[Any, float], None]
) -> None:
    counter, desk, _ = await world.talking()
    await join(counter, clip, legs)
    await until_packets(await join(desk, clip, legs))
    watch = world.service.parts.quality
    numbers = itertools.count(1)

    async def offered(height: int, frames: int, seconds: int) -> list[bool]:
        """Enforce height, frames and seconds; tell of 640×480 at 25 for 13 s."""
        asked = {
            "calls.minimum_height_px": height,
            "calls.minimum_frames_per_second": frames,
            "calls.poor_picture_seconds": seconds,
        }
        world.enforce(asked, next(numbers))
        told = []
        for _ in range(6):
            small = {**REPORT["received"], "width": 640, "height": 480}
            await desk.do("call.quality", **{**REPORT, "received": small})
            desk.inbox.clear()
            await watch.look()
            message = await desk.until("quality")
            told.append(message["quality"]["abort_offered"])
            pass_time(watch, 2.6)
        return told

    assert await offered(480, 25, 10) == [False] * 6
    assert await offered(481, 25, 10) == [False] * 4 + [True] * 2
    assert await offered(480, 25, 10) == [True] * 4 + [False] * 2
    assert await offered(480, 26, 5) == [False] * 2 + [True] * 4


async def test_a_call_goes_on_adding_to_its_summary_after_a_restart(
    make_world: Any, clip: EncodedClip, legs: list[MediaLeg]
) -> None:
    world = await make_world()
    counter, desk, call = await world.talking()
    leg = await join(counter, clip, legs)
    await join(desk, clip, legs)
    for _ in range(2):
        await until_packets(leg, 20)
        await world.service.parts.quality.look()
    before = await world.service.parts.quality.of_call(world.town.municipality.id, call["id"])
    again = await make_world.restart(world)
    after = await again.service.parts.quality.of_call(world.town.municipality.id, call["id"])
    assert after == before != {}
    await again.service.parts.quality.look()
    assert await again.service.parts.quality.of_call("another", call["id"]) == {}


@pytest.mark.parametrize(
    "change",
    [
        {"seconds": 0.1},
        {"rtt_ms": -1},
        {"rtt_ms": 60_001},
        {"rtt_ms": 1.5},
        {"rtt_ms": "40"},
        {"more": 1},
        {"received": {**REPORT["received"], "loss": 1.1}},
        {"received": {**REPORT["received"], "width": 16_385}},
        {"received": {**REPORT["received"], "fps": 1e400}},
        {"received": {**REPORT["received"], "freezes": True}},
        {"received": {"fps": 1.0}},
        {"sent": {**REPORT["sent"], "limited_by": "weather"}},
        {"sent": None},
    ],
)
def test_a_report_out_of_bounds_is_refused(change: Json) -> None:
    message = {"type": "call.quality", "id": "q", **REPORT, **change}
    with pytest.raises(ProtocolError):
        parse_message(parse_frame(json.dumps(message).replace("Infinity", "1e400")))


def test_a_report_without_figures_is_taken() -> None:
    nothing = {name: dict.fromkeys(REPORT[name]) for name in ("received", "sent")}
    message = {"type": "call.quality", "id": "q", **REPORT, **nothing, "rtt_ms": None}
    assert parse_message(message).type == "call.quality"


async def test_who_is_in_no_call_has_nothing_to_report(world: Any) -> None:
    desk = await world.desk()
    await desk.connect()
    with pytest.raises(Exception, match="wrong_state"):
        await desk.do("call.quality", **REPORT)
