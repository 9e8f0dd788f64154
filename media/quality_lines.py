"""From what the engine counts and a page reports to the lines of one party. Pure."""

from dataclasses import dataclass, replace

from media.quality import Cause, Level, Line, Place, Verdict, judge, worst
from media.settings import PartyStats

EMPTY = Line()
SHOWN = frozenset({Cause.COARSE, Cause.SLOW, Cause.FROZEN})


@dataclass(frozen=True, slots=True)
class Received:
    """What a page says of what it gets, since its last report; None where it cannot say."""

    fps: float | None = None
    width: int | None = None
    height: int | None = None
    loss: float | None = None
    jitter_ms: int | None = None
    freezes: int | None = None
    frozen_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """What a page says of the picture that it sends; `limited_by` is its encoder's word."""

    fps: float | None = None
    width: int | None = None
    height: int | None = None
    limited_by: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What a page says of its own connection over `seconds`. Never taken for another party's."""

    seconds: float
    rtt_ms: int | None = None
    received: Received = Received()
    sent: Sent = Sent()


@dataclass(frozen=True, slots=True)
class Lines:
    """Both directions of one party, seen from the party."""

    sends: Line = EMPTY
    receives: Line = EMPTY


def lines_of(
    before: PartyStats | None, now: PartyStats, report: Report | None, seconds: float
) -> Lines:
    """Return what happened in `seconds` between two looks; the engine's word goes first.

    It counts the frames that a party sends and reads their size; before it can, the page says it.
    What a party is shown, only its page knows, and so what stayed lost there after repair.
    """
    report = report or Report(seconds)
    held = before is not None and before.up and now.up
    since = (
        before if before is not None and before.packets_received <= now.packets_received else now
    )
    rtt_ms = _ms(now.rtt_seconds)
    rtt_ms = report.rtt_ms if rtt_ms is None else rtt_ms
    return Lines(
        _sends(since, now, report.sent, rtt_ms, seconds, held=held),
        _receives(since, now, report, rtt_ms, seconds),
    )


def _sends(
    since: PartyStats,
    now: PartyStats,
    sent: Sent,
    rtt_ms: int | None,
    seconds: float,
    *,
    held: bool,
) -> Line:
    """Return what came; all is lost when its page sends pictures and nothing comes."""
    packets = now.packets_received - since.packets_received
    lost = max(0, now.lost - since.lost)
    heard = packets > 0
    return Line(
        rtt_ms=rtt_ms if heard else None,
        jitter_ms=_ms(now.jitter_seconds) if heard else None,
        loss=lost / (packets + lost) if heard else 1.0 if held and sent.fps else None,
        kbps=_kbps(now.bytes_received - since.bytes_received, seconds) if heard else None,
        fps=round((now.frames - since.frames) / seconds, 1) if heard and now.frames else sent.fps,
        width=(now.width if heard else None) or sent.width,
        height=(now.height if heard else None) or sent.height,
        repaired=max(0, now.repaired - since.repaired),
        packets=packets,
        lost=lost,
        limited_by=sent.limited_by,
    )


def _receives(
    since: PartyStats, now: PartyStats, report: Report, rtt_ms: int | None, seconds: float
) -> Line:
    got = report.received
    packets = max(0, now.packets_forwarded - since.packets_forwarded)
    loss = now.loss_fraction if got.loss is None else got.loss
    frozen = None if got.frozen_ms is None else got.frozen_ms / 1000 / report.seconds
    return Line(
        rtt_ms=rtt_ms if packets else None,
        jitter_ms=got.jitter_ms,
        loss=loss if packets else None,
        kbps=_kbps(now.bytes_forwarded - since.bytes_forwarded, seconds) if packets else None,
        fps=got.fps,
        width=got.width,
        height=got.height,
        frozen=None if frozen is None else min(1.0, frozen),
        freezes=got.freezes,
        repaired=max(0, now.resent - since.resent),
        packets=packets,
        lost=round((loss or 0) * packets),
        paused=now.paused,
    )


def _ms(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)


def _kbps(count_bytes: int, seconds: float) -> int | None:
    return round(max(0, count_bytes) * 8 / 1000 / seconds) if seconds > 0 else None


def verdict_of(counter: Lines, desk: Lines) -> Verdict:
    """Return what is worst of a call's four lines, blaming the line in which it begins.

    Pictures count on the way to the desk alone: what must be seen well is seen there.
    """
    sent = judge(counter.sends, Place.COUNTER)
    shown = _blame(judge(desk.receives, Place.DESK), sent)
    heard = judge(_voice(counter.receives), Place.COUNTER)
    spoken = judge(_voice(desk.sends), Place.DESK)
    return worst((sent, shown, heard, spoken))


def own_verdict(own: Lines, place: Place) -> Verdict:
    """Return what is worst of one party's own connection, pictures aside."""
    return worst((judge(_voice(own.sends), place), judge(_voice(own.receives), place)))


def _voice(line: Line) -> Line:
    return replace(line, fps=None, width=None, height=None, frozen=None)


def _blame(shown: Verdict, sent: Verdict) -> Verdict:
    """What is shown badly because it is sent badly begins where it is sent."""
    if shown.cause in SHOWN and sent.level in (Level.FAIR, Level.POOR):
        return Verdict(shown.level, sent.cause, sent.place)
    return shown
