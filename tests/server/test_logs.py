"""Logs hold ids and codes; never names, chat, SDP, file names, tokens or numbers."""

import logging
from typing import Any

import pytest

SECRET_TEXT = "わたしの住まいは 架空町 九番地 です"
REFUSED_TEXT = "わたしの番号は 123456789018 です"
FILE_NAME = "架空マリアの在留カード.pdf"


OURS = ("server", "chat", "files", "media", "security")
BELOW = ("aiohttp", "sqlalchemy", "aiosqlite", "alembic", "asyncio")


async def test_no_personal_text_and_no_secret_reaches_a_log(
    make_world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    # The engine asks once, when it is made, whether anybody wants to hear it.
    caplog.set_level(logging.INFO, logger="sqlalchemy")
    caplog.set_level(logging.DEBUG)
    world = await make_world()
    counter, desk, call = await world.talking()
    await counter.do("chat.send", text=SECRET_TEXT)
    with pytest.raises(Exception, match="my_number"):
        await counter.do("chat.send", text=REFUSED_TEXT)
    sdp = "v=0\r\no=- 1 1 IN IP4 203.0.113.77\r\ns=-\r\nm=audio 9 X 0\r\n"
    with pytest.raises(Exception, match="bad_sdp"):
        await desk.do("offer", connection=1, sdp=sdp)
    await counter.request(
        "POST", f"/api/v1/calls/{call['id']}/files", headers={"x": FILE_NAME.encode().hex()}
    )
    await desk.do("call.close", outcome="returned", reason="住所が古い 架空町1-2-3")
    await counter.until_state("closed")
    everything = "\n".join(
        record.getMessage() + (record.exc_text or "")
        for record in caplog.records
        if record.name.split(".")[0] in OURS + BELOW
    )
    assert call["id"] in everything
    assert "INSERT INTO chat_message" in everything
    secrets = [
        SECRET_TEXT,
        REFUSED_TEXT,
        "123456789018",
        FILE_NAME,
        "203.0.113.77",
        "架空町",
        "kasaoka",
    ]
    secrets += [*counter.cookies.values(), *desk.cookies.values(), counter.csrf]
    for secret in secrets:
        assert secret not in everything, secret
