"""After a call: the result of each outcome, the desk's day, and how a sign-in ends."""

from tools.browsers.people import Counter, Desk
from tools.tour.scene import Scene, Visit

SIGN_OUT = """import('/static/app/lib/api.js').then(async ({ createApi }) => {
  const api = createApi({ page: "PAGE" });
  await api.me();
  await api.post("sign-out");
})"""


async def walk_results(first: Counter, second: Counter, desk: Desk, visit: Visit) -> None:
    """Go by each outcome. Begins with `first` in a call and `second` waiting; ends with none."""
    for counter, outcome in (
        (first, "verified"),
        (second, "returned"),
        (first, "refused"),
        (first, "aborted"),
    ):
        if outcome != "verified":
            if counter is first:
                await counter.place()
            await desk.accept()
        await desk.decide(outcome)
        await counter.until_says(f"result.{outcome}.title")
        await visit(Scene(f"counter-result-{outcome}", counter.page))
        await counter.press("result.finish")
        await counter.until_says("idle.choose", "h1")
    await desk.page.until("document.querySelectorAll('.today tbody tr').length === 4")
    await visit(Scene("desk-queue-after", desk.page))
    await desk.press("lesson.open")
    await desk.until_says("resident.notice", "dialog h3")
    await visit(Scene("desk-lesson", desk.page))
    await desk.press("common.close", "dialog button")


async def walk_out(counter: Counter, desk: Desk, visit: Visit) -> None:
    """Go by the end of a sign-in, at the desk from elsewhere, at the counter by the button."""
    other = await desk.page.another()
    await other.open(f"{desk.base_url}/")
    await other.eval(SIGN_OUT.replace("PAGE", "desk"))
    await desk.until_says("ended.signed_out.title")
    await visit(Scene("desk-ended", desk.page))
    await counter.press("shift.leave")
    await counter.page.until_seen(None, ".clerks")
    await visit(Scene("counter-clerks", counter.page))
    await counter.page.click(".clerks button")
    await counter.page.until_seen(None, ".pin-keys")
    await counter.page.fill("#pin", "592617")
    await counter.page.click(".pin-keys button[type=submit]")
    await counter.page.until_seen(counter.say("error.bad_pin"))
    await visit(Scene("counter-pin-refused", counter.page))
