"""Any bytes on the socket: refused with the documented error, other calls untouched."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from security.errors import ProtocolError, TooMuch
from server.api.messages import Message, parse_frame, parse_message

HELLO = {"type": "hello", "page": "p" * 22, "epoch": None, "seq": None}
DEEP = '{"type":"pong","seq":' + "[" * 50 + "]" * 50 + "}"


@pytest.mark.parametrize(
    "frame",
    ["", "null", "[]", "{", '{"type":1}', '{"type":"nothing"}', '{"seq":1}', DEEP, "NaN", "\x00"],
)
async def test_what_is_no_message_closes_the_socket_and_harms_nobody(
    world: Any, frame: str
) -> None:
    counter, desk, _ = await world.talking()
    other = await world.desk(1)
    await other.connect()
    await other.send_raw(frame)
    assert await other.until_closed() == 1002
    assert other.inbox[-1]["error"]["code"] == "protocol"
    await desk.do("chat.send", text="続けます")
    await counter.until("chat")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"type": "chat.send", "text": 5}, "protocol"),
        ({"type": "chat.send", "text": ""}, "protocol"),
        ({"type": "chat.send", "text": "\ud800"}, "protocol"),
        ({"type": "chat.send", "text": "x" * 2001}, "too_long"),
        ({"type": "chat.send", "text": "x", "party": "desk"}, "protocol"),
        ({"type": "call.close", "outcome": "approved", "reason": "x"}, "protocol"),
        ({"type": "call.close", "outcome": "aborted", "reason": "x" * 501}, "too_long"),
        ({"type": "hello", "page": "p" * 22}, "protocol"),
        ({"type": "call.pass", "call": "../../etc/passwd"}, "protocol"),
        ({"type": "call.pass", "call": "x" * 22}, "call_taken"),
        ({"type": "offer", "connection": 0, "sdp": ""}, "protocol"),
        ({"type": "offer", "connection": 1, "sdp": ""}, "bad_sdp"),
        ({"type": "offer", "connection": 1, "sdp": "x" * 65537}, "bad_sdp"),
        ({"type": "offer", "connection": 1, "sdp": "v=0\r\nm=audio 9 X 0\r\n"}, "bad_sdp"),
    ],
)
async def test_a_bad_field_is_an_error_and_the_socket_stays(
    world: Any, fields: dict[str, Any], code: str
) -> None:
    _, desk, _ = await world.talking()
    await desk.send_raw({"id": "bad", **fields})
    answer = await desk.until("error", re="bad")
    assert answer["error"]["code"] == code
    await desk.do("chat.send", text="続けます")


async def test_the_limits_of_a_text_hold_at_the_edge(world: Any) -> None:
    _, desk, _ = await world.talking()
    assert (await desk.do("chat.send", text="あ" * 2000))["number"] == 1


async def test_a_frame_of_ten_megabytes_closes_with_1009(world: Any) -> None:
    desk = await world.desk()
    await desk.connect()
    with contextlib.suppress(ConnectionError):  # the server stops listening in the middle
        await desk.send_raw(json.dumps({"type": "chat.send", "id": "x", "text": "x" * 10_000_000}))
    assert await desk.until_closed() == 1009


async def test_a_binary_frame_closes_with_1002(world: Any) -> None:
    desk = await world.desk()
    await desk.connect()
    await desk.send_bytes(b"\x00\x01")
    assert await desk.until_closed() == 1002


async def test_a_thousand_messages_a_second_are_too_fast_and_harm_nobody(world: Any) -> None:
    counter, desk, _ = await world.talking()
    other = await world.desk(1)
    await other.connect()
    for number in range(1000):
        await other.send_raw({"type": "chat.read", "id": f"n{number}", "number": 0})
    assert await other.until_closed() == 1008
    await desk.do("chat.send", text="続けます")
    await counter.until("chat")


async def test_the_first_message_must_be_hello(world: Any) -> None:
    desk = await world.desk()
    await desk.open_socket()
    await desk.send_raw({"type": "pong", "seq": 0})
    assert await desk.until_closed() == 1002


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(st.text() | JSON.map(json.dumps))
def test_any_text_is_a_message_or_a_protocol_error(text: str) -> None:
    try:
        message = parse_message(parse_frame(text))
    except (ProtocolError, TooMuch):
        return
    assert isinstance(message, Message)


@given(
    st.sampled_from(["hello", "pong", "chat.send", "offer", "call.close", "call.place"]),
    st.dictionaries(
        st.sampled_from(["id", "text", "page", "seq", "sdp", "connection", "outcome", "reason"]),
        JSON,
    ),
)
def test_any_fields_are_a_message_or_an_error(kind: str, fields: dict[str, Any]) -> None:
    try:
        message = parse_message({**fields, "type": kind})
    except (ProtocolError, TooMuch):
        return
    assert message.type == kind
