"""What an offer says, as far as the engine cares. Pure.

Any text gives an `Offer` or `ProtocolError(code="bad_sdp")`. Candidates are not read: an ICE-lite
server needs none (RFC 8445 section 2.5), so offers with mDNS names only, or none, are fine.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from media.codecs import H264, NAMES, OPUS, RED, REQUIRED, Codec, h264_profile
from media.libs import SessionDescription, grouplines
from security.errors import ProtocolError

MAX_BYTES = 65536
# aiortc's parser looks through what it has for each line: these keep it below a few milliseconds.
MAX_LINES = 1200
MAX_MEDIA = 16
MAX_LINES_OF_A_KIND = 3  # one for each other party (media/call.py)
MAX_MAPPINGS = 160
MAX_SSRC_LINES = 96
MAX_FEEDBACK = 8000  # feedback lines times codecs of each m-line; a browser's come to about 2,000

MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
TRANSPORT_CC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
ORIENTATION = "urn:3gpp:video-orientation"
TIME_OFFSET = "urn:ietf:params:rtp-hdrext:toffset"

# Between two browsers; MID and TRANSPORT_CC end at the server.
FORWARDED = frozenset({ABS_SEND_TIME, AUDIO_LEVEL, ORIENTATION, TIME_OFFSET})
ACCEPTED = FORWARDED | {MID, TRANSPORT_CC}

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]{1,64}")
_ICE = re.compile(r"[A-Za-z0-9+/]{4,256}")
_EXTMAP = re.compile(r"a=extmap:([0-9]{1,2})(?:/(sendrecv|sendonly|recvonly|inactive))? (\S+)")
_HASHES = {"sha-256": 32, "sha-384": 48, "sha-512": 64}
KINDS = ("audio", "video")


@dataclass(frozen=True, slots=True)
class Extension:
    """A header extension as offered; `direction` is None when the offer leaves it out."""

    id: int
    uri: str
    direction: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """An m-line that we take. `codecs` are those that pass, the offerer's preferred one first.

    `ssrcs` are those the offer announces, possibly none.
    """

    kind: str
    mid: str
    profile: str
    direction: str
    codecs: tuple[Codec, ...]
    extensions: tuple[Extension, ...]
    ssrcs: frozenset[int]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the codecs' names, the preferred one first."""
        return tuple(x.name for x in self.codecs)

    def codec(self, name: str) -> Codec | None:
        """Return the codec of this name, None when it was not offered."""
        return next((x for x in self.codecs if x.name == name), None)

    @property
    def main(self) -> Codec:
        """Return the codec that every offer has: Opus, VP8."""
        return next(x for x in self.codecs if x.name == REQUIRED[self.kind])

    @property
    def red(self) -> Codec | None:
        """Return what the offerer sends Opus in, None without: of further lines it sends none."""
        return self.codec(RED) if self.sends else None

    @property
    def payload_type(self) -> int:
        """Return the number of `main`."""
        return self.main.payload_type

    @property
    def rtx_type(self) -> int | None:
        """Return the number under which `main` is repeated, None without RTX."""
        return self.main.rtx_type

    @property
    def feedback(self) -> frozenset[str]:
        """Return the feedback of `main`."""
        return self.main.feedback

    @property
    def sends(self) -> bool:
        """Tell whether the offerer means to send on this line."""
        return self.direction in ("sendrecv", "sendonly")

    @property
    def receives(self) -> bool:
        """Tell whether the offerer means to receive on this line."""
        return self.direction in ("sendrecv", "recvonly")


@dataclass(frozen=True, slots=True)
class Refused:
    """An m-line that the answer turns down with port 0."""

    kind: str
    mid: str
    profile: str
    fmt: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A usable offer: lines of sound and of pictures on one transport.

    `lines` are all m-lines in the offer's order. The first of each kind is for what the offerer
    sends and what it is sent; further ones, of which at most two are taken, are for being sent
    other parties' alone. `fingerprints` are (hash name, bytes).
    """

    lines: tuple[Line | Refused, ...]
    ufrag: str
    password: str
    fingerprints: tuple[tuple[str, bytes], ...]
    reduced_rtcp: bool

    def line(self, kind: str) -> Line:
        """Return the first line of `kind`."""
        return next(x for x in self.lines if isinstance(x, Line) and x.kind == kind)

    def lines_of(self, kind: str) -> tuple[Line, ...]:
        """Return all lines taken for `kind`."""
        return tuple(x for x in self.lines if isinstance(x, Line) and x.kind == kind)

    @property
    def ssrcs(self) -> frozenset[int]:
        """Return every SSRC that the offer announces."""
        return frozenset(x for line in self.lines if isinstance(line, Line) for x in line.ssrcs)

    @property
    def places(self) -> int:
        """Return how many other parties can be shown and heard."""
        return min(sum(x.receives for x in self.lines_of(kind)) for kind in KINDS)


def bad_sdp(why: str) -> ProtocolError:
    """Return the one error that an offer can cause."""
    return ProtocolError(why, code="bad_sdp")


def check_size(text: str) -> None:
    """Raise `ProtocolError` with code `bad_sdp` for an offer longer than 64 KiB."""
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise bad_sdp("the offer is longer than 64 KiB")


def parse_offer(text: str) -> Offer:
    """Return what `text` offers.

    Raises `ProtocolError` with code `bad_sdp` when it is longer than 64 KiB, is not SDP, lacks an
    audio line with Opus or a video line with VP8, or cannot run bundled over one DTLS transport.
    """
    check_bounds(text)
    try:
        session: Any = SessionDescription.parse(text)
        _, groups = grouplines(text)
        return _read(session, groups)
    except ProtocolError:
        raise
    except Exception as error:  # the parser raises at least six kinds on mutated input
        raise bad_sdp("the offer is not valid SDP") from error


def check_bounds(text: str) -> None:
    """Raise `ProtocolError` (`bad_sdp`) for more of anything than the parser is to be given."""
    check_size(text)
    heads = [line.partition(":")[0] for line in text.splitlines()]
    media = [at for at, head in enumerate(heads) if head.startswith("m=")]
    counts = (
        (len(heads), MAX_LINES, "lines"),
        (len(media), MAX_MEDIA, "m-lines"),
        (heads.count("a=rtpmap"), MAX_MAPPINGS, "codecs"),
        (_feedback_steps(heads, media), MAX_FEEDBACK, "codecs with feedback"),
        (heads.count("a=ssrc") + heads.count("a=ssrc-group"), MAX_SSRC_LINES, "SSRCs"),
    )
    for count, limit, what in counts:
        if count > limit:
            raise bad_sdp(f"the offer has {count} {what}, more than {limit}")


def _feedback_steps(heads: Sequence[str], media: Sequence[int]) -> int:
    """Return how often the parser looks at a codec: for each feedback, at all of its m-line."""
    parts = [heads[a:b] for a, b in zip(media, [*media[1:], len(heads)], strict=False)]
    return sum(x.count("a=rtpmap") * x.count("a=rtcp-fb") for x in parts)


def _read(session: Any, groups: Sequence[Sequence[str]]) -> Offer:
    bundled = {str(mid) for g in session.group if g.semantic == "BUNDLE" for mid in g.items}
    lines: list[Line | Refused] = []
    main: dict[str, list[Any]] = {kind: [] for kind in KINDS}
    mids: set[str] = set()
    for media, raw in zip(session.media, groups, strict=True):
        mid = _mid(media, mids)
        if _is_of_use(media, raw, main):
            if mid not in bundled or not media.rtcp_mux:
                raise bad_sdp(f"the {media.kind} line is not bundled with rtcp-mux")
            main[media.kind].append(media)
            lines.append(_line(media, raw, mid))
        else:
            lines.append(_refused(media, mid))
    for kind in KINDS:
        if not main[kind]:
            raise bad_sdp(f"the offer has no {kind} line")
    first = next(m for m in session.media if m in main["audio"] or m in main["video"])
    ufrag, password = first.ice.usernameFragment, first.ice.password
    if not (_ICE.fullmatch(ufrag or "") and _ICE.fullmatch(password or "")):
        raise bad_sdp("the offer has no ICE credentials")
    # Both lines share the transport of the first; rtcp-rsize counts when every line has it.
    reduced = all("a=rtcp-rsize" in raw for raw in groups if raw[0].startswith(("m=aud", "m=vid")))
    return Offer(tuple(lines), ufrag, password, _fingerprints(first), reduced)


def _mid(media: Any, seen: set[str]) -> str:
    mid = media.rtp.muxId
    if not mid or not _TOKEN.fullmatch(mid) or len(mid) > 32 or mid in seen:
        raise bad_sdp("an m-line has no mid of its own")
    seen.add(mid)
    return str(mid)


def _is_of_use(media: Any, raw: Sequence[str], main: dict[str, list[Any]]) -> bool:
    """Tell whether an m-line is to be taken."""
    if media.kind not in KINDS or len(main[media.kind]) >= MAX_LINES_OF_A_KIND:
        return False
    return media.port != 0 or "a=bundle-only" in raw


def _refused(media: Any, mid: str) -> Refused:
    fmt = str(media.fmt[0])
    if not (_TOKEN.fullmatch(media.kind) and _TOKEN.fullmatch(fmt)):
        raise bad_sdp("an m-line is malformed")
    return Refused(media.kind, mid, media.profile, fmt)


def _line(media: Any, raw: Sequence[str], mid: str) -> Line:
    if media.profile not in ("UDP/TLS/RTP/SAVPF", "RTP/SAVPF", "TCP/DTLS/RTP/SAVPF"):
        raise bad_sdp(f"the {media.kind} line does not speak DTLS-SRTP")
    return Line(
        kind=media.kind,
        mid=mid,
        profile=media.profile,
        direction=media.direction or "sendrecv",
        codecs=_codecs(media),
        extensions=tuple(_extensions(raw)),
        ssrcs=frozenset(x.ssrc for x in media.ssrc if 0 < x.ssrc < 1 << 32),
    )


def _codecs(media: Any) -> tuple[Codec, ...]:
    """Return the codecs that pass, each under its first usable payload type.

    The m-line gives the order (RFC 3264 section 5.1), not the lines that describe its numbers.
    """
    found: dict[str, Codec] = {}
    rank = {int(number): index for index, number in enumerate(media.fmt)}
    known = [x for x in media.rtp.codecs if x.payloadType in rank]
    for offered in sorted(known, key=lambda x: rank[x.payloadType]):
        key = (media.kind, offered.mimeType.lower(), offered.clockRate, offered.channels)
        name = NAMES.get(key)
        if name is None or name in found or not _usable(offered.payloadType, media):
            continue
        profile = h264_profile(offered.parameters) if name == H264 else ""
        if profile is not None:
            found[name] = _codec(media, name, offered, profile)
    if RED in found and not _carries(found, media):
        del found[RED]
    if REQUIRED[media.kind] not in found:
        raise bad_sdp("the offer has no Opus" if media.kind == "audio" else "the offer has no VP8")
    return tuple(found.values())


def _carries(found: Mapping[str, Codec], media: Any) -> bool:
    """Tell whether the RED of the offer is of its Opus: `fmtp:63 111/111`."""
    carried = str(found[OPUS].payload_type) if OPUS in found else ""
    red = next(x for x in media.rtp.codecs if x.payloadType == found[RED].payload_type)
    told = {number for text in red.parameters for number in str(text).split("/")}
    return told == {carried}


def _codec(media: Any, name: str, offered: Any, profile: str) -> Codec:
    feedback = frozenset(
        f"{x.type} {x.parameter}" if x.parameter else x.type for x in offered.rtcpFeedback
    )
    number = int(offered.payloadType)
    return Codec(name, number, _rtx_type(media, number), feedback, profile)


def _usable(payload_type: int, media: Any) -> bool:
    """Tell whether a payload type can stand beside RTCP on one port (RFC 5761 section 4)."""
    return 96 <= payload_type <= 127 or (35 <= payload_type <= 63 and payload_type in media.fmt)


def _rtx_type(media: Any, payload_type: int) -> int | None:
    for codec in media.rtp.codecs:
        if codec.mimeType.lower() == "video/rtx" and codec.parameters.get("apt") == payload_type:
            return int(codec.payloadType) if _usable(codec.payloadType, media) else None
    return None


def _extensions(raw: Sequence[str]) -> Iterator[Extension]:
    """Give the known extensions; ids beyond 14 need the two-byte form, which we do not offer."""
    ids: set[int] = set()
    for text in raw:
        match = _EXTMAP.match(text)
        if match is None:
            continue
        number, direction, uri = int(match[1]), match[2], match[3]
        if uri in ACCEPTED and 1 <= number <= 14 and number not in ids:
            ids.add(number)
            yield Extension(number, uri, direction)


def _fingerprints(media: Any) -> tuple[tuple[str, bytes], ...]:
    if media.dtls is None or media.dtls.role not in ("auto", "client"):
        raise bad_sdp("the offer does not let the browser be the DTLS client")
    found = []
    for item in media.dtls.fingerprints:
        name = item.algorithm.lower()
        if name in _HASHES:
            digest = bytes.fromhex(item.value.replace(":", ""))
            if len(digest) != _HASHES[name]:
                raise bad_sdp("a certificate fingerprint has the wrong length")
            found.append((name, digest))
    if not found or len(found) > 8:
        raise bad_sdp("the offer has no certificate fingerprint of SHA-256 or better")
    return tuple(sorted(set(found)))
