"""The names that the engine takes from libraries, and the memory it shares with them."""

from media.libs import PROFILES, PacketBuffer, SrtpSession, moved_names


def test_no_name_that_the_engine_needs_has_moved() -> None:
    assert moved_names() == []


def test_srtp_works_in_place_and_refuses_what_was_changed_or_comes_twice() -> None:
    _, profile, key_bytes, salt_bytes = PROFILES[0]
    key = bytes(range(key_bytes + salt_bytes))
    sender = SrtpSession(key, profile, inbound=False)
    receiver = SrtpSession(key, profile, inbound=True)
    packet = bytes.fromhex("8060000100000001000000ff") + b"hello"
    buffer = PacketBuffer()
    buffer.view[: len(packet)] = packet

    size = sender.protect(buffer.pointer, len(packet))
    sealed = bytes(buffer.view[:size])

    assert size == len(packet) + 16
    assert b"hello" not in sealed
    assert receiver.unprotect(buffer.pointer, size) == len(packet)
    assert bytes(buffer.view[: len(packet)]) == packet
    buffer.view[:size] = sealed
    assert receiver.unprotect(buffer.pointer, size) == -1
    buffer.view[:size] = sealed[:-1] + bytes((sealed[-1] ^ 1,))
    assert receiver.unprotect(buffer.pointer, size) == -1


def test_a_repeated_packet_is_sealed_to_the_same_bytes() -> None:
    _, profile, key_bytes, salt_bytes = PROFILES[0]
    sender = SrtpSession(bytes(key_bytes + salt_bytes), profile, inbound=False)
    buffer = PacketBuffer()
    sealed = []
    for _ in range(2):
        buffer.view[:13] = bytes.fromhex("8060000100000001000000ff") + b"!"
        sealed.append(bytes(buffer.view[: sender.protect(buffer.pointer, 13)]))
    assert sealed[0] == sealed[1]
