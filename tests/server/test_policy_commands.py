"""`madoguchi policy`: check, show, diff, explain and schema, with no server."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from security.audit.chain import Stored
from security.people import GUEST_ROLES, Role
from security.policy.baseline import BASELINE
from security.policy.decide import decide
from security.policy.enforced import places_of
from security.policy.model import BASELINE_POLICY, SETTINGS, Policy
from security.policy.rehearse import rehearse
from security.policy.replay import facts_json
from security.roles import ROLES, may
from server.cli.root import commands
from server.policy_question import Question
from server.policy_review import decisions_of
from server.policy_text import policy_text
from server.settings_file import parse_settings

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
SOURCES = '[[network.sources]]\nnetworks = ["10.0.0.0/8"]\n'
FAULTS = [
    ('[network]\nvpn = "maybe"', 2, "network.vpn", '"required" or "recommended" or "none"'),
    ('[network]\nvpn = true', 2, "network.vpn", '"required"'),
    ('[network]\nvpn_networks = ["10.0.0.1/8"]', 2, "network.vpn_networks[0]", "network"),
    ('[network]\nvpn_networks = [7]', 2, "network.vpn_networks[0]", "text"),
    ('[network]\nvpn_networks = "10.0.0.0/8"', 2, "network.vpn_networks", "a list"),
    ('[network]\nbogus = 1', 2, "network.bogus", "only "),
    ('[network]\n\nsources = [{ networks = [] }]', 3, "network.sources[0].networks", "at least 1"),
    (f'{SOURCES}roles = ["king"]', 3, "network.sources[0].roles[0]", "clerk"),
    (f"{SOURCES}[[network.sources]]\nrolls = 1", 4, "network.sources[1].rolls", "only "),
    ("[calls]\nresume_seconds = 5", 2, "calls.resume_seconds", "10 to 600"),
    ("[calls]\nresume_seconds = 601", 2, "calls.resume_seconds", "10 to 600"),
    ('[calls]\nresume_seconds = "60"', 2, "calls.resume_seconds", "whole number"),
    ("[calls]\nresume_seconds = 60.5", 2, "calls.resume_seconds", "whole number"),
    ('[calls]\nthird_parties = ["dog"]', 2, "calls.third_parties[0]", "interpreter"),
    ("[files]\ntypes = []", 2, "files.types", "at least 1"),
    ("[retention]\nchat_days = 0", 2, "retention.chat_days", "1 to 36500"),
    ('[recording]\nconsent_text = ""', 2, "recording.consent_text", "text"),
    ('[clauses]\n"network.vpx" = "x"', 2, "clauses.network.vpx", "the key of a setting"),
    ('[looser]\n"network.vpn" = { reason = "x" }', 2, "looser.network.vpn.until", "a date"),
    ("[nosuch]\nx = 1", 1, "nosuch", "only "),
    ("[calls]\nring_seconds = 20\nring_seconds = 30", 3, "calls.ring_seconds", "each key once"),
    ("[calls]\n[calls]", 2, "calls", "each key once"),
    ("[calls\n", 1, "file", "TOML"),
    ("calls = 1", 1, "calls", "a table"),
]  # fmt: skip


def run(*arguments: object) -> Result:
    command: click.Command = commands
    return CliRunner().invoke(command, ["policy", *map(str, arguments)])


def written(folder: Path, text: str, name: str = "policy.toml") -> Path:
    file = folder / name
    file.write_text(text, "utf-8")
    return file


@pytest.mark.parametrize(("text", "line", "key", "allowed"), FAULTS)
def test_a_fault_is_told_with_file_line_key_and_what_is_allowed(
    tmp_path: Path, text: str, line: int, key: str, allowed: str
) -> None:
    file = written(tmp_path, text)
    told = run("check", file)
    assert told.exit_code == 1
    first = next(one for one in told.stdout.splitlines() if f": {key}: " in one)
    assert first.startswith(f"{file}:{line}: {key}: found ")
    assert allowed in first.split(", allowed ")[1]


def test_all_faults_are_told_at_once_in_the_order_of_their_lines(tmp_path: Path) -> None:
    text = '[calls]\nresume_seconds = 5\nring_seconds = "a"\n[people]\nidle_minutes = 0\nx = 1\n'
    told = run("check", written(tmp_path, text))
    assert [one.split(":")[1] for one in told.stdout.splitlines()] == ["2", "3", "5", "6"]


def test_the_shipped_policy_passes_and_what_must_be_set_is_a_warning(tmp_path: Path) -> None:
    shown = run("show")
    assert shown.exit_code == 0
    file = written(tmp_path, shown.stdout)
    told = run("check", file)
    assert (told.exit_code, told.stdout) == (0, "")
    warned = told.stderr.splitlines()
    assert len(warned) == len(BASELINE_POLICY.unset()) == 6
    assert "recordings_days" not in told.stderr
    recorded = file.read_text("utf-8").replace('mode = "off"', 'mode = "optional"', 1)
    told = run("check", written(tmp_path, recorded))
    assert "retention.recordings_days: 要設定" in told.stderr
    assert all("要設定" in one and one.startswith(f"{file}:") for one in warned)


def test_a_shown_policy_is_read_as_the_same_policy() -> None:
    policy = Policy.model_validate(
        {
            "network": {
                "vpn": "required",
                "sources": [{"networks": ["10.0.0.0/8"], "roles": ["clerk"], "offices": ["x"]}],
            },
            "retention": {"chat_days": 30},
            "recording": {"consent_text": 'a "quoted" \\ text\nin two lines\x7f'},
            "clauses": {"network.vpn": "規程 第12条"},
        }
    )
    text = policy_text(policy)
    assert parse_settings(Policy, text.encode(), file="x", folder=Path()) == policy
    for setting in SETTINGS.values():
        assert all(word.split()[0] in text for word in setting.about.name)


def test_a_policy_as_text_says_of_each_setting_where_it_is_enforced_or_that_it_is_not_yet() -> None:
    lines = policy_text(BASELINE_POLICY).replace("\n# ", " ")
    works = [key for key, setting in SETTINGS.items() if setting.about.waits is None]
    assert lines.count("効くところ / enforced at: ") == len(works)
    for key in works:
        assert f"効くところ / enforced at: {', '.join(places_of(key))}" in lines, key


def test_a_difference_is_told_in_words(tmp_path: Path) -> None:
    before = written(tmp_path, "", "a.toml")
    after = written(tmp_path, '[network]\nvpn = "none"\n[calls]\nresume_seconds = 60', "b.toml")
    told = run("diff", before, after)
    assert told.exit_code == 0
    first, second = told.stdout.splitlines()
    assert "推奨 / recommended → 不要 / not needed" in first
    assert "緩くなる / looser" in first
    assert "120 秒" in second
    assert "厳しくなる / stricter" in second
    assert "no difference" in run("diff", before, before).stdout


def test_explain_names_every_unmet_term_with_its_clause(tmp_path: Path) -> None:
    text = '[network]\nvpn = "required"\nvpn_networks = ["192.0.2.0/24"]\n'
    file = written(tmp_path, text + '[clauses]\n"network.vpn" = "規程 第12条"\n')
    base = ("explain", "--action", "start-call", "--policy", file, "--office", "X", "--training")
    told = run(
        *base, "--procedure", "renewal", "--from", "203.0.113.5", "--at", "2027-01-05T10:00+09:00",
        "--json",
    )  # fmt: skip
    assert told.exit_code == 1
    said = json.loads(told.stdout)
    assert (said["action"], said["allowed"]) == ("call.place", False)
    assert {r["code"]: r["clause"] for r in said["reasons"]} == {
        "procedure_not_open": "Q&A 2",
        "outside_vpn": "Q&A 9; 規程 第12条",
    }
    inside = run(*base, "--procedure", "new-issue", "--from", "192.0.2.9")
    assert inside.exit_code == 0
    assert "許可 / allowed (研修モード / training)" in inside.stdout


def test_explain_asks_about_a_real_call_and_says_what_nobody_has_looked_up() -> None:
    base = ("explain", "--action", "start-call", "--procedure", "new-issue")
    told = run(*base).stdout
    assert "(本番 / real)" in told
    unknown = {"office_not_designated", "resolution_missing", "precheck_missing"}
    lines = {line[10:].split(":")[0]: line for line in told.splitlines()[1:]}
    for code, line in lines.items():
        assert ("確認していません / not looked up" in line) is (code in unknown)
        assert line.startswith("  ?  ") is (code in unknown)
    said = json.loads(run(*base, "--json").stdout)
    assert (said["real"], set(said["not_looked_up"])) == (True, unknown)


@pytest.mark.parametrize("action", BASELINE)
def test_explain_lets_whoever_may_do_a_thing_do_it_under_the_baseline(action: str) -> None:
    # Nothing is recorded or fetched as a bundle before officers set it.
    unset = {
        "recording.start": {"recording_off"},
        "recording.view": {"not_a_viewer"},
        "rest.bundle": {"bundle_network"},
    }
    asked = Question(action, BASELINE_POLICY, NOW, address="192.0.2.7")
    reasons = decide(BASELINE, action, asked.facts()).reasons
    assert {reason.code for reason in reasons} == unset.get(action, set())


@pytest.mark.parametrize(
    "wrong", [("--action", "fly"), ("--from", "here"), ("--at", "noon"), ("--trained-on", "x")]
)
def test_a_question_that_makes_no_sense_is_refused(wrong: tuple[str, str]) -> None:
    given = dict([("--action", "start-call"), wrong])
    told = run("explain", *(part for pair in given.items() for part in pair))
    assert told.exit_code != 0
    assert wrong[1] in told.output


def test_the_schema_describes_every_setting() -> None:
    schema = json.loads(run("schema").stdout)
    for key, setting in SETTINGS.items():
        section, name = key.split(".")
        reference = schema["properties"][section]["$ref"].rsplit("/", 1)[1]
        said = schema["$defs"][reference]["properties"][name]
        assert said["title"] == " / ".join(setting.about.name)
        assert said["x-source"] == setting.about.source
        assert bool(said["x-enforced"]) is (setting.about.waits is None)


@pytest.mark.parametrize("role", list(Role))
def test_explain_says_of_every_role_what_the_table_says(role: Role) -> None:
    for action in BASELINE:
        if action == "call.invite" and role in GUEST_ROLES:
            continue  # the role is then whom the desk asks
        facts = Question(action, BASELINE_POLICY, NOW, role=role).facts()
        met = may(facts.actor.role, facts.actor.page, action)
        assert met is (action in ROLES[role]), action


@pytest.mark.parametrize("role", ["officer", "auditor", "administrator"])
def test_explain_lets_those_of_the_officers_page_sign_in(role: str) -> None:
    told = run(
        "explain", "--action", "sign-in", "--role", role, "--second-factor", "--from", "10.0.0.1"
    )
    assert told.exit_code == 0, told.output


@pytest.mark.parametrize("action", ["policy.draft", "policy.approve"])
def test_an_officer_is_taken_as_appointed_unless_the_question_says_otherwise(action: str) -> None:
    asked = Question(action, BASELINE_POLICY, NOW, second_factor=True)
    assert decide(BASELINE, action, asked.facts()).allowed
    without = replace(asked, appointed=False)
    (reason,) = decide(BASELINE, action, without.facts()).reasons
    assert reason.code == "not_appointed"


@pytest.mark.parametrize("older", [False, True])
def test_no_rehearsal_tells_of_steps_taken_over_that_no_draft_would_refuse(*, older: bool) -> None:
    kept = facts_json(Question("step.take_over", BASELINE_POLICY, NOW).facts())
    if older:  # of a version that did not keep what a take-over was allowed for
        del kept["takes_up"]
    entry = json.dumps({"subject": "call", "allowed": True, "facts": kept}).encode()
    stored = [Stored(1, "gate:step:take_over", NOW, entry, b"")]
    read = list(decisions_of("municipality", stored, BASELINE_POLICY))
    assert len(read) == (0 if older else 1)
    assert rehearse(BASELINE, read, BASELINE_POLICY) == []
