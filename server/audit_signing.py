"""Signs the heads of the audit log, each municipality's with a key of its own.

The signing key is derived from the municipality's house key, which lies wrapped by the
key-encryption key (security/crypto/FORMAT.md section 5): no further file to guard, and it stays
the same when the key-encryption key is changed.
"""

from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from security.audit.signed import SignedHead, sign
from security.deletions import Deletion, Proof, prove
from security.errors import Corrupt
from server.db.audit import SqlAudit
from server.db.people import SqlPeople

_LABEL = "audit"


class AuditSigning:
    """Knows each municipality's key, and when its log was last signed."""

    def __init__(self, people: SqlPeople, audit: SqlAudit) -> None:
        self._people = people
        self._audit = audit
        self._looked_at: dict[str, datetime] = {}

    async def public_key(self, municipality_id: str) -> bytes:
        """Return the 32 bytes with which a stranger verifies. Raises `Corrupt`."""
        return (await self._key(municipality_id)).public_key().public_bytes_raw()

    async def sign_if_due(self, municipality_id: str, every: timedelta, now: datetime) -> None:
        """Sign unless that was done less than `every` ago; a clock set back counts as due."""
        last = self._looked_at.get(municipality_id)
        if last is None or not timedelta(0) <= now - last < every:
            await self.sign(municipality_id, now)

    async def sign(self, municipality_id: str, now: datetime) -> SignedHead | None:
        """Sign the newest head; None when it was signed before, or there is none.

        What was written since the last signed head is verified first: nobody can have a change
        of the past signed by waiting. Raises `Corrupt` when it does not follow from that head.
        """
        self._looked_at[municipality_id] = now
        key = await self._key(municipality_id)
        last = await self._audit.signed.newest(municipality_id)
        if last is not None:
            last.check()
            if last.key != key.public_key().public_bytes_raw():
                raise Corrupt("the last head was signed with a key that is not ours")
        head = await self._audit.follow(municipality_id, last.head if last else None)
        if head.count == (last.head.count if last else 0):
            return None
        signed = sign(key, municipality_id, head, at=now)
        await self._audit.signed.add(signed)
        return signed

    async def prove(self, deletion: Deletion) -> Proof:
        """Return the proof of a deletion, signed with the same key as the heads."""
        return prove(await self._key(deletion.municipality_id), deletion)

    async def _key(self, municipality_id: str) -> Ed25519PrivateKey:
        return (await self._people.house_key(municipality_id)).signing_key(_LABEL, municipality_id)
