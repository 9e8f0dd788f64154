"""Every page in every state, in both languages, through the eyes of axe (WCAG 2.2 A and AA)."""

from collections.abc import Awaitable, Callable

import pytest

from tools.browsers.page import Page
from tools.browsers.service import RunningService
from tools.tour.looks import axe
from tools.tour.report import Report

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(400),
    pytest.mark.parametrize("browser", ["chromium"], indirect=True),
]
SPOIL = """void document.querySelector("main").insertAdjacentHTML("beforeend",
  `<img src="/static/img/icon.svg"><input>
   <p class="pale">too pale to read</p><button></button>`)"""
PALE = """void (() => {
  const pale = document.querySelector(".pale").style;
  pale.color = "#ccc";
  pale.background = "#fff";
})()"""
RULES_BROKEN = {"image-alt", "label", "color-contrast", "button-name"}


async def test_axe_finds_nothing_on_any_page_in_any_state_in_either_language(
    tour: Report,
) -> None:
    found = [one for one in tour.of("axe ") if "?: " not in one]
    assert found == []


async def test_the_tour_sees_each_state_once_at_the_counter_the_desk_and_the_doors(
    tour: Report,
) -> None:
    assert len(set(tour.scenes)) == len(tour.scenes)
    for first in (
        "counter-call",
        "counter-result",
        "desk-call",
        "desk-decide",
        "sign-in",
        "enrol",
        "officer",
    ):
        assert any(scene.startswith(first) for scene in tour.scenes)


async def test_axe_finds_what_is_wrong(
    open_page: Callable[..., Awaitable[Page]], service: RunningService
) -> None:
    page = await open_page()
    await page.open(f"{service.base_url}/")
    await page.until_seen(None, ".ways")
    assert await axe(page) == []
    await page.eval(SPOIL)
    await page.eval(PALE)
    found = {kind.removeprefix("axe ") for kind, _ in await axe(page)}
    assert found >= RULES_BROKEN
