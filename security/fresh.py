"""Sign-ins in which somebody has just shown the directory who they are, anew. In memory.

Who signs in by a municipality's directory has no password here to be asked for once more; for some
minutes such a sign-in counts as that. It follows the sign-in from its half to the whole.
"""

from datetime import datetime, timedelta

FRESH = timedelta(minutes=10)


class FreshSignIns:
    """By hash of the session's token. A restart forgets them: one signs in once more."""

    def __init__(self) -> None:
        self._at: dict[str, datetime] = {}

    def note(self, token_hash: str, at: datetime) -> None:
        """Note that the directory has asked who it is at that time; old ones are forgotten."""
        self._at = {key: then for key, then in self._at.items() if at - then < FRESH}
        self._at[token_hash] = at

    def holds(self, token_hash: str, now: datetime) -> bool:
        """Tell whether it still counts."""
        at = self._at.get(token_hash)
        return at is not None and timedelta(0) <= now - at < FRESH

    def pass_on(self, half: str, whole: str) -> None:
        """Let what held for half a sign-in hold for the whole, which began then."""
        if half in self._at:
            self._at[whole] = self._at.pop(half)
