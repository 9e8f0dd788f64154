"""The chat of a call: numbered, never doubled, sealed, read only with a permit."""

from dataclasses import replace

import pytest

from security.crypto.keys import DataKey
from security.errors import Conflict, Corrupt, Denied, ProtocolError, TooMuch
from tests.chat.conftest import Talk


async def test_lines_of_both_parties_are_numbered_without_gaps(talk: Talk) -> None:
    await talk.post("こんにちは", "a", party="counter")
    await talk.post("はい", "a", party="desk", seconds=1)
    await talk.post("どうぞ", "b", party="desk", seconds=2)
    lines = await talk.since()
    assert [(line.number, line.party, line.text) for line in lines] == [
        (1, "counter", "こんにちは"),
        (2, "desk", "はい"),
        (3, "desk", "どうぞ"),
    ]
    assert [line.number for line in await talk.since(2)] == [3]


async def test_the_same_message_again_gives_the_first_line(talk: Talk) -> None:
    first, is_new = await talk.post("text", "a")
    again, is_new_again = await talk.post("text", "a", seconds=30)
    assert (is_new, is_new_again) == (True, False)
    assert again == first
    assert len(await talk.since()) == 1


async def test_the_same_id_with_another_text_is_a_conflict(talk: Talk) -> None:
    await talk.post("text", "a")
    with pytest.raises(Conflict):
        await talk.post("other", "a")
    assert [line.text for line in await talk.since()] == ["text"]


async def test_a_retry_is_the_same_however_its_characters_are_composed(talk: Talk) -> None:
    await talk.post("がんばって\r\n", "a")
    _, is_new = await talk.post("か\u3099んばって\n", "a")
    assert not is_new


async def test_a_refused_text_takes_no_number(talk: Talk) -> None:
    for text, error in (("", ProtocolError), ("\0", ProtocolError), ("x" * 2_001, TooMuch)):
        with pytest.raises(error):
            await talk.post(text, "a")
    message, _ = await talk.post("text", "a")
    assert message.number == 1


async def test_the_store_never_sees_the_text(talk: Talk) -> None:
    await talk.post("架空太郎の書類", "a")
    stored = talk.store.lines[0].text_sealed
    assert "架空".encode() not in stored
    assert "書類".encode() not in stored


@pytest.mark.parametrize(
    "moved", [{"party": "counter"}, {"client_id": "b"}, {"call_id": "call-2"}], ids=str
)
async def test_a_line_that_was_moved_does_not_open(talk: Talk, moved: dict[str, str]) -> None:
    await talk.post("text", "a")
    talk.store.lines[0] = replace(talk.store.lines[0], **moved)  # type: ignore[arg-type]
    talk.call_id = talk.store.lines[0].call_id
    permit = await talk.permit("chat.read", talk.call_id)
    with pytest.raises(Corrupt):
        await talk.log.since(permit, talk.call_id, 0, key=talk.key)


async def test_a_destroyed_key_leaves_nothing_readable(talk: Talk) -> None:
    await talk.post("text", "a")
    talk.key = DataKey(bytes(range(32)))
    with pytest.raises(Corrupt):
        await talk.since()


async def test_reading_is_remembered_and_never_moves_back_or_ahead(talk: Talk) -> None:
    await talk.post("one", "a")
    await talk.post("two", "b")
    assert await talk.mark_read("counter", 2) == 2
    assert await talk.mark_read("counter", 1) == 2
    assert await talk.mark_read("counter", 999) == 2
    assert await talk.mark_read("desk", -5) == 0
    assert await talk.log.read_by(await talk.permit("chat.read"), "call-1") == {
        "counter": 2,
        "desk": 0,
    }


async def test_each_act_asks_for_its_own_permit_on_its_own_call(talk: Talk) -> None:
    reading = await talk.permit("chat.read")
    elsewhere = await talk.permit("chat.send", "call-2")
    for permit in (reading, elsewhere):
        with pytest.raises(Denied):
            await talk.log.post(
                permit, "call-1", "desk", "p", "a", "text", key=talk.key, now=permit.at
            )
    sending = await talk.permit("chat.send")
    with pytest.raises(Denied):
        await talk.log.since(sending, "call-1", 0, key=talk.key)
    with pytest.raises(Denied):
        await talk.log.mark_read(sending, "call-1", "desk", 1)
    assert talk.store.lines == []


async def test_another_municipality_sees_nothing(talk: Talk) -> None:
    await talk.post("text", "a")
    permit = await talk.permit("chat.read", municipality="other")
    assert await talk.log.since(permit, "call-1", 0, key=talk.key) == []
