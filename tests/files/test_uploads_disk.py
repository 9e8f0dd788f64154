"""A disk that is full, or would be: said why, room left for the rest, nothing half-kept."""

from pathlib import Path

import pytest

from files.entry import FileState
from security.errors import NotFound, Unavailable
from tests.files.conftest import MemoryFiles, Tray, pdf


@pytest.mark.fault
async def test_a_file_that_would_not_fit_is_refused_before_a_byte_is_sent(
    small_disk: Path,
) -> None:
    tray = Tray.over(small_disk / "blobs", MemoryFiles())
    with pytest.raises(Unavailable) as caught:
        await tray.create(pdf(600_000))
    assert caught.value.code == "disk_full"
    assert tray.store.files == {}


@pytest.mark.fault
async def test_a_disk_that_fills_up_under_a_patch_refuses_that_file_only(small_disk: Path) -> None:
    tray = Tray.over(small_disk / "blobs", MemoryFiles())
    good = await tray.send(pdf(50_000))
    content = pdf(400_000)
    entry = await tray.create(content)
    (small_disk / "other").write_bytes(bytes(750_000))
    with pytest.raises(Unavailable) as caught:
        await tray.append(entry, 0, content)
    assert caught.value.code == "disk_full"
    assert tray.told[-1] == (FileState.REFUSED, 0)
    assert tray.store.files[entry.id].entry.reason == "disk_full"
    assert tray.on_disk() == ["offered"]
    assert await tray.content(good) == pdf(50_000)
    (small_disk / "other").unlink()
    assert (await tray.send(content)).state is FileState.OFFERED


@pytest.mark.fault
async def test_a_disk_that_is_full_at_the_last_step_refuses_the_file(small_disk: Path) -> None:
    tray = Tray.over(small_disk / "blobs", MemoryFiles())
    content = pdf(400_000)
    entry = await tray.create(content)
    await tray.append(entry, 0, content)
    (small_disk / "other").write_bytes(bytes(400_000))
    refused = await tray.complete(entry)
    assert (refused.state, refused.reason) == (FileState.REFUSED, "disk_full")
    assert tray.on_disk() == []


@pytest.mark.fault
async def test_files_that_fit_alone_but_not_together_are_not_both_begun(small_disk: Path) -> None:
    tray = Tray.over(small_disk / "blobs", MemoryFiles())
    first = await tray.create(pdf(300_000))
    with pytest.raises(Unavailable) as caught:
        await tray.create(pdf(300_001))
    assert caught.value.code == "disk_full"
    assert (await tray.send_on(first, pdf(300_000))).state is FileState.OFFERED
    assert (await tray.send(pdf(300_001))).state is FileState.OFFERED


@pytest.mark.fault
async def test_what_was_promised_to_a_file_is_promised_after_a_restart(small_disk: Path) -> None:
    tray = Tray.over(small_disk / "blobs", MemoryFiles())
    first = await tray.create(pdf(300_000))
    await tray.append(first, 0, pdf(300_000)[:1_000])
    after = await tray.restarted()
    with pytest.raises(Unavailable):
        await after.create(pdf(300_001))
    await after.uploads.withdraw(
        await after.permit("file.withdraw", first.id), "call-1", first.id, "counter"
    )
    assert (await after.send(pdf(300_001))).state is FileState.OFFERED


@pytest.mark.fault
async def test_no_blob_takes_of_the_room_that_is_kept_for_the_rest(small_disk: Path) -> None:
    tray = Tray.over(small_disk / "blobs", MemoryFiles(), keep_free_bytes=500_000)
    content = pdf(200_000)
    entry = await tray.create(content)
    (small_disk / "other").write_bytes(bytes(400_000))
    with pytest.raises(Unavailable) as caught:
        await tray.append(entry, 0, content)
    assert caught.value.code == "disk_full"
    (small_disk / "database").write_bytes(bytes(500_000))


async def test_bytes_go_even_when_the_store_cannot_say_so(tray: Tray) -> None:
    entry = await tray.create(pdf())
    await tray.append(entry, 0, pdf()[:500])
    tray.store.failures = 2
    permit = await tray.permit("file.withdraw", entry.id)
    with pytest.raises(Unavailable):
        await tray.uploads.withdraw(permit, "call-1", entry.id, "counter")
    assert tray.on_disk() == []
    assert await tray.offset(entry) == 0
    assert (await tray.send_on(entry, pdf())).state is FileState.OFFERED


async def test_bytes_make_room_for_the_line_that_says_they_are_gone(tray: Tray) -> None:
    entry = await tray.create(pdf())
    await tray.append(entry, 0, pdf()[:500])
    tray.store.failures = 1
    permit = await tray.permit("file.withdraw", entry.id)
    withdrawn = await tray.uploads.withdraw(permit, "call-1", entry.id, "counter")
    assert withdrawn.state is FileState.WITHDRAWN
    with pytest.raises(NotFound):
        await tray.offset(entry)


async def test_a_file_whose_check_the_store_did_not_take_is_checked_again(tray: Tray) -> None:
    entry = await tray.create(pdf())
    await tray.append(entry, 0, pdf())
    tray.store.put_back(entry.id, FileState.CHECKING)
    tray.store.failures = 1
    with pytest.raises(Unavailable):
        await tray.complete(entry)
    offered = await tray.complete(entry)
    assert offered.state is FileState.OFFERED
    assert await tray.content(offered) == pdf()


async def test_a_file_under_check_whose_bytes_are_gone_is_refused(tray: Tray) -> None:
    entry = await tray.create(pdf())
    await tray.append(entry, 0, pdf())
    tray.store.put_back(entry.id, FileState.CHECKING)
    tray.blobs.delete_folder(f"m/call-1/{entry.id}")
    refused = await tray.complete(entry)
    assert (refused.state, refused.reason) == (FileState.REFUSED, "unavailable")
