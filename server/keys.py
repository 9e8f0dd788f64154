"""Keys at work: unwraps the data keys of calls and municipalities and keeps them at hand.

The key-encryption key never touches the database; what stands there is wrapped by it, bound to
the id of the call or municipality that it belongs to (security/crypto/FORMAT.md section 4).
"""

from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

from security.crypto.keys import ENVIRONMENT_NAME, DataKey, KeyEncryptionKey
from security.errors import Corrupt, NotFound, Unavailable

_AT_HAND = 512


def load_kek(file: Path, environment: Mapping[str, str]) -> KeyEncryptionKey:
    """Return the key-encryption key of the environment, or else of the file.

    Raises `Unavailable` when there is none or others can read it, `Corrupt` when it is not a key.
    """
    if environment.get(ENVIRONMENT_NAME):
        return KeyEncryptionKey.from_environment(environment)
    if file.with_name(file.name + ".next").exists():
        raise Unavailable(
            "changing the key-encryption key was interrupted; finish it with: madoguchi keys rotate"
        )
    return KeyEncryptionKey.from_file(file)


class KeyRing:
    """Data keys by owner: the database gives the wrapped form, this gives the key."""

    def __init__(self, kek: KeyEncryptionKey) -> None:
        self._kek = kek
        self._open: OrderedDict[tuple[str, bytes], DataKey] = OrderedDict()

    def mac_key(self, purpose: str) -> bytes:
        """Return the key of tokens that outlive a run of the server, but not the house's key."""
        return self._kek.mac_key(purpose)

    def fresh_house(self, municipality_id: str) -> bytes:
        """Make the house key of a new municipality and return it wrapped."""
        return self._fresh(f"municipality:{municipality_id}")

    def fresh_call(self, call_id: str) -> bytes:
        """Make the data key of a new call and return it wrapped."""
        return self._fresh(f"call:{call_id}")

    def house(self, municipality_id: str, wrapped: bytes) -> DataKey:
        """Return the house key of a municipality; raises `Corrupt`."""
        return self._unwrapped(f"municipality:{municipality_id}", wrapped)

    def call(self, call_id: str, wrapped: bytes | None) -> DataKey:
        """Return the key of a call; raises `NotFound` when it was destroyed, `Corrupt`."""
        if wrapped is None:
            raise NotFound("the key of this call is no more")
        return self._unwrapped(f"call:{call_id}", wrapped)

    def _fresh(self, owner: str) -> bytes:
        key, wrapped = self._kek.new_key(owner)
        self._keep(owner, wrapped, key)
        return wrapped

    def _unwrapped(self, owner: str, wrapped: bytes) -> DataKey:
        key = self._open.get((owner, wrapped))
        if key is None:
            key = self._kek.unwrap(owner, wrapped)
            self._keep(owner, wrapped, key)
        self._open.move_to_end((owner, wrapped))
        return key

    def _keep(self, owner: str, wrapped: bytes, key: DataKey) -> None:
        self._open[owner, wrapped] = key
        while len(self._open) > _AT_HAND:
            self._open.popitem(last=False)


def seal_name(house: DataKey, municipality_id: str, person_id: str, name: str) -> bytes:
    """Return a person's name sealed with the municipality's house key."""
    return house.seal(name.encode(), "person-name", municipality_id, person_id)


def open_name(house: DataKey, municipality_id: str, person_id: str, sealed: bytes) -> str:
    """Return a person's name; raises `Corrupt`."""
    try:
        return house.open(sealed, "person-name", municipality_id, person_id).decode()
    except UnicodeDecodeError as error:
        raise Corrupt("a stored name is not text") from error
