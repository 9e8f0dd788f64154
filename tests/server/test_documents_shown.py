"""Whether the identity documents that were shown are enough, as tables."""

from datetime import date

import pytest

from server.procedures.catalog import shipped
from server.procedures.documents import KINDS, DocumentClass, Lacking, Shown, lacking

TODAY = date(2026, 11, 24)
RULES = {one.id: one.documents for one in shipped().procedures if one.documents}
AT_APPLICATION, AT_DELIVERY = RULES["new-issue"], RULES["renewal"]
A, B = ["driving-licence", "passport"], ["bankbook", "student"]


def shown(*kinds: str) -> list[Shown]:
    return [Shown(kind, None) for kind in kinds]


@pytest.mark.parametrize(
    ("kinds", "pin", "notice", "enough"),
    [
        ((), False, False, False),
        ((A[0],), False, False, False),
        ((A[0],), True, False, True),
        (A, False, False, True),
        ((A[0], B[0]), False, False, True),
        (B, False, False, False),
        (B, False, True, True),
        (B, True, False, False),
        ((B[0],), True, True, False),
        ((A[0], A[0]), False, False, False),
        ((B[0], B[0]), False, True, False),
    ],
)
def test_any_of_the_combinations_is_enough_at_application(
    kinds: tuple[str, ...], pin: bool, notice: bool, enough: bool
) -> None:
    found = lacking(AT_APPLICATION, shown(*kinds), TODAY, pin=pin, notice=notice)
    assert (found == ()) is enough


@pytest.mark.parametrize(
    ("kinds", "enough"), [((A[0],), True), (B, True), ((B[0],), False), ((), False)]
)
def test_one_of_a_or_two_of_b_are_enough_at_delivery(kinds: tuple[str, ...], enough: bool) -> None:
    assert (lacking(AT_DELIVERY, shown(*kinds), TODAY) == ()) is enough


@pytest.mark.parametrize(
    ("expires", "counts"),
    [(date(2026, 11, 23), False), (TODAY, True), (date(2026, 11, 25), True), (None, True)],
)
def test_a_document_counts_up_to_and_on_the_day_that_stands_on_it(
    expires: date | None, counts: bool
) -> None:
    found = lacking(AT_DELIVERY, [Shown("passport", expires)], TODAY)
    assert (found == ()) is counts


def test_what_is_missing_is_told_for_each_way_the_nearest_first() -> None:
    found = lacking(AT_APPLICATION, shown(A[0]), TODAY)
    assert {Lacking(a=1), Lacking(b=1), Lacking(pin=True)} <= set(found)
    assert found[0].a + found[0].b + found[0].pin == 1
    assert lacking(AT_APPLICATION, [], TODAY)[-1] != found[0]


def test_the_lists_of_kinds_are_those_of_the_rules_and_none_is_in_both() -> None:
    assert len(KINDS[DocumentClass.A]) == 12
    assert len(KINDS[DocumentClass.B]) == 15
    assert not KINDS[DocumentClass.A].keys() & KINDS[DocumentClass.B].keys()


def test_an_unknown_kind_is_an_error_and_counts_for_nothing() -> None:
    with pytest.raises(KeyError):
        lacking(AT_APPLICATION, shown("library-card"), TODAY)
