"""Password hashes: argon2id, computed in threads, few at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from security.errors import Denied
from security.password_rule import MAX_CHARACTERS, normal_form
from security.tries import too_many_tries

AT_ONCE = 2  # one hash takes 64 MiB and a core
MAX_WAITING = 32


def bad_credentials() -> Denied:
    """Return the one answer to every sign-in that failed, whatever was wrong."""
    return Denied("unknown name or wrong password", code="bad_credentials", http_status=401)


class Passwords:
    """Hashes and verifies passwords; unknown names cost the same time as known ones.

    At most `MAX_WAITING` wait for their turn; further ones are refused with `TooMuch`
    (`too_many_tries`), so that a flood holds neither memory nor everybody else.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        self._dummy: str | None = None

    def require_room(self) -> None:
        """Raise `TooMuch` (`too_many_tries`) when nobody further may wait for a hash."""
        if self._waiting >= MAX_WAITING:
            raise too_many_tries(MAX_WAITING, "waiting at once")

    async def hash(self, password: str) -> str:
        """Return the argon2id hash of `password` with its parameters."""
        async with self._in_turn():
            return await asyncio.to_thread(self._hasher.hash, _to_bytes(password))

    async def verify(self, stored: str | None, password: str) -> str | None:
        """Check `password`; return a new hash to store when the parameters have changed since.

        Raises `Denied` (`bad_credentials`) when it is wrong or when `stored` is None.
        """
        # Over-long input is cut, not refused at once: the answer takes the same time.
        text = password[: 4 * MAX_CHARACTERS]
        async with self._in_turn():
            good = await asyncio.to_thread(self._matches, stored, text)
        if stored is None or not good or text != password:
            raise bad_credentials()
        if self._hasher.check_needs_rehash(stored):
            return await self.hash(text)
        return None

    @asynccontextmanager
    async def _in_turn(self) -> AsyncIterator[None]:
        self.require_room()
        self._waiting += 1
        try:
            await self._turn.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._turn.release()

    def _matches(self, stored: str | None, text: str) -> bool:
        # Made whoever asks first, so that nobody's time tells whether the name is known.
        if self._dummy is None:
            self._dummy = self._hasher.hash("no person has this one")
        try:
            return self._hasher.verify(stored or self._dummy, _to_bytes(text))
        except (VerificationError, InvalidHashError):
            return False


def _to_bytes(password: str) -> bytes:
    # JSON can carry half of a surrogate pair; it must be wrong, not an exception.
    return normal_form(password).encode("utf-8", "surrogatepass")
