"""Every setting that is in effect has a test, named here, that changes it and watches the server.

The test is read: it is there, it is not skipped, it puts a value for this key into force (by
`enforce` or `ready_for_real_calls`) that is another one than what ships, and it claims something.
"""

import ast
from pathlib import Path
from typing import Any

import pytest

from security.policy.model import SETTINGS, plain

ROOT = Path(__file__).parents[1]
EFFECTS, RULES = "server/test_policy_effects.py", "server/test_network_rules.py"
QUALITY, FILES = "server/test_quality.py", "server/test_files_http.py"
SCAN, KEPT = "server/test_file_scan.py", "server/test_retention.py"
HOOKS = "server/hooks/test_webhooks.py"
OUTSIDE = "test_whoever_is_outside_the_vpn_gets_no_cookie_and_stands_in_the_log"
PICTURE = "test_the_policy_says_what_picture_is_too_poor_and_for_how_long"
TRAINED = "test_whose_training_is_missing_or_too_old_starts_and_answers_no_call"
VIEWERS = "test_a_still_is_seen_by_whom_the_policy_lets_view_stills_and_each_look_is_logged"
STILLS = "test_the_policy_says_whether_stills_are_taken_and_how_often_again"
DUE = "test_chat_and_files_go_on_their_day_with_a_signed_proof_each"
GONE = "test_stills_and_the_record_go_on_their_days_and_with_the_last_piece_the_key"
TOLD = "test_a_call_that_is_over_is_told_signed_with_ids_alone"
NAMED = "test_names_and_reasons_go_out_over_tls_where_the_policy_says_so"
CHANGED_BY = {
    "network.vpn": (RULES, OUTSIDE),
    "network.vpn_networks": (RULES, OUTSIDE),
    "network.sources": (
        RULES,
        "test_a_page_that_comes_back_from_another_address_is_asked_again",
    ),
    "network.trusted_proxies": (RULES, OUTSIDE),
    "network.relay": (
        "server/test_relay.py",
        "test_the_policy_says_how_the_relay_is_used_and_pages_are_told_at_once",
    ),
    "network.tls_minimum": (
        EFFECTS,
        "test_a_connection_of_an_older_tls_version_does_not_sign_in",
    ),
    "calls.resume_seconds": (EFFECTS, "test_the_time_to_come_back_is_the_shorter_one"),
    "calls.ring_seconds": (EFFECTS, "test_a_desk_rings_no_longer_than_the_policy_says"),
    "calls.max_minutes": (
        EFFECTS,
        "test_a_call_ends_at_its_longest_time_and_both_ends_see_it_come",
    ),
    "calls.max_waiting_minutes": (
        EFFECTS,
        "test_a_call_that_nobody_answers_is_taken_out_of_the_queue_in_time",
    ),
    "calls.certificates_resolution": (
        "server/test_real_calls.py",
        "test_support_needs_no_resolution_and_certificates_as_the_setting_says",
    ),
    "calls.precheck": (
        "server/test_precheck.py",
        "test_where_the_policy_says_so_each_day_begins_with_a_check_of_the_tablet",
    ),
    "calls.assignment": (
        EFFECTS,
        "test_with_random_assignment_a_desk_answers_only_what_rings_there",
    ),
    "calls.third_parties": (
        "server/test_guests.py",
        "test_the_policy_says_who_may_be_asked_and_takes_who_is_in_out_again",
    ),
    "calls.minimum_height_px": (QUALITY, PICTURE),
    "calls.minimum_frames_per_second": (QUALITY, PICTURE),
    "calls.poor_picture_seconds": (QUALITY, PICTURE),
    "stills.mode": ("server/test_stills.py", STILLS),
    "stills.retry_limit": ("server/test_stills.py", STILLS),
    "stills.viewers": ("server/test_stills.py", VIEWERS),
    "files.types": (FILES, "test_files_are_what_the_policy_allows"),
    "files.max_bytes": (FILES, "test_files_are_what_the_policy_allows"),
    "files.max_per_call": (FILES, "test_files_are_what_the_policy_allows"),
    "files.scan": (
        SCAN,
        "test_without_an_answer_of_the_scanner_the_policy_says_what_becomes_of_a_file",
    ),
    "files.one_time_download": (
        SCAN,
        "test_each_party_gets_a_file_once_where_the_policy_says_so",
    ),
    "chat.keep": (KEPT, "test_a_chat_that_the_policy_does_not_keep_is_gone_with_its_call"),
    "numbers.my_number": (
        EFFECTS,
        "test_an_individual_number_does_not_get_into_the_chat",
    ),
    "numbers.insurer_number": (
        EFFECTS,
        "test_a_number_of_an_insurer_is_refused_warned_of_or_not_looked_for",
    ),
    "people.password_min_characters": (EFFECTS, "test_a_password_is_as_long_as_the_policy_says"),
    "people.second_factor_roles": (
        RULES,
        "test_half_a_sign_in_begins_from_where_a_whole_one_may",
    ),
    "people.first_factor": (
        "server/test_recovery.py",
        "test_a_first_factor_is_set_up_by_link_where_the_policy_says_so",
    ),
    "people.idle_minutes": (EFFECTS, "test_a_page_left_alone_is_locked_when_the_policy_says"),
    "people.absolute_hours": (EFFECTS, "test_a_sign_in_lasts_no_longer_than_both_say"),
    "people.training": (EFFECTS, TRAINED),
    "people.training_months": (EFFECTS, TRAINED),
    "people.clerk_and_verifier": (
        EFFECTS,
        "test_who_was_the_clerk_answers_the_call_only_where_the_policy_lets_them",
    ),
    "people.senior_approval": (
        "server/test_steps.py",
        "test_where_the_policy_says_always_a_senior_confirms_the_decision",
    ),
    "people.sample_percent": (
        "server/test_steps.py",
        "test_a_sample_of_every_call_is_every_call",
    ),
    "retention.records_days": (KEPT, GONE),
    "retention.stills_days": (KEPT, GONE),
    "retention.chat_days": (KEPT, DUE),
    "retention.files_days": (KEPT, DUE),
    "retention.audit_days": (
        KEPT,
        "test_the_log_lets_go_what_is_due_and_the_rest_still_verifies",
    ),
    "audit.export": (
        "server/test_syslog.py",
        "test_every_entry_arrives_and_the_messages_alone_prove_the_chain",
    ),
    "audit.sign_minutes": (
        EFFECTS,
        "test_the_audit_log_is_signed_as_often_as_the_policy_says",
    ),
    "hooks.destinations": (HOOKS, TOLD),
    "hooks.private_networks": (HOOKS, TOLD),
    "hooks.content": (HOOKS, NAMED),
    "hooks.bundle_networks": (
        "server/hooks/test_rest.py",
        "test_a_bundle_goes_into_networks_that_officers_have_named_and_verifies",
    ),
}
IN_EFFECT = sorted(k for k, s in SETTINGS.items() if not s.about.waits)
CANNOT_CHANGE = {k for k in IN_EFFECT if len(SETTINGS[k].about.choices) == 1}


def test_a_setting_without_effect_says_why_and_none_other_waits_than_recording() -> None:
    waiting = {key for key, setting in SETTINGS.items() if setting.about.waits}
    assert {key for key in SETTINGS if key.startswith("recording.")} <= waiting
    assert waiting - {"retention.recordings_days"} == {
        key for key in waiting if key.startswith("recording.")
    }


@pytest.mark.parametrize("key", IN_EFFECT)
def test_a_test_changes_the_setting_and_watches_what_it_does(key: str) -> None:
    if key in CANNOT_CHANGE:
        return
    file, name = CHANGED_BY[key]
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    test = next(one for one in tree.body if getattr(one, "name", "") == name)
    assert isinstance(test, ast.FunctionDef | ast.AsyncFunctionDef)
    assert not [one for one in test.decorator_list if "skip" in ast.unparse(one)]
    said = ast.unparse(test)
    assert "assert " in said or "pytest.raises" in said
    reached = _with_what_it_names(tree, test)
    assert any("enforce(" in one or "ready_for_real_calls(" in one for one in reached)
    values = [value for one in reached for value in _values_of(key, ast.parse(one))]
    assert any(value != plain(SETTINGS[key].default) for value in values), (key, values)


def _with_what_it_names(tree: ast.Module, test: ast.AST) -> list[str]:
    """Return the text of a test, of the functions of its file that it calls, and of constants."""
    by_name: dict[str, ast.AST] = {}
    for one in tree.body:
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
            by_name[one.name] = one
        elif isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name):
            by_name[one.targets[0].id] = one
        elif isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name):
            by_name[one.target.id] = one
    found, waiting = {}, [test]
    while waiting:
        node = waiting.pop()
        found[id(node)] = ast.unparse(node)
        names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        names |= {n.arg for n in ast.walk(node) if isinstance(n, ast.arg)}  # fixtures
        waiting += [by_name[n] for n in names if n in by_name and id(by_name[n]) not in found]
    return list(found.values())


def _values_of(key: str, tree: ast.AST) -> list[Any]:
    """Return what a text gives for a key; what is no literal stands as its words."""
    values: list[Any] = []
    for node in ast.walk(tree):
        pairs: list[tuple[Any, Any]] = []
        if isinstance(node, ast.Dict):
            pairs = list(zip(node.keys, node.values, strict=True))
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
            pairs = [(node.targets[0].slice, node.value)]
        for name, value in pairs:
            if isinstance(name, ast.Constant) and name.value == key:
                try:
                    values.append(ast.literal_eval(value))
                except ValueError:
                    values.append(ast.unparse(value))
    return values
