"""A call that broke off for good, and what the tablet's next call takes over of it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from security.errors import Conflict
from server.calls import events as ev
from server.calls.call import Call, Outcome, State
from server.procedures import progress as p
from server.procedures.catalog import shipped
from server.procedures.documents import Shown
from server.procedures.earlier import WITHIN, follows, gathered, taken_over
from server.procedures.sheet import Mark, Sheet
from server.procedures.template import Template
from server.records.record import Earlier, read_record

Json = dict[str, Any]
NOW, DAY = datetime(2026, 11, 24, 1, 0, tzinfo=UTC), date(2026, 11, 24)
FOUND = shipped().get("new-issue")
assert FOUND is not None
TEMPLATE: Template = FOUND
CALL = Call("c2", "R-2", "m", "o", "t", "p", "new-issue", True, "{}", NOW)
BEFORE = replace(
    CALL,
    id="c1",
    number="R-1",
    state=State.CLOSED,
    outcome=Outcome.ABORTED,
    reason="line_lost",
    answered_at=NOW - timedelta(minutes=30),
    closed_at=NOW - timedelta(minutes=5),
)
CLERKS = next(
    (step.id, number)
    for step in TEMPLATE.steps
    for number, need in enumerate(step.needs)
    if p.whose(need) == "counter" and not step.reopens
)
DONE = p.Progress(
    ticks={
        ("consent", 0): frozenset({0}),
        ("face", 3): frozenset({0}),
        CLERKS: frozenset({0}),
    },
    answers={("purpose", 0): "カード"},
    bound={("face", 2): ("f1",), ("documents", 3): ("f2", "f3")},
    codes={("code", 0): p.Code("4729", 1, agreed=True)},
    documents=(Shown("passport", None),),
    pin=True,
    excused=True,
)
SHEET = Sheet(
    "c1", "m", 0, progress=DONE, marks={("consent", 0): Mark("d1", NOW), CLERKS: Mark("k1", NOW)}
)


def test_the_next_call_of_the_tablet_takes_up_the_one_that_the_line_broke_off() -> None:
    assert follows(CALL, BEFORE)


@pytest.mark.parametrize(
    "other",
    [
        {"tablet_id": "t2"},
        {"municipality_id": "m2"},
        {"procedure": "return"},
        {"training": False},
        {"state": State.WAITING},
        {"outcome": Outcome.RETURNED},
        {"reason": "max_length"},
        {"answered_at": None},
        {"closed_at": NOW - WITHIN - timedelta(seconds=1)},
        {"closed_at": NOW + timedelta(seconds=1)},
    ],
)
def test_any_other_call_is_not_taken_up(other: Json) -> None:
    assert not follows(CALL, replace(BEFORE, **other))


def test_nothing_of_face_and_code_the_clerks_ticks_and_no_confirmation_is_taken_over() -> None:
    found = gathered(TEMPLATE, BEFORE, SHEET)
    assert found is not None
    assert (found.files, found.things) == (("f2", "f3"), 2)
    after = taken_over(Sheet("c2", "m", 0), found, {"f2": "n2"}).progress
    assert after == p.Progress(
        ticks={("consent", 0): frozenset({0})},
        answers={("purpose", 0): "カード"},
        bound={("documents", 3): ("n2",)},
        documents=(Shown("passport", None),),
        pin=True,
    )
    assert [x.step for x in p.missing(TEMPLATE, after, DAY)][:2] == ["code", "face"]


def test_what_stands_in_the_new_call_is_not_replaced_and_it_is_taken_over_once() -> None:
    found = gathered(TEMPLATE, BEFORE, SHEET)
    assert found is not None
    mine = p.Progress(answers={("purpose", 0): "更新"}, documents=(Shown("pension", None),))
    new = Sheet("c2", "m", 0, progress=mine, marks={("purpose", 0): Mark("d2", NOW)})
    after = taken_over(new, found, {})
    assert after.progress.answers == mine.answers
    assert after.progress.documents == mine.documents
    assert after.marks == {**new.marks, ("consent", 0): Mark("d1", NOW)}
    assert after.earlier == "c1"
    with pytest.raises(Conflict):
        taken_over(after, found, {})


@pytest.mark.parametrize("own", [p.Progress(), p.Progress(documents=DONE.documents, pin=True)])
def test_an_override_ends_where_other_documents_are_taken_over(own: p.Progress) -> None:
    found = gathered(TEMPLATE, BEFORE, SHEET)
    assert found is not None
    new = Sheet("c2", "m", 0, progress=replace(own, excused=True, deferred=True))
    after = taken_over(new, found, {}).progress
    assert (after.documents, after.pin) == (DONE.documents, True)
    assert after.excused is after.deferred is bool(own.documents)


def test_a_call_in_which_nothing_was_gathered_leaves_nothing() -> None:
    only = p.Progress(codes=DONE.codes, bound={("face", 2): ("f1",)})
    assert gathered(TEMPLATE, BEFORE, replace(SHEET, progress=only)) is None


async def test_the_desk_takes_over_what_the_call_before_gathered_with_its_pictures(
    world: Any,
) -> None:
    counter, desk, first = await world.talking()
    parts, home = world.service.parts, world.town.municipality.id
    await world.do_steps(counter, desk, first["id"], upto="papers")
    kept = (await parts.steps.of(parts.registry.get(first["id"]))).progress
    await counter.leave()
    await desk.until_state("interrupted")
    await parts.registry.apply(first["id"], ev.CounterSeatExpired())
    await desk.until_state("closed")
    await desk.leave()
    desk = await world.desk(1)
    await desk.connect()
    await desk.do("desk.state", state="open")
    await counter.connect()
    place: Json = {"video": True, "text_version": "1", "language": "ja"}
    call = (await counter.do("call.place", procedure="new-issue", consent=place))["call"]
    steps = (await desk.do("call.accept", call=call["id"]))["steps"]
    assert steps["current"] == "consent"
    earlier = steps["earlier"]
    assert (earlier["call"], earlier["documents"], earlier["files"]) == (first["id"], 2, 2)
    assert (await counter.steps())["earlier"] is None
    with pytest.raises(Exception, match="wrong_state"):
        await desk.do("step.take-over", call=call["id"])
    for one in kept.bound["documents", 3]:
        world.sql(f"INSERT INTO file_taken VALUES ('{one}', 'd9', '{home}', '2026-11-24')")
    world.sql(
        "CREATE TRIGGER no_note BEFORE INSERT ON audit_entry WHEN NEW.tag = 'call:step:taken-over'"
        " BEGIN SELECT RAISE(ABORT, 'x'); END"
    )
    with pytest.raises(Exception, match=r".+"):
        await desk.do("step.take-over", call=first["id"])
    world.sql("DROP TRIGGER no_note")
    await desk.do("step.take-over", call=first["id"])
    query = f"FROM file WHERE call_id = '{call['id']}' GROUP BY state ORDER BY state"
    assert world.sql(f"SELECT state, COUNT(*) {query}") == [("offered", 2), ("withdrawn", 2)]
    had = "JOIN file ON file.id = file_id WHERE taker = 'd9' AND state = 'offered'"
    had = f"SELECT file_id FROM file_taken {had} AND call_id = '{call['id']}'"
    told = await desk.until_that(
        lambda m: m["type"] == "steps" and (m["steps"]["earlier"] or {}).get("taken")
    )
    states = [(one["id"], one["state"]) for one in told["steps"]["steps"]]
    assert states[:4] == [
        ("consent", "done"), ("purpose", "done"), ("code", "now"), ("face", "locked"),
    ]  # fmt: skip
    now = await parts.steps.of(parts.registry.get(call["id"]))
    assert now.progress.documents == kept.documents
    stills = now.progress.bound["documents", 3]
    assert len(stills) == 2
    assert not set(stills) & set(kept.bound["documents", 3])
    assert {one for (one,) in world.sql(had)} == set(stills)
    status, _ = await desk.request("GET", f"/api/v1/calls/{call['id']}/files/{stills[0]}/content")
    assert status == 200
    # A still stays one in the call that it comes into: the end that sent it does not have it.
    path = f"/api/v1/calls/{call['id']}/files/{stills[0]}/content"
    status, refused = await counter.request("GET", path)
    assert (status, refused["error"]["code"]) == (403, "denied")
    assert [await parts.uploads.is_still(home, one) for one in stills] == [True, True]
    with pytest.raises(Exception, match="wrong_state"):
        await desk.do("step.take-over", call=first["id"])
    entries = await parts.audit.since(home, NOW.replace(year=2000), limit=1000)
    (noted,) = [one for one in entries if one.tag == "call:step:taken-over"]
    assert first["id"].encode() in noted.entry
    await desk.do("call.close", outcome="returned", reason="x")
    record_id = await parts.records.store.id_of_call(home, call["id"])
    record = read_record((await parts.records.store.get(home, record_id)).record.content)
    assert record.earlier == Earlier(call=first["id"], number=first["number"])
    did = {need.by.name for step in record.steps for need in step.needs if need.by}
    assert did == {world.town.verifiers[0].name}
    papers = next(step for step in record.steps if step.id == "documents")
    assert (papers.needs[0].kind, papers.needs[0].by is None) == ("documents", False)
