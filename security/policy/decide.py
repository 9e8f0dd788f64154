"""`decide()`: every unmet term at once, each with a stable code and its clause. Pure.

An action without a rule, or with an empty one, is denied.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from security.errors import Reason
from security.policy.facts import Facts


@dataclass(frozen=True, slots=True)
class Term:
    """One condition: `met(facts)` is true, or `reason` is given.

    `setting` is the key of the policy's setting that the term enforces, if it does one; `beside`
    are others that it reads.
    """

    met: Callable[[Facts], bool]
    reason: Reason
    setting: str = ""
    beside: tuple[str, ...] = ()

    @property
    def settings(self) -> tuple[str, ...]:
        """Return every setting that is asked when the term is."""
        return (self.setting, *self.beside) if self.setting else ()

    def unmet_reason(self, facts: Facts) -> Reason:
        """Return the reason, with the municipality's own clause if it gave one."""
        own = facts.policy.clauses.get(self.setting)
        if own is None:
            return self.reason
        clause = f"{self.reason.clause}; {own}" if self.reason.clause else own
        return Reason(self.reason.code, self.reason.message, clause)


@dataclass(frozen=True, slots=True)
class Rule:
    """The terms of one action.

    `quiet` rules (reading, acknowledging) write only refusals to the audit log.
    """

    action: str
    terms: tuple[Term, ...]
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer: allowed when no reason is left."""

    action: str
    reasons: tuple[Reason, ...]
    quiet: bool = False

    @property
    def allowed(self) -> bool:
        """Tell whether nothing stands against it."""
        return not self.reasons


NO_RULE = Reason("no_rule", "no rule allows this action", "default deny")


def decide(rules: Mapping[str, Rule], action: str, facts: Facts) -> Decision:
    """Return the decision over `action`, with every unmet term in the rule's order."""
    rule = rules.get(action)
    if rule is None or not rule.terms:
        return Decision(action, (NO_RULE,))
    unmet = tuple(term.unmet_reason(facts) for term in rule.terms if not term.met(facts))
    return Decision(action, unmet, rule.quiet)
