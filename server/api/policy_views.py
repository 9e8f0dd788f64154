"""What the officer's page is shown of a policy. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from security.policy.baseline import BASELINE
from security.policy.compare import Change, changes, to_baseline
from security.policy.enforced import places_of
from security.policy.model import SECTIONS, SETTINGS, Policy, plain
from security.policy.rehearse import Asked
from security.policy.versions import Version, state_of
from security.roles import ROLES, SCOPES, SYSTEM_PAGE, pages_of
from server.api.nouns import time_view
from server.policies import InForce
from server.policy_text import words

Json = dict[str, Any]
LANGUAGES = ("ja", "en")
AT_THE_GATE = frozenset(
    key for rule in BASELINE.values() for term in rule.terms for key in term.settings
)
Counted = Mapping[int, Mapping[str, Asked]]


def both(words_of: tuple[str, str]) -> Json:
    """Return words in both languages."""
    return dict(zip(LANGUAGES, words_of, strict=True))


def in_words(key: str, value: Any) -> Json:
    """Return a value of a setting in both languages."""
    about = SETTINGS[key].about
    if isinstance(value, tuple | list):
        each = [in_words(key, item) for item in value]
        none = both(("なし", "none"))
        joined = {x: ("・" if x == "ja" else ", ").join(e[x] for e in each) for x in LANGUAGES}
        return joined if each else none
    chosen = about.choices.get(str(plain(value)))
    if value is None:
        return both(("未設定", "not set"))
    if chosen:
        return both(chosen)
    if isinstance(value, int) and about.unit[0]:
        return both((f"{value:,} {about.unit[0]}", f"{value:,} {about.unit[1]}"))
    text = words(about, value)
    return both((text.strip('"'), text.strip('"')))


def policy_view(in_force: InForce, counts: Counted) -> Json:
    """Return every setting of the policy in force; `counts` by days."""
    policy = in_force.policy
    return {
        "number": in_force.number,
        "since": time_view(in_force.since) if in_force.since else None,
        "rescued": in_force.rescued,
        "sections": [
            {
                "key": section,
                "title": _title(section),
                "settings": _settings(section, policy, counts),
            }
            for section in SECTIONS
        ],
        "unset": list(policy.unset()),
    }


def _title(section: str) -> Json:
    japanese, _, english = str(Policy.model_fields[section].title).partition(" / ")
    return both((japanese, english))


def _settings(section: str, policy: Policy, counts: Counted) -> list[Json]:
    keys = [key for key in SETTINGS if key.startswith(f"{section}.")]
    return [setting_view(key, policy, counts) for key in keys]


def setting_view(key: str, policy: Policy, counts: Counted) -> Json:
    """Return one setting with its value, its words, its standing and its counts."""
    setting, value = SETTINGS[key], policy.value(key)
    about, baseline = setting.about, setting.baseline
    explained = policy.looser.get(key)
    return {
        "key": key,
        "name": both(about.name),
        "protects": both(about.protects),
        "source": about.source,
        "enforced": "" if about.waits else ", ".join(places_of(key)),
        "in_effect": about.waits is None,
        "waits": both(about.waits) if about.waits else None,
        "unit": both(about.unit),
        "choices": [{"value": v, "name": both(w)} for v, w in about.choices.items()],
        "many": setting.many,
        "minimum": setting.minimum,
        "maximum": setting.maximum,
        "must_set": about.must_set,
        "value": plain(value),
        "words": in_words(key, value),
        "baseline": plain(baseline),
        "baseline_words": in_words(key, baseline),
        "set_here": plain(value) != plain(setting.default),
        "standing": to_baseline(policy, key).value,
        "clause": policy.clauses.get(key, ""),
        "looser": explained and {"reason": explained.reason, "until": explained.until.isoformat()},
        "counts": _counts(key, counts),
    }


def _counts(key: str, counts: Counted) -> Json | None:
    """Return how often a setting was asked, None for one that the gate never asks.

    Such a one is a value that something works by (a limit, a time); nothing refuses in its name.
    """
    if key not in AT_THE_GATE:
        return None
    return {str(days): _count(by.get(key)) for days, by in counts.items()}


def _count(asked: Asked | None) -> Json:
    return {"asked": asked.asked if asked else 0, "refused": asked.refused if asked else 0}


def change_view(change: Change) -> Json:
    """Return one change in words."""
    return {
        "key": change.key,
        "name": both(SETTINGS[change.key].about.name),
        "before": in_words(change.key, change.before),
        "after": in_words(change.key, change.after),
        "standing": change.standing.value,
    }


def version_view(
    version: Version, current: Version | None, names: Mapping[str, str], now: datetime
) -> Json:
    """Return one version without its text."""
    return {
        "number": version.number,
        "base": version.base,
        "state": state_of(version, current, now).value,
        "note": version.note,
        "rescued": version.rescued,
        "author": _person(version.author_id, names),
        "drafted_at": time_view(version.drafted_at),
        "approved_by": _person(version.approved_by, names),
        "approved_at": time_view(version.approved_at) if version.approved_at else None,
        "starts_at": time_view(version.starts_at) if version.starts_at else None,
        "withdrawn_by": _person(version.withdrawn_by, names),
        "withdrawn_at": time_view(version.withdrawn_at) if version.withdrawn_at else None,
    }


def changes_view(before: Policy, after: Policy) -> list[Json]:
    """Return what differs between two policies, in words."""
    return [change_view(change) for change in changes(before, after)]


def roles_view() -> Json:
    """Return the table of roles: every action in the order of the rules, and who may do it."""
    return {
        "actions": list(BASELINE),
        "roles": [
            {
                "role": holder.value if holder else "tablet",
                "pages": sorted(pages_of(holder)),
                "actions": [action for action in BASELINE if action in actions],
            }
            for holder, actions in ROLES.items()
        ]
        + [
            {
                "role": SYSTEM_PAGE,
                "pages": [],
                "actions": [a for a in BASELINE if any(a in some for some in SCOPES.values())],
            }
        ],
    }


def _person(person_id: str | None, names: Mapping[str, str]) -> Json | None:
    return None if person_id is None else {"id": person_id, "name": names.get(person_id, "?")}
