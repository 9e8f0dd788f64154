"""From draft to in force: two officers, a rehearsal, a beginning; and who may do none of it."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from security.errors import Conflict
from security.ids import new_id
from security.officers import Appointment
from security.people import Person, Role
from security.policy.versions import in_force
from server.procedures.opening import Opening

# Officers come through a proxy from inside the VPN; counters and desks from outside of it.
INSIDE = "10.1.2.3"
DRAFT = {
    "values": {
        "network.vpn": "required",
        "network.vpn_networks": ["10.0.0.0/8"],
        "network.trusted_proxies": ["127.0.0.0/8", "::1/128"],
    },
    "looser": {"network.trusted_proxies": {"reason": "庁内の中継サーバ", "until": "2099-03-31"}},
}


async def officer(
    world: Any, login: str, *, role: Role = Role.OFFICER, appointed: bool = True
) -> Any:
    """Return the page of a new officer."""
    parts, home = world.service.parts, world.town.municipality.id
    person = Person(new_id(), home, login, login, role, None, None, None)
    await parts.people.add_person(person)
    if appointed:
        made = Appointment(home, person.id, None, parts.clock(), None, parts.clock())
        await parts.policy_store.put_appointment(made)
    page = await world.signed_in(person)
    page.page = "officer"
    page.forwarded = INSIDE
    return page


async def asked(page: Any, method: str, path: str, body: Any = None) -> Any:
    """Return the answer, which must be good."""
    status, said = await page.request(method, f"/api/v1{path}", body=body)
    assert status in (200, 201), said
    return said


async def refused(page: Any, method: str, path: str, body: Any = None) -> str:
    """Return the code of the refusal."""
    status, said = await page.request(method, f"/api/v1{path}", body=body)
    assert status >= 400, said
    return str(said["error"]["code"])


async def test_a_change_takes_force_when_a_second_officer_approves_it(world: Any) -> None:
    first, second = await officer(world, "first"), await officer(world, "second")
    made = await asked(first, "POST", "/policy/versions", {**DRAFT, "note": "条例による"})
    assert (made["number"], made["state"]) == (1, "draft")
    assert [c["standing"] for c in made["changes"]] == ["stricter", "different", "looser"]
    assert (await asked(first, "GET", "/policy"))["number"] == 0
    done = await asked(second, "POST", "/policy/versions/1/approve", {})
    assert done["state"] == "in_force"
    shown = await asked(first, "GET", "/policy")
    vpn = shown["sections"][0]["settings"][0]
    assert (shown["number"], vpn["value"], vpn["standing"]) == (1, "required", "stricter")


async def test_any_two_versions_are_compared_the_baseline_too(world: Any) -> None:
    page = await officer(world, "first")
    await asked(page, "POST", "/policy/versions", DRAFT)
    await asked(page, "POST", "/policy/versions", {"values": {"calls.resume_seconds": 60}})
    shown = await asked(page, "GET", "/policy/versions/2?against=1")
    assert shown["against"]["number"] == 1
    changed = {one["key"] for one in shown["against"]["changes"]}
    values: Any = DRAFT["values"]
    assert changed == {*values, "calls.resume_seconds"}
    back = await asked(page, "GET", "/policy/versions/1?against=2")
    pairs = [(one["before"], one["after"]) for one in back["against"]["changes"]]
    assert pairs == [(one["after"], one["before"]) for one in shown["against"]["changes"]]
    shown = await asked(page, "GET", "/policy/versions/2?against=0")
    assert shown["against"]["changes"] == shown["changes"]
    assert (await asked(page, "GET", "/policy/versions/2"))["against"] is None
    for other in ("3", "-1", "x"):
        path = f"/policy/versions/2?against={other}"
        assert await refused(page, "GET", path) == "not_found"


async def test_nobody_approves_an_own_draft(world: Any) -> None:
    first = await officer(world, "first")
    await asked(first, "POST", "/policy/versions", DRAFT)
    assert await refused(first, "POST", "/policy/versions/1/approve", {}) == "own_draft"


async def test_an_officer_without_appointment_changes_nothing(world: Any) -> None:
    page = await officer(world, "self-made", appointed=False)
    assert await refused(page, "POST", "/policy/versions", DRAFT) == "not_appointed"
    await asked(page, "GET", "/policy")


async def test_two_administrators_appoint_an_officer(world: Any) -> None:
    page = await officer(world, "new", appointed=False)
    first = await officer(world, "admin-1", role=Role.ADMINISTRATOR, appointed=False)
    second = await officer(world, "admin-2", role=Role.ADMINISTRATOR, appointed=False)
    listed = (await asked(first, "GET", "/officers"))["officers"]
    path = f"/officers/{listed[0]['id']}/appoint"
    assert not (await asked(first, "POST", path))["appointed"]
    assert await refused(first, "POST", path) == "second_administrator"
    assert (await asked(second, "POST", path))["appointed"]
    assert await refused(page, "POST", "/policy/versions", DRAFT) == "signed_out"
    home = world.town.municipality.id
    person = await world.service.parts.people.person(home, listed[0]["id"])
    page = await world.signed_in(person)
    page.forwarded = INSIDE
    await asked(page, "POST", "/policy/versions", DRAFT)


async def test_a_proposal_that_is_old_or_whose_administrator_is_none_any_more_has_not_happened(
    world: Any,
) -> None:
    await officer(world, "new", appointed=False)
    first = await officer(world, "admin-1", role=Role.ADMINISTRATOR, appointed=False)
    second = await officer(world, "admin-2", role=Role.ADMINISTRATOR, appointed=False)
    listed = (await asked(first, "GET", "/officers"))["officers"]
    path, parts = f"/officers/{listed[0]['id']}/appoint", world.service.parts
    assert (await asked(first, "POST", path))["confirm_until"] is not None
    home = world.town.municipality.id
    (administrator,) = [p for p in await parts.people.people(home) if p.login == "admin-1"]
    await parts.people.disable_person(home, administrator.id, parts.clock())
    again = await asked(second, "POST", path)
    assert (again["appointed"], again["proposed_by"]) == (False, "admin-2")


async def test_who_is_disabled_meanwhile_is_not_appointed_and_the_log_names_whom(
    world: Any,
) -> None:
    await officer(world, "new", appointed=False)
    first = await officer(world, "admin-1", role=Role.ADMINISTRATOR, appointed=False)
    second = await officer(world, "admin-2", role=Role.ADMINISTRATOR, appointed=False)
    (listed,) = (await asked(first, "GET", "/officers"))["officers"]
    path, parts = f"/officers/{listed['id']}/appoint", world.service.parts
    await asked(first, "POST", path)
    await parts.people.disable_person(world.town.municipality.id, listed["id"], parts.clock())
    assert await refused(second, "POST", path) == "not_officer"
    past = parts.clock() - timedelta(minutes=5)
    entries = await parts.audit.since(world.town.municipality.id, past, limit=100)
    asked_about = [e for e in entries if e.tag == "gate:officer:appoint"]
    assert [listed["id"].encode() in one.entry for one in asked_about] == [True, True]


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.ADMINISTRATOR])
async def test_who_reads_the_policy_does_not_change_it(world: Any, role: Role) -> None:
    page = await officer(world, "reader", role=role)
    await asked(page, "GET", "/policy")
    assert await refused(page, "POST", "/policy/versions", DRAFT) == "denied"


async def test_a_draft_against_an_older_version_is_drawn_up_anew(world: Any) -> None:
    first, second = await officer(world, "first"), await officer(world, "second")
    await asked(first, "POST", "/policy/versions", DRAFT)
    await asked(first, "POST", "/policy/versions", {"values": {"people.idle_minutes": 10}})
    await asked(second, "POST", "/policy/versions/1/approve", {})
    assert await refused(second, "POST", "/policy/versions/2/approve", {}) == "outdated_draft"
    assert (await asked(first, "POST", "/policy/versions/2/withdraw"))["state"] == "withdrawn"
    assert await refused(second, "POST", "/policy/versions/2/approve", {}) == "not_a_draft"


async def test_a_looser_setting_needs_its_reason_and_a_date_that_holds(world: Any) -> None:
    first, second = await officer(world, "first"), await officer(world, "second")
    loose: Any = {"values": {"calls.resume_seconds": 300}}
    await asked(first, "POST", "/policy/versions", loose)
    assert await refused(second, "POST", "/policy/versions/1/approve", {}) == "looser_unexplained"
    past = {"reason": "回線工事のため", "until": "2020-01-01"}
    await asked(
        first, "POST", "/policy/versions", {**loose, "looser": {"calls.resume_seconds": past}}
    )
    assert await refused(second, "POST", "/policy/versions/2/approve", {}) == "looser_unexplained"
    later = {"reason": "回線工事のため", "until": "2099-03-31"}
    await asked(
        first, "POST", "/policy/versions", {**loose, "looser": {"calls.resume_seconds": later}}
    )
    await asked(second, "POST", "/policy/versions/3/approve", {})


async def test_a_version_takes_force_at_its_time_and_can_be_withdrawn_before(world: Any) -> None:
    first, second = await officer(world, "first"), await officer(world, "second")
    await asked(first, "POST", "/policy/versions", DRAFT)
    now = world.service.parts.clock()
    past, soon = now - timedelta(minutes=1), now + timedelta(hours=1)
    body = {"starts_at": past.isoformat()}
    assert await refused(second, "POST", "/policy/versions/1/approve", body) == "bad_start"
    body = {"starts_at": soon.isoformat()}
    assert (await asked(second, "POST", "/policy/versions/1/approve", body))["state"] == "approved"
    assert (await asked(first, "GET", "/policy"))["number"] == 0
    await asked(first, "POST", "/policy/versions/1/withdraw")
    listed = (await asked(first, "GET", "/policy/versions"))["versions"]
    assert [v["state"] for v in listed] == ["withdrawn"]


async def test_no_version_is_approved_while_another_waits_to_start_and_would_undo_it(
    world: Any,
) -> None:
    first, second = await officer(world, "first"), await officer(world, "second")
    await asked(first, "POST", "/policy/versions", {"values": {"people.idle_minutes": 10}})
    await asked(first, "POST", "/policy/versions", DRAFT)
    later = {"starts_at": (world.service.parts.clock() + timedelta(days=5)).isoformat()}
    await asked(second, "POST", "/policy/versions/1/approve", later)
    assert await refused(second, "POST", "/policy/versions/2/approve", {}) == "version_waiting"
    await asked(first, "POST", "/policy/versions/1/withdraw")
    await asked(second, "POST", "/policy/versions/2/approve", {})
    in_force_then = in_force(
        world.service.parts.policies.approved(world.town.municipality.id),
        world.service.parts.clock() + timedelta(days=6),
    )
    assert in_force_then is not None
    assert in_force_then.number == 2


async def test_of_two_approved_at_once_only_one_waits_or_is_in_force(world: Any) -> None:
    first, second = await officer(world, "first"), await officer(world, "second")
    await asked(first, "POST", "/policy/versions", {"values": {"people.idle_minutes": 10}})
    await asked(first, "POST", "/policy/versions", DRAFT)
    later = {"starts_at": (world.service.parts.clock() + timedelta(days=5)).isoformat()}
    answers = await asyncio.gather(
        second.request("POST", "/api/v1/policy/versions/1/approve", body=later),
        second.request("POST", "/api/v1/policy/versions/2/approve", body={}),
    )
    assert sorted(status for status, _ in answers) == [200, 409]


async def test_what_rests_on_a_stale_reading_overwrites_no_approval(world: Any) -> None:
    first, second = await officer(world, "first"), await officer(world, "second")
    await asked(first, "POST", "/policy/versions", DRAFT)
    store, home = world.service.parts.policy_store, world.town.municipality.id
    read = await store.version(home, 1)
    await asked(second, "POST", "/policy/versions/1/approve", {})
    withdrawn = replace(read, withdrawn_by="first", withdrawn_at=world.service.parts.clock())
    with pytest.raises(Conflict):
        await store.settle(read, withdrawn)
    kept = await store.version(home, 1)
    assert (kept.withdrawn_at, kept.starts_at is None) == (None, False)


async def test_a_draft_with_mistakes_is_refused_with_all_of_them(world: Any) -> None:
    page = await officer(world, "first")
    body = {"values": {"network.vpn": "maybe", "calls.resume_seconds": 5, "no.such": 1}}
    status, said = await page.request("POST", "/api/v1/policy/versions", body=body)
    assert (status, said["error"]["code"]) == (400, "bad_policy")
    assert {r["clause"] for r in said["error"]["reasons"]} == {
        "network.vpn",
        "calls.resume_seconds",
        "no",
    }


async def test_a_rehearsal_says_what_would_have_been_and_which_calls_would_end(world: Any) -> None:
    page = await officer(world, "first")
    await world.talking()
    await asked(page, "POST", "/policy/versions", DRAFT)
    said = await asked(page, "GET", "/policy/versions/1/rehearsal?days=30")
    changed = {(one["action"], one["allowed"], *one["codes"]) for one in said["changed"]}
    assert ("call.place", False, "outside_vpn") in changed
    assert ("call.accept", False, "outside_vpn") in changed
    assert said["ends_calls"] == 1
    rows = {one["action"]: one for one in said["by_action"]}
    assert sum(one["refused"] + one["allowed"] for one in rows.values()) == said["changed_count"]
    assert rows["call.place"]["refused"] == 1
    assert (await asked(page, "GET", "/policy"))["number"] == 0


async def test_a_rehearsal_counts_the_calls_that_would_have_lasted_or_waited_too_long(
    world: Any,
) -> None:
    page = await officer(world, "first")
    await world.talking()
    waiting = await world.counter(tablet=world.town.second_tablet)
    await waiting.connect()
    consent = {"video": True, "text_version": "1", "language": "ja"}
    await waiting.do("call.place", procedure="new-issue", consent=consent)
    limits = [{"calls.max_minutes": 5}, {"calls.max_waiting_minutes": 5}]
    both = limits[0] | limits[1]
    for values in (*limits, both, {"people.idle_minutes": 14}):
        await asked(page, "POST", "/policy/versions", {"values": values})
    world.clock.advance(minutes=6)
    numbers = range(1, 5)
    found = [await asked(page, "GET", f"/policy/versions/{n}/rehearsal") for n in numbers]
    assert [one["ends_calls"] for one in found] == [1, 1, 2, 0]


async def test_a_policy_in_force_refuses_at_the_next_question(world: Any) -> None:
    first, second = await officer(world, "first"), await officer(world, "second")
    counter = await world.counter()
    await counter.connect()
    await asked(first, "POST", "/policy/versions", DRAFT)
    await asked(second, "POST", "/policy/versions/1/approve", {})
    consent = {"video": True, "text_version": "1", "language": "ja"}
    with pytest.raises(Exception, match="outside_vpn"):
        await counter.do("call.place", procedure="new-issue", consent=consent)
    shown = await asked(first, "GET", "/policy")
    assert shown["sections"][0]["settings"][0]["counts"]["1"]["refused"] == 1


async def test_versions_outlive_a_restart(make_world: Any) -> None:
    world = await make_world()
    first, second = await officer(world, "first"), await officer(world, "second")
    await asked(first, "POST", "/policy/versions", DRAFT)
    await asked(second, "POST", "/policy/versions/1/approve", {})
    again = await make_world.restart(world)
    in_force = again.service.parts.policies.of(world.town.municipality.id)
    assert (in_force.number, in_force.policy.network.vpn) == (1, "required")


async def test_a_question_is_answered_with_every_term(world: Any) -> None:
    page = await officer(world, "first")
    said = await asked(
        page, "POST", "/policy/explain", {"action": "start-call", "address": "203.0.113.5"}
    )
    assert not said["allowed"]
    assert {t["code"] for t in said["terms"] if not t["met"]} == {
        "retention_not_set",
        "second_factor_not_set",
    }


async def test_a_question_about_an_office_is_answered_by_what_is_entered_of_it_on_that_day(
    world: Any,
) -> None:
    page, parts, town = await officer(world, "first"), world.service.parts, world.town
    home, today = town.municipality.id, parts.administration.today()

    async def unmet(**question: Any) -> set[str]:
        body = {"action": "start-call", "address": "127.0.0.1", **question}
        said = await asked(page, "POST", "/policy/explain", body)
        return {t["code"] for t in said["terms"] if not t["met"]} & ENTERED

    here = {"office": town.office.id, "procedure": "return"}
    missing = {"office_not_designated", "resolution_missing", "precheck_missing"}
    assert await unmet(**here) == missing | {"procedure_not_open"}
    day = today + timedelta(days=30)
    entry = Opening(
        new_id(), home, town.office.id, "return", True, day, "告示", None, parts.clock()
    )
    await parts.procedure_store.add_opening(entry)
    assert await unmet(**here) == missing | {"procedure_not_open"}
    assert await unmet(**here, at=f"{day}T10:00+09:00") == missing
    assert await unmet(**here, real=False) == set()  # 研修モード before the day
    assert await unmet(procedure="return", at=f"{day}T10:00+09:00") == set()
    await parts.people.set_office(replace(town.office, designated_on=day, resolved_on=today))
    assert await unmet(**here) == {
        "procedure_not_open",
        "office_not_designated",
        "precheck_missing",
    }
    assert await unmet(**here, at=f"{day}T10:00+09:00") == {"precheck_missing"}
    assert await unmet(office=town.office.id, procedure="new-issue") == {
        "office_not_designated",
        "precheck_missing",
    }


ENTERED = {"procedure_not_open", "office_not_designated", "resolution_missing", "precheck_missing"}


async def test_another_municipalitys_versions_and_officers_do_not_exist(world: Any) -> None:
    first = await officer(world, "first")
    await asked(first, "POST", "/policy/versions", DRAFT)
    listed = (await asked(first, "GET", "/officers"))["officers"]
    world.town = await world.town_of("ibara")
    stranger = await officer(world, "stranger")
    administrator = await officer(world, "admin", role=Role.ADMINISTRATOR)
    base = "/policy/versions/1"
    for method, path in (
        ("GET", base),
        ("GET", f"{base}?against=0"),
        ("GET", f"{base}/rehearsal"),
        ("POST", f"{base}/approve"),
        ("POST", f"{base}/withdraw"),
    ):
        assert (
            await refused(stranger, method, path, {} if method == "POST" else None) == "not_found"
        )
    path = f"/officers/{listed[0]['id']}/appoint"
    assert await refused(administrator, "POST", path) == "not_found"
    assert (await asked(stranger, "GET", "/policy/versions"))["versions"] == []
