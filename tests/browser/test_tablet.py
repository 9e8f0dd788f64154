"""The tablet's key and the clerk's PIN in real browsers."""

import pytest

from tools.browsers.people import Counter, Pair
from tools.browsers.serve import PIN

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]
KEY = """new Promise((resolve, reject) => {
  const opening = indexedDB.open("madoguchi-tablet");
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = () => {
    const found = opening.result.transaction("keys").objectStore("keys").get("now");
    found.onsuccess = () => {
      const key = found.result.privateKey;
      opening.result.close();
      crypto.subtle.exportKey("pkcs8", key).then(() => "taken out", (no) => no.name).then((out) =>
        resolve([key.extractable, key.algorithm.namedCurve, out]));
    };
  };
})"""
NEXT = "見本 ふたば"


async def enter_pin(counter: Counter, name: str) -> None:
    """Choose a clerk and type the PIN on the keys of the page."""
    await counter.page.click(".clerks button", name)
    await counter.page.until_seen(None, ".pin-keys")
    for digit in PIN:
        await counter.page.click(".pin-keys button", digit)
    await counter.page.click(".pin-keys button[type=submit]")


async def test_the_key_stays_and_a_shift_ends_during_the_call(standing: Pair) -> None:
    counter, desk = standing.counter, standing.desk
    assert await counter.page.eval(KEY) == [False, "P-256", "InvalidAccessError"]
    number = await counter.number()
    await counter.press("shift.change")
    await counter.until_says("shift.what")
    await enter_pin(counter, NEXT)
    await counter.page.until_gone(None, "dialog")
    await desk.page.until_seen(NEXT)
    assert await counter.number() == number
    await standing.until_moving()
