"""What bytes are: a PDF, a JPEG or a PNG, or nothing that is taken. Pure.

The name a file comes with says nothing here. JPEG and PNG are rebuilt afterwards, which leaves
nothing of a second meaning; a PDF passes unchanged, so it is looked at more closely.
"""

import re

import puremagic

from security.errors import ProtocolError

PDF = "application/pdf"
JPEG = "image/jpeg"
PNG = "image/png"
MEDIA_TYPES = (PDF, JPEG, PNG)
HEAD_BYTES = 4096
# The end record of a ZIP archive stands within its last 22 + 65,535 bytes.
TAIL_BYTES = 22 + 65_535
_PDF_START = re.compile(rb"%PDF-[12]\.[0-9]")
_PDF_END = re.compile(rb"%%EOF[\s\x00]*\Z")
_STARTS = {JPEG: b"\xff\xd8\xff", PNG: b"\x89PNG\r\n\x1a\n"}
_ZIP_END = b"PK\x05\x06"
_ZIP_END_BYTES = 22


def media_type_of(head: bytes, tail: bytes) -> str:
    """Return what a file is, from its first 4,096 and last 65,557 bytes (less when it is shorter).

    Raises `ProtocolError` (`wrong_type`) when it is none of the three, or when a PDF does not
    begin at its first byte, does not end with its end mark, or is a ZIP archive as well.
    """
    if _PDF_START.match(head):
        found = PDF
    else:
        found = next((kind for kind, start in _STARTS.items() if head.startswith(start)), "")
    if not found or not _magic_agrees(head, found):
        raise ProtocolError("the file is no PDF, JPEG or PNG", code="wrong_type")
    if found == PDF and (_PDF_END.search(tail) is None or _ends_a_zip(tail)):
        raise ProtocolError("the file is not only a whole PDF", code="wrong_type")
    return found


def _magic_agrees(head: bytes, media_type: str) -> bool:
    try:
        matches = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return False
    return any(match.mime_type == media_type for match in matches)


def _ends_a_zip(tail: bytes) -> bool:
    """Tell whether an archive's end record stands in `tail` (APPNOTE.TXT section 4.3.16).

    One disk only, as every archive that a person can send; the four bytes alone would
    also be met by chance in compressed data.
    """
    at = tail.find(_ZIP_END)
    while at >= 0:
        record = tail[at : at + _ZIP_END_BYTES]
        disks, counts = record[4:8], (record[8:10], record[10:12])
        if len(record) == _ZIP_END_BYTES and disks == bytes(4) and counts[0] == counts[1]:
            return True
        at = tail.find(_ZIP_END, at + 1)
    return False
