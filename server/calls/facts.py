"""A call as the gate sees it. Pure."""

from security.policy.facts import CallFacts
from server.calls.call import Call
from server.calls.guests import joined


def call_facts(call: Call) -> CallFacts:
    """Return what rules need of a call."""
    return CallFacts(
        id=call.id,
        municipality_id=call.municipality_id,
        tablet_id=call.tablet_id,
        desk_id=call.desk_id,
        state=call.state.value,
        answered=call.answered_at is not None,
        clerk_id=call.clerk_id,
        clerks_before=call.clerks_before,
        training=call.training,
        guests=tuple(x.person_id for x in joined(call)),
        asked=tuple(x.person_id for x in call.guests if x.joined_at is None),
    )
