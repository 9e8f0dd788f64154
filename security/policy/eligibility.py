"""Terms of a real call about what is entered of its office and procedure (Q&A 2, 3, 4, 7). Pure.

Together with those of the place, the people and the network they are the rule of `call.place`
(baseline.py): "a real call may start when …". 研修モード asks for none of the terms here.
"""

from datetime import date

from security.errors import Reason
from security.policy.decide import Term
from security.policy.facts import Facts


def _has_come(day: date | None, today: date | None) -> bool:
    return day is not None and today is not None and day <= today


def precheck_is_current(
    asked: str, today: date | None, *, office_on: date | None, tablet_on: date | None
) -> bool:
    """Tell whether the 開始前点検 that the policy asks for (`calls.precheck`) was passed.

    `first`: once at the office, on whatever tablet, before its first real call; `daily`: today on
    this very tablet. The days are those of the last check that was passed, at the municipality.
    A day to come is none: a clock was set back since.
    """
    if asked == "daily":
        return tablet_on is not None and tablet_on == today
    return _has_come(office_on, today)


def _resolved(f: Facts) -> bool:
    needed = {
        "not_required": False,
        "setting": f.policy.calls.certificates_resolution == "required",
    }.get(f.grounds.resolution, True)
    return f.training or not needed or _has_come(f.grounds.resolved_on, f.today)


DESIGNATED = Term(
    lambda f: f.training or _has_come(f.grounds.designated_on, f.today),
    Reason(
        "office_not_designated",
        "the day from which the office is designated is not entered or is yet to come",
        "Q&A 3",
    ),
)
RESOLVED = Term(
    _resolved,
    Reason(
        "resolution_missing",
        "the assembly's resolution is not entered or its day is yet to come",
        "Q&A 3; 法第3条第3項",
    ),
    "calls.certificates_resolution",
)
PRECHECKED = Term(
    lambda f: (
        f.training
        or precheck_is_current(
            f.policy.calls.precheck,
            f.today,
            office_on=f.grounds.office_checked_on,
            tablet_on=f.grounds.tablet_checked_on,
        )
    ),
    Reason("precheck_missing", "the check before the opening (開始前点検) was not passed"),
    "calls.precheck",
)
