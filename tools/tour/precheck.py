"""開始前点検: before it, its result at the counter, and the list that staff read."""

from tools.browsers.people import Counter, Desk
from tools.tour.scene import Scene, Visit

CHECK_SECONDS = 90.0


async def walk_precheck(counter: Counter, visit: Visit) -> None:
    """Go by a check of the counter. Begins and ends at rest."""
    page = counter.page
    await page.open(f"{counter.base_url}/precheck")
    await counter.until_says("precheck.begin")
    await visit(Scene("counter-precheck", page))
    await counter.press("precheck.begin")
    await counter.until_says("precheck.speak", "h2")
    await counter.until_says("precheck.heard", "h2", seconds=CHECK_SECONDS)
    await visit(Scene("counter-precheck-heard", page))
    await counter.press("precheck.heard.yes")
    await page.until_seen(None, ".check-result", seconds=CHECK_SECONDS)
    await visit(Scene("counter-precheck-result", page))
    await page.open(f"{counter.base_url}/counter")
    await counter.until_ready()


async def walk_checks(desk: Desk, visit: Visit) -> None:
    """Go by the list of results, one of which is shown. Leaves the desk's page."""
    await desk.page.open(f"{desk.base_url}/precheck?page=desk")
    await desk.until_says("precheck.open")
    await desk.press("precheck.open")
    await desk.page.until_seen(None, ".check-result")
    await visit(Scene("precheck-list", desk.page))
