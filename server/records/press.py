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
        from weasyprint import CSS, HTML
    except (OSError, ImportError):
        sys.exit(NO_PANGO)
    if not _has_japanese_font():
        sys.exit(NO_FONT)
    page = HTML(string=sys.stdin.buffer.read().decode(), url_fetcher=_nothing)
    document: Any = None
    for size in sizes:
        document = page.render(stylesheets=[CSS(string=f"html {{ font-size: {size}pt }}")])
        if len(document.pages) == 1:
            break
    document.write_pdf(answer)
    answer.flush()


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
