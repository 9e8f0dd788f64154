"""What Chromium's devices give: a figure that moves across a room, and a tone."""

import wave
from pathlib import Path

import cv2
import numpy as np

WIDTH_PX, HEIGHT_PX = 1280, 720
FRAMES = 30
QUALITY = 80
TONE_HZ, TONE_SECONDS, RATE_HZ, LOUDNESS = 400, 2, 48_000, 8_000


def write_film(path: Path) -> Path:
    """Write `FRAMES` JPEGs one after another, which Chromium plays in a circle; return the path."""
    parts = [_jpeg(turn) for turn in range(FRAMES)]
    path.write_bytes(b"".join(parts))
    return path


def _jpeg(turn: int) -> bytes:
    picture = np.full((HEIGHT_PX, WIDTH_PX, 3), (236, 230, 222), np.uint8)
    x = 120 + turn * (WIDTH_PX - 240) // FRAMES
    cv2.ellipse(picture, (x, 620), (130, 260), 0, 180, 360, (120, 84, 52), -1)
    cv2.circle(picture, (x, 300), 90, (150, 180, 220), -1)
    cv2.rectangle(picture, (x - 60, 520), (x + 60, 600), (250, 250, 250), -1)
    cv2.putText(picture, f"{turn:02d}", (40, 90), cv2.FONT_HERSHEY_SIMPLEX, 2.5, (0, 0, 0), 5)
    encoded, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not encoded:
        raise RuntimeError("OpenCV could not write a JPEG")
    return bytes(jpeg)


def write_tone(path: Path) -> Path:
    """Write a steady tone, which Chromium plays in a circle; return the path."""
    at = np.arange(TONE_SECONDS * RATE_HZ) / RATE_HZ
    samples = (LOUDNESS * np.sin(2 * np.pi * TONE_HZ * at)).astype("<i2")
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE_HZ)
        sound.writeframes(samples.tobytes())
    return path
