"""What the engine is told and what it tells: settings, events, statistics."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class MediaSettings:
    """Where the one UDP socket stands, and the one for connections beside it.

    `host` is the address to bind (IPv4, or IPv6 for both), `port` 0 takes a free one, `announce`
    are the addresses that browsers are told, the preferred one first. `max_calls` is how many calls
    may go on at once, None for what the packet path is known to carry (media/capacity.py).
    `packet_path` is "python", "native" or "auto": the native one where it was built.
    With `tcp` the same port number takes connections, for networks without UDP.
    """

    host: str
    port: int
    announce: tuple[str, ...]
    max_calls: int | None = None
    packet_path: str = "auto"
    tcp: bool = True


class MediaEvents(Protocol):
    """Told on the event loop; may not raise and may not take long."""

    def media_up(self, call_id: str, party: str) -> None:
        """`party`'s connection is encrypted and carries media."""

    def media_lost(self, call_id: str, party: str) -> None:
        """`party` said goodbye, has not been heard for 30 s or did not connect within 30 s."""

    def path_taken(self, call_id: str, party: str, host: str) -> None:
        """`party`'s sound and pictures come from and go to the address `host` from now on.

        Told when the first path is there and whenever another one is taken, over UDP or TCP.
        """

    def offer_wanted(self, call_id: str, party: str, reason: str, places: int = 1) -> None:
        """`party` should offer again; `reason` is one of `please-offer` in PROTOCOL.md section 4.

        `new_connection`: its connection went down with the node that held it. `places` is how many
        other parties it needs lines of each kind for.
        """

    def shown(self, call_id: str, party: str, lines: Mapping[str, str]) -> None:
        """Whom `party` is sent on each line has changed: by mid, "" for nobody."""


@dataclass(frozen=True, slots=True)
class PartyStats:
    """How one party's connection does.

    `up` tells whether its keys stand, which a goodbye ends; packets, bytes and `lost` count since
    the party joined, summed over its connections. `packets_received` and `bytes_received` came from
    the party, `packets_forwarded` and `bytes_forwarded` were sent to it, `lost` never reached us.
    `rtt_seconds`, `loss_fraction` (0 to 1) and `remb_bps` are what the party last reported of what
    we send it (loss: of the stream that suffers most), None before that; `jitter_seconds` is ours
    of its video (RFC 3550 section 6.4.1).
    `cap_bps` is the limit last asked of its encoder, None when there is none. `repaired` counts
    packets of the party that came when asked for again, `resent` those that we sent it again,
    `refused` those that did not authenticate, `frames` its pictures, open or withheld. `width` and
    `height` are those of its last keyframe (VP8) or parameter set (H.264), None before one.
    `paused` tells that its line carries no picture, so that it is sent none (media/thinning.py).
    """

    up: bool
    packets_received: int
    bytes_received: int
    packets_forwarded: int
    bytes_forwarded: int
    lost: int
    rtt_seconds: float | None
    loss_fraction: float | None
    jitter_seconds: float | None
    remb_bps: int | None
    cap_bps: int | None
    repaired: int = 0
    resent: int = 0
    refused: int = 0
    frames: int = 0
    width: int | None = None
    height: int | None = None
    paused: bool = False
