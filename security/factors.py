"""Second factors: codes of an authenticator app (TOTP) and passkeys; what is kept of them. Pure.

A TOTP code is six digits of RFC 6238 (SHA-1, 30 seconds), which every authenticator app makes.
"""

from dataclasses import dataclass
from datetime import datetime

import pyotp
from pyotp.exceptions import OTPVerificationError

from security.errors import Denied, ProtocolError
from security.people import Factor

STEPS_EITHER_WAY = 1  # of 30 seconds: how far the clock of a telephone may be wrong
MAX_PASSKEYS = 10
MAX_NAME = 40
CODE_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Enrolled:
    """One factor of a person.

    `counter` is the last time step used of a TOTP, the last signature counter of a passkey.
    `secret` is the TOTP's (base32); `credential_id`, `public_key` (COSE) and `rp_id` a passkey's.
    A TOTP whose `added_at` is None waits for its first code.
    """

    id: str
    municipality_id: str
    person_id: str
    kind: Factor
    name: str
    added_at: datetime | None
    used_at: datetime | None = None
    counter: int = -1
    secret: str = ""
    credential_id: bytes | None = None
    public_key: bytes | None = None
    rp_id: str | None = None


def bad_code() -> Denied:
    """Return the one answer to a code that is wrong, old or used."""
    return Denied("the code is wrong or was used", code="bad_code", http_status=401)


def new_secret() -> str:
    """Return a fresh TOTP secret: 160 random bits in base32."""
    return pyotp.random_base32(32)


def secret_uri(secret: str, *, login: str, issuer: str) -> str:
    """Return the `otpauth:` address that an authenticator app reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=issuer)


def step_of_code(secret: str, code: str, *, after: int, now: datetime) -> int:
    """Return the time step that `code` belongs to.

    Raises `Denied` `bad_code` when it belongs to none near `now`, or to none later than `after`,
    the last step used: a code serves once, and a clock that was set back opens nothing.
    """
    typed = "".join(code.split())
    if len(typed) != CODE_DIGITS or not (typed.isascii() and typed.isdigit()):
        raise bad_code()
    totp = pyotp.TOTP(secret)
    try:
        step = totp.verify_and_get_timecode(typed, for_time=now, valid_window=STEPS_EITHER_WAY)
    except (OTPVerificationError, ValueError):
        raise bad_code() from None
    if step <= after:
        raise bad_code()
    return step


def factor_name(text: str) -> str:
    """Return a passkey's name as it is kept. Raises `ProtocolError`."""
    name = " ".join(text.split())
    if not 0 < len(name) <= MAX_NAME or not name.isprintable():
        raise ProtocolError(f"name: 1 to {MAX_NAME} characters")
    return name
