"""Refusals of tokens that do not count: counted, told of so that nobody floods the log. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

EVERY = timedelta(hours=1)
KNOWN = 1_000


@dataclass(slots=True)
class _Told:
    at: datetime
    since: int = 0


class BadTokens:
    """`total` counts every refusal. Of a token that was known once an hour is told at most once."""

    def __init__(self) -> None:
        self.total = 0
        self._told: dict[str, _Told] = {}

    def refused(self, token_id: str | None, now: datetime) -> int:
        """Count a refusal; return how many of a known token to tell of now, 0 for none.

        `token_id` is None for one that never was.
        """
        self.total += 1
        if token_id is None:
            return 0
        told = self._told.get(token_id)
        if told is not None and now - told.at < EVERY:
            told.since += 1
            return 0
        if told is None and len(self._told) >= KNOWN:
            self._told.pop(min(self._told, key=lambda one: self._told[one].at))
        count = 1 + (told.since if told else 0)
        self._told[token_id] = _Told(now)
        return count
