"""Whom a directory makes whom: groups to a role, and what an account here is called. Pure.

A directory gives the roles of everyday work alone. Officers are appointed by two administrators:
if groups made officers, whoever administers the directory could sign policies twice over. The
same goes for administrators, who appoint them; so neither signs in by a directory at all.
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from security.errors import Denied
from security.people import LOGIN_PATTERN, Person, Role
from security.sign_in_rules import normal_login

RoleName = Literal["verifier", "senior", "auditor"]
GIVEN = frozenset({Role.VERIFIER, Role.SENIOR, Role.AUDITOR})
MAX_GROUPS = 5_000
_NAME_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Known:
    """What a directory says of somebody; `name` and `login` are wishes, `groups` decide."""

    subject: str
    groups: tuple[str, ...]
    name: str
    login: str
    second_factor: bool
    fresh: bool = False  # it has just asked who it is


def role_of(groups: Collection[str], table: Mapping[str, RoleName]) -> Role:
    """Return the one role that the groups give. Raises `Denied`."""
    found = {Role(table[group]) for group in groups if group in table} & GIVEN
    if not found:
        raise Denied("no group of this person has a role here", code="oidc_no_role")
    if len(found) > 1:
        raise Denied("the person's groups have several roles here", code="oidc_many_roles")
    return found.pop()


def require_given(person: Person) -> None:
    """Raise `Denied` for an account that no directory opens: disabled, or of a role of trust."""
    if person.disabled_at is not None:
        raise Denied("the account is disabled here", code="oidc_disabled")
    if person.role not in GIVEN:
        raise Denied("this role signs in with its password", code="oidc_not_for_role")


def groups_in(claims: Mapping[str, Any], name: str) -> tuple[str, ...] | None:
    """Return the groups that a claim lists, None when it is not there."""
    said = claims.get(name)
    if said is None:
        return None
    listed = [said] if isinstance(said, str) else said
    if not isinstance(listed, list) or len(listed) > MAX_GROUPS:
        return ()
    return tuple(one for one in listed if isinstance(one, str))


def second_factor_in(
    claims: Mapping[str, Any], *, amr: Collection[str], acr: Collection[str]
) -> bool:
    """Tell whether the directory vouches for a second factor, in the words that we were told."""
    said = claims.get("amr")
    methods = {one for one in said if isinstance(one, str)} if isinstance(said, list) else set()
    level = claims.get("acr")
    return bool(methods & set(amr)) or (isinstance(level, str) and level in acr)


def name_in(claims: Mapping[str, Any]) -> str:
    """Return the name to show, empty when none can be shown."""
    said = claims.get("name")
    text = " ".join(said.split()) if isinstance(said, str) else ""
    return text[:_NAME_CHARACTERS] if text.isprintable() else ""


def login_in(claims: Mapping[str, Any]) -> str:
    """Return the sign-in name that the directory would like, empty when it cannot be one."""
    said = claims.get("preferred_username")
    login = normal_login(said) if isinstance(said, str) else ""
    return login if LOGIN_PATTERN.fullmatch(login) else ""


def link_key(municipality_id: str, issuer: str, subject: str) -> str:
    """Return by what an account is found: a hash, since a subject may be a person's number."""
    return hashlib.sha256(f"{municipality_id}\n{issuer}\n{subject}".encode()).hexdigest()


def own_login(key: str) -> str:
    """Return a sign-in name that nobody else has, from the account's key."""
    return f"oidc-{key[:16]}"
