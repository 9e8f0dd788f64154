"""One state of one page, as the tour comes by it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tools.browsers.page import Page

ROLES = ("counter", "desk", "officer", "office")


@dataclass(frozen=True, slots=True)
class Scene:
    """A page in a state that has a name, which begins with whose page it is."""

    name: str
    page: Page

    @property
    def role(self) -> str:
        """`counter`, `desk`, `officer`, `office`, or `door` for the pages on the way in."""
        first = self.name.split("-")[0]
        return first if first in ROLES else "door"


Visit = Callable[[Scene], Awaitable[None]]
