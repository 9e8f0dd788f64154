"""Which codecs pass through, and which of them a call uses. Pure.

Pictures: VP8, which every browser must have (RFC 7742 section 5), and H.264 constrained baseline in
packetization mode 1 with room for 1280x720 at 30, which tablets make in hardware. Sound: Opus, from
whoever offers it inside RED (RFC 2198): each packet then tells the one before again (media/red.py).
Parameters are compared here: two H.264 payload types of one offer differ in nothing else.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

OPUS, VP8, H264, RED = "opus", "vp8", "h264", "red"
NAMES = {
    ("audio", "audio/opus", 48000, 2): OPUS,
    ("audio", "audio/red", 48000, 2): RED,
    ("video", "video/vp8", 90000, None): VP8,
    ("video", "video/h264", 90000, None): H264,
}
REQUIRED = {"audio": OPUS, "video": VP8}
LEVEL_3_1 = 0x1F

_PROFILE = re.compile(r"[0-9A-Fa-f]{6}")
# profile_idc, mask and value of profile_iop that mean constrained baseline (RFC 6184 section 8.1).
_CONSTRAINED_BASELINE = ((0x42, 0x4F, 0x40), (0x4D, 0x8F, 0x80), (0x58, 0xCF, 0xC0))


@dataclass(frozen=True, slots=True)
class Codec:
    """A codec under an offer's own numbers.

    `feedback` holds rtcp-fb values as written ("nack pli"), `rtx_type` is None without RTX,
    `profile` is the profile-level-id of H.264 as offered, else "".
    """

    name: str
    payload_type: int
    rtx_type: int | None
    feedback: frozenset[str]
    profile: str = ""


def h264_profile(parameters: Mapping[str, object]) -> str | None:
    """Return the profile-level-id of an H.264 payload type that we take, None of any other."""
    profile = str(parameters.get("profile-level-id", ""))
    if str(parameters.get("packetization-mode", "0")) != "1" or not _PROFILE.fullmatch(profile):
        return None
    idc, iop, level = bytes.fromhex(profile)
    constrained = any(idc == x and iop & mask == y for x, mask, y in _CONSTRAINED_BASELINE)
    return profile if constrained and level >= LEVEL_3_1 else None


def choose(offered: Iterable[tuple[str, ...]]) -> str:
    """Return the codec of a call's pictures from what its parties offer, the preferred first.

    H.264 when somebody puts it first and everybody has it, else VP8.
    """
    lists = tuple(offered)
    wanted = any(names[:1] == (H264,) for names in lists)
    return H264 if wanted and all(H264 in names for names in lists) else VP8
