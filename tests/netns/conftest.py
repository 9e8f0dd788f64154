"""Lines between network namespaces for tests that need no browser."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from tools.netns.link import Link
from tools.netns.space import NotPossible


@pytest.fixture
async def make_link() -> AsyncIterator[Callable[..., Awaitable[Link]]]:
    """Make lines that are taken down at the end; the test fails in one sentence without root."""
    made: list[Link] = []

    async def make(**settings: Any) -> Link:
        try:
            made.append(await Link.open(**settings))
        except NotPossible as why:
            pytest.fail(str(why), pytrace=False)
        return made[-1]

    yield make
    for link in made:
        await link.close()
