"""Steps over the wire: who may do what, who sees what, and what a drop or a restart leaves."""

from typing import Any

import pytest

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
    counter, desk, _ = await world.talking()
    await walk_to_code(desk)
    first = await steps_where(counter, lambda s: s["current"] == "code")
    code = step_of(first, "code")["needs"][0]["code"]["code"]
    wrong = f"{(int(code) + 1) % 10_000:04d}"
    for _ in range(3):
        assert not (await desk.do("step.code", step="code", need=0, code=wrong))["agreed"]
    assert await refused(desk.do("step.code", step="code", need=0, code=code)) == "too_many_tries"
    await counter.leave()
    await desk.until_state("interrupted")
    assert await refused(desk.do("step.code", step="code", need=0, code=code)) == "no_code"
    welcome = await counter.connect()
    after = step_of(welcome["state"]["steps"], "code")["needs"][0]["code"]
    if after["code"] is None:
        told = await steps_where(counter, lambda s: step_of(s, "code")["needs"][0]["code"]["code"])
        after = step_of(told, "code")["needs"][0]["code"]
    assert after["tries_left"] == 3
    assert (await desk.do("step.code", step="code", need=0, code=after["code"]))["agreed"]


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
