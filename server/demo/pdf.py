"""A small valid PDF, written by hand: the application that the simulated resident sends. Pure."""

from datetime import datetime

A4_POINTS = (595, 842)


def application_pdf(number: str, at: datetime) -> bytes:
    """Return a one-page PDF 1.4 that names the call `number` and says SPECIMEN.

    `number` and everything else printed is ASCII: the page uses the built-in Helvetica.
    """
    lines = (
        (28, "SPECIMEN - MIHON"),
        (16, "Application for a card (demonstration, no legal effect)"),
        (12, f"Call: {number}"),
        (12, f"Sent: {at:%Y-%m-%d %H:%M} UTC"),
        (12, "Name: MIHON HYOJI"),
        (12, "Address: 1-2-3 Kaku-cho, Kaku-shi (fictional)"),
        (8, "This line is 8 points high. If you can read it, the file arrived whole."),
    )
    width, height = A4_POINTS
    stream = _content(lines, top=height - 96)
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>" % (width, height),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    return _assemble(objects)


def _content(lines: tuple[tuple[int, str], ...], *, top: int) -> bytes:
    drawn: list[bytes] = []
    y = top
    for size, text in lines:
        drawn.append(b"BT /F1 %d Tf 64 %d Td (%s) Tj ET" % (size, y, _escaped(text)))
        y -= size * 2
    return b"\n".join(drawn)


def _escaped(text: str) -> bytes:
    plain = text.encode("ascii", "replace")
    return plain.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


def _assemble(objects: tuple[bytes, ...]) -> bytes:
    """Write header, objects, cross-reference table and trailer (ISO 32000-1 section 7.5)."""
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets: list[int] = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table_at = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for offset in offsets:
        out += b"%010d 00000 n \n" % offset
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\n" % (len(objects) + 1)
    out += b"startxref\n%d\n%%%%EOF\n" % table_at
    return bytes(out)
