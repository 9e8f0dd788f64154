"""What a 開始前点検 has found, judged row by row. Pure.

Three grades: ○ works, △ works and had better be looked at, × no call should begin so. Each row
has a code that the page puts into words and what to do about it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

Figures = dict[str, int | float | str | None]


class Grade(StrEnum):
    """○, △ or ×, in this order."""

    GOOD = "good"
    FAIR = "fair"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that was tried. `code` is `ok` or why it is not; `figures` are measured."""

    name: str
    grade: Grade
    code: str = "ok"
    figures: Figures = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the policy asks of pictures; sides in pixels."""

    height_px: int
    frames_per_second: int


@dataclass(frozen=True, slots=True)
class Carried:
    """What the media engine saw of the tablet's loop: packets, and the picture that arrived."""

    received: int = 0
    forwarded: int = 0
    lost: int = 0
    width: int | None = None
    height: int | None = None
    rtt_ms: int | None = None
    refused: str | None = None  # the code with which the policy refuses the path


GOOD_SIDE_PX, GOOD_FPS = 720, 20
HEARD, QUIET = 0.25, 0.02  # of the length of the level bar
DARK, GLARE = 0.2, 0.08  # mean of the picture; share of it that is all white
GOOD_RTT_MS, FAIR_RTT_MS = 150, 400
GOOD_LOSS, FAIR_LOSS = 0.01, 0.05
GOOD_CHAT_MS, FAIR_CHAT_MS = 500, 2_000
GOOD_FILE_MS = 10_000
GOOD_CLOCK_MS, FAIR_CLOCK_MS = 2_000, 30_000


def camera(size: tuple[int, int] | None, fps: float | None, wanted: Wanted) -> Row:
    """Judge the picture that the camera really delivers: its shorter side, its rate."""
    if size is None:
        return Row("camera", Grade.BAD, "none")
    figures: Figures = {"width": size[0], "height": size[1], "fps": _tenth(fps)}
    if min(size) < wanted.height_px:
        return Row("camera", Grade.BAD, "small", figures)
    if fps is None or fps < wanted.frames_per_second:
        return Row("camera", Grade.BAD, "slow", figures)
    if min(size) < GOOD_SIDE_PX:
        return Row("camera", Grade.FAIR, "coarse", figures)
    if fps < GOOD_FPS:
        return Row("camera", Grade.FAIR, "sluggish", figures)
    return Row("camera", Grade.GOOD, figures=figures)


def light(mean: float | None, white: float | None) -> Row:
    """Judge how bright the picture is, and how much of it is all white: shares, 0 to 1."""
    if mean is None or white is None:
        return Row("light", Grade.FAIR, "none")
    figures: Figures = {"percent": round(mean * 100), "white_percent": round(white * 100)}
    if mean < DARK:
        return Row("light", Grade.FAIR, "dark", figures)
    if white > GLARE:
        return Row("light", Grade.FAIR, "glare", figures)
    return Row("light", Grade.GOOD, figures=figures)


def speaker(heard: bool | None) -> Row:
    """Judge what the clerk said of the tone; None when nobody answered."""
    if heard is None:
        return Row("speaker", Grade.FAIR, "none")
    return Row("speaker", Grade.GOOD) if heard else Row("speaker", Grade.BAD, "silent")


def microphone(level: float | None) -> Row:
    """Judge the loudest that was heard, 0 to 1 of the bar."""
    if level is None:
        return Row("microphone", Grade.BAD, "none")
    figures: Figures = {"percent": round(level * 100)}
    if level < QUIET:
        return Row("microphone", Grade.BAD, "silent", figures)
    if level < HEARD:
        return Row("microphone", Grade.FAIR, "quiet", figures)
    return Row("microphone", Grade.GOOD, figures=figures)


def path(protocol: str | None, *, relayed: bool, relay_wanted: bool, carried: Carried) -> Row:
    """Judge the way that sound and pictures took: UDP, TCP, over our relay."""
    if protocol is None or not (carried.received and carried.forwarded):
        return Row("path", Grade.BAD, "none")
    way = "relay" if relayed else protocol
    figures: Figures = {"way": way, "protocol": protocol}
    if carried.refused is not None:
        return Row("path", Grade.BAD, carried.refused, figures)
    if protocol == "tcp":
        return Row("path", Grade.FAIR, "tcp", figures)
    if relayed and not relay_wanted:
        return Row("path", Grade.FAIR, "relay", figures)
    return Row("path", Grade.GOOD, figures=figures)


def line(rtt_ms: int | None, loss_down: float | None, carried: Carried) -> Row:
    """Judge round trip and loss of the loop, the worse of both directions."""
    if not (carried.received and carried.forwarded):
        return Row("line", Grade.BAD, "none")
    rtt = max((x for x in (rtt_ms, carried.rtt_ms) if x is not None), default=None)
    up = carried.lost / (carried.received + carried.lost)
    loss = max(up, loss_down or 0.0)
    figures: Figures = {
        "rtt_ms": rtt,
        "loss_percent": _tenth(loss * 100),
        "width": carried.width,
        "height": carried.height,
    }
    if loss > FAIR_LOSS:
        return Row("line", Grade.BAD, "loss", figures)
    if rtt is None or rtt > FAIR_RTT_MS:
        return Row("line", Grade.BAD, "delay", figures)
    if loss > GOOD_LOSS:
        return Row("line", Grade.FAIR, "some_loss", figures)
    if rtt > GOOD_RTT_MS:
        return Row("line", Grade.FAIR, "some_delay", figures)
    return Row("line", Grade.GOOD, figures=figures)


def chat(milliseconds: int | None, *, echoed: bool) -> Row:
    """Judge the way of a message to the server and back."""
    if milliseconds is None or not echoed:
        return Row("chat", Grade.BAD, "none")
    figures: Figures = {"ms": milliseconds}
    if milliseconds > FAIR_CHAT_MS:
        return Row("chat", Grade.BAD, "delay", figures)
    if milliseconds > GOOD_CHAT_MS:
        return Row("chat", Grade.FAIR, "some_delay", figures)
    return Row("chat", Grade.GOOD, figures=figures)


def file(milliseconds: int | None, reason: str | None, *, came_back: bool, same: bool) -> Row:
    """Judge a small file that was sent, checked as any other, and taken back."""
    figures: Figures = {"ms": milliseconds}
    if reason is not None:
        return Row("file", Grade.BAD, "refused", {**figures, "reason": reason})
    if milliseconds is None or not came_back:
        return Row("file", Grade.BAD, "none", figures)
    if not same:
        return Row("file", Grade.BAD, "changed", figures)
    if milliseconds > GOOD_FILE_MS:
        return Row("file", Grade.FAIR, "some_delay", figures)
    return Row("file", Grade.GOOD, figures=figures)


def clock(difference_ms: int | None) -> Row:
    """Judge how far the tablet's clock is from ours; before it when negative."""
    if difference_ms is None:
        return Row("clock", Grade.BAD, "none")
    figures: Figures = {"seconds": _hundredth(difference_ms / 1000)}
    if abs(difference_ms) > FAIR_CLOCK_MS:
        return Row("clock", Grade.BAD, "off", figures)
    if abs(difference_ms) > GOOD_CLOCK_MS:
        return Row("clock", Grade.FAIR, "off", figures)
    return Row("clock", Grade.GOOD, figures=figures)


def media(nodes: int, *, accepting: bool) -> Row:
    """Judge whether the processes of sound and pictures are there and take a call."""
    figures: Figures = {"processes": nodes}
    if nodes == 0:
        return Row("media", Grade.BAD, "none", figures)
    if not accepting:
        return Row("media", Grade.FAIR, "busy", figures)
    return Row("media", Grade.GOOD, figures=figures)


def outcome(rows: Iterable[Row]) -> Grade:
    """Return the worst grade; nothing at all is bad."""
    found = {row.grade for row in rows}
    if not found or Grade.BAD in found:
        return Grade.BAD
    return Grade.FAIR if Grade.FAIR in found else Grade.GOOD


def passed(grade: Grade) -> bool:
    """Tell whether calls may begin after a check that came out so."""
    return grade is not Grade.BAD


def _tenth(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _hundredth(value: float) -> float:
    return round(value, 2)
