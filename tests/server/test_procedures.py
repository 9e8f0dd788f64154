"""Procedures as data: what is shipped, what a template may be, and how a call about it ends."""

from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from server.calls.call import Outcome
from server.cli.root import commands
from server.procedures.catalog import shipped
from server.procedures.template import Template
from server.settings_file import parse_settings

FOLDER = Path(__file__).resolve().parents[2] / "server" / "procedures" / "catalog"
SHIPPED = (FOLDER / "new-issue.toml").read_text("utf-8")
CONSENT = {"video": True, "text_version": "1", "language": "ja"}
CARD = {"new-issue", "renewal", "entry-change", "loss-report", "return"}
FAULTS = [
    ('kind = "code"', 'kind = "dance"', "steps[2].needs[0].kind", '"code"'),
    ('kind = "code"', "", "steps[2].needs[0].kind", '"code"'),
    ('kind = "code"', 'kind = "code"\ntries = 3', "steps[2].needs[0].tries", "only kind"),
    ('by = "desk"', 'by = "resident"', "steps[0].needs[0].by", '"counter"'),
    ("draw = 2", "draw = 0", "steps[3].needs[0].draw", "1 to 10"),
    ("draw = 2", "draw = 6", "steps[3].needs[0]", "fewer drawn than there are"),
    ('id = "purpose"', 'id = "consent"', "steps", "walked"),
    ('id = "purpose"', 'id = "purpose"\nafter = ["face"]', "steps", "walked"),
    ('id = "purpose"', 'id = "purpose"\nafter = ["nosuch"]', "steps", "walked"),
    ('id = "purpose"', 'id = "Purpose"', "steps[1].id", "text"),
    ('["verified", "returned", "refused", "aborted"]', '["aborted"]', "outcomes", "besides"),
    ('["verified", "returned", "refused", "aborted"]', '["verified"]', "outcomes", "aborted"),
    ('["verified", "returned", "refused", "aborted"]', "[]", "outcomes", "at least 1"),
    ('"returned", "refused"', '"returned", "returned"', "outcomes", "each once"),
    ('"returned", "refused"', '"returned", "perhaps"', "outcomes[2]", '"refused"'),
    ("order = 1", 'order = "first"', "order", "1 to 99"),
    ('way = "at_application"', 'way = "by-post"', "way", '"at_delivery"'),
    ('status = "open"', 'status = "preparing"', "", "both or neither"),
    ("any_of = [{ a = 2 }", "any_of = [{ c = 2 }", "documents.any_of[0].c", "only a"),
    ("name = { ja", "name = { jp", "name.jp", "only en, ja"),
]  # fmt: skip


def run(*arguments: object) -> Result:
    command: click.Command = commands
    return CliRunner().invoke(command, ["procedure", *map(str, arguments)])


def template(text: str) -> Template:
    return parse_settings(Template, text.encode(), file="x.toml", folder=Path())


def test_exactly_the_procedures_of_the_founding_document_are_shipped() -> None:
    by_group = {one.id: one.group for one in shipped().procedures}
    assert {name for name, group in by_group.items() if group == "card"} == CARD
    assert by_group.keys() - CARD == {"certificates", "application-support"}
    opened = {one.id for one in shipped().procedures if one.status == "open"}
    assert opened == {"new-issue", "certificates", "application-support"}


def test_every_card_procedure_needs_a_resolution_and_help_needs_none() -> None:
    for one in shipped().procedures:
        expected = {"card": "required", "certificates": "setting", "support": "not_required"}
        assert one.resolution == expected[one.group]


def test_whoever_is_verified_shows_face_code_and_documents_that_the_clerk_touched() -> None:
    for one in shipped().procedures:
        kinds = {need.kind for step in one.steps for need in step.needs}
        touched = any(
            need.kind == "tick" and need.by == "counter"
            for step in one.steps
            for need in step.needs
        )
        if one.allows(Outcome.VERIFIED):
            assert {"code", "documents", "still", "prompts"} <= kinds
            assert touched
            assert {step.id for step in one.steps if step.reopens} == {"code", "face"}


@pytest.mark.parametrize(("good", "bad", "key", "allowed"), FAULTS)
def test_a_fault_of_a_template_is_told_with_its_key_line_and_what_is_allowed(
    tmp_path: Path, good: str, bad: str, key: str, allowed: str
) -> None:
    assert good in SHIPPED
    file = tmp_path / "mine.toml"
    file.write_text(SHIPPED.replace(good, bad, 1), "utf-8")
    told = run("check", file)
    assert told.exit_code == 1
    place = SHIPPED[: SHIPPED.index(good)].count("\n") + 1
    lines = [line for line in told.output.splitlines() if f": {key}: " in line]
    assert lines, told.output
    assert any(allowed in line for line in lines)
    assert all(1 <= int(line.split(":")[1]) <= place + 1 for line in lines)


def test_every_shipped_template_passes_the_check_and_is_shown_as_it_is() -> None:
    assert run("check", *sorted(FOLDER.glob("*.toml"))).output == ""
    assert run("show", "new-issue").output == SHIPPED
    listed = run("show").output.splitlines()
    assert [line.split()[0] for line in listed] == [one.id for one in shipped().procedures]
    assert run("show", "nosuch").exit_code == 2


def test_steps_come_one_after_another_unless_they_say_otherwise() -> None:
    made = template(SHIPPED.replace('id = "papers"', 'id = "papers"\nafter = ["consent"]'))
    by_id = {step.id: step for step in made.steps}
    assert made.before(by_id["consent"]) == ()
    assert made.before(by_id["purpose"]) == ("consent",)
    assert made.before(by_id["papers"]) == ("consent",)
    assert made.before(by_id["match"]) == ("papers",)


def test_a_procedure_that_is_gone_from_the_list_can_only_be_broken_off() -> None:
    assert shipped().allows("nosuch", Outcome.ABORTED)
    assert not shipped().allows("nosuch", Outcome.VERIFIED)


async def test_help_with_an_application_verifies_nobody_and_ends_as_helped(world: Any) -> None:
    counter, desk = await world.counter(), await world.desk()
    await counter.connect()
    await desk.connect()
    call = await counter.do("call.place", procedure="application-support", consent=CONSENT)
    await desk.do("call.accept", call=None)
    await world.do_steps(counter, desk, call["call"]["id"])
    await desk.do("call.decide")
    for outcome in ("verified", "refused", "returned"):
        with pytest.raises(Exception, match="outcome_not_allowed"):
            await desk.do("call.close", outcome=outcome, reason="理由")
    await desk.do("call.close", outcome="completed", reason=None)
    told = await counter.until_state("closed")
    assert told["outcome"] == "completed"
    assert told["reason"] is None


async def test_nobody_is_only_helped_where_somebody_must_be_verified(world: Any) -> None:
    counter, desk, call = await world.talking()
    await world.do_steps(counter, desk, call["id"])
    await desk.do("call.decide")
    with pytest.raises(Exception, match="outcome_not_allowed"):
        await desk.do("call.close", outcome="completed", reason=None)
    await desk.do("call.close", outcome="verified", reason=None)
