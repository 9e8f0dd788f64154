"""Interrupted sending: nothing acknowledged is lost, nothing is doubled, one sender at a time."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from files.entry import FileState
from files.parts import PART_BYTES
from security.crypto import stream
from security.errors import Conflict
from tests.files.conftest import MIB, MemoryFiles, Tray, in_pieces, pdf


class PeerGone(ConnectionError):
    pass


async def _breaking(content: bytes) -> AsyncIterator[bytes]:
    async for piece in in_pieces(content):
        yield piece
    raise PeerGone


class Stalling:
    """A body whose peer has vanished without a word after `content`."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.stalled = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content
        self.stalled.set()
        await asyncio.Event().wait()


async def test_what_came_before_the_connection_broke_is_kept(tray: Tray) -> None:
    content = pdf(3 * MIB)
    entry = await tray.create(content)
    with pytest.raises(PeerGone):
        await tray.append(entry, 0, _breaking(content[:1_500_000]))
    assert await tray.offset(entry) == 1_500_000
    assert await tray.append(entry, 1_500_000, content[1_500_000:]) == len(content)
    assert (await tray.complete(entry)).state is FileState.OFFERED
    assert await tray.content(entry) == content


async def test_a_killed_process_loses_at_most_the_part_it_was_filling(tray: Tray) -> None:
    content = pdf(4 * MIB)
    entry = await tray.create(content)
    body = Stalling(content[: 2 * MIB + 5_000])
    killed = asyncio.create_task(tray.append(entry, 0, aiter(body)))
    await body.stalled.wait()
    left = {path: path.read_bytes() for path in tray.folder.rglob("*.part")}
    killed.cancel()
    with pytest.raises(asyncio.CancelledError):
        await killed
    for path in tray.folder.rglob("*.part"):  # a kill would not have flushed
        if path not in left:
            path.unlink()
    after = await tray.restarted()
    assert await after.offset(entry) == 2 * MIB
    await after.append(entry, 2 * MIB, content[2 * MIB :])
    offered = await after.complete(entry)
    assert offered.sha256_offered == hashlib.sha256(content).hexdigest()


async def test_an_upload_goes_on_after_a_restart(tray: Tray) -> None:
    content = pdf(2 * MIB)
    entry = await tray.create(content)
    await tray.append(entry, 0, content[:300_000])
    after = await tray.restarted()
    assert await after.offset(entry) == 300_000
    assert await after.append(entry, 300_000, content[300_000:]) == len(content)
    assert await after.content(await after.complete(entry)) == content


async def test_a_half_written_part_does_not_count(tray: Tray) -> None:
    entry = await tray.create(pdf(5_000))
    await tray.append(entry, 0, pdf(5_000)[:2_000])
    folder = next(tray.folder.rglob("0.part")).parent
    (folder / ".new-0123").write_bytes(b"half")
    after = await tray.restarted()
    assert await after.offset(entry) == 2_000
    assert after.on_disk() == ["0.part"]


async def test_a_part_beyond_a_gap_does_not_count(tray: Tray) -> None:
    content = pdf(3 * PART_BYTES)
    entry = await tray.create(content)
    await tray.append(entry, 0, content[: 2 * PART_BYTES + 10])
    next(tray.folder.rglob(f"{PART_BYTES}.part")).unlink()
    assert await tray.offset(entry) == PART_BYTES
    await tray.append(entry, PART_BYTES, content[PART_BYTES:])
    assert await tray.content(await tray.complete(entry)) == content


async def test_every_part_has_its_own_salt_even_when_it_is_sent_again(tray: Tray) -> None:
    content = pdf(2_000)
    entry = await tray.create(content)
    await tray.append(entry, 0, content[:1_000])
    path = next(tray.folder.rglob("0.part"))
    first = path.read_bytes()
    path.unlink()
    await tray.append(entry, 0, content[:1_000])
    second = path.read_bytes()
    assert first[4:36] != second[4:36]
    assert first[36:] != second[36:]


async def test_no_key_and_nonce_seal_twice_over_breaks_restarts_and_the_same_bytes_again(
    tray: Tray, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[tuple[bytes, bytes]] = []

    class Noting:
        """The real cipher, which also notes every key and nonce that it seals with."""

        def __init__(self, key: bytes) -> None:
            self._key, self._cipher = key, AESGCM(key)
            self.decrypt = self._cipher.decrypt

        def encrypt(self, nonce: bytes, data: bytes, associated: bytes) -> bytes:
            used.append((self._key, nonce))
            return self._cipher.encrypt(nonce, data, associated)

    monkeypatch.setattr(stream, "AESGCM", Noting)
    content = pdf(200_000)
    entry = await tray.create(content)
    for end in (70_000, 150_000):
        with pytest.raises(PeerGone):
            await tray.append(entry, await tray.offset(entry), _breaking(content[:end]))
        tray = await tray.restarted()
        part = max(tray.folder.rglob("*.part"), key=lambda one: int(one.stem))
        part.unlink()  # what came last is lost and sent once more
    offset = await tray.offset(entry)
    await tray.append(entry, offset, content[offset:])
    assert await tray.content(await tray.complete(entry)) == content
    assert len(used) > 8  # chunks of the parts, of the parts sent again, of the file, its name
    assert len(set(used)) == len(used)


@pytest.mark.parametrize("offset", [0, 999, 1_001])
async def test_a_patch_at_another_offset_changes_nothing(tray: Tray, offset: int) -> None:
    content = pdf(5_000)
    entry = await tray.create(content)
    await tray.append(entry, 0, content[:1_000])
    with pytest.raises(Conflict) as caught:
        await tray.append(entry, offset, content[offset:])
    assert caught.value.code == "wrong_offset"
    assert await tray.offset(entry) == 1_000


async def test_only_one_request_sends_a_file_at_a_time(tray: Tray) -> None:
    content = pdf(5_000)
    entry = await tray.create(content)
    body = Stalling(content[:1_000])
    first = asyncio.create_task(tray.append(entry, 0, aiter(body)))
    await body.stalled.wait()
    with pytest.raises(Conflict):
        await tray.append(entry, 0, content)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert await tray.offset(entry) == 1_000


async def test_a_sender_that_comes_back_does_not_wait_for_its_dead_connection(tray: Tray) -> None:
    content = pdf(5_000)
    entry = await tray.create(content)
    body = Stalling(content[:1_000])
    dead = asyncio.create_task(tray.append(entry, 0, aiter(body)))
    await body.stalled.wait()
    assert await tray.offset(entry) == 1_000
    with pytest.raises(Conflict):
        await dead
    assert await tray.append(entry, 1_000, content[1_000:]) == 5_000
    assert (await tray.complete(entry)).state is FileState.OFFERED


async def test_a_file_is_withdrawn_under_a_running_patch(tray: Tray) -> None:
    entry = await tray.create(pdf(5_000))
    body = Stalling(pdf(5_000)[:1_000])
    running = asyncio.create_task(tray.append(entry, 0, aiter(body)))
    await body.stalled.wait()
    permit = await tray.permit("file.withdraw", entry.id)
    await tray.uploads.withdraw(permit, "call-1", entry.id, "counter")
    with pytest.raises(Conflict):
        await running
    assert tray.on_disk() == []


async def test_closing_the_call_drops_what_arrives_and_keeps_what_is_offered(tray: Tray) -> None:
    offered = await tray.send(pdf())
    waiting = await tray.create(pdf(5_000))
    await tray.append(waiting, 0, pdf(5_000)[:1_000])
    running = await tray.create(pdf(6_000))
    body = Stalling(pdf(6_000)[:1_000])
    patch = asyncio.create_task(tray.append(running, 0, aiter(body)))
    await body.stalled.wait()
    await tray.uploads.drop_unfinished("m", "call-1")
    with pytest.raises(Conflict):
        await patch
    entries = await tray.uploads.list_of_call(await tray.permit("call.read"), "call-1")
    assert [e.state for e in entries] == [
        FileState.OFFERED,
        FileState.WITHDRAWN,
        FileState.WITHDRAWN,
    ]
    assert tray.on_disk() == ["offered"]
    assert await tray.content(offered) == pdf()


async def test_what_arrives_in_a_call_that_is_over_is_dropped_after_a_restart(tray: Tray) -> None:
    offered = await tray.send(pdf())
    left = await tray.create(pdf(5_000))
    await tray.append(left, 0, pdf(5_000)[:1_000])
    after = await tray.restarted()
    await after.uploads.drop_orphans({"call-1"})
    assert await after.offset(left) == 1_000
    await after.uploads.drop_orphans({"call-2"})
    assert tray.store.files[left.id].entry.state is FileState.WITHDRAWN
    assert tray.on_disk() == ["offered"]
    assert await after.content(offered) == pdf()


async def test_a_file_of_a_destroyed_key_does_not_hinder_dropping_the_others(tray: Tray) -> None:
    sealed_away, left = await tray.create(pdf(5_000)), await tray.create(pdf(6_000))
    stored = tray.store.files[sealed_away.id]
    gone = replace(stored, entry=replace(stored.entry, call_id="call-gone"))
    tray.store.files[sealed_away.id] = gone
    await tray.uploads.drop_orphans(set())
    assert tray.store.files[left.id].entry.state is FileState.WITHDRAWN


async def test_a_file_that_was_being_checked_is_checked_after_a_restart(tray: Tray) -> None:
    entry = await tray.create(pdf())
    await tray.append(entry, 0, pdf())
    tray.store.put_back(entry.id, FileState.CHECKING)
    after = await tray.restarted()
    (found,) = await after.uploads.list_of_call(await after.permit("call.read"), "call-1")
    assert found.state is FileState.OFFERED
    assert await after.content(found) == pdf()
    assert after.on_disk() == ["offered"]


async def test_a_file_that_had_arrived_in_full_is_checked_after_a_restart(tray: Tray) -> None:
    entry = await tray.create(pdf())
    await tray.append(entry, 0, pdf())
    after = await tray.restarted()
    assert tray.store.files[entry.id].entry.state is FileState.OFFERED
    assert await after.offset(entry) == len(pdf())


async def test_a_process_killed_between_blob_and_store_is_made_good(tray: Tray) -> None:
    entry = await tray.create(pdf())
    await tray.append(entry, 0, pdf())
    before = next(tray.folder.rglob("0.part")).read_bytes()
    offered = await tray.complete(entry)
    place = next(tray.folder.rglob("offered")).parent
    (place / "0.part").write_bytes(before)
    after = await tray.restarted()  # killed before the parts were removed
    assert after.on_disk() == ["offered"]
    (place / "0.part").write_bytes(before)
    tray.store.put_back(entry.id, FileState.CHECKING)
    after = await tray.restarted()  # killed before the store knew of the blob
    assert after.on_disk() == ["offered"]
    assert await after.content(offered) == pdf()


async def test_one_file_that_cannot_be_taken_up_does_not_hinder_the_others(tray: Tray) -> None:
    lost = await tray.create(pdf(2_000))
    good = await tray.create(pdf())
    for entry in (lost, good):
        await tray.append(entry, 0, pdf(entry.size_bytes))
        tray.store.put_back(entry.id, FileState.CHECKING)
    part = next((tray.folder / "m/call-1" / lost.id).iterdir())
    part.write_bytes(part.read_bytes()[:-1] + b"\0")
    await tray.restarted()
    states = {file.entry.id: file.entry for file in tray.store.files.values()}
    assert (states[lost.id].state, states[lost.id].reason) == (FileState.REFUSED, "corrupt")
    assert states[good.id].state is FileState.OFFERED


async def test_a_completed_file_tells_a_sender_whose_answer_was_lost(tray: Tray) -> None:
    entry = await tray.send(pdf())
    assert await tray.offset(entry) == entry.size_bytes
    assert await tray.complete(entry) == entry
    assert tray.told.count((FileState.OFFERED, entry.size_bytes)) == 1


async def test_two_requests_that_complete_a_file_both_hear_how_it_ended(tray: Tray) -> None:
    entry = await tray.create(pdf())
    await tray.append(entry, 0, pdf())
    one, two = await asyncio.gather(tray.complete(entry), tray.complete(entry))
    assert one == two
    assert one.state is FileState.OFFERED
    assert tray.told.count((FileState.OFFERED, entry.size_bytes)) == 1


async def test_a_file_with_bytes_missing_is_not_completed(tray: Tray) -> None:
    entry = await tray.create(pdf())
    await tray.append(entry, 0, pdf()[:-1])
    with pytest.raises(Conflict):
        await tray.complete(entry)
    assert tray.store.files[entry.id].entry.state is FileState.ARRIVING


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cuts=st.lists(st.integers(0, 2_500_000), max_size=5), breaks=st.lists(st.booleans()))
async def test_any_order_of_breaks_and_restarts_gives_the_same_file(
    tray: Tray, cuts: list[int], breaks: list[bool]
) -> None:
    tray = Tray.over(tray.folder, MemoryFiles())
    content = pdf(2_500_000)
    entry = await tray.create(content)
    for number, cut in enumerate(sorted(cuts)):
        offset = await tray.offset(entry)
        piece = content[offset:cut]
        if number < len(breaks) and breaks[number]:
            with pytest.raises(PeerGone):
                await tray.append(entry, offset, _breaking(piece))
            tray = await tray.restarted() if offset + len(piece) < len(content) else tray
        else:
            assert await tray.append(entry, offset, piece) == offset + len(piece)
    offset = await tray.offset(entry)
    await tray.append(entry, offset, content[offset:])
    assert await tray.content(await tray.complete(entry)) == content
