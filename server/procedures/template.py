"""The template of a procedure (事務): its steps, documents and outcomes, as data. Pure.

A template is read from TOML (`catalog/*.toml`); every mistake in it is told at once, by key. What
a step needs before the decision is unlocked stands in `needs`, one entry per thing to be done:

| kind | is done when |
|---|---|
| `tick` | every item of the list is ticked, `by` the desk or the clerk at the counter |
| `still` | that many stills of `what` were kept |
| `file` | that many files were received |
| `answer` | the desk has written down what the resident said |
| `prompts` | that many of the list, drawn at random by the server, were ticked by the desk |
| `documents` | the documents shown fulfil the template's document rule |
| `code` | the desk has entered the code that the resident read aloud |
"""

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from security.values import wrong
from server.calls.call import Outcome
from server.procedures.documents import DocumentRule
from server.procedures.words import Words

Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
By = Literal["desk", "counter"]
MAX_STEPS = 30
MAX_LISTED = 40


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TickNeed(_Data):
    """Something to be looked at and ticked, one by one."""

    kind: Literal["tick"]
    by: By
    items: tuple[Words, ...] = Field(min_length=1, max_length=MAX_LISTED)


class StillNeed(_Data):
    """Pictures to be taken."""

    kind: Literal["still"]
    what: Words
    at_least: int = Field(default=1, ge=1, le=20)


class FileNeed(_Data):
    """Files to be received."""

    kind: Literal["file"]
    what: Words
    at_least: int = Field(default=1, ge=1, le=20)


class AnswerNeed(_Data):
    """A question whose answer is written down."""

    kind: Literal["answer"]
    question: Words


class PromptsNeed(_Data):
    """Movements or questions of which some are drawn at random, so that nobody can prepare."""

    kind: Literal["prompts"]
    draw: int = Field(ge=1, le=10)
    prompts: tuple[Words, ...] = Field(min_length=2, max_length=MAX_LISTED)

    @model_validator(mode="after")
    def _leaves_a_choice(self) -> Self:
        if self.draw >= len(self.prompts):
            raise wrong(f"{self.draw} of {len(self.prompts)}", "fewer drawn than there are")
        return self


class DocumentsNeed(_Data):
    """Identity documents by the rule of the template."""

    kind: Literal["documents"]


class CodeNeed(_Data):
    """The code that stands on the tablet and is read aloud."""

    kind: Literal["code"]


Need = Annotated[
    TickNeed | StillNeed | FileNeed | AnswerNeed | PromptsNeed | DocumentsNeed | CodeNeed,
    Field(discriminator="kind"),
]


class Step(_Data):
    """One line of the template.

    `script` is what the desk reads out, `now` what the resident is told to do. `after` names the
    steps that must be done before; without it, the step before in the file. `reopens`: done again
    after an interruption, since another person could stand there.
    """

    id: Id
    title: Words
    script: Words | None = None
    now: Words
    after: tuple[Id, ...] | None = None
    reopens: bool = False
    needs: tuple[Need, ...] = Field(min_length=1, max_length=10)


class Template(_Data):
    """One procedure.

    `status` is what is shipped: "open" (取扱可) or "preparing" (準備中), then with a reason;
    `order` its place at the counter; `way` the 方式, how application and hand-over are divided.
    `resolution`: whether the assembly must have resolved before an office takes it (Q&A 3, 4, 7).
    """

    id: Id
    order: int = Field(ge=1, le=99)
    group: Literal["card", "certificates", "support"]
    way: Literal["at_application", "at_delivery", "none"]
    status: Literal["open", "preparing"]
    name: Words
    what: Words
    reason: Words | None = None
    basis: Words
    resolution: Literal["required", "setting", "not_required"]
    documents: DocumentRule | None = None
    outcomes: tuple[Outcome, ...] = Field(min_length=1)
    steps: tuple[Step, ...] = Field(min_length=1, max_length=MAX_STEPS)

    @field_validator("outcomes")
    @classmethod
    def _each_once(cls, outcomes: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
        if len(set(outcomes)) < len(outcomes):
            raise wrong("an outcome twice", "each once")
        if Outcome.ABORTED not in outcomes:
            raise wrong("no aborted", "aborted among them: every call can be broken off")
        if len(outcomes) == 1:
            raise wrong("aborted alone", "an outcome besides it")
        return outcomes

    @field_validator("steps")
    @classmethod
    def _can_be_walked(cls, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        problems = list(_problems(steps))
        if problems:
            raise wrong("; ".join(problems), "steps that can be walked one after another")
        return steps

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.status == "preparing") != (self.reason is not None):
            raise wrong("a reason without preparing, or the other way", "both or neither")
        wants = any(need.kind == "documents" for step in self.steps for need in step.needs)
        if wants != (self.documents is not None):
            raise wrong("a step or a rule about documents alone", "both or neither")
        touched = any(
            need.kind == "tick" and need.by == "counter"
            for step in self.steps
            for need in step.needs
        )
        if Outcome.VERIFIED in self.outcomes and not touched:
            raise wrong("verified without a tick by the counter", "原本確認 by the clerk")
        if self.group == "support" and Outcome.VERIFIED in self.outcomes:
            raise wrong("verified", "completed: help with an application verifies nobody (Q&A 4)")
        return self

    def allows(self, outcome: Outcome) -> bool:
        """Tell whether a call about this may end so."""
        return outcome in self.outcomes

    def before(self, step: Step) -> tuple[str, ...]:
        """Return the ids of the steps that must be done before `step`."""
        return _before(self.steps, step)


def _before(steps: tuple[Step, ...], step: Step) -> tuple[str, ...]:
    if step.after is not None:
        return step.after
    index = steps.index(step)
    return (steps[index - 1].id,) if index else ()


def _problems(steps: tuple[Step, ...]) -> Iterator[str]:
    ids = [step.id for step in steps]
    yield from (f"step {one} stands there twice" for one in ids if ids.count(one) > 1)
    for step in steps:
        unknown = set(_before(steps, step)) - set(ids)
        yield from (f"step {step.id} comes after {one}, which is not there" for one in unknown)
    done: set[str] = set()
    left = list(steps)
    while left:
        ready = [step for step in left if set(_before(steps, step)) <= done]
        if not ready:
            yield f"the steps {', '.join(step.id for step in left)} wait for each other"
            return
        done |= {step.id for step in ready}
        left = [step for step in left if step.id not in done]
