"""What a clerk's PIN must be, and how long one waits after wrong ones. Pure."""

from datetime import timedelta
from itertools import pairwise

from security.errors import ProtocolError, Reason
from security.password_rule import normal_form

MIN_DIGITS = 6
MAX_DIGITS = 12
FIRST_DIGITS = 8
FIRST_LIFETIME = timedelta(hours=24)
FREE_TRIES = 2
LONGEST_PAUSE = timedelta(minutes=15)
LOCKED_AFTER = 30  # wrong PINs in a row; the pauses between them are over five hours
_FIRST_PAUSE = timedelta(seconds=5)
_COMMON_TEXT = "112233 445566 123321 159753 147258 147852 258369"
_COMMON = frozenset(_COMMON_TEXT.split())


def normal_pin(pin: str) -> str:
    """Return the form that is hashed: full-width digits are the same digits, spaces are none."""
    return "".join(normal_form(pin).split())


def pause_after(failures: int) -> timedelta:
    """Return how long a tablet waits after so many wrong PINs of a clerk in a row.

    Nothing after two, then 5 s, twice as long after each further one, at most 15 minutes.
    """
    if failures <= FREE_TRIES:
        return timedelta(0)
    doublings = min(failures - FREE_TRIES - 1, 12)
    return min(_FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)


def is_locked(failures: int) -> bool:
    """Tell whether a tablet takes no PIN of a clerk any more, until a new first PIN is given.

    `failures` are wrong PINs in a row before the one that is tried.
    """
    return failures >= LOCKED_AFTER


def check_pin(pin: str, login: str, *, before: str | None = None) -> None:
    """Raise `ProtocolError` (`weak_pin`) with every reason against `pin` (in its normal form).

    `before` is the PIN that it replaces.
    """
    reasons = []
    if not (pin.isascii() and pin.isdigit()):
        reasons.append(Reason("pin_digits", "a PIN is made of digits alone"))
    if not MIN_DIGITS <= len(pin) <= MAX_DIGITS:
        reasons.append(Reason("pin_length", f"a PIN has {MIN_DIGITS} to {MAX_DIGITS} digits"))
    if is_trivial(pin):
        reasons.append(Reason("pin_trivial", "one of the first that anybody would try"))
    if pin == login:
        reasons.append(Reason("pin_is_login", "the same as the sign-in name"))
    if pin == before:
        reasons.append(Reason("pin_same", "the same as before"))
    if reasons:
        raise ProtocolError(
            "the PIN is too weak: " + "; ".join(reason.message for reason in reasons),
            code="weak_pin",
            reasons=tuple(reasons),
        )


def is_trivial(pin: str) -> bool:
    """Tell whether a PIN is a run (also past 9), a repetition, or known to be common."""
    if not (pin.isascii() and pin.isdigit()) or len(pin) < 2:
        return False
    steps = {(int(b) - int(a)) % 10 for a, b in pairwise(pin)}
    repeats = any(pin == (pin[:n] * len(pin))[: len(pin)] for n in range(1, len(pin) // 2 + 1))
    return len(steps) == 1 or repeats or len(set(pin)) < 3 or pin in _COMMON
