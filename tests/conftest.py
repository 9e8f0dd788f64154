"""What holds for every test: no callback of ours keeps the event loop busy for long.

The measure is CPU time of the loop's thread, so neither a busy machine nor a thread of OpenCV
counts. Looked at are callbacks that begin in our packages and those of the libraries that carry
our handlers (aiohttp's server, asyncio's transports with a protocol of ours). A test's own body
runs in the loop too and may take its time.
"""

import asyncio
import gc
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# How fast inputs are made says something of the machine, nothing of what is tested.
settings.register_profile(
    "any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any-machine")

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("server", "media", "chat", "files", "security")
LIMIT_SECONDS = 0.020
OUR_CODE = tuple(f"{ROOT / name}/" for name in PACKAGES)
COMMANDS = f"{ROOT / 'server' / 'cli'}/"
SERVER_LIBRARY = ("/aiohttp/web",)


@dataclass
class LoopWatch:
    """Measures callbacks; `slow` names those over the limit since the last `clear()`."""

    limit_seconds: float = LIMIT_SECONDS
    slow: list[str] = field(default_factory=list)
    worst_seconds: float = 0.0
    _collecting_since: float = 0.0
    _collected_seconds: float = 0.0

    def clear(self) -> None:
        """Forget what was slow."""
        self.slow.clear()

    def run(self, handle: asyncio.Handle, original: Any) -> None:
        """Run a callback and note it when it is ours and took too long."""
        callback = handle._callback  # type: ignore[attr-defined]
        modules, collected = len(sys.modules), self._collected_seconds
        began = time.thread_time()
        try:
            original(handle)
        finally:
            used = time.thread_time() - began - (self._collected_seconds - collected)
            # A module imported on the way is work of the first time only.
            if used > self.limit_seconds and len(sys.modules) == modules:
                self._note(callback, used)

    def _note(self, callback: Any, used: float) -> None:
        name = ours(callback)
        if name is not None:
            self.worst_seconds = max(self.worst_seconds, used)
            self.slow.append(f"{name} kept the event loop busy for {used * 1000:.0f} ms")

    def collection(self, phase: str, info: dict[str, int]) -> None:
        """Take the time of garbage collection out: it strikes whoever is at work."""
        if phase == "start":
            self._collecting_since = time.thread_time()
        else:
            self._collected_seconds += time.thread_time() - self._collecting_since


def ours(callback: Any) -> str | None:
    """Return the name of a callback that we answer for, None for anybody else's."""
    owner = getattr(callback, "__self__", None)
    if isinstance(owner, asyncio.Task):
        code = getattr(owner.get_coro(), "cr_code", None)
        return _named(code) if code is not None and _of_ours_or_server(code) else None
    protocol = getattr(owner, "_protocol", None)
    if protocol is not None:
        module = type(protocol).__module__
        mine = module.split(".")[0] in PACKAGES or module.startswith("aiohttp.web")
        return f"{module}.{type(protocol).__qualname__}" if mine else None
    code = getattr(getattr(callback, "func", callback), "__code__", None)
    return _named(code) if code is not None and _is_ours(code.co_filename) else None


def _of_ours_or_server(code: Any) -> bool:
    place = str(code.co_filename)
    return _is_ours(place) or any(part in place for part in SERVER_LIBRARY)


def _is_ours(place: str) -> bool:
    # A command's loop carries that command alone: it keeps nobody waiting.
    return place.startswith(OUR_CODE) and not place.startswith(COMMANDS)


def _named(code: Any) -> str:
    return f"{Path(code.co_filename).name}:{code.co_firstlineno} {code.co_qualname}"


WATCH = LoopWatch()


def pytest_configure(config: pytest.Config) -> None:
    """Measure every callback from here on."""
    config.addinivalue_line(
        "markers", "slow_callback(reason): a callback of ours may take over 20 ms here, and why"
    )
    handle: Any = asyncio.Handle
    original = handle._run
    handle._run = lambda self: WATCH.run(self, original)
    gc.callbacks.append(WATCH.collection)


@pytest.fixture(autouse=True)
def loop_stays_free(request: pytest.FixtureRequest) -> Iterator[LoopWatch]:
    """Fail the test during which a callback of ours was too slow."""
    WATCH.clear()
    yield WATCH
    marker = request.node.get_closest_marker("slow_callback")
    if marker is not None and not (marker.args and str(marker.args[0]).strip()):
        pytest.fail("slow_callback needs a reason")
    if WATCH.slow and marker is None:
        pytest.fail("; ".join(WATCH.slow), pytrace=False)
