"""The key-encryption key and the data keys: where they come from, how they are wrapped."""

import os
import random
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from security.crypto import stream
from security.crypto.keys import DataKey, KeyEncryptionKey
from security.errors import Corrupt, Unavailable


@pytest.fixture
def kek() -> KeyEncryptionKey:
    return KeyEncryptionKey(bytes(range(32)))


def test_a_key_written_to_a_file_is_read_back(tmp_path: Path, kek: KeyEncryptionKey) -> None:
    path = tmp_path / "key"
    kek.write_file(path)
    assert path.stat().st_mode & 0o777 == 0o600
    _, wrapped = kek.new_key("call:1")
    KeyEncryptionKey.from_file(path).unwrap("call:1", wrapped)


def test_a_key_file_is_never_overwritten(tmp_path: Path, kek: KeyEncryptionKey) -> None:
    kek.write_file(tmp_path / "key")
    before = (tmp_path / "key").read_bytes()
    with pytest.raises(Unavailable, match="cannot be made"):
        KeyEncryptionKey.generate().write_file(tmp_path / "key")
    assert (tmp_path / "key").read_bytes() == before


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o601, 0o700 | 0o010])
def test_a_key_file_that_others_can_reach_is_refused(
    tmp_path: Path, kek: KeyEncryptionKey, mode: int
) -> None:
    kek.write_file(tmp_path / "key")
    (tmp_path / "key").chmod(mode)
    with pytest.raises(Unavailable, match=f"mode {mode:04o}.*set it to 0600"):
        KeyEncryptionKey.from_file(tmp_path / "key")


def test_a_missing_key_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=str(tmp_path / "nowhere")):
        KeyEncryptionKey.from_file(tmp_path / "nowhere")


@pytest.mark.parametrize("content", [b"", b"mgk1-short", b"\xff" * 48, b"mgk2-" + b"A" * 43])
def test_a_file_without_a_key_is_corrupt(tmp_path: Path, content: bytes) -> None:
    descriptor = os.open(tmp_path / "key", os.O_CREAT | os.O_WRONLY, 0o600)
    os.write(descriptor, content)
    os.close(descriptor)
    with pytest.raises(Corrupt, match="mgk1-"):
        KeyEncryptionKey.from_file(tmp_path / "key")


def test_a_key_comes_from_the_environment(kek: KeyEncryptionKey) -> None:
    again = KeyEncryptionKey.from_environment({"MADOGUCHI_KEK": kek.to_text()})
    assert again.key_id == kek.key_id
    with pytest.raises(Unavailable, match="MADOGUCHI_KEK"):
        KeyEncryptionKey.from_environment({})


@given(st.binary(min_size=32, max_size=32))
def test_a_key_survives_being_written_as_text(raw: bytes) -> None:
    kek = KeyEncryptionKey(raw)
    assert KeyEncryptionKey.from_text(kek.to_text() + "\n")._raw == raw


@given(st.text(max_size=60))
def test_any_text_is_a_key_or_corrupt(text: str) -> None:
    with pytest.raises(Corrupt):
        KeyEncryptionKey.from_text(text)


def test_a_key_does_not_show_itself(kek: KeyEncryptionKey) -> None:
    key, _ = kek.new_key("call:1")
    for shown in (repr(kek), str(kek), repr(key), str(key)):
        assert kek._raw.hex() not in shown
        assert kek.to_text() not in shown
        assert key._raw.hex() not in shown


def test_a_wrapped_key_opens_what_was_sealed_before(kek: KeyEncryptionKey) -> None:
    key, wrapped = kek.new_key("call:1")
    sealed = key.seal(b"text", "chat", "m", "c")
    assert len(wrapped) == 92
    assert kek.unwrap("call:1", wrapped).open(sealed, "chat", "m", "c") == b"text"


def test_a_key_wrapped_for_one_call_does_not_open_for_another(kek: KeyEncryptionKey) -> None:
    _, wrapped = kek.new_key("call:1")
    with pytest.raises(Corrupt):
        kek.unwrap("call:2", wrapped)


def test_another_key_encryption_key_is_told_apart_from_broken_bytes(kek: KeyEncryptionKey) -> None:
    _, wrapped = kek.new_key("call:1")
    with pytest.raises(Corrupt, match="another key-encryption key"):
        KeyEncryptionKey.generate().unwrap("call:1", wrapped)


@given(at=st.integers(0, 91), bit=st.integers(0, 7))
def test_any_flipped_bit_of_a_wrapped_key_is_found(at: int, bit: int) -> None:
    kek = KeyEncryptionKey(bytes(range(32)))
    _, wrapped = kek.new_key("call:1")
    broken = bytearray(wrapped)
    broken[at] ^= 1 << bit
    with pytest.raises(Corrupt):
        kek.unwrap("call:1", bytes(broken))


@given(st.binary(max_size=120))
def test_any_bytes_are_a_wrapped_key_or_corrupt(data: bytes) -> None:
    with pytest.raises(Corrupt):
        KeyEncryptionKey(bytes(32)).unwrap("call:1", data)


class RecordingCipher:
    """The real cipher, which also notes every key and nonce that it seals with."""

    used: list[tuple[bytes, bytes]]

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._cipher = AESGCM(key)

    def encrypt(self, nonce: bytes, data: bytes, associated: bytes) -> bytes:
        self.used.append((self._key, nonce))
        return self._cipher.encrypt(nonce, data, associated)


@settings(max_examples=15, deadline=None)
@given(
    blobs=st.lists(
        st.lists(st.integers(0, 3 * stream.CHUNK_BYTES), max_size=4), min_size=1, max_size=8
    )
)
def test_no_key_and_nonce_ever_seal_twice(blobs: list[list[int]]) -> None:
    used: list[tuple[bytes, bytes]] = []
    recording = type("Recording", (RecordingCipher,), {"used": used})
    key = DataKey(bytes(32))
    zeros = bytes(3 * stream.CHUNK_BYTES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "AESGCM", recording)
        for sizes in blobs:
            sealer = key.sealer("the", "same", "ids")
            for size in sizes:
                sealer.update(zeros[:size])
            sealer.finish()
            key.seal(random.Random(1).randbytes(10), "the", "same", "ids")
    assert len(used) >= 2 * len(blobs)
    assert len(set(used)) == len(used)
