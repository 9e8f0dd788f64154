"""The packet path alone, with a socket of the test's own that may refuse."""

import struct
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.call import Call
from media.dtls import new_identity
from media.ice import Address
from media.leg import Leg
from media.libs import PROFILES, PacketBuffer, SrtpSession
from media.packets import PacketPath
from media.sdp import parse_offer

OFFER = (Path(__file__).parent / "offers" / "chromium.sdp").read_bytes().decode()
LISTENER_WITHOUT_RTX = OFFER.replace(" rtx/90000", " none/90000")
KEY = bytes(range(28))
IDENTITY = new_identity(datetime(2026, 11, 23, tzinfo=UTC))
HERE: Address = ("192.0.2.1", 1)


class Desk:
    """Sends packets of one party through the path and opens what comes out for the other."""

    now = 0.0

    def __init__(self, listener: str = OFFER) -> None:
        offer = parse_offer(OFFER)
        self.call = Call("call")
        for name, said in (("counter", offer), ("desk", parse_offer(listener))):
            transport = self.call.party(name).connect(IDENTITY, said, now=0.0).transport
            transport.inbound = SrtpSession(KEY, PROFILES[0][1], inbound=True)
            transport.outbound = SrtpSession(KEY, PROFILES[0][1], inbound=False)
            transport.addresses.passed(HERE, nominates=True, now=0.0)
        self.call.gate_open = True
        self.call.wire()
        self.line = offer.line("video")
        self.video = min(self.line.ssrcs)
        self.out: list[bytes] = []
        self.full = False
        self._rtx_seq = 0
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
        self._in(struct.pack("!BBHII", 0x80, 96, seq, seq, self.video) + payload)

    def rtx_in(self, seq: int, payload: bytes) -> None:
        """Send packet `seq` as a retransmission, whether anybody asked for it or not."""
        self._rtx_seq += 1
        kind = self.line.rtx_type or 0
        head = struct.pack("!BBHII", 0x80, kind, self._rtx_seq, seq, max(self.line.ssrcs))
        self._in(head + struct.pack("!H", seq) + payload)

    def _leg(self, name: str) -> Leg:
        leg = self.call.parties[name].leg
        assert leg is not None
        return leg

    def _in(self, packet: bytes) -> None:
        buffer = PacketBuffer()
        buffer.view[: len(packet)] = packet
        size = self._sender.protect(buffer.pointer, len(packet))
        if size > 0:  # a sender seals each of its own numbers once
            self.path.receive(self._leg("counter"), buffer, size, HERE, self.now)


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


class Sealed(Desk):
    """Remembers what left under which number, for a listener that is sent bare repetitions."""

    def __init__(self) -> None:
        super().__init__(LISTENER_WITHOUT_RTX)
        self.head = 65530
        self.sealed: dict[tuple[int, bytes], set[bytes]] = {}
        self.now = 0.0

    def _send(self, data: memoryview, address: Address) -> bool:
        number = int.from_bytes(data[2:4], "big")
        self.sealed.setdefault((number, bytes(data[8:12])), set()).add(bytes(data))
        return not self.full

    def act(self, what: str, step: int, copy: int) -> None:
        """Do one thing that a sender, a line, an officer or a listener may do."""
        payload = (b"\x10\x50" if copy % 3 == 0 else b"\x10\x51") + bytes((copy,))
        downlink = self._leg("desk").downlinks["video"]
        match what:
            case "newest":  # with a gap before it, from which the late ones are
                self.head += step
                self.video_in(self.head & 0xFFFF, payload)
            case "late":
                self.video_in(self.head - step & 0xFFFF, payload)
            case "rtx":
                self.rtx_in(self.head - step & 0xFFFF, payload)
            case "jump":
                self.head += 9000
            case "veil":
                self.call.veiled ^= {"counter"}
                self.call.wire()
            case "full":
                self.full = not self.full
            case "deaf":  # consent comes and goes
                self.now = 100.0 - self.now
            case "nack":
                for number, _ in tuple(self.sealed):
                    self.path.resend(downlink, number)


SENT = ("newest", "newest", "late", "late", "rtx", "rtx", "nack")
RARE = ("jump", "veil", "full", "deaf")


@settings(deadline=None, derandomize=True, max_examples=150)
@given(
    st.lists(
        st.tuples(st.sampled_from(SENT * 3 + RARE), st.integers(1, 3)), min_size=10, max_size=60
    )
)
def test_whatever_comes_in_whatever_order_one_number_seals_one_text(
    steps: list[tuple[str, int]],
) -> None:
    desk = Sealed()
    for copy, (what, step) in enumerate([("newest", 1), *steps]):
        desk.act(what, step, copy)
    assert all(len(texts) == 1 for texts in desk.sealed.values())
