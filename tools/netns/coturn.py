"""coturn inside a namespace, with the turnserver.conf that `madoguchi relay` prints."""

import asyncio
import contextlib
import socket
from pathlib import Path

from tools.netns.space import Namespace

PROGRAM = Path("/usr/bin/turnserver")
MISSING = "coturn is missing: on Debian install it with `apt-get install coturn`"
START_SECONDS, LOOK_SECONDS = 10.0, 0.02
END_SECONDS = 5.0


class Coturn:
    """A relay that runs until `stop`. Its files are in `folder`, its log too."""

    def __init__(self, folder: Path, space: Namespace, address: str, port: int) -> None:
        self._folder = folder
        self._space = space
        self._address = address
        self._port = port
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, conf: str, *, certificate: bytes = b"", key: bytes = b"") -> None:
        """Start it and wait until it listens. Raises `RuntimeError` when it does not."""
        file = self._write(conf, certificate, key)
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._space.command, PROGRAM, "-c", file, stdout=log, stderr=log
            )
        for _ in range(int(START_SECONDS / LOOK_SECONDS)):
            if await self._listens():
                return
            await asyncio.sleep(LOOK_SECONDS)
        await self.stop()
        raise RuntimeError(f"coturn does not listen: {self.log.read_text()}")

    def _write(self, conf: str, certificate: bytes, key: bytes) -> Path:
        """Write the files that it reads and return the first of them."""
        if not PROGRAM.exists():
            raise RuntimeError(MISSING)
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "cert.pem").write_bytes(certificate)
        (self._folder / "key.pem").write_bytes(key)
        here = (
            f"listening-ip={self._address}\nrelay-ip={self._address}\n"
            f"pidfile={self._folder}/pid\nuserdb={self._folder}/db\nlog-file=stdout\n"
        )
        conf = conf.replace("/etc/madoguchi/relay.crt", f"{self._folder}/cert.pem")
        conf = conf.replace("/etc/madoguchi/relay.key", f"{self._folder}/key.pem")
        file = self._folder / "turnserver.conf"
        file.write_text(conf + here, "utf-8")
        return file

    @property
    def log(self) -> Path:
        """What it says."""
        return self._folder / "coturn.log"

    async def _listens(self) -> bool:
        with self._space.socket_of(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setblocking(False)
            try:
                loop = asyncio.get_running_loop()
                await loop.sock_connect(probe, (self._address, self._port))
            except OSError:
                return False
        return True

    async def stop(self) -> None:
        """End it."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        process.terminate()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), END_SECONDS)
        if process.returncode is None:
            process.kill()
            await process.wait()
