"""File names fit to be shown and saved."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from files.names import MAX_NAME_BYTES, clean_name, name_for


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("申請書.pdf", "申請書.pdf"),
        ("/etc/passwd", "passwd"),
        ("C:\\Users\\x\\写真.JPG", "写真.JPG"),
        ("../../..", "file"),
        ("", "file"),
        ("a\0b\r\nc.pdf", "ab c.pdf"),
        ("a\u202egpj.exe", "agpj.exe"),
        ("か\u3099.png", "が.png"),
        ("  a   b .pdf ", "a b .pdf"),
        (".hidden", "hidden"),
        ("a \u200b b.pdf", "a b.pdf"),
        ("e\u200b\u0301.pdf", "é.pdf"),
        ('a<b>:"c|?*.pdf', "a_b___c___.pdf"),
        ("全角　空白.pdf", "全角 空白.pdf"),
    ],
)
def test_a_name_is_cleaned(raw: str, clean: str) -> None:
    assert clean_name(raw) == clean


def test_a_long_name_keeps_its_suffix_and_whole_characters() -> None:
    name = clean_name("書" * 200 + ".pdf")
    assert name == "書" * 83 + ".pdf"
    assert len(name.encode()) <= MAX_NAME_BYTES


@given(st.text(st.characters(), max_size=400))
def test_any_text_becomes_a_safe_name(raw: str) -> None:
    name = clean_name(raw)
    assert 1 <= len(name.encode()) <= MAX_NAME_BYTES
    assert not set(name) & set('/\\<>:"|?*\n\r\0')
    assert not any(unicodedata.category(c).startswith("C") for c in name)
    assert name == clean_name(name)


@pytest.mark.parametrize(
    ("name", "media_type", "expected"),
    [
        ("a.pdf", "application/pdf", "a.pdf"),
        ("a.PDF", "application/pdf", "a.PDF"),
        ("a.jpeg", "image/jpeg", "a.jpeg"),
        ("a.exe", "application/pdf", "a.exe.pdf"),
        ("写真.png", "image/jpeg", "写真.png.jpg"),
        ("file", "image/png", "file.png"),
    ],
)
def test_the_suffix_tells_what_the_bytes_are(name: str, media_type: str, expected: str) -> None:
    assert name_for(name, media_type) == expected


def test_a_suffix_is_added_to_the_longest_name() -> None:
    name = name_for("a" * 255, "image/png")
    assert name.endswith(".png")
    assert len(name.encode()) == MAX_NAME_BYTES
