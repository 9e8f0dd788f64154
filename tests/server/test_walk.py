"""Every route and every message as everybody: the answers are those of the table of roles.

A new route or message is entered in server/api/access.py, a new action of the gate in
security/roles.py. When a rightful request needs a body, it is said in BODIES below.
"""

import asyncio
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from security.ids import new_id
from security.officers import Appointment
from security.people import LinkPurpose, Person, Role, Tablet
from security.roles import DECIDING, PARTY, TABLET, Holder, may, pages_of
from server.administration import Hand
from server.api.access import EVERY_PAGE, MESSAGES, ROUTES, Access, ByToken, Open, SignedIn
from server.api.hooks import WebhookBody, new_webhook
from server.api.messages import CLIENT_MESSAGES
from server.app import create_app
from server.clock import utc_now
from server.db import outbox
from server.db import schema as t
from server.hooks.fact import Fact
from server.procedures.catalog import shipped_text
from server.procedures.opening import Opening
from server.procedures.versions import TemplateVersion
from server.system_tokens import make_token

Json = dict[str, Any]
Route = tuple[str, str]
TUS = {"Tus-Resumable": "1.0.0"}
UPLOAD = TUS | {
    "Upload-Length": "5",
    "Upload-Metadata": "filename YQ==,sha256 " + "MDAw" * 21 + "MA==",
}
HEADERS: dict[Route, dict[str, str]] = {
    ("POST", "/api/v1/calls/{call}/files"): UPLOAD,
    ("HEAD", "/api/v1/calls/{call}/files/{file}"): TUS,
    ("DELETE", "/api/v1/calls/{call}/files/{file}"): TUS,
    ("PATCH", "/api/v1/calls/{call}/files/{file}"): TUS
    | {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"},
}
# A passkey for a challenge that was never asked.
STALE = b64encode(b'{"type":"webauthn.create","challenge":"AA","origin":"x"}').decode().rstrip("=")
PASSKEY = {
    "id": "AA",
    "rawId": "AA",
    "type": "public-key",
    "response": {"clientDataJSON": STALE, "attestationObject": "AA"},
}
OF_A_CHECK = "camera light microphone speaker path rtt_ms loss chat_ms file_ms file_sha256 clock_ms"
PIN = "730184"
CORRECTION: Json = {
    "month": "2020-01",
    "office": "o",
    "procedure": "new-issue",
    "outcome": "verified",
    "difference": 1,
    "reason": "a",
}
CHANGE = {"values": {"people.idle_minutes": 14}}
# What a rightful request carries, where it carries something.
BODIES: dict[Route, Json] = {
    ("POST", "/api/v1/factors/totp"): {"password": "wrong"},
    ("POST", "/api/v1/factors/totp/confirm"): {"code": "000000"},
    ("POST", "/api/v1/factors/passkeys/options"): {"password": "wrong"},
    ("POST", "/api/v1/factors/passkeys"): {"name": "a", "credential": PASSKEY},
    ("POST", "/api/v1/factors/remove"): {"factor": "a", "password": "wrong"},
    ("POST", "/api/v1/tokens"): {"name": "a", "scopes": ["counts"], "networks": ["::1/128"]},
    ("POST", "/api/v1/counts/corrections"): CORRECTION,
    ("POST", "/api/v1/hooks"): {"name": "a", "url": "https://hooks.example/a"},
    ("POST", "/api/v1/hooks/{hook}/rotate"): {},
    ("POST", "/api/v1/procedures/versions"): {"text": shipped_text("return"), "note": "x"},
    ("POST", "/api/v1/procedures/versions/{number}/approve"): {},
    ("POST", "/api/v1/offices"): {"name": "北郵便局"},
    ("POST", "/api/v1/offices/{office}"): {
        "designated_on": None,
        "resolved_on": None,
        "resolution_ref": "",
        "contract_ref": "",
    },
    ("POST", "/api/v1/offices/{office}/openings"): {
        "procedure": "return",
        "opens": True,
        "from_on": utc_now().date().isoformat(),
        "basis": "告示",
    },
    ("POST", "/api/v1/offices/{office}/tablets"): {"name": "４番窓口"},
    ("POST", "/api/v1/tablets/{tablet}/mode"): {"real": False},
    ("POST", "/api/v1/people"): {"login": "newcomer", "name": "新人", "role": "verifier"},
    ("POST", "/api/v1/people/{worker}/training"): {"on": "2026-04-01"},
    ("POST", "/api/v1/records/{record}/additions"): {"after": 0, "text": "a"},
    ("POST", "/api/v1/policy/versions"): CHANGE,
    ("POST", "/api/v1/policy/versions/{number}/approve"): {},
    ("POST", "/api/v1/policy/explain"): {"action": "start-call"},
    ("POST", "/api/v1/precheck/media"): {"side": "out", "sdp": "v=0"},
    ("POST", "/api/v1/precheck/result"): dict.fromkeys(OF_A_CHECK.split()),
}
QUALITY: Json = {
    "seconds": 3,
    "rtt_ms": None,
    "received": dict.fromkeys(
        ("fps", "width", "height", "loss", "jitter_ms", "freezes", "frozen_ms")
    ),
    "sent": dict.fromkeys(("fps", "width", "height", "limited_by")),
}
FIELDS: dict[str, Json] = {
    "call.place": {
        "procedure": "new-issue",
        "consent": {"video": True, "text_version": "1", "language": "ja"},
    },
    "call.accept": {"call": None},
    "call.close": {"outcome": "verified", "reason": None},
    "call.invite": {"agreed": True},
    "call.uninvite": {},
    "call.veil": {"on": True},
    "call.devices": {"camera": "on", "microphone": "on"},
    "call.quality": QUALITY,
    "step.tick": {"step": "consent", "need": 0, "item": 0, "on": True},
    "step.answer": {"step": "purpose", "need": 0, "text": "a"},
    "step.draw": {"step": "face", "need": 0},
    "step.bind": {"step": "face", "need": 2, "on": False},
    "step.document": {"step": "documents", "need": 0, "kind": "passport", "on": True},
    "step.grant": {"step": "documents", "need": 0, "what": "pin", "on": True},
    "step.code": {"step": "code", "need": 0, "code": "0000"},
    "step.chip": {"document": "passport", "tool": "読取機", "result": "agrees"},
    "step.take-over": {},
    "approval.ask": {"about": "documents", "reason": "a"},
    "approval.answer": {"about": "documents", "approve": True},
    "call.hand-over": {},
    "desk.state": {"state": "open"},
    "offer": {"connection": 1, "sdp": "v=0"},
    "chat.send": {"text": "a"},
    "chat.read": {"number": 0},
    "precheck.chat": {"text": "a"},
}
SOCKET = ("GET", "/api/v1/ws")  # in the walk of messages
OF_ALL = {"nobody", "a verifier"}
# These end a sign-in or an upload, or let later requests go further: walked when all else has been.
PIN_ROUTE = ("POST", "/api/v1/clerk")  # ends the sign-in of the clerk before
LAST = {PIN_ROUTE, ("POST", "/api/v1/sign-out"), ("DELETE", "/api/v1/calls/{call}/files/{file}")}
LAST |= {("POST", "/api/v1/precheck")}
LAST |= {("POST", "/api/v1/hooks/{hook}/remove")}
OWN_CALL = PARTY | (DECIDING - {"call.accept", "media.warm", "desk.state"})
OWN_CALL |= {"call.withdraw", "call.unveil"}
# Not the role's: the second of four eyes was the first; the password, code or passkey was wrong.
NOT_ABOUT_ROLES = {"own_call", "own_draft", "second_administrator", "officer_entrance"}
NOT_ABOUT_ROLES |= {"bad_credentials", "bad_code", "bad_passkey"}
BY_ROLE = {
    "denied",
    "signed_out",
    "not_enrolled",
    "no_clerk",
    "counter_cannot_decide",
    "not_your_call",
    "no_rule",
    "not_found",
}


@dataclass
class Walker:
    """Somebody with a sign-in, or nobody. `call` and `file` are the own ones."""

    name: str
    holder: Holder
    client: Any
    call: str = ""
    file: str = ""
    signed_in: bool = True
    at_home: bool = True
    appointed: bool = True
    ids: Json = field(default_factory=lambda: {"municipality": "kasaoka"})

    def allowed(self, access: Access, page: str) -> bool:
        """Tell what the tables say of an access from a page."""
        if isinstance(access, Open):
            return True
        if isinstance(access, ByToken):
            return False
        if not self.signed_in or page not in pages_of(self.holder):
            return False
        if page not in access.pages:
            return False
        if isinstance(access, SignedIn):
            return True
        if access.action in OWN_CALL and not self.call:
            return False
        if access.action.startswith("policy.") and access.action != "policy.read":
            return self.appointed and may(self.holder, page, access.action)
        return may(self.holder, page, access.action)


@dataclass
class Streets:
    """The walkers, and whose things they knock at."""

    world: Any
    walkers: list[Walker]


async def add(world: Any, town: Any, login: str, role: Role, *, appointed: bool = True) -> Any:
    """Return the page of a new person."""
    parts, home = world.service.parts, town.municipality.id
    person = Person(new_id(), home, login, login, role, None, None, None)
    await parts.people.add_person(person)
    if role is Role.OFFICER and appointed:
        made = Appointment(home, person.id, None, parts.clock(), None, parts.clock())
        await parts.policy_store.put_appointment(made)
    token = await parts.sign_in.make_link(LinkPurpose.SIGN_IN, home, person_id=person.id)
    page = "officer" if role in (Role.OFFICER, Role.AUDITOR) else "desk"
    return await world._client(page).use_link(token)


async def enter_opening(world: Any, town: Any) -> str:
    """Enter that a procedure opens in a month, and return the entry's id."""
    parts, home = world.service.parts, town.municipality.id
    day = parts.administration.today() + timedelta(days=30)
    entry = Opening(
        new_id(), home, town.office.id, "return", True, day, "告示", None, parts.clock()
    )  # fmt: skip
    await parts.procedure_store.add_opening(entry)
    text, now = shipped_text("return"), parts.clock()
    drawn_up = TemplateVersion(home, 0, "return", text, "", None, now)
    await parts.procedure_store.add_version(drawn_up)
    return entry.id


async def place(counter: Any, desk: Any) -> str:
    """Bring two pages into a call and return its id."""
    await counter.connect()
    await desk.connect()
    call = (await counter.do("call.place", **FIELDS["call.place"]))["call"]["id"]
    await desk.do("call.accept", call=call)
    return str(call)


async def begin_upload(page: Any, call: str) -> str:
    """Return the id of an upload that has begun."""
    status, said = await page.request("POST", f"/api/v1/calls/{call}/files", headers=UPLOAD)
    assert status == 201, said
    return str(page.last_headers["Location"].split("?")[0].rsplit("/", 1)[1])


async def nothing(tag: str, subject: str, detail: Json) -> None:
    """Note nothing."""


async def told(world: Any) -> Json:
    """Return the ids of a webhook, of something that was not told there, and of a token."""
    parts, home = world.service.parts, world.town.municipality.id
    hook = await new_webhook(parts, home, WebhookBody(name="a", url="https://hooks.example"), None)
    fact = Fact(home, "call.closed", "c", parts.clock(), {})
    async with parts.database.writing() as connection:
        await outbox.add(connection, fact)
    await parts.deliveries.look()
    ((position,),) = world.sql("SELECT MAX(position) FROM outbox")
    await parts.outbox.give_up(home, position, hook.destination)
    hand = Hand(home, None, nothing)
    terms = ("a", ("counts",), ("::1/128",), 1)
    token, _ = await make_token(parts.api_tokens, hand, *terms, now=parts.clock())
    return {"hook": hook.id, "delivery": f"{position}@{hook.destination}", "token": token.id}


async def streets(world: Any) -> Streets:
    """Return everybody: two calls go on at home, another municipality has its own people."""
    town, away = world.town, await world.town_of("ibara")
    for home in (town, away):
        await world.pin(home.clerk, PIN)
    clerk, verifier = await world.counter(), await world.desk()
    other, senior = (
        await world.counter(tablet=town.second_tablet),
        await add(world, town, "senior", Role.SENIOR),
    )
    first = await place(clerk, verifier)
    await verifier.do("call.close", outcome="aborted", reason="a")
    record = await world.service.parts.records.store.id_of_call(town.municipality.id, first)
    for page in (clerk, verifier):
        await page.leave()
    first, second = await place(clerk, verifier), await place(other, senior)
    bare = world.another(clerk)
    bare.cookies = {"__Host-tablet": clerk.cookies["__Host-tablet"]}
    bare.page_id = clerk.page_id
    drafting = await add(world, town, "drafting", Role.OFFICER)
    status, _ = await drafting.request("POST", "/api/v1/policy/versions", body=CHANGE)
    assert status == 201
    unused = Tablet(new_id(), town.municipality.id, town.office.id, "３番窓口", None, None)
    await world.service.parts.people.add_tablet(unused)
    new = await add(world, town, "new", Role.OFFICER, appointed=False)
    walkers = [
        Walker("nobody", TABLET, world.stranger(), signed_in=False),
        Walker("a tablet without clerk", TABLET, bare, first),
        Walker("a clerk", Role.CLERK, clerk, first),
        Walker("a verifier", Role.VERIFIER, verifier, first),
        Walker("a verifier of no call", Role.VERIFIER, await world.desk(1)),
        Walker("a senior", Role.SENIOR, senior, second),
        Walker("an interpreter", Role.INTERPRETER, await add(world, town, "i", Role.INTERPRETER)),
        Walker(
            "a representative",
            Role.REPRESENTATIVE,
            await add(world, town, "r", Role.REPRESENTATIVE),
        ),
        Walker("an administrator", Role.ADMINISTRATOR, await world.signed_in(town.administrator)),
        Walker("an officer", Role.OFFICER, await add(world, town, "officer", Role.OFFICER)),
        Walker("an officer not appointed", Role.OFFICER, new, appointed=False),
        Walker("an auditor", Role.AUDITOR, await add(world, town, "auditor", Role.AUDITOR)),
        Walker("a clerk elsewhere", Role.CLERK, await world.counter(away), at_home=False),
        Walker("a verifier elsewhere", Role.VERIFIER, await world.desk(0, away), at_home=False),
        Walker(
            "an administrator elsewhere",
            Role.ADMINISTRATOR,
            await world.signed_in(away.administrator, away),
            at_home=False,
        ),
        Walker(
            "an officer elsewhere",
            Role.OFFICER,
            await add(world, away, "signer", Role.OFFICER),
            at_home=False,
        ),
        Walker(
            "an auditor elsewhere",
            Role.AUDITOR,
            await add(world, away, "reader", Role.AUDITOR),
            at_home=False,
        ),
    ]
    worker = await add(world, town, "worker", Role.VERIFIER)
    worker = (await worker.request("GET", "/api/v1/me"))[1]["you"]["person"]["id"]
    opening = await enter_opening(world, town)
    appointee = (await new.request("GET", "/api/v1/me"))[1]["you"]["person"]["id"]
    for one in walkers:
        if one.call:
            one.file = await begin_upload(one.client, one.call)
    file = walkers[2].file
    systems = await told(world)
    guest = (await senior.request("GET", "/api/v1/me"))[1]["you"]["person"]["id"]
    for one in walkers:
        mine = {"guest": guest, "call": one.call or first, "file": one.file or file}
        one.ids = {**one.ids, **mine, "number": "1", "tablet": unused.id, "person": appointee}
        one.ids |= systems
        one.ids |= {"worker": worker, "opening": opening, "office": town.office.id}
        one.ids |= {"record": record}
        one.ids["clerk"] = (town if one.at_home else away).clerk.id
    return Streets(world, walkers)


def routes_of(world: Any) -> set[Route]:
    """Return method and path of each route of the application."""
    found = set()
    for route in create_app(world.service.parts).router.routes():
        path = route.resource.canonical if route.resource else ""
        if not path.startswith("/static") and route.method != "*":
            found.add((route.method, path))
    # aiohttp answers HEAD where GET is offered.
    return {r for r in found if r[0] != "HEAD" or ("GET", r[1]) not in found}


async def test_every_route_and_message_is_entered_in_the_list_of_accesses(world: Any) -> None:
    here = "server/api/access.py"
    found = routes_of(world)
    for route in sorted(found - set(ROUTES)):
        pytest.fail(f"{' '.join(route)} is new: enter into ROUTES of {here} what stands before it")
    assert set(ROUTES) == found, f"gone, but still in ROUTES of {here}: {set(ROUTES) - found}"
    for kind in sorted(set(CLIENT_MESSAGES) - set(MESSAGES)):
        pytest.fail(f"the message {kind} is new: enter into MESSAGES of {here} what it asks")
    assert set(MESSAGES) == set(CLIENT_MESSAGES)


async def knock(one: Walker, route: Route, page: str) -> tuple[int, str]:
    """Go to a route from a page; return status and error code."""
    method, path = route
    status, said = await one.client.request(
        method,
        f"{path.format(**one.ids)}?page={page}",
        body=BODIES[route] if route in BODIES else await signed(one, route),
        headers=HEADERS.get(route, {}),
    )
    return status, said["error"]["code"] if isinstance(said, dict) and "error" in said else ""


async def signed(one: Walker, route: Route) -> Json | None:
    """Return a clerk's PIN or the tablet's answer to a challenge, where one is asked for."""
    if route == PIN_ROUTE:
        return {"clerk": one.ids.get("clerk", "x"), "pin": PIN}
    if route != ("POST", "/api/v1/tablet/proof") or one.client.key is None:
        return None
    status, asked = await one.client.request("POST", "/api/v1/tablet/challenge?page=counter")
    return dict(one.client.key.page(asked)) if status == 200 else None


def is_refusal(status: int, code: str) -> bool:
    """Tell whether the answer says that one may not."""
    return status == 404 or (status in (401, 403) and code not in NOT_ABOUT_ROLES)


def at_home(one: Walker, route: Route) -> bool:
    """Tell whether what a walker knocks at is of the own municipality."""
    return one.at_home or "{" not in route[1] or isinstance(ROUTES[route], Open)


async def told_no(one: Walker, route: Route, page: str) -> None:
    status, code = await knock(one, route, page)
    where = f"{one.name}, page {page}: {' '.join(route)} answered {status} {code}"
    if status == 400:
        pytest.fail(f"{where}; say in BODIES of this test what a rightful request carries")
    assert is_refusal(status, code), f"{where}, and the table of roles says no"


async def let_through(one: Walker, route: Route, page: str) -> None:
    status, code = await knock(one, route, page)
    where = f"{one.name}, page {page}: {' '.join(route)} answered {status} {code}"
    if isinstance(ROUTES[route], Open):
        assert status < 500, where
        assert code not in BY_ROLE | {"csrf", "origin"}, where
        return
    if status == 400:
        pytest.fail(f"{where}; say in BODIES of this test what a rightful request carries")
    assert status < 500, where
    assert not is_refusal(status, code), f"{where}, and the table of roles says yes"


async def everything(world: Any) -> dict[str, list[Any]]:
    """Return what is stored, but for the log of refusals and when somebody was last seen."""
    stored = {}
    async with world.service.parts.database.reading() as connection:
        for table in t.metadata.sorted_tables:
            if not table.name.startswith(("audit_", "gate_tally")):
                columns = [c for c in table.c if c.name != "last_seen_at"]
                rows = await connection.execute(sa.select(*columns))
                stored[table.name] = sorted(map(repr, rows))
    return stored


async def test_every_route_answers_everybody_as_the_table_of_roles_says(world: Any) -> None:
    town = await streets(world)
    ways = [way for one in town.walkers for way in ways_of(one)]
    yes = [w for w in ways if w[0].allowed(ROUTES[w[1]], w[2]) and at_home(w[0], w[1])]
    no = [w for w in ways if w not in yes]
    before = await everything(world)
    await all_of(told_no, no)
    assert await everything(world) == before, "a refused request changed something"
    for one, route, page in sorted(yes, key=lambda way: way[1] in LAST):
        await let_through(one, route, page)
    assert len(no) > 600
    assert len(yes) > 200


def ways_of(one: Walker) -> Iterator[tuple[Walker, Route, str]]:
    """Give every route from every own page and one that is not; what ends a sign-in once.

    What is open to all is walked by two; a page without a sign-in is the same wherever it is not.
    """
    own = pages_of(one.holder) if one.signed_in else frozenset()
    pages = sorted(own) + sorted(EVERY_PAGE - own)[:1]
    for route in sorted(ROUTES):
        if route == SOCKET or (isinstance(ROUTES[route], Open) and one.name not in OF_ALL):
            continue
        every = [page for page in pages if one.allowed(ROUTES[route], page)]
        skipped = every[1:] if route in LAST else []
        yield from ((one, route, page) for page in pages if page not in skipped)


async def all_of(step: Any, ways: list[Any]) -> None:
    """Take every way, a few at once: none of them changes anything."""
    room = asyncio.Semaphore(16)

    async def one(way: Any) -> None:
        async with room:
            await step(*way)

    await asyncio.gather(*(one(way) for way in ways))


async def test_every_message_is_answered_to_everybody_as_the_table_of_roles_says(
    world: Any,
) -> None:
    town, asked = await streets(world), 0
    for one in town.walkers:
        for page in sorted(pages_of(one.holder)):
            one.client.page = page
            asked += await speak(one, page)
    assert asked > 80


async def speak(one: Walker, page: str) -> int:
    """Send every message from a page; return how many were answered."""
    client = one.client
    await client.leave()
    if not one.signed_in:
        with pytest.raises(Exception, match="401"):
            await client.open_socket()
        return 0
    if not one.allowed(MESSAGES["hello"], page):
        with pytest.raises(ConnectionError, match="1008"):
            await client.connect()
        return 0
    await client.connect(takeover=True)
    kinds = [kind for kind in MESSAGES if kind not in ("hello", "pong")]
    for kind in kinds:
        await say(one, kind, page)
    return len(kinds)


async def say(one: Walker, kind: str, page: str) -> None:
    """Send one message and compare the answer."""
    client, re = one.client, f"walk-{kind.replace('.', '-')}"
    fields = FIELDS.get(kind, {})
    if kind in ("call.pass", "call.join", "approval.answer", "step.take-over"):
        fields = fields | {"call": one.ids["call"]}
    if kind in ("call.invite", "call.uninvite", "call.hand-over"):
        fields = fields | {"person": one.ids["guest"]}
    await client.send_raw({"type": kind, "id": re, **fields})
    answer = await client.until_that(lambda m: m.get("re") == re)
    code = answer["error"]["code"] if answer["type"] == "error" else ""
    where = f"{one.name}: {kind} was answered {code or 'ok'}"
    if one.allowed(MESSAGES[kind], page):
        assert code not in BY_ROLE, f"{where}, and the table of roles says yes"
        if kind == "call.place" and not code:
            one.call = answer["call"]["id"]
    else:
        assert code, f"{where}, and the table of roles says no"
