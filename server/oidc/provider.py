"""One directory over HTTP: its discovery document, its keys, a code for tokens, what it says more.

What it sends is not trusted before it is checked: bounded in size and time, no redirect followed,
nothing but https (http on this machine alone), and an issuer that is the one in the settings.
"""

import asyncio
import json
import logging
import ssl
import time
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

import aiohttp
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet, OctKey
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from security.errors import Unavailable
from security.oidc.token import Claims, Expected, UnknownKey, claims_of, refused
from server.clock import utc_now
from server.oidc.settings import Directory, is_safe_url

log = logging.getLogger(__name__)
MAX_BYTES = 512 * 1024
KEEP_SECONDS = 3600.0
TIMEOUT = aiohttp.ClientTimeout(total=10.0, sock_connect=4.0)


def _endpoint(value: str) -> str:
    if not is_safe_url(value):
        raise ValueError("not https")
    return value


Endpoint = Annotated[str, AfterValidator(_endpoint)]


class Discovery(BaseModel):
    """What we use of OpenID Connect Discovery 1.0 section 3."""

    model_config = ConfigDict(frozen=True)

    issuer: str
    authorization_endpoint: Endpoint
    token_endpoint: Endpoint
    jwks_uri: Endpoint
    userinfo_endpoint: Endpoint | None = None
    end_session_endpoint: Endpoint | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


class Tokens(BaseModel):
    """What a code is exchanged for."""

    model_config = ConfigDict(frozen=True)

    id_token: str
    access_token: str | None = None

    def __repr__(self) -> str:
        return "Tokens()"


def unreachable(why: str) -> Unavailable:
    """Return the answer while the directory cannot be asked."""
    return Unavailable(f"the directory cannot be asked: {why}", code="oidc_unreachable")


class Provider:
    """A municipality's directory. Connections are made at the first question."""

    def __init__(self, settings: Directory, secret: str | None) -> None:
        self.settings = settings
        self._secret = secret
        self._http: aiohttp.ClientSession | None = None
        self._opening = asyncio.Lock()
        self._discovery: tuple[float, Discovery] | None = None
        self._keys: KeySet | None = None

    async def discovery(self) -> Discovery:
        """Return the discovery document, at most an hour old. Raises `Unavailable`."""
        if self._discovery is not None and time.monotonic() < self._discovery[0]:
            return self._discovery[1]
        issuer = self.settings.issuer
        said = await self._json("GET", issuer.rstrip("/") + "/.well-known/openid-configuration")
        try:
            found = Discovery.model_validate(said)
        except ValidationError as error:
            raise unreachable("its discovery document cannot be used") from error
        if found.issuer != issuer:
            raise unreachable("its discovery document names another issuer")
        self._discovery = (time.monotonic() + KEEP_SECONDS, found)
        return found

    async def tokens(self, code: str, verifier: str, redirect_uri: str) -> Tokens:
        """Return what a code is worth (RFC 6749 section 4.1.3). Raises `Denied`, `Unavailable`."""
        found = await self.discovery()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        headers = {}
        if self._secret is None:
            form["client_id"] = self.settings.client_id
        elif "client_secret_basic" in found.token_endpoint_auth_methods_supported:
            headers["Authorization"] = _basic(self.settings.client_id, self._secret)
        else:
            form |= {"client_id": self.settings.client_id, "client_secret": self._secret}
        said = await self._json("POST", found.token_endpoint, data=form, headers=headers)
        try:
            return Tokens.model_validate(said)
        except ValidationError as error:
            raise refused("no ID token came") from error

    async def claims(self, token: str, nonce: str) -> Claims:
        """Return what an ID token says; keys are fetched anew when it names one not known yet.

        Raises `Denied` `oidc_refused`, `Unavailable`.
        """
        expected = Expected(self.settings.issuer, self.settings.client_id, nonce)
        if self._keys is not None:
            try:
                return claims_of(token, self._keys, expected, now=utc_now())
            except UnknownKey:
                log.info("a key of the directory is not known yet")
        self._keys = await self._fetch_keys()
        try:
            return claims_of(token, self._keys, expected, now=utc_now())
        except UnknownKey as error:
            raise refused("its token is signed with a key that it does not publish") from error

    async def more(self, access_token: str | None) -> Mapping[str, Any]:
        """Return what the directory says at its UserInfo endpoint; nothing where it has none."""
        endpoint = (await self.discovery()).userinfo_endpoint
        if endpoint is None or not access_token:
            return {}
        said = await self._json(
            "GET", endpoint, headers={"Authorization": f"Bearer {access_token}"}
        )
        return said if isinstance(said, dict) else {}

    async def way_out(self, back_to: str) -> str | None:
        """Return where a browser signs out of the directory as well, None where it cannot."""
        endpoint = (await self.discovery()).end_session_endpoint
        if endpoint is None:
            return None
        asked = {"client_id": self.settings.client_id, "post_logout_redirect_uri": back_to}
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"

    async def close(self) -> None:
        """Close every connection."""
        if self._http is not None:
            await self._http.close()
            self._http = None

    async def _fetch_keys(self) -> KeySet:
        said = await self._json("GET", (await self.discovery()).jwks_uri)
        listed = said.get("keys") if isinstance(said, dict) else None
        keys: list[Key] = []
        for one in listed if isinstance(listed, list) else []:
            try:
                key = JWKRegistry.import_key(one)
            except (JoseError, ValueError, TypeError, KeyError):
                continue  # a kind of key that we do not use
            if not isinstance(key, OctKey) and one.get("use", "sig") == "sig":
                keys.append(key)
        return KeySet(keys)

    async def _json(
        self,
        method: str,
        url: str,
        *,
        data: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Any:
        http = await self._open()
        try:
            async with http.request(
                method, url, data=data, headers=headers, allow_redirects=False
            ) as response:
                raw = await _read(response)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise unreachable(type(error).__name__) from error
        if 400 <= response.status < 500 and method == "POST":
            raise refused(f"status {response.status}")
        if response.status != 200:
            raise unreachable(f"status {response.status}")
        try:
            return json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise unreachable("its answer is not JSON") from error

    async def _open(self) -> aiohttp.ClientSession:
        async with self._opening:
            if self._http is None:
                tls = await asyncio.to_thread(_trust, self.settings)
                connector = aiohttp.TCPConnector(ssl=tls, limit=8)
                self._http = aiohttp.ClientSession(
                    connector=connector, timeout=TIMEOUT, cookie_jar=aiohttp.DummyCookieJar()
                )
            return self._http


async def _read(response: aiohttp.ClientResponse) -> bytes:
    raw = b""
    async for piece in response.content.iter_chunked(64 * 1024):
        raw += piece
        if len(raw) > MAX_BYTES:
            raise unreachable("its answer is too long")
    return raw


def _trust(settings: Directory) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:
        raise unreachable(f"{settings.ca_file} cannot be used: {error.strerror}") from error


def _basic(client_id: str, secret: str) -> str:
    # RFC 6749 section 2.3.1: both are form-encoded before they are joined.
    name, word = (urlencode({"": part})[1:] for part in (client_id, secret))
    return aiohttp.encode_basic_auth(name, word, encoding="utf-8")
