"""The one clock of the house; whoever needs the time is given it."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the time, aware, in UTC."""
    return datetime.now(UTC)
