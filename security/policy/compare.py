"""How a policy stands to another: looser, stricter, the same. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from security.policy.about import Safer
from security.policy.model import BASELINE_POLICY, SETTINGS, Policy, Setting
from security.policy.sections.network import Source
from security.values import covers_everything


class Standing(StrEnum):
    """How a value stands to another: 同じ, 緩い, 厳しい, 違う (neither), 要設定."""

    SAME = "same"
    LOOSER = "looser"
    STRICTER = "stricter"
    DIFFERENT = "different"
    TO_SET = "to_set"


@dataclass(frozen=True, slots=True)
class Change:
    """One setting that differs between two policies."""

    key: str
    before: Any
    after: Any
    standing: Standing


def standing(setting: Setting, value: Any, other: Any) -> Standing:
    """Return how `value` stands to `other`."""
    if value is None and setting.about.must_set:
        return Standing.TO_SET
    if _comparable(value) == _comparable(other):
        return Standing.SAME
    stricter = _is_stricter(setting, value, other)
    if stricter is None:
        return Standing.DIFFERENT
    return Standing.STRICTER if stricter else Standing.LOOSER


def to_baseline(policy: Policy, key: str) -> Standing:
    """Return how a setting of `policy` stands to what the program ships."""
    if policy.value(key) is None and key not in policy.unset():
        return Standing.SAME
    shipped = _effect(BASELINE_POLICY, key)
    if shipped is None:
        shipped = SETTINGS[key].baseline
    return standing(SETTINGS[key], _effect(policy, key), shipped)


def changes(before: Policy, after: Policy) -> tuple[Change, ...]:
    """Return what differs from `before` to `after`, in the order of the file."""
    found = []
    for key in SETTINGS:
        old, new = before.value(key), after.value(key)
        if _comparable(old) != _comparable(new):
            found.append(Change(key, old, new, _standing_of(before, after, key)))
    return tuple(found)


def _standing_of(before: Policy, after: Policy, key: str) -> Standing:
    return standing(SETTINGS[key], _effect(after, key), _effect(before, key))


def _effect(policy: Policy, key: str) -> Any:
    """Return what a setting amounts to: a VPN in which every address lies asks for nothing."""
    value = policy.value(key)
    if key == "network.vpn" and value == "required":
        return "none" if covers_everything(policy.network.vpn_networks) else value
    if key == "network.sources":
        return value if _limits(policy.network.sources) else ()
    return value


def _limits(sources: tuple[Source, ...]) -> bool:
    """Tell whether sources keep anybody out."""
    open_ones = [one for one in sources if covers_everything(one.networks)]
    to_all = any(not one.roles and not one.offices for one in open_ones)
    return not to_all and len(open_ones) < len(sources)


def unexplained(policy: Policy) -> tuple[str, ...]:
    """Return the settings that are looser than the baseline without a reason and a date."""
    return tuple(
        key
        for key in SETTINGS
        if to_baseline(policy, key) is Standing.LOOSER and key not in policy.looser
    )


def _comparable(value: Any) -> Any:
    return frozenset(value) if isinstance(value, tuple) else value


def _is_stricter(setting: Setting, value: Any, other: Any) -> bool | None:
    safer = setting.about.safer
    if safer in (Safer.LOWER, Safer.HIGHER):
        return bool((value < other) is (safer is Safer.LOWER))
    if safer is Safer.ORDER:
        order = list(setting.about.choices)
        return order.index(value) < order.index(other)
    if safer is Safer.LIMITED:
        return None if value and other else bool(value)
    if safer is Safer.NARROW:
        mine_all, theirs_all = covers_everything(value), covers_everything(other)
        return None if mine_all is theirs_all else theirs_all
    if safer is Safer.NONE:
        return None
    mine, theirs = frozenset(value or ()), frozenset(other or ())
    if safer is Safer.FEWER and (mine < theirs or theirs < mine):
        return mine < theirs
    if safer is Safer.MORE and (mine < theirs or theirs < mine):
        return theirs < mine
    return None
