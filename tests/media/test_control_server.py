"""A node's side of the control socket: who is answered, and what it does when nobody is there."""

from pathlib import Path

import pytest
from aiohttp import ClientSession, UnixConnector, web
from aiohttp.test_utils import TestClient, TestServer

from media.control_api import (
    KEPT_EVENTS,
    MAX_BODY_BYTES,
    CallState,
    MediaLost,
    OfferWanted,
    Shown,
    error_of,
)
from media.control_server import LONELY_SECONDS, ControlServer
from media.event_log import EventLog
from media.node import MediaNode
from security.errors import ProtocolError, TooMuch, Unavailable
from tests.media.basics import CALL

RESUME_SECONDS = 60.0


class Time:
    """A clock that stands until it is put forward."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def control(node: MediaNode, time: Time) -> ControlServer:
    return ControlServer(node, EventLog(), "v", resume_seconds=RESUME_SECONDS, clock=time)


def ends_after(control: ControlServer, time: Time, seconds: float) -> bool:
    time.now += seconds
    control._look(time.now)
    return control._done.is_set()


async def test_who_is_not_of_this_machine_is_not_answered(control: ControlServer) -> None:
    async with TestClient(TestServer(control.app())) as stranger:
        for method, path in (("DELETE", f"/v1/calls/{CALL}"), ("POST", "/v1/end")):
            assert (await stranger.request(method, path)).status == 403
    assert not control._done.is_set()
    assert CALL in control.noun().calls


async def test_a_process_that_nobody_needs_ends_by_itself(
    control: ControlServer, time: Time
) -> None:
    assert not ends_after(control, time, LONELY_SECONDS - 1)
    assert ends_after(control, time, 1)


async def test_a_process_with_somebody_in_it_closes_its_gates_and_ends_later(
    control: ControlServer, node: MediaNode, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = node.held

    def somebody(call_id: str) -> object:
        found = held(call_id)
        return found and type(found)(found.gate_open, found.veiled, frozenset({"desk"}))

    monkeypatch.setattr(node, "held", somebody)
    assert not ends_after(control, time, RESUME_SECONDS - 1)
    assert control.noun().calls[CALL].gate_open
    assert not ends_after(control, time, 1)
    assert not control.noun().calls[CALL].gate_open
    assert ends_after(control, time, RESUME_SECONDS)


def test_events_are_kept_until_they_were_seen() -> None:
    log, woken = EventLog(), []
    log.wake = lambda: woken.append(1)
    log.media_up("a", "desk")
    log.media_lost("a", "desk")
    log.offer_wanted("a", "desk", "streams", 3)
    log.shown("a", "desk", {"0": "counter"})
    assert [frame.seq for frame in log.after(0)] == [1, 2, 3, 4]
    assert len(woken) == 4
    log.seen(1)
    assert [type(frame.event) for frame in log.after(0)] == [MediaLost, OfferWanted, Shown]
    for _ in range(KEPT_EVENTS):
        log.media_up("b", "desk")
    assert min(frame.seq for frame in log.after(0)) == 5


async def test_whatever_goes_wrong_is_said_as_an_error_of_ours(
    control: ControlServer, node: MediaNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(call_id: str) -> None:
        raise RuntimeError(call_id)

    monkeypatch.setattr(node, "open_call", breaks)
    runner = web.AppRunner(control.app())
    await runner.setup()
    path = str(tmp_path / "node")
    await web.UnixSite(runner, path).start()
    state = CallState(gate_open=True, veiled=frozenset()).model_dump_json()
    async with ClientSession(connector=UnixConnector(path=path)) as http:
        for body, kind, status in (
            (state, Unavailable, 503),
            ("x" * (MAX_BODY_BYTES + 1), TooMuch, 413),
            ("{}", ProtocolError, 400),
        ):
            async with http.put("http://media/v1/calls/other", data=body) as answer:
                assert answer.status == status
                error = error_of(await answer.read())
                assert type(error) is kind
                assert error.message != error_of(b"").message
    await runner.cleanup()
