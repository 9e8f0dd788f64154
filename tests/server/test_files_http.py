"""Files over HTTP, as a page sends and fetches them."""

import asyncio
import base64
import hashlib
import io
from typing import Any

import cv2
import numpy as np

TUS = {"Tus-Resumable": "1.0.0"}
PDF = b"%PDF-1.4\n" + b"1 0 obj <<>> endobj\n" * 50 + b"trailer <<>>\n%%EOF\n"


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


async def create(page: Any, call_id: str, data: bytes, name: str, **more: Any) -> Any:
    digest = more.get("sha256", hashlib.sha256(data).hexdigest())
    meta = f"filename {b64(name.encode())},sha256 {b64(digest.encode())}"
    length = str(more.get("length", len(data)))
    return await page.request(
        "POST",
        f"/api/v1/calls/{call_id}/files",
        headers=TUS | {"Upload-Length": length, "Upload-Metadata": meta},
    )


async def patch(page: Any, data: bytes, offset: int, **headers: str) -> Any:
    kind = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset)}
    return await page.request(
        "PATCH", page.location, headers=TUS | kind | headers, data=io.BytesIO(data)
    )


async def send(page: Any, call_id: str, data: bytes, name: str, **more: Any) -> str:
    status, body = await create(page, call_id, data, name, **more)
    assert status == 201, body
    page.location = page.last_headers["Location"]
    status, body = await patch(page, data, 0)
    assert status == 204, body
    return str(page.location.split("?")[0].rsplit("/", 1)[1])


async def last_of(page: Any, file_id: str, *states: str) -> dict[str, Any]:
    message = await page.until_that(
        lambda m: (
            m["type"] == "file" and m["file"]["id"] == file_id and m["file"]["state"] in states
        )
    )
    return dict(message["file"])


async def test_a_pdf_passes_unchanged_both_ways(world: Any) -> None:
    counter, desk, call = await world.talking()
    for sender, receiver in ((counter, desk), (desk, counter)):
        file_id = await send(sender, call["id"], PDF, "申請書.pdf")
        shown = await last_of(receiver, file_id, "offered")
        assert shown["sha256_sent"] == shown["sha256_offered"] == hashlib.sha256(PDF).hexdigest()
        assert shown["name"] == "申請書.pdf"
        path = f"/api/v1/calls/{call['id']}/files/{file_id}/content"
        status, fetched = await receiver.request("GET", path)
        assert (status, fetched) == (200, PDF)
        assert receiver.last_headers["Content-Disposition"].startswith("attachment")
        assert receiver.last_headers["X-Content-Type-Options"] == "nosniff"


async def test_a_picture_is_rebuilt_and_both_hashes_are_shown(world: Any) -> None:
    counter, desk, call = await world.talking()
    ok, jpeg = cv2.imencode(".jpg", np.full((60, 80, 3), 200, np.uint8))
    assert ok
    data = jpeg.tobytes()
    file_id = await send(counter, call["id"], data, "写真.jpg")
    shown = await last_of(desk, file_id, "offered")
    assert shown["type"] == "image/jpeg"
    assert shown["sha256_sent"] == hashlib.sha256(data).hexdigest()
    path = f"/api/v1/calls/{call['id']}/files/{file_id}/content?inline=1&page=desk"
    _, fetched = await desk.request("GET", path)
    assert hashlib.sha256(fetched).hexdigest() == shown["sha256_offered"]
    assert desk.last_headers["Content-Disposition"].startswith("inline")


async def test_a_wrong_type_is_refused_with_its_reason_and_nothing_is_kept(world: Any) -> None:
    counter, desk, call = await world.talking()
    file_id = await send(counter, call["id"], b"MZ" + b"\0" * 500, "安全.pdf")
    shown = await last_of(desk, file_id, "refused")
    assert shown["reason"] == "wrong_type"
    path = f"/api/v1/calls/{call['id']}/files/{file_id}/content"
    status, body = await desk.request("GET", path)
    assert (status, body["error"]["code"]) == (409, "wrong_state")


async def test_a_hash_that_does_not_match_is_refused(world: Any) -> None:
    counter, desk, call = await world.talking()
    file_id = await send(counter, call["id"], PDF, "a.pdf", sha256="0" * 64)
    assert (await last_of(desk, file_id, "refused"))["reason"] == "hash_mismatch"


async def test_a_file_over_the_limit_is_refused_before_a_byte_is_sent(make_world: Any) -> None:
    world = await make_world(files={"max_bytes": 1_000_000})
    counter, _, call = await world.talking()
    status, body = await create(counter, call["id"], b"", "a.pdf", length=1_000_001)
    assert (status, body["error"]["code"]) == (413, "too_large")
    assert body["error"]["limit"] == 1_000_000
    status, _ = await create(counter, call["id"], b"", "a.pdf", length=1_000_000)
    assert status == 201


async def test_an_upload_goes_on_after_a_restart_in_the_middle(make_world: Any) -> None:
    world = await make_world()
    counter, desk, call = await world.talking()
    data = PDF[:-6] + b" " * 3_000_000 + b"%%EOF\n"
    status, _ = await create(counter, call["id"], data, "大.pdf")
    assert status == 201
    counter.location = counter.last_headers["Location"]
    assert (await patch(counter, data[:1_500_000], 0))[0] == 204
    for page in (counter, desk):
        await page.leave()
    again = await make_world.restart(world)
    counter.base_url = desk.base_url = again.service.base_url
    await counter.connect()
    await desk.connect()
    status, _ = await counter.request("HEAD", counter.location, headers=TUS)
    assert status == 200
    offset = int(counter.last_headers["Upload-Offset"])
    assert offset == 1_500_000
    assert (await patch(counter, data[offset:], offset))[0] == 204
    file_id = counter.location.split("?")[0].rsplit("/", 1)[1]
    shown = await last_of(desk, file_id, "offered")
    assert shown["sha256_offered"] == hashlib.sha256(data).hexdigest()


async def test_a_wrong_offset_and_a_wrong_checksum_lose_nothing(world: Any) -> None:
    counter, _, call = await world.talking()
    await create(counter, call["id"], PDF, "a.pdf")
    counter.location = counter.last_headers["Location"]
    status, body = await patch(counter, PDF, 5)
    assert (status, body["error"]["code"]) == (409, "wrong_offset")
    wrong = f"sha256 {b64(hashlib.sha256(b'x').digest())}"
    status, _ = await patch(counter, PDF, 0, **{"Upload-Checksum": wrong})
    assert status == 460
    right = f"sha256 {b64(hashlib.sha256(PDF).digest())}"
    status, _ = await patch(counter, PDF, 0, **{"Upload-Checksum": right})
    assert status == 204


async def test_only_the_sender_withdraws(world: Any) -> None:
    counter, desk, call = await world.talking()
    await create(counter, call["id"], PDF, "a.pdf")
    path = counter.last_headers["Location"].split("?")[0]
    file_id = path.rsplit("/", 1)[1]
    assert (await desk.request("DELETE", path, headers=TUS))[0] == 403
    assert (await counter.request("DELETE", path, headers=TUS))[0] == 204
    await last_of(desk, file_id, "withdrawn")


async def test_nothing_is_sent_after_the_call_is_closed_but_parties_still_read(
    world: Any,
) -> None:
    counter, desk, call = await world.talking()
    file_id = await send(counter, call["id"], PDF, "a.pdf")
    await last_of(desk, file_id, "offered")
    await desk.do("call.close", outcome="aborted", reason="終了")
    assert (await create(counter, call["id"], PDF, "b.pdf"))[0] == 403
    path = f"/api/v1/calls/{call['id']}/files/{file_id}/content"
    assert (await desk.request("GET", path))[0] == 200
    status, body = await desk.request("GET", f"/api/v1/calls/{call['id']}")
    assert (status, [f["id"] for f in body["files"]]) == (200, [file_id])


async def test_many_uploads_at_once_all_arrive(world: Any) -> None:
    counter, desk, call = await world.talking()

    async def one(number: int) -> str:
        return await send(world.another(counter), call["id"], PDF, f"{number}.pdf")

    for file_id in await asyncio.gather(*(one(n) for n in range(5))):
        await last_of(desk, file_id, "offered")


async def test_files_are_what_the_policy_allows(world: Any) -> None:
    counter, desk, call = await world.talking()
    world.enforce({"files.types": ["jpeg"], "files.max_bytes": 1_000_000, "files.max_per_call": 1})
    status, body = await create(counter, call["id"], b"", "a.pdf", length=1_000_001)
    assert (status, body["error"]["code"], body["error"]["limit"]) == (413, "too_large", 1_000_000)
    file_id = await send(counter, call["id"], PDF, "a.pdf")
    assert (await last_of(desk, file_id, "refused"))["reason"] == "wrong_type"
    status, body = await create(counter, call["id"], PDF, "b.pdf")
    assert (status, body["error"]["code"]) == (429, "too_many_files")
    page = await world.desk(1)
    assert (await page.connect())["limits"]["file_types"] == ["image/jpeg"]
