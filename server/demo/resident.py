"""The simulated resident, with a clerk: calls, answers, sends a paper, calls again."""

import asyncio
import itertools
import logging
from dataclasses import dataclass

import aiohttp

from security.errors import MadoguchiError
from server.clock import utc_now
from server.demo.browser import Json
from server.demo.client import SimulatedPage
from server.demo.pdf import application_pdf
from server.demo.picture import still_png
from server.demo.step_walk import code_on, next_message, pictures_wanted

log = logging.getLogger(__name__)

GREETING = "こんにちは。カードの申請に来ました。よろしくお願いします。"
PAPER = "申請書をお送りします。ご確認ください。"
UNVEILED = "暗証番号の入力が終わりました。"
REPLIES = (
    "はい、わかりました。",
    "こちらでよろしいでしょうか。",
    "少々お待ちください。",
    "ありがとうございます。",
)
READ_OUT = "画面の番号は {code} です。"
STILL_NAME = "静止画{number}（見本）.png"
FILE_NAME = "申請書（見本）.pdf"
# Codes after which a page may not come back by itself (PROTOCOL.md section 2.3).
FINAL_CODES = frozenset({4001, 4002, 4003, 4004})
LIVE_AGAIN = frozenset({"failed", "closed"})


@dataclass(frozen=True, slots=True)
class Manners:
    """How the resident behaves; all in seconds."""

    reply_after: float = 1.5
    paper_after: float = 6.0
    unveil_after: float = 8.0
    tick_after: float = 0.6
    call_again_after: float = 10.0
    retry_most: float = 3.0


class SimulatedResident:
    """Drives one page until cancelled, through lost sockets and restarts of the server."""

    def __init__(
        self, page: SimulatedPage, *, procedure: str = "new-issue", manners: Manners | None = None
    ) -> None:
        self._page = page
        self._procedure = procedure
        self._manners = manners or Manners()
        self._heard: asyncio.Queue[Json] = asyncio.Queue()  # of the present call
        self._replies = itertools.cycle(REPLIES)
        self._greeted: set[str] = set()
        self._read_out = ""
        page.on_message = self._heard.put_nowait

    async def run(self) -> None:
        """Place calls until cancelled, or until the tablet is taken over or revoked."""
        keeper = asyncio.create_task(self._stay_connected())
        life = asyncio.create_task(self._live())
        try:
            await asyncio.wait({keeper, life}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (keeper, life):
                task.cancel()
            ended = await asyncio.gather(keeper, life, return_exceptions=True)
            await self._page.close()
        for result in ended:
            if isinstance(result, Exception):
                raise result

    async def _stay_connected(self) -> None:
        page, pause = self._page, 0.2
        while page.close_code not in FINAL_CODES:
            try:
                await page.connect()
                pause = 0.2
                await page.lost.wait()
            except (aiohttp.ClientError, ConnectionError, TimeoutError):
                log.info("the server is away; trying again")
            await asyncio.sleep(pause)
            pause = min(pause * 2, self._manners.retry_most)

    async def _live(self) -> None:
        while True:
            try:
                await self._page.until_back(seconds=3600)
                await self._one_call()
            except (ConnectionError, TimeoutError):
                log.info("the line was lost; going on after the return")
            except MadoguchiError as refused:
                log.warning("the simulated resident was refused: %s", refused.code)
                await asyncio.sleep(self._manners.call_again_after)

    async def _one_call(self) -> None:
        page, mirror = self._page, self._page.mirror
        if mirror.call_state in (None, "closed"):
            await page.place(self._procedure)
            self._heard = asyncio.Queue()
            page.on_message = self._heard.put_nowait
        await page.until(lambda m: m.under_way or m.call_state in (None, "closed"), 3600)
        if mirror.under_way:
            await self._talk()
        await page.close_media()
        await asyncio.sleep(self._manners.call_again_after)

    async def _talk(self) -> None:
        page = self._page
        await self._media_there()
        await self._greet()
        paper_at = self._now() + self._manners.paper_after
        while page.mirror.under_way:
            if page.lost.is_set():
                raise ConnectionError("the socket was lost")
            if self._now() >= paper_at:
                paper_at = float("inf")
                await self._send_paper()
            try:
                # Not wait_for: before Python 3.12 it may swallow a cancellation.
                async with asyncio.timeout(0.5):
                    message = await self._heard.get()
            except TimeoutError:
                await self._media_there()
            else:
                await self._react(message)

    async def _react(self, message: Json) -> None:
        kind = message["type"]
        if kind == "chat" and message["message"]["from"] == "desk":
            await asyncio.sleep(self._manners.reply_after)
            await self._page.say(next(self._replies))
        elif kind == "steps":
            await self._follow(message["steps"])
        elif kind == "please-offer":
            await self._page.replace_media()
        elif kind == "call" and message["call"]["veiled"]:
            await asyncio.sleep(self._manners.unveil_after)
            if self._page.mirror.call and self._page.mirror.call["veiled"]:
                await self._page.ask("call.veil", on=False)
                await self._page.say(UNVEILED)

    async def _follow(self, steps: Json) -> None:
        """Read the code out, tick what the clerk ticks, take the pictures that are asked for."""
        code = code_on(steps)
        if code is not None and code != self._read_out:
            self._read_out = code
            await self._page.say(READ_OUT.format(code=code))
        said = next_message(steps, "counter")
        if said is not None:
            await asyncio.sleep(self._manners.tick_after)
            await self._page.ask(said.pop("type"), **said)
        sent = [x for x in self._page.mirror.files.values() if x["from"] == "counter"]
        for number in range(len(sent), pictures_wanted(steps)):
            picture = await asyncio.to_thread(still_png, number)
            await self._page.send_file(STILL_NAME.format(number=number + 1), picture)

    async def _media_there(self) -> None:
        leg = self._page.leg
        if leg is None or leg.state in LIVE_AGAIN:
            await self._page.replace_media()

    async def _greet(self) -> None:
        call_id = self._call()["id"]
        if call_id not in self._greeted and not self._page.mirror.texts("counter"):
            self._greeted.add(call_id)
            await self._page.say(GREETING)

    async def _send_paper(self) -> None:
        if any(file["from"] == "counter" for file in self._page.mirror.files.values()):
            return
        await self._page.say(PAPER)
        paper = application_pdf(self._call()["number"], utc_now())
        await self._page.send_file(FILE_NAME, paper)

    def _call(self) -> Json:
        return self._page.mirror.call or {}

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
