"""A fact that the municipality's own systems are told: type, subject, ids. Pure.

Types are those of the Standard Webhooks specification: dotted names. `data` holds ids, codes and
times, nothing personal; what a policy lets be added is put in when the message is sent.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from security.audit.chain import time_text
from security.ids import new_id
from server.calls.call import Call

TYPES = ("call.closed", "record.closed", "record.added", "hook.test")
MAX_DATA_BYTES = 8_000
_TYPE = re.compile(r"[a-z_]{1,24}(\.[a-z_]{1,24}){1,3}")


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happened. `subject` is the call it belongs to; facts of one are told in order.

    `id` stays the same however often it is told. Facts of 研修モード (`training`) are told only to
    whoever asked for them.
    """

    municipality_id: str
    type: str
    subject: str
    at: datetime
    data: Mapping[str, Any]
    training: bool = False
    id: str = field(default_factory=lambda: f"msg_{new_id()}")

    def __post_init__(self) -> None:
        if _TYPE.fullmatch(self.type) is None or self.type not in TYPES:
            raise ValueError(f"no type of a fact: {self.type}")
        if len(self.data_json()) > MAX_DATA_BYTES:
            raise ValueError(f"the data of a fact have at most {MAX_DATA_BYTES} bytes")

    def data_json(self) -> bytes:
        """Return `data` as compact JSON in UTF-8."""
        return compact(self.data)


def compact(value: Any) -> bytes:
    """Return a value as compact JSON in UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def payload(fact: Fact, more: Mapping[str, Any] | None = None) -> bytes:
    """Return the body that is sent: type, timestamp of the fact, data, and `more` within it."""
    said = {
        "type": fact.type,
        "timestamp": time_text(fact.at),
        "data": {**fact.data, **(more or {})},
    }
    return compact(said)


def call_closed(call: Call) -> Fact | None:
    """Return the fact that a call is over with its outcome; None for one that nobody answered."""
    if call.outcome is None or call.closed_at is None:
        return None
    times = {name: getattr(call, name) for name in ("placed_at", "answered_at", "closed_at")}
    data = {
        "call": call.id,
        "number": call.number,
        "office": call.office_id,
        "procedure": call.procedure,
        "outcome": call.outcome.value,
        "clerk": call.clerk_id,
        "desk": call.desk_id,
        "training": call.training,
        **{name: at and time_text(at) for name, at in times.items()},
    }
    return Fact(call.municipality_id, "call.closed", call.id, call.closed_at, data, call.training)
