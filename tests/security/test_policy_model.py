"""The settings of a policy: what each says of itself, what it may be, and how it stands."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from security.policy.about import Safer
from security.policy.baseline import BASELINE
from security.policy.compare import Standing, changes, standing, to_baseline, unexplained
from security.policy.enforced import places_of
from security.policy.model import BASELINE_POLICY, SETTINGS, Looser, Policy

ROOT = Path(__file__).resolve().parents[2]


def with_value(key: str, value: Any) -> Policy:
    """Return the baseline with one setting changed."""
    section, name = key.split(".")
    return Policy.model_validate({section: {name: value}})


@pytest.mark.parametrize("key", sorted(SETTINGS))
def test_every_setting_says_what_it_is_what_it_protects_and_where_it_holds(key: str) -> None:
    about = SETTINGS[key].about
    assert all(about.name)
    assert all(about.protects)
    assert about.source
    assert about.enforced
    assert all(all(words) for words in about.choices.values())


@pytest.mark.parametrize("key", sorted(k for k, s in SETTINGS.items() if s.minimum is not None))
def test_a_number_is_taken_at_its_limits_and_refused_beyond(key: str) -> None:
    setting = SETTINGS[key]
    assert setting.minimum is not None
    assert setting.maximum is not None
    for value in (setting.minimum, setting.maximum):
        assert with_value(key, value).value(key) == value
    wrong: tuple[Any, ...] = (setting.minimum - 1, setting.maximum + 1, "1", 1.5, True)
    for each in wrong:
        with pytest.raises(ValidationError):
            with_value(key, each)


@pytest.mark.parametrize("key", sorted(k for k, s in SETTINGS.items() if s.about.choices))
def test_a_choice_takes_what_it_lists_and_nothing_else(key: str) -> None:
    setting = SETTINGS[key]
    many = setting.many
    for value in setting.about.choices:
        assert with_value(key, [value] if many else value)
    with pytest.raises(ValidationError):
        with_value(key, ["nothing like it"] if many else "nothing like it")


def test_nothing_is_looser_than_the_baseline_in_the_baseline() -> None:
    assert unexplained(BASELINE_POLICY) == ()
    assert {to_baseline(BASELINE_POLICY, key) for key in SETTINGS} == {
        Standing.SAME,
        Standing.TO_SET,
    }


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("network.vpn", "required", Standing.STRICTER),
        ("network.vpn", "none", Standing.LOOSER),
        ("calls.resume_seconds", 60, Standing.STRICTER),
        ("calls.resume_seconds", 300, Standing.LOOSER),
        ("people.password_min_characters", 16, Standing.STRICTER),
        ("files.types", ["pdf"], Standing.STRICTER),
        ("files.types", ["png", "jpeg", "pdf"], Standing.SAME),
        ("people.second_factor_roles", ["officer"], Standing.LOOSER),
        ("network.sources", [{"networks": ["10.0.0.0/8"]}], Standing.STRICTER),
        ("recording.viewers", ["auditor"], Standing.DIFFERENT),
        ("recording.consent_version", 2, Standing.DIFFERENT),
        ("retention.chat_days", 30, Standing.DIFFERENT),
    ],
)
def test_a_value_stands_to_the_baseline_as_its_direction_says(
    key: str, value: Any, expected: Standing
) -> None:
    assert to_baseline(with_value(key, value), key) is expected


@pytest.mark.parametrize("key", sorted(SETTINGS))
def test_looser_one_way_is_stricter_the_other(key: str) -> None:
    setting = SETTINGS[key]
    if setting.about.safer in (Safer.LOWER, Safer.HIGHER):
        low, high = setting.minimum, setting.maximum
        assert {standing(setting, low, high), standing(setting, high, low)} == {
            Standing.LOOSER,
            Standing.STRICTER,
        }


def test_changes_are_listed_in_the_order_of_the_file() -> None:
    after = Policy.model_validate(
        {"people": {"idle_minutes": 10}, "network": {"vpn": "none"}, "files": {"types": ["pdf"]}}
    )
    found = changes(BASELINE_POLICY, after)
    assert [(c.key, c.standing) for c in found] == [
        ("network.vpn", Standing.LOOSER),
        ("files.types", Standing.STRICTER),
        ("people.idle_minutes", Standing.STRICTER),
    ]


def test_a_reason_explains_what_is_looser() -> None:
    loose = {"network": {"vpn": "none"}}
    assert unexplained(Policy.model_validate(loose)) == ("network.vpn",)
    why = Looser(reason="専用線のため", until=date(2027, 3, 31))
    assert unexplained(Policy.model_validate({**loose, "looser": {"network.vpn": why}})) == ()


def test_a_clause_of_a_setting_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"network\.vpx"):
        Policy.model_validate({"clauses": {"network.vpx": "第1条"}})


# What an action asks for these is worked out before its terms are: limits of files, the sample.
BESIDE_TERMS = {"files.types", "files.max_bytes", "files.max_per_call", "people.sample_percent"}


@pytest.mark.parametrize("key", sorted(k for k, s in SETTINGS.items() if not s.about.waits))
def test_where_a_setting_is_enforced_is_what_the_rules_read(key: str) -> None:
    reading = {a for a, rule in BASELINE.items() if any(key in t.settings for t in rule.terms)}
    said = {place for place in places_of(key) if place in BASELINE}
    assert said >= reading
    assert said == reading or key in BESIDE_TERMS


@pytest.mark.parametrize("key", sorted(k for k, s in SETTINGS.items() if not s.about.waits))
def test_what_is_said_to_be_in_effect_names_actions_or_files_that_are_there(key: str) -> None:
    for place in places_of(key):
        assert place in BASELINE or (ROOT / place).is_file(), place


def test_actions_that_nobody_asks_about_put_no_setting_into_effect() -> None:
    asked = "".join(path.read_text("utf-8") for path in sorted((ROOT / "server").rglob("*.py")))
    for action, rule in BASELINE.items():
        if f'"{action}"' in asked:
            continue
        only_here = {
            term.setting
            for term in rule.terms
            if term.setting
            and not any(
                f'"{name}"' in asked and term.setting in {one.setting for one in other.terms}
                for name, other in BASELINE.items()
            )
        }
        assert all(_holds_elsewhere(key) for key in only_here), (action, only_here)


def _holds_elsewhere(key: str) -> bool:
    """Tell whether a setting has no effect yet, or one beside the gate: in a file that it names."""
    about = SETTINGS[key].about
    return about.waits is not None or any(
        (ROOT / place).is_file() for place in about.enforced.split(", ")
    )
