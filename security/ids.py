"""Identifiers: 16 random bytes as 22 characters of base64url, no meaning in them."""

import re
import secrets

ID_PATTERN = re.compile(r"[A-Za-z0-9_-]{22}")


def new_id() -> str:
    """Return a fresh id."""
    return secrets.token_urlsafe(16)


def is_id(text: str) -> bool:
    """Tell whether `text` has the form of an id."""
    return ID_PATTERN.fullmatch(text) is not None
