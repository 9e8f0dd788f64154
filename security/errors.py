"""The errors of the whole house: the class says what the caller should do.

`code` is stable and documented in server/api/PROTOCOL.md section 6; `message` is
English for whoever reads a developer's log, never shown to a clerk as it is.
"""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Reason:
    """One unmet term: stable code, plain words, the clause it rests on ("Q&A 11")."""

    code: str
    message: str
    clause: str = ""


class MadoguchiError(Exception):
    """Base of every error that may reach a peer."""

    default_code: ClassVar[str] = "internal"
    http_status: ClassVar[int] = 500
    close_code: ClassVar[int | None] = None
    ends_call: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        reasons: tuple[Reason, ...] = (),
        http_status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.reasons = reasons
        self.status = http_status or self.http_status


class ProtocolError(MadoguchiError):
    """The peer broke PROTOCOL.md."""

    default_code = "protocol"
    http_status = 400
    close_code = 1002


class Denied(MadoguchiError):
    """The gate said no; `reasons` holds every unmet term."""

    default_code = "denied"
    http_status = 403


class Conflict(MadoguchiError):
    """Right message, wrong moment; nothing has changed."""

    default_code = "conflict"
    http_status = 409


class NotFound(MadoguchiError):
    """No such thing, or not yours to know."""

    default_code = "not_found"
    http_status = 404


class TooMuch(MadoguchiError):
    """Over a stated limit."""

    default_code = "too_large"
    http_status = 413
    close_code = 1009

    def __init__(
        self,
        message: str,
        *,
        limit: int,
        unit: str,
        code: str | None = None,
        http_status: int | None = None,
    ) -> None:
        super().__init__(message, code=code, http_status=http_status)
        self.limit = limit
        self.unit = unit


class Unavailable(MadoguchiError):
    """A part that we lean on is down; the call goes on without it."""

    default_code = "unavailable"
    http_status = 503


class Corrupt(MadoguchiError):
    """Stored bytes do not verify."""

    default_code = "corrupt"
    http_status = 500
    close_code = 1011
    ends_call = True
