"""The service in a process of its own, so that neither it nor a test keeps the other waiting."""

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from security.crypto.keys import KeyEncryptionKey
from server.demo.lan import lan_address
from tools.netns.space import Namespace

Json = dict[str, Any]
ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 30.0
END_SECONDS = 10.0
LARGEST_LINE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Town:
    """A municipality with one-time tokens: the n-th of each belongs to the n-th seat."""

    ids: Json
    counters: tuple[str, ...]
    desks: tuple[str, ...]
    officers: tuple[str, ...]
    passwords: tuple[str, ...]
    administrators: tuple[str, ...]


class RunningService:
    """A service over one folder. It can be killed and started again on the same ports.

    It runs `within` a network namespace if one is given; then `media_host` must be said.
    """

    def __init__(
        self,
        folder: Path,
        *,
        media_host: str | None = None,
        announce: str | None = None,
        within: Namespace | None = None,
        **changes: Json,
    ) -> None:
        # Firefox as it comes sends no media to 127.0.0.1, so this machine's own address is taken.
        self._media_host = media_host or lan_address() or "127.0.0.1"
        self._announce = announce or self._media_host
        self._within = within.command if within else ()
        self._folder = folder
        self._changes = changes
        self._process: asyncio.subprocess.Process | None = None
        self.base_url = ""
        self.port = 0
        self.media_port = 0

    @property
    def log(self) -> Path:
        """Where the service's log and whatever else it says goes."""
        return self._folder / "service.log"

    @property
    def pid(self) -> int:
        """The number of the service's process; 0 while it does not run."""
        return self._process.pid if self._process else 0

    @property
    def data(self) -> Path:
        """Where the service keeps everything."""
        return self._folder / "data"

    async def start(self) -> None:
        """Start it and wait until it listens. Raises `RuntimeError` when it does not."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._within,
                sys.executable,
                "-m",
                "tools.browsers.serve",
                json.dumps(self._settings()),
                cwd=ROOT,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                limit=LARGEST_LINE,
            )
        told = await self._line(START_SECONDS)
        self.base_url, self.port, self.media_port = (
            told["base_url"],
            told["port"],
            told["media_port"],
        )

    async def town(self, name: str, *, real: bool = False) -> Town:
        """Make a municipality of that short name; `real`: its first counter places real calls."""
        return await self._ask({"town": name, "real": real})

    async def links(self, town: Town) -> Town:
        """Return the town with fresh one-time tokens."""
        return await self._ask({"links": town.ids})

    async def kill(self) -> None:
        """End it at once, in the middle of whatever it does (SIGKILL)."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
        await self._ended()

    async def stop(self) -> None:
        """End it in order."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
        await self._ended()

    async def _ended(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        try:
            await asyncio.wait_for(process.wait(), END_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()
        if process.stdin is not None:
            process.stdin.close()

    async def _ask(self, question: Json) -> Town:
        if self._process is None or self._process.stdin is None:
            raise RuntimeError("the service does not run")
        self._process.stdin.write(json.dumps(question).encode() + b"\n")
        answer = await self._line(START_SECONDS)
        return Town(answer.pop("town"), **{key: tuple(found) for key, found in answer.items()})

    async def _line(self, seconds: float) -> Json:
        if self._process is None or self._process.stdout is None:
            raise RuntimeError("the service does not run")
        async with asyncio.timeout(seconds):
            line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the service ended: {self.log.read_text('utf-8')[-2000:]}")
        return dict(json.loads(line))

    def _settings(self) -> Json:
        kek = self._folder / "kek"
        if not kek.exists():
            KeyEncryptionKey.generate().write_file(kek)
        self.data.mkdir(exist_ok=True)
        return {
            "server": {"host": "127.0.0.1", "port": self.port},
            "media": {
                "host": self._media_host,
                "port": self.media_port,
                "announce": [self._announce],
            },
            "data": {"folder": str(self.data)},
            "keys": {"kek_file": str(kek)},
            **self._changes,
        }
