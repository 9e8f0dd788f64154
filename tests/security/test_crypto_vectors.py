"""Sealed blobs and wrapped keys against vectors that our code did not make."""

import base64
import hashlib
import runpy
import zlib
from pathlib import Path

import pytest

from security.crypto.keys import DataKey, KeyEncryptionKey
from security.crypto.stream import unseal
from security.errors import Corrupt

FOLDER = Path(__file__).parent / "vectors"
SCRIPT = Path(__file__).parent / "make_vectors.py"


def _fields(path: Path) -> dict[str, str]:
    fields = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        fields[name] = value.strip()
    return fields


def _opened(fields: dict[str, str]) -> bytes:
    key = bytes.fromhex(fields["key"])
    if fields["kind"] == "blob":
        blob = zlib.decompress(base64.b64decode(fields["blob-zlib"]))
        return unseal(key, blob, tuple(fields["ids"].split(" ")))
    wrapped = bytes.fromhex(fields["wrapped"])
    data_key = KeyEncryptionKey(key).unwrap(fields["ids"], wrapped)
    return _raw(data_key)


def _raw(key: DataKey) -> bytes:
    return key._raw


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.stem)
def test_each_vector_ends_as_it_says(path: Path) -> None:
    fields = _fields(path)
    if fields["expect"] == "corrupt":
        with pytest.raises(Corrupt):
            _opened(fields)
    else:
        assert hashlib.sha256(_opened(fields)).hexdigest() == fields["sha256"]


def test_the_vectors_are_what_the_script_makes() -> None:
    made = runpy.run_path(str(SCRIPT))["vectors"]()
    kept = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.txt")}
    assert kept == made
    assert sum("expect: ok" in content for content in kept.values()) == 9
    assert len(kept) > 40
