"""A simulated page's RTCPeerConnection: aiortc as the client, on loopback alone.

What is private in aiortc and aioice is touched in this file and in receiving.py only
(versions are pinned; tests/server/test_demo_leg.py says which name moved).
"""

import asyncio
from collections.abc import Callable
from typing import Any

from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.rtcicetransport import RTCIceTransport
from aiortc.rtcrtpparameters import RTCRtpCodecCapability, RTCRtpReceiveParameters

from server.demo.encoded import EncodedClip
from server.demo.receiving import AudioCounter, VideoCounter
from server.demo.tracks import ClipAudio, ClipVideo

LOOPBACK = "127.0.0.1"


class MediaLeg:
    """One connection that sends a clip both ways of sight and sound and counts what comes back."""

    def __init__(self, clip: EncodedClip) -> None:
        # No STUN server: aiortc's default would ask one on the Internet.
        self._connection = RTCPeerConnection(
            RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        )
        picture = ClipVideo(clip.video)
        sound = self._connection.addTransceiver(ClipAudio(clip.audio), direction="sendrecv")
        sight = self._connection.addTransceiver(picture, direction="sendrecv")
        sight.setCodecPreferences(_vp8_and_its_rtx())
        # aiortc cannot change what was encoded before, but it can go on with a keyframe.
        _replace(sight.sender, "_send_keyframe", picture.jump_to_keyframe)
        transport = sight.receiver.transport
        self.audio = AudioCounter()
        self.video = VideoCounter(transport, sight.sender._ssrc)
        _receive_by(sound, self.audio)
        _receive_by(sight, self.video)
        self._ice: RTCIceTransport = transport.transport
        _gather_on_loopback(self._ice)

    @property
    def state(self) -> str:
        """The connection's state in W3C's words."""
        return str(self._connection.connectionState)

    async def offer(self) -> str:
        """Return the SDP to send."""
        await self._connection.setLocalDescription(await self._connection.createOffer())
        return str(self._connection.localDescription.sdp)

    async def accept(self, answer: str) -> None:
        """Take the server's SDP; the connection comes up by itself."""
        description = RTCSessionDescription(sdp=answer, type="answer")
        await self._connection.setRemoteDescription(description)

    async def until_connected(self) -> None:
        """Wait until keys stand. Raises `ConnectionError` when that failed."""
        while self.state != "connected":
            if self.state in ("failed", "closed"):
                raise ConnectionError(f"the media connection is {self.state}")
            await asyncio.sleep(0.01)

    async def close(self) -> None:
        """Leave politely: RTCP BYE and DTLS close_notify."""
        await self._connection.close()

    async def vanish(self) -> None:
        """Leave without a word, as a tablet whose network is gone."""
        await self._ice.stop()
        await self._connection.close()


def _vp8_and_its_rtx() -> list[RTCRtpCodecCapability]:
    codecs = RTCRtpSender.getCapabilities("video").codecs
    return [codec for codec in codecs if codec.mimeType in ("video/VP8", "video/rtx")]


def _receive_by(transceiver: RTCRtpTransceiver, counter: AudioCounter | VideoCounter) -> None:
    async def receive(parameters: RTCRtpReceiveParameters) -> None:
        counter.payload_type = parameters.codecs[0].payloadType
        transceiver.receiver.transport._register_rtp_receiver(counter, parameters)

    _replace(transceiver.receiver, "receive", receive)


def _gather_on_loopback(transport: RTCIceTransport) -> None:
    connection: Any = transport._connection

    async def gather_candidates() -> None:
        if not connection._local_candidates_start:
            connection._local_candidates_start = True
            found = await connection.get_component_candidates(1, [LOOPBACK])
            connection._local_candidates += found
            connection._local_candidates_end = True

    _replace(connection, "gather_candidates", gather_candidates)


def _replace(thing: object, name: str, method: Callable[..., Any]) -> None:
    """Put `method` in the place of one that must be there already. Raises `AttributeError`."""
    getattr(thing, name)
    setattr(thing, name, method)
