"""A running service signs its audit log, and again when it stops."""

from typing import Any

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
