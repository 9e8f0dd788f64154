"""Individual numbers are found by their check digit, however they are written."""

import pytest

from security.numbers import (
    check_digit,
    holds_insurer_number,
    holds_my_number,
    insurer_check_digit,
)


@pytest.mark.parametrize(
    ("eleven", "digit"), [("12345678901", 8), ("00000000000", 0), ("00000000001", 9)]
)
def test_the_check_digit_is_that_of_the_ordinance(eleven: str, digit: int) -> None:
    assert check_digit(eleven) == digit


@pytest.mark.parametrize(
    "text",
    [
        "123456789018",
        "a123456789018b",
        "１２３４５６７８９０１８",
        "1234-5678-9018",
        "7 123456789018",
    ],
)
def test_a_number_is_found_however_it_is_written(text: str) -> None:
    assert holds_my_number(text)


@pytest.mark.parametrize(
    "text", ["", "123456789012", "1234567890189", "12345678901", "1234abc567890x18", "二〇二六年"]
)
def test_other_digits_are_left_alone(text: str) -> None:
    assert not holds_my_number(text)


def test_a_long_text_is_looked_through_at_once() -> None:
    assert not holds_my_number("1-" * 1000 + "x")


@pytest.mark.parametrize(("digits", "last"), [("0613201", 3), ("13801", 6), ("0113001", 2)])
def test_the_check_digit_of_an_insurer_takes_two_and_one_in_turn(digits: str, last: int) -> None:
    assert insurer_check_digit(digits) == last


@pytest.mark.parametrize(
    "text",
    [
        "06132013",
        "番号は ０６１３２０１３。",
        "国保 138008",
        "1234-567890",
        "基礎年金番号：1234567890",
    ],
)
def test_a_number_of_an_insurer_or_a_pension_is_found(text: str) -> None:
    assert holds_insurer_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "06132015",  # another check digit
        "06482014",  # there is no prefecture 48
        "0865-00-0000",
        "2026-11-23",
        "R-261123-0001",
        "00138008",
        "1234567890",
        "1234-5678901",
        "138008-1",
    ],
)
def test_other_numbers_are_no_insurers(text: str) -> None:
    assert not holds_insurer_number(text)
