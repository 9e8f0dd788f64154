"""VP8 frames out of RTP payloads (RFC 7741), and whether they can be decoded. Pure."""

from aiortc.codecs.vpx import VpxPayloadDescriptor

from server.demo.encoded import is_keyframe

HALF_RANGE = 1 << 15
RANGE = 1 << 16


class FrameAssembler:
    """Joins consecutive packets to frames.

    A lost or late packet breaks the chain: from then on nothing counts as decodable until the
    next whole keyframe.
    """

    def __init__(self) -> None:
        self._expected: int | None = None
        self._parts: list[bytes] | None = None
        self._chained = False

    @property
    def needs_keyframe(self) -> bool:
        """Tell whether frames are useless until a keyframe comes."""
        return not self._chained

    def add(self, sequence_number: int, payload: bytes, *, marker: bool) -> bytes | None:
        """Return the frame that this packet completes, if it can be decoded."""
        if not self._follows(sequence_number):
            return None
        try:
            descriptor, data = VpxPayloadDescriptor.parse(payload)
        except ValueError:
            return None  # padding probes carry no descriptor
        if descriptor.partition_start and descriptor.partition_id == 0:
            self._parts = [data]
        elif self._parts is not None:
            self._parts.append(data)
        if not marker or self._parts is None:
            return None
        frame, self._parts = b"".join(self._parts), None
        self._chained = self._chained or is_keyframe(frame)
        return frame if self._chained else None

    def _follows(self, sequence_number: int) -> bool:
        expected = self._expected
        if expected is not None and sequence_number != expected:
            if (sequence_number - expected) % RANGE > HALF_RANGE:
                return False  # a copy of something older
            self._parts = None
            self._chained = False
        self._expected = (sequence_number + 1) % RANGE
        return True
