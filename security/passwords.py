"""Password hashes: argon2id, computed in threads, few at a time."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from security.errors import Denied
from security.password_rule import MAX_CHARACTERS, normal_form

_AT_ONCE = 2  # one hash takes 64 MiB and a core


def bad_credentials() -> Denied:
    """Return the one answer to every sign-in that failed, whatever was wrong."""
    return Denied("unknown name or wrong password", code="bad_credentials", http_status=401)


class Passwords:
    """Hashes and verifies passwords; unknown names cost the same time as known ones."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._dummy: str | None = None

    async def hash(self, password: str) -> str:
        """Return the argon2id hash of `password` with its parameters."""
        async with self._turn:
            return await asyncio.to_thread(self._hasher.hash, _to_bytes(password))

    async def verify(self, stored: str | None, password: str) -> str | None:
        """Check `password`; return a new hash to store when the parameters have changed since.

        Raises `Denied` (`bad_credentials`) when it is wrong or when `stored` is None.
        """
        # Over-long input is cut, not refused at once: the answer takes the same time.
        text = password[: 4 * MAX_CHARACTERS]
        dummy = await self._dummy_hash()
        async with self._turn:
            good = await asyncio.to_thread(self._matches, stored or dummy, text)
        if stored is None or not good or text != password:
            raise bad_credentials()
        if self._hasher.check_needs_rehash(stored):
            return await self.hash(text)
        return None

    def _matches(self, stored: str, text: str) -> bool:
        try:
            return self._hasher.verify(stored, _to_bytes(text))
        except (VerificationError, InvalidHashError):
            return False

    async def _dummy_hash(self) -> str:
        if self._dummy is None:
            self._dummy = await self.hash("no person has this one")
        return self._dummy


def _to_bytes(password: str) -> bytes:
    # JSON can carry half of a surrogate pair; it must be wrong, not an exception.
    return normal_form(password).encode("utf-8", "surrogatepass")
