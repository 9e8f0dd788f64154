"""Two clients of another make meet through the node, over real UDP, DTLS and SRTP."""

from collections.abc import Awaitable, Callable
from typing import Any

from media.node import MediaNode

CALL = "call-1"
Eventually = Callable[..., Awaitable[bool]]


async def test_two_clients_see_and_hear_each_other(
    node: MediaNode, make_client: Callable[..., Any], eventually: Eventually, events: Any
) -> None:
    counter, desk = make_client(), make_client()
    await counter.join(node, "counter")
    await desk.join(node, "desk")
    assert await eventually(
        lambda: min(counter.frames, counter.sounds, desk.frames, desk.sounds) >= 30
    )
    assert {("up", CALL, "counter"), ("up", CALL, "desk")} == set(events.told)
