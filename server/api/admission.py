"""The gate's door: who has proved to be somebody is asked for as well how they reach us."""

from dataclasses import replace

from aiohttp import web

from security.errors import Denied
from security.people import Person, Tablet, tablet_live
from security.policy.facts import Actor, Facts
from security.sign_in import Admit
from server.api.reach import reach_of
from server.api.speaker import Speaker
from server.parts import Parts
from server.policies import ZONE


def admission(
    parts: Parts,
    request: web.Request,
    *,
    second_factor: bool = False,
    by_password: bool = False,
) -> Admit:
    """Return what asks the gate whether a sign-in may begin from where `request` comes.

    `second_factor`: one was shown. `by_password`: where the municipality's directory is the only
    way for the person's role, that is refused. It raises `Denied`; the refusal
    stands in the audit log then, and no session has begun.
    """

    async def admit(
        municipality_id: str, page: str, person: Person | None, tablet: Tablet | None
    ) -> None:
        if by_password and person is not None:
            await _require_local(parts, municipality_id, person)
        in_force, now = parts.policies.of(municipality_id), parts.clock()
        facts = Facts(
            now=now,
            actor=replace(
                _actor(municipality_id, page, person, tablet), second_factor=second_factor
            ),
            subject=_subject(municipality_id, person, tablet),
            subject_municipality_id=municipality_id,
            policy=in_force.policy,
            policy_number=in_force.number,
            line=reach_of(request).line(in_force.policy),
            today=now.astimezone(ZONE).date(),
        )
        await parts.gate.ask("session.begin", facts)

    return admit


async def admit_socket(parts: Parts, speaker: Speaker) -> None:
    """Ask the gate whether a page may hold a socket. Raises `Denied`."""
    facts = speaker.facts(speaker.seat[1], now=parts.clock())
    await parts.gate.ask("socket.open", facts)


async def _require_local(parts: Parts, municipality_id: str, person: Person) -> None:
    home = await parts.people.municipality(municipality_id)
    if home is None:
        return
    try:
        parts.oidc.require_local(home.slug, person.role)
    except Denied as denied:
        tag, now = "sign-in:oidc:required", parts.clock()
        await parts.audit.note(municipality_id, tag, person.id, {"code": denied.code}, now=now)
        raise


def _actor(municipality_id: str, page: str, person: Person | None, tablet: Tablet | None) -> Actor:
    return Actor(
        page=page,
        municipality_id=municipality_id,
        person_id=person.id if person else None,
        role=person.role if person else None,
        tablet_id=tablet.id if tablet else None,
        tablet_live=tablet is not None and tablet_live(tablet),
        office_id=tablet.office_id if tablet else None,
    )


def _subject(municipality_id: str, person: Person | None, tablet: Tablet | None) -> str:
    holder = person or tablet
    return holder.id if holder else municipality_id
