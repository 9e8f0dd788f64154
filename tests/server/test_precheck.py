"""開始前点検: a tablet and the server try everything that a call needs, by doing it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from typing import Any

import pytest

from files.tus import creation_metadata
from server.demo.encoded import desk_clip, resident_clip
from server.demo.leg import MediaLeg
from server.precheck.rules import Grade
from tests.server.conftest import PLACE, Refused

Json = dict[str, Any]
PDF = b"%PDF-1.4\n" + b"1 0 obj <<>> endobj\n" * 40 + b"trailer <<>>\n%%EOF\n"
TUS = {"Tus-Resumable": "1.0.0"}
FINE: Json = {
    "camera": {"width": 1280, "height": 720, "fps": 29.7},
    "light": {"mean": 0.5, "white": 0.01},
    "microphone": 0.6,
    "speaker": True,
    "path": {"protocol": "udp", "relayed": False},
    "rtt_ms": 3,
    "loss": 0.0,
    "chat_ms": 4,
    "file_ms": 120,
    "file_sha256": sha256(PDF).hexdigest(),
    "clock_ms": -40,
}
NOTHING: Json = dict.fromkeys(FINE)
OF_TABLET = ("camera", "light", "microphone", "speaker", "path", "line", "chat", "file", "clock")


async def begin(counter: Any) -> Json:
    status, said = await counter.request("POST", "/api/v1/precheck")
    assert status == 201, said
    return dict(said)


async def connect(counter: Any, leg: MediaLeg, side: str) -> None:
    body = {"side": side, "sdp": await leg.offer()}
    status, said = await counter.request("POST", "/api/v1/precheck/media", body=body)
    assert status == 200, said
    await leg.accept(said["sdp"])
    await asyncio.wait_for(leg.until_connected(), 10)


async def send_file(counter: Any, data: bytes) -> None:
    meta = creation_metadata("点検.pdf", sha256(data).hexdigest())
    headers = TUS | {"Upload-Length": str(len(data)), "Upload-Metadata": meta}
    status, said = await counter.request("POST", "/api/v1/precheck/file", headers=headers)
    assert status == 201, said
    kind = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
    status, said = await counter.request(
        "PATCH", "/api/v1/precheck/file", headers=TUS | kind, data=BytesIO(data)
    )
    assert status == 204, said


async def finish(counter: Any, report: Json) -> Json:
    status, said = await counter.request("POST", "/api/v1/precheck/result", body=report)
    assert status == 200, said
    return dict(said["precheck"])


def by_name(found: Json) -> dict[str, Json]:
    return {row["name"]: row for row in found["rows"]}


@pytest.fixture
async def legs() -> AsyncIterator[tuple[MediaLeg, MediaLeg]]:
    made = MediaLeg(resident_clip(30)), MediaLeg(desk_clip(30))
    yield made
    for leg in made:
        await leg.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def told(world: Any) -> list[tuple[str, str, Json]]:
    """Return what the audit log says of checks."""
    parts, home = world.service.parts, world.town.municipality.id
    entries = await parts.audit.since(home, datetime(2000, 1, 1, tzinfo=UTC), limit=10_000)
    said = [json.loads(x.entry) for x in entries if x.tag.startswith("precheck:")]
    return [(one["tag"], one["subject"], one.get("detail", {})) for one in said]


async def test_a_check_that_tries_everything_is_passed_and_kept_with_who_and_when(
    world: Any, legs: tuple[MediaLeg, MediaLeg]
) -> None:
    counter = await world.counter()
    await counter.connect()
    assert (await begin(counter))["relay"] is None
    await connect(counter, legs[0], "out")
    await connect(counter, legs[1], "back")
    assert (await counter.do("precheck.chat", text="てすと"))["text"] == "てすと"
    await send_file(counter, PDF)
    _, back = await counter.request("GET", "/api/v1/precheck/file")
    assert back == PDF
    # What goes in at one end comes out at the other.
    await until(lambda: legs[1].video.first_frame_at is not None)
    await until(lambda: legs[1].video.frames > 3)
    found = await finish(counter, FINE)
    rows = by_name(found)
    tried = {*OF_TABLET, "media", "database", "disk", "scanner"}
    # The clock of the machine that runs the test may be kept by nobody.
    grades = {name: row["grade"] for name, row in rows.items() if name != "server_clock"}
    assert grades == dict.fromkeys(tried, "good")
    assert rows["line"]["figures"]["width"] == 1280
    assert (rows["path"]["figures"]["way"], rows["scanner"]["code"]) == ("udp", "unused")
    town = world.town
    assert (found["tablet"]["name"], found["office"]["name"]) == (
        town.tablet.name, town.office.name
    )  # fmt: skip
    assert found["person"]["name"] == town.clerk.name
    blobs = world.service.parts.settings.data.folder / "blobs"
    assert [x for x in blobs.rglob("*") if x.is_file()] == []
    parts = world.service.parts
    assert parts.media.figures()[0].calls == 0
    ((tag, subject, detail),) = [x for x in await told(world) if x[0].endswith("passed")]
    assert (tag, subject) == ("precheck:tablet:passed", town.tablet.id)
    assert (detail["precheck"], detail["person"]) == (found["id"], town.clerk.id)
    _, mine = await counter.request("GET", "/api/v1/prechecks")
    assert (mine["prechecks"], mine["current"]) == ([found], True)
    _, seen = await (await world.desk()).request("GET", "/api/v1/prechecks")
    assert (seen["prechecks"], seen["current"]) == ([found], None)


async def test_what_the_server_has_not_seen_itself_is_not_believed(world: Any) -> None:
    counter = await world.counter()
    await begin(counter)
    rows = by_name(await finish(counter, FINE))
    bad = {name for name, row in rows.items() if row["grade"] == "bad"}
    assert bad == {"path", "line", "chat", "file"}
    assert [tag for tag, _, _ in await told(world)][-1] == "precheck:tablet:failed"
    _, mine = await counter.request("GET", "/api/v1/prechecks")
    assert (mine["prechecks"][0]["outcome"], mine["current"]) == ("bad", False)


async def test_a_check_of_which_nothing_worked_is_a_result_too(world: Any) -> None:
    counter = await world.counter()
    await begin(counter)
    rows = by_name(await finish(counter, NOTHING))
    assert {rows[name]["code"] for name in OF_TABLET} == {"none"}


async def test_a_file_that_is_no_document_is_refused_as_any_other_and_says_why(
    world: Any,
) -> None:
    counter = await world.counter()
    await begin(counter)
    await send_file(counter, b"MZ" + bytes(200))
    status, _ = await counter.request("GET", "/api/v1/precheck/file")
    assert status == 409
    row = by_name(await finish(counter, FINE))["file"]
    assert (row["code"], row["figures"]["reason"]) == ("refused", "wrong_type")


async def test_a_file_larger_than_a_check_needs_is_refused(world: Any) -> None:
    counter = await world.counter()
    await begin(counter)
    headers = TUS | {
        "Upload-Length": "1000000",
        "Upload-Metadata": creation_metadata("a", "0" * 64),
    }
    status, said = await counter.request("POST", "/api/v1/precheck/file", headers=headers)
    assert (status, said["error"]["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    "wrong",
    [
        {"microphone": 1.5},
        {"light": {"mean": 2, "white": 0}},
        {"speaker": 1},
        {"loss": -0.1},
        {"rtt_ms": "3"},
        {"path": {"protocol": "icmp", "relayed": False}},
        {"file_sha256": "ABC"},
        {"camera": {"width": -1, "height": 720, "fps": 30}},
        {"clock_ms": 10**16},
        {"more": 1},
    ],
)
async def test_a_report_out_of_bounds_is_refused_and_the_check_goes_on(
    world: Any, wrong: Json
) -> None:
    counter = await world.counter()
    await begin(counter)
    path = "/api/v1/precheck/result"
    status, said = await counter.request("POST", path, body=FINE | wrong)
    assert (status, said["error"]["code"]) == (400, "protocol")
    await finish(counter, FINE)


async def test_nothing_of_a_check_can_be_done_while_none_goes_on(world: Any) -> None:
    counter = await world.counter()
    await counter.connect()
    with pytest.raises(Refused, match="wrong_state"):
        await counter.do("precheck.chat", text="a")
    status, said = await counter.request("POST", "/api/v1/precheck/result", body=FINE)
    assert (status, said["error"]["code"]) == (409, "wrong_state")
    await begin(counter)
    await finish(counter, NOTHING)
    status, said = await counter.request("POST", "/api/v1/precheck/result", body=FINE)
    assert (status, said["error"]["code"]) == (409, "wrong_state")


async def test_no_check_begins_in_a_call_nor_without_a_clerk(world: Any) -> None:
    counter = await world.counter()
    await counter.connect()
    await counter.do("call.place", **PLACE)
    status, said = await counter.request("POST", "/api/v1/precheck")
    assert (status, said["error"]["code"]) == (409, "already_in_call")
    bare = world.another(counter)
    bare.cookies = {"__Host-tablet": counter.cookies["__Host-tablet"]}
    status, said = await bare.request("POST", "/api/v1/precheck")
    assert (status, said["error"]["code"]) == (403, "no_clerk")


async def test_a_second_check_takes_the_place_of_the_first(world: Any) -> None:
    counter = await world.counter()
    await begin(counter)
    await send_file(counter, PDF)
    await begin(counter)
    status, _ = await counter.request("GET", "/api/v1/precheck/file")
    assert status == 409
    blobs = world.service.parts.settings.data.folder / "blobs"
    assert [x for x in blobs.rglob("*") if x.is_file()] == []


async def test_another_municipality_sees_nothing_of_it(world: Any) -> None:
    counter = await world.counter()
    await begin(counter)
    await finish(counter, FINE)
    away = await world.town_of("ibara")
    _, seen = await (await world.desk(0, away)).request("GET", "/api/v1/prechecks")
    assert seen["prechecks"] == []


async def test_what_a_killed_service_has_left_of_a_check_is_removed_by_the_next(
    make_world: Any,
) -> None:
    world = await make_world()
    folder = world.service.parts.settings.data.folder / "blobs"
    left = folder / world.town.municipality.id / "precheck-abc" / "file" / "offered"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"sealed")
    await make_world.restart(world)
    assert not left.exists()


async def place(counter: Any) -> str | None:
    """Place a call; return the code with which it is refused."""
    try:
        await counter.do("call.place", **PLACE)
    except Refused as refused:
        return refused.code
    await counter.do("call.withdraw")
    await counter.until_state("closed")
    return None


async def test_no_real_call_begins_at_an_office_before_its_check_is_passed(world: Any) -> None:
    await world.ready_for_real_calls()
    world.sql("DELETE FROM precheck")
    counter = await world.counter()
    await counter.connect()
    assert await place(counter) == "precheck_missing"
    await world.check_passed(Grade.BAD)
    assert await place(counter) == "precheck_missing"
    await world.check_passed(Grade.FAIR)
    assert await place(counter) is None
    world.clock.advance(days=40)
    again = await world.counter()
    await again.connect(takeover=True)
    _, mine = await again.request("GET", "/api/v1/prechecks")
    assert (mine["asked"], mine["current"]) == ("first", True)
    assert await place(again) is None


async def test_where_the_policy_says_so_each_day_begins_with_a_check_of_the_tablet(
    world: Any,
) -> None:
    await world.ready_for_real_calls({"calls.precheck": "daily"})
    counter = await world.counter()
    await counter.connect()
    assert await place(counter) is None
    world.clock.advance(days=1)
    again = await world.counter()
    await again.connect(takeover=True)
    assert await place(again) == "precheck_missing"
    _, mine = await again.request("GET", "/api/v1/prechecks")
    assert (mine["asked"], mine["current"]) == ("daily", False)
    await world.check_passed()
    assert await place(again) is None
