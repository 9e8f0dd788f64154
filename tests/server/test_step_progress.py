"""What is done of a procedure: order, who may, what is missing, what an interruption undoes."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from security.errors import Conflict, Denied, NotFound, TooMuch
from server.call_steps import day_of
from server.calls.call import Call
from server.procedures import progress as p
from server.procedures.catalog import shipped
from server.procedures.documents import Shown
from server.procedures.template import By, Template

DAY = date(2026, 11, 24)
FOUND = shipped().get("new-issue")
assert FOUND is not None
TEMPLATE: Template = FOUND
WALK: tuple[tuple[str, int, p.Act, By], ...] = (
    ("consent", 0, p.Ticked(0), "desk"),
    ("purpose", 0, p.Answered("カードを作りたい"), "desk"),
    ("code", 0, p.CodeMade("4729"), "desk"),
    ("code", 0, p.CodeEntered("4729"), "desk"),
    ("face", 0, p.Drawn((1, 4)), "desk"),
    ("face", 0, p.Ticked(1), "desk"),
    ("face", 0, p.Ticked(4), "desk"),
    ("face", 1, p.Drawn((2,)), "desk"),
    ("face", 1, p.Ticked(2), "desk"),
    ("face", 2, p.Bound("still-1"), "desk"),
    ("face", 3, p.Ticked(0), "desk"),
    ("documents", 0, p.Documented("residence-card", date(2029, 3, 2)), "desk"),
    ("documents", 0, p.Documented("health-insurance", DAY), "desk"),
    *(("documents", 1, p.Ticked(item), "counter") for item in range(3)),
    ("documents", 2, p.Drawn((0, 2, 5)), "desk"),
    *(("documents", 2, p.Ticked(item), "desk") for item in (0, 2, 5)),
    ("documents", 3, p.Bound("still-2"), "desk"),
    ("documents", 3, p.Bound("still-3"), "desk"),
    ("papers", 0, p.Bound("file-1"), "desk"),
    ("papers", 0, p.Bound("file-2"), "desk"),
    ("papers", 1, p.Ticked(0), "desk"),
    *(("match", 0, p.Ticked(item), "desk") for item in range(4)),
)


def walked(upto: str | None = None) -> p.Progress:
    """Return what stands once every step before `upto` is done."""
    progress = p.Progress()
    for step, need, what, by in WALK:
        if step == upto:
            break
        progress = p.act(TEMPLATE, progress, (step, need), what, by=by, day=DAY)
    return progress


def steps_missing(progress: p.Progress, day: date = DAY) -> list[str]:
    return list(dict.fromkeys(one.step for one in p.missing(TEMPLATE, progress, day)))


def do(progress: p.Progress, step: str, need: int, what: p.Act, by: By = "desk") -> p.Progress:
    return p.act(TEMPLATE, progress, (step, need), what, by=by, day=DAY)


def test_every_step_is_missing_at_first_and_none_once_all_is_done() -> None:
    assert steps_missing(p.Progress()) == [step.id for step in TEMPLATE.steps]
    assert p.missing(TEMPLATE, walked(), DAY) == ()


@pytest.mark.parametrize("index", range(len(WALK)))
def test_leaving_out_any_single_act_leaves_something_missing(index: int) -> None:
    progress = p.Progress()
    for number, (step, need, what, by) in enumerate(WALK):
        if number != index:
            try:
                progress = p.act(TEMPLATE, progress, (step, need), what, by=by, day=DAY)
            except Conflict:
                break
    assert WALK[index][0] in steps_missing(progress)


def test_a_step_waits_for_the_step_before_and_may_be_taken_back() -> None:
    progress = walked("purpose")
    with pytest.raises(Conflict, match="not done") as locked:
        do(progress, "code", 0, p.CodeMade("1111"))
    assert locked.value.code == "step_locked"
    done = do(progress, "purpose", 0, p.Answered("x"))
    assert "purpose" not in steps_missing(done)
    assert "purpose" in steps_missing(do(done, "purpose", 0, p.Answered("  ")))


@pytest.mark.parametrize(
    ("upto", "step", "need", "what", "by"),
    [
        (None, "consent", 0, p.Ticked(0), "counter"),
        ("documents", "documents", 1, p.Ticked(0), "desk"),
        ("documents", "documents", 0, p.Documented("passport"), "counter"),
        ("code", "code", 0, p.CodeEntered("4729"), "counter"),
    ],
)
def test_neither_end_does_what_is_the_others(
    upto: str | None, step: str, need: int, what: p.Act, by: By
) -> None:
    with pytest.raises(Denied) as refused:
        do(walked(upto), step, need, what, by)
    assert refused.value.code == "not_yours"


@pytest.mark.parametrize(
    ("upto", "step", "need", "what", "error"),
    [
        (None, "nosuch", 0, p.Ticked(0), NotFound),
        (None, "consent", 1, p.Ticked(0), NotFound),
        (None, "consent", -1, p.Ticked(0), NotFound),
        (None, "consent", 0, p.Ticked(1), NotFound),
        (None, "consent", 0, p.Ticked(-1), NotFound),
        (None, "consent", 0, p.Answered("x"), Conflict),
        ("face", "face", 0, p.Ticked(0), Conflict),
        ("face", "face", 0, p.Drawn((1,)), NotFound),
        ("face", "face", 0, p.Drawn((1, 1)), NotFound),
        ("face", "face", 0, p.Drawn((1, 6)), NotFound),
        ("documents", "documents", 0, p.Documented("library-card"), NotFound),
        ("code", "code", 0, p.CodeEntered("4729"), Conflict),
        ("purpose", "purpose", 0, p.Answered("x" * 501), TooMuch),
    ],
)
def test_what_does_not_fit_changes_nothing(
    upto: str | None, step: str, need: int, what: p.Act, error: type[Exception]
) -> None:
    before = walked(upto)
    with pytest.raises(error):
        do(before, step, need, what)
    assert before == walked(upto)


def test_the_code_is_tried_three_times_and_a_fresh_one_again_three_times() -> None:
    progress = do(walked("code"), "code", 0, p.CodeMade("4729"))
    for _ in range(p.CODE_TRIES):
        progress = do(progress, "code", 0, p.CodeEntered("0000"))
    with pytest.raises(TooMuch) as over:
        do(progress, "code", 0, p.CodeEntered("4729"))
    assert over.value.code == "too_many_tries"
    fresh = do(progress, "code", 0, p.CodeMade("8306"))
    assert "code" in steps_missing(do(fresh, "code", 0, p.CodeEntered("4729")))
    assert "code" not in steps_missing(do(fresh, "code", 0, p.CodeEntered("8306")))


def test_prompts_are_drawn_three_times_at_most_and_an_earlier_draw_counts_no_more() -> None:
    progress = do(walked("face"), "face", 0, p.Drawn((0, 1)))
    progress = do(progress, "face", 0, p.Ticked(0))
    progress = do(progress, "face", 0, p.Drawn((0, 2)))
    assert next(one for one in p.missing(TEMPLATE, progress, DAY) if one.step == "face").left == 2
    progress = do(progress, "face", 0, p.Drawn((3, 4)))
    with pytest.raises(TooMuch):
        do(progress, "face", 0, p.Drawn((0, 1)))


def test_after_an_interruption_ticks_stay_and_face_and_code_reopen_with_their_stills_kept() -> None:
    again = p.interrupted(TEMPLATE, walked())
    assert steps_missing(again) == ["code", "face"]
    assert again.bound == walked().bound
    assert not any(one.kind == "still" for one in p.missing(TEMPLATE, again, DAY))


def test_another_connection_wants_another_code_and_nothing_else() -> None:
    again = p.reconnected(TEMPLATE, walked())
    assert steps_missing(again) == ["code"]
    assert (again.ticks, again.drawn, again.codes) == (walked().ticks, walked().drawn, {})


@pytest.mark.parametrize(
    ("step", "need", "what"),
    [
        ("code", 0, p.CodeEntered("4729")),
        ("face", 0, p.Drawn((1, 4))),
        ("face", 3, p.Ticked(0)),
    ],
)
def test_what_an_interruption_undoes_is_not_done_while_an_end_is_lost(
    step: str, need: int, what: p.Act
) -> None:
    progress = walked(step)
    with pytest.raises(Conflict) as refused:
        p.act(TEMPLATE, progress, (step, need), what, by="desk", day=DAY, line_lost=True)
    assert refused.value.code == "line_lost"


def test_evidence_is_bound_and_other_steps_go_on_while_an_end_is_lost() -> None:
    def act(progress: p.Progress, step: str, need: int, what: p.Act) -> p.Progress:
        place = (step, need)
        return p.act(TEMPLATE, progress, place, what, by="desk", day=DAY, line_lost=True)

    assert act(walked("face"), "face", 2, p.Bound("still-1")).bound == {("face", 2): ("still-1",)}
    noted = act(walked("documents"), "documents", 0, p.Documented("passport"))
    assert [one.kind for one in noted.documents] == ["passport"]


def test_a_document_that_expired_yesterday_in_tokyo_is_missing_and_is_said_so() -> None:
    tomorrow = date(2026, 11, 25)
    assert steps_missing(walked(), DAY) == []
    found = [one for one in p.missing(TEMPLATE, walked(), tomorrow) if one.kind == "documents"]
    assert next((way.a, way.b) for way in found[0].ways if not way.pin) in {(0, 1), (1, 0)}


def test_the_same_document_or_file_twice_is_one() -> None:
    progress = do(walked("documents"), "documents", 0, p.Documented("bankbook"))
    progress = do(progress, "documents", 0, p.Documented("bankbook", DAY))
    assert len(progress.documents) == 1
    papers = walked("papers")
    for _ in range(2):
        papers = do(papers, "papers", 0, p.Bound("file-1"))
    left: Any = next(one for one in p.missing(TEMPLATE, papers, DAY) if one.kind == "file")
    assert left.left == 1
    assert do(papers, "papers", 0, p.Bound("file-1", on=False)).bound["papers", 0] == ()


@pytest.mark.parametrize(
    ("placed_at", "counts"),
    [
        (datetime(2026, 11, 24, 15, 30, tzinfo=UTC), False),  # 0:30 of the 25th in Tokyo
        (datetime(2026, 11, 24, 14, 59, tzinfo=UTC), True),  # 23:59 of the 24th in Tokyo
        (datetime(2026, 11, 23, 23, 0, tzinfo=UTC), True),  # the 24th in Tokyo alone
    ],
)
def test_a_document_expires_by_the_day_in_japan_on_which_the_call_was_placed(
    placed_at: datetime, counts: bool
) -> None:
    call = Call(
        *("id", "R-1", "home", "office", "tablet", "clerk", "new-issue"),
        training=True,
        consent="",
        placed_at=placed_at,
    )
    assert Shown("passport", date(2026, 11, 24)).counts_on(day_of(call)) is counts
