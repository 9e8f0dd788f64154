"""Makes the PDF of a page: `python -m server.records.press` in a process that is killed at its
limit. Reads HTML from standard input, writes the PDF to standard output.

Nothing is fetched, whatever the page asks for. Exits with `NO_PANGO` or `NO_FONT` when this machine
lacks what it needs. Light: nothing of the server is imported.
"""

import contextlib
import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

NO_PANGO, NO_FONT = 3, 4
MEMORY_BYTES = 2 * 1024 * 1024 * 1024
CPU_SECONDS = 60
NICE = 5


def main() -> None:
    """Make it."""
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    _limit()
    sizes = [float(one) for one in sys.argv[1:]]
    try:
        from weasyprint import HTML
    except (OSError, ImportError):
        sys.exit(NO_PANGO)
    if not _has_japanese_font():
        sys.exit(NO_FONT)
    page = HTML(string=sys.stdin.buffer.read().decode(), url_fetcher=_nothing)
    _laid_out(page, sizes).write_pdf(answer)
    answer.flush()


def _laid_out(page: Any, sizes: Sequence[float]) -> Any:
    """Return the page in the largest type in which it is one; what never is stays legible."""
    largest = _set(page, sizes[0])
    if len(largest.pages) == 1 or len(_set(page, sizes[-1]).pages) > 1:
        return largest
    tried = (_set(page, size) for size in sizes[1:])
    return next(one for one in tried if len(one.pages) == 1)


def _set(page: Any, points: float) -> Any:
    from weasyprint import CSS

    return page.render(stylesheets=[CSS(string=f"html {{ font-size: {points}pt }}")])


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    os.nice(NICE)


def _has_japanese_font() -> bool:
    """Tell whether fontconfig, which comes with Pango, knows a font for Japanese."""
    try:
        asked = ("fc-list", ":lang=ja", "family")
        found = subprocess.run(  # noqa: S603  # three words of ours
            asked, capture_output=True, check=False, timeout=20
        )
    except OSError:
        return False
    return bool(found.stdout.strip())


def _nothing(url: str, *_: object, **__: object) -> dict[str, Any]:
    raise ValueError("a page asks for nothing from elsewhere")


if __name__ == "__main__":
    main()
