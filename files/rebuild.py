"""Pictures made anew: decoded, turned upright, encoded again, so that only the picture is left.

Takes whole pictures in memory and keeps a processor busy: call it in a worker thread.
"""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from files.kinds import PNG
from files.picture import MAX_PIXELS, check_size
from files.watermark import burn
from security.errors import ProtocolError

JPEG_QUALITY = 92
_BAND_ROWS = 256

Pixels = npt.NDArray[Any]


def rebuild(
    data: bytes, media_type: str, *, max_pixels: int = MAX_PIXELS, training: bool = False
) -> bytes:
    """Return the same picture in the same format without metadata, upright.

    A JPEG is encoded with quality 92; a PNG without loss in 8 bits, what was transparent on white.
    Colours are taken as sRGB, since profiles are metadata. `training` burns the watermark of
    研修モード into it.

    Raises `ProtocolError` (`wrong_type`) when it cannot be decoded, `TooMuch` (`too_large`) when
    its headers claim more than `max_pixels`; nothing is decoded then.
    """
    check_size(data, media_type, max_pixels=max_pixels)
    try:
        if media_type == PNG:
            pixels = _decoded_png(data)
            return _encoded(".png", burn(pixels) if training else pixels, [])
        pixels = _decoded(data, cv2.IMREAD_ANYCOLOR)
        pixels = burn(pixels) if training else pixels
        return _encoded(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    except cv2.error:
        raise _broken() from None


def _decoded(data: bytes, flags: int) -> Pixels:
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if pixels is None:
        raise _broken()
    return pixels


def _decoded_png(data: bytes) -> Pixels:
    """Return the pixels in 8 bits, grey or BGR.

    OpenCV turns pictures upright only when it may drop their transparency, so one that has both
    transparency and EXIF is laid on white first and then decoded once more with its EXIF.
    """
    pixels, types, metadata = cv2.imdecodeWithMetadata(
        np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED
    )
    if pixels is None:
        raise _broken()
    if pixels.dtype != np.uint8:
        pixels = cv2.convertScaleAbs(pixels, alpha=1 / 257)
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        pixels = _on_white(pixels)
    turned = [m for kind, m in zip(types, metadata, strict=True) if kind == cv2.IMAGE_METADATA_EXIF]
    if not turned:
        return pixels
    _, buffer = cv2.imencodeWithMetadata(".png", pixels, [cv2.IMAGE_METADATA_EXIF], turned[:1])
    return _decoded(buffer.tobytes(), cv2.IMREAD_ANYCOLOR)


def _on_white(pixels: Pixels) -> Pixels:
    """Return BGR of BGRA laid on white, in bands so that no second whole picture is needed."""
    laid = np.empty((*pixels.shape[:2], 3), np.uint8)
    for top in range(0, pixels.shape[0], _BAND_ROWS):
        band = pixels[top : top + _BAND_ROWS].astype(np.uint16)
        colour, alpha = band[:, :, :3], band[:, :, 3:]
        laid[top : top + _BAND_ROWS] = (colour * alpha + 255 * (255 - alpha) + 127) // 255
    return laid


def _encoded(suffix: str, pixels: Pixels, parameters: list[int]) -> bytes:
    done, buffer = cv2.imencode(suffix, pixels, parameters)
    if not done:
        raise _broken()
    return buffer.tobytes()


def _broken() -> ProtocolError:
    return ProtocolError("the picture cannot be decoded", code="wrong_type")
