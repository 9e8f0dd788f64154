"""Who of those that sign policies a change would keep out: the address counts, and the TLS. Pure.

Officers whom a rule of their own has shut out cannot take it back. So each is asked, on the line
by which they last came, what the rules would say under the new policy, before it takes force.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from security.errors import Conflict, Reason
from security.people import Role
from security.policy.facts import Actor, Facts, Line
from security.policy.model import Policy
from security.policy.terms import FROM_WHERE


@dataclass(frozen=True, slots=True)
class Seen:
    """An appointed officer and the line by which they last came."""

    person_id: str
    line: Line


@dataclass(frozen=True, slots=True)
class ShutOut:
    """Whom a policy would keep out, each with every reason; `everybody`: nobody is left."""

    reasons: Mapping[str, tuple[Reason, ...]]
    everybody: bool


def shut_out(policy: Policy, seen: Iterable[Seen], *, now: datetime) -> ShutOut:
    """Return whom of `seen` the policy would keep from the officer's page."""
    found = {one.person_id: _reasons(policy, one, now) for one in seen}
    reasons = {person: why for person, why in found.items() if why}
    return ShutOut(reasons, bool(found) and len(reasons) == len(found))


def require_somebody_let_in(found: ShutOut) -> None:
    """Raise `Conflict` `shuts_out_all` when no appointed officer would be left to mend it."""
    if found.everybody:
        what = "no appointed officer would be let in from where they last came"
        raise Conflict(what, code="shuts_out_all", reasons=_every(found, found.reasons))


def require_known(found: ShutOut, concerned: Iterable[str], *, confirmed: bool) -> None:
    """Raise `Conflict` `shuts_out` when one of `concerned` is kept out and nobody said so."""
    kept_out = [person for person in concerned if person in found.reasons]
    if kept_out and not confirmed:
        what = "who draws up or approves this change would be kept out by it"
        raise Conflict(what, code="shuts_out", reasons=_every(found, kept_out))


def _every(found: ShutOut, people: Iterable[str]) -> tuple[Reason, ...]:
    return tuple(dict.fromkeys(why for person in people for why in found.reasons[person]))


def _reasons(policy: Policy, one: Seen, now: datetime) -> tuple[Reason, ...]:
    actor = Actor("officer", "", one.person_id, Role.OFFICER, appointed=True)
    facts = Facts(now, actor, "", "", policy=policy, line=one.line)
    return tuple(term.unmet_reason(facts) for term in FROM_WHERE if not term.met(facts))
