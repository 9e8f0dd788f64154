"""A running service signs its audit log, and again when it stops."""

from typing import Any

import pytest

from security.ids import new_id
from security.people import Person, Role
from server.api.housekeeping import sign_logs
from server.app import Service


async def signed_up_to(service: Service, municipality_id: str) -> tuple[int, int]:
    """Return how many entries are signed, and how many there are."""
    found = await service.parts.audit.verified(municipality_id)
    return found.signed, found.head.count


async def test_the_log_is_signed_by_housekeeping_and_at_the_stop(make_world: Any) -> None:
    world = await make_world()
    home, parts = world.town.municipality.id, world.service.parts
    for number in range(3):
        await parts.audit.note(home, "a:b:c", str(number), {}, now=parts.clock())
    await sign_logs(parts)
    signed, count = await signed_up_to(world.service, home)
    assert signed == count >= 3
    await parts.audit.note(home, "a:b:c", "last", {}, now=parts.clock())
    await sign_logs(parts)
    assert await signed_up_to(world.service, home) == (count, count + 1)
    again = await make_world.restart(world)
    signed, count = await signed_up_to(again.service, home)
    assert signed == count


async def test_what_fits_is_found_however_far_back_and_a_csv_is_whole_or_refused(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.api.audit.BATCH", 2)
    parts, home = world.service.parts, world.town.municipality.id
    await parts.audit.note(home, "rare:a:b", "x", {}, now=parts.clock())
    for _ in range(7):
        await parts.audit.note(home, "often:a:b", "x", {}, now=parts.clock())
    auditor = Person(new_id(), home, "auditor", "auditor", Role.AUDITOR, None, None, None)
    await parts.people.add_person(auditor)
    officer = await world.signed_in(auditor)
    path = "/api/v1/audit"
    _, found = await officer.request("GET", f"{path}?action=rare")
    assert [one["tag"] for one in found["entries"]] == ["rare:a:b"]
    assert not found["more"]
    for place in ({"person": "p1"}, {"by": "p1"}, {"deep": {"asked": ["p1"]}}):
        await parts.audit.note(home, "named:a:b", "x", place, now=parts.clock())
    await parts.audit.note(home, "named:a:b", "p1", {"office": "o1"}, now=parts.clock())
    await parts.audit.note(home, "named:a:b", "x", {"person": "p10"}, now=parts.clock())
    for query, many in (("person=p1", 4), ("office=o1", 1), ("call=p1", 4), ("person=p", 0)):
        _, found = await officer.request("GET", f"{path}?{query}")
        assert len(found["entries"]) == many, query
    who = [
        one["person"] for one in (await officer.request("GET", f"{path}?person=p1"))[1]["entries"]
    ]
    assert who == ["", "", "p1", "p1"]
    monkeypatch.setattr("server.api.audit.MAX_EXPORTED", 6)
    assert (await officer.request("GET", f"{path}/export?action=often"))[0] == 400
    assert (await officer.request("GET", f"{path}/export?action=rare"))[0] == 200
