"""The pages and what they load. Nothing here needs a sign-in; nothing here is personal."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

STATIC = Path(__file__).resolve().parents[2] / "static"
PAGES = {
    "/": "index.html",
    "/counter": "counter.html",
    "/desk": "desk.html",
    "/sign-in": "sign-in.html",
    "/link": "link.html",
    "/enrol": "enrol.html",
    "/password": "password.html",
    "/officer": "officer.html",
    "/administration": "administration.html",
    "/signed-in/{municipality}": "signed-in.html",
    "/account": "account.html",
    "/factor": "factor.html",
    "/hooks": "hooks.html",
    "/counts": "counts.html",
    "/precheck": "precheck.html",
    "/records": "records.html",
}
# What a browser may load; whatever else lies in the folder stays there.
FOLDERS = ("app", "style", "text", "img", "vendor")


def add_pages(app: web.Application) -> None:
    """Register every page and every static folder."""
    for path, name in PAGES.items():
        app.router.add_get(path, _page(STATIC / name))
    for folder in FOLDERS:
        if (STATIC / folder).is_dir():
            app.router.add_static(f"/static/{folder}", STATIC / folder)


def _page(file: Path) -> Callable[[web.Request], Awaitable[web.FileResponse]]:
    async def show(request: web.Request) -> web.FileResponse:
        return web.FileResponse(file, headers={"Cache-Control": "no-cache"})

    return show
