"""The rule on the path that media really takes: two addresses of this machine, one is allowed."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import sqlalchemy as sa

from server.db import schema as t
from tests.media.basics import until
from tests.media.probe import Probe

IN, OUT = "127.0.0.1", "127.0.0.2"
ONLY_IN = {"network.vpn": "required", "network.vpn_networks": [f"{IN}/32"]}
Make = Callable[[int], Probe]


@pytest.fixture
async def make_probe() -> AsyncIterator[Make]:
    made: list[Probe] = []

    def make(ssrc: int) -> Probe:
        made.append(Probe(ssrc=ssrc))
        return made[-1]

    yield make
    for probe in made:
        probe.close()
    assert [trouble for probe in made for trouble in probe.troubles] == []


@pytest.fixture(params=[0, 1], ids=["in the server", "in a process of its own"])
async def town(request: pytest.FixtureRequest, make_world: Any) -> Any:
    """A service whose media runs in its process or beside it."""
    media = {"host": IN, "port": 0, "processes": request.param, "announce": [IN]}
    return await make_world(media=media)


async def connect(world: Any, client: Any, probe: Probe) -> None:
    """Offer by the client's socket and shake hands with the media port."""
    answer = await client.offer(1, probe.offer())
    await probe.connect_by(answer["sdp"], world.service.parts.media.ports[0])


async def in_a_call(world: Any, make: Make) -> tuple[Any, Any, Probe, Probe]:
    """Return both ends of a call whose media goes by the allowed address."""
    counter, desk, _ = await world.talking()
    shows, sees = make(1000), make(2000)
    await connect(world, counter, shows)
    await connect(world, desk, sees)
    shows.send_audio(1)
    assert await until(lambda: len(sees.sounds()) == 1)
    return counter, desk, shows, sees


async def go_out(probe: Probe, said: int) -> None:
    """Go on by the other address, which the engine answers at first."""
    probe.move(OUT)
    seen = len(probe.stun)
    probe.check(nominates=True)
    assert await until(lambda: len(probe.stun) > seen)
    probe.send_audio(said)


async def told_why(client: Any, code: str | None) -> None:
    """Wait until a page is shown that the counter's media is refused, or that it passes."""
    await client.until_that(
        lambda m: m["type"] == "call" and m["call"]["parties"]["counter"]["path"] == code
    )


async def refusals(world: Any) -> list[bytes]:
    """Return the entries of refused paths in the audit log."""
    async with world.service.parts.database.reading() as connection:
        entries = (await connection.execute(sa.select(t.audit_entry.c.entry))).scalars().all()
    return [entry for entry in entries if b"gate:media:path" in entry]


async def test_media_that_goes_out_of_the_vpn_stops_and_comes_back_with_the_address(
    town: Any, make_probe: Make
) -> None:
    town.enforce(ONLY_IN)
    counter, desk, shows, sees = await in_a_call(town, make_probe)
    assert await refusals(town) == []
    await go_out(shows, 2)
    for client in (counter, desk):
        await told_why(client, "outside_vpn")
    heard, reached = len(sees.sounds()), len(shows.rtp)
    shows.send_audio(3)
    sees.send_audio(1)
    shows.check()
    shows.drop_last()
    assert await until(lambda: len(shows.rtp) > reached)
    assert shows.sounds()[-1].port == shows.address[1], "sound goes to the allowed address"
    shows.check()
    shows.send_audio(4)
    assert await until(lambda: len(sees.sounds()) == heard + 1)
    for client in (counter, desk):
        await told_why(client, None)
    (refused,) = await refusals(town)
    assert b'"outside_vpn"' in refused
    assert f'"address":"{OUT}"'.encode() in refused


async def test_a_new_policy_is_asked_about_the_path_that_media_takes(
    town: Any, make_probe: Make
) -> None:
    counter, desk, shows, sees = await in_a_call(town, make_probe)
    await go_out(shows, 2)
    assert await until(lambda: len(sees.sounds()) == 2)
    town.enforce(ONLY_IN)
    await told_why(desk, "outside_vpn")
    town.enforce({"network.vpn": "none"}, number=2)
    await counter.until("please-offer", reason="restart_ice")
    await told_why(desk, None)


async def test_media_over_a_relay_counts_as_outside_unless_the_relay_is_answered_for(
    make_world: Any, make_probe: Make, tmp_path: Any
) -> None:
    secret = tmp_path / "relay"
    secret.write_text("s" * 40)
    secret.chmod(0o600)
    relay = {"urls": [f"turn:{OUT}:3478"], "use": "fallback", "secret_file": secret}
    for vouched, code in ((False, "outside_vpn"), (True, None)):
        media = {"host": IN, "port": 0, "processes": 0, "announce": [IN]}
        world = await make_world(
            media=media, relay={**relay, "enforces_networks": vouched}, data=fresh(tmp_path)
        )
        inside = {**ONLY_IN, "network.vpn_networks": ["127.0.0.0/8"]}
        world.enforce({**inside, "network.relay": "fallback"})
        _, desk, shows, sees = await in_a_call(world, make_probe)
        await go_out(shows, 2)
        if code is not None:
            await told_why(desk, code)
        else:
            assert await until(lambda: len(sees.sounds()) == 2)  # noqa: B023
            assert await refusals(world) == []


def fresh(folder: Any) -> dict[str, Any]:
    """Return a new data folder."""
    made = folder / f"data-{len(list(folder.iterdir()))}"
    made.mkdir()
    return {"folder": made}


async def test_before_a_policy_is_set_the_operator_says_whether_relays_carry(
    make_world: Any, make_probe: Make, tmp_path: Any
) -> None:
    secret = tmp_path / "relay"
    secret.write_text("s" * 40)
    secret.chmod(0o600)
    media = {"host": IN, "port": 0, "processes": 0, "announce": [IN]}
    relay = {"urls": [f"turn:{OUT}:3478"], "use": "only", "secret_file": secret}
    world = await make_world(media=media, relay=relay)
    counter, _, _ = await world.talking()
    shows = make_probe(1000)
    port = world.service.parts.media.ports[0]
    answer = await counter.offer(1, shows.offer())
    shows.take(answer["sdp"], port)
    shows.check()
    assert not await until(lambda: bool(shows.stun), 0.5)  # nothing is taken but by the relay
    shows.move(OUT)
    await shows.connect_by(answer["sdp"], port)
    await told_why(counter, None)
