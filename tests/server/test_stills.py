"""A still for a step: who asks, what the tablet is told, when none may be taken."""

from typing import Any

import pytest

Json = dict[str, Any]
FACE: Json = {"step": "face", "need": 2}


async def code_of(doing: Any) -> str:
    """Return the code with which something is refused."""
    with pytest.raises(Exception) as told:  # noqa: PT011
        await doing
    return str(getattr(told.value, "code", told.value))


async def test_the_tablet_is_told_to_take_a_picture_for_the_step_whose_turn_has_come(
    world: Any,
) -> None:
    counter, desk, call = await world.talking()
    assert await code_of(desk.do("step.still", **FACE)) == "step_locked"
    await world.do_steps(counter, desk, call["id"], upto="face")
    said = await desk.do("step.still", **FACE)
    told = await counter.until("still")
    assert told["name"] == said["name"]
    assert said["name"].startswith("face-2-")
    assert said["name"].endswith(".jpg")
    assert {key: told[key] for key in ("call", "step", "need")} == {"call": call["id"], **FACE}
    assert "seq" not in told
    assert await code_of(desk.do("step.still", step="face", need=0)) == "wrong_kind"
    assert await code_of(desk.do("step.still", step="nose", need=0)) == "not_found"
    assert await code_of(counter.do("step.still", **FACE)) == "counter_cannot_decide"


async def test_no_picture_is_asked_for_while_it_is_withheld_or_there_is_none(world: Any) -> None:
    counter, desk, call = await world.talking()
    await world.do_steps(counter, desk, call["id"], upto="face")
    await counter.do("call.veil", on=True)
    assert await code_of(desk.do("step.still", **FACE)) == "no_picture"
    await counter.do("call.veil", on=False)
    await counter.do("call.devices", camera="lost", microphone="on")
    assert await code_of(desk.do("step.still", **FACE)) == "no_picture"
    await counter.do("call.devices", camera="on", microphone="on")
    await desk.do("step.still", **FACE)


async def test_the_policy_says_whether_stills_are_taken_and_how_often_again(world: Any) -> None:
    counter, desk, call = await world.talking()
    await world.do_steps(counter, desk, call["id"], upto="face")
    world.enforce({"stills.mode": "off"})
    assert await code_of(desk.do("step.still", **FACE)) == "stills_off"
    world.enforce({"stills.mode": "on", "stills.retry_limit": 1}, 2)
    name = (await desk.do("step.still", **FACE))["name"]
    await world.send_file(counter, call["id"], b"%PDF-1.4 not a picture", name=name)
    assert await code_of(desk.do("step.still", **FACE)) == "too_many_retakes"
