"""The people of a call at their pages: what they press and what they see."""

import asyncio
import functools
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.browsers.page import WITHIN_SECONDS, Browser, Page
from tools.browsers.service import Town

ROOT = Path(__file__).resolve().parents[2]
READING = re.compile(r"\[([^|\]]+)\|[^\]]+\]")
PORTRAIT = (1024, 1366)
DESK_SIZE = (1366, 768)
MEDIA_SECONDS = 60.0
# Of 255: less is noise of the codec.
MOVED = 40
READY_SECONDS = 60.0
# The texts of the chat, each without its heading.
MESSAGES = """[...document.querySelectorAll(".msgs .msg")].map((message) =>
  [...message.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data).join("").trim())"""


@functools.cache
def _texts(language: str) -> dict[str, str]:
    path = ROOT / "static" / "text" / f"{language}.json"
    return dict(json.loads(path.read_text("utf-8")))


def words(key: str, language: str = "ja", **values: object) -> str:
    """Return what the screen says for `key`, without readings (furigana)."""
    text = READING.sub(r"\1", _texts(language)[key])
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text


class Seat:
    """One end of a call. `picture` finds what it sees of the other."""

    name: str
    picture: str
    language = "ja"

    def __init__(self, page: Page, base_url: str) -> None:
        self.page = page
        self.base_url = base_url

    def say(self, key: str, **values: object) -> str:
        """Return the words of a key in the language of this page."""
        return words(key, self.language, **values)

    async def turn_to(self, language: str) -> None:
        """Have the page speak a language from its next loading on, as its switch does."""
        self.language = language
        await self.page.open(f"{self.base_url}/sign-in")
        await self.page.eval(f"localStorage.setItem('madoguchi.language', '{language}')")

    async def press(self, key: str, selector: str = "button", **values: object) -> None:
        """Press the button with the words of a key."""
        await self.page.click(selector, self.say(key, **values))

    async def until_says(
        self,
        key: str,
        selector: str = "body *",
        *,
        seconds: float = WITHIN_SECONDS,
        **values: object,
    ) -> None:
        """Wait until the page shows the words of a key."""
        await self.page.until_seen(self.say(key, **values), selector, seconds=seconds)

    async def says(self, key: str, **values: object) -> bool:
        """Tell whether the page shows the words of a key."""
        return await self.page.sees(self.say(key, **values))

    async def enter(self, token: str) -> None:
        """Open a one-time link and wait for the page that it leads to."""
        await self.page.open(f"{self.base_url}/link#{token}")
        await self.page.until(f"location.pathname === '/{self.name}'")
        await self.until_ready()

    async def until_ready(self) -> None:
        """Wait until the page has drawn what the server said."""
        await self.page.until(
            f"document.querySelector('.{self.name}:not(.loading)') !== null", seconds=READY_SECONDS
        )

    async def until_moving(self, *, seconds: float = MEDIA_SECONDS) -> dict[str, Any]:
        """Wait until the other's picture moves: pixels change and time passes."""
        found = await self.page.until(
            f"__moves({json.dumps(self.picture)})"
            f".then((m) => m.most > {MOVED} && m.passed > 0 ? m : null)",
            seconds=seconds,
        )
        return dict(found)

    async def until_hearing(self, *, seconds: float = MEDIA_SECONDS) -> None:
        """Wait until sound of the other arrives that is not silence."""
        before = await self.receives()
        await self.page.until(
            "__receives().then((now) => "
            f"now.audio_packets > {before['audio_packets'] + 25} && now.audio_energy > 0)",
            seconds=seconds,
        )

    async def receives(self) -> dict[str, Any]:
        """Return what the newest connection has received so far."""
        return dict(await self.page.eval("__receives()"))

    async def number(self) -> str:
        """Return the number of the call that the page shows."""
        shown = await self.page.until("document.body.innerText.match(/[RK]-\\d{6}-\\d{4}/)?.[0]")
        return str(shown)

    async def write(self, text: str) -> None:
        """Send a chat message."""
        await self.page.fill(f"#{self.name}-chat", text)
        await self.page.press("Enter")

    async def messages(self) -> list[str]:
        """Return the chat as it stands on the page, each message without its heading."""
        return [str(text) for text in await self.page.eval(MESSAGES)]

    async def until_messages(self, *texts: str, seconds: float = WITHIN_SECONDS) -> None:
        """Wait until the chat reads exactly so."""
        wanted = json.dumps(json.dumps(texts))
        await self.page.until(
            f"JSON.stringify({MESSAGES}) === JSON.stringify(JSON.parse({wanted}))", seconds=seconds
        )

    async def until_last(self, *texts: str) -> None:
        """Wait until the chat ends so."""
        wanted = json.dumps(json.dumps(texts))
        await self.page.until(
            f"JSON.stringify({MESSAGES}.slice(-{len(texts)})) "
            f"=== JSON.stringify(JSON.parse({wanted}))"
        )

    async def show_files(self) -> None:
        """Bring the list of files into view."""

    async def send_file(self, path: Path) -> None:
        """Choose a file to send."""
        await self.show_files()
        await self.page.set_file("input[type=file]:not([capture])", path)

    async def until_file(self, name: str, state: str, *, seconds: float = WITHIN_SECONDS) -> None:
        """Wait until the row of a file shows the words of `files.state.<state>`."""
        await self.show_files()
        chip = self.say(f"files.state.{state}")
        await self.page.until(
            f"__seen('.file', {json.dumps(name)})"
            f".some((f) => f.querySelector('.chip')?.textContent.includes({json.dumps(chip)}))",
            seconds=seconds,
        )


class Counter(Seat):
    """The tablet, with resident and clerk before it."""

    name = "counter"
    picture = ".officer video"

    async def to_consent(self) -> None:
        """Choose the procedure that stands first and come to the question."""
        await self.page.click(".callbtn:not([aria-disabled])")
        await self.until_says("consent.video.label")

    async def consent(self) -> None:
        """Say yes and call."""
        await self.page.click("label", self.say("common.yes"))
        await self.press("consent.place", "button:not([aria-disabled])")

    async def place(self) -> None:
        """Place a call and wait for the page of those who wait."""
        await self.to_consent()
        await self.consent()
        await self.until_says("waiting.title")

    async def tab(self, name: str) -> None:
        """Turn to chat, files or devices in the clerk's zone."""
        await self.page.click(f"#clerk-tab-{name}")

    async def write(self, text: str) -> None:
        await self.tab("chat")
        await super().write(text)

    async def show_files(self) -> None:
        await self.tab("files")

    async def until_messages(self, *texts: str, seconds: float = WITHIN_SECONDS) -> None:
        await self.tab("chat")
        await super().until_messages(*texts, seconds=seconds)

    async def until_last(self, *texts: str) -> None:
        await self.tab("chat")
        await super().until_last(*texts)


class Desk(Seat):
    """The municipal seat."""

    name = "desk"
    picture = ".picture video"

    async def be_open(self) -> None:
        """Take calls from now on."""
        await self.press("desk.state.open")
        await self.page.until_seen(self.say("desk.state.open"), "button[aria-pressed=true]")

    async def accept(self) -> None:
        """Take the call that rings here."""
        await self.page.click(".ringing button.primary", self.say("queue.accept"))
        await self.until_says("call.talking")

    async def tab(self, name: str) -> None:
        """Turn to chat, files, cards or chip beside the picture, where they are tabs."""
        await self.page.eval(f"void document.querySelector('#desk-tab-{name}')?.click()")

    async def write(self, text: str) -> None:
        await self.tab("chat")
        await super().write(text)

    async def show_files(self) -> None:
        await self.tab("files")

    async def until_messages(self, *texts: str, seconds: float = WITHIN_SECONDS) -> None:
        await self.tab("chat")
        await super().until_messages(*texts, seconds=seconds)

    async def until_last(self, *texts: str) -> None:
        await self.tab("chat")
        await super().until_last(*texts)

    async def decide(self, outcome: str) -> None:
        """Give an outcome through its dialog; the steps that it wants must be done."""
        await self.page.click(f"#decide-{outcome}:not([aria-disabled])")
        if outcome == "verified":
            await self.page.click("dialog label", self.say("decide.sure.verified"))
        else:
            await self.page.click("dialog fieldset label")
        await self.press(f"decide.do.{outcome}", "dialog button:not([aria-disabled])")
        await self.until_says("queue.page", selector="h1")


@dataclass
class Pair:
    """Both ends."""

    counter: Counter
    desk: Desk

    @property
    def both(self) -> tuple[Seat, Seat]:
        """Counter, then desk."""
        return self.counter, self.desk

    async def talk(self) -> None:
        """Place the call and answer it."""
        await self.desk.be_open()
        await self.counter.place()
        await self.desk.accept()
        await self.counter.until_says("call.talking")

    async def until_moving(self, *, seconds: float = MEDIA_SECONDS) -> None:
        """Wait until each sees the other move."""
        await asyncio.gather(*(seat.until_moving(seconds=seconds) for seat in self.both))

    async def end(self) -> None:
        """Close both browsers' profiles."""
        await asyncio.gather(*(seat.page.end() for seat in self.both))


async def sit_down(
    counter: Browser,
    desk: Browser,
    town: Town,
    counter_url: str,
    desk_url: str | None = None,
    language: str = "ja",
) -> Pair:
    """Return both ends signed in by their one-time links, each in a fresh profile."""
    pair = Pair(
        Counter(await counter.seat(*PORTRAIT), counter_url),
        Desk(await desk.seat(*DESK_SIZE), desk_url or counter_url),
    )
    if language != "ja":
        for seat in pair.both:
            await seat.turn_to(language)
    await asyncio.gather(pair.counter.enter(town.counters[0]), pair.desk.enter(town.desks[0]))
    return pair
