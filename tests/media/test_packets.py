"""The packet path alone, with a socket of the test's own that may refuse."""

import struct
from datetime import UTC, datetime
from pathlib import Path

import pytest

from media.call import Call
from media.dtls import new_identity
from media.ice import Address
from media.libs import PROFILES, PacketBuffer, SrtpSession
from media.packets import PacketPath
from media.sdp import parse_offer

OFFER = (Path(__file__).parent / "offers" / "chromium.sdp").read_bytes().decode()
KEY = bytes(range(28))
HERE: Address = ("192.0.2.1", 1)


class Desk:
    """Sends packets of one party through the path and opens what comes out for the other."""

    def __init__(self) -> None:
        identity = new_identity(datetime(2026, 11, 23, tzinfo=UTC))
        offer = parse_offer(OFFER)
        self.call = Call("call")
        for name in ("counter", "desk"):
            transport = self.call.party(name).connect(identity, offer, now=0.0).transport
            transport.inbound = SrtpSession(KEY, PROFILES[0][1], inbound=True)
            transport.outbound = SrtpSession(KEY, PROFILES[0][1], inbound=False)
            transport.addresses.passed(HERE, nominates=True, now=0.0)
        self.call.gate_open = True
        self.call.wire()
        self.video = min(offer.line("video").ssrcs)
        self.out: list[bytes] = []
        self.full = False
        self.path = PacketPath(self._send)
        self._sender = SrtpSession(KEY, PROFILES[0][1], inbound=False)
        self._receiver = SrtpSession(KEY, PROFILES[0][1], inbound=True)
        self._buffer = PacketBuffer()

    def _send(self, data: memoryview, address: Address) -> bool:
        if self.full:
            return False
        self._buffer.view[: len(data)] = data
        size = self._receiver.unprotect(self._buffer.pointer, len(data))
        assert size > 0
        self.out.append(bytes(self._buffer.view[:size]))
        return True

    def video_in(self, seq: int, payload: bytes = b"\x10\x51") -> None:
        packet = struct.pack("!BBHII", 0x80, 96, seq, seq, self.video) + payload
        buffer = PacketBuffer()
        buffer.view[: len(packet)] = packet
        size = self._sender.protect(buffer.pointer, len(packet))
        leg = self.call.parties["counter"].leg
        assert leg is not None
        self.path.receive(leg, buffer, size, HERE, 0.0)


def test_what_a_full_socket_does_not_take_is_lost_and_the_numbers_go_on() -> None:
    desk = Desk()
    desk.video_in(1, b"\x10\x50")
    desk.full = True
    desk.video_in(2)
    desk.full = False
    desk.video_in(3)
    first, second = (struct.unpack_from("!H", x, 2)[0] for x in desk.out)
    assert second == first + 2
    leg = desk.call.parties["desk"].leg
    assert leg is not None
    assert leg.transport.counters.packets_forwarded == 2
    assert desk.path.resend(leg.downlinks["video"], first + 1)
    assert desk.out[2][12:14] == struct.pack("!H", first + 1)


@pytest.mark.parametrize("size", [1200, 1472, 1880])
def test_packets_up_to_the_largest_pass_unchanged(size: int) -> None:
    desk = Desk()
    payload = b"\x10\x50" + bytes(n & 0xFF for n in range(size - 30))
    desk.video_in(1, payload)
    assert desk.out[0][12:] == payload


def test_a_jump_of_the_source_waits_for_a_keyframe_and_leaves_no_gap() -> None:
    desk = Desk()
    desk.video_in(1, b"\x10\x50")
    desk.video_in(30000)
    desk.video_in(30001)
    desk.video_in(30002, b"\x10\x50")
    first, second = (struct.unpack_from("!H", x, 2)[0] for x in desk.out)
    assert second == first + 1
    assert desk.call.parties["counter"].sources["video"].epoch > 1
