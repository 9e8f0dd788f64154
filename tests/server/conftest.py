"""A running service with one municipality (or two), and raw clients that speak its protocol."""

import asyncio
import contextlib
import json
import shutil
import sqlite3
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from security.crypto.keys import KeyEncryptionKey
from security.ids import new_id
from security.passwords import Passwords
from security.people import LinkPurpose, Municipality, Office, OfficeKind, Person, Role, Tablet
from security.policy.model import BASELINE_POLICY
from security.policy.versions import Version
from server.app import Service, running_service
from server.clock import utc_now
from server.db import migrate
from server.db.prechecks import Precheck
from server.demo.soft_key import SoftKey
from server.demo.step_walk import code_on, next_message
from server.policies import ZONE
from server.policy_text import edited
from server.precheck.rules import Grade
from server.settings import Settings

Json = dict[str, Any]
WITHIN_SECONDS = 10.0


FAST = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Refused(Exception):
    """The server answered `error`."""

    def __init__(self, error: Json) -> None:
        super().__init__(error["code"])
        self.code = str(error["code"])
        self.error = error


class Client:
    """One page: cookies by hand, HTTP, and a WebSocket whose messages are kept in order."""

    def __init__(self, http: aiohttp.ClientSession, base_url: str, page: str) -> None:
        self.http = http
        self.base_url = base_url
        self.page = page
        self.page_id = new_id()
        self.cookies: dict[str, str] = {}
        self.csrf = ""
        self.key = SoftKey() if page == "counter" else None
        self.asked: Json = {}  # the challenge of the present socket
        self.forwarded = ""  # what a proxy before the server adds
        self.inbox: list[Json] = []
        self.close_code: int | None = None
        self._ws: aiohttp.ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._count = 0

    @property
    def headers(self) -> dict[str, str]:
        """What a browser would send."""
        cookies = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        own = {"Origin": self.base_url, "Cookie": cookies, "X-CSRF-Token": self.csrf}
        if not self.forwarded:
            return own
        return own | {"X-Forwarded-For": self.forwarded, "X-Forwarded-Proto": "https"}

    async def request(
        self, method: str, path: str, *, body: Json | None = None, **kw: Any
    ) -> tuple[int, Any]:
        """Return status and JSON (None when there is none) of an HTTP request."""
        headers = self.headers | kw.pop("headers", {})
        params = {"page": self.page} if "page=" not in path else None
        async with self.http.request(
            method, self.base_url + path, params=params, json=body, headers=headers, **kw
        ) as response:
            for name, morsel in response.cookies.items():
                self.cookies[name] = morsel.value
            raw = await response.read()
            self.last_headers = response.headers
            is_json = response.content_type == "application/json" and raw
            return response.status, json.loads(raw) if is_json else raw

    async def use_link(self, token: str) -> "Client":
        """Exchange a one-time link."""
        claim = self.key.claim(token) if self.key else {}
        status, body = await self.request("POST", "/api/v1/links", body={"token": token, **claim})
        assert status == 200, body
        _, me = await (self.show_key() if self.key else self.request("GET", "/api/v1/me"))
        self.csrf = me["csrf"]
        return self

    async def show_key(self) -> tuple[int, Any]:
        """Prove that this is the tablet, as a page does that starts."""
        assert self.key is not None
        status, asked = await self.request("POST", "/api/v1/tablet/challenge", body={})
        if status != 200:
            return status, asked
        return await self.request("POST", "/api/v1/tablet/proof", body=self.key.page(asked))

    async def connect(
        self, *, epoch: str | None = None, seq: int | None = None, takeover: bool = False
    ) -> Json:
        """Open the socket, say hello, return the welcome."""
        await self.open_socket()
        hello = {"type": "hello", "epoch": epoch, "seq": seq, "takeover": takeover}
        await self.send_raw({**hello, "page": self.page_id, **await self.proof()})
        return await self.until("welcome")

    async def proof(self) -> Json:
        """Return what a counter's `hello` says about its key, once the server has asked."""
        if self.key is None:
            return {}
        self.asked = await self.until("challenge")
        return {"proof": self.key.socket(self.asked, self.page_id)}

    async def offer(self, connection: int, sdp: str, **fields: Any) -> Json:
        """Send an offer, signed on a counter, and return the answer."""
        signed = {}
        if self.key is not None:
            signed = {"signature": self.sign_offer(connection, sdp)}
        return await self.do("offer", connection=connection, sdp=sdp, **signed | fields)

    def sign_offer(self, connection: int, sdp: str, call_id: str | None = None) -> str:
        """Return a tablet's signature of an offer in the call that it was last told of."""
        assert self.key is not None
        told = [m.get("call") or (m.get("state") or {}).get("call") for m in self.inbox]
        call_id = call_id or next(call["id"] for call in reversed(told) if call)
        return self.key.offer(self.asked, call_id, connection, sdp)

    async def open_socket(self) -> None:
        """Open the socket and say nothing."""
        self.inbox.clear()
        self.close_code = None
        url = f"{self.base_url}/api/v1/ws?page={self.page}"
        self._ws = await self.http.ws_connect(url, headers=self.headers)
        self._reader = asyncio.create_task(self._read(self._ws))

    async def _read(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        async for frame in ws:
            message = json.loads(frame.data)
            if message["type"] == "ping":
                await ws.send_json({"type": "pong", "seq": message["seq"]})
            self.inbox.append(message)
            self._changed.set()
        self.close_code = ws.close_code
        self._changed.set()

    async def send_raw(self, message: Json | str) -> None:
        """Send one frame as it is."""
        assert self._ws is not None
        await self._ws.send_str(message if isinstance(message, str) else json.dumps(message))

    async def send_bytes(self, data: bytes) -> None:
        """Send one binary frame."""
        assert self._ws is not None
        await self._ws.send_bytes(data)

    async def do(self, kind: str, /, **fields: Any) -> Json:
        """Send a command and return its `ok`; raises `Refused`."""
        self._count += 1
        re = fields.pop("id", f"m{self._count}")
        await self.send_raw({"type": kind, "id": re, **fields})
        answer = await self.until_that(lambda m: m.get("re") == re)
        if answer["type"] == "error":
            raise Refused(answer["error"])
        return answer

    async def until(self, kind: str, **fields: Any) -> Json:
        """Return the newest message of a type, whose fields are so, waiting for it."""
        return await self.until_that(
            lambda m: m["type"] == kind and all(m.get(k) == v for k, v in fields.items())
        )

    async def until_state(self, state: str) -> Json:
        """Return the call once its state is so."""
        message = await self.until_that(
            lambda m: m["type"] == "call" and m["call"]["state"] == state
        )
        return dict(message["call"])

    async def until_that(self, wanted: Callable[[Json], bool]) -> Json:
        """Return the newest message that is wanted, waiting for it."""
        async with asyncio.timeout(WITHIN_SECONDS):
            while True:
                found = [m for m in self.inbox if wanted(m)]
                if found:
                    return found[-1]
                if self.close_code is not None:
                    raise ConnectionError(f"closed with {self.close_code}")
                self._changed.clear()
                await self._changed.wait()

    async def steps(self, version: int = 0) -> Json:
        """Return the steps as this page was told them last, at least those of `version`."""

        def told(message: Json) -> Json | None:
            return message.get("steps") or (message.get("state") or {}).get("steps")

        wanted = await self.until_that(lambda m: ((told(m) or {}).get("version") or -1) >= version)
        return told(wanted) or {}

    async def until_closed(self) -> int:
        """Return the close code once the socket is closed."""
        async with asyncio.timeout(WITHIN_SECONDS):
            while self.close_code is None:
                self._changed.clear()
                await self._changed.wait()
        return self.close_code

    @property
    def last_seq(self) -> int:
        """Return the last number seen."""
        return max((m["seq"] for m in self.inbox if "seq" in m), default=0)

    async def cut(self) -> None:
        """Abort the connection without a closing handshake."""
        if self._ws is not None:
            transport = self._ws.get_extra_info("socket")
            self._ws._response.close()
            assert transport is not None
        await self.leave()

    async def leave(self) -> None:
        """Close the socket as a page does that goes away."""
        if self._ws is not None:
            await self._ws.close()
        if self._reader is not None:
            await self._reader
        self._ws = self._reader = None


@dataclass
class Town:
    """One municipality with what a call needs."""

    municipality: Municipality
    office: Office
    clerk: Person
    verifiers: list[Person]
    administrator: Person
    tablet: Tablet
    second_tablet: Tablet


@dataclass
class World:
    """The service and who uses it."""

    service: Service
    http: aiohttp.ClientSession
    town: Town
    clock: "Clock"
    clients: list[Client] = field(default_factory=list)

    async def counter(self, town: Town | None = None, tablet: Tablet | None = None) -> Client:
        """Return an enrolled tablet with its clerk signed in, not yet connected."""
        town = town or self.town
        tablet = tablet or town.tablet
        token = await self.service.parts.sign_in.make_link(
            LinkPurpose.SIGN_IN,
            town.municipality.id,
            person_id=town.clerk.id,
            tablet_id=tablet.id,
        )
        return await self._client("counter").use_link(token)

    async def desk(self, index: int = 0, town: Town | None = None) -> Client:
        """Return a verifier's page, signed in, not yet connected."""
        town = town or self.town
        return await self.signed_in(town.verifiers[index], town)

    async def signed_in(self, person: Person, town: Town | None = None) -> Client:
        """Return a person's desk page."""
        town = town or self.town
        token = await self.service.parts.sign_in.make_link(
            LinkPurpose.SIGN_IN, town.municipality.id, person_id=person.id
        )
        page = "officer" if person.role in (Role.OFFICER, Role.AUDITOR) else "desk"
        return await self._client(page).use_link(token)

    def stranger(self, page: str = "desk") -> Client:
        """Return a page that nobody is signed in on."""
        return self._client(page)

    async def pin(self, person: Person, pin: str = "730184") -> str:
        """Give a clerk a PIN, as one who has changed the first one; return it."""
        hashed = await Passwords(FAST).hash(pin)
        await self.service.parts.people.set_pin(
            person.municipality_id,
            person.id,
            hashed,
            first_until=None,
            end_sessions_at=self.service.parts.clock(),
        )
        return pin

    async def second_clerk(self) -> Person:
        """Add another clerk to the office."""
        town = self.town
        person = Person(
            new_id(),
            town.municipality.id,
            "clerk-2",
            "次の 局員",
            Role.CLERK,
            town.office.id,
            None,
            None,
        )
        await self.service.parts.people.add_person(person)
        return person

    def another(self, first: Client) -> Client:
        """Return another page of the same browser: the same cookies, the same key."""
        page = self._client(first.page)
        page.cookies, page.csrf, page.key = first.cookies, first.csrf, first.key
        return page

    async def talking(self) -> tuple[Client, Client, Json]:
        """Return a counter and a desk in a call, and the call."""
        counter, desk = await self.counter(), await self.desk()
        await counter.connect()
        await desk.connect()
        call = (await counter.do("call.place", **PLACE))["call"]
        await desk.do("call.accept", call=call["id"])
        await counter.until_state("talking")
        return counter, desk, call

    def enforce(self, values: Json, number: int = 1) -> None:
        """Let a policy with these values be in force from now on."""
        parts, home = self.service.parts, self.town.municipality.id
        text, now = edited(BASELINE_POLICY, values, {}, {}), parts.clock()
        parts.policies.put(Version(home, number, 0, text, "author", now, "", "second", now, now))

    def sql(self, statement: str) -> list[Any]:
        """Do a statement right in the database, as no page could."""
        file = self.service.parts.settings.data.folder / "madoguchi.sqlite"
        with contextlib.closing(sqlite3.connect(file, timeout=5)) as database:
            found = database.execute(statement).fetchall()
            database.commit()
        return found

    async def ready_for_real_calls(self, values: Json | None = None, number: int = 1) -> Office:
        """Let every term of a real call hold at the town's office and first tablet.

        `values` are further settings of the policy. Returns the office as it is stored.
        """
        town, people = self.town, self.service.parts.people
        day = self.clock().astimezone(ZONE).date()
        office = replace(
            town.office,
            designated_on=day,
            resolved_on=day,
            resolution_ref="議案第1号",
            contract_ref="契約第1号",
        )
        await people.set_office(office)
        await people.set_tablet_real(town.municipality.id, town.tablet.id, real=True)
        kept = ("records", "chat", "files", "stills", "recordings", "audit")
        days: Json = {f"retention.{name}_days": 365 for name in kept}
        days["people.second_factor_roles"] = []
        self.enforce({**days, **(values or {})}, number)
        await self.check_passed()
        return office

    async def check_passed(self, grade: Grade = Grade.GOOD) -> None:
        """Let a 開始前点検 of the town's first tablet have come out so, just now."""
        town, parts = self.town, self.service.parts
        ids = (new_id(), town.municipality.id, town.office.id, town.tablet.id, town.clerk.id)
        await parts.precheck_store.add(Precheck(*ids, self.clock(), grade, ()))

    async def do_steps(
        self, counter: Client, desk: Client, call_id: str, *, upto: str | None = None
    ) -> None:
        """Do what the steps of a call ask of both ends, as far as before the step `upto`."""
        pictures = [await self._picture(counter, call_id) for _ in range(2)]
        version = 0
        while True:
            at_counter, at_desk = await counter.steps(version), await desk.steps(version)
            if at_desk["current"] in (None, upto):
                return
            code = code_on(at_counter)
            said = next_message(at_desk, "desk", code=code, pictures=pictures)
            page = desk if said else counter
            said = said or next_message(at_counter, "counter")
            assert said is not None, at_desk["current"]
            version = (await page.do(said.pop("type"), **said))["version"]

    async def _picture(self, counter: Client, call_id: str) -> str:
        """Send a small picture from the counter and wait until it is offered."""
        file_id = await self.send_file(counter, call_id, PICTURE)
        await counter.until_that(
            lambda m: (
                m["type"] == "file"
                and m["file"]["id"] == file_id
                and m["file"]["state"] == "offered"
            )
        )
        return file_id

    async def send_file(
        self, page: Client, call_id: str, data: bytes, *, name: str = "a.pdf"
    ) -> str:
        """Send a file in one piece and return its id; the checks go on."""
        tus = {"Tus-Resumable": "1.0.0"}
        encoded = (
            b64encode(x).decode() for x in (name.encode(), sha256(data).hexdigest().encode())
        )
        meta = "filename {},sha256 {}".format(*encoded)
        created = tus | {"Upload-Length": str(len(data)), "Upload-Metadata": meta}
        status, _ = await page.request("POST", f"/api/v1/calls/{call_id}/files", headers=created)
        assert status == 201
        location = page.last_headers["Location"]
        patched = tus | {
            "Content-Type": "application/offset+octet-stream",
            "Upload-Offset": "0",
        }
        status, _ = await page.request("PATCH", location, headers=patched, data=BytesIO(data))
        assert status == 204
        return location.split("?")[0].rsplit("/", 1)[1]

    async def refusals(self, tag: str) -> list[tuple[str, list[str]]]:
        """Return subject and codes of what the gate has refused under `tag`."""
        home, log = self.town.municipality.id, self.service.parts.audit
        await log.verify(home)
        entries = await log.since(home, datetime(2000, 1, 1, tzinfo=UTC), limit=10_000)
        said = [json.loads(stored.entry) for stored in entries if stored.tag == tag]
        return [(one["subject"], one["reasons"]) for one in said if not one["allowed"]]

    async def town_of(self, slug: str) -> Town:
        """Add another municipality."""
        return await make_town(self.service, slug)

    def _client(self, page: str) -> Client:
        client = Client(self.http, self.service.base_url, page)
        self.clients.append(client)
        return client


# One white pixel.
PICTURE = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAsTj2FAAAAABJRU5ErkJggg=="
)
PLACE: Json = {
    "procedure": "new-issue",
    "consent": {"video": True, "text_version": "1", "language": "ja"},
}


async def make_town(service: Service, slug: str) -> Town:
    """Add a municipality with an office, a clerk, two verifiers, an administrator, a tablet."""
    people = service.parts.people
    municipality = Municipality(new_id(), slug, f"{slug}市", "平日 9時〜16時", "0865-00-0000")
    await people.add_municipality(municipality)
    office = Office(new_id(), municipality.id, f"{slug}中央郵便局", OfficeKind.DIRECT)
    await people.add_office(office)

    async def person(login: str, role: Role, office_id: str | None = None) -> Person:
        made = Person(
            new_id(), municipality.id, login, f"{login} {slug}", role, office_id, None, None
        )
        await people.add_person(made)
        return made

    tablets = [
        Tablet(new_id(), municipality.id, office.id, name, None, None)
        for name in ("１番窓口", "２番窓口")
    ]
    for tablet in tablets:
        await people.add_tablet(tablet)
    return Town(
        municipality,
        office,
        await person("clerk", Role.CLERK, office.id),
        [await person("verifier-1", Role.VERIFIER), await person("verifier-2", Role.VERIFIER)],
        await person("administrator", Role.ADMINISTRATOR),
        *tablets,
    )


def settings_in(folder: Path, **changes: Any) -> Settings:
    """Return settings for a service on free ports of this machine, data in `folder`."""
    kek = folder / "kek"
    if not kek.exists():
        KeyEncryptionKey.generate().write_file(kek)
    base: Json = {
        "server": {"host": "127.0.0.1", "port": 0},
        "media": {"host": "127.0.0.1", "port": 0, "processes": 0},
        "data": {"folder": folder / "data"},
        "keys": {"kek_file": kek},
    }
    (folder / "data").mkdir(exist_ok=True)
    return Settings.model_validate(base | changes)


class Clock:
    """The service's clock: the machine's, and as far ahead as a test has set it."""

    def __init__(self) -> None:
        self._ahead = timedelta(0)

    def __call__(self) -> datetime:
        return utc_now() + self._ahead

    def advance(self, **by: float) -> None:
        """Set it ahead by `minutes=…`, `days=…` and so on."""
        self._ahead += timedelta(**by)


class MakeWorld:
    """Starts services over one data folder; restarts them."""

    def __init__(self, folder: Path, http: aiohttp.ClientSession, database: Path) -> None:
        self.clock = Clock()
        self._folder = folder
        self._database = database
        self._http = http
        self._running: list[Any] = []
        self.worlds: list[World] = []

    async def __call__(self, **changes: Any) -> World:
        """Return a fresh world whose settings are changed so."""
        service = await self._start(changes)
        town = await make_town(service, "kasaoka")
        self.worlds.append(World(service, self._http, town, self.clock))
        return self.worlds[-1]

    async def restart(self, world: World, **changes: Any) -> World:
        """Stop the service and start another over the same data."""
        await self._running.pop().__aexit__(None, None, None)
        service = await self._start(changes)
        again = World(service, self._http, world.town, self.clock, world.clients)
        self.worlds[-1] = again
        return again

    async def stop(self) -> None:
        """Stop everything."""
        for world in self.worlds:
            for client in world.clients:
                await client.leave()
        for running in self._running:
            await running.__aexit__(None, None, None)

    async def _start(self, changes: Json) -> Service:
        settings = settings_in(self._folder, **changes)
        stored = settings.data.folder / "madoguchi.sqlite"
        if not stored.exists():
            shutil.copyfile(self._database, stored)
        running = running_service(settings, clock=self.clock)
        service = await running.__aenter__()
        self._running.append(running)
        return service


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of the newest schema, made once: every world starts on a copy of it."""
    file = tmp_path_factory.mktemp("empty") / "madoguchi.sqlite"
    engine = sa.create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        migrate.upgrade(connection)
    engine.dispose()
    return file


@pytest.fixture
async def make_world(tmp_path: Path, empty_database: Path) -> AsyncIterator[MakeWorld]:
    """Return what starts a service with changed settings."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        make = MakeWorld(tmp_path, http, empty_database)
        yield make
        await make.stop()


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    """A service with one town."""
    return await make_world()
