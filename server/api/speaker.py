"""Who speaks: from cookies to a principal, from a principal to the facts the gate asks for."""

import ipaddress
from dataclasses import dataclass, replace
from datetime import datetime

from aiohttp import web

from security.errors import Denied, NotFound, ProtocolError, TooMuch
from security.ids import is_id
from security.people import (
    Factor,
    Municipality,
    Office,
    Person,
    Principal,
    Role,
    Session,
    SessionKind,
    Tablet,
    may_sign_in,
)
from security.people import tablet_live as is_live
from security.policy.facts import Actor, Facts
from security.roles import HALF_PAGE
from server.api import nouns as n
from server.api.reach import Reach, reach_of
from server.api.seats import SeatKey
from server.api.tablet_proof import key_of
from server.api.views import Json, dump
from server.calls.call import Call, PartyName
from server.calls.facts import call_facts
from server.calls.guests import party_of
from server.parts import Parts
from server.policies import ZONE, InForce, PolicyBook

COOKIES = {
    SessionKind.TABLET: "__Host-tablet",
    SessionKind.CLERK: "__Host-clerk",
    SessionKind.DESK: "__Host-desk",
    SessionKind.HALF: "__Host-half",
}
PAGES = ("counter", "desk", "officer")
SOCKET_PATH = "/api/v1/ws"
CONTENT = "/api/v1/calls/{call}/files/{file}/content"


@dataclass(frozen=True, slots=True)
class Speaker:
    """A signed-in page. `token` is the cookie that the page's CSRF token is made from."""

    page: str
    principal: Principal
    token: str
    reach: Reach
    book: PolicyBook
    appointed: bool = False

    @property
    def in_force(self) -> InForce:
        """Return the policy that is in force now, whenever the page was opened."""
        return self.book.of(self.municipality.id)

    @property
    def municipality(self) -> Municipality:
        """Return the municipality that everything is scoped by."""
        return self.principal.municipality

    @property
    def person(self) -> Person | None:
        """Return the clerk at a counter, the person at a desk."""
        return self.principal.person

    @property
    def tablet(self) -> Tablet | None:
        """Return the tablet of a counter."""
        return self.principal.tablet

    @property
    def office(self) -> Office | None:
        """Return the office of a counter."""
        return self.principal.office

    @property
    def session(self) -> Session:
        """Return the sign-in."""
        return self.principal.session

    def party_in(self, call: Call) -> PartyName:
        """Return the end of `call` that this page is; who was let go speaks as the desk it was."""
        if self.page == "counter":
            return PartyName.COUNTER
        return party_of(call, self.seat[1]) or PartyName.DESK

    @property
    def seat(self) -> SeatKey:
        """Return the seat that the page sits on."""
        if self.page == "counter":
            return ("counter", self.tablet.id if self.tablet else "")
        return (self.page, self.person.id if self.person else "")

    def actor(self) -> Actor:
        """Return what rules need to know."""
        return Actor(
            page=self.page,
            municipality_id=self.municipality.id,
            person_id=self.person.id if self.person else None,
            role=self.person.role if self.person else None,
            tablet_id=self.tablet.id if self.tablet else None,
            tablet_live=self.tablet is not None and is_live(self.tablet),
            office_id=self.office.id if self.office else None,
            office_kind=self.office.kind if self.office else None,
            second_factor=self.session.second_factor,
            recovering=self.session.factor is Factor.RECOVERY,
            trained_on=self.person.trained_on if self.person else None,
            appointed=self.appointed,
        )

    def facts(
        self,
        subject: str,
        *,
        now: datetime,
        call: Call | None = None,
        subject_municipality_id: str | None = None,
        procedure_open: bool = False,
    ) -> Facts:
        """Return the facts of a question about `subject`."""
        home = call.municipality_id if call else subject_municipality_id or self.municipality.id
        in_force = self.in_force
        return Facts(
            now=now,
            actor=self.actor(),
            subject=subject,
            subject_municipality_id=home,
            call=call_facts(call) if call else None,
            procedure_open=procedure_open,
            policy=in_force.policy,
            policy_number=in_force.number,
            line=self.reach.line(in_force.policy),
            today=now.astimezone(ZONE).date(),
            training=call is None or call.training,
        )

    def you(self, *, desk_open: bool = False) -> Json:
        """Return what PROTOCOL.md section 4 calls `you`."""
        home = n.Place(id=self.municipality.id, name=self.municipality.name)
        person = self.person
        if self.tablet is not None and self.office is not None:
            return dump(
                n.YouCounter(
                    municipality=home,
                    office=n.Place(id=self.office.id, name=self.office.name),
                    tablet=n.Place(id=self.tablet.id, name=self.tablet.name),
                    clerk=n.Named(name=person.name) if person else None,
                    mode="real" if self.tablet.real else "training",
                )
            )
        if person is None:
            raise Denied("nobody is signed in", code="signed_out", http_status=401)
        noun = n.PersonNoun(id=person.id, name=person.name, role=person.role.value)
        if self.page == "officer":
            return dump(n.YouOfficer(municipality=home, person=noun, appointed=self.appointed))
        return dump(
            n.YouDesk(
                municipality=home,
                person=noun,
                desk_state="open" if desk_open else "away",
            )
        )


def is_loopback(address: str | None) -> bool:
    """Tell whether an address is this machine's own."""
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False


def page_of(request: web.Request, *, half: bool = False) -> str:
    """Return the page that a request names, `half` also that of half a sign-in.

    Raises `ProtocolError`.
    """
    page = request.query.get("page", "")
    if page not in PAGES and not (half and page == HALF_PAGE):
        raise ProtocolError("the query must say page=counter, page=desk or page=officer")
    return page


def path_id(request: web.Request, name: str) -> str:
    """Return an id in the path. Raises `NotFound` for what cannot be one: no text gets further."""
    value = request.match_info[name]
    if not is_id(value):
        raise NotFound("no such thing")
    return value


def token_of(request: web.Request, kind: SessionKind) -> str | None:
    """Return the token in the cookie of a kind."""
    return request.cookies.get(COOKIES[kind])


async def speaker_of(parts: Parts, request: web.Request) -> Speaker:
    """Return who sends `request`; in a call nobody is too idle.

    Raises `Denied` `signed_out` or `not_enrolled`.
    """
    page = page_of(request)
    if page == "counter":
        principal = await counter_of(parts, request, token_of(request, SessionKind.CLERK))
        token = token_of(request, SessionKind.TABLET) or ""
        if request.path != SOCKET_PATH:  # which shows the key by its `hello`
            require_page_token(parts, request, token)
    else:
        desk = token_of(request, SessionKind.DESK)
        principal = await parts.sign_in.authenticate(desk, SessionKind.DESK, busy=parts.busy)
        token = desk or ""
        if principal.person is None or not may_sign_in(principal.person, page, None):
            raise Denied("this page is not this role's", code="signed_out", http_status=401)
    speaker = new_speaker(parts, request, page, principal, token)
    if speaker.person is not None and speaker.person.role is Role.OFFICER:
        found = await parts.policy_store.appointment(speaker.municipality.id, speaker.person.id)
        return replace(speaker, appointed=found is not None and found.holds)
    return speaker


async def counter_of(parts: Parts, request: web.Request, clerk: str | None) -> Principal:
    """Return whose tablet's cookie a counter sends, with the clerk of a token.

    That it has the tablet's key is not shown by them.

    Raises `Denied` `not_enrolled`, `key_missing`.
    """
    tablet = token_of(request, SessionKind.TABLET)
    principal = await parts.sign_in.authenticate_counter(tablet, clerk, busy=parts.busy)
    if principal.tablet is not None:
        key_of(principal.tablet)
    return principal


def require_page_token(parts: Parts, request: web.Request, token: str) -> None:
    """Raise `Denied` `csrf` unless the request comes from a page that has shown the tablet's key.

    The content of a file, which a page shows by its address, takes a ticket in the query instead.
    """
    given, now = request.headers.get("X-CSRF-Token", ""), parts.clock()
    if parts.tablets.is_page_token(token, given, now, purpose="page"):
        return
    ticket = request.query.get("ticket", "") if _is_content(request) else ""
    if not parts.tablets.is_page_token(token, ticket, now, purpose="ticket"):
        raise Denied("this page has not shown the tablet's key", code="csrf")


def _is_content(request: web.Request) -> bool:
    resource = request.match_info.route.resource
    return request.method == "GET" and resource is not None and resource.canonical == CONTENT


async def note_refused(parts: Parts, tablet: Tablet, purpose: str, code: str) -> None:
    """Write into the audit log that somebody had a tablet's cookie and not its key.

    Of a flood of tries at one tablet the first ones are written.
    """
    try:
        parts.tablets.refused.count(tablet.id, parts.clock())
    except TooMuch:
        return
    detail = {"purpose": purpose, "code": code}
    home, now = tablet.municipality_id, parts.clock()
    await parts.audit.note(home, "tablet:key:refused", tablet.id, detail, now=now)


async def half_speaker_of(parts: Parts, request: web.Request) -> Speaker:
    """Return who has half signed in. Raises `Denied` `signed_out`."""
    page = page_of(request, half=True)
    token = token_of(request, SessionKind.HALF) if page == HALF_PAGE else None
    principal = await parts.sign_in.authenticate(token, SessionKind.HALF)
    return new_speaker(parts, request, page, principal, token or "")


def new_speaker(
    parts: Parts, request: web.Request, page: str, principal: Principal, token: str
) -> Speaker:
    """Return the speaker of a sign-in, with how `request` came."""
    return Speaker(page, principal, token, reach_of(request), parts.policies)
