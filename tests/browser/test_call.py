"""A call from the first page to the result, as two people do it."""

import pytest

from tools.browsers.people import Pair, words
from tools.browsers.steps import Walk

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]

CHROMIUM = pytest.mark.parametrize("browser", ["chromium"], indirect=True)


async def test_two_people_see_and_hear_each_other_talk_and_part(pair: Pair) -> None:
    await pair.talk()
    for seat in pair.both:
        picture = await seat.until_moving()
        assert picture["width"] >= 640
        await seat.until_hearing()
    assert await pair.counter.number() == await pair.desk.number()
    await pair.counter.write("申請書を送ります")
    await pair.desk.until_messages("申請書を送ります")
    await pair.desk.write("お願いします")
    await pair.counter.until_messages("申請書を送ります", "お願いします")
    await Walk(pair.counter, pair.desk).to_the_end()
    await pair.desk.decide("verified")
    await pair.counter.until_says("result.verified.title")
    await pair.counter.press("result.finish")
    await pair.counter.until_says("idle.call", ".callbtn")


@CHROMIUM
async def test_the_counter_is_told_what_the_desk_decided_and_why(pair: Pair) -> None:
    await pair.desk.be_open()
    for outcome in ("returned", "refused", "aborted"):
        await pair.counter.place()
        await pair.desk.accept()
        await pair.counter.until_says("call.talking")
        for seat in pair.both:
            assert await seat.page.sees(words("training.title"), ".train-band")
            assert (await seat.number()).startswith("R-")
        await pair.desk.decide(outcome)
        await pair.counter.until_says(f"result.{outcome}.title")
        assert await pair.counter.says("result.reason")
        assert await pair.counter.says(f"outcome.{outcome}")
        await pair.counter.press("result.finish")
        await pair.counter.until_says("idle.call", ".callbtn")


@CHROMIUM
async def test_a_second_tab_is_refused_and_can_take_over(call: Pair) -> None:
    second = await call.counter.page.another()
    await second.open(f"{call.counter.base_url}/counter")
    await second.until_seen(words("seat.taken.title"))
    assert await call.counter.says("call.talking")
    await second.click("button", words("seat.take"))
    await second.until_seen(words("call.talking"))
    await call.counter.until_says("seat.moved.title")
    call.counter.page = second
    await call.until_moving()


async def test_the_desk_sees_within_a_second_that_the_counter_left(call: Pair) -> None:
    await call.desk.page.eval(
        "void (globalThis.__seen_at = new Promise((done) => {"
        " const look = () => document.querySelector('.facts-bar .chip.warn')"
        " ? done(Date.now()) : setTimeout(look, 10); look(); }))"
    )
    await call.counter.page.eval(
        "void addEventListener('pagehide', () => sessionStorage.setItem('left', Date.now()))"
    )
    await call.counter.page.open(f"{call.counter.base_url}/sign-in")
    left = int(await call.counter.page.eval("sessionStorage.getItem('left')"))
    seen_at = int(await call.desk.page.eval("__seen_at"))
    assert seen_at - left < 1000
    assert await call.desk.says("state.interrupted")
    await call.counter.page.open(f"{call.counter.base_url}/counter")
    await call.counter.until_says("call.talking")
    await call.until_moving()
