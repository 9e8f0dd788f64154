"""What a listener misses is told to whoever sends it, so that the sender can help."""

import struct
from collections.abc import Awaitable, Callable
from typing import Any

from media import rtcp
from media.node import MediaNode

KEYFRAME = b"\x10\x50"
Make = Callable[..., Any]
Eventually = Callable[..., Awaitable[bool]]


async def test_a_senders_sound_is_reported_as_lossy_as_its_listener_hears_it(
    node: MediaNode, make_probe: Make, eventually: Eventually
) -> None:
    counter, desk = make_probe(ssrc=1000), make_probe(ssrc=2000)
    await counter.connect(node, "counter")
    await desk.connect(node, "desk")
    counter.send_video(1, KEYFRAME)
    counter.send_audio(1)
    assert await eventually(lambda: len(desk.rtp) == 2)
    for packet in desk.rtp:
        for highest, lost in ((packet.seq, 0), (packet.seq + 100, 30)):
            block = rtcp.Block(packet.ssrc, 0, lost, highest, 0, 0, 0)
            desk.send_rtcp(rtcp.receiver_report(rtcp.ReceiverReport(2000, (block,))))

    def told(ssrc: int) -> list[rtcp.Block]:
        reports = [x for x in counter.rtcp if isinstance(x, rtcp.ReceiverReport)]
        return [b for r in reports for b in r.blocks if b.ssrc == ssrc]

    assert await eventually(lambda: any(b.fraction == int(256 * 0.3) for b in told(1000)))
    assert all(b.lost == 0 for b in told(1000))
    assert all(b.fraction == 0 for b in told(1001))


async def test_a_full_intra_request_is_a_wish_for_a_keyframe_like_any_other(
    node: MediaNode, make_probe: Make, eventually: Eventually
) -> None:
    counter, desk = make_probe(ssrc=1000), make_probe(ssrc=2000)
    await counter.connect(node, "counter")
    await desk.connect(node, "desk")
    counter.send_video(1, KEYFRAME)
    assert await eventually(lambda: len(desk.videos()) == 1)
    entry = struct.pack("!II", desk.videos()[0].ssrc, 1 << 24)
    desk.send_rtcp(struct.pack("!BBHII", 0x84, 206, 4, 2001, 0) + entry)
    counter.send_video(2)
    assert await eventually(lambda: counter.wishes() == 1)


async def test_a_listener_whose_line_loses_much_is_sent_sound_twice_for_a_while(
    node: MediaNode, make_probe: Make, eventually: Eventually
) -> None:
    counter, desk = make_probe(ssrc=1000), make_probe(ssrc=2000)
    await counter.connect(node, "counter")
    await desk.connect(node, "desk")
    sounds = iter(range(1, 1000))

    def twice() -> bool:
        counter.send_audio(next(sounds))
        return bool(desk.troubles)  # what comes a second time SRTP refuses

    counter.send_video(1, KEYFRAME)
    assert await eventually(lambda: len(desk.videos()) == 1)
    assert not any(twice() for _ in range(5))
    (picture,) = desk.videos()
    for highest, lost in ((picture.seq, 0), (picture.seq + 100, 5)):
        block = rtcp.Block(picture.ssrc, 0, lost, highest, 0, 0, 0)
        desk.send_rtcp(rtcp.receiver_report(rtcp.ReceiverReport(2000, (block,))))
    assert await eventually(twice)
    assert set(desk.troubles) == {"the node repeated a number or sealed it wrongly"}
    desk.troubles.clear()
    assert len({x.seq for x in desk.rtp if x.payload_type == 111}) > 5
