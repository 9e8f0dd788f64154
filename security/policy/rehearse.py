""" "What would it have been?": decisions of the past made anew under another policy. Pure."""

from collections import Counter
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


def count(rules: Mapping[str, Rule], decisions: Iterable[tuple[str, Counter[str]]]) -> Counts:
    """Count settings over decisions, each an action and the codes of its refusal (empty: allowed).

    What a rule refused for stands in the log by code; the setting is the term's that has the code.
    """
    counts = Counts()
    for action, codes in decisions:
        rule = rules.get(action)
        for term in rule.terms if rule else ():
            if term.setting:
                asked = counts.of(term.setting)
                asked.asked += 1
                asked.refused += 1 if codes[term.reason.code] else 0
    return counts
