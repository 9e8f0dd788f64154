"""The nouns of PROTOCOL.md section 1 as JSON-ready values. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from chat.message import Message
from files.entry import FileEntry
from security.people import Municipality
from server.calls.call import Call, Party, State

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Names:
    """What ids of a call are called on screen."""

    office: str
    tablet: str
    clerk: str
    desk: str | None


def time_view(at: datetime | None) -> str | None:
    """Return RFC 3339 in UTC with milliseconds."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def call_view(call: Call, names: Names, *, resume_seconds: float) -> Json:
    """Return the noun "call"."""
    return {
        "id": call.id,
        "number": call.number,
        "training": call.training,
        "state": call.state.value,
        "procedure": call.procedure,
        "office": {"id": call.office_id, "name": names.office},
        "tablet": {"id": call.tablet_id, "name": names.tablet},
        "clerk": {"name": names.clerk},
        "desk": {"name": names.desk} if names.desk is not None else None,
        "placed_at": time_view(call.placed_at),
        "ringing_since": time_view(call.ringing_since),
        "answered_at": time_view(call.answered_at),
        "closed_at": time_view(call.closed_at),
        "interrupted": _interrupted_view(call, resume_seconds),
        "veiled": call.veiled,
        "outcome": call.outcome.value if call.outcome else None,
        "reason": call.reason,
        "version": call.version,
        "parties": {"counter": _party_view(call.counter), "desk": _party_view(call.desk)},
    }


def _interrupted_view(call: Call, resume_seconds: float) -> Json | None:
    if call.state is not State.INTERRUPTED or not call.lost_since:
        return None
    since = min(call.lost_since.values())
    return {
        "since": time_view(since),
        "gives_up_at": time_view(since + timedelta(seconds=resume_seconds)),
        "lost": sorted(party.value for party in call.lost_since),
    }


def _party_view(party: Party) -> Json:
    return {
        "present": party.present,
        "camera": party.camera.value,
        "microphone": party.microphone.value,
    }


def message_view(message: Message, name: str) -> Json:
    """Return the noun "chat message"."""
    return {
        "number": message.number,
        "id": message.client_id,
        "from": message.party,
        "name": name,
        "text": message.text,
        "at": time_view(message.at),
    }


def file_view(entry: FileEntry, received_bytes: int) -> Json:
    """Return the noun "file"."""
    return {
        "id": entry.id,
        "from": entry.party,
        "name": entry.name,
        "type": entry.media_type,
        "size_bytes": entry.size_bytes,
        "received_bytes": received_bytes,
        "state": entry.state.value,
        "sha256_sent": entry.sha256_sent,
        "sha256_offered": entry.sha256_offered,
        "offered_bytes": entry.offered_bytes,
        "reason": entry.reason,
        "at": time_view(entry.at),
    }


def position_view(
    *,
    ahead: int,
    wait_seconds: int | None,
    desks_open: int,
    offered_to: str | None,
    municipality: Municipality,
) -> Json:
    """Return the noun "position"."""
    notice = {"hours": municipality.hours, "telephone": municipality.telephone}
    return {
        "ahead": ahead,
        "wait_seconds": wait_seconds,
        "desks_open": desks_open,
        "offered_to": offered_to,
        "closed_notice": notice if desks_open == 0 else None,
    }
