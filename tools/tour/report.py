"""Everything that is found wrong on one tour."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.browsers.page import Browser
from tools.tour.looks import Finding, Size, axe, forms, measure
from tools.tour.scene import Scene
from tools.tour.tour import walk

# The first is the size of the seat; axe looks at that.
SIZES: dict[str, Sequence[Size]] = {
    "counter": ((1024, 1366), (1366, 1024), (810, 1080)),
    "desk": ((1366, 768), (1366, 650)),
    "officer": ((1366, 768),),
    "office": ((1366, 768),),
    "door": ((1366, 768), (1024, 1366)),
}
# Keys, clauses and sources stand as the law and the file have them; paper is 10.5 pt; the policy is
# a document, which is scrolled.
TAKEN_AS_IS = {"officer": ("foreign", "tiny", "outside"), "office": ("tiny", "outside")}


@dataclass
class Report:
    """What was seen and what was wrong with it."""

    scenes: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def of(self, kind: str) -> list[str]:
        """Return the findings whose kind begins so, in words."""
        return [str(each) for each in self.findings if each.kind.startswith(kind)]


async def look_around(browser: Browser, folder: Path) -> Report:
    """Walk the tour and look at every scene in both languages and all sizes of its device."""
    report = Report()

    async def visit(scene: Scene) -> None:
        report.scenes.append(scene.name)
        sizes = SIZES[scene.role]
        async for language, size in forms(scene.page, sizes):
            found = await measure(scene.page, scene.role)
            found = [one for one in found if one[0] not in TAKEN_AS_IS.get(scene.role, ())]
            if size == sizes[0]:
                found += await axe(scene.page)
            report.findings += [Finding(scene.name, language, size, *each) for each in found]

    await walk(browser, folder, visit)
    return report
