"""Before a call: the tablet at rest, the question, waiting, and the desk's queue."""

from tools.browsers.people import Counter, Desk, Pair, words
from tools.tour.looks import spare
from tools.tour.scene import Scene, Visit

DENY = """void (navigator.mediaDevices.getUserMedia = () =>
  Promise.reject(new DOMException("denied", "NotAllowedError")))"""


NO_DEVICES = """void (() => {
  navigator.mediaDevices.enumerateDevices = async () => [];
  navigator.mediaDevices.dispatchEvent(new Event("devicechange"));
})()"""


async def walk_closed_hall(pair: Pair, visit: Visit) -> None:
    """Go by what is there while no desk is open. Ends with an open desk and a tablet at rest."""
    counter, desk = pair.counter, pair.desk
    await desk.until_says("desk.away.title")
    await visit(Scene("desk-away", desk.page))
    await counter.until_says("closed.title")
    await visit(Scene("counter-idle-closed", counter.page))
    await counter.page.click(".soon button")
    await counter.until_says("procedure.for_resident")
    await visit(Scene("counter-reason", counter.page))
    await counter.page.press("Escape")
    await _consent(counter, visit)
    await counter.until_says("waiting.closed")
    await visit(Scene("counter-waiting-closed", counter.page))
    await counter.press("waiting.stop")
    await counter.until_says("idle.choose", "h1")
    await desk.be_open()
    await desk.until_says("queue.empty.title")
    await visit(Scene("desk-queue-empty", desk.page))
    await counter.until_says("idle.hall.open")
    await visit(Scene("counter-idle", counter.page))


async def _consent(counter: Counter, visit: Visit) -> None:
    await counter.to_consent()
    await visit(Scene("counter-consent", counter.page))
    await counter.page.click("label", words("common.no"))
    await counter.page.until_seen(None, ".cmain .notice")
    await visit(Scene("counter-consent-no", counter.page))
    await counter.page.click("label", words("common.yes"))
    await counter.page.until_seen(None, ".go:not([aria-disabled])")
    await visit(Scene("counter-consent-yes", counter.page))
    await counter.consent()


async def walk_ringing(pair: Pair, second: Counter, visit: Visit) -> None:
    """Go by a call that rings and one that waits behind it. Ends in the first call."""
    counter, desk = pair.counter, pair.desk
    await counter.place()
    await desk.until_says("ring.title")
    await second.place()
    await counter.until_says("waiting.offered", name="架空 一郎")
    await visit(Scene("counter-waiting", counter.page))
    await second.until_says("waiting.title")
    await spare(second.page)
    await visit(Scene("counter-waiting-second", second.page))
    await desk.page.until("document.querySelectorAll('.queue tbody tr').length >= 2")
    await visit(Scene("desk-ringing", desk.page))
    await desk.accept()
    await counter.until_says("call.talking")


async def walk_trouble(counter: Counter, visit: Visit) -> None:
    """Go by a camera that may not be used, and by none at all. Begins at rest."""
    await counter.page.eval(DENY)
    await counter.to_consent()
    await counter.page.click("label", words("common.yes"))
    await counter.until_says("trouble.camera")
    await visit(Scene("counter-trouble", counter.page))
    await counter.press("common.back")
    await counter.until_says("idle.choose", "h1")
    await counter.page.eval(NO_DEVICES)
    await counter.page.until_seen(None, ".states .bad")
    await visit(Scene("counter-idle-no-camera", counter.page))


async def walk_busy_queue(other: Desk, visit: Visit) -> None:
    """Go by the queue of a desk while another desk talks."""
    await other.until_says("queue.state.talking", name="架空 一郎")
    await visit(Scene("desk-queue-busy", other.page))
