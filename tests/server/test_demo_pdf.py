"""The hand-written PDF is one that readers accept."""

import re
from datetime import UTC, datetime

from files.kinds import PDF, media_type_of
from server.demo.pdf import application_pdf

AT = datetime(2026, 11, 23, 1, 2, tzinfo=UTC)


def test_the_service_takes_it_for_a_pdf() -> None:
    pdf = application_pdf("R-261123-0001", AT)
    assert media_type_of(pdf, pdf) == PDF


def test_every_offset_of_the_table_points_at_its_object() -> None:
    pdf = application_pdf("R-261123-0001", AT)
    offsets = [int(found) for found in re.findall(rb"(\d{10}) 00000 n", pdf)]
    assert len(offsets) == 5
    for number, offset in enumerate(offsets, start=1):
        assert pdf[offset:].startswith(b"%d 0 obj" % number)


def test_the_last_lines_lead_to_the_table() -> None:
    pdf = application_pdf("R-261123-0001", AT)
    start = int(pdf.split(b"startxref\n")[1].split()[0])
    assert pdf[start:].startswith(b"xref\n")
    assert pdf.endswith(b"%%EOF\n")


def test_the_stated_length_of_the_page_is_true() -> None:
    pdf = application_pdf("R-261123-0001", AT)
    length = int(re.search(rb"/Length (\d+)", pdf)[1])  # type: ignore[index]
    assert len(pdf.split(b">>\nstream\n")[1].split(b"\nendstream")[0]) == length


def test_brackets_in_a_number_do_not_break_the_page() -> None:
    assert rb"Call: \(R\)" in application_pdf("(R)", AT)
