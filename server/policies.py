"""The policies in force, in memory: every question to the gate reads one."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from security.policy.model import BASELINE_POLICY, Policy

# Dates of the law count in Japan, wherever the server's clock stands.
ZONE = ZoneInfo("Asia/Tokyo")


@dataclass(frozen=True, slots=True)
class InForce:
    """A policy and its version; number 0 is the baseline, before anything was set."""

    number: int
    policy: Policy
    since: datetime | None = None


BASELINE = InForce(0, BASELINE_POLICY)


class PolicyBook:
    """What is in force in each municipality."""

    def __init__(self) -> None:
        self._in_force: dict[str, InForce] = {}

    def of(self, municipality_id: str) -> InForce:
        """Return what is in force there."""
        return self._in_force.get(municipality_id, BASELINE)

    def put(self, municipality_id: str, in_force: InForce) -> None:
        """Let another version be in force from now on."""
        self._in_force[municipality_id] = in_force
