"""`/metrics`: what it tells, how much of it there is, and whom it never names."""

import asyncio
import re
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from media.capacity import DEFAULT_CALLS
from server.demo.encoded import desk_clip
from server.demo.leg import MediaLeg

LABELS = {"state", "level", "page", "node", "way", "path", "kind"}


async def families(world: Any) -> dict[str, Any]:
    page = world.stranger()
    status, body = await page.request("GET", "/metrics")
    assert status == 200
    return {x.name: x for x in text_string_to_metric_families(body.decode())}


def value(found: dict[str, Any], name: str, **labels: str) -> float:
    for sample in found[name].samples:
        if labels.items() <= sample.labels.items() and not sample.name.endswith("_created"):
            return float(sample.value)
    raise AssertionError(f"{name} has no {labels}")


async def join(page: Any, leg: MediaLeg) -> None:
    await leg.accept((await page.offer(1, await leg.offer()))["sdp"])
    await leg.until_connected()


async def test_calls_packets_and_load_are_told(world: Any) -> None:
    before = await families(world)
    assert value(before, "madoguchi_calls", state="talking") == 0
    (path,) = (x.labels["path"] for x in before["madoguchi_media_packet_path"].samples if x.value)
    assert value(before, "madoguchi_calls_max") == DEFAULT_CALLS[path]
    assert value(before, "madoguchi_calls_accepted") == 1
    counter, desk, _ = await world.talking()
    clip = desk_clip(30)
    legs = [MediaLeg(clip), MediaLeg(clip)]
    for page, leg in zip((counter, desk), legs, strict=True):
        await join(page, leg)
    told = before
    while value(told, "madoguchi_media_packets", node="0", way="forwarded") < 50:
        told = await families(world)
    assert value(told, "madoguchi_calls", state="talking") == 1
    assert value(told, "madoguchi_pages", page="desk") == 1
    assert value(told, "madoguchi_media_calls", node="0") == 1
    assert value(told, "madoguchi_media_bytes", node="0", way="received") > 1000
    assert value(told, "madoguchi_media_cpu_seconds", node="0") > 0
    assert value(told, "madoguchi_media_resident_bytes", node="0") > 10_000_000
    assert 0 < value(told, "madoguchi_media_load_ratio") <= 1
    assert sum(x.value for x in told["madoguchi_call_quality"].samples) <= 1
    for leg in legs:
        await leg.close()


async def test_media_processes_of_their_own_tell_the_same(make_world: Any) -> None:
    world = await make_world(media={"host": "127.0.0.1", "port": 0, "processes": 2, "max_calls": 3})
    told = await families(world)
    assert value(told, "madoguchi_calls_max") == 6
    assert value(told, "madoguchi_calls_accepted") == 1
    await world.talking()
    calls = [0.0, 0.0]
    async with asyncio.timeout(10):
        while sum(calls) < 1:
            await asyncio.sleep(0.1)
            told = await families(world)
            calls = [value(told, "madoguchi_media_calls", node=n) for n in "01"]
    assert sorted(calls) == [0, 1]
    assert value(told, "madoguchi_media_cpu_seconds", node="1") > 0


async def test_totals_never_shrink_when_a_call_ends(world: Any) -> None:
    counter, desk, _ = await world.talking()
    leg = MediaLeg(desk_clip(30))
    await join(counter, leg)
    told = await families(world)
    while value(told, "madoguchi_media_packets", node="0", way="received") < 20:
        told = await families(world)
    await leg.close()
    await desk.do("call.close", outcome="aborted", reason="終了")
    after = await families(world)
    for way in ("received", "forwarded"):
        old = value(told, "madoguchi_media_packets", node="0", way=way)
        assert value(after, "madoguchi_media_packets", node="0", way=way) >= old


async def test_labels_are_few_and_name_nobody(world: Any) -> None:
    empty = await families(world)
    _, _, call = await world.talking()
    await world.town_of("ibara")
    told = await families(world)
    labels = [sample.labels for family in told.values() for sample in family.samples]
    ours = [x for x in labels if x]
    assert {name for x in ours for name in x} <= LABELS
    assert all(re.fullmatch(r"[a-z0-9]{1,16}", word) for x in ours for word in x.values())
    text = str(ours)
    town = world.town
    for secret in (call["id"], call["number"], town.municipality.id, town.clerk.id, "kasaoka"):
        assert secret not in text
    count = {name: len(family.samples) for name, family in empty.items()}
    assert {name: len(family.samples) for name, family in told.items()} == count
