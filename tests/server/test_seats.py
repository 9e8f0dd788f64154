"""One page per seat: refusal, takeover, replacement."""

from typing import Any

from security.ids import new_id


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
