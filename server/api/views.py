"""From what the house knows to the nouns that pages are shown. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Any, cast

from chat.message import Message
from files.entry import FileEntry
from media.quality import Line, Verdict
from media.quality_lines import Lines
from media.quality_sum import Summary
from media.quality_total import total_of
from security.people import Municipality, Tablet
from security.tablet_key import Challenge
from server.api import nouns as n
from server.api.nouns import time_view
from server.calls.call import Call, Guest, Party, PartyName, State
from server.calls.machine import Limits
from server.calls.times import end_of
from server.relay import Grant

__all__ = [
    "Json",
    "Names",
    "call_view",
    "dump",
    "file_view",
    "invitation_view",
    "message_view",
    "position_view",
    "quality_view",
    "relay_view",
    "summary_views",
    "time_view",
    "total_view",
]
Json = dict[str, Any]
NOTHING: Mapping[PartyName, str | None] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Names:
    """What ids of a call are called on screen."""

    office: str
    tablet: str
    clerk: str
    desk: str | None
    guests: Mapping[str, str] = field(default_factory=dict)


def dump(noun: n.Noun) -> Json:
    """Return a noun as JSON-ready values."""
    return noun.model_dump(mode="json", by_alias=True)


def challenge_view(tablet: Tablet, challenge: Challenge) -> Json:
    """Return what a tablet is asked to sign, and as whom."""
    return {
        "challenge": challenge.value,
        "issued_at": challenge.issued_at,
        "municipality": tablet.municipality_id,
        "tablet": tablet.id,
    }


def call_view(
    call: Call, names: Names, *, limits: Limits, refused: Mapping[PartyName, str | None] = NOTHING
) -> Json:
    """Return the noun "call"; `refused` says why a party's media may not go as it does."""
    return dump(
        n.CallNoun(
            id=call.id,
            number=call.number,
            training=call.training,
            state=call.state,
            procedure=call.procedure,
            office=n.Place(id=call.office_id, name=names.office),
            tablet=n.Place(id=call.tablet_id, name=names.tablet),
            clerk=n.Named(name=names.clerk),
            desk=n.Named(name=names.desk) if names.desk is not None else None,
            placed_at=call.placed_at,
            ringing_since=call.ringing_since,
            answered_at=call.answered_at,
            closed_at=call.closed_at,
            ends_at=end.at if (end := end_of(call, limits)) else None,
            interrupted=_interruption(call, limits.resume_seconds),
            veiled=call.veiled,
            outcome=call.outcome,
            reason=call.reason,
            version=call.version,
            parties=n.Parties(
                counter=_party(call.counter, refused.get(PartyName.COUNTER)),
                desk=_party(call.desk, refused.get(PartyName.DESK)),
            ),
            guests=tuple(_guest(guest, names, refused.get(guest.party)) for guest in call.guests),
        )
    )


def _guest(guest: Guest, names: Names, path: str | None) -> n.GuestNoun:
    return n.GuestNoun(
        party=guest.party.value,
        id=guest.person_id,
        name=names.guests.get(guest.person_id, ""),
        kind=cast("n.GuestKind", guest.kind),
        joined=guest.joined_at is not None,
        present=guest.joined_at is not None and guest.lost_at is None,
        camera=guest.camera,
        microphone=guest.microphone,
        path=path,
    )


def invitation_view(call: Call, guest: Guest, names: Names) -> Json:
    """Return the noun "invitation"."""
    return dump(
        n.InvitationNoun(
            call=call.id,
            number=call.number,
            procedure=call.procedure,
            office=n.Place(id=call.office_id, name=names.office),
            tablet=n.Place(id=call.tablet_id, name=names.tablet),
            desk=n.Named(name=names.desk or ""),
            kind=cast("n.GuestKind", guest.kind),
            asked_at=guest.asked_at,
        )
    )


def _interruption(call: Call, resume_seconds: float) -> n.Interruption | None:
    if call.state is not State.INTERRUPTED or not call.lost_since:
        return None
    since = min(call.lost_since.values())
    return n.Interruption(
        since=since,
        gives_up_at=since + timedelta(seconds=resume_seconds),
        lost=tuple(cast("n.PartyWord", party.value) for party in sorted(call.lost_since)),
    )


def _party(party: Party, path: str | None) -> n.PartyNoun:
    return n.PartyNoun(
        present=party.present, camera=party.camera, microphone=party.microphone, path=path
    )


def message_view(message: Message, name: str) -> Json:
    """Return the noun "chat message"."""
    fields = {"from": message.party, "id": message.client_id, "name": name}
    return dump(
        n.MessageNoun.model_validate(
            {**fields, "number": message.number, "text": message.text, "at": message.at}
        )
    )


def file_view(entry: FileEntry, received_bytes: int, *, one_time: bool) -> Json:
    """Return the noun "file"; `one_time`: each party gets its bytes once."""
    fields = {
        "id": entry.id,
        "from": entry.party,
        "name": entry.name,
        "type": entry.media_type,
        "size_bytes": entry.size_bytes,
        "received_bytes": received_bytes,
        "state": entry.state,
        "sha256_sent": entry.sha256_sent,
        "sha256_offered": entry.sha256_offered,
        "offered_bytes": entry.offered_bytes,
        "reason": entry.reason,
        "scanned": entry.scanned,
        "still": entry.still,
        "closed_to": entry.taken_by if one_time else (),
        "at": entry.at,
    }
    return dump(n.FileNoun.model_validate(fields))


def quality_view(
    verdict: Verdict, *, abort_offered: bool, lines: Mapping[str, Lines] | None
) -> Json:
    """Return the noun "quality"."""
    noun = n.QualityNoun(
        level=verdict.level,
        cause=verdict.cause,
        place=verdict.place,
        abort_offered=abort_offered,
        lines=None if lines is None else {party: _lines(both) for party, both in lines.items()},
    )
    return dump(noun)


def _lines(both: Lines) -> n.LinesNoun:
    return n.LinesNoun(sends=_line(both.sends), receives=_line(both.receives))


def _line(line: Line) -> n.LineNoun:
    known = {name: getattr(line, name) for name in n.LineNoun.model_fields}
    if line.loss is not None:
        known["loss"] = round(line.loss, 4)
    return n.LineNoun(**known)


def summary_views(summaries: Mapping[tuple[str, str], Summary]) -> list[Json]:
    """Return the nouns "summary" of a call, by party and direction."""
    return [dump(_summary(*key, summaries[key])) for key in sorted(summaries)]


def total_view(summaries: Mapping[tuple[str, str], Summary]) -> Json | None:
    """Return the noun "total" of a call, None when nothing was measured."""
    total = total_of(summaries)
    return None if total is None else dump(n.TotalNoun.model_validate(asdict(total)))


def _summary(party: str, direction: str, kept: Summary) -> n.SummaryNoun:
    plain = {
        name: getattr(kept, name) for name in n.SummaryNoun.model_fields if hasattr(kept, name)
    }
    plain |= {
        "party": party,
        "direction": direction,
        "rtt_ms": kept.rtt_ms if kept.rtt_known else None,
        "kbps": kept.kbps if kept.kbps_known else None,
        "fps": kept.fps_tenths / 10 if kept.fps_known else None,
        "loss": None if kept.loss is None else round(kept.loss, 4),
    }
    return n.SummaryNoun.model_validate(plain)


def position_view(
    *,
    ahead: int,
    wait_seconds: int | None,
    desks_open: int,
    offered_to: str | None,
    busy: bool,
    municipality: Municipality,
) -> Json:
    """Return the noun "position"."""
    notice = n.ClosedNotice(hours=municipality.hours, telephone=municipality.telephone)
    return dump(
        n.PositionNoun(
            ahead=ahead,
            wait_seconds=wait_seconds,
            desks_open=desks_open,
            offered_to=offered_to,
            busy=busy,
            closed_notice=notice if desks_open == 0 else None,
        )
    )


def relay_view(given: Grant | None) -> Json | None:
    """Return the noun "relay", None when the page has none."""
    if given is None:
        return None
    server = n.RelayServer(urls=given.urls, username=given.username, credential=given.credential)
    return dump(n.RelayNoun(use=given.use, servers=(server,), expires_at=given.expires_at))
