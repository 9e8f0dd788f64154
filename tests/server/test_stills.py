"""A still for a step: who asks, what the tablet is told, when none may be taken, who sees it."""

import json
from base64 import b64decode
from datetime import UTC, datetime
from typing import Any

import pytest

Json = dict[str, Any]
# One white pixel.
PICTURE = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAsTj2FAAAAABJRU5ErkJggg=="
)
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


async def test_a_still_is_seen_by_whom_the_policy_lets_view_stills_and_each_look_is_logged(
    world: Any,
) -> None:
    counter, desk, call = await world.talking()
    await world.do_steps(counter, desk, call["id"], upto="face")
    name = (await desk.do("step.still", **FACE))["name"]
    asked_for = await world.send_file(counter, call["id"], PICTURE, name=name)
    photo = await world.send_file(counter, call["id"], PICTURE, name="a.png")
    await desk.until_that(
        lambda m: (
            m["type"] == "file" and (m["file"]["id"], m["file"]["state"]) == (photo, "offered")
        )
    )
    files = {one["id"]: one for one in (await desk.request("GET", path(call)))[1]["files"]}
    assert (files[asked_for]["still"], files[photo]["still"]) == (True, False)

    async def look(page: Any, file: str) -> str:
        status, said = await page.request("GET", f"{path(call)}/files/{file}/content")
        return "" if status == 200 else said["error"]["code"]

    assert [await look(desk, asked_for), await look(desk, photo)] == ["", ""]
    assert [await look(counter, asked_for), await look(counter, photo)] == ["denied", ""]
    await desk.do("step.bind", **FACE, file=photo, on=True)
    assert await look(counter, photo) == "denied"
    world.enforce({"stills.viewers": ["senior"]})
    assert [await look(desk, file) for file in (asked_for, photo)] == ["not_a_viewer"] * 2
    log, home = world.service.parts.audit, world.town.municipality.id
    entries = await log.since(home, datetime(2000, 1, 1, tzinfo=UTC), limit=10_000)
    looks = [json.loads(one.entry) for one in entries if one.tag == "gate:still:view"]
    assert [(one["subject"], one["allowed"]) for one in looks] == [
        (asked_for, True),
        (asked_for, False),
        (photo, False),
        (asked_for, False),
        (photo, False),
    ]


def path(call: Json) -> str:
    """Return where the call stands."""
    return f"/api/v1/calls/{call['id']}"


async def test_the_policy_says_whether_stills_are_taken_and_how_often_again(world: Any) -> None:
    counter, desk, call = await world.talking()
    await world.do_steps(counter, desk, call["id"], upto="face")
    world.enforce({"stills.mode": "off"})
    assert await code_of(desk.do("step.still", **FACE)) == "stills_off"
    world.enforce({"stills.mode": "on", "stills.retry_limit": 1}, 2)
    name = (await desk.do("step.still", **FACE))["name"]
    await world.send_file(counter, call["id"], b"%PDF-1.4 not a picture", name=name)
    assert await code_of(desk.do("step.still", **FACE)) == "too_many_retakes"
