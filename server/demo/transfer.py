"""Files over tus 1.0, as a page sends and fetches them (PROTOCOL.md section 5)."""

import asyncio
import base64
import hashlib

from server.demo.browser import Browser

TUS = {"Tus-Resumable": "1.0.0"}
CHUNK_BYTES = 1024 * 1024


async def sha256_hex(data: bytes) -> str:
    """Return the SHA-256 of `data` in lower-case hex, without holding the event loop."""
    digest = await asyncio.to_thread(hashlib.sha256, data)
    return digest.hexdigest()


async def upload(browser: Browser, call_id: str, name: str, data: bytes) -> str:
    """Send a file to the other side of the call and return its id.

    The last answer means that every byte arrived; what became of it is told on the socket.
    """
    path = await create(browser, call_id, name, data)
    offset = 0
    while offset < len(data):
        offset = await append(browser, path, data[offset : offset + CHUNK_BYTES], offset)
    return path.split("?")[0].rsplit("/", 1)[1]


async def create(browser: Browser, call_id: str, name: str, data: bytes) -> str:
    """Announce a file and return the path to send its bytes to."""
    digest = await sha256_hex(data)
    headers = TUS | {
        "Upload-Length": str(len(data)),
        "Upload-Metadata": f"filename {_b64(name.encode())},sha256 {_b64(digest.encode())}",
    }
    async with browser.request("POST", f"/api/v1/calls/{call_id}/files", headers=headers) as answer:
        return answer.headers["Location"].removeprefix(browser.base_url)


async def append(browser: Browser, path: str, chunk: bytes, offset: int) -> int:
    """Send `chunk` and return the new offset."""
    checksum = await asyncio.to_thread(hashlib.sha256, chunk)
    headers = TUS | {
        "Content-Type": "application/offset+octet-stream",
        "Upload-Offset": str(offset),
        "Upload-Checksum": f"sha256 {_b64(checksum.digest())}",
    }
    async with browser.request("PATCH", path, headers=headers, data=chunk) as answer:
        return int(answer.headers["Upload-Offset"])


async def offset_of(browser: Browser, path: str) -> int:
    """Return how many bytes the server holds of an unfinished upload."""
    async with browser.request("HEAD", path, headers=TUS) as answer:
        return int(answer.headers["Upload-Offset"])


async def download(browser: Browser, call_id: str, file_id: str) -> bytes:
    """Return the bytes that the other side offered."""
    path = f"/api/v1/calls/{call_id}/files/{file_id}/content"
    async with browser.request("GET", path) as answer:
        return await answer.read()


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
