"""What a simulated page believes of the server, and what it holds against it."""

from typing import Any

from server.demo.mirror import Mirror

STATE: dict[str, Any] = {
    "call": None,
    "steps": None,
    "chat": [],
    "files": [],
    "queue": None,
    "position": None,
}


def welcomed() -> Mirror:
    mirror = Mirror()
    welcome = {"type": "welcome", "epoch": "e", "resumed": False, "you": {}, "limits": {}}
    mirror.take({**welcome, "state": STATE})
    return mirror


def chat(seq: int, number: int, text: str = "はい") -> dict[str, Any]:
    message = {"number": number, "id": "x", "from": "desk", "name": "", "text": text, "at": ""}
    return {"type": "chat", "seq": seq, "message": message}


def call(seq: int, state: str, call_id: str = "c") -> dict[str, Any]:
    return {"type": "call", "seq": seq, "call": {"id": call_id, "state": state}}


def test_messages_in_order_leave_no_fault() -> None:
    mirror = welcomed()
    for message in (call(1, "talking"), chat(2, 1), chat(3, 2)):
        mirror.take(message)
    assert mirror.faults == []
    assert mirror.seq == 3
    assert mirror.texts("desk") == ["はい", "はい"]


def test_a_gap_in_the_stream_is_a_fault() -> None:
    mirror = welcomed()
    mirror.take(call(1, "talking"))
    mirror.take(chat(3, 1))
    assert mirror.faults == ["message 3 came after 1"]


def test_a_doubled_chat_message_is_a_fault() -> None:
    mirror = welcomed()
    for message in (call(1, "talking"), chat(2, 1), chat(3, 1)):
        mirror.take(message)
    assert len(mirror.faults) == 1


def test_a_resumed_page_keeps_what_it_knew() -> None:
    mirror = welcomed()
    mirror.take(call(1, "talking"))
    again = {"type": "welcome", "epoch": "e", "resumed": True, "you": {}, "limits": {}}
    mirror.take({**again, "state": None})
    assert mirror.call_state == "talking"
    assert mirror.seq == 1


def test_another_call_begins_with_an_empty_chat() -> None:
    mirror = welcomed()
    for message in (call(1, "talking"), chat(2, 1), call(3, "waiting", "d")):
        mirror.take(message)
    assert mirror.chat == []


def test_a_ping_has_no_number() -> None:
    mirror = welcomed()
    mirror.take({"type": "ping", "seq": 0})
    assert mirror.faults == []
