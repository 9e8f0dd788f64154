"""Files that are refused: said why, nothing half-kept, nothing lost of the rest."""

import asyncio
import hashlib

import pytest

from files import uploads
from files.entry import FileState
from files.picture import MAX_PIXELS
from security.errors import Conflict, NotFound, ProtocolError, TooMuch
from tests.files.conftest import MIB, Tray, bomb_png, encoded, in_pieces, pdf, pixels


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"MZ" + bytes(5_000), "wrong_type"),
        (b"<html>" + pdf(), "wrong_type"),
        (pdf() + b"PK\x05\x06" + bytes(18), "wrong_type"),
        (encoded(".jpg", pixels())[:300], "wrong_type"),
        (bomb_png(MAX_PIXELS, 2), "too_large"),
    ],
    ids=["program", "html", "archive", "half a picture", "bomb"],
)
async def test_what_must_not_pass_is_refused_and_none_of_it_kept(
    tray: Tray, content: bytes, reason: str
) -> None:
    good = await tray.send(pdf())
    entry = await tray.send(content, "申請書.pdf")
    assert (entry.state, entry.reason) == (FileState.REFUSED, reason)
    assert (entry.media_type, entry.sha256_offered, entry.offered_bytes) == (None, None, None)
    assert tray.told[-1] == (FileState.REFUSED, 0)
    with pytest.raises(Conflict):
        await tray.content(entry)
    with pytest.raises(NotFound):
        await tray.offset(entry)
    assert tray.on_disk() == ["offered"]
    assert await tray.content(good) == pdf()


async def test_a_file_with_another_hash_than_announced_is_refused(tray: Tray) -> None:
    entry = await tray.create(pdf(), sha256=hashlib.sha256(b"other").hexdigest())
    await tray.append(entry, 0, pdf())
    refused = await tray.complete(entry)
    assert (refused.state, refused.reason) == (FileState.REFUSED, "hash_mismatch")
    assert tray.on_disk() == []


async def test_a_body_with_another_checksum_is_thrown_away_and_may_be_sent_again(
    tray: Tray,
) -> None:
    content = pdf(3 * MIB)
    entry = await tray.create(content)
    await tray.append(entry, 0, content[:10], hashlib.sha256(content[:10]).digest())
    body = content[10:]
    with pytest.raises(ProtocolError) as caught:
        await tray.append(entry, 10, b"x" + body[1:], hashlib.sha256(body).digest())
    assert (caught.value.code, caught.value.status) == ("checksum_mismatch", 460)
    assert await tray.offset(entry) == 10
    assert tray.on_disk() == ["0.part"]
    await tray.append(entry, 10, body, hashlib.sha256(body).digest())
    assert (await tray.complete(entry)).state is FileState.OFFERED


async def test_bytes_beyond_the_announced_length_are_thrown_away_with_their_body(
    tray: Tray,
) -> None:
    content = pdf(2 * MIB)
    entry = await tray.create(content)
    await tray.append(entry, 0, content[:1_000])
    with pytest.raises(TooMuch) as caught:
        await tray.append(entry, 1_000, content[1_000:] + b"!")
    assert (caught.value.code, caught.value.limit) == ("too_large", 2 * MIB)
    assert await tray.offset(entry) == 1_000


async def test_a_body_whose_length_is_too_large_is_refused_unread(tray: Tray) -> None:
    entry = await tray.create(pdf())
    body = in_pieces(pdf())
    with pytest.raises(TooMuch):
        await tray.uploads.append(
            await tray.permit("file.send"),
            "call-1",
            entry.id,
            "counter",
            0,
            body,
            body_bytes=1_001,
        )
    assert await anext(body) == pdf()


async def test_a_file_that_comes_in_too_many_crumbs_is_stopped(
    tray: Tray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MAX_EXTRA_PARTS", 3)
    entry = await tray.create(pdf())
    for offset in range(4):
        await tray.append(entry, offset, pdf()[offset : offset + 1])
    with pytest.raises(TooMuch) as caught:
        await tray.append(entry, 4, pdf()[4:5])
    assert caught.value.status == 429


async def test_empty_bodies_leave_no_trace(tray: Tray) -> None:
    entry = await tray.create(pdf())
    for _ in range(3):
        assert await tray.append(entry, 0, b"") == 0
    assert tray.on_disk() == []


async def test_checking_a_large_photo_leaves_the_loop_free(tray: Tray) -> None:
    photo = encoded(".jpg", pixels(3_000, 2_000))
    entry = await tray.create(photo, "写真.jpg")
    await tray.append(entry, 0, photo)
    checking = asyncio.create_task(tray.complete(entry))
    turns = 0
    while not checking.done():
        await asyncio.sleep(0)
        turns += 1
    assert (await checking).state is FileState.OFFERED
    assert turns > 50
