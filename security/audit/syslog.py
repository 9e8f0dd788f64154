"""Entries of the audit log as syslog messages: RFC 5424, framed for TLS by RFC 5425. Pure.

A message holds the entry's canonical bytes and, as structured data, its position and link, which
are count and hash of the log's head at that entry: who keeps the messages can verify the chain
(FORMAT.md section 8).
"""

import json
import re
from dataclasses import dataclass

from security.audit.chain import Stored, time_text

FACILITY = 13  # log audit (RFC 5424 table 1)
INFORMATIONAL, WARNING = 6, 4
APP_NAME = "madoguchi"
MAX_HOSTNAME, MAX_MSGID = 255, 32
_NOT_PRINTABLE = re.compile(r"[^\x21-\x7e]")


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends: the name of this server, and the enterprise number of the structured data."""

    hostname: str
    enterprise: int


def message(sender: Sender, municipality_id: str, stored: Stored) -> bytes:
    """Return one entry as a syslog message, without its frame."""
    level = WARNING if _is_refusal(stored.entry) else INFORMATIONAL
    header = " ".join(
        (
            f"<{FACILITY * 8 + level}>1",
            time_text(stored.at),
            _name(sender.hostname, MAX_HOSTNAME),
            APP_NAME,
            "-",
            _name(stored.tag, MAX_MSGID),
        )
    )
    parameters = {
        "municipality": municipality_id,
        "position": str(stored.position),
        "link": stored.link.hex(),
        "tag": stored.tag,
    }
    said = " ".join(f'{name}="{_escaped(value)}"' for name, value in parameters.items())
    text = f"{header} [audit@{sender.enterprise} {said}] \ufeff"
    return text.encode() + stored.entry


def framed(text: bytes) -> bytes:
    """Return a message with its length before it (RFC 5425 section 4.3)."""
    return b"%d %s" % (len(text), text)


def _is_refusal(entry: bytes) -> bool:
    try:
        said = json.loads(entry)
    except ValueError:
        return False
    return isinstance(said, dict) and said.get("allowed") is False


def _name(text: str, longest: int) -> str:
    return _NOT_PRINTABLE.sub("?", text)[:longest] or "-"


def _escaped(value: str) -> str:
    return re.sub(r'(["\\\]])', r"\\\1", value)
