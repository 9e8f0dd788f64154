"""Steps where something happens beside them: own templates, a lost end, another connection."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from security.ids import new_id
from security.people import Person, Role
from server.administration import Hand
from server.procedures.catalog import shipped_text
from server.records.record import Record, read_record
from tests.media.probe import Probe

Json = dict[str, Any]
EXTRA = """
[[steps]]
id = "telephone"
title = { ja = "電話番号の確認", en = "Telephone" }
now = { ja = "[電話番号|でんわばんごう]を [話|はな]して ください", en = "Please say your number" }

[[steps.needs]]
kind = "answer"
question = { ja = "電話番号", en = "Telephone" }
"""


def step_of(steps: Json, step: str) -> Json:
    """Return a step of the noun."""
    return next(dict(one) for one in steps["steps"] if one["id"] == step)


async def steps_where(page: Any, wanted: Any) -> Json:
    """Return the newest steps that a page was told and that are wanted."""
    told = await page.until_that(lambda m: m["type"] == "steps" and wanted(m["steps"]))
    return dict(told["steps"])


async def refused(doing: Any) -> str:
    """Return the code with which something is refused."""
    try:
        await doing
    except Exception as told:
        return str(getattr(told, "code", told))
    return "not refused"


def code_of(steps: Json) -> Json:
    """Return how the code stands."""
    return dict(step_of(steps, "code")["needs"][0]["code"])


async def agree_on_the_code(counter: Any, desk: Any) -> str:
    """Go through the steps as far as the code and enter it; return it."""
    await desk.do("step.tick", step="consent", need=0, item=0, on=True)
    await desk.do("step.answer", step="purpose", need=0, text="カードを作りに来た")
    told = await steps_where(counter, lambda s: s["current"] == "code")
    code = str(code_of(told)["code"])
    assert (await desk.do("step.code", step="code", need=0, code=code))["agreed"]
    return code


async def senior_of(world: Any) -> Any:
    """Return a senior's desk page, connected and 受付中."""
    home = world.town.municipality.id
    person = Person(new_id(), home, "senior", "上席 花子", Role.SENIOR, None, None, None)
    await world.service.parts.people.add_person(person)
    page = await world.signed_in(person)
    await page.connect()
    await page.do("desk.state", state="open")
    page.person = person
    return page


async def test_a_municipalitys_own_further_step_leads_and_locks_the_decision(world: Any) -> None:
    parts, home = world.service.parts, world.town.municipality.id

    async def note(tag: str, subject: str, detail: Json) -> None:
        await parts.audit.note(home, tag, subject, detail, now=parts.clock())

    text = shipped_text("new-issue") + EXTRA
    made = await parts.templates.draft(Hand(home, None, note), text, "電話番号も尋ねる")
    await parts.templates.approve(Hand(home, None, note), made.number, None)
    counter, desk, call = await world.talking()
    shown = await desk.steps()
    assert [one["id"] for one in shown["steps"]][-1] == "telephone"
    await world.do_steps(counter, desk, call["id"], upto="telephone")
    await desk.do("call.decide")
    verified: Json = {"outcome": "verified", "reason": None}
    assert await refused(desk.do("call.close", **verified)) == "steps_missing"
    await desk.do("step.answer", step="telephone", need=0, text="0865-00-0000")
    await desk.do("call.close", **verified)


async def test_a_tablet_lost_between_two_desks_does_face_and_code_again(world: Any) -> None:
    counter, desk, call = await world.talking()
    other = await world.desk(1)
    await other.connect()
    await other.do("desk.state", state="open")
    code = await agree_on_the_code(counter, desk)
    await desk.do("call.hand-over", person=world.town.verifiers[1].id)
    await counter.until_state("ringing")
    await counter.leave()
    await other.until_that(lambda m: m["type"] == "queue" and m["queue"]["offered"] is None)
    welcome = await counter.connect()
    assert welcome["state"]["steps"]["current"] == "code"
    answered = await other.do("call.accept", call=call["id"])
    assert answered["steps"]["current"] == "code"
    told = await steps_where(counter, lambda s: code_of(s)["code"])
    assert code_of(told) == {"code": code_of(told)["code"], "tries_left": 3, "agreed": False}
    assert step_of(told, "consent")["state"] == "done"
    if code_of(told)["code"] != code:  # one of ten thousand is the same by chance
        assert not (await other.do("step.code", step="code", need=0, code=code))["agreed"]


async def test_face_and_code_are_not_done_while_an_end_is_lost(world: Any) -> None:
    counter, desk, _ = await world.talking()
    await agree_on_the_code(counter, desk)
    await counter.leave()
    await desk.until_state("interrupted")
    assert await refused(desk.do("step.code", step="code", need=0, code="0000")) == "line_lost"
    assert await refused(desk.do("step.tick", step="face", need=3, item=0, on=True)) == "line_lost"
    await desk.do("step.answer", step="purpose", need=0, text="カードの新規発行")


async def test_a_tablet_without_its_clerk_ticks_nothing_and_a_mark_is_a_persons(
    world: Any,
) -> None:
    counter, desk, call = await world.talking()
    await world.do_steps(counter, desk, call["id"], upto="papers")
    town, parts = world.town, world.service.parts
    sheet = await parts.steps.of(parts.registry.get(call["id"]))
    assert sheet.marks["documents", 1].person_id == town.clerk.id
    await counter.request("POST", "/api/v1/sign-out")
    await counter.until_that(lambda m: m["type"] == "you" and m["you"]["clerk"] is None)
    tick: Json = {"step": "documents", "need": 1, "item": 0, "on": False}
    assert await refused(counter.do("step.tick", **tick)) == "no_clerk"
    chip: Json = {"document": "passport", "tool": "読取機", "result": "agrees"}
    assert await refused(counter.do("step.chip", **chip)) == "no_clerk"
    assert (await parts.steps.of(parts.registry.get(call["id"]))).marks == sheet.marks


async def record_of(world: Any, call_id: str) -> Record:
    """Return the record of a call."""
    parts, home = world.service.parts, world.town.municipality.id
    record_id = await parts.records.store.id_of_call(home, call_id)
    assert record_id is not None
    return read_record((await parts.records.store.get(home, record_id)).record.content)


async def test_a_call_that_ends_between_two_desks_has_a_record_of_who_answered(
    world: Any,
) -> None:
    counter, desk, call = await world.talking()
    other = await world.desk(1)
    await other.connect()
    await other.do("desk.state", state="open")
    await desk.do("call.hand-over", person=world.town.verifiers[1].id)
    await counter.until_state("ringing")
    desk.inbox.clear()
    await counter.do("call.withdraw")
    closed = await counter.until_state("closed")
    assert (closed["outcome"], closed["reason"]) == ("aborted", "withdrawn")
    record = await record_of(world, call["id"])
    assert record.people.verifier.id == world.town.verifiers[0].id
    assert (record.outcome.value, record.times.answered is not None) == ("aborted", True)
    _, mine = await desk.request("GET", "/api/v1/calls")
    assert [one["id"] for one in mine["calls"]] == [call["id"]]
    assert [m for m in desk.inbox if m["type"] == "call"] == []


async def test_a_seniors_no_is_told_with_its_reason_stays_and_may_be_asked_again(
    world: Any,
) -> None:
    counter, desk, call = await world.talking()
    senior = await senior_of(world)
    await world.do_steps(counter, desk, call["id"], upto="documents")
    ask: Json = {"about": "documents", "reason": "ほかの書類がない"}
    said: Json = {"call": call["id"], "about": "documents"}
    await desk.do("approval.ask", **ask)
    await senior.do("approval.answer", **said, approve=False, reason="写真が本人と違う")
    told = await steps_where(desk, lambda s: s["approvals"] and s["approvals"][0]["answer"])
    assert told["approvals"][0]["approved"] is False
    await desk.do("step.document", step="documents", need=0, kind="pension", on=True)
    await desk.do("approval.ask", **(ask | {"reason": "別の写真も見た"}))
    await senior.do("approval.answer", **said, approve=True)
    await desk.leave()
    kept = (await desk.connect())["state"]["steps"]["approvals"]
    both = [(False, "写真が本人と違う"), (True, None)]
    assert [(one["approved"], one["answer"]) for one in kept] == both
    await desk.do("call.close", outcome="returned", reason="書類の不足")
    record = await record_of(world, call["id"])
    assert [(one.approved, one.answer) for one in record.approvals] == both


@pytest.fixture
async def make_probe() -> AsyncIterator[Callable[..., Probe]]:
    made: list[Probe] = []

    def make(ssrc: int) -> Probe:
        made.append(Probe(ssrc=ssrc))
        return made[-1]

    yield make
    for probe in made:
        probe.close()


async def test_another_connection_of_the_tablet_brings_another_code(
    world: Any, make_probe: Callable[..., Probe]
) -> None:
    counter, desk, _ = await world.talking()
    port = world.service.parts.media.ports[0]

    async def connect(number: int) -> None:
        probe = make_probe(1000 * number)
        answer = await counter.offer(number, probe.offer())
        await probe.connect_by(answer["sdp"], port)

    await connect(1)
    await agree_on_the_code(counter, desk)
    agreed = (await steps_where(counter, lambda s: code_of(s)["agreed"]))["version"]
    await connect(2)
    told = await steps_where(counter, lambda s: s["version"] > agreed)
    assert code_of(told)["agreed"] is False
    assert len(code_of(told)["code"]) == 4
    shown = await steps_where(desk, lambda s: s["version"] > agreed)
    assert step_of(shown, "face")["state"] == "locked"
    entered = await desk.do("step.code", step="code", need=0, code=code_of(told)["code"])
    assert entered["agreed"] is True
