"""What has been done in a call of the steps of its procedure, and what is still missing. Pure.

Three rules hold everywhere:

1. `act` returns a new progress or raises and changes nothing. What was done stays done over every
   interruption, but for steps that reopen: `interrupted` says which.
2. A step can be worked on once the steps before it are done; what was done can be taken back.
3. The caller draws, makes codes and knows the day: nothing here is random and nothing tells time.
"""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType
from typing import Any, TypeVar

from security.errors import Conflict, Denied, NotFound, TooMuch
from server.procedures.documents import CLASS_OF, Lacking, Shown, lacking
from server.procedures.template import (
    AnswerNeed,
    By,
    CodeNeed,
    DocumentsNeed,
    FileNeed,
    Need,
    PromptsNeed,
    Step,
    StillNeed,
    Template,
    TickNeed,
)

MAX_ANSWER_CHARACTERS = 500
MAX_DOCUMENTS = 10
CODE_TRIES = 3
MAX_DRAWS = 3
V = TypeVar("V")
Place = tuple[str, int]  # step, number of the need in it


@dataclass(frozen=True, slots=True)
class Ticked:
    """An item of a list was ticked, or the tick taken back; of prompts, one that was drawn."""

    item: int
    on: bool = True


@dataclass(frozen=True, slots=True)
class Answered:
    """What the resident said was written down; empty takes it back."""

    text: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """Prompts were drawn, by number; those of an earlier draw no longer count."""

    items: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Bound:
    """A still or a file, by its id, belongs to this; or no longer does."""

    id: str
    on: bool = True


@dataclass(frozen=True, slots=True)
class Documented:
    """A document was shown, or is taken from the list; one kind is listed once."""

    kind: str
    expires: date | None = None
    on: bool = True


@dataclass(frozen=True, slots=True)
class Granted:
    """PIN entry or the letter of notice goes with the documents, or no longer does."""

    what: str  # "pin" | "notice"
    on: bool = True


@dataclass(frozen=True, slots=True)
class CodeMade:
    """A fresh code stands on the tablet."""

    code: str


@dataclass(frozen=True, slots=True)
class CodeEntered:
    """The desk entered what it heard."""

    code: str


Act = Ticked | Answered | Drawn | Bound | Documented | Granted | CodeMade | CodeEntered


@dataclass(frozen=True, slots=True)
class Code:
    """The code of a connection: what stands on the tablet, how often it was tried, if it agreed."""

    code: str
    tries: int = 0
    agreed: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """What stands for each need. `draws` counts how often was drawn.

    `excused`: documents that are not enough are let pass, as somebody has confirmed; `deferred`:
    that is asked for, so the next steps may go on meanwhile. Both hold for the documents that were
    shown then, and end with any change of them.
    """

    ticks: Mapping[Place, frozenset[int]] = field(default_factory=dict)
    answers: Mapping[Place, str] = field(default_factory=dict)
    drawn: Mapping[Place, tuple[int, ...]] = field(default_factory=dict)
    draws: Mapping[Place, int] = field(default_factory=dict)
    bound: Mapping[Place, tuple[str, ...]] = field(default_factory=dict)
    codes: Mapping[Place, Code] = field(default_factory=dict)
    documents: tuple[Shown, ...] = ()
    pin: bool = False
    notice: bool = False
    excused: bool = False
    deferred: bool = False


@dataclass(frozen=True, slots=True)
class Missing:
    """What one need still wants: so many, or each way in which documents would be enough."""

    step: str
    need: int
    kind: str
    left: int = 1
    ways: tuple[Lacking, ...] = ()


def act(
    template: Template,
    progress: Progress,
    place: Place,
    what: Act,
    *,
    by: By,
    day: date,
    line_lost: bool = False,
) -> Progress:
    """Return the progress after `what` was done about the need at `place`; `day` is the call's.

    `line_lost`: an end is lost, so nothing is done about what an interruption undoes.

    Raises `NotFound` for a place, item or kind that is not there, `Denied` `not_yours` for what the
    other end does, `Conflict` `step_locked` before its turn, `wrong_kind`, `not_drawn`,
    `code_agreed` or `line_lost`, `TooMuch` over a limit.
    """
    step, need = _find(template, place)
    if by != whose(need):
        raise Denied("the other end does this", code="not_yours")
    undone = step.reopens or isinstance(need, CodeNeed)
    if line_lost and undone and not isinstance(what, Bound):
        raise Conflict("this is done with both ends there", code="line_lost")
    if not is_open(template, progress, step, day):
        raise Conflict("an earlier step is not done", code="step_locked")
    handler = _HANDLERS.get((type(need), type(what)))
    if handler is None:
        raise Conflict(f"{need.kind} is not done by this", code="wrong_kind")
    return handler(progress, place, need, what)


def missing(template: Template, progress: Progress, day: date) -> tuple[Missing, ...]:
    """Return all that still has to be done, in the order of the steps; empty unlocks 確認済み."""
    return tuple(
        one for step in template.steps for one in _of_step(template, progress, step.id, day)
    )


def is_open(template: Template, progress: Progress, step: Step, day: date) -> bool:
    """Tell whether a step may be worked on: those before it are done."""
    so_far = replace(progress, excused=progress.excused or progress.deferred)
    return not any(_of_step(template, so_far, before, day) for before in template.before(step))


def need_at(template: Template, place: Place) -> Need:
    """Return the need at a place. Raises `NotFound`."""
    return _find(template, place)[1]


def interrupted(template: Template, progress: Progress) -> Progress:
    """Return the progress with the steps that reopen undone, since another may stand there now.

    Evidence stays bound: a picture that was taken remains one that was taken.
    """
    again = {step.id for step in template.steps if step.reopens}

    def kept(values: Mapping[Place, V]) -> dict[Place, V]:
        return {place: value for place, value in values.items() if place[0] not in again}

    return replace(
        progress,
        ticks=kept(progress.ticks),
        answers=kept(progress.answers),
        drawn=kept(progress.drawn),
        draws=kept(progress.draws),
        codes={},
    )


def reconnected(template: Template, progress: Progress) -> Progress:
    """Return the progress without its spoken codes: each holds for one connection alone."""
    return replace(progress, codes={})


def unless_fresh(template: Template, progress: Progress) -> Progress:
    """Return the same for codes that came after an interruption: undone once one has agreed."""
    agreed = any(code.agreed for code in progress.codes.values())
    return reconnected(template, progress) if agreed else progress


def _find(template: Template, place: Place) -> tuple[Step, Need]:
    for step in template.steps:
        if step.id == place[0] and 0 <= place[1] < len(step.needs):
            return step, step.needs[place[1]]
    raise NotFound("the procedure has no such step")


def whose(need: Need) -> By:
    """Return which end does this."""
    return need.by if isinstance(need, TickNeed) else "desk"


def _of_step(template: Template, progress: Progress, step_id: str, day: date) -> list[Missing]:
    step = next(one for one in template.steps if one.id == step_id)
    return [
        found
        for number, need in enumerate(step.needs)
        if (found := _missing(template, progress, (step.id, number), need, day)) is not None
    ]


def _missing(
    template: Template, progress: Progress, place: Place, need: Need, day: date
) -> Missing | None:
    left: int = 0
    ways: tuple[Lacking, ...] = ()
    match need:
        case TickNeed(items=items):
            left = len(items) - len(progress.ticks.get(place, ()))
        case PromptsNeed(draw=draw):
            left = draw - len(progress.ticks.get(place, ()))
        case AnswerNeed():
            left = int(place not in progress.answers)
        case StillNeed(at_least=least) | FileNeed(at_least=least):
            left = least - len(progress.bound.get(place, ()))
        case CodeNeed():
            code = progress.codes.get(place)
            left = int(code is None or not code.agreed)
        case DocumentsNeed() if template.documents is not None and not progress.excused:
            shown, pin, notice = progress.documents, progress.pin, progress.notice
            ways = lacking(template.documents, shown, day, pin=pin, notice=notice)
            left = int(bool(ways))
    return Missing(place[0], place[1], need.kind, left, ways) if left > 0 else None


def _tick(progress: Progress, place: Place, need: Any, what: Ticked) -> Progress:
    if isinstance(need, PromptsNeed):
        if what.item not in progress.drawn.get(place, ()):
            raise Conflict("this one was not drawn", code="not_drawn")
    elif not 0 <= what.item < len(need.items):
        raise NotFound("the list has no such item")
    before = progress.ticks.get(place, frozenset())
    after = before | {what.item} if what.on else before - {what.item}
    return replace(progress, ticks={**progress.ticks, place: after})


def _draw(progress: Progress, place: Place, need: PromptsNeed, what: Drawn) -> Progress:
    count = progress.draws.get(place, 0) + 1
    if count > MAX_DRAWS:
        raise TooMuch("drawn often enough", limit=MAX_DRAWS, unit="draws", code="too_many_draws")
    if len(set(what.items)) != need.draw or not set(what.items) <= set(range(len(need.prompts))):
        raise NotFound("the list has no such items")
    return replace(
        progress,
        drawn={**progress.drawn, place: what.items},
        draws={**progress.draws, place: count},
        ticks={**progress.ticks, place: frozenset()},
    )


def _answer(progress: Progress, place: Place, need: AnswerNeed, what: Answered) -> Progress:
    text = what.text.strip()
    if len(text) > MAX_ANSWER_CHARACTERS:
        limit = MAX_ANSWER_CHARACTERS
        raise TooMuch("the answer is too long", limit=limit, unit="characters", code="too_long")
    others = {other: said for other, said in progress.answers.items() if other != place}
    return replace(progress, answers={**others, place: text} if text else others)


def _bind(progress: Progress, place: Place, need: Any, what: Bound) -> Progress:
    others = tuple(one for one in progress.bound.get(place, ()) if one != what.id)
    after = (*others, what.id) if what.on else others
    return replace(progress, bound={**progress.bound, place: after})


def _document(progress: Progress, place: Place, need: Any, what: Documented) -> Progress:
    if what.kind not in CLASS_OF:
        raise NotFound("no such kind of document")
    others = tuple(one for one in progress.documents if one.kind != what.kind)
    if what.on and len(others) >= MAX_DOCUMENTS:
        raise TooMuch(
            "the list of documents is full",
            limit=MAX_DOCUMENTS,
            unit="documents",
            code="too_many_documents",
        )
    after = (*others, Shown(what.kind, what.expires)) if what.on else others
    return replace(progress, documents=after, excused=False, deferred=False)


def _grant(progress: Progress, place: Place, need: Any, what: Granted) -> Progress:
    progress = replace(progress, excused=False, deferred=False)
    if what.what == "pin":
        return replace(progress, pin=what.on)
    return replace(progress, notice=what.on)


def _make_code(progress: Progress, place: Place, need: Any, what: CodeMade) -> Progress:
    return replace(progress, codes={**progress.codes, place: Code(what.code)})


def _enter_code(progress: Progress, place: Place, need: Any, what: CodeEntered) -> Progress:
    code = progress.codes.get(place)
    if code is None:
        raise Conflict("no code stands on the tablet", code="no_code")
    if code.agreed:
        raise Conflict("the code has agreed", code="code_agreed")
    if code.tries >= CODE_TRIES:
        raise TooMuch("tried often enough", limit=CODE_TRIES, unit="tries", code="too_many_tries")
    agreed = hmac.compare_digest(what.code.encode(), code.code.encode())
    after = replace(code, tries=code.tries + 1, agreed=agreed)
    return replace(progress, codes={**progress.codes, place: after})


Handler = Callable[[Progress, Place, Any, Any], Progress]
_HANDLERS: Mapping[tuple[type, type], Handler] = MappingProxyType(
    {
        (TickNeed, Ticked): _tick,
        (PromptsNeed, Ticked): _tick,
        (PromptsNeed, Drawn): _draw,
        (AnswerNeed, Answered): _answer,
        (StillNeed, Bound): _bind,
        (FileNeed, Bound): _bind,
        (DocumentsNeed, Documented): _document,
        (DocumentsNeed, Granted): _grant,
        (CodeNeed, CodeMade): _make_code,
        (CodeNeed, CodeEntered): _enter_code,
    }
)
