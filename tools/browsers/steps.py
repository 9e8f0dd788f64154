"""The steps of a call as the people at both pages do them, by what they press."""

import json
import tempfile
from pathlib import Path
from typing import Any

from tools.browsers.people import Counter, Desk

PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>"
    b"endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)
KINDS = ("passport", "driving-licence", "bankbook")
# What the open step wants first, or nothing when it is done.
NEED = """(() => {
  const step = document.querySelector(".steps li.current");
  const open = [...step.querySelectorAll(".need:not(.done)")];
  const need = open.find((one) => one.querySelector(".need-body"));
  if (need) return { ...need.dataset };
  return step.classList.contains("done") ? { kind: "done" } : null;
})()"""
SHOWN = """void ((kind, expires) => {
  const set = (selector, value, event) => {
    const field = document.querySelector(selector);
    field.value = value;
    field.dispatchEvent(new Event(event, { bubbles: true }));
  };
  set("#document-kind", kind, "change");
  set("#document-expires", expires, "input");
})"""
STILL_SECONDS = 30.0


class Walk:
    """Both ends go through the steps until none is left, or until before a step."""

    def __init__(self, counter: Counter, desk: Desk) -> None:
        self._counter, self._desk = counter, desk

    async def to_the_end(self) -> None:
        """Do every step; afterwards the call may be decided."""
        while await self._desk.page.eval("document.querySelector('.steps li:not(.done)') !== null"):
            await self._step()
        await self._desk.page.until("!document.querySelector('.decide .yes[aria-disabled]')")

    async def until(self, step: str) -> None:
        """Do the steps before the one with this id; it is the open one then."""
        while await self.current() != step:
            await self._step()

    async def current(self) -> str:
        """Return the id of the open step."""
        opened = await self._desk.page.until(
            "document.querySelector('.steps li.current > .line')?.id"
        )
        return str(opened).removeprefix("step-")

    async def _step(self) -> None:
        before = await self.current()
        while (need := await self._desk.page.until(NEED))["kind"] != "done":
            await self.do(need)
        await self._desk.press("steps.next", ".steps button:not([aria-disabled])")
        await self._desk.page.until(
            f"document.querySelector('.steps li.current > .line').id !== 'step-{before}'"
            " || !document.querySelector('.steps li:not(.done)')"
        )

    async def do(self, need: dict[str, Any]) -> None:
        """Do one need, of those that are open on the desk's page, and wait until it is done."""
        place = f".need[data-place={json.dumps(need['place'])}]"
        match need["kind"]:
            case "tick" if need["by"] == "counter":
                await self._originals()
            case "tick":
                await self._tick(place)
            case "prompts":
                if not await self._desk.page.eval(
                    f"document.querySelector('{place} label') !== null"
                ):
                    await self._desk.press("need.draw", f"{place} button")
                    await self._desk.page.until(f"document.querySelector('{place} label')")
                await self._tick(place)
            case "answer":
                await self._desk.page.fill(f"{place} textarea", "カードを作りに来た")
                await self._desk.press("need.save", f"{place} button:not([aria-disabled])")
            case "code":
                await self._desk.page.fill("#heard-code", await self.spoken())
                await self._desk.press("code.check", f"{place} button:not([aria-disabled])")
            case "still":
                await self._stills(place)
            case "file":
                await self._files(place)
            case "documents":
                await self._documents(place)
        await self._desk.page.until(f"!document.querySelector('{place}:not(.done) .need-body')")

    async def shown(self, kind: str, expires: str) -> None:
        """Note a document with the day until which it is valid, and wait until it stands there."""
        listed = "document.querySelectorAll('.document').length"
        before = await self._desk.page.eval(listed)
        await self._desk.page.eval(f"{SHOWN}({json.dumps(kind)}, {json.dumps(expires)})")
        await self._desk.press("documents.add", "button:not([aria-disabled])")
        await self._desk.page.until(
            f"{listed} !== {before} || !document.querySelector('#document-kind')"
        )

    async def spoken(self) -> str:
        """Return the code that stands on the tablet."""
        return str(
            await self._counter.page.until("document.querySelector('.spoken b')?.textContent")
        )

    async def _tick(self, place: str) -> None:
        await self._desk.page.eval(
            f"void document.querySelectorAll('{place} input:not(:checked)')"
            ".forEach((box) => box.click())"
        )

    async def _originals(self) -> None:
        await self._counter.tab("originals")
        await self._counter.page.until("document.querySelector('.checks input:enabled')")
        await self._counter.page.eval(
            "void document.querySelectorAll('.checks input:enabled:not(:checked)')"
            ".forEach((box) => box.click())"
        )

    async def _stills(self, place: str) -> None:
        open_tiles = "document.querySelectorAll('.tray .v.warn').length"
        gone = f"!document.querySelector('{place}:not(.done) .need-body')"
        while not await self._desk.page.eval(gone):
            before = await self._desk.page.eval(open_tiles)
            await self._desk.press("still.ask", f"{place} button:not([aria-disabled])")
            await self._desk.page.until(
                f"{gone} || ({open_tiles} < {before} && !document.querySelector('.tray .v.here'))",
                seconds=STILL_SECONDS,
            )

    async def _files(self, place: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for name in ("交付申請書.pdf", "写し.pdf"):
                path = Path(folder) / name
                path.write_bytes(PDF)
                await self._counter.send_file(path)
                await self._desk.page.until_seen(name, f"{place} label")
        await self._tick(place)

    async def _documents(self, place: str) -> None:
        for kind in KINDS:
            if not await self._desk.page.eval(
                f"document.querySelector('{place}:not(.done) .need-body') !== null"
            ):
                return
            await self.shown(kind, "2099-12-31")
