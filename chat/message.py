"""A chat message and the rules over it. Pure."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime

from security.errors import ProtocolError, TooMuch

MAX_CHARACTERS = 2_000
MAX_MESSAGES = 1_000  # of one call
_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LINE_ENDS = re.compile(r"\r\n?")


@dataclass(frozen=True, slots=True)
class Message:
    """One line of a call's chat; `number` counts from 1 without gaps."""

    number: int
    client_id: str
    party: str
    person_id: str
    text: str
    at: datetime


def clean_text(text: str) -> str:
    """Return `text` as it will be stored: NFC, lines ended by a newline.

    Raises `TooMuch` (`too_long`) above 2,000 characters (code points, after NFC);
    `ProtocolError` for text that is blank or holds control characters other than newline
    and tab, or halves of surrogate pairs.
    """
    text = unicodedata.normalize("NFC", _LINE_ENDS.sub("\n", text))
    if len(text) > MAX_CHARACTERS:
        raise TooMuch(
            "the message is too long", limit=MAX_CHARACTERS, unit="characters", code="too_long"
        )
    if not text.strip():
        raise ProtocolError("the message is empty")
    if any(_is_refused(character) for character in text):
        raise ProtocolError("the message holds control characters")
    return text


def check_client_id(client_id: str) -> None:
    """Raise `ProtocolError` unless `client_id` has the form of PROTOCOL.md section 3."""
    if _CLIENT_ID.fullmatch(client_id) is None:
        raise ProtocolError("a message id is 1 to 64 characters of A-Z a-z 0-9 _ -")


def _is_refused(character: str) -> bool:
    return character not in "\n\t" and unicodedata.category(character) in {"Cc", "Cs"}
