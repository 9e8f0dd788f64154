"""One page per seat: refusal, takeover, replacement."""

from typing import Any

from aiohttp import web

from security.ids import new_id
from server.api.seats import KEPT_MESSAGES, Seats, Socket


async def test_a_second_page_is_refused_and_may_take_over(world: Any) -> None:
    first = await world.counter()
    await first.connect()
    second = world.another(first)
    await second.open_socket()
    hello = {"type": "hello", "page": second.page_id, "epoch": None, "seq": None}
    await second.send_raw(hello | await second.proof())
    assert await second.until_closed() == 4001
    assert second.inbox[-1]["error"]["code"] == "seat_taken"
    assert first.close_code is None
    await second.leave()
    await second.connect(takeover=True)
    assert await first.until_closed() == 4002


async def test_the_same_page_replaces_its_own_older_socket(world: Any) -> None:
    first = await world.counter()
    await first.connect()
    second = world.another(first)
    second.page_id = first.page_id
    await second.connect()
    assert await first.until_closed() == 4003


async def test_a_takeover_does_not_interrupt_the_call(world: Any) -> None:
    counter, desk, call = await world.talking()
    second = world.another(counter)
    welcome = await second.connect(takeover=True)
    assert welcome["state"]["call"]["id"] == call["id"]
    await counter.until_closed()
    assert not [m for m in desk.inbox if m.get("call", {}).get("state") == "interrupted"]


async def test_a_stream_of_another_page_is_not_resumed(world: Any) -> None:
    counter = await world.counter()
    epoch = (await counter.connect())["epoch"]
    await counter.leave()
    counter.page_id = new_id()
    assert (await counter.connect(epoch=epoch, seq=0))["resumed"] is False


async def test_a_number_that_was_never_sent_starts_anew(world: Any) -> None:
    counter = await world.counter()
    epoch = (await counter.connect())["epoch"]
    await counter.leave()
    assert (await counter.connect(epoch=epoch, seq=99))["resumed"] is False


def _sent(seats: Seats, count: int) -> Socket:
    """Return the socket of a seat that was sent so many messages."""
    socket = Socket(web.WebSocketResponse(), None, "token", "town")
    seats.take(("desk", "d"), "page", socket, takeover=False, resume_from=None)
    for number in range(count):
        seats.send(("desk", "d"), {"type": "ok", "re": str(number)})
    return socket


def _resumes(seats: Seats, number: int) -> bool:
    socket = Socket(web.WebSocketResponse(), None, "token", "town")
    return seats.take(("desk", "d"), "page", socket, takeover=False, resume_from=number)


async def test_what_a_page_says_to_have_seen_is_kept_no_longer() -> None:
    for seen, resumed_from in ((3, 3), (5, 5)):
        seats = Seats(keep_seconds=60)
        socket = _sent(seats, 5)
        seats.seen(("desk", "d"), socket, seen)
        assert _resumes(seats, resumed_from)
    seats = Seats(keep_seconds=60)
    seats.seen(("desk", "d"), _sent(seats, 5), 3)
    assert not _resumes(seats, 2)


async def test_only_the_seats_own_socket_may_say_so() -> None:
    seats = Seats(keep_seconds=60)
    _sent(seats, 5)
    other = Socket(web.WebSocketResponse(), None, "token", "town")
    seats.seen(("desk", "d"), other, 3)
    seats.seen(("desk", "nobody"), other, 3)
    assert _resumes(seats, 0)


async def test_a_page_that_says_nothing_is_kept_512_messages() -> None:
    for number, resumes in ((1, True), (0, False)):
        seats = Seats(keep_seconds=60)
        _sent(seats, KEPT_MESSAGES + 1)
        assert _resumes(seats, number) is resumes


async def test_a_pong_says_what_a_page_has_seen(world: Any) -> None:
    counter, _, _ = await world.talking()
    seen = max(m["seq"] for m in counter.inbox if "seq" in m)
    await counter.send_raw({"type": "pong", "seq": seen})
    await counter.do("chat.send", text="はい")
    welcome = next(m for m in counter.inbox if m["type"] == "welcome")
    await counter.leave()
    assert (await counter.connect(epoch=welcome["epoch"], seq=0))["resumed"] is False
