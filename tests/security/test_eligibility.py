"""A real call may start when …: each term of DOMAIN alone turns the answer, and all at once."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from security.people import OfficeKind, Role
from security.policy.baseline import BASELINE
from security.policy.decide import decide
from security.policy.facts import Actor, Facts, Grounds, Line
from security.policy.model import Policy

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
TODAY = date(2026, 11, 23)
TOMORROW = date(2026, 11, 24)
YESTERDAY = date(2026, 11, 22)
CLERK = Actor("counter", "m", "p", Role.CLERK, "t", True, "o", OfficeKind.DIRECT, TODAY)
NOBODY = replace(CLERK, person_id=None, role=None, trained_on=None)
KEPT = dict.fromkeys(
    ("records_days", "chat_days", "files_days", "stills_days", "recordings_days", "audit_days"),
    365,
)
STRICT: dict[str, Any] = {
    "retention": KEPT,
    "people": {"training": "required", "second_factor_roles": ["verifier"]},
    "network": {"vpn": "required", "vpn_networks": ["192.0.2.0/24"], "tls_minimum": "1.3"},
}
READY = Facts(
    NOW,
    CLERK,
    "t",
    "m",
    procedure_open=True,
    policy=Policy.model_validate(STRICT),
    line=Line("192.0.2.7", "1.3"),
    today=TODAY,
    training=False,
    grounds=Grounds(TODAY, TODAY, "required", TODAY, TODAY),
)


def policy(**sections: Any) -> Policy:
    return Policy.model_validate({**STRICT, **sections})


def unmet(**changes: Any) -> set[str]:
    facts = replace(READY, **changes)
    return {reason.code for reason in decide(BASELINE, "call.place", facts).reasons}


def grounds(**changes: Any) -> dict[str, Grounds]:
    return {"grounds": replace(READY.grounds, **changes)}


FLIPPED: list[tuple[str, dict[str, Any]]] = [
    ("office_not_direct", {"actor": replace(CLERK, office_kind=OfficeKind.SIMPLE)}),
    ("office_not_direct", {"actor": replace(CLERK, office_kind=None)}),
    ("office_not_designated", grounds(designated_on=None)),
    ("office_not_designated", grounds(designated_on=TOMORROW)),
    ("resolution_missing", grounds(resolved_on=None)),
    ("resolution_missing", grounds(resolved_on=TOMORROW)),
    ("resolution_missing", grounds(resolved_on=None, resolution="setting")),
    ("procedure_not_open", {"procedure_open": False}),
    ("not_enrolled", {"actor": replace(CLERK, tablet_live=False)}),
    ("no_clerk", {"actor": NOBODY}),
    ("outside_vpn", {"line": Line("203.0.113.5", "1.3")}),
    ("tls_too_old", {"line": Line("192.0.2.7", "1.2")}),
    ("training_not_current", {"actor": replace(CLERK, trained_on=None)}),
    *(
        (
            "retention_not_set",
            {"policy": policy(retention={**KEPT, name: None}, recording={"mode": mode})},
        )
        for name in sorted(KEPT)
        for mode in (["optional"] if name == "recordings_days" else ["off"])
    ),
    ("precheck_missing", grounds(office_checked_on=None)),
    ("precheck_missing", grounds(office_checked_on=TOMORROW)),
    (
        "precheck_missing",
        {"policy": policy(calls={"precheck": "daily"}), **grounds(tablet_checked_on=YESTERDAY)},
    ),
]


def test_a_check_counts_for_the_office_or_for_the_tablets_day_as_the_policy_says() -> None:
    daily = {"policy": policy(calls={"precheck": "daily"})}
    assert unmet(**grounds(tablet_checked_on=None)) == set()
    assert unmet(**grounds(office_checked_on=YESTERDAY)) == set()
    assert unmet(**daily) == set()
    assert unmet(**daily, **grounds(tablet_checked_on=None)) == {"precheck_missing"}
    # 研修モード asks for none.
    assert unmet(**grounds(office_checked_on=None), training=True) == set()


def test_a_real_call_may_start_when_every_term_holds() -> None:
    assert unmet() == set()


@pytest.mark.parametrize(("code", "changes"), FLIPPED)
def test_each_term_alone_stands_against_a_real_call(code: str, changes: dict[str, Any]) -> None:
    found = unmet(**changes)
    assert found - {"training_not_current"} == {code} - {"training_not_current"}
    assert code in found


def test_all_terms_at_once_are_all_named() -> None:
    worst = Actor("counter", "m", None, None, "t", False, "o", OfficeKind.SIMPLE)
    found = unmet(
        actor=worst,
        procedure_open=False,
        line=Line("203.0.113.5", "1.2"),
        policy=policy(retention={}),
        grounds=Grounds(),
    )
    assert found == {code for code, _ in FLIPPED}


@pytest.mark.parametrize(
    ("resolution", "waived", "met"),
    [
        ("required", False, False),
        ("required", True, False),
        ("setting", False, False),
        ("setting", True, True),
        ("not_required", False, True),
        ("anything else", True, False),
    ],
)
def test_a_resolution_is_waived_for_support_and_where_the_setting_says_so(
    resolution: str, waived: bool, met: bool
) -> None:
    value = "not_required" if waived else "required"
    found = unmet(
        **grounds(resolved_on=None, resolution=resolution),
        policy=policy(calls={"certificates_resolution": value}),
    )
    assert found == (set() if met else {"resolution_missing"})


def test_training_mode_skips_the_dates_and_what_is_not_set_but_not_the_place() -> None:
    nothing = {"grounds": Grounds(), "policy": policy(retention={}), "training": True}
    assert unmet(**nothing) == set()
    assert unmet(**nothing, line=Line("203.0.113.5", "1.3")) == {"outside_vpn"}
    simple = replace(CLERK, office_kind=OfficeKind.SIMPLE)
    assert unmet(**nothing, actor=simple) == {"office_not_direct"}
    assert unmet(**nothing, procedure_open=False) == {"procedure_not_open"}


def test_without_a_date_of_today_nothing_has_come() -> None:
    assert {"office_not_designated", "resolution_missing"} <= unmet(today=None)
