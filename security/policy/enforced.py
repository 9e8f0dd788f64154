"""Where each setting of a policy is enforced: read from the rules, so never out of date. Pure."""

from functools import cache

from security.policy.baseline import BASELINE
from security.policy.model import SETTINGS


@cache
def places_of(key: str) -> tuple[str, ...]:
    """Return the actions of the gate whose rules read a setting, then what it says itself.

    That are files which read it, and actions that ask for it beside their terms.
    """
    asked = (
        action
        for action, rule in BASELINE.items()
        if any(key in term.settings for term in rule.terms)
    )
    return tuple(dict.fromkeys((*asked, *SETTINGS[key].about.enforced.split(", "))))
