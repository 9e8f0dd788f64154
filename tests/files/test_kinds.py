"""What bytes are: bytes win over names, and a second meaning is refused."""

import contextlib
import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from files.kinds import HEAD_BYTES, JPEG, PDF, PNG, TAIL_BYTES, media_type_of
from security.errors import ProtocolError
from tests.files.conftest import encoded, pdf, pixels


def _kind(content: bytes) -> str:
    return media_type_of(content[:HEAD_BYTES], content[-TAIL_BYTES:])


def _zip(content: bytes = b"alert(1)") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.js", content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (pdf(), PDF),
        (pdf(200_000), PDF),
        (pdf()[:-1], PDF),
        (pdf() + b"\r\n\0", PDF),
        (pdf().replace(b"%PDF-1.7", b"%PDF-2.0"), PDF),
        (encoded(".jpg", pixels()), JPEG),
        (encoded(".png", pixels()), PNG),
    ],
)
def test_the_three_kinds_are_known_by_their_bytes(content: bytes, kind: str) -> None:
    assert _kind(content) == kind


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"%PDF-",
        b"hello",
        b"<html><script>alert(1)</script>",
        b"\n" + pdf(),
        b"<html>" + pdf(),
        b"%PDF-9.9" + pdf()[8:],
        b"GIF89a" + bytes(100),
        b"RIFF\0\0\0\0WEBPVP8 " + bytes(100),
        b"\x7fELF" + bytes(100),
        b"MZ" + bytes(100),
        b"\xff\xd8",
        b"\x89PNG\n",
        _zip(),
    ],
)
def test_anything_else_is_a_wrong_type(content: bytes) -> None:
    with pytest.raises(ProtocolError) as caught:
        _kind(content)
    assert caught.value.code == "wrong_type"


def test_a_pdf_that_is_cut_short_is_refused() -> None:
    with pytest.raises(ProtocolError):
        _kind(pdf(5_000)[:4_000])


def test_a_pdf_with_an_archive_behind_it_is_refused() -> None:
    with pytest.raises(ProtocolError):
        _kind(pdf() + _zip())


def test_a_pdf_with_an_archive_inside_is_refused_though_it_ends_as_a_pdf() -> None:
    content = pdf() + _zip() + b"\nendstream\n%%EOF\n"
    with zipfile.ZipFile(io.BytesIO(content)) as archive:  # this is why
        assert archive.namelist() == ["a.js"]
    with pytest.raises(ProtocolError):
        _kind(content)


def test_a_pdf_with_script_behind_its_end_is_refused() -> None:
    with pytest.raises(ProtocolError):
        _kind(pdf() + b"<script>alert(1)</script>")


def test_the_four_bytes_of_an_archive_alone_do_not_refuse_a_pdf() -> None:
    content = pdf(3_000)
    assert _kind(content[:500] + b"PK\x05\x06" + b"\xff" * 30 + content[500:]) == PDF


@given(st.binary(max_size=200), st.sampled_from([b"", b"%PDF-1.4", b"\xff\xd8\xff", b"\x89PNG"]))
def test_any_bytes_are_a_kind_or_a_wrong_type(content: bytes, start: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        assert _kind(start + content) in {PDF, JPEG, PNG}
