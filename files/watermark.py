"""研修 TRAINING burnt into a picture that was taken in 研修モード, so that no copy is without it.

Keeps a processor busy: call it in a worker thread.
"""

import functools
import math
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

TEXT = "研修 TRAINING"
PURPLE, WHITE = (173, 9, 81), (255, 255, 255)  # BGR of the colour that means 研修モード alone
STRENGTH = 0.3  # what stands below stays legible
SLANT_DEGREES = 18
_FONT_PX, _SMALLEST_PX, _LARGEST_PX = 64, 8, 160
_LETTERS = 24  # a picture is as wide as so many letters

Pixels = npt.NDArray[Any]


def burn(pixels: Pixels) -> Pixels:
    """Return the picture in BGR with the words across all of it; `pixels` may change too.

    Purple within white, so that they show on every ground, and translucent: what lies below can
    be practised on.
    """
    if pixels.ndim == 2:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR)
    pixels = np.ascontiguousarray(pixels)
    height, width = pixels.shape[:2]
    letter_px = min(max(width // _LETTERS, _SMALLEST_PX), _LARGEST_PX)
    letters, halo = _tile(letter_px)
    for top, left in _places(height, width, *letters.shape):
        down, right = min(top + letters.shape[0], height), min(left + letters.shape[1], width)
        y, x = max(top, 0), max(left, 0)
        here = (slice(y - top, down - top), slice(x - left, right - left))
        part = pixels[y:down, x:right]
        for mask, colour in ((halo[here], WHITE), (letters[here], PURPLE)):
            share = mask[:, :, None] * np.float32(STRENGTH / 255)
            part[:] = part * (1 - share) + share * np.array(colour, np.float32)
    return pixels


def _places(height: int, width: int, tall: int, wide: int) -> Iterator[tuple[int, int]]:
    """Give the upper left corners of the words; every second row is set off by half."""
    for row, top in enumerate(range(-tall // 4, height, tall)):
        for left in range(-wide // 2 * (row % 2) - wide // 8, width, wide):
            yield top, left


@functools.lru_cache(maxsize=8)
def _tile(letter_px: int) -> tuple[Pixels, Pixels]:
    """Return where the letters are and where their rim is, slanted, 0 to 255 each."""
    face, scale = cv2.FontFace("uni"), letter_px / _FONT_PX
    line = np.zeros((2 * _FONT_PX, 10 * _FONT_PX), np.uint8)
    cv2.putText(line, TEXT, (_FONT_PX // 2, 3 * _FONT_PX // 2), (255,), face, _FONT_PX, 700)
    wide, tall = line.shape[1], math.ceil(line.shape[1] * math.sin(math.radians(SLANT_DEGREES)))
    tall += line.shape[0]
    turn = cv2.getRotationMatrix2D((wide / 2, line.shape[0] / 2), SLANT_DEGREES, 1.0)
    turn[1, 2] += (tall - line.shape[0]) / 2
    slanted = cv2.warpAffine(line, turn, (wide, tall))
    size = (max(1, round(wide * scale)), max(1, round(tall * scale)))
    letters = cv2.resize(slanted, size, interpolation=cv2.INTER_AREA)
    rim_px = max(3, letter_px // 8) | 1
    grown = cv2.dilate(letters, np.ones((rim_px, rim_px), np.uint8))
    return letters, cv2.subtract(grown, letters)
