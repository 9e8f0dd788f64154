"""Mutated text at the doors of the server: a value or the documented error, calls untouched.

Seeded. The suite runs the short form; `make fuzz` (MADOGUCHI_FUZZ=long) the long one.
"""

import json
import os
import random
from typing import Any

import pytest

from files import tus
from security.errors import MadoguchiError, ProtocolError, TooMuch
from server.api.messages import parse_frame, parse_message

pytestmark = pytest.mark.fuzz
LONG = os.environ.get("MADOGUCHI_FUZZ") == "long"
SEED = 20261123
FRAMES = [
    {"type": "hello", "page": "p" * 22, "epoch": None, "seq": None, "takeover": False},
    {"type": "pong", "seq": 3},
    {"type": "call.accept", "id": "a", "call": "c" * 22},
    {"type": "call.close", "id": "a", "outcome": "returned", "reason": "理由"},
    {"type": "call.devices", "id": "a", "camera": "on", "microphone": "off"},
    {"type": "offer", "id": "a", "connection": 1, "sdp": "v=0\r\n"},
    {"type": "chat.send", "id": "a", "text": "本日はありがとうございます"},
    {"type": "chat.read", "id": "a", "number": 1},
]
PIECES = ["null", "-1", "1e999", '"\\ud800"', "[]", "{}", '"x"', "true", "\x00", "é", '"type"']


def mutate(text: str, draw: random.Random) -> str:
    """Return a text with a few pieces cut, doubled or put in."""
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(text) + 1)
        end = min(len(text), at + draw.randint(1, 12))
        what = draw.randrange(3)
        if what == 0:
            text = text[:at] + text[end:]
        elif what == 1:
            text = text[:end] + text[at:]
        else:
            text = text[:at] + draw.choice(PIECES) + text[at:]
    return text


@pytest.mark.timeout(3600 if LONG else 120)
def test_a_mutated_frame_is_a_message_or_a_documented_error() -> None:
    draw = random.Random(SEED)
    seeds = [json.dumps(frame, ensure_ascii=False) for frame in FRAMES]
    for _ in range(1_000_000 if LONG else 20_000):
        try:
            parse_message(parse_frame(mutate(draw.choice(seeds), draw)))
        except (ProtocolError, TooMuch):
            continue


@pytest.mark.timeout(3600 if LONG else 120)
def test_mutated_headers_of_an_upload_are_values_or_a_documented_error() -> None:
    draw = random.Random(SEED)
    good = {
        "Tus-Resumable": "1.0.0",
        "Upload-Length": "120",
        "Upload-Offset": "5",
        "Content-Type": tus.PATCH_TYPE,
        "Upload-Checksum": tus.encode_checksum(bytes(32)),
        "Upload-Metadata": tus.creation_metadata("申請書.pdf", "0" * 64),
    }
    for _ in range(1_000_000 if LONG else 20_000):
        headers = dict(good)
        name = draw.choice(list(headers)[1:])
        headers[name] = mutate(headers[name], draw)
        for parse in (tus.parse_patch, lambda h: tus.parse_creation(h, max_bytes=1000)):
            try:
                parse(headers)
            except MadoguchiError:
                continue


async def test_mutated_frames_from_one_desk_leave_another_call_alone(world: Any) -> None:
    counter, desk, _ = await world.talking()
    draw = random.Random(SEED)
    seeds = [json.dumps(frame, ensure_ascii=False) for frame in FRAMES[1:]]
    other = await world.desk(1)
    for _ in range(300 if LONG else 15):
        await other.connect()
        for _ in range(40):
            await other.send_raw(mutate(draw.choice(seeds), draw))
            if other.close_code is not None:
                break
        await other.leave()
    await desk.do("chat.send", text="続けます")
    await counter.until_that(lambda m: m["type"] == "chat" and m["message"]["text"] == "続けます")
    assert counter.close_code is None
