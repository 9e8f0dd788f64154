"""RTP headers are read and rewritten within their bounds, whatever the bytes."""

import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from media.rtp import (
    NOWHERE,
    clean_extensions,
    header_bytes,
    padding_bytes,
    put_mid,
    rename_extensions,
    unwrap_rtx,
)

KEEP_ALL = bytes(range(16))


def packet(
    payload: bytes = b"payload", *, extension: bytes = b"", profile: int = 0xBEDE, first: int = 0x80
) -> bytearray:
    head = struct.pack("!BBHII", first | (0x10 if extension else 0), 0x60 | 0x80, 1000, 2000, 3000)
    if extension:
        extension += bytes(-len(extension) % 4)
        head += struct.pack("!HH", profile, len(extension) // 4) + extension
    return bytearray(head + payload)


def test_payload_begins_after_sources_and_extensions() -> None:
    assert header_bytes(packet(), 19) == 12
    data = packet(extension=b"\x10\x55")
    assert header_bytes(data, len(data)) == 20
    data[0] |= 2
    data[12:12] = bytes(8)
    assert header_bytes(data, len(data)) == 28


def test_header_longer_than_the_packet_is_none() -> None:
    data = packet(extension=b"\x10\x55")
    assert header_bytes(data, 19) == -1
    assert header_bytes(bytearray(b"\x8f") + bytes(20), 21) == -1
    assert header_bytes(bytearray(12), 12) == -1


def test_extensions_that_end_here_are_blotted_out_and_three_are_found() -> None:
    data = packet(extension=b"\x10\x55" + b"\x31\x12\x34" + b"\x42abc" + b"\x50m" + b"\x60x")
    table = bytes((0, 1, 0, 3, 4, 5, 0)) + bytes(9)
    assert clean_extensions(data, 32, table, 3, 4, 5) == (0x1234, 19, 22, 26)
    assert data[16:32] == b"\x10\x55" + b"\x31\x12\x34" + b"\x42abc" + b"\x50m" + bytes(5)


def test_a_number_that_ends_here_is_read_all_the_same() -> None:
    data = packet(extension=b"\x31\x12\x34")
    assert clean_extensions(data, 20, bytes(16), 3, 4, 5) == (0x1234, 0, 0, 0)
    assert data[16:20] == bytes(4)


def test_a_number_or_a_stamp_of_another_length_is_none() -> None:
    data = packet(extension=b"\x32\x12\x34\x56" + b"\x41ab")
    assert clean_extensions(data, 24, KEEP_ALL, 3, 4, 5) == (-1, 0, 0, 0)
    assert data[16:24] == bytes(8)


def test_two_byte_extensions_are_understood_too() -> None:
    data = packet(
        extension=b"\x01\x01\x55" + b"\x03\x02\x12\x34" + b"\x04\x03abc" + b"\x20\x01x",
        profile=0x1000,
    )
    end = header_bytes(data, len(data))
    assert clean_extensions(data, end, KEEP_ALL, 3, 4, 5) == (0x1234, 0, 25, 0)
    rename_extensions(data, end, bytes((0, 7, 0, 0, 9)) + bytes(11))
    assert data[16:end] == b"\x07\x01\x55" + bytes(4) + b"\x09\x03abc" + bytes(end - 28)


def test_ids_are_changed_to_the_listeners() -> None:
    data = packet(extension=b"\x10\x55" + b"\x42abc" + b"\x50x")
    rename_extensions(data, 24, bytes((0, 7, 0, 0, 9)) + bytes(11))
    assert data[16:24] == b"\x70\x55" + b"\x92abc" + bytes(2)


def test_an_extension_that_runs_over_is_blotted_out() -> None:
    data = packet(extension=b"\x10\x55" + b"\x4f\xff")
    assert clean_extensions(data, 20, KEEP_ALL, 3, 4, 5) == NOWHERE
    assert data[16:20] == b"\x10\x55\0\0"
    assert data[20:] == b"payload"


def test_an_unknown_form_of_extensions_is_blotted_out() -> None:
    data = packet(extension=b"abcd", profile=0x4242)
    clean_extensions(data, 20, KEEP_ALL, 3, 4, 5)
    assert data[16:20] == bytes(4)


def test_a_mid_becomes_the_listeners_where_it_fits() -> None:
    for mid, expected in ((b"1", b"\x501\0\0"), (b"abc", b"\x52abc"), (b"long", bytes(4))):
        data = packet(extension=b"\x52vid")
        put_mid(data, 17, mid)
        assert data[16:20] == expected


@settings(deadline=None, derandomize=True, max_examples=500)
@given(st.binary(min_size=12, max_size=80), st.binary(min_size=16, max_size=16))
def test_any_bytes_are_rewritten_in_place_and_the_payload_stays(noise: bytes, table: bytes) -> None:
    data = bytearray(bytes((0x90 | noise[0] & 0x0F,)) + noise[1:])
    end = header_bytes(data, len(data))
    if end < 0:
        return
    payload = bytes(data[end:])
    value, *places = clean_extensions(data, end, bytes(x & 15 for x in table), 3, 4, 5)
    assert -1 <= value <= 0xFFFF
    assert all(0 <= place < end for place in places)
    if places[2]:
        put_mid(data, places[2], b"mid")
    rename_extensions(data, end, bytes(x >> 4 for x in table))
    assert data[end:] == payload
    assert len(data) == len(noise)
    assert header_bytes(data, len(data)) == end
    padding = padding_bytes(data, end, len(data))
    assert 0 <= padding <= len(data) - end


def test_a_retransmission_becomes_the_packet_that_it_repeats() -> None:
    data = packet(b"\x12\x34" + b"payload", extension=b"\x10\x55")
    seq, size = unwrap_rtx(data, 20, len(data), 96, 77)
    assert (seq, size) == (0x1234, len(data) - 2)
    assert struct.unpack_from("!BBHII", data) == (0x90, 0x80 | 96, 0x1234, 2000, 77)
    assert data[20:size] == b"payload"


def test_bare_padding_of_a_bandwidth_probe_carries_nothing() -> None:
    data = packet(bytes(254) + b"\xff", first=0xA0)
    assert unwrap_rtx(data, 12, len(data), 96, 77) == (-1, 0)
    lying = packet(b"\x01\x02\xff", first=0xA0)
    assert unwrap_rtx(lying, 12, len(lying), 96, 77) == (-1, 0)


def test_padding_behind_a_repeated_payload_is_cut_off() -> None:
    data = packet(b"\x12\x34" + b"abc" + b"\0\0\x03", first=0xA0)
    seq, size = unwrap_rtx(data, 12, len(data), 96, 77)
    assert (seq, bytes(data[12:size])) == (0x1234, b"abc")
    assert not data[0] & 0x20
