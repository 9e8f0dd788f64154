"""Soak: calls come and go for a long time, and the server holds nothing back.

    .venv/bin/python tests/bench/soak.py [--calls 10] [--seconds 7200] [--call-seconds 20]

The service runs in its own process; this one plays residents and desks with real ICE, DTLS and
SRTP on loopback. Prints one JSON object: memory (MiB), threads, open files and calls of the server
after the warm-up (a tenth of the rounds) and after the last round, and what grew. Exit 1 when
files or calls are left over, or memory grew by more than 2 % in 20 rounds or more.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from security.ids import new_id
from security.people import LinkPurpose, Municipality, Office, OfficeKind, Person, Role, Tablet
from server.app import build_parts
from server.clock import utc_now
from server.demo.browser import Browser
from server.demo.client import SimulatedPage
from server.demo.encoded import desk_clip, resident_clip
from server.demo.pdf import application_pdf
from server.demo.seed import settings_for
from server.parts import Parts

MEMORY_GROWTH_LIMIT = 0.02


async def main() -> int:
    """Run the soak and return the exit code."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        links = await _prepare(Path(folder), options.calls)
        async with _service(Path(folder)) as (pid, base_url):
            rounds = await _soak(options, links, pid, base_url)
    report = _report(rounds)
    json.dump(report, sys.stdout)
    print()
    return 0 if not report["grew"] else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--calls", type=int, default=10, help="calls at once, 1 to 30")
    parser.add_argument("--seconds", type=float, default=7200, help="how long in all")
    parser.add_argument("--call-seconds", type=float, default=20, help="media of each call")
    return parser.parse_args()


async def _prepare(folder: Path, calls: int) -> list[tuple[str, str]]:
    """Make a town with so many tablets and desks; return their one-time links."""
    parts = await build_parts(settings_for(folder))
    try:
        town = Municipality(new_id(), "soak", "架空市", "", "")
        await parts.people.add_municipality(town)
        office = Office(new_id(), town.id, "架空郵便局", OfficeKind.DIRECT)
        await parts.people.add_office(office)
        return [await _pair(parts, town, office, number) for number in range(calls)]
    finally:
        await parts.database.close()


async def _pair(parts: Parts, town: Municipality, office: Office, number: int) -> tuple[str, str]:
    tablet = Tablet(new_id(), town.id, office.id, f"{number}番窓口", None, None)
    await parts.people.add_tablet(tablet)
    people = []
    for login, role, place in (("c", Role.CLERK, office.id), ("d", Role.VERIFIER, None)):
        person = Person(new_id(), town.id, f"{login}{number}", "架空", role, place, None, None)
        await parts.people.add_person(person)
        people.append(person.id)
    make = parts.sign_in.make_link
    counter = await make(LinkPurpose.SIGN_IN, town.id, person_id=people[0], tablet_id=tablet.id)
    return counter, await make(LinkPurpose.SIGN_IN, town.id, person_id=people[1])


@asynccontextmanager
async def _service(folder: Path) -> AsyncIterator[tuple[int, str]]:
    """Run the service over `folder` in a process of its own."""
    ready = folder / "ready"
    program = (
        "import asyncio, pathlib, sys\n"
        "from server.app import running_service\n"
        "from server.demo.seed import settings_for\n"
        "async def run():\n"
        "    async with running_service(settings_for(pathlib.Path(sys.argv[1]))) as service:\n"
        "        pathlib.Path(sys.argv[2]).write_text(service.base_url)\n"
        "        await asyncio.to_thread(sys.stdin.read)\n"
        "asyncio.run(run())\n"
    )
    command = [sys.executable, "-c", program, str(folder), str(ready)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:  # noqa: ASYNC220  # short
        try:
            for _ in range(600):
                if ready.exists() and ready.read_text():
                    break
                await asyncio.sleep(0.05)
            yield process.pid, ready.read_text()
        finally:
            if process.stdin is not None:
                process.stdin.close()
            process.wait(20)


async def _soak(
    options: argparse.Namespace, links: list[tuple[str, str]], pid: int, base_url: str
) -> list[dict[str, float]]:
    clips = await asyncio.to_thread(lambda: (resident_clip(), desk_clip()))
    rounds: list[dict[str, float]] = []
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        pairs = []
        for counter_token, desk_token in links:
            counter = SimulatedPage(
                await _browser(http, base_url, "counter", counter_token), clips[0]
            )
            desk = SimulatedPage(await _browser(http, base_url, "desk", desk_token), clips[1])
            await asyncio.gather(counter.connect(), desk.connect())
            pairs.append((counter, desk))
        end = time.monotonic() + options.seconds
        while not rounds or time.monotonic() < end:
            await asyncio.gather(*(_call(*pair, options.call_seconds) for pair in pairs))
            await asyncio.sleep(0.5)
            rounds.append(await _look(http, base_url, pid))
            print(f"round {len(rounds)}: {rounds[-1]}", file=sys.stderr)
        await asyncio.gather(*(page.close() for pair in pairs for page in pair))
    return rounds


async def _browser(http: aiohttp.ClientSession, base_url: str, page: str, token: str) -> Browser:
    browser = Browser(http, base_url, page)
    await browser.use_link(token)
    return browser


async def _call(counter: SimulatedPage, desk: SimulatedPage, seconds: float) -> None:
    """Play one call: sound and pictures, chat, a lost socket, a file, a decision."""
    call = await counter.place("new-issue")
    await desk.accept(call["id"])
    await counter.until(lambda m: m.under_way)
    await asyncio.gather(counter.open_media(), desk.open_media())
    await asyncio.gather(counter.say("よろしくお願いします"), desk.say("はい"))
    await asyncio.sleep(seconds)
    await counter.cut()
    await desk.until(lambda m: m.call_state == "interrupted")
    await counter.return_()
    await desk.until(lambda m: m.call_state == "talking")
    await counter.send_file("申請書.pdf", application_pdf(call["number"], utc_now()))
    await desk.ask("call.decide")
    await desk.ask("call.close", outcome="verified", reason=None)
    await counter.until(lambda m: m.call_state == "closed")
    await asyncio.gather(counter.close_media(), desk.close_media())


async def _look(http: aiohttp.ClientSession, base_url: str, pid: int) -> dict[str, float]:
    status = await asyncio.to_thread(Path(f"/proc/{pid}/status").read_text)
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    async with http.get(f"{base_url}/metrics") as response:
        figures = [line for line in (await response.text()).splitlines() if line[:1] != "#"]
    calls = sum(float(f.split()[-1]) for f in figures if f.startswith("madoguchi_calls{"))
    return {
        "rss_mib": int(fields["VmRSS"].split()[0]) / 1024,
        "threads": int(fields["Threads"]),
        "files": len(os.listdir(f"/proc/{pid}/fd")),  # noqa: PTH208
        "calls": calls,
    }


def _report(rounds: list[dict[str, float]]) -> dict[str, Any]:
    """Compare the last round with the one after the warm-up."""
    first, last = rounds[len(rounds) // 10], rounds[-1]
    growth = last["rss_mib"] / first["rss_mib"] - 1
    # The worker threads of asyncio are made on demand up to their number; memory needs rounds.
    grew = [name for name in ("files", "calls") if last[name] > first[name] + 2]
    if len(rounds) >= 20 and growth > MEMORY_GROWTH_LIMIT:
        grew.append("rss_mib")
    return {
        "rounds": len(rounds),
        "first": first,
        "last": last,
        "memory_growth_percent": round(growth * 100, 2),
        "grew": grew,
    }


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
