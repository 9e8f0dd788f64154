"""The gate's door: who has proved to be somebody is asked for as well how they reach us."""

from dataclasses import replace

from aiohttp import web

from security.errors import Denied
from security.people import Factor, Person, Role, Tablet, tablet_live
from security.policy.facts import Actor, Facts
from security.sign_in import Admit
from server.api.reach import reach_of
from server.api.speaker import Speaker
from server.parts import Parts
from server.policies import ZONE


def admission(
    parts: Parts,
    request: web.Request,
    shown: Factor | None = None,
    *,
    local: bool = False,
    begun_by: str | None = None,
) -> Admit:
    """Return what asks the gate whether a sign-in may begin from where `request` comes.

    It raises `Denied`; the refusal stands in the audit log then, and no session has begun. It says
    whether the sign-in is only half done: a second factor is enrolled or asked for by the policy,
    and none was `shown` yet. Clerks have the key of their tablet instead. `local`: by password or
    passkey, which is refused where the municipality's directory is the only way for the person's
    role or the person has an account in it, unless `begun_by`: the first half of that person's
    sign-in has gone by it.
    """

    async def admit(
        municipality_id: str, page: str, person: Person | None, tablet: Tablet | None
    ) -> bool:
        if local and person is not None and person.id != begun_by:
            recovering = shown is Factor.RECOVERY
            await _require_local(parts, municipality_id, person, recovering=recovering)
        in_force, now = parts.policies.of(municipality_id), parts.clock()
        staff = person if page != "counter" and person and person.role is not Role.CLERK else None
        enrolled = staff is not None and await parts.factors.has_factor(municipality_id, staff.id)
        asked = staff is not None and staff.role in in_force.policy.people.factor_roles
        half = shown is Factor.RECOVERY or (shown is None and (enrolled or asked))
        actor = replace(
            _actor(municipality_id, page, person, tablet),
            second_factor=shown not in (None, Factor.RECOVERY),
            has_factor=enrolled,
            recovering=shown is Factor.RECOVERY,
        )
        facts = Facts(
            now=now,
            actor=actor,
            subject=_subject(municipality_id, person, tablet),
            subject_municipality_id=municipality_id,
            policy=in_force.policy,
            policy_number=in_force.number,
            line=reach_of(request).line(in_force.policy),
            today=now.astimezone(ZONE).date(),
        )
        await parts.gate.ask("session.half" if half else "session.begin", facts)
        return half

    return admit


async def admit_socket(parts: Parts, speaker: Speaker) -> None:
    """Ask the gate whether a page may hold a socket. Raises `Denied`."""
    facts = speaker.facts(speaker.seat[1], now=parts.clock())
    await parts.gate.ask("socket.open", facts)


async def _require_local(
    parts: Parts, municipality_id: str, person: Person, *, recovering: bool
) -> None:
    home = await parts.people.municipality(municipality_id)
    if home is None:
        return
    try:
        parts.oidc.require_local(home.slug, person.role)
        if not recovering:  # by the link of two administrators, each time anew
            await parts.oidc.require_unlinked(person)
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
