"""File names fit to be shown and saved. Pure."""

import re
import unicodedata

MAX_NAME_BYTES = 255
NAMELESS = "file"
_SUFFIXES = {
    "application/pdf": (".pdf",),
    "image/jpeg": (".jpg", ".jpeg"),
    "image/png": (".png",),
}
_BLANKS = re.compile(r" +")
_FORBIDDEN = str.maketrans(dict.fromkeys('<>:"|?*', "_"))


def clean_name(raw: str) -> str:
    """Return the last part of a path as a name: NFC, no controls, at most 255 bytes of UTF-8.

    Japanese stays. Control, format (direction overrides), private and unassigned characters go,
    what a common file system forbids becomes "_", an over-long name keeps its suffix,
    and a name of which nothing is left is "file".
    """
    name = re.split(r"[/\\]", raw)[-1]
    visible = "".join(
        " " if c.isspace() else c for c in name if c.isspace() or not _is_invisible(c)
    )
    name = _BLANKS.sub(" ", unicodedata.normalize("NFC", visible))
    return _shortened(name.translate(_FORBIDDEN).strip(" .")) or NAMELESS


def name_for(name: str, media_type: str) -> str:
    """Return `name` with a suffix that tells what the bytes are, added when it is not there."""
    suffixes = _SUFFIXES[media_type]
    if name.lower().endswith(suffixes):
        return name
    return _shortened(name + suffixes[0])


def _shortened(name: str) -> str:
    over = len(name.encode()) - MAX_NAME_BYTES
    if over <= 0:
        return name
    stem, dot, suffix = name.rpartition(".")
    if not dot or len(suffix.encode()) > 16:
        stem, dot, suffix = name, "", ""
    kept = stem.encode()[: MAX_NAME_BYTES - len((dot + suffix).encode())]
    return kept.decode(errors="ignore").rstrip(" .") + dot + suffix


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character).startswith("C")
