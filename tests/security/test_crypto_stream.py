"""Sealed blobs: sizes around the chunk border, reading by range, malleability, fresh nonces."""

import io
import random
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from security.crypto import stream
from security.crypto.stream import (
    CHUNK_BYTES,
    HEADER_BYTES,
    TAG_BYTES,
    SealedReader,
    Sealer,
    chunk_nonce,
    encode_ids,
    plain_length,
    seal,
    sealed_length,
    unseal,
)
from security.errors import Conflict, Corrupt

KEY = bytes(range(32))
SALT = bytes(32)
IDS = ("file", "m", "c", "f")
SIZES = (0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 3 * CHUNK_BYTES + 5)


def _bytes(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def _in_pieces(plaintext: bytes, sizes: Iterable[int]) -> bytes:
    sealer = Sealer(KEY, SALT, IDS)
    sealed, start = sealer.header, 0
    for size in sizes:
        sealed += sealer.update(plaintext[start : start + size])
        start += size
    return sealed + sealer.update(plaintext[start:]) + sealer.finish()


@pytest.mark.parametrize("size", SIZES)
def test_what_was_sealed_opens_at_every_size_around_a_border(size: int) -> None:
    sealed = seal(KEY, SALT, _bytes(size), IDS)
    assert len(sealed) == sealed_length(size)
    assert plain_length(len(sealed)) == size
    assert unseal(KEY, sealed, IDS) == _bytes(size)


@settings(max_examples=40, deadline=None)
@given(
    size=st.sampled_from(SIZES),
    pieces=st.lists(st.integers(0, 2 * CHUNK_BYTES), max_size=8),
)
def test_a_blob_does_not_show_in_which_pieces_it_came(size: int, pieces: list[int]) -> None:
    assert _in_pieces(_bytes(size), pieces) == seal(KEY, SALT, _bytes(size), IDS)


@settings(max_examples=60, deadline=None)
@given(size=st.sampled_from(SIZES), start=st.integers(-5, 200_000), end=st.integers(-5, 200_000))
def test_a_range_reads_as_a_slice(size: int, start: int, end: int) -> None:
    reader = SealedReader(io.BytesIO(seal(KEY, SALT, _bytes(size), IDS)), KEY, IDS)
    assert reader.length == size
    assert reader.read_range(start, end) == _bytes(size)[max(0, start) : max(0, end)]


def test_reading_a_range_reads_only_the_chunks_it_needs() -> None:
    class Counting(io.BytesIO):
        taken = 0

        def read(self, size: int | None = -1, /) -> bytes:
            got = super().read(size)
            self.taken += len(got)
            return got

    file = Counting(seal(KEY, SALT, _bytes(20 * CHUNK_BYTES), IDS))
    SealedReader(file, KEY, IDS).read_range(5 * CHUNK_BYTES + 1, 5 * CHUNK_BYTES + 2)
    assert file.taken == HEADER_BYTES + 2 * (CHUNK_BYTES + TAG_BYTES)


@settings(max_examples=80, deadline=None)
@given(size=st.sampled_from(SIZES), data=st.data())
def test_any_flipped_bit_is_found(size: int, data: st.DataObject) -> None:
    sealed = bytearray(seal(KEY, SALT, _bytes(size), IDS))
    at = data.draw(st.integers(0, len(sealed) - 1))
    sealed[at] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(Corrupt):
        unseal(KEY, bytes(sealed), IDS)


@settings(max_examples=80, deadline=None)
@given(size=st.sampled_from(SIZES), data=st.data())
def test_any_cut_is_found_before_a_byte_is_given_out(size: int, data: st.DataObject) -> None:
    sealed = seal(KEY, SALT, _bytes(size), IDS)
    cut = data.draw(st.integers(0, len(sealed) - 1))
    with pytest.raises(Corrupt):
        SealedReader(io.BytesIO(sealed[:cut]), KEY, IDS)


@pytest.mark.parametrize("chunks", [1, 2, 3])
def test_a_cut_at_a_chunk_border_is_found(chunks: int) -> None:
    sealed = seal(KEY, SALT, _bytes(4 * CHUNK_BYTES), IDS)
    with pytest.raises(Corrupt):
        SealedReader(
            io.BytesIO(sealed[: HEADER_BYTES + chunks * (CHUNK_BYTES + TAG_BYTES)]), KEY, IDS
        )


def test_a_broken_chunk_in_the_middle_leaves_the_others_readable() -> None:
    sealed = bytearray(seal(KEY, SALT, _bytes(3 * CHUNK_BYTES), IDS))
    sealed[HEADER_BYTES + CHUNK_BYTES + TAG_BYTES + 9] ^= 1
    reader = SealedReader(io.BytesIO(bytes(sealed)), KEY, IDS)
    assert reader.read_range(0, CHUNK_BYTES) == _bytes(3 * CHUNK_BYTES)[:CHUNK_BYTES]
    with pytest.raises(Corrupt):
        reader.read_range(CHUNK_BYTES - 1, CHUNK_BYTES + 1)


def test_two_blobs_of_one_key_share_no_chunk() -> None:
    one = seal(KEY, SALT, _bytes(2 * CHUNK_BYTES), IDS)
    two = seal(KEY, bytes([1]) * 32, _bytes(2 * CHUNK_BYTES), IDS)
    border = HEADER_BYTES + CHUNK_BYTES + TAG_BYTES
    with pytest.raises(Corrupt):
        unseal(KEY, one[:border] + two[border:], IDS)


@given(st.binary(max_size=300))
def test_any_bytes_open_or_are_corrupt(data: bytes) -> None:
    with pytest.raises(Corrupt):
        unseal(KEY, data, IDS)
    with pytest.raises(Corrupt):
        unseal(KEY, stream.MAGIC + data, IDS)


IdLists = st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=5).map(tuple)


@given(one=IdLists, two=IdLists)
def test_only_equal_lists_of_ids_look_alike(one: tuple[str, ...], two: tuple[str, ...]) -> None:
    assert (encode_ids(one) == encode_ids(two)) == (one == two)


@pytest.mark.parametrize("ids", [(), ("",), ("a", ""), ("x" * 256,), ("a",) * 17])
def test_ids_out_of_their_limits_are_refused(ids: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="ids"):
        encode_ids(ids)


@given(
    one=st.tuples(st.integers(0, 2**88 - 1), st.booleans()),
    two=st.tuples(st.integers(0, 2**88 - 1), st.booleans()),
)
def test_no_two_places_share_a_nonce(one: tuple[int, bool], two: tuple[int, bool]) -> None:
    nonces = [chunk_nonce(index, last=last) for index, last in (one, two)]
    assert (nonces[0] == nonces[1]) == (one == two)
    assert {len(n) for n in nonces} == {12}


def test_a_finished_sealer_takes_nothing_more() -> None:
    sealer = Sealer(KEY, SALT, IDS)
    sealer.finish()
    with pytest.raises(Conflict):
        sealer.update(b"more")
    with pytest.raises(Conflict):
        sealer.finish()
