"""The operator's file and a municipality's policy, setting by setting: the stricter one counts.

One place for all settings that both have. The policy is the one in force at the moment of asking;
where a municipality has set none yet, the operator's file alone counts.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from files.kinds import JPEG, PDF, PNG
from files.limits import FileLimits
from security.people import SessionLimits
from security.policy.model import Policy
from server.calls.machine import Limits

_TYPES = {"pdf": PDF, "jpeg": JPEG, "png": PNG}
PolicyOf = Callable[[str], Policy | None]


class Stricter:
    """Answers for one municipality (its id) each."""

    def __init__(self, policy_of: PolicyOf) -> None:
        self._policy_of = policy_of

    def calls(self, municipality_id: str, own: Limits) -> Limits:
        """Return the times of a call, in seconds."""
        policy = self._policy_of(municipality_id)
        if policy is None:
            return own
        return Limits(
            min(own.resume_seconds, policy.calls.resume_seconds),
            min(own.ring_seconds, policy.calls.ring_seconds),
            policy.calls.max_waiting_minutes * 60,
            policy.calls.max_minutes * 60,
            policy.calls.assignment == "random",
        )

    def files(self, municipality_id: str, own: FileLimits) -> FileLimits:
        """Return what files may be."""
        policy = self._policy_of(municipality_id)
        if policy is None:
            return own
        files = policy.files
        allowed = {_TYPES[one] for one in files.types}
        return FileLimits(
            min(own.max_bytes, files.max_bytes),
            min(own.max_per_call, files.max_per_call),
            tuple(one for one in own.media_types if one in allowed),
            files.one_time_download == "on",
        )

    def sessions(self, municipality_id: str, own: SessionLimits) -> SessionLimits:
        """Return how long a sign-in lasts and what a password must be."""
        policy = self._policy_of(municipality_id)
        if policy is None:
            return own
        people = policy.people
        return replace(
            own,
            idle=min(own.idle, timedelta(minutes=people.idle_minutes)),
            absolute=min(own.absolute, timedelta(hours=people.absolute_hours)),
            password_characters=max(own.password_characters, people.password_min_characters),
        )


def relay_use(policy: Policy | None, own: str) -> str:
    """Return how pages use the relay: as the policy says, within what the operator offers.

    "none", "fallback" or "only". Where there is no relay none is used; an operator's "only" leaves
    no direct way to a policy that would take either.
    """
    if policy is None or own == "none":
        return own
    return own if policy.network.relay == "fallback" else policy.network.relay
