"""A file's way from the first byte to the other side."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from files.entry import FileEntry, FileState
from files.tus import Creation
from security.errors import Conflict, Corrupt, Denied, NotFound, TooMuch
from tests.files.conftest import MIB, T0, Tray, decoded, encoded, pdf, pixels, with_exif


async def test_a_pdf_arrives_unchanged_and_both_hashes_are_known(tray: Tray) -> None:
    content = pdf(3 * MIB + 17)
    entry = await tray.send(content)
    digest = hashlib.sha256(content).hexdigest()
    assert (entry.state, entry.media_type) == (FileState.OFFERED, "application/pdf")
    assert (entry.sha256_sent, entry.sha256_offered) == (digest, digest)
    assert (entry.size_bytes, entry.offered_bytes) == (len(content), len(content))
    assert await tray.content(entry) == content
    assert tray.on_disk() == ["offered"]


async def test_a_photo_is_offered_without_its_metadata(tray: Tray) -> None:
    photo = with_exif(encoded(".jpg", pixels()), 6)
    entry = await tray.send(photo, "写真.jpg")
    offered = await tray.content(entry)
    assert (entry.state, entry.media_type) == (FileState.OFFERED, "image/jpeg")
    assert decoded(offered).shape == (60, 40, 3)
    assert b"CAMERA!" not in offered
    assert entry.sha256_sent == hashlib.sha256(photo).hexdigest()
    assert entry.sha256_offered == hashlib.sha256(offered).hexdigest()
    assert entry.offered_bytes == len(offered)


async def test_a_png_is_offered_with_every_pixel(tray: Tray) -> None:
    entry = await tray.send(encoded(".png", pixels()), "a.png")
    assert np.array_equal(decoded(await tray.content(entry)), pixels())


async def test_the_bytes_win_over_the_name(tray: Tray) -> None:
    entry = await tray.send(encoded(".png", pixels()), "請求書.pdf")
    assert (entry.media_type, entry.name) == ("image/png", "請求書.pdf.png")


async def test_every_change_is_told_with_the_bytes_received(tray: Tray) -> None:
    content = pdf(2 * MIB + 5)
    await tray.send(content)
    assert tray.told == [
        (FileState.ARRIVING, 0),
        (FileState.ARRIVING, MIB),
        (FileState.ARRIVING, 2 * MIB),
        (FileState.ARRIVING, len(content)),
        (FileState.CHECKING, len(content)),
        (FileState.OFFERED, len(content)),
    ]


async def test_a_listener_that_fails_does_not_harm_the_file(tray: Tray) -> None:
    async def fail(entry: FileEntry, received_bytes: int) -> None:
        raise RuntimeError("nobody there")

    tray.uploads.listen(fail)
    assert (await tray.send(pdf())).state is FileState.OFFERED


async def test_a_range_of_an_offered_file_is_read(tray: Tray) -> None:
    content = pdf(200_000)
    entry = await tray.send(content)
    permit = await tray.permit("file.read", entry.id)
    async with await tray.uploads.open(permit, "call-1", entry.id, "desk", now=T0) as opened:
        assert opened.length == len(content)
        assert await opened.read(65_530, 65_540) == content[65_530:65_540]
        pieces = [piece async for piece in opened.pieces(100_000, 2**40)]
        assert b"".join(pieces) == content[100_000:]


async def test_neither_name_nor_bytes_lie_open_on_the_disk(tray: Tray) -> None:
    content = pdf(300_000)
    entry = await tray.create(content, "架空太郎.pdf")
    await tray.append(entry, 0, content)

    def lies_open() -> bool:
        files = [path for path in tray.folder.rglob("*") if path.is_file()]
        return any(content[100:120] in path.read_bytes() for path in files)

    assert tray.on_disk() == ["0.part"]
    assert not lies_open()
    await tray.complete(entry)
    assert not lies_open()
    stored = tray.store.files[entry.id]
    assert stored.entry.name == ""
    assert "架空".encode() not in stored.name_sealed


async def test_the_files_of_a_call_are_listed_with_their_names(tray: Tray) -> None:
    one = await tray.send(pdf(), "一.pdf")
    two = await tray.create(pdf(), "二.pdf")
    permit = await tray.permit("call.read")
    assert await tray.uploads.list_of_call(permit, "call-1") == [one, two]
    assert [await tray.uploads.received_bytes(e) for e in (one, two)] == [1_000, 0]
    elsewhere = await tray.permit("call.read", "call-2")
    assert await tray.uploads.list_of_call(elsewhere, "call-2") == []


async def test_a_file_is_withdrawn_while_it_arrives_and_not_later(tray: Tray) -> None:
    entry = await tray.create(pdf(5_000))
    await tray.append(entry, 0, pdf(5_000)[:2_000])
    permit = await tray.permit("file.withdraw", entry.id)
    withdrawn = await tray.uploads.withdraw(permit, "call-1", entry.id, "counter")
    assert withdrawn.state is FileState.WITHDRAWN
    assert tray.on_disk() == []
    with pytest.raises(NotFound):
        await tray.offset(entry)
    with pytest.raises(Conflict) as caught:
        await tray.append(entry, 2_000, b"more")
    assert caught.value.code == "wrong_state"
    offered = await tray.send(pdf())
    permit = await tray.permit("file.withdraw", offered.id)
    with pytest.raises(Conflict):
        await tray.uploads.withdraw(permit, "call-1", offered.id, "counter")
    assert await tray.content(offered) == pdf()


async def test_the_other_party_reads_but_neither_sends_nor_withdraws(tray: Tray) -> None:
    entry = await tray.create(pdf())
    sending = await tray.permit("file.send")
    withdrawing = await tray.permit("file.withdraw", entry.id)

    async def nothing() -> None:
        await tray.uploads.offset(sending, "call-1", entry.id, "desk")

    with pytest.raises(Denied):
        await nothing()
    with pytest.raises(Denied):
        await tray.uploads.complete(sending, "call-1", entry.id, "desk")
    with pytest.raises(Denied):
        await tray.uploads.withdraw(withdrawing, "call-1", entry.id, "desk")


async def test_a_permit_opens_only_what_it_was_given_for(tray: Tray) -> None:
    entry = await tray.send(pdf())
    other = await tray.send(pdf(2_000))
    for action, subject in (
        ("file.read", other.id),
        ("file.send", entry.id),
        ("file.read", "call-1"),
    ):
        with pytest.raises(Denied):
            await tray.uploads.open(
                await tray.permit(action, subject), "call-1", entry.id, "desk", now=T0
            )
    creation = Creation("a", 1, "0" * 64)
    with pytest.raises(Denied):
        await tray.uploads.create(
            await tray.permit("file.send", "call-2"), "call-1", "desk", "p", creation, now=T0
        )


async def test_a_file_of_another_call_or_municipality_is_not_found(tray: Tray) -> None:
    entry = await tray.send(pdf())
    with pytest.raises(NotFound):
        await tray.uploads.open(
            await tray.permit("file.read", entry.id), "call-2", entry.id, "desk", now=T0
        )
    foreign = await tray.permit("file.read", entry.id, municipality="other")
    with pytest.raises(NotFound):
        await tray.uploads.open(foreign, "call-1", entry.id, "desk", now=T0)


async def test_a_file_cannot_be_read_before_it_is_offered(tray: Tray) -> None:
    entry = await tray.create(pdf())
    await tray.append(entry, 0, pdf())
    with pytest.raises(Conflict):
        await tray.content(entry)


async def test_bytes_changed_on_the_disk_are_corrupt(tray: Tray) -> None:
    entry = await tray.send(pdf(200_000))
    (path,) = tray.folder.rglob("offered")
    sealed = bytearray(path.read_bytes())
    sealed[1_000] ^= 1
    path.write_bytes(sealed)
    with pytest.raises(Corrupt):
        await tray.content(entry)


async def test_the_blob_of_another_file_does_not_open_in_its_place(tray: Tray) -> None:
    one, two = await tray.send(pdf(5_000)), await tray.send(pdf(6_000))
    offered = tray.folder / "m/call-1"
    (offered / one.id / "offered").write_bytes((offered / two.id / "offered").read_bytes())
    with pytest.raises(Corrupt):
        await tray.content(one)


async def test_a_file_over_the_limit_is_refused_before_a_byte_is_sent(small_tray: Tray) -> None:
    with pytest.raises(TooMuch) as caught:
        await small_tray.create(pdf(1_001))
    assert (caught.value.code, caught.value.limit) == ("too_large", 1_000)
    assert small_tray.store.files == {}


async def test_a_call_takes_only_so_many_files(small_tray: Tray) -> None:
    await small_tray.send(pdf())
    await small_tray.create(pdf())
    with pytest.raises(TooMuch) as caught:
        await small_tray.create(pdf())
    assert (caught.value.code, caught.value.limit) == ("too_many_files", 2)


async def test_a_destroyed_key_leaves_no_file_readable(tray: Tray) -> None:
    entry = await tray.send(pdf())
    del tray.keys["call-1"]
    with pytest.raises(NotFound):
        await tray.content(entry)


async def test_a_name_in_the_store_cannot_be_moved_to_another_file(tray: Tray) -> None:
    one, two = await tray.send(pdf()), await tray.send(pdf())
    moved = replace(tray.store.files[two.id], name_sealed=tray.store.files[one.id].name_sealed)
    tray.store.files[two.id] = moved
    with pytest.raises(Corrupt):
        await tray.content(two)
