"""The one place that acts on decisions: asks the rules, writes the audit log, hands out permits."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from security.errors import Denied, NotFound
from security.policy.decide import Decision, Rule, decide
from security.policy.facts import Facts

_ISSUED_HERE = object()


@dataclass(frozen=True, slots=True)
class Permit:
    """Proof that the gate was asked and said yes to `action` on `subject`.

    Whatever must not happen unasked takes one as its first argument. Only the gate makes them.
    """

    action: str
    municipality_id: str
    subject: str
    at: datetime
    issued: object

    def __post_init__(self) -> None:
        if self.issued is not _ISSUED_HERE:
            raise TypeError("permits are made by the gate alone")

    def require(self, action: str, subject: str) -> None:
        """Raise `Denied` unless this permit is for exactly this."""
        if (self.action, self.subject) != (action, subject):
            raise Denied(f"a permit for {self.action} does not open {action}")


class Audit(Protocol):
    """Where decisions are written, durably, before anything happens."""

    async def write(self, decision: Decision, facts: Facts) -> None:
        """Append one entry for `decision` to the municipality's log."""


class Tally(Protocol):
    """Where questions are counted; it may not wait."""

    def count(self, decision: Decision, facts: Facts) -> None:
        """Count a decision."""


class Gate:
    """Asks `rules` and acts on the answer."""

    def __init__(self, rules: Mapping[str, Rule], audit: Audit, tally: Tally | None = None) -> None:
        self._rules = rules
        self._audit = audit
        self._tally = tally

    async def ask(self, action: str, facts: Facts) -> Permit:
        """Return the permit for `action` on `facts.subject`.

        Raises `Denied` with every unmet term; `NotFound` when the subject belongs to another
        municipality, so that ids cannot be probed. Both are written to the audit log first.
        """
        decision = decide(self._rules, action, facts)
        if self._tally is not None:
            self._tally.count(decision, facts)
        if not (decision.allowed and decision.quiet):
            await self._audit.write(decision, facts)
        if decision.allowed:
            return Permit(
                action, facts.actor.municipality_id, facts.subject, facts.now, _ISSUED_HERE
            )
        if any(reason.code == "not_found" for reason in decision.reasons):
            raise NotFound("no such thing")
        first = decision.reasons[0]
        raise Denied(first.message, code=first.code, reasons=decision.reasons)
