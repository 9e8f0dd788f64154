"""The packet path as the rest of the engine sees it. Two implementations keep these rules.

RTP is taken, rewritten and sent inside; no packet crosses this interface one by one. The rest says
what goes where by handles (small integers that the path gives out) and plain values, and reads on
its tick what came of it. Every method is called on the event loop's thread and returns at once; an
implementation may run a thread of its own. A handle that is gone raises `LookupError`.

Handles: a *leg* is one party's connection, a *source* what comes in on one line of a party, a
*sink* the stream in which one leg is sent one source, a *tap* a copy for a recorder or meter.
`NOBODY` stands for none. Times are seconds of the monotonic clock that the path was made with;
a path with a thread reads that clock's distance to its own whenever `tick` is called.

In
 1. The first byte decides (RFC 7983). 0-3 (STUN) comes out, whoever sent it, when it is a check
    addressed to a user name that is expected (`expect_checks`). 20-63 (DTLS) and RTCP (128-191 with
    a second byte of 192-223) come out when their address is allowed, RTP from an allowed address is
    taken, all else is dropped unseen. What comes out is unchanged, and comes after all that arrived
    before it has been sent on.
 2. RTP shorter than 12 or longer than `MAX_RTP_BYTES` is dropped.
 3. A leg takes 16 SSRCs in its life: one counts once a packet of it has authenticated, and a
    packet of a further one is dropped before it costs anything.
 4. What does not authenticate, or comes a second time, counts as `refused` and does nothing else.
 5. Follow the media: a packet that authenticates makes its address the one in use (rule 22), and
    its time the leg's `heard_at`.
 6. The payload type says the route. Without a route, or with a CSRC list or header extension
    beyond its end, a packet is dropped. What remains counts as received.
 7. Header extensions, one-byte and two-byte form: a `Route.table` of 16 bytes says which ids go on
    (their own number) and which end here (0: overwritten by zeros, which are padding). An element
    that reaches beyond the header, and what follows it, is zeros too; so is a header of another
    form, in the one-byte form an element of id 15 with what follows it, in the two-byte form each
    id above 15. Extensions `cc` and `stamp` end here unless they hold two and three bytes; `cc`
    and `mid` always end here in the two-byte form; of each of the three the first that does not
    counts, and further ones are zeros. The first value of `cc` is kept with the time, up to 400 of
    them, until the sender is told (rule 31); this comes before rule 8.
 8. A retransmission (`Route.repairs` is the payload type it carries) is unwrapped without its
    padding; with under three bytes left, and when its number is not missing (rule 11), it is
    dropped: browsers probe with copies of real packets.
 9. A source has one SSRC at a time. One that was not announced, where any was, is dropped; another
    one takes over when the present one has been silent for 500 ms, as if replaced (rule 13).
10. Each number of a source is used once. Ahead by up to 3,000 it is new, behind by under 1,024 and
    not here yet it is late; one that came before is dropped. Anything else is a stray and dropped;
    two strays in a row whose numbers follow one another are a jump: the counts begin anew and the
    source is interrupted.
11. Numbers skipped by a new packet are missing until they come, a newer keyframe begins, the source
    is interrupted or 1.5 s have gone; only of an open, repairable source. If they would become more
    than 192, all are forgotten and a keyframe is wanted.
12. A closed source counts its packets (rules 5 to 10) and keeps nothing of them.
13. Interrupted (closed or opened, replaced, jumped): the cache is overwritten, nothing is missing,
    each sink has to attach anew; pictures want a keyframe. Replaced also forgets the SSRC, begins
    the counts anew, and its timestamps are on another clock.
14. A keyframe begins: VP8, with the first packet of partition 0 whose P bit is 0; H.264, with a
    packet that holds an SPS (alone or in STAP-A) or the beginning of an IDR slice (alone, in
    STAP-A, first FU-A), if the one before had another timestamp. It fulfils the wish for
    one. With VP8 and SPS, what is missing before it is forgotten.
15. The newest packets are kept: a power of two, from 128 to 512 of pictures and 16 to 64 of sound,
    that holds what came in the repair window lately; longer ones than 1,504 bytes are not. The
    first copy of a number wins for good.

Out
16. A sink is sent to while its leg has keys and the address in use may be sent to (rule 22).
17. Attaching: sound with any new packet; pictures with the beginning of a keyframe; or, at the next
    packet, from the cache, when all packets since that beginning are there, at most 96 and none
    older than a second. Otherwise a keyframe is wanted. Late packets from before are not sent.
18. Numbers go on: the first packet of an attachment gets the number after the last sent. Its
    timestamp goes on by the meaning it had when the source was not replaced, else by the time gone
    (at least 1). Within an attachment both are shifted by a fixed amount, but for rule 20.
19. The same for the VP8 picture id (7 or 15 bits, as it comes) and TL0PICIDX, each following the
    last one sent.
20. Frames left out (`Flow`): a frame is sent whole or not at all. Numbers and picture ids close up,
    and each later packet is shifted by one more for each packet left out before it. ALL:
    none. BASE: those that no other needs (VP8: TID above 0, or N without layers; H.264:
    nal_ref_idc 0). KEYS: all but keyframes that began with a new packet, judged by timestamp.
    NONE: all; the sink attaches anew when that ends, as after KEYS. A change waits for a new packet
    with another timestamp; from BASE to ALL for one from which all layers can be decoded (VP8: Y
    bit above the base, or no layers). Sound knows ALL and NONE, and takes BASE and KEYS for ALL.
21. Header: the sink's payload type and SSRC; ids by its table (from the source's to the
    listener's; empty: the same); with `stamps`, the three bytes of the source's abs-send-time
    become the time of sending (6.18 fixed point); with `numbers`, the two of its transport-wide
    number become the leg's own next one, kept for `take_sent` with time and size of the datagram
    until 2,048 further ones have left, and without, the element becomes zeros; a mid becomes the
    listener's if it fits, the rest being zeros, and zeros entirely if not.
22. A leg has at most 8 addresses, each with the time until which it may be sent to. `use` chooses
    one; rule 5 does too. Of two legs, the last to be allowed an address has it.
23. What the socket does not take is lost, and its number used up. `packets` and `octets` (payload)
    of a sink count every one that was sealed and taken, repetitions excepted.
24. `resend`: from the cache while attached, in a retransmission where agreed (RFC 4588, its own
    number, stamp and transport-wide number), else bit for bit; not at all without retransmission
    if `stamps` or `numbers`.

Seals
25. No number of a sink seals two plaintexts: rules 10, 15, 18, 20 and 24 together. What is sealed
    keeps its mapping while attached: a change of what is agreed makes the sink attach anew.
26. The path has sessions of its own made from the keys. It alone opens RTP, and alone seals what
    leaves, RTP and RTCP: nobody else has a session that seals.
27. Nothing more than 1,024 back is sealed again (rule 15: libsrtp refuses it).
28. Taps (recorders and meters; so far only tests take any) see what a source passes on while it is
    open, unsealed, with the source's own numbers. Each holds a bounded number of bytes; what does
    not fit is lost to that tap alone, and counted.

Late
29. RTP that waited too long to be read is left out unopened and counted (`stale`): pictures from
    100 ms on, and then whole frames up to the next keyframe, which is wanted; sound from 400 ms on
    (media/overload.py). It is enough to look at the age now and then while datagrams queue. What
    was left out so is never missing (rule 11). All else is always taken, so is what comes under an
    SSRC of which nothing has authenticated: it may be anybody's.

RTCP
30. `send_control` seals and sends while rule 16 allows it. What comes is not the path's (rule 1).
31. A leg that is to `tell_arrivals` tells its sender when what carries transport-wide numbers
    arrived: with the next such packet from 100 ms after the last time on, on the tick from 150 ms
    on. The feedback is that of media/transport_cc.py, about the SSRC of the leg's pictures, else
    of its sound; it waits for one.

Measure
32. A leg brings at most `MEASURE_BYTES` a second, and as many at once, a packet counting for its
    bytes and `PACKET_COST_BYTES` more: 1,000 large ones, 3,000 small ones. What authenticates is
    counted, what is beyond is dropped unopened and counted (`excess`).

Sound on lossy lines
33. RED (RFC 2198): a packet of a route that `carries` another payload type is the plain one in it;
    with nothing of that type, or lengths beyond its end, it is dropped. The newest packet that it
    tells again is the one of the number before: it is passed on first if it is missing, or new by
    less than 3,000, and counts as repaired.
34. `set_twice`: with each new packet of sound the one before is sent again, with each late one that
    one itself, as rule 24 allows and bit for bit.
"""

from collections.abc import Callable, Sequence, Set
from socket import socket
from struct import Struct
from typing import NamedTuple, Protocol

from media.ice import Address

NOBODY = -1
MAX_RTP_BYTES = 1888
MAX_RTCP_BYTES = 1500
MAX_SSRCS = 16
MAX_ARRIVALS = 400
MAX_SENT = 2048
TELL_SECONDS, TELL_LATE_SECONDS = 0.1, 0.15
MAX_NAME_BYTES = 31
MEASURE_BYTES, PACKET_COST_BYTES = 1_700_000, 400  # four times the pictures of 2.5 Mbit/s
TAKEOVER_SECONDS = 0.5
MAX_BURST = 96
BURST_SECONDS = 1.0
MIN_WINDOW_SECONDS, MAX_WINDOW_SECONDS = 0.2, 1.0
STREAM = "tcp"  # the last item of the address of a TCP connection: (host, port, 0, 0, STREAM)
TAP_HEAD = Struct("<dH")  # before each packet of a tap: time, bytes


class Codec:
    """What a source carries; configuration, as no packet says it."""

    OPUS, VP8, H264 = range(3)
    CLOCK_RATES = (48000, 90000, 90000)


class Flow:
    """Which frames a sink is sent (rule 20). Nothing in the engine asks for KEYS so far."""

    ALL, BASE, KEYS, NONE = range(4)


class Route(NamedTuple):
    """Where packets of one payload type of a leg go (rules 6 to 8).

    `table` has 16 entries; `cc`, `stamp` and `mid` are the source's ids of the transport-wide
    number, abs-send-time and mid, 0 for none. `repairs` is the payload type that a retransmission
    carries, `NOBODY` for other packets; `carries` the one that RED does (rule 33), 0 for others.
    """

    payload_type: int
    source: int
    table: bytes
    cc: int
    stamp: int
    mid: int
    repairs: int
    carries: int = 0


class Seeds(NamedTuple):
    """The numbers with which a sink begins. `first_seq` is below 0x8000 (RFC 3711 section 3.3.1).

    `rtx_ssrc` is 0 where there is none.
    """

    ssrc: int
    rtx_ssrc: int
    first_seq: int
    first_time: int
    first_rtx_seq: int


class Agreed(NamedTuple):
    """What a listener negotiated for a sink (rule 21). `rtx_type` is `NOBODY` without RTX.

    `table` is empty where the source's ids are the listener's. Without RTX, `stamps` and `numbers`
    give up repetition: a packet sent again must be the very same.
    """

    payload_type: int
    rtx_type: int
    table: bytes
    stamps: bool
    numbers: bool
    mid: bytes


class LegState(NamedTuple):
    """How a leg does. `address` is the one in use; `heard_from` the last to authenticate by RTP."""

    heard_at: float
    heard_from: Address | None
    address: Address | None
    packets_received: int
    bytes_received: int
    packets_forwarded: int
    bytes_forwarded: int
    refused: int


class SourceState(NamedTuple):
    """What a source brought. `ssrc` is `NOBODY` before its first packet.

    `highest` is extended by wraps, -1 before the first packet; `expected` and `received` count
    since the SSRC began or jumped, `lost_before` what was lost before that. `jitter` is in
    timestamp units. `octets` are those of whole RTP packets, `frames` counts new timestamps,
    `repaired` retransmissions that were of use, `keyframes` their beginnings while open; `wanted`
    tells that one is wished for since. `width` and `height` are those of the last keyframe (H.264:
    SPS), 0 if unknown. `heard_at` is 0.0 before the first packet since it was replaced.
    """

    ssrc: int
    highest: int
    expected: int
    received: int
    lost_before: int
    jitter: float
    heard_at: float
    missing: int
    octets: int
    frames: int
    repaired: int
    keyframes: int
    wanted: bool
    width: int
    height: int


class SinkState(NamedTuple):
    """What was sent by a sink. `frames_left_out` counts rule 20, `resent` rule 24."""

    attached: bool
    packets: int
    octets: int
    resent: int
    frames_left_out: int


class PathCounts(NamedTuple):
    """What a path did not carry: totals.

    `stale` packets were left out for their age (rule 29), `excess` were more than their leg may
    bring (rule 32), `unsent` the socket did not take (rule 23); `unheard` messages for the rest
    found no room or were more than whoever sent them may say.
    """

    stale: int = 0
    excess: int = 0
    unsent: int = 0
    unheard: int = 0


# Told of each datagram that is not for the path: bytes, where from, when. May not raise.
Outsider = Callable[[bytes, Address, float], None]
# Sends one datagram to a TCP connection and tells whether it was taken.
StreamSend = Callable[[memoryview, Address], bool]


class PacketPath(Protocol):
    """Forwards RTP between legs; see the rules above. Made with (clock, outsider, stream_send)."""

    name: str  # "python" or "native", as in the settings

    # --- life

    def start(self, udp: socket) -> None:
        """Read `udp` (bound, non-blocking) from now on; send on it. Needs a running event loop."""

    def stop(self) -> None:
        """Read and send no more; free everything. The socket stays open for its owner to close."""

    def feed(self, data: bytes, address: Address) -> None:
        """Take one datagram that came over a TCP connection, as if the socket had brought it."""

    def tick(self, now: float) -> None:
        """Do what is due about every 20 ms: clocks, sizes of caches (rule 15)."""

    def expect_checks(self, ufrag: str) -> None:
        """Let checks addressed to `ufrag` (at most 31 characters of ASCII) come out (rule 1)."""

    def ignore_checks(self, ufrag: str) -> None:
        """Let them come out no more."""

    def recall(self, ssrcs: Set[int]) -> None:
        """Give up media of these SSRCs that has not been given to `stream_send` yet."""

    def counts(self) -> PathCounts:
        """Return what was not carried so far."""

    def needy(self) -> list[int]:
        """Return the sources that miss numbers or want a keyframe."""

    def moved(self) -> list[int]:
        """Return the legs that rule 5 moved to another address since the last call."""

    # --- legs

    def add_leg(self) -> int:
        """Return a leg without keys, addresses and routes."""

    def remove_leg(self, leg: int) -> None:
        """Forget the leg with its sinks and addresses; its sources stay."""

    def set_keys(self, leg: int, profile: int, inbound: bytes, outbound: bytes) -> None:
        """Let media of the leg pass. `profile` is libsrtp's number, keys are key then salt."""

    def clear_keys(self, leg: int) -> None:
        """Neither take nor send media any more."""

    def allow(self, leg: int, address: Address, until: float) -> None:
        """Take media from `address`, and send there until `until` when it is in use.

        The first address of a leg is in use at once. Again for a known one: a new `until`.
        """

    def forbid(self, leg: int, address: Address) -> None:
        """Forget an address of the leg; nothing happens when it has become another leg's."""

    def use(self, leg: int, address: Address) -> None:
        """Send to `address`, which is allowed, from now on."""

    def set_routes(self, leg: int, routes: Sequence[Route]) -> None:
        """Put these routes in place of the leg's."""

    def leg_state(self, leg: int) -> LegState:
        """Return how the leg does."""

    def send_control(self, leg: int, packet: bytes) -> bool:
        """Seal the RTCP `packet` (8 to 1,500 bytes) and send it; tell whether it went."""

    def tell_arrivals(self, leg: int, ssrc: int) -> None:
        """Tell the sender from now on when its packets arrived, as `ssrc` (rule 31)."""

    def take_sent(self, leg: int, first: int, count: int) -> list[tuple[int, float, int]]:
        """Return (number, time, bytes of the datagram) of `count` numbers from `first` on.

        Those of the last 2,048 that were sent, each once.
        """

    # --- sources

    def add_source(self, codec: int) -> int:
        """Return a closed source that expects any SSRC."""

    def remove_source(self, source: int) -> None:
        """Forget the source with its taps; its sinks listen to nobody, its routes lead nowhere."""

    def set_codec(self, source: int, codec: int) -> None:
        """Take packets for another codec of the same kind; a change interrupts the source."""

    def expect(self, source: int, announced: Sequence[int], *, repairable: bool) -> None:
        """Accept these SSRCs only (at most 16), or any when there are none (rules 9 and 11)."""

    def replace(self, source: int) -> None:
        """Note that its connection is gone and another one may follow (rule 13)."""

    def set_open(self, source: int, *, is_open: bool) -> None:
        """Let packets through or not: gate and veil. Once this returns, nothing older leaves.

        But for what waits for TCP connections: see `recall`.
        """

    def set_window(self, source: int, seconds: float) -> None:
        """Size the cache for repairs within `seconds`, kept within 0.2 and 1.0 (rule 15)."""

    def want_keyframe(self, source: int) -> None:
        """Note a wish that lasts until a keyframe begins."""

    def source_state(self, source: int) -> SourceState:
        """Return what the source brought."""

    def source_octets(self, source: int) -> int:
        """Return `octets` of its state alone."""

    def missing(self, source: int) -> list[tuple[int, float]]:
        """Return (number, time noticed) of what is missing, oldest first."""

    # --- sinks

    def add_sink(self, leg: int, codec: int, seeds: Seeds) -> int:
        """Return a stream towards the leg that listens to nobody."""

    def remove_sink(self, sink: int) -> None:
        """End the stream. Its SSRC may not be used again under the same keys."""

    def agree(self, sink: int, agreed: Agreed) -> None:
        """Take what the listener negotiated; a change makes it attach anew."""

    def listen(self, sink: int, source: int) -> None:
        """Send what `source` brings, or nothing (`NOBODY`): the listener's own gate."""

    def set_flow(self, sink: int, flow: int) -> None:
        """Say which frames are sent, from the next frame on."""

    def set_twice(self, sink: int, *, on: bool) -> None:
        """Send each packet of sound twice from now on (rule 34), or once; pictures never are."""

    def resend(self, sink: int, seqs: Sequence[int], limit: int) -> int:
        """Send packets of the sink again, at most `limit`; return how many."""

    def sink_state(self, sink: int) -> SinkState:
        """Return what was sent."""

    def time_out(self, sink: int, time: int) -> int:
        """Return the sink's timestamp for its source's, `NOBODY` while not attached."""

    # --- taps

    def add_tap(self, source: int, size: int) -> int:
        """Return a tap that holds up to `size` bytes of the source."""

    def read_tap(self, tap: int) -> tuple[bytes, int]:
        """Return what came, each packet after a `TAP_HEAD`, and how many packets were lost."""

    def remove_tap(self, tap: int) -> None:
        """End the tap."""
