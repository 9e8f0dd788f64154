"""What a chat message may say."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.message import MAX_CHARACTERS, check_client_id, clean_text
from security.errors import ProtocolError, TooMuch


@pytest.mark.parametrize(
    "text", ["a", "用紙をもう少し手前に\nお願いします", "one\ttwo", "👩‍👩‍👧", "x" * MAX_CHARACTERS]
)
def test_plain_text_passes_unchanged(text: str) -> None:
    assert clean_text(text) == text


def test_characters_are_counted_as_code_points_and_not_bytes() -> None:
    assert clean_text("字" * MAX_CHARACTERS) == "字" * MAX_CHARACTERS
    with pytest.raises(TooMuch) as caught:
        clean_text("字" * (MAX_CHARACTERS + 1))
    assert (caught.value.code, caught.value.limit) == ("too_long", 2_000)


def test_text_is_composed_before_it_is_counted() -> None:
    assert clean_text("か\u3099" * MAX_CHARACTERS) == "が" * MAX_CHARACTERS


@pytest.mark.parametrize("text", ["one\r\ntwo", "one\rtwo"])
def test_every_line_end_becomes_a_newline(text: str) -> None:
    assert clean_text(text) == "one\ntwo"


@pytest.mark.parametrize("text", ["", " ", "\n\t", "\u3000"])
def test_a_blank_message_is_refused(text: str) -> None:
    with pytest.raises(ProtocolError):
        clean_text(text)


@pytest.mark.parametrize("character", ["\0", "\x07", "\x1b", "\x7f", "\x85", "\ud800"])
def test_control_characters_and_half_surrogates_are_refused(character: str) -> None:
    with pytest.raises(ProtocolError):
        clean_text(f"a{character}b")


@given(st.text(st.characters(), max_size=2_100))
def test_any_text_becomes_clean_text_or_a_named_error(text: str) -> None:
    try:
        clean = clean_text(text)
    except (ProtocolError, TooMuch):
        return
    assert 1 <= len(clean) <= MAX_CHARACTERS
    assert clean == unicodedata.normalize("NFC", clean)
    assert clean_text(clean) == clean
    clean.encode()


@pytest.mark.parametrize("client_id", ["", "a" * 65, "a b", "あ", "a\n", "a/b"])
def test_a_message_id_of_another_form_is_refused(client_id: str) -> None:
    with pytest.raises(ProtocolError):
        check_client_id(client_id)
