"""Made-up residents of 研修モード: whom to play, and who may know it when."""

from typing import Any

from server.procedures.catalog import shipped as procedures
from server.training.residents import shipped


def test_every_resident_is_made_up_and_can_end_as_it_should() -> None:
    every = shipped()
    assert len({one.id for one in every}) == len(every) >= 5
    assert all("研修" in one.name.ja for one in every)
    (new_issue,) = (x for x in procedures().procedures if x.id == "new-issue")
    assert {one.outcome for one in every} <= set(new_issue.outcomes)
    assert len({one.outcome for one in every}) >= 3


async def resident(page: Any, call: Any) -> Any:
    status, said = await page.request("GET", f"/api/v1/calls/{call['id']}/resident")
    return said["resident"] if status == 200 else status


async def test_the_counter_is_told_whom_to_play_and_the_desk_what_the_register_has(
    world: Any,
) -> None:
    counter, desk, call = await world.talking()
    played, seen = await resident(counter, call), await resident(desk, call)
    assert all((played["says"]["ja"], played["holds"], played["does"]["en"]))
    assert played["register"] == []
    assert seen["register"]
    assert (seen["name"], seen["says"], seen["holds"], seen["does"]) == (None, None, [], None)
    assert {played["notice"], played["outcome"], seen["notice"], seen["outcome"]} == {None}
    assert await resident(counter, call) == played  # also after a reload
    await desk.do("call.close", outcome="aborted", reason="研修の終わり")
    await counter.until_state("closed")
    after = await resident(desk, call)
    assert after == await resident(counter, call)
    assert after["notice"]["ja"]
    assert after["says"] == played["says"]
    assert after["register"] == seen["register"]


async def test_nobody_is_played_in_a_real_call_nor_shown_to_who_is_not_in_it(world: Any) -> None:
    counter, desk, call = await world.talking()
    assert await resident(await world.desk(1), call) in (403, 404)
    away = await world.town_of("ibara")
    assert await resident(await world.desk(0, away), call) == 404
    await desk.do("call.close", outcome="aborted", reason="研修の終わり")
    await counter.until_state("closed")
    world.sql("UPDATE call SET training = 0")
    assert await resident(counter, call) == 404
