"""What a password must be. Pure."""

import unicodedata

from security.errors import ProtocolError, Reason

MIN_CHARACTERS = 12
MAX_CHARACTERS = 256
_COMMON_TEXT = """
    123456789012 1234567890123 12345678901234 123456789123 111111111111 000000000000
    passwordpassword password1234 password12345 password123456 passw0rdpassw0rd
    qwertyuiop12 qwertyuiop123 qwertyuiopasdf qwerty123456 1qaz2wsx3edc 1q2w3e4r5t6y zaq12wsxcde3
    abcdefghijkl abcdefgh1234 abcd12345678 iloveyou1234 letmeinletmein welcome12345 welcome1234
    administrator administrator1 adminadminadmin admin1234567 changemechangeme
    madoguchimadoguchi madoguchi1234 madoguchi123 juminjuminjumin shiyakusho123 yubinkyoku12
"""
_COMMON = frozenset(_COMMON_TEXT.split())


def normal_form(password: str) -> str:
    """Return the form that is hashed: NFKC, so that full-width typing is the same password."""
    return unicodedata.normalize("NFKC", password)


def check_password(password: str, login: str, *, shortest: int = MIN_CHARACTERS) -> None:
    """Raise `ProtocolError` (`weak_password`) with every reason against `password`."""
    text = normal_form(password)
    folded = text.casefold()
    reasons = []
    if len(text) < shortest:
        reasons.append(Reason("too_short", f"shorter than {shortest} characters"))
    if len(text) > MAX_CHARACTERS:
        reasons.append(Reason("too_long", f"longer than {MAX_CHARACTERS} characters"))
    if folded in (login.casefold(), login.casefold() * 2):
        reasons.append(Reason("is_login", "the same as the sign-in name"))
    if folded in _COMMON or len(set(folded)) < 4:
        reasons.append(Reason("too_common", "one of the first that anybody would try"))
    if reasons:
        raise ProtocolError(
            "the password is too weak: " + "; ".join(reason.message for reason in reasons),
            code="weak_password",
            reasons=tuple(reasons),
        )
