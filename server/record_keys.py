"""The key with which a municipality signs its records: its own, not that of its audit log.

Derived from the house key like the other (security/crypto/FORMAT.md section 5): no further file
to guard, and it stays the same when the key-encryption key is changed.
"""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.db.people import SqlPeople

_LABEL = "record"


class RecordKeys:
    """Knows each municipality's record key."""

    def __init__(self, people: SqlPeople) -> None:
        self._people = people

    async def signing_key(self, home: str) -> Ed25519PrivateKey:
        """Return the private key. Raises `NotFound`, `Corrupt`."""
        return (await self._people.house_key(home)).signing_key(_LABEL, home)

    async def public_key(self, home: str) -> bytes:
        """Return the 32 bytes with which a stranger verifies."""
        return (await self.signing_key(home)).public_key().public_bytes_raw()
