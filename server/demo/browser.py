"""HTTP as one page of one browser: its cookies, its Origin, its CSRF token.

Cookies are kept by hand, since a `__Host-` cookie is Secure and a cookie jar would not send it
to http://localhost, which browsers do.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from security.errors import MadoguchiError
from server.demo.soft_key import SoftKey

Json = dict[str, Any]


def refusal(body: Json) -> MadoguchiError:
    """Return the server's error (PROTOCOL.md section 6) as one that can be raised."""
    error = body.get("error") or {}
    return MadoguchiError(str(error.get("message")), code=str(error.get("code", "internal")))


class Browser:
    """What one page, `counter` or `desk`, may ask of the server at `base_url`."""

    def __init__(self, http: aiohttp.ClientSession, base_url: str, page: str) -> None:
        self._http = http
        self.base_url = base_url
        self.page = page
        self.key = SoftKey() if page == "counter" else None
        self._cookies: dict[str, str] = {}
        self._csrf = ""

    @property
    def headers(self) -> dict[str, str]:
        """What every request carries."""
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        return {"Origin": self.base_url, "Cookie": cookies, "X-CSRF-Token": self._csrf}

    async def use_link(self, token: str) -> None:
        """Exchange a one-time link for cookies, as the page /link does."""
        claim = self.key.claim(token) if self.key else {}
        await self.json("POST", "/api/v1/links", {"token": token, **claim})
        self._csrf = (await (self.show_key() if self.key else self.me()))["csrf"]

    async def show_key(self) -> Json:
        """Prove that this is the tablet; return who is signed in."""
        if self.key is None:
            raise ValueError("only a counter has a key")
        asked = await self.json("POST", "/api/v1/tablet/challenge", {})
        return await self.json("POST", "/api/v1/tablet/proof", self.key.page(asked))

    async def me(self) -> Json:
        """Return who is signed in."""
        return await self.json("GET", "/api/v1/me")

    async def json(self, method: str, path: str, body: Json | None = None) -> Json:
        """Return the JSON answer. Raises `MadoguchiError` with the server's code."""
        async with self.request(method, path, json=body) as response:
            return {} if response.status == 204 else dict(await response.json())

    @asynccontextmanager
    async def request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        data: bytes | None = None,
        json: Json | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Give the response of a request that went well; raises `MadoguchiError` otherwise."""
        async with self._http.request(
            method,
            self.base_url + path,
            params=None if "page=" in path else {"page": self.page},
            headers=self.headers | dict(headers or {}),
            data=data,
            json=json,
        ) as response:
            if response.status >= 400:
                raise refusal(await _error_body(response))
            self._cookies |= {name: morsel.value for name, morsel in response.cookies.items()}
            yield response

    async def open_socket(self) -> aiohttp.ClientWebSocketResponse:
        """Open the WebSocket. Raises aiohttp's `ClientError` when the server is away."""
        return await self._http.ws_connect(
            f"{self.base_url}/api/v1/ws",
            params={"page": self.page},
            headers={"Origin": self.base_url, "Cookie": self.headers["Cookie"]},
            max_msg_size=4 * 1024 * 1024,
        )


async def _error_body(response: aiohttp.ClientResponse) -> Json:
    if response.content_type != "application/json":
        return {"error": {"code": f"http_{response.status}", "message": response.reason}}
    return dict(await response.json())
