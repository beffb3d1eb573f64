"""PDF files for the tests, by hand: a few lines of the format, so that they can be wrong too."""

from __future__ import annotations

import io

from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

TOP = 780  # of a page's first line, in points
PITCH = 14


def written(*pages, size=11, title=None, outline=(), password=None, rotate=0):
    """A PDF of such lines: "words" at the left, or (x, y, "words"), or (x, y, size, "words")."""
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=A4, encrypt=password, invariant=1)
    if title is not None:
        canvas.setTitle(title)
    for number, lines in enumerate(pages):
        canvas.setPageRotation(rotate)
        if rotate % 180:  # reportlab turns the page's box too: turn it back
            canvas.setPageSize((A4[1], A4[0]))
        y = TOP
        for line in lines:
            x, at, points, words = (
                (72, y, size, line) if isinstance(line, str) else place(line, size)
            )
            canvas.setFont("Helvetica", points)
            canvas.drawString(x, at, words)
            y = at - PITCH
        for level, heading, page in outline:
            if page == number:
                canvas.bookmarkPage(heading)
                canvas.addOutlineEntry(heading, heading, level)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def place(line, size):
    return line if len(line) == 4 else (line[0], line[1], size, line[2])


def raw(*objects, root=1):
    """A PDF of such objects, numbered from 1, with its table."""
    out = bytearray(b"%PDF-1.7\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<</Size %d/Root %d 0 R>>\nstartxref\n" % (len(objects) + 1, root)
    return bytes(out + b"%d\n%%%%EOF\n" % table)


def stream(content, extra=b""):
    return b"<</Length %d%s>>\nstream\n%s\nendstream" % (len(content), extra, content)


FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
PAGE = (
    b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
    b"/Resources<</Font<</F1 5 0 R>>>>%s>>"
)


def one_page(
    *objects, content=b"BT /F1 11 Tf 72 700 Td (Martha is a zebra.) Tj ET", page=b"", catalog=b""
):
    """A PDF of one page; further objects count from 6."""
    return raw(
        b"<</Type/Catalog/Pages 2 0 R%s>>" % catalog,
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        PAGE % page,
        stream(content),
        FONT,
        *objects,
    )
