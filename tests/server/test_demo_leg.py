"""The simulated page's connection, against a plain aiortc at the other end."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.rtcrtpreceiver import RTCRtpReceiver
from aiortc.rtcrtpsender import RTCRtpSender

from server.demo import clip
from server.demo.encoded import EncodedClip, desk_clip, resident_clip
from server.demo.leg import MediaLeg, _gather_on_loopback
from server.demo.tracks import ClipAudio, ClipVideo


@pytest.fixture(scope="module")
def clips() -> tuple[EncodedClip, EncodedClip]:
    return resident_clip(30), desk_clip(30)


@pytest.fixture
async def leg(clips: tuple[EncodedClip, EncodedClip]) -> AsyncIterator[MediaLeg]:
    """A connected leg; at the other end the desk's clip plays."""
    made = MediaLeg(clips[0])
    other = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    other.addTrack(ClipAudio(clips[1].audio))
    other.addTrack(ClipVideo(clips[1].video))
    offer = await made.offer()
    await other.setRemoteDescription(RTCSessionDescription(offer, "offer"))
    for transceiver in other.getTransceivers():
        transceiver.receiver.receive = _ignore  # type: ignore[method-assign]
        _gather_on_loopback(transceiver.receiver.transport.transport)
    await other.setLocalDescription(await other.createAnswer())
    await made.accept(other.localDescription.sdp)
    await asyncio.wait_for(made.until_connected(), 10)
    yield made
    await made.close()
    await other.close()


async def _ignore(parameters: object) -> None:
    """Decode nothing."""


async def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_picture_is_decoded_and_frames_are_counted(leg: MediaLeg) -> None:
    await until(lambda: leg.video.first_frame_at is not None)
    assert leg.video.size_px == (clip.WIDTH_PX, clip.HEIGHT_PX)
    await until(lambda: leg.video.frames >= 10)
    await until(lambda: leg.audio.packets >= 10)


async def test_counting_anew_waits_for_a_new_keyframe(leg: MediaLeg) -> None:
    await until(lambda: leg.video.frames >= 3)
    leg.video.restart()
    assert leg.video.frames == 0
    assert leg.video.first_frame_at is None
    await until(lambda: leg.video.first_frame_at is not None)
    assert leg.video.frames >= 1


async def test_a_leg_that_vanishes_is_closed(leg: MediaLeg) -> None:
    await leg.vanish()
    assert leg.state == "closed"


async def test_only_loopback_is_offered(clips: tuple[EncodedClip, EncodedClip]) -> None:
    leg = MediaLeg(clips[0])
    offer = await leg.offer()
    await leg.close()
    candidates = [line for line in offer.splitlines() if line.startswith("a=candidate")]
    assert candidates
    assert all(" 127.0.0.1 " in line for line in candidates)


async def test_vp8_is_the_only_picture_offered(clips: tuple[EncodedClip, EncodedClip]) -> None:
    leg = MediaLeg(clips[0])
    offer = await leg.offer()
    await leg.close()
    assert "VP8/90000" in offer
    assert "H264" not in offer


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (RTCRtpSender, "_send_keyframe"),
        (RTCRtpReceiver, "receive"),
    ],
)
def test_the_library_still_has_the_name_we_replace(owner: type, name: str) -> None:
    assert hasattr(owner, name), f"aiortc moved {owner.__name__}.{name}"
