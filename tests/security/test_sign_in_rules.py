"""The rules beneath signing in: passwords, tokens, codes. Pure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from security.errors import ProtocolError
from security.password_rule import check_password, normal_form
from security.tokens import (
    CODE_ALPHABET,
    code_hash,
    csrf_matches,
    csrf_token,
    new_code,
    new_token,
    token_hash,
)


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("elevenchars", "too_short"),
        ("", "too_short"),
        ("x" * 257, "too_long"),
        ("Administrator", "is_login"),
        ("password1234", "too_common"),
        ("PASSWORD1234", "too_common"),
        ("ｐａｓｓｗｏｒｄ１２３４", "too_common"),
        ("aaaaaaaaaaaaaaa", "too_common"),
        ("ababababababab", "too_common"),
    ],
)
def test_a_weak_password_is_refused_with_its_reason(password: str, code: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        check_password(password, "administrator")
    assert caught.value.code == "weak_password"
    assert code in [reason.code for reason in caught.value.reasons]


def test_every_reason_is_given_at_once() -> None:
    with pytest.raises(ProtocolError) as caught:
        check_password("abc", "abc")
    assert [r.code for r in caught.value.reasons] == ["too_short", "is_login", "too_common"]


@pytest.mark.parametrize("password", ["twelve-chars", "ながくておぼえやすいことば", "x1y2z3" * 40])
def test_a_long_enough_password_is_taken(password: str) -> None:
    check_password(password, "yamada")


@given(st.text(st.characters()), st.text())
def test_any_text_is_taken_or_refused(password: str, login: str) -> None:
    try:
        check_password(password, login)
    except ProtocolError as error:
        weak = error.code == "weak_password"
    else:
        weak = False
    assert weak or 12 <= len(normal_form(password)) <= 256


@given(st.text(), st.text())
def test_a_csrf_token_fits_its_session_alone(token: str, other: str) -> None:
    assert csrf_matches(token, csrf_token(token))
    assert csrf_matches(token, csrf_token(other)) == (token == other)
    assert not csrf_matches(token, other)


def test_tokens_have_256_bits_and_are_hashed() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(len(token) == 43 for token in tokens)
    assert token_hash("a") == "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"


def test_codes_are_shown_in_two_groups_without_mistakable_signs() -> None:
    for _ in range(100):
        left, right = new_code().split("-")
        assert len(left) == len(right) == 4
        assert set(left + right) <= set(CODE_ALPHABET)
    assert not set("0O1IL") & set(CODE_ALPHABET)


def test_a_code_is_the_same_however_it_is_typed() -> None:
    forms = ["ABCD-EFGH", "abcdefgh", " abcd efgh ", "ABCD−EFGH"]
    assert len({code_hash(form) for form in forms}) == 1
    assert code_hash("ABCD-EFGH") != code_hash("ABCD-EFGJ")
    assert code_hash("ABCDEFGH") != token_hash("ABCDEFGH")
