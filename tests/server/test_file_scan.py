"""`files.scan` and `files.one_time_download` of the policy, with a real clamd."""

import asyncio
import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from files.scan import Clamd, Verdict
from security.errors import Unavailable

# The harmless string that every scanner calls malicious, in two halves so that this file is not.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD" + b"-ANTIVIRUS-TEST-FILE!$H+H*"
PDF = b"%PDF-1.4\n" + b"1 0 obj <<>> endobj\n" * 50 + b"trailer <<>>\n%%EOF\n"
BAD_PDF = PDF.replace(b"<<>>", b"<<" + EICAR + b">>", 1)


@pytest.fixture(scope="module")
def socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The socket of a clamd that knows one signature, and takes at most 2 MB."""
    folder = tmp_path_factory.mktemp("clamd")
    (folder / "signatures").mkdir()
    (folder / "signatures/own.ndb").write_text(f"Eicar:0:*:{EICAR.hex()}\n")
    conf = [
        f"DatabaseDirectory {folder / 'signatures'}",
        f"LocalSocket {folder / 'clamd.sock'}",
        f"TemporaryDirectory {folder}",
        "Foreground yes",
        "StreamMaxLength 2M",
        *(["User root"] if os.geteuid() == 0 else []),
    ]
    (folder / "clamd.conf").write_text("\n".join(conf) + "\n")
    command = ["clamd", f"--config-file={folder / 'clamd.conf'}"]
    path = f"{os.environ['PATH']}:/usr/sbin"
    daemon = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={"PATH": path}
    )
    try:
        asyncio.run(_until_there(folder / "clamd.sock"))
        yield folder / "clamd.sock"
    finally:
        daemon.terminate()
        daemon.wait(timeout=10)


async def _until_there(socket: Path) -> None:
    async with asyncio.timeout(20):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_unix_connection(socket)
                writer.close()
                return
            await asyncio.sleep(0.02)


async def test_clamd_says_what_it_finds_in_bytes_of_any_size(socket: Path) -> None:
    clamd = Clamd(socket)
    assert await clamd.scan(iter([PDF[:100], PDF[100:]])) is Verdict.CLEAN
    assert await clamd.scan(iter([])) is Verdict.CLEAN
    assert await clamd.scan(iter([BAD_PDF[:80], BAD_PDF[80:]])) is Verdict.FOUND
    assert await clamd.scan(iter([bytes(1_000_000), BAD_PDF])) is Verdict.FOUND


async def test_what_clamd_does_not_take_or_answer_is_never_called_clean(
    socket: Path, tmp_path: Path
) -> None:
    with pytest.raises(Unavailable):
        await Clamd(socket).scan(iter([bytes(1_000_000)] * 5))
    with pytest.raises(Unavailable):
        await Clamd(tmp_path / "nobody").scan(iter([PDF]))

    async def odd(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"stream: OK, or so\0")
        writer.close()

    async def deaf(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    for number, answer in enumerate((odd, deaf)):
        path = tmp_path / f"{number}.sock"
        async with await asyncio.start_unix_server(answer, path):
            with pytest.raises(Unavailable):
                await Clamd(path).scan(iter([PDF]))


@pytest.fixture
async def scanned(make_world: Any, socket: Path) -> Any:
    """A world whose files are scanned."""
    return await make_world(files={"scanner": str(socket)})


async def sent(world: Any, pages: tuple[Any, Any], data: bytes) -> tuple[dict[str, Any], ...]:
    """Send from the counter and return what both ends are shown of it."""
    counter, desk = pages
    call = (await desk.until("call"))["call"]["id"]
    file_id = await world.send_file(counter, call, data)

    def settled(message: dict[str, Any]) -> bool:
        return (
            message["type"] == "file"
            and message["file"]["id"] == file_id
            and message["file"]["state"] in ("offered", "refused")
        )

    return tuple([dict((await page.until_that(settled))["file"]) for page in pages])


async def test_what_the_scanner_finds_is_refused_removed_and_told_to_both(scanned: Any) -> None:
    counter, desk, call = await scanned.talking()
    pages = (counter, desk)
    for shown in await sent(scanned, pages, PDF):
        assert (shown["state"], shown["scanned"]) == ("offered", "clean")
    for number, said in enumerate(("if_available", "required"), start=1):
        scanned.enforce({"files.scan": said}, number)
        for shown in await sent(scanned, pages, BAD_PDF):
            assert (shown["state"], shown["reason"]) == ("refused", "malware")
        folder = scanned.service.parts.settings.data.folder / "blobs"
        assert not list(folder.rglob(f"*{shown['id']}*/*"))
        path = f"/api/v1/calls/{call['id']}/files/{shown['id']}/content"
        assert (await desk.request("GET", path))[0] == 409
    refused = await scanned.refusals("gate:file:offer")
    assert [codes for _, codes in refused] == [["malware"], ["malware"]]
    scanned.enforce({"files.scan": "off"}, 3)
    for shown in await sent(scanned, pages, BAD_PDF):
        assert (shown["state"], shown["scanned"]) == ("offered", None)


@pytest.mark.parametrize("there", [True, False])
async def test_without_an_answer_of_the_scanner_the_policy_says_what_becomes_of_a_file(
    make_world: Any, tmp_path: Path, there: bool
) -> None:
    world = await make_world(files={"scanner": str(tmp_path / "nobody")} if there else {})
    counter, desk, _ = await world.talking()
    for shown in await sent(world, (counter, desk), PDF):
        assert (shown["state"], shown["scanned"]) == ("offered", "not")
    world.enforce({"files.scan": "required"})
    for shown in await sent(world, (counter, desk), PDF):
        assert (shown["state"], shown["reason"]) == ("refused", "not_scanned")


async def test_each_party_gets_a_file_once_where_the_policy_says_so(world: Any) -> None:
    world.enforce({"files.one_time_download": "on"})
    counter, desk, call = await world.talking()
    shown, _ = await sent(world, (counter, desk), PDF)
    path = f"/api/v1/calls/{call['id']}/files/{shown['id']}/content"
    assert shown["closed_to"] == []
    assert (await desk.request("GET", path)) == (200, PDF)
    told = await counter.until_that(lambda m: m["type"] == "file" and m["file"]["closed_to"])
    person = world.town.verifiers[0].id
    assert told["file"]["closed_to"] == [person]
    status, said = await desk.request("GET", path)
    assert (status, said["error"]["code"]) == (403, "already_taken")
    assert await world.refusals("gate:file:read") == [(shown["id"], ["already_taken"])]
    assert (await counter.request("GET", path))[0] == 200  # its own copy is another's
    world.enforce({"files.one_time_download": "off"}, 2)
    assert (await desk.request("GET", path)) == (200, PDF)


async def test_two_downloads_at_once_give_the_file_once(world: Any) -> None:
    world.enforce({"files.one_time_download": "on"})
    counter, desk, call = await world.talking()
    shown, _ = await sent(world, (counter, desk), PDF)
    path = f"/api/v1/calls/{call['id']}/files/{shown['id']}/content"
    both = await asyncio.gather(desk.request("GET", path), desk.request("GET", path))
    assert sorted(status for status, _ in both) == [200, 403]


async def test_a_download_that_breaks_off_does_not_count(world: Any) -> None:
    world.enforce({"files.one_time_download": "on"})
    counter, desk, call = await world.talking()
    noise = os.urandom(3_000_000).replace(b"\n", b"")
    large = PDF.replace(b"trailer", b"%" + noise + b"\ntrailer")
    shown, _ = await sent(world, (counter, desk), large)
    parts, home = world.service.parts, world.town.municipality.id
    url = f"{desk.base_url}/api/v1/calls/{call['id']}/files/{shown['id']}/content?page=desk"
    async with desk.http.get(url, headers=desk.headers) as response:
        await response.content.read(1000)
        response.close()
    async with asyncio.timeout(10):
        while await parts.uploads.had(home, shown["id"], world.town.verifiers[0].id):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    status, fetched = await desk.request("GET", url.removeprefix(desk.base_url))
    assert (status, fetched == large) == (200, True)
