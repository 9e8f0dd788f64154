"""Steps over the wire: who may do what, who sees what, and what a drop or a restart leaves."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from security.ids import new_id
from security.people import Person, Role
from server.consents import consent_sha256
from server.records.record import read_record

Json = dict[str, Any]


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


async def walk_to_code(desk: Any) -> None:
    """Do what comes before the spoken code."""
    await desk.do("step.tick", step="consent", need=0, item=0, on=True)
    await desk.do("step.answer", step="purpose", need=0, text="カードを作りに来た")


async def test_a_tick_of_either_end_is_shown_to_both(world: Any) -> None:
    counter, desk, _ = await world.talking()
    at_first = await steps_where(counter, lambda _: True)
    assert at_first["current"] == "consent"
    assert step_of(at_first, "consent")["script"] is None
    assert step_of(at_first, "code")["state"] == "locked"
    await desk.do("step.tick", step="consent", need=0, item=0, on=True)
    for page in (counter, desk):
        told = await steps_where(page, lambda s: s["current"] == "purpose")
        assert step_of(told, "consent")["state"] == "done"
        assert told["version"] > at_first["version"]
    await desk.do("step.answer", step="purpose", need=0, text="カードを作りに来た")
    seen = await steps_where(counter, lambda s: s["current"] == "code")
    assert step_of(seen, "purpose")["needs"][0]["text"] is None
    assert await refused(counter.do("step.tick", step="consent", need=0, item=0, on=False)) == (
        "not_yours"
    )
    await desk.do("step.tick", step="consent", need=0, item=0, on=False)
    await steps_where(counter, lambda s: s["current"] == "consent")


async def test_the_code_stands_on_the_tablet_alone_and_agrees_by_what_the_desk_enters(
    world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    counter, desk, _ = await world.talking()
    await walk_to_code(desk)
    told = await steps_where(counter, lambda s: s["current"] == "code")
    code = step_of(told, "code")["needs"][0]["code"]["code"]
    assert len(code) == 4
    assert code.isdigit()
    wrong = f"{(int(code) + 1) % 10_000:04d}"
    no = await desk.do("step.code", step="code", need=0, code=wrong)
    assert no["agreed"] is False
    shown = await steps_where(desk, lambda s: s["current"] == "code")
    assert step_of(shown, "code")["needs"][0]["code"] == {
        "code": None,
        "tries_left": 2,
        "agreed": False,
    }
    assert (await desk.do("step.code", step="code", need=0, code=code))["agreed"] is True
    await steps_where(counter, lambda s: s["current"] == "face")
    assert await refused(desk.do("step.code", step="code", need=0, code=code)) == "code_agreed"
    assert code not in str([m for m in desk.inbox if m["type"] == "steps"])
    entries = await world.service.parts.audit.since(
        world.town.municipality.id, world.clock().replace(year=2000), limit=1000
    )
    assert f'"{code}"'.encode() not in b"".join(one.entry for one in entries)
    assert any(one.tag == "call:step:code-entered" for one in entries)
    assert f"'{code}'" not in caplog.text


async def test_three_wrong_codes_are_all_and_a_new_connection_brings_a_new_code(
    world: Any,
) -> None:
    counter, desk, call = await world.talking()
    await walk_to_code(desk)
    first = await steps_where(counter, lambda s: s["current"] == "code")
    code = step_of(first, "code")["needs"][0]["code"]["code"]
    wrong = f"{(int(code) + 1) % 10_000:04d}"
    for _ in range(3):
        assert not (await desk.do("step.code", step="code", need=0, code=wrong))["agreed"]
    assert await refused(desk.do("step.code", step="code", need=0, code=code)) == "too_many_tries"
    await counter.leave()
    await desk.until_state("interrupted")
    assert await refused(desk.do("step.code", step="code", need=0, code=code)) == "line_lost"
    welcome = await counter.connect()
    after = step_of(welcome["state"]["steps"], "code")["needs"][0]["code"]
    if after["code"] is None:
        told = await steps_where(counter, lambda s: step_of(s, "code")["needs"][0]["code"]["code"])
        after = step_of(told, "code")["needs"][0]["code"]
    assert after["tries_left"] == 3
    # The connection of before the drop goes on: its replacement brings no other code until then.
    steps, call_id = world.service.parts.steps, call["id"]
    up_since = world.clock() - timedelta(hours=1)
    await steps.reconnected(call_id, up_since)
    assert (await desk.do("step.code", step="code", need=0, code=after["code"]))["agreed"]
    await steps.reconnected(call_id, up_since)
    sheet = await steps.of(world.service.parts.registry.get(call_id))
    assert not sheet.progress.codes["code", 0].agreed


async def test_steps_survive_a_restart_of_the_server_except_those_that_reopen(
    make_world: Any,
) -> None:
    world = await make_world()
    counter, desk, _ = await world.talking()
    await walk_to_code(desk)
    told = await steps_where(counter, lambda s: s["current"] == "code")
    code = step_of(told, "code")["needs"][0]["code"]["code"]
    await desk.do("step.code", step="code", need=0, code=code)
    await desk.do("step.draw", step="face", need=0)
    for page in (counter, desk):
        await page.leave()
    world = await make_world.restart(world)
    for page in (counter, desk):
        page.base_url = world.service.base_url
    await counter.connect()
    welcome = await desk.connect()
    steps = welcome["state"]["steps"]
    assert steps["current"] == "code"
    assert step_of(steps, "purpose")["needs"][0]["text"] == "カードを作りに来た"
    assert step_of(steps, "face")["needs"][0]["items"] == []
    await counter.until_state("talking")
    await steps_where(counter, lambda s: step_of(s, "code")["needs"][0]["code"]["code"])


async def test_steps_that_do_not_verify_disturb_no_other_call(make_world: Any) -> None:
    world = await make_world()
    counter, desk, call = await world.talking()
    await walk_to_code(desk)
    other = await world.counter(tablet=world.town.second_tablet)
    await other.connect()
    placing = {"video": True, "text_version": "1", "language": "ja"}
    second = (await other.do("call.place", procedure="new-issue", consent=placing))["call"]
    beside = await world.desk(1)
    await beside.connect()
    await beside.do("call.accept", call=second["id"])
    await walk_to_code(beside)
    await counter.leave()
    await desk.until_state("interrupted")
    await desk.do("call.veil", on=True)  # answered once all that the interruption does is done
    spoilt = f"UPDATE call_steps SET sheet_sealed = x'00' WHERE call_id = '{call['id']}'"
    await asyncio.to_thread(world.sql, spoilt)
    pages = (desk, other, beside, counter)
    for page in pages[:3]:
        await page.leave()
    world = await make_world.restart(world)
    parts, home = world.service.parts, world.town.municipality.id
    for page in pages:
        page.base_url = world.service.base_url
    assert (await desk.connect())["state"]["steps"] is None
    await counter.connect()
    await other.connect()
    assert (await beside.connect())["state"]["steps"]["current"] == "code"
    await other.until_state("talking")
    told = await steps_where(other, lambda s: step_of(s, "code")["needs"][0]["code"]["code"])
    code = step_of(told, "code")["needs"][0]["code"]["code"]
    assert (await beside.do("step.code", step="code", need=0, code=code))["agreed"]
    assert await parts.steps_told.asked(parts.steps, home) == []
    await counter.until_state("talking")
    answer = desk.do("step.answer", step="purpose", need=0, text="x")
    assert await refused(answer) == "corrupt"
    await desk.connect()  # as PROTOCOL.md section 6 says, its socket was closed
    await desk.do("call.close", outcome="aborted", reason="x")
    await counter.until_state("closed")


async def test_what_was_drawn_stays_over_a_reload_and_further_draws_are_few_and_logged(
    world: Any,
) -> None:
    counter, desk, call = await world.talking()
    await world.do_steps(counter, desk, call["id"], upto="documents")
    assert (
        await refused(desk.do("step.tick", step="documents", need=2, item=0, on=True))
        == "not_drawn"
    )
    await desk.do("step.draw", step="documents", need=2)
    told = await steps_where(desk, lambda s: step_of(s, "documents")["needs"][2]["items"])
    drawn = [one["item"] for one in step_of(told, "documents")["needs"][2]["items"]]
    assert len(set(drawn)) == 3
    await desk.leave()
    welcome = await desk.connect()
    again = step_of(welcome["state"]["steps"], "documents")["needs"][2]
    assert [one["item"] for one in again["items"]] == drawn
    assert again["draws_left"] == 2


async def reasons(doing: Any) -> list[tuple[str, str]]:
    """Return code and message of each reason for which something is refused."""
    try:
        await doing
    except Exception as told:
        error: Json = getattr(told, "error", {})
        return [(one["code"], one["message"]) for one in error.get("reasons", [])]
    return []


VERIFIED: Json = {"outcome": "verified", "reason": None}


async def test_the_decision_is_locked_until_every_step_is_done_and_every_one_is_named(
    world: Any,
) -> None:
    counter, desk, call = await world.talking()
    await desk.do("step.tick", step="consent", need=0, item=0, on=True)
    await desk.do("call.decide")
    rest = ["purpose", "code", "face", "documents", "papers", "match"]
    assert await reasons(desk.do("call.close", **VERIFIED)) == [
        ("steps_missing", step) for step in rest
    ]
    assert ("steps_missing" in str(await world.refusals("gate:call:close"))) is True
    await world.do_steps(counter, desk, call["id"])
    shown = await desk.steps()
    assert (shown["locked"], shown["missing"]) == (False, [])
    await counter.do("step.tick", step="documents", need=1, item=1, on=False)
    assert await refused(desk.do("call.close", **VERIFIED)) == "steps_missing"
    await counter.do("step.tick", step="documents", need=1, item=1, on=True)
    assert await refused(counter.do("call.close", **VERIFIED)) == "counter_cannot_decide"
    other = await world.desk(1)
    await other.connect()
    assert await refused(other.do("call.close", **VERIFIED)) == "wrong_state"
    await desk.do("call.close", **VERIFIED)
    assert await refused(desk.do("call.close", **VERIFIED)) == "wrong_state"
    late = desk.do("step.tick", step="match", need=0, item=0, on=False)
    assert await refused(late) == "wrong_state"
    closed = await desk.request("GET", f"/api/v1/calls/{call['id']}")
    assert closed[1]["steps"]["locked"] is False


@pytest.mark.parametrize("outcome", ["returned", "refused", "aborted"])
async def test_what_says_that_something_is_missing_is_never_locked(
    world: Any, outcome: str
) -> None:
    _, desk, _ = await world.talking()
    await desk.do("call.decide")
    await desk.do("call.close", outcome=outcome, reason="書類の不足")


async def senior_of(world: Any) -> Any:
    """Return a senior's desk page, connected."""
    town = world.town
    person = Person(
        new_id(), town.municipality.id, "senior", "上席 花子", Role.SENIOR, None, None, None
    )
    await world.service.parts.people.add_person(person)
    page = await world.signed_in(person)
    await page.connect()
    return page


async def test_documents_that_are_not_enough_pass_by_a_reason_and_another_persons_word(
    world: Any,
) -> None:
    counter, desk, call = await world.talking()
    senior = await senior_of(world)
    ask: Json = {"about": "documents", "reason": "顔写真付きの書類を紛失した"}
    assert await refused(desk.do("approval.ask", **ask)) == "step_locked"
    await world.do_steps(counter, desk, call["id"], upto="documents")
    shown = {"step": "documents", "need": 0, "kind": "pension", "on": True}
    await desk.do("step.document", **shown)
    await desk.do("approval.ask", **ask)
    asked = (await senior.until("approvals"))["approvals"]
    assert [(one["call"], one["about"], one["reason"]) for one in asked] == [
        (call["id"], "documents", ask["reason"])
    ]
    assert asked[0]["documents"][0]["kind"] == "pension"
    said: Json = {"call": call["id"], "about": "documents", "approve": True}
    assert await refused(desk.do("approval.answer", **said)) in ("denied", "same_person")
    no = senior.do("approval.answer", **(said | {"approve": False}))
    assert await refused(no) == "reason_required"
    await senior.do("approval.answer", **said)
    told = await steps_where(desk, lambda s: s["approvals"] and s["approvals"][0]["approved"])
    assert told["approvals"][0]["answered_by"]["name"] == "上席 花子"
    assert not any(one["kind"] == "documents" for one in told["missing"])
    status, listed = await senior.request("GET", "/api/v1/approvals")
    assert (status, listed["approvals"]) == (200, [])
    await desk.do("step.document", **(shown | {"on": False}))
    after = await steps_where(desk, lambda s: not s["approvals"])
    assert any(one["kind"] == "documents" for one in after["missing"])
    assert await refused(senior.do("approval.answer", **said)) == "nothing_to_approve"


async def test_where_the_policy_says_always_a_senior_confirms_the_decision(world: Any) -> None:
    world.enforce({"people.senior_approval": "always"})
    counter, desk, call = await world.talking()
    senior = await senior_of(world)
    ask: Json = {"about": "decision", "reason": "確認をお願いします"}
    assert await refused(desk.do("approval.ask", **ask)) == "steps_missing"
    await world.do_steps(counter, desk, call["id"])
    await desk.do("call.decide")
    assert await refused(desk.do("call.close", **VERIFIED)) == "approval_missing"
    await desk.do("approval.ask", **ask)
    await senior.do("approval.answer", call=call["id"], about="decision", approve=True)
    await steps_where(desk, lambda s: not s["locked"])
    await desk.do("step.tick", step="match", need=0, item=0, on=False)
    await desk.do("step.tick", step="match", need=0, item=0, on=True)
    assert await refused(desk.do("call.close", **VERIFIED)) == "approval_missing"
    await desk.do("approval.ask", **ask)
    await senior.do("approval.answer", call=call["id"], about="decision", approve=True)
    await desk.do("call.close", **VERIFIED)


async def test_a_sample_of_every_call_is_every_call(world: Any) -> None:
    world.enforce({"people.senior_approval": "sample", "people.sample_percent": 100})
    _, desk, _ = await world.talking()
    assert (await desk.steps())["approval_wanted"] is True
    world.enforce({"people.senior_approval": "never"}, 2)
    await desk.do("step.tick", step="consent", need=0, item=0, on=True)
    told = await steps_where(desk, lambda s: s["current"] == "purpose")
    assert told["approval_wanted"] is False


async def test_who_takes_a_call_over_goes_on_at_the_same_step(world: Any) -> None:
    counter, desk, call = await world.talking()
    await walk_to_code(desk)
    told = await steps_where(counter, lambda s: s["current"] == "code")
    code = step_of(told, "code")["needs"][0]["code"]["code"]
    await desk.do("step.code", step="code", need=0, code=code)
    other = await world.desk(1)
    await other.connect()
    await other.do("desk.state", state="open")
    second = world.town.verifiers[1].id
    assert await refused(counter.do("call.hand-over", person=second)) == "counter_cannot_decide"
    stranger = desk.do("call.hand-over", person=world.town.administrator.id)
    assert await refused(stranger) == "not_found"
    await desk.do("call.hand-over", person=second)
    await counter.until_state("ringing")
    assert await refused(desk.do("call.decide")) == "wrong_state"
    answered = await other.do("call.accept", call=call["id"])
    assert answered["steps"]["current"] == "face"
    assert answered["steps"]["steps"][1]["needs"][0]["text"] == "カードを作りに来た"
    await counter.until_that(
        lambda m: (
            m["type"] == "call"
            and (m["call"]["desk"] or {}).get("name", "") != ""
            and m["call"]["state"] == "talking"
        )
    )
    await other.do("step.draw", step="face", need=0)
    await steps_where(counter, lambda s: step_of(s, "face")["needs"][0]["items"])
    await other.do("call.close", outcome="returned", reason="x")
    keeper, home = world.service.parts.records, world.town.municipality.id
    kept = await keeper.store.get(home, await keeper.store.id_of_call(home, call["id"]))
    record = read_record(kept.record.content)
    first_name, second_name = (one.name for one in world.town.verifiers[:2])
    assert [one.name for one in record.people.verifiers_before] == [first_name]
    assert record.people.verifier.name == second_name
    by = {step.id: named.name for step in record.steps if (named := step.needs[0].by)}
    assert [by[one] for one in ("purpose", "code", "face")] == [
        first_name, first_name, second_name,
    ]  # fmt: skip
    assert record.consent.sha256 == consent_sha256("1", "ja")


async def test_what_the_chip_said_is_kept_with_who_read_it(world: Any) -> None:
    counter, desk, _ = await world.talking()
    read: Json = {"document": "residence-card", "tool": "在留カード等読取アプリ"}
    await counter.do("step.chip", **read, result="unreadable")
    await desk.do("step.chip", **read, result="agrees")
    told = await steps_where(desk, lambda s: s["chips"] and s["chips"][0]["result"] == "agrees")
    assert [(one["document"], one["by"]["name"]) for one in told["chips"]] == [
        ("residence-card", "verifier-1 kasaoka")
    ]
    assert (await counter.steps())["chips"] == []
    assert await refused(desk.do("step.chip", **(read | {"document": "x"}), result="agrees")) == (
        "not_found"
    )
