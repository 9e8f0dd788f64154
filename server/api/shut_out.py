"""Whom of the officers a policy would keep out, asked before it is drawn up or takes force."""

from collections.abc import Mapping
from typing import Any

from security.people import Role
from security.policy.lockout import ShutOut, shut_out
from security.policy.model import Policy
from server.parts import Parts


async def found_shut_out(parts: Parts, home: str, policy: Policy) -> ShutOut:
    """Return which appointed officers `policy` would keep out."""
    holding = {one.person_id for one in await parts.policy_store.appointments(home) if one.holds}
    people = [
        one.id
        for one in await parts.people.people(home)
        if one.id in holding and one.role is Role.OFFICER and one.disabled_at is None
    ]
    seen = await parts.officer_lines.seen(home, people, policy)
    return shut_out(policy, seen, now=parts.clock())


def shut_out_view(found: ShutOut, names: Mapping[str, str]) -> dict[str, Any]:
    """Return what the officer's page is shown of it."""
    return {
        "officers": [
            {
                "id": person,
                "name": names.get(person, "?"),
                "codes": [reason.code for reason in reasons],
            }
            for person, reasons in found.reasons.items()
        ],
        "everybody": found.everybody,
    }
