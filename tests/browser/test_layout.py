"""Every page in every state, in both languages, measured in the sizes of tablets and desks."""

from collections.abc import Awaitable, Callable

import pytest

from tools.browsers.page import Page
from tools.browsers.service import RunningService
from tools.tour.looks import measure
from tools.tour.report import Report

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(400),
    pytest.mark.parametrize("browser", ["chromium"], indirect=True),
]
# One fault of each kind, in a page that has none.
SPOIL = """void (() => {
  const main = document.querySelector("main");
  main.insertAdjacentHTML("beforeend", `
    <button id="small" class="btn">小</button>
    <p id="tiny">小さな字</p>
    <p id="cut">切れている長いことばがここにあります</p>
    <p id="foreign">English words</p>
    <button id="outside" class="btn primary">下</button>
    <video id="film" controls></video><p id="over">おおい</p>
    <p id="wide"></p>`);
  const style = (id, rules) => Object.assign(document.getElementById(id).style, rules);
  style("small", { minHeight: "20px", height: "20px" });
  style("tiny", { fontSize: "12px" });
  style("cut", { width: "60px", overflow: "hidden", whiteSpace: "nowrap" });
  style("wide", { width: "3000px", height: "10px" });
  style("outside", { position: "absolute", top: "5000px" });
  const film = { position: "fixed", left: "0", top: "0", width: "200px", height: "100px" };
  style("film", { ...film, background: "#000" });
  style("over", { ...film, height: "50px", zIndex: "9" });
})()"""
KINDS = {"sideways", "scrolls", "outside", "covered", "small", "tiny", "cut", "foreign"}


async def test_no_page_scrolls_sideways(tour: Report) -> None:
    assert tour.of("sideways") == []


async def test_the_desk_scrolls_nowhere_but_in_its_lists(tour: Report) -> None:
    assert tour.of("scrolls") == []


async def test_every_primary_button_is_wholly_in_sight(tour: Report) -> None:
    assert tour.of("outside") == []


async def test_nothing_lies_over_a_live_picture_or_over_words(tour: Report) -> None:
    assert tour.of("covered") == []


async def test_whatever_can_be_pressed_is_as_large_as_a_fingertip(tour: Report) -> None:
    assert tour.of("small") == []


async def test_no_text_is_smaller_than_sixteen_pixels(tour: Report) -> None:
    assert tour.of("tiny") == []


async def test_words_fit_into_their_places_in_both_languages(tour: Report) -> None:
    assert tour.of("cut") == []


async def test_a_page_speaks_one_language_and_marks_what_is_of_the_other(tour: Report) -> None:
    assert tour.of("foreign") == []


async def test_the_ruler_finds_what_is_wrong(
    open_page: Callable[..., Awaitable[Page]], service: RunningService
) -> None:
    page = await open_page()
    await page.open(f"{service.base_url}/")
    await page.until_seen(None, ".ways")
    assert await measure(page, "desk") == []
    await page.eval(SPOIL)
    assert {kind for kind, _ in await measure(page, "desk")} == KINDS
