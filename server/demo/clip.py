"""The pictures and the tone of the simulated people: drawn here, the same at every run. Pure.

A frame is a BGR array of `HEIGHT_PX` x `WIDTH_PX` x 3; a loop lasts `FRAMES` frames and its last
frame leads back to its first. The small print is 12 to 20 px high, so that a reader sees at
once whether a picture arrives legibly.
"""

import math
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

WIDTH_PX = 1280
HEIGHT_PX = 720
FRAMES_PER_SECOND = 30
FRAMES = 120
SAMPLE_RATE_HZ = 48_000
TONE_SECONDS = 4

Picture = npt.NDArray[np.uint8]
Point = tuple[int, int]

INK = (60, 45, 40)
SKIN = (178, 205, 232)
COAT = (120, 90, 60)
CARD = (248, 244, 232)
STAMP = (60, 60, 200)
FONT = cv2.FONT_HERSHEY_SIMPLEX

CARD_PX = (440, 278)
SMALL_PRINT = (
    ("SPECIMEN - NOT A REAL DOCUMENT", 20),
    ("KAKU-SHI (FICTIONAL CITY)  CARD FOR DEMONSTRATION", 14),
    ("NAME     MIHON HYOJI", 17),
    ("BORN     1 JANUARY 2000", 17),
    ("ADDRESS  1-2-3 KAKU-CHO, NOWHERE", 14),
    ("VALID    NEVER", 14),
    ("If you can read this line, small print arrives.", 12),
)
# 見 and 本 as strokes in a unit square, since OpenCV's letters are ASCII only.
MIHON_STROKES: tuple[tuple[tuple[float, float], ...], ...] = (
    ((0.25, 0.05), (0.25, 0.60)),
    ((0.25, 0.05), (0.75, 0.05), (0.75, 0.60)),
    ((0.25, 0.23), (0.75, 0.23)),
    ((0.25, 0.41), (0.75, 0.41)),
    ((0.25, 0.60), (0.75, 0.60)),
    ((0.38, 0.60), (0.33, 0.80), (0.10, 0.97)),
    ((0.60, 0.60), (0.60, 0.93), (0.92, 0.93), (0.92, 0.78)),
    ((1.20, 0.25), (2.00, 0.25)),
    ((1.60, 0.02), (1.60, 1.00)),
    ((1.60, 0.25), (1.45, 0.55), (1.15, 0.80)),
    ((1.60, 0.25), (1.75, 0.55), (2.05, 0.80)),
    ((1.40, 0.76), (1.80, 0.76)),
)


def resident_frame(index: int) -> Picture:
    """Return frame `index` of the resident: a swaying figure that holds a card to the camera."""
    sway = math.sin(2 * math.pi * index / FRAMES)
    nod = math.sin(4 * math.pi * index / FRAMES)
    picture = _wall((226, 232, 236), (196, 206, 214)).copy()
    _figure(picture, (640 + round(30 * sway), 210 + round(6 * nod)), 1.0, blink=index % 60 < 4)
    corner = (640 - CARD_PX[0] // 2 + round(70 * sway), 395 + round(14 * nod))
    _hands(picture, corner)
    _card(picture, corner)
    _caption(picture, f"SIMULATED RESIDENT   FRAME {index:03d}")
    return picture


def desk_frame(index: int) -> Picture:
    """Return frame `index` of the desk: a figure before a blue wall, at the same size."""
    sway = math.sin(2 * math.pi * index / FRAMES)
    picture = _wall((214, 196, 176), (190, 160, 130)).copy()
    _figure(picture, (640 + round(20 * sway), 300), 1.3, blink=index % 90 < 4)
    _caption(picture, f"SIMULATED DESK   FRAME {index:03d}")
    return picture


def tone() -> npt.NDArray[np.int16]:
    """Return `TONE_SECONDS` of two soft tones as mono samples at `SAMPLE_RATE_HZ`.

    The level is about -20 dBFS, and both ends are silent so that a loop does not click.
    """
    seconds = np.arange(SAMPLE_RATE_HZ * TONE_SECONDS) / SAMPLE_RATE_HZ
    phase = seconds % 2.0
    envelope = np.clip(np.minimum(phase / 0.05, (1.2 - phase) / 0.3), 0.0, 1.0)
    pitch = np.where(seconds % 4.0 < 2.0, 523.25, 392.0)
    wave = 3_200.0 * envelope * np.sin(2 * np.pi * pitch * phase)
    return wave.astype(np.int16)


@cache
def _wall(top: tuple[int, int, int], bottom: tuple[int, int, int]) -> Picture:
    slope = np.linspace(0.0, 1.0, HEIGHT_PX)[:, None, None]
    shade = np.array(top) * (1.0 - slope) + np.array(bottom) * slope
    return np.ascontiguousarray(np.broadcast_to(shade, (HEIGHT_PX, WIDTH_PX, 3)).astype(np.uint8))


def _figure(picture: Picture, head: Point, scale: float, *, blink: bool) -> None:
    x, y = head

    def at(dx: float, dy: float) -> Point:
        return round(x + dx * scale), round(y + dy * scale)

    def size(*lengths: float) -> Point:
        return round(lengths[0] * scale), round(lengths[-1] * scale)

    cv2.ellipse(picture, at(0, 400), size(300, 270), 0, 180, 360, COAT, -1, cv2.LINE_AA)
    cv2.rectangle(picture, at(-300, 399), (at(300, 0)[0], HEIGHT_PX), COAT, -1)
    cv2.ellipse(picture, at(0, 0), size(100, 128), 0, 0, 360, SKIN, -1, cv2.LINE_AA)
    cv2.ellipse(picture, at(0, -30), size(108, 112), 0, 180, 360, INK, -1, cv2.LINE_AA)
    for side in (-38, 38):
        height = 1 if blink else 9
        cv2.ellipse(picture, at(side, 5), size(12, height), 0, 0, 360, INK, -1, cv2.LINE_AA)
    cv2.ellipse(picture, at(0, 55), size(32, 16), 0, 20, 160, (80, 80, 170), 4, cv2.LINE_AA)


def _hands(picture: Picture, corner: Point) -> None:
    x, y = corner
    for side in (x - 14, x + CARD_PX[0] + 14):
        cv2.ellipse(picture, (side, y + 170), (44, 56), 0, 0, 360, SKIN, -1, cv2.LINE_AA)


def _card(picture: Picture, corner: Point) -> None:
    x, y = corner
    end = (x + CARD_PX[0], y + CARD_PX[1])
    cv2.rectangle(picture, corner, end, CARD, -1, cv2.LINE_AA)
    cv2.rectangle(picture, corner, end, INK, 2, cv2.LINE_AA)
    base = y + 14
    for text, height_px in SMALL_PRINT:
        base += height_px + 9
        scale = height_px / 22 * 0.72
        cv2.putText(picture, text, (x + 18, base), FONT, scale, INK, 1, cv2.LINE_AA)
    _mihon(picture, (x + CARD_PX[0] - 150, y + CARD_PX[1] - 82), 62)
    cv2.putText(picture, "SPECIMEN", (x + 18, end[1] - 20), FONT, 1.3, STAMP, 3, cv2.LINE_AA)


def _mihon(picture: Picture, corner: Point, side_px: int) -> None:
    for stroke in MIHON_STROKES:
        points = [(corner[0] + u * side_px, corner[1] + v * side_px) for u, v in stroke]
        line = np.array(points, dtype=np.int32).reshape(-1, 1, 2)
        cv2.polylines(picture, [line], False, STAMP, 5, cv2.LINE_AA)


def _caption(picture: Picture, text: str) -> None:
    cv2.putText(picture, text, (24, 110), FONT, 0.8, INK, 2, cv2.LINE_AA)
