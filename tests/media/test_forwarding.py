"""Two clients of another make meet through the node, over real UDP, DTLS and SRTP."""

from collections.abc import Awaitable, Callable
from typing import Any

from media.node import MediaNode

CALL = "call-1"
Make = Callable[..., Any]
Eventually = Callable[..., Awaitable[bool]]


def _flows(*clients: Any) -> Callable[[], bool]:
    """Return a test of whether each client gets 30 more frames and sounds than it has now."""
    goals = [(x, x.frames + 30, x.sounds + 30) for x in clients]
    return lambda: all(x.frames >= frames and x.sounds >= sounds for x, frames, sounds in goals)


async def test_two_clients_see_and_hear_each_other(
    node: MediaNode, make_client: Make, eventually: Eventually, events: Any
) -> None:
    counter, desk = make_client(level=40), make_client(level=120)
    await counter.join(node, "counter")
    await desk.join(node, "desk")
    assert await eventually(_flows(counter, desk))
    assert abs(desk.level - 40) < 20
    assert abs(counter.level - 120) < 20
    assert {("up", CALL, "counter"), ("up", CALL, "desk")} == set(events.told)


async def test_a_new_connection_of_one_side_is_seen_by_the_other_without_renegotiation(
    node: MediaNode, make_client: Make, eventually: Eventually
) -> None:
    counter, desk = make_client(level=40), make_client()
    await counter.join(node, "counter")
    await desk.join(node, "desk")
    assert await eventually(_flows(counter, desk))
    await counter.close()
    again = make_client(level=160)
    await again.join(node, "counter")
    assert await eventually(_flows(again, desk))
    assert await eventually(lambda: abs(desk.level - 160) < 20)


async def test_a_veil_stops_the_picture_and_lifting_it_brings_it_back(
    node: MediaNode, make_client: Make, eventually: Eventually
) -> None:
    counter, desk = make_client(), make_client()
    await counter.join(node, "counter")
    await desk.join(node, "desk")
    assert await eventually(_flows(counter, desk))
    node.set_veil(CALL, "counter", on=True)
    heard = desk.sounds
    assert await eventually(lambda: desk.sounds >= heard + 30)
    frames = desk.frames
    assert await eventually(lambda: desk.sounds >= heard + 60)
    assert desk.frames == frames
    node.set_veil(CALL, "counter", on=False)
    assert await eventually(_flows(counter, desk))


async def test_a_call_survives_every_tenth_packet_lost_on_both_lines(
    node: MediaNode, make_client: Make, make_line: Make, eventually: Eventually
) -> None:
    lines = [make_line(lambda _, number: number % 10 == 0) for _ in range(2)]
    counter, desk = make_client(), make_client()
    await counter.join(node, "counter", port=lines[0].port)
    await desk.join(node, "desk", port=lines[1].port)
    # These clients ask once for what they miss: when that is lost as well, they stand still until
    # 128 packets more have come.
    for _ in range(2):
        assert await eventually(_flows(counter, desk), within_seconds=40)
    assert min(line.lost for line in lines) > 10


async def test_a_call_survives_a_burst_of_fifty_packets_lost(
    node: MediaNode, make_client: Make, make_line: Make, eventually: Eventually
) -> None:
    line = make_line(lambda way, number: way == "down" and 60 <= number < 110)
    counter, desk = make_client(), make_client()
    await counter.join(node, "counter")
    await desk.join(node, "desk", port=line.port)
    assert await eventually(lambda: line.lost == 50)
    assert await eventually(_flows(counter, desk))
