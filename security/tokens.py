"""Tokens of sessions and one-time links, enrolment codes and the CSRF token.

A token is 32 random bytes; only its SHA-256 is ever stored, so a stolen database opens nothing.
"""

import base64
import hashlib
import hmac
import secrets

# Without 0 O 1 I L: what is read from one screen and typed into another must not be mistaken.
CODE_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
CODE_LENGTH = 8


def new_token() -> str:
    """Return a fresh token: 43 characters of base64url."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """Return what is stored of `token`: its SHA-256 in lower-case hex."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def csrf_token(token: str) -> str:
    """Return the CSRF token that belongs to a session's token; it does not reveal the token."""
    digest = hmac.new(token.encode("utf-8", "surrogatepass"), b"csrf", hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def csrf_matches(token: str, given: str) -> bool:
    """Tell in constant time whether `given` is the CSRF token of `token`."""
    return hmac.compare_digest(csrf_token(token).encode(), given.encode("utf-8", "surrogatepass"))


def new_code() -> str:
    """Return a fresh enrolment code as it is shown: two groups of four."""
    letters = "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))
    return f"{letters[:4]}-{letters[4:]}"


def code_hash(code: str) -> str:
    """Return what is stored of an enrolment code, however it was typed (case, spaces, hyphens)."""
    typed = "".join(letter for letter in code.upper() if letter in CODE_ALPHABET)
    return token_hash(f"enrol:{typed}")
