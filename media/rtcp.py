"""RTCP messages read and written (RFC 3550 section 6.4, RFC 4585, RFC 5104, REMB draft 03). Pure.

Any bytes give a list of what could be understood; what is malformed ends the list.
"""

import struct
from typing import NamedTuple

from media.sent import Feedback, read_feedback

MAX_SEQS = 256
# What one datagram may cost: a message, a block, a number asked for, a status is a step each.
# Beyond this no further message of it is read; one alone is at most `MAX_STATUSES` and one.
MAX_STEPS = 512
MAX_SSRCS = 32
CNAME = "madoguchi"

_SR, _RR, _SDES, _BYE, _RTPFB, _PSFB = 200, 201, 202, 203, 205, 206
_NACK, _PLI, _FIR, _APP, _COUNTED = 1, 1, 4, 15, 15
_BLOCK = struct.Struct("!IIIIII")


class Block(NamedTuple):
    """What the reporter saw of `ssrc`. `fraction` is in 1/256, `delay` in 1/65536 s."""

    ssrc: int
    fraction: int
    lost: int
    highest: int
    jitter: int
    last_report: int
    delay: int


class SenderReport(NamedTuple):
    """`ntp` (64 bits) and `time` (RTP timestamp) are the same instant at the sender."""

    ssrc: int
    ntp: int
    time: int
    packets: int
    octets: int
    blocks: tuple[Block, ...] = ()


class ReceiverReport(NamedTuple):
    """What a receiver saw."""

    ssrc: int
    blocks: tuple[Block, ...] = ()


class Nack(NamedTuple):
    """Packets of `media` that `ssrc` misses."""

    ssrc: int
    media: int
    seqs: tuple[int, ...]


class KeyframeWanted(NamedTuple):
    """PLI or FIR: `media` shall send a picture that needs no other."""

    ssrc: int
    media: int


class Remb(NamedTuple):
    """The receiver's estimate of what its line carries."""

    ssrc: int
    bits_per_second: int
    media: tuple[int, ...]


class Counted(NamedTuple):
    """The receiver's account of packets by their transport-wide numbers (media/sent.py)."""

    ssrc: int
    feedback: Feedback


Message = SenderReport | ReceiverReport | Nack | KeyframeWanted | Remb | Counted


def parse(data: bytes) -> list[Message]:
    """Return the messages of the compound packet `data` that the engine acts on."""
    return read(data)[0]


def read(data: bytes) -> tuple[list[Message], int]:
    """Return the messages of `data` that the engine acts on, and how many steps they are."""
    found: list[Message] = []
    position = steps = 0
    while position + 4 <= len(data) and steps < MAX_STEPS:
        first, kind, words = struct.unpack_from("!BBH", data, position)
        end = position + 4 + 4 * words
        if first >> 6 != 2 or end > len(data):
            break
        body = data[position + 4 : end]
        if first & 0x20 and body:
            body = body[: max(0, len(body) - (body[-1] or 4))]
        message = _parse_one(kind, first & 31, body)
        steps += 1
        if message is not None:
            found.append(message)
            steps += _steps(message)
        position = end
    return found, steps


def _steps(message: Message) -> int:
    match message:
        case SenderReport() | ReceiverReport():
            return len(message.blocks)
        case Nack():
            return len(message.seqs)
        case Counted():
            return len(message.feedback.arrivals)
        case Remb():
            return len(message.media)
        case KeyframeWanted():
            return 0


def _parse_one(kind: int, count: int, body: bytes) -> Message | None:
    if kind == _SR and len(body) >= 24:
        ssrc, ntp, time, packets, octets = struct.unpack_from("!IQIII", body)
        return SenderReport(ssrc, ntp, time, packets, octets, _blocks(body, 24, count))
    if kind == _RR and len(body) >= 4:
        return ReceiverReport(int.from_bytes(body[:4], "big"), _blocks(body, 4, count))
    if kind in (_RTPFB, _PSFB) and len(body) >= 8:
        ssrc, media = struct.unpack_from("!II", body)
        if kind == _RTPFB:
            return _transport_feedback(count, ssrc, media, body)
        return _payload_feedback(count, ssrc, media, body)
    return None


def _transport_feedback(fmt: int, ssrc: int, media: int, body: bytes) -> Message | None:
    if fmt == _NACK:
        return Nack(ssrc, media, _seqs(body))
    feedback = read_feedback(body[8:]) if fmt == _COUNTED else None
    return None if feedback is None else Counted(ssrc, feedback)


def _payload_feedback(fmt: int, ssrc: int, media: int, body: bytes) -> Message | None:
    if fmt == _PLI:
        return KeyframeWanted(ssrc, media)
    if fmt == _FIR and len(body) >= 16:
        return KeyframeWanted(ssrc, int.from_bytes(body[8:12], "big"))
    if fmt == _APP and len(body) >= 16 and body[8:12] == b"REMB":
        count = min(body[12], MAX_SSRCS, (len(body) - 16) // 4)
        rate = ((body[13] & 3) << 16 | body[14] << 8 | body[15]) << (body[13] >> 2)
        return Remb(ssrc, rate, struct.unpack_from(f"!{count}I", body, 16))
    return None


def _blocks(body: bytes, position: int, count: int) -> tuple[Block, ...]:
    blocks = []
    for _ in range(min(count, (len(body) - position) // 24)):
        ssrc, loss, highest, jitter, last_report, delay = _BLOCK.unpack_from(body, position)
        lost = loss & 0xFFFFFF
        lost -= (lost & 0x800000) << 1
        blocks.append(Block(ssrc, loss >> 24, lost, highest, jitter, last_report, delay))
        position += 24
    return tuple(blocks)


def _seqs(body: bytes) -> tuple[int, ...]:
    seqs: list[int] = []
    for position in range(8, len(body) - 3, 4):
        first, mask = struct.unpack_from("!HH", body, position)
        seqs.append(first)
        seqs += [(first + 1 + bit) & 0xFFFF for bit in range(16) if mask >> bit & 1]
        if len(seqs) >= MAX_SEQS:
            break
    return tuple(seqs[:MAX_SEQS])


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return struct.pack("!BBH", 0x80 | count, kind, len(body) // 4) + body


def _block_bytes(block: Block) -> bytes:
    lost = max(-0x800000, min(0x7FFFFF, block.lost)) & 0xFFFFFF
    return _BLOCK.pack(
        block.ssrc,
        block.fraction << 24 | lost,
        block.highest & 0xFFFFFFFF,
        block.jitter & 0xFFFFFFFF,
        block.last_report,
        block.delay & 0xFFFFFFFF,
    )


def sender_report(report: SenderReport) -> bytes:
    """Return `report` as an SR packet."""
    head = struct.pack(
        "!IQIII",
        report.ssrc,
        report.ntp,
        report.time,
        report.packets & 0xFFFFFFFF,
        report.octets & 0xFFFFFFFF,
    )
    body = head + b"".join(map(_block_bytes, report.blocks))
    return _packet(_SR, len(report.blocks), body)


def receiver_report(report: ReceiverReport) -> bytes:
    """Return `report` as an RR packet."""
    body = report.ssrc.to_bytes(4, "big") + b"".join(map(_block_bytes, report.blocks))
    return _packet(_RR, len(report.blocks), body)


def cname(ssrc: int, name: str) -> bytes:
    """Return an SDES packet that ties `ssrc` to `name` (at most 255 bytes)."""
    text = name.encode()
    item = ssrc.to_bytes(4, "big") + bytes((1, len(text))) + text
    return _packet(_SDES, 1, item + bytes(4 - len(item) % 4))


def nack(message: Nack) -> bytes:
    """Return a generic NACK; `seqs` are in ascending order around the wrap."""
    entries: list[list[int]] = []
    for seq in message.seqs:
        step = (seq - entries[-1][0]) & 0xFFFF if entries else 17
        if step == 0:
            continue
        if step <= 16:
            entries[-1][1] |= 1 << (step - 1)
        else:
            entries.append([seq, 0])
    body = struct.pack("!II", message.ssrc, message.media)
    return _packet(_RTPFB, _NACK, body + b"".join(struct.pack("!HH", *e) for e in entries))


def picture_loss(message: KeyframeWanted) -> bytes:
    """Return a PLI."""
    return _packet(_PSFB, _PLI, struct.pack("!II", message.ssrc, message.media))


def remb(message: Remb) -> bytes:
    """Return a REMB; the rate is rounded down to 18 significant bits."""
    exponent = max(0, message.bits_per_second.bit_length() - 18)
    mantissa = message.bits_per_second >> exponent
    head = struct.pack("!II4sI", message.ssrc, 0, b"REMB", len(message.media) << 24)
    body = bytearray(head)
    body[13:16] = (exponent << 18 | mantissa).to_bytes(3, "big")
    return _packet(
        _PSFB, _APP, bytes(body) + struct.pack(f"!{len(message.media)}I", *message.media)
    )
