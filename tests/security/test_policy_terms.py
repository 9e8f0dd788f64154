"""The terms that a policy adds: each alone turns a decision, and only where the policy asks."""

import json
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from security.people import OfficeKind, Role
from security.policy.baseline import BASELINE
from security.policy.compare import Standing, changes, to_baseline, unexplained
from security.policy.decide import decide
from security.policy.facts import Actor, CallFacts, Facts, Grounds, Line
from security.policy.model import Policy
from security.policy.replay import facts_json, facts_of
from security.values import lies_in

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
CLERK = Actor("counter", "m", "p", Role.CLERK, "t", True, "o", OfficeKind.DIRECT)
DESK = Actor("desk", "m", "v", Role.VERIFIER)
SENIOR = Actor("desk", "m", "s", Role.SENIOR)
SYSTEM = Actor("system", "m", token="k", scopes=("bundles",), networks=("192.0.2.0/24",))
NEAR = {"hooks": {"bundle_networks": ["192.0.2.0/24"]}}
OTHER = Actor("desk", "m", "w", Role.VERIFIER)
TABLET = Actor("counter", "m", None, None, "t", True, "o", OfficeKind.DIRECT)
KEPT = {
    "retention": dict.fromkeys(
        ("records_days", "chat_days", "files_days", "stills_days", "recordings_days", "audit_days"),
        365,
    )
}
DECIDED: dict[str, Any] = {"second_factor_roles": []}
READY = {**KEPT, "people": DECIDED}
GROUNDS = Grounds(
    date(2026, 1, 23), date(2026, 1, 1), "required", date(2026, 1, 23), date(2026, 1, 23)
)
INSIDE = {"vpn": "required", "vpn_networks": ["192.0.2.0/24", "2001:db8::/32"]}


def asked(policy: dict[str, Any], action: str = "call.place", **given: Any) -> set[str]:
    """Return the codes against an action under a policy."""
    actor = given.pop("actor", {"call.place": CLERK, "call.continue": TABLET}.get(action, DESK))
    call = CallFacts("c", "m", "t", "v", "talking", answered=True, clerk_id="p")
    facts = Facts(
        NOW,
        actor,
        "c",
        "m",
        call,
        procedure_open=True,
        outcome_allowed=True,
        policy=Policy.model_validate(policy),
        line=given.pop("line", Line("192.0.2.7", "1.3")),
        today=date(2026, 11, 23),
        grounds=GROUNDS,
    )
    return {reason.code for reason in decide(BASELINE, action, replace(facts, **given)).reasons}


@pytest.mark.parametrize(
    ("address", "outside"),
    [
        ("192.0.2.7", False),
        ("::ffff:192.0.2.7", False),
        ("2001:db8::1", False),
        ("203.0.113.5", True),
        ("not an address", True),
        (None, True),
    ],
)
def test_the_vpn_is_asked_for_where_it_is_required(address: str | None, outside: bool) -> None:
    line = Line(address, "1.3")
    assert ("outside_vpn" in asked({"network": INSIDE}, line=line)) is outside
    for vpn in ("recommended", "none"):
        assert "outside_vpn" not in asked({"network": {**INSIDE, "vpn": vpn}}, line=line)


def test_media_through_a_relay_counts_as_outside_the_vpn() -> None:
    line = Line("192.0.2.7", None, relayed=True)
    relayed = {"network": {**INSIDE, "relay": "fallback"}}
    assert asked(relayed, "media.path", line=line) == {"outside_vpn"}
    assert asked(relayed, "media.path", line=replace(line, relayed=False)) == set()


def test_a_source_binds_the_roles_and_offices_that_it_names() -> None:
    sources = [
        {"networks": ["198.51.100.0/24"], "roles": ["verifier"]},
        {"networks": ["203.0.113.0/24"], "offices": ["o"]},
    ]
    policy = {"network": {"sources": sources}}
    assert asked(policy) == {"outside_network"}
    assert asked(policy, line=Line("203.0.113.9", "1.3")) == set()
    assert asked(policy, "call.accept") == {"outside_network"}
    assert asked(policy, "call.accept", line=Line("198.51.100.3", "1.3")) == set()
    senior = replace(DESK, role=Role.SENIOR)
    assert asked(policy, "call.accept", actor=senior) == set()


@pytest.mark.parametrize(
    ("line", "refused"),
    [
        (Line("192.0.2.7", "1.3"), False),
        (Line("192.0.2.7", "1.2"), True),
        (Line("192.0.2.7", "proxy"), False),
        (Line("192.0.2.7", None), True),
        (Line("127.0.0.1", None), False),
        (Line("::1", None), False),
    ],
)
def test_an_old_tls_is_refused_but_on_this_machine(line: Line, refused: bool) -> None:
    assert asked({"network": {"tls_minimum": "1.3"}}, line=line) == (
        {"tls_too_old"} if refused else set()
    )


@pytest.mark.parametrize(
    ("trained", "current"),
    [
        (date(2025, 11, 23), False),
        (date(2025, 11, 24), True),
        (date(2026, 11, 23), True),
        (date(2026, 11, 24), False),
        (None, False),
    ],
)
def test_training_counts_from_its_day_for_its_months(trained: date | None, current: bool) -> None:
    policy = {"people": {"training": "required", "training_months": 12, **DECIDED}, **KEPT}
    codes = asked(policy, actor=replace(CLERK, trained_on=trained), training=False)
    assert codes == (set() if current else {"training_not_current"})


def test_training_at_the_end_of_a_month_counts_to_the_end_of_a_shorter_one() -> None:
    policy = {"people": {"training": "required", "training_months": 1, **DECIDED}, **KEPT}
    actor = replace(CLERK, trained_on=date(2026, 1, 31))
    for today, current in ((date(2026, 2, 27), True), (date(2026, 2, 28), False)):
        codes = asked(policy, actor=actor, training=False, today=today)
        assert (not codes) is current


def test_a_real_call_waits_until_every_term_of_keeping_is_set() -> None:
    assert asked(READY, training=False) == set()
    for name in KEPT["retention"]:
        recorded = name == "recordings_days"
        part = {
            "people": DECIDED,
            "recording": {"mode": "optional" if recorded else "off"},
            "retention": {k: v for k, v in KEPT["retention"].items() if k != name},
        }
        assert asked(part, training=False) == {"retention_not_set"}
        if recorded:  # asked for only where something is recorded
            assert asked({**part, "recording": {}}, training=False) == set()
    assert asked({}) == set()
    assert asked(KEPT, training=False) == {"second_factor_not_set"}


def test_who_was_the_clerk_does_not_decide() -> None:
    both = replace(DESK, person_id="p")
    call = CallFacts("c", "m", "t", "p", "deciding", answered=True, clerk_id="p")
    assert asked({}, "call.close", actor=both, call=call) == {"same_person"}
    same = {"people": {"clerk_and_verifier": "may_be_same"}}
    assert asked(same, "call.close", actor=both, call=call) == set()


@pytest.mark.parametrize(
    ("action", "policy", "given", "code"),
    [
        ("recording.start", {"recording": {"mode": "off"}}, {"consented": True}, "recording_off"),
        ("recording.start", {"recording": {"mode": "optional"}}, {}, "no_consent"),
        ("recording.view", {"recording": {"viewers": ["senior"]}}, {}, "not_a_viewer"),
        ("still.take", {"stills": {"mode": "off"}}, {}, "stills_off"),
        ("still.take", {"stills": {"retry_limit": 2}}, {"tries": 3}, "too_many_retakes"),
        ("still.view", {"stills": {"viewers": []}}, {}, "not_a_viewer"),
        (
            "record.export",
            {"stills": {"viewers": []}},
            {"stills": True, "actor": SENIOR},
            "not_a_viewer",
        ),
        (
            "record.export",
            {"files": {"one_time_download": "on"}},
            {"taken": True, "actor": SENIOR},
            "already_taken",
        ),
        (
            "rest.bundle",
            {"files": {"one_time_download": "on"}, **NEAR},
            {"taken": True, "actor": SYSTEM},
            "already_taken",
        ),
        ("rest.bundle", {}, {"actor": SYSTEM}, "bundle_network"),
        ("file.offer", {"files": {"scan": "required"}}, {}, "not_scanned"),
        ("file.offer", {"files": {"scan": "if_available"}}, {"scanned": "found"}, "malware"),
        ("file.offer", {"files": {"scan": "required"}}, {"scanned": "found"}, "malware"),
        ("file.read", {"files": {"one_time_download": "on"}}, {"taken": True}, "already_taken"),
        ("call.accept", {"calls": {"assignment": "random"}}, {"actor": OTHER}, "not_offered"),
        ("call.continue", {"calls": {"max_minutes": 5}}, {"talked_seconds": 300}, "max_length"),
        (
            "call.continue",
            {"calls": {"max_waiting_minutes": 1}},
            {"waited_seconds": 60},
            "max_waiting",
        ),
        ("chat.send", {"numbers": {"my_number": "refuse"}}, {"my_number": True}, "my_number"),
        ("call.invite", {"calls": {"third_parties": []}}, {"invited": "senior"}, "not_invitable"),
        (
            "session.begin",
            {"people": {"second_factor_roles": ["verifier"]}},
            {},
            "second_factor",
        ),
    ],
)
def test_a_setting_refuses_by_its_own_code(
    action: str, policy: dict[str, Any], given: dict[str, Any], code: str
) -> None:
    assert asked(policy, action, **given) == {code}


def test_a_municipalitys_own_clause_stands_beside_ours() -> None:
    policy = Policy.model_validate({"network": INSIDE, "clauses": {"network.vpn": "規程 第12条"}})
    facts = Facts(NOW, DESK, "c", "m", policy=policy, line=Line("203.0.113.5", "1.3"))
    (reason,) = decide(BASELINE, "call.accept", facts).reasons
    assert reason.clause == "Q&A 9; 規程 第12条"


@given(
    actor=st.builds(
        Actor,
        page=st.sampled_from(["counter", "desk", "officer", "system"]),
        municipality_id=st.just("m"),
        person_id=st.none() | st.just("p"),
        role=st.none() | st.sampled_from(Role),
        tablet_id=st.none() | st.just("t"),
        tablet_live=st.booleans(),
        office_id=st.none() | st.just("o"),
        office_kind=st.none() | st.sampled_from(OfficeKind),
        trained_on=st.none() | st.dates(),
        second_factor=st.booleans(),
        has_factor=st.booleans(),
        recovering=st.booleans(),
        appointed=st.booleans(),
        token=st.none() | st.just("k"),
        scopes=st.sampled_from([(), ("records",), ("counts", "bundles")]),
        networks=st.sampled_from([(), ("192.0.2.0/24",)]),
    ),
    line=st.builds(
        Line, st.none() | st.just("192.0.2.7"), st.none() | st.just("1.2"), st.booleans()
    ),
    tries=st.integers(0, 9),
    stills=st.booleans(),
    training=st.booleans(),
    answered=st.booleans(),
    grounds=st.builds(
        Grounds,
        st.none() | st.dates(),
        st.none() | st.dates(),
        st.sampled_from(["required", "setting", "not_required"]),
        st.none() | st.dates(),
        st.none() | st.dates(),
    ),
)
def test_facts_read_from_an_entry_decide_as_they_did(
    actor: Actor,
    line: Line,
    tries: int,
    stills: bool,
    training: bool,
    answered: bool,
    grounds: Grounds,
) -> None:
    call = CallFacts("c", "m", "t", None, "talking", answered, None, training)
    policy = Policy.model_validate({"network": INSIDE})
    facts = Facts(
        NOW, actor, "c", "m", call, policy=policy, policy_number=3, line=line, tries=tries,
        training=training, grounds=grounds, stills=stills,
    )  # fmt: skip
    again = facts_of(facts_json(facts), policy, home="m", subject="c", now=NOW)
    assert again == facts
    for action in BASELINE:
        assert decide(BASELINE, action, again) == decide(BASELINE, action, facts)


FULL = Facts(
    NOW,
    Actor(
        "officer", "m", "p", Role.OFFICER, "t", True, "o", OfficeKind.DIRECT, date(2026, 4, 1),
        True, True, True, True, "k", ("bundles",), ("192.0.2.0/24",),
    ),
    "c",
    "m",
    CallFacts("c", "m", "t", "d", "talking", True, "p", False, ("g",), ("h",), ("i",)),
    procedure_open=True,
    outcome_allowed=True,
    policy=Policy.model_validate({"network": INSIDE}),
    policy_number=3,
    line=Line("192.0.2.7", "1.3", True, True),
    today=date(2026, 11, 23),
    training=False,
    consented=True,
    tries=1,
    scanned="clean",
    invited="senior",
    my_number=True,
    insurer_number=True,
    taken=True,
    stills=True,
    waited_seconds=1,
    talked_seconds=1,
    steps_missing=True,
    approval_missing=True,
    takes_up=True,
    grounds=replace(GROUNDS, resolution="setting"),
)  # fmt: skip


def test_every_fact_that_rules_read_survives_the_log() -> None:
    for part in (FULL, FULL.actor, FULL.call, FULL.line, FULL.grounds):
        assert part is not None
        left = [one.name for one in fields(part) if getattr(part, one.name) == one.default]
        assert left == [], "give it here a value that is not its default"
    kept = json.loads(json.dumps(facts_json(FULL)))
    assert facts_of(kept, FULL.policy, home="m", subject="c", now=NOW) == FULL


@given(st.text(), st.sampled_from([("10.0.0.0/8",), ("::/0",), ()]))
def test_any_text_lies_in_a_network_or_does_not(text: str, networks: tuple[str, ...]) -> None:
    assert lies_in(text, networks) in (True, False)


@pytest.mark.parametrize("all_of", [["0.0.0.0/0"], ["::/0"], ["0.0.0.0/1", "128.0.0.0/1"]])
def test_networks_that_cover_everything_are_no_stricter_than_none(all_of: list[str]) -> None:
    open_vpn = Policy.model_validate({"network": {"vpn": "required", "vpn_networks": all_of}})
    assert set(unexplained(open_vpn)) == {"network.vpn", "network.vpn_networks"}
    inside = Policy.model_validate({"network": INSIDE})
    assert unexplained(inside) == ()
    loosened = {one.key: one.standing for one in changes(inside, open_vpn)}
    assert loosened == {"network.vpn_networks": Standing.LOOSER}
    assert to_baseline(inside, "network.vpn") is Standing.STRICTER
    anywhere = Policy.model_validate({"network": {"sources": [{"networks": all_of}]}})
    assert to_baseline(anywhere, "network.sources") is Standing.SAME
    here = Policy.model_validate({"network": {"sources": [{"networks": ["10.0.0.0/8"]}]}})
    (loosened_sources,) = changes(here, anywhere)
    assert loosened_sources.standing is Standing.LOOSER


@pytest.mark.parametrize("address", ["192.0.2.7", "203.0.113.5"])
@pytest.mark.parametrize(
    "action",
    [
        "recovery.confirm",
        *("tablet.revoke", "call.read", "chat.send", "chat.read", "file.send", "file.read"),
    ],
)
def test_the_network_is_asked_again_after_the_sign_in(action: str, address: str) -> None:
    found = asked({"network": INSIDE}, action, line=Line(address, "1.3"))
    assert ("outside_vpn" in found) is (address == "203.0.113.5")
