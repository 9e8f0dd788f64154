"""The answer to an offer, written line by line. Pure.

ICE-lite, one transport, the offer's own payload types, extension ids and order of m-lines
(RFC 8829 section 5.3). Whom the reader will hear is announced from the start: the SSRCs are the
connection's own and stay when the other side comes, goes or is replaced.
"""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from media.codecs import H264, OPUS, RED, VP8, Codec
from media.sdp import Extension, Line, Offer, Refused

START_KBPS = 1500
STREAM = "madoguchi"
# RFC 8445 section 5.1.2.1 and RFC 6544 section 4.2: TCP comes after UDP.
UDP_PREFERENCE, TCP_PREFERENCE, PASSIVE_PREFERENCE = 126, 90, 2

_FEEDBACK = ("goog-remb", "transport-cc", "ccm fir", "nack", "nack pli")
_RTPMAPS = {OPUS: "opus/48000/2", RED: "red/48000/2", VP8: "VP8/90000", H264: "H264/90000"}
_REVERSED = {"sendonly": "recvonly", "recvonly": "sendonly"}


@dataclass(frozen=True, slots=True)
class Local:
    """Our end of one connection. `fingerprint` is SHA-256 in the colon form.

    `codec` is the one in which pictures are to be sent to us, if the offer has it; `streams` are
    the SSRCs of each line by mid: of what is sent on it and of its retransmissions. With
    `tcp` the same port number takes connections (RFC 6544).
    """

    ufrag: str
    password: str
    fingerprint: str
    addresses: tuple[str, ...]
    port: int
    streams: Mapping[str, tuple[int, int]]
    cname: str
    session_id: int
    version: int
    codec: str
    tcp: bool = False


def write_answer(offer: Offer, local: Local) -> str:
    """Return the answer to `offer` as SDP text with CRLF line ends."""
    lines = [
        "v=0",
        f"o=- {local.session_id} {local.version} IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=ice-lite",
        "a=group:BUNDLE " + " ".join(x.mid for x in offer.lines if isinstance(x, Line)),
        f"a=msid-semantic: WMS {STREAM}",
    ]
    for line in offer.lines:
        if isinstance(line, Refused):
            lines += _refusal(line)
        else:
            lines += _media(line, offer, local, offer.lines_of(line.kind).index(line))
    return "\r\n".join(lines) + "\r\n"


def _refusal(line: Refused) -> Iterator[str]:
    yield f"m={line.kind} 0 {line.profile} {line.fmt}"
    yield "c=IN IP4 0.0.0.0"
    yield f"a=mid:{line.mid}"
    yield "a=inactive"


def _media(line: Line, offer: Offer, local: Local, place: int) -> Iterator[str]:
    """Give the lines of an m-line, the one of number `place` among those of its kind."""
    # Who reads it sends the first and may be sent any (RFC 3264 section 6.1).
    taken = [x for x in line.codecs if x.name != RED or x == line.red]
    codecs = sorted(taken, key=lambda x: x.name not in (RED, local.codec))
    types = " ".join(str(x) for c in codecs for x in (c.payload_type, c.rtx_type) if x is not None)
    yield f"m={line.kind} {local.port} {line.profile} {types}"
    yield "c=" + _connection(local.addresses[0])
    yield f"a=mid:{line.mid}"
    yield f"a={_direction(line, place)}"
    yield "a=rtcp-mux"
    if offer.reduced_rtcp:
        yield "a=rtcp-rsize"
    yield from _transport(local)
    for codec in codecs:
        yield from _codec(codec, line)
    for extension in line.extensions:
        yield _extmap(extension)
    if line.receives:
        yield from _announced(line, local, place)


def _connection(address: str) -> str:
    return f"IN IP{ipaddress.ip_address(address).version} {address}"


def _transport(local: Local) -> Iterator[str]:
    yield f"a=ice-ufrag:{local.ufrag}"
    yield f"a=ice-pwd:{local.password}"
    yield f"a=fingerprint:sha-256 {local.fingerprint}"
    yield "a=setup:passive"
    yield from _candidates(local)
    yield "a=end-of-candidates"


def _candidates(local: Local) -> Iterator[str]:
    """Yield every address by UDP, then by TCP: each is somebody's only way."""
    for index, address in enumerate(local.addresses):
        priority = (UDP_PREFERENCE << 24) | ((65535 - index) << 8) | 255
        yield f"a=candidate:{index + 1} 1 udp {priority} {address} {local.port} typ host"
    for index, address in enumerate(local.addresses if local.tcp else ()):
        preference = (PASSIVE_PREFERENCE << 13) | (8191 - index)
        priority = (TCP_PREFERENCE << 24) | (preference << 8) | 255
        foundation = len(local.addresses) + index + 1
        end = f"{address} {local.port} typ host tcptype passive"
        yield f"a=candidate:{foundation} 1 tcp {priority} {end}"


def _codec(codec: Codec, line: Line) -> Iterator[str]:
    number = codec.payload_type
    yield f"a=rtpmap:{number} {_RTPMAPS[codec.name]}"
    yield f"a=fmtp:{number} {_parameters(codec, line)}"
    for value in _FEEDBACK:
        if value in codec.feedback:
            yield f"a=rtcp-fb:{number} {value}"
    if codec.rtx_type is not None:
        yield f"a=rtpmap:{codec.rtx_type} rtx/90000"
        yield f"a=fmtp:{codec.rtx_type} apt={number}"


def _parameters(codec: Codec, line: Line) -> str:
    if codec.name == RED:
        return f"{line.payload_type}/{line.payload_type}"
    if codec.name == OPUS:
        return "minptime=10;useinbandfec=1"
    start = f"x-google-start-bitrate={START_KBPS}"
    if codec.name != H264:
        return start
    return (
        "level-asymmetry-allowed=1;packetization-mode=1;"
        f"profile-level-id={codec.profile.lower()};{start}"
    )


def _extmap(extension: Extension) -> str:
    direction = extension.direction
    tail = "" if direction is None else "/" + _REVERSED.get(direction, direction)
    return f"a=extmap:{extension.id}{tail} {extension.uri}"


def _direction(line: Line, place: int) -> str:
    if place == 0:
        return _REVERSED.get(line.direction, line.direction)
    return "sendonly" if line.receives else "inactive"


def _announced(line: Line, local: Local, place: int) -> Iterator[str]:
    main, rtx = local.streams[line.mid]
    numbers = [main]
    # Sound and pictures of one party are one stream: browsers keep them together.
    name = f"{STREAM}{place + 1} {line.kind}{place + 1}" if place else f"{STREAM} {line.kind}"
    yield f"a=msid:{name}"
    if any(x.rtx_type is not None for x in line.codecs):
        numbers.append(rtx)
        yield f"a=ssrc-group:FID {main} {rtx}"
    for ssrc in numbers:
        yield f"a=ssrc:{ssrc} cname:{local.cname}"
        yield f"a=ssrc:{ssrc} msid:{name}"
