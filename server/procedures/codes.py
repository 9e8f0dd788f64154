"""When a spoken code is due: its step's turn has come and none stands on the tablet. Pure."""

from collections.abc import Callable
from datetime import date

from server.procedures.progress import CodeMade, Progress, act, is_open
from server.procedures.template import CodeNeed, Template

DIGITS = 4


def with_codes(
    template: Template, progress: Progress, day: date, make: Callable[[], str]
) -> Progress:
    """Return the progress with a code of `make` for each place where one is due."""
    for step in template.steps:
        for number, need in enumerate(step.needs):
            place = (step.id, number)
            due = isinstance(need, CodeNeed) and place not in progress.codes
            if due and is_open(template, progress, step, day):
                progress = act(template, progress, place, CodeMade(make()), by="desk", day=day)
    return progress
