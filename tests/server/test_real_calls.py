"""Real calls and 研修モード on the running server: what starts which, and what is said of it."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from security.ids import new_id
from security.people import OfficeKind
from security.policy.baseline import BASELINE
from server.policies import ZONE
from server.procedures.opening import Opening

ROOT = Path(__file__).resolve().parents[2]
CONSENT = {"video": True, "text_version": "1", "language": "ja"}


async def place(counter: Any, procedure: str = "new-issue", **fields: Any) -> dict[str, Any]:
    answer = await counter.do("call.place", procedure=procedure, consent=CONSENT, **fields)
    return dict(answer["call"])


async def refused(counter: Any, procedure: str = "new-issue", **fields: Any) -> list[str]:
    """Return the codes with which a call is refused, every one of them."""
    with pytest.raises(Exception, match="_") as caught:
        await place(counter, procedure, **fields)
    error = getattr(caught.value, "error", None)
    assert error is not None, caught.value
    assert error["code"] == error["reasons"][0]["code"]
    return [reason["code"] for reason in error["reasons"]]


async def ask(counter: Any, procedure: str = "new-issue", **query: str) -> dict[str, Any]:
    more = "".join(f"&{key}={value}" for key, value in query.items())
    status, said = await counter.request(
        "GET", f"/api/v1/eligibility?page=counter&procedure={procedure}{more}"
    )
    assert status == 200, said
    return dict(said)


async def opened(world: Any, procedure: str, *, days: int, opens: bool = True) -> Opening:
    """Enter that a procedure opens (or closes) at the office so many days from today."""
    town, now = world.town, world.clock()
    day = now.astimezone(ZONE).date() + timedelta(days=days)
    item = Opening(
        new_id(), town.municipality.id, town.office.id, procedure, opens, day, "告示第9号",
        town.administrator.id, now,
    )  # fmt: skip
    await world.service.parts.procedure_store.add_opening(item)
    return item


async def test_a_tablet_that_nobody_has_switched_places_training_calls_alone(world: Any) -> None:
    await world.ready_for_real_calls()
    counter = await world.counter(tablet=world.town.second_tablet)
    welcome = await counter.connect()
    assert welcome["you"]["mode"] == "training"
    call = await place(counter)
    assert (call["training"], call["number"][0]) == (True, "R")


async def test_a_real_call_starts_when_every_term_holds_and_is_numbered_apart(world: Any) -> None:
    await world.ready_for_real_calls()
    counter, desk = await world.counter(), await world.desk()
    welcome = await counter.connect()
    await desk.connect()
    assert welcome["you"]["mode"] == "real"
    said = await ask(counter)
    assert (said["mode"], said["allowed"]) == ("real", True)
    assert all(term["met"] for term in said["terms"])
    call = await place(counter)
    assert (call["training"], call["number"][0]) == (False, "K")
    assert call["number"].endswith("-0001")
    answered = await desk.do("call.accept", call=call["id"])
    assert answered["call"]["training"] is False


async def test_a_tablet_for_real_calls_may_be_practised_on_when_asked(world: Any) -> None:
    counter = await world.counter()
    await world.service.parts.people.set_tablet_real(
        world.town.municipality.id, world.town.tablet.id, real=True
    )
    await counter.connect()
    assert "office_not_designated" in await refused(counter)
    said = await ask(counter, training="1")
    assert (said["mode"], said["allowed"]) == ("training", True)
    call = await place(counter, training=True)
    assert (call["training"], call["number"][0]) == (True, "R")


async def test_every_unmet_term_is_said_at_once_and_the_attempt_is_logged(world: Any) -> None:
    town = world.town
    await world.service.parts.people.set_tablet_real(
        town.municipality.id, town.tablet.id, real=True
    )
    counter = await world.counter()
    await counter.connect()
    nothing = [
        "office_not_designated",
        "resolution_missing",
        "procedure_not_open",
        "retention_not_set",
        "second_factor_not_set",
    ]
    found = await refused(counter, "loss-report")
    assert [code for code in found if code != "precheck_missing"] == nothing
    said = await ask(counter, "loss-report")
    assert said["allowed"] is False
    unmet = [term["code"] for term in said["terms"] if not term["met"]]
    assert unmet == found
    met = {term["code"] for term in said["terms"] if term["met"]}
    assert {"office_not_direct", "not_enrolled", "no_clerk", "outside_vpn"} <= met
    logged = await world.refusals("gate:call:place")
    assert logged == [(town.tablet.id, found), (town.tablet.id, found)]


@pytest.mark.parametrize(
    ("field", "code", "ahead"),
    [
        ("designated_on", "office_not_designated", None),
        ("designated_on", "office_not_designated", 1),
        ("resolved_on", "resolution_missing", None),
        ("resolved_on", "resolution_missing", 1),
    ],
)
async def test_a_day_of_the_office_that_is_missing_or_to_come_stands_against_it(
    world: Any, field: str, code: str, ahead: int | None
) -> None:
    office = await world.ready_for_real_calls()
    counter = await world.counter()
    await counter.connect()
    today = world.clock().astimezone(ZONE).date()
    day = None if ahead is None else today + timedelta(days=ahead)
    await world.service.parts.people.set_office(replace(office, **{field: day}))
    assert await refused(counter) == [code]
    said = await ask(counter)
    assert said[field] == (day and day.isoformat())
    await world.service.parts.people.set_office(replace(office, **{field: today}))
    assert (await ask(counter))["allowed"] is True


async def test_support_needs_no_resolution_and_certificates_as_the_setting_says(
    world: Any,
) -> None:
    office = await world.ready_for_real_calls()
    await world.service.parts.people.set_office(replace(office, resolved_on=None))
    counter = await world.counter()
    await counter.connect()
    assert await refused(counter) == ["resolution_missing"]
    assert (await ask(counter, "application-support"))["allowed"] is True
    assert await refused(counter, "certificates") == ["resolution_missing"]
    waived = {"calls.certificates_resolution": "not_required"}
    await world.ready_for_real_calls(waived, 2)
    await world.service.parts.people.set_office(replace(office, resolved_on=None))
    assert (await ask(counter, "certificates"))["allowed"] is True
    assert await refused(counter) == ["resolution_missing"]


async def test_a_real_call_waits_until_every_period_of_keeping_is_set(world: Any) -> None:
    await world.ready_for_real_calls()
    counter = await world.counter()
    await counter.connect()
    kept = ("records", "chat", "files", "stills", "recordings", "audit")
    for number, left in enumerate(kept, 2):
        days: dict[str, Any] = {f"retention.{name}_days": 365 for name in kept if name != left}
        days |= {"people.second_factor_roles": [], "recording.mode": "optional"}
        world.enforce(days, number)
        assert await refused(counter) == ["retention_not_set"], left
    without = {f"retention.{name}_days": 365 for name in kept if name != "recordings"}
    world.enforce(without | {"people.second_factor_roles": []}, len(kept) + 2)
    assert (await ask(counter, "new-issue"))["allowed"] is True, "nothing is recorded"


async def test_a_procedure_opens_on_its_day_at_that_office_and_closes_again(world: Any) -> None:
    await world.ready_for_real_calls()
    counter = await world.counter()
    await counter.connect()
    assert await refused(counter, "loss-report") == ["procedure_not_open"]
    opening = await opened(world, "loss-report", days=1)
    assert await refused(counter, "loss-report") == ["procedure_not_open"]
    assert (await ask(counter, "loss-report"))["opens_on"] == opening.from_on.isoformat()
    listed = await listing(counter)
    assert listed["loss-report"] == ("preparing", opening.from_on.isoformat())
    # Practised before its day.
    assert (await ask(counter, "loss-report", training="1"))["allowed"] is True
    await opened(world, "loss-report", days=0)
    assert (await ask(counter, "loss-report"))["allowed"] is True
    assert (await listing(counter))["loss-report"] == ("open", None)
    await opened(world, "loss-report", days=2, opens=False)
    assert (await ask(counter, "loss-report"))["allowed"] is True
    await opened(world, "loss-report", days=0, opens=False)
    assert await refused(counter, "loss-report") == ["procedure_not_open"]
    await opened(world, "new-issue", days=0, opens=False)
    assert await refused(counter) == ["procedure_not_open"]


async def listing(page: Any) -> dict[str, tuple[str, str | None]]:
    """Return status and coming day of each procedure that a page is shown."""
    _, said = await page.request("GET", "/api/v1/procedures")
    return {one["id"]: (one["status"], one["opens_on"]) for one in said["procedures"]}


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_clerk_is_told_of_every_term_what_it_is_and_who_does_what(language: str) -> None:
    words = json.loads((ROOT / "static" / "text" / f"{language}.json").read_text("utf-8"))
    codes = {term.reason.code for term in BASELINE["call.place"].terms} - {"not_found"}
    for code in sorted(codes):
        for part in ("", ".what", ".who", ".do"):
            assert words.get(f"blocked.{code}{part}"), f"blocked.{code}{part}"
        assert words.get(f"term.{code}"), f"term.{code}"


async def test_no_simple_post_office_by_any_path(world: Any) -> None:
    """Neither registered, nor changed to one behind the program's back (Q&A 11)."""
    town, people = world.town, world.service.parts.people
    for name, kind in (("簡易", OfficeKind.SIMPLE), ("山の簡易郵便局", OfficeKind.DIRECT)):
        with pytest.raises(Exception, match="Q&A 11"):
            await people.add_office(replace(town.office, id=new_id(), name=name, kind=kind))


async def test_what_is_no_procedure_is_not_open_and_a_desk_asks_nothing(world: Any) -> None:
    counter, desk = await world.counter(), await world.desk()
    for name in ("nosuch", "新規", ""):
        said = await ask(counter, name)
        unmet = {term["code"] for term in said["terms"] if not term["met"]}
        assert (said["mode"], unmet) == ("training", {"procedure_not_open"})
    status, _ = await desk.request("GET", "/api/v1/eligibility?page=desk&procedure=new-issue")
    assert status == 404
