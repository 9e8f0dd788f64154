"""Makes tests/security/vectors/*.txt from FORMAT.md alone; imports nothing of ours.

Run it in the project's root: `.venv/bin/python tests/security/make_vectors.py`. Nothing in it is
random, so the files only change when it does. Long plaintexts are chosen equal to the key stream:
the ciphertext is then all zeros and the file stays small when compressed.
"""

import base64
import hashlib
import hmac
import zlib
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FOLDER = Path(__file__).parent / "vectors"
KEY = bytes(range(32))
OTHER_KEY = bytes(range(1, 33))
SALT = bytes(range(100, 132))
MAGIC = b"mgs\x01"
IDS = ("file", "municipality-1", "call-1", "file-1")
CHUNK = 65_536
OWNER = "call:call-1"
DATA_KEY = bytes(range(200, 232))


def hkdf(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869 with SHA-256, for at most 32 bytes."""
    prk = hmac.digest(salt or bytes(32), secret, "sha256")
    return hmac.digest(prk, info + b"\x01", "sha256")[:length]


def encode(ids: tuple[str, ...]) -> bytes:
    return b"".join(len(i.encode()).to_bytes(2, "big") + i.encode() for i in ids)


def cipher(ids: tuple[str, ...] = IDS) -> AESGCM:
    return AESGCM(hkdf(KEY, SALT, b"madoguchi seal 1\x00" + encode(ids), 32))


def nonce(index: int, last: bool) -> bytes:
    return index.to_bytes(11, "big") + bytes([last])


def chunk(index: int, last: bool, size: int, aad: bytes | None = None) -> tuple[bytes, bytes]:
    """Return plaintext and chunk of `size` bytes whose ciphertext is all zeros."""
    aad = MAGIC + encode(IDS) if aad is None else aad
    plain = cipher().encrypt(nonce(index, last), bytes(size), aad)[:size]
    return plain, cipher().encrypt(nonce(index, last), plain, aad)


def blob(size: int) -> tuple[bytes, bytes]:
    count = max(1, -(-size // CHUNK))
    parts = [
        chunk(i, i == count - 1, min(CHUNK, size - i * CHUNK) if size else 0) for i in range(count)
    ]
    return b"".join(p for p, _ in parts), MAGIC + SALT + b"".join(c for _, c in parts)


def flip(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def text(fields: dict[str, str]) -> str:
    return "".join(f"{name}: {value}\n" for name, value in fields.items())


def seal_vector(
    comment: str,
    data: bytes,
    plain: bytes | None,
    *,
    ids: tuple[str, ...] = IDS,
    key: bytes = KEY,
) -> str:
    fields = {
        "kind": "blob",
        "comment": comment,
        "key": key.hex(),
        "ids": " ".join(ids),
        "blob-zlib": base64.b64encode(zlib.compress(data, 9)).decode(),
        "expect": "corrupt" if plain is None else "ok",
    }
    if plain is not None:
        fields["sha256"] = hashlib.sha256(plain).hexdigest()
    return text(fields)


def good_blobs() -> Iterator[tuple[str, str]]:
    for size in (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 7):
        plain, sealed = blob(size)
        yield f"blob-ok-{size}", seal_vector(f"{size} bytes", sealed, plain)
    ids = ("file-name", "岡山県架空市", "f")
    sealed = cipher(ids).encrypt(nonce(0, True), "申請書.pdf".encode(), MAGIC + encode(ids))
    yield (
        "blob-ok-japanese-ids",
        seal_vector("ids beyond ASCII", MAGIC + SALT + sealed, "申請書.pdf".encode(), ids=ids),
    )


def broken_headers() -> Iterator[tuple[str, str, bytes]]:
    _, one = blob(20)
    yield "empty", "no bytes at all", b""
    yield "header-short", "the salt is cut short", one[:20]
    yield "header-only", "no chunk", one[:36]
    yield "tag-short", "the only chunk is shorter than a tag", one[:51]
    yield "magic", "not our magic", b"xgs\x01" + one[4:]
    yield "version", "a version that does not exist", b"mgs\x02" + one[4:]
    yield "salt", "a bit of the salt flipped", flip(one, 10)
    yield "ciphertext", "a bit of the ciphertext flipped", flip(one, 40)
    yield "tag", "a bit of the tag flipped", flip(one, len(one) - 1)
    yield "byte-lost", "the last byte cut off", one[:-1]
    yield "byte-more", "a byte added at the end", one + b"\x00"


def broken_streams() -> Iterator[tuple[str, str, bytes]]:
    head = MAGIC + SALT
    _, three = blob(3 * CHUNK)
    full = CHUNK + 16
    one, two, last = (three[36 + i * full : 36 + (i + 1) * full] for i in range(3))
    yield "cut-at-border", "the last of three chunks cut off", head + one + two
    yield "swapped", "the first two of three chunks swapped", head + two + one + last
    yield "doubled", "the first chunk twice", head + one + one + two + last
    yield "first-lost", "the first chunk cut out", head + two + last
    yield "middle-lost", "the middle chunk cut out", head + one + last
    yield (
        "empty-last",
        "an empty last chunk after a full one",
        head + chunk(0, False, CHUNK)[1] + chunk(1, True, 0)[1],
    )
    yield "never-last", "the last flag is nowhere", head + chunk(0, False, 20)[1]
    yield (
        "last-too-early",
        "the last flag on the first of two chunks",
        head + chunk(0, True, CHUNK)[1] + chunk(1, True, 20)[1],
    )
    yield "counter", "the counter begins at 1", head + chunk(1, True, 20)[1]
    yield (
        "middle-short",
        "a chunk in the middle is not full",
        head + chunk(0, False, 100)[1] + chunk(1, True, 100)[1],
    )
    yield "no-ids", "sealed without associated data", head + chunk(0, True, 20, b"")[1]


def broken_blobs() -> Iterator[tuple[str, str]]:
    for name, comment, data in (*broken_headers(), *broken_streams()):
        yield f"blob-{name}", seal_vector(comment, data, None)
    _, one = blob(20)
    others = {
        "ids-other": ("file", "municipality-1", "call-1", "file-2"),
        "ids-order": ("file", "call-1", "municipality-1", "file-1"),
        "ids-border": ("file", "municipality-1", "call-1f", "ile-1"),
        "ids-fewer": ("file", "municipality-1", "call-1"),
    }
    for name, ids in others.items():
        yield f"blob-{name}", seal_vector("opened with other ids", one, None, ids=ids)
    yield "blob-key-other", seal_vector("opened with another key", one, None, key=OTHER_KEY)


def wrap(owner: str) -> bytes:
    head = b"mgw\x01" + hkdf(KEY, b"", b"madoguchi key id 1", 8)
    wrap_key = hkdf(KEY, SALT, b"madoguchi wrap 1\x00" + encode((owner,)), 32)
    return head + SALT + AESGCM(wrap_key).encrypt(nonce(0, True), DATA_KEY, head + encode((owner,)))


def wrapped_keys() -> Iterator[tuple[str, str]]:
    good = wrap(OWNER)
    cases = {
        "ok": ("as it should be", good, KEY, OWNER),
        "owner": ("unwrapped for another owner", good, KEY, "call:call-2"),
        "key": ("wrapped by another key-encryption key", good, OTHER_KEY, OWNER),
        "version": ("a version that does not exist", b"mgw\x02" + good[4:], KEY, OWNER),
        "key-id": ("a bit of the key id flipped", flip(good, 5), KEY, OWNER),
        "salt": ("a bit of the salt flipped", flip(good, 20), KEY, OWNER),
        "ciphertext": ("a bit of the key flipped", flip(good, 50), KEY, OWNER),
        "tag": ("a bit of the tag flipped", flip(good, 91), KEY, OWNER),
        "short": ("the last byte cut off", good[:-1], KEY, OWNER),
        "long": ("a byte added", good + b"\x00", KEY, OWNER),
        "empty": ("no bytes at all", b"", KEY, OWNER),
    }
    for name, (comment, wrapped, key, owner) in cases.items():
        fields = {
            "kind": "wrapped",
            "comment": comment,
            "key": key.hex(),
            "ids": owner,
            "wrapped": wrapped.hex(),
            "expect": "ok" if name == "ok" else "corrupt",
        }
        if name == "ok":
            fields["sha256"] = hashlib.sha256(DATA_KEY).hexdigest()
        yield f"wrapped-{name}", text(fields)


def vectors() -> dict[str, str]:
    """Return every vector: file name without suffix, and content."""
    return dict([*good_blobs(), *broken_blobs(), *wrapped_keys()])


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.txt"):
        old.unlink()
    for name, content in vectors().items():
        (FOLDER / f"{name}.txt").write_text(content, encoding="utf-8")
