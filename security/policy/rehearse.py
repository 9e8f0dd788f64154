""" "What would it have been?": decisions of the past made anew under another policy. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from security.policy.decide import Rule, decide
from security.policy.facts import Facts
from security.policy.model import Policy


@dataclass(frozen=True, slots=True)
class Kept:
    """A decision of the past: its place in the log, what was asked, and the facts."""

    position: int
    action: str
    allowed: bool
    facts: Facts


@dataclass(frozen=True, slots=True)
class Changed:
    """A decision that would have been another one; `codes` are the new or the vanished reasons."""

    position: int
    action: str
    allowed: bool
    codes: tuple[str, ...]


@dataclass(slots=True)
class Asked:
    """How often a setting was asked, and how often it refused."""

    asked: int = 0
    refused: int = 0


@dataclass(slots=True)
class Counts:
    """Asked and refused by setting."""

    by_setting: dict[str, Asked] = field(default_factory=dict)

    def of(self, key: str) -> Asked:
        """Return the counts of a setting, zero when it was never asked."""
        return self.by_setting.setdefault(key, Asked())


def rehearse(rules: Mapping[str, Rule], kept: Iterable[Kept], policy: Policy) -> list[Changed]:
    """Return each past decision that `policy` would have changed, in the log's order."""
    changed = []
    for one in kept:
        before = decide(rules, one.action, one.facts)
        after = decide(rules, one.action, replace(one.facts, policy=policy))
        if after.allowed != one.allowed:
            reasons = before.reasons if after.allowed else after.reasons
            codes = tuple(reason.code for reason in reasons)
            changed.append(Changed(one.position, one.action, after.allowed, codes))
    return changed


def count(rules: Mapping[str, Rule], counted: Mapping[tuple[str, str], int]) -> Counts:
    """Count settings over decisions, given how many there were by action and code.

    The empty code stands for every decision over the action, the others for refusals. A setting is
    asked once with each question whose rule has a term that reads it, and it has refused when that
    term did.
    """
    counts = Counts()
    for action, rule in rules.items():
        asked = counted.get((action, ""), 0)
        for key in dict.fromkeys(key for term in rule.terms for key in term.settings):
            codes = {term.reason.code for term in rule.terms if key in term.settings}
            one = counts.of(key)
            one.asked += asked
            one.refused += sum(counted.get((action, code), 0) for code in codes)
    return counts
