"""Damaged exports of every kind: read in part or refused, with the project's own errors and no word of a note."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import docx
import pandas as pd
import pytest
import xlwt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reportlab.pdfgen.canvas import Canvas

from peerdrift_nlp.errors import InputError, NoteReadError, PeerdriftError
from peerdrift_nlp.io import Skipped, open_export
from peerdrift_nlp.types import Note

MARKER = "xylorimba"
ROWS = [
    ["Note ID", "Staff", "Progress Note"],
    *([str(n), "Wren", f"Met with Ana about the {MARKER}."] for n in range(5)),
]
FRAME = pd.DataFrame(ROWS[1:], columns=ROWS[0])


def _xls() -> bytes:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Notes")
    for number, cells in enumerate(ROWS):
        for place, cell in enumerate(cells):
            sheet.write(number, place, cell)
    return _saved(book.save)


def _docx() -> bytes:
    made = docx.Document()
    made.add_paragraph(ROWS[1][2])
    return _saved(made.save)


def _pdf() -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer)
    canvas.drawString(72, 700, ROWS[1][2])
    canvas.save()
    return buffer.getvalue()


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (
            ("a.docx", _docx()),
            ("b.pdf", _pdf()),
            ("c.txt", ROWS[1][2]),
            ("d.rtf", rf"{{\rtf1 {MARKER}}}"),
        ):
            archive.writestr(name, data)
    return buffer.getvalue()


def _spreadsheetml() -> bytes:
    rows = "".join(
        "<Row>" + "".join(f'<Cell><Data ss:Type="String">{cell}</Data></Cell>' for cell in cells) + "</Row>"
        for cells in ROWS
    )
    uri = "urn:schemas-microsoft-com:office:spreadsheet"
    return f'<Workbook xmlns="{uri}" xmlns:ss="{uri}"><Worksheet ss:Name="N"><Table>{rows}</Table></Worksheet></Workbook>'.encode()


def _fhir() -> bytes:
    data = "eHlsb3JpbWJh"
    content = [{"attachment": {"contentType": "text/plain", "data": data}}]
    resource = {"resourceType": "DocumentReference", "id": "1", "status": "current", "content": content}
    return json.dumps({"resourceType": "Bundle", "entry": [{"resource": resource}] * 3}).encode()


def _saved(save: Callable[[io.BytesIO], object]) -> bytes:
    buffer = io.BytesIO()
    save(buffer)
    return buffer.getvalue()


MAKERS: dict[str, Callable[[], bytes]] = {
    "csv": lambda: FRAME.to_csv(index=False).encode(),
    "tsv": lambda: FRAME.to_csv(index=False, sep="\t").encode("utf-16"),
    "json": lambda: FRAME.to_json(orient="records").encode(),
    "jsonl": lambda: FRAME.to_json(orient="records", lines=True).encode(),
    "ndjson": _fhir,
    "xlsx": lambda: _saved(lambda file: FRAME.to_excel(file, index=False)),
    "xls": _xls,
    "xml": _spreadsheetml,
    "html": lambda: FRAME.to_html(index=False).encode(),
    "parquet": lambda: _saved(FRAME.to_parquet),
    "zip": _zip,
}
made = cache(lambda kind: MAKERS[kind]())
CHANGES = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(max_size=4), st.integers(0, 4)), max_size=6)


def damaged(content: bytes, changes: list[tuple[float, bytes, int]], keep: float) -> bytes:
    """``content`` with some bytes put in the place of others, and cut."""
    for place, new, old in changes:
        at = int(place * len(content))
        content = content[:at] + new + content[at + old :]
    return content[: round(keep * len(content))]


@pytest.mark.parametrize("kind", MAKERS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(changes=CHANGES, keep=st.just(1.0) | st.floats(0, 1))
def test_damaged_exports(tmp_path: Path, kind: str, changes: list[tuple[float, bytes, int]], keep: float) -> None:
    path = tmp_path / f"a.{kind}"
    path.write_bytes(damaged(made(kind), changes, keep))
    try:
        opened = open_export(path)
        items = list(opened)
    except InputError as error:
        # Column names are quoted; the first row may hold a note only where its damage made it one.
        assert "a." in str(error) and (MARKER not in str(error) or "columns are" in str(error))
        return
    assert all(isinstance(item, Note | NoteReadError | Skipped) for item in items)
    assert not any(MARKER in str(item) for item in items if isinstance(item, NoteReadError))
    assert all(isinstance(notice, str) for notice in opened.notices)


@pytest.mark.parametrize("kind", MAKERS)
def test_whole_exports(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"a.{kind}"
    path.write_bytes(made(kind))
    items = list(open_export(path))
    assert items and all(isinstance(item, Note) and MARKER in item.text for item in items)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
@given(
    kind=st.sampled_from([*MAKERS, "xlsm", "htm", "pq", "tab", "txt", "docx"]),
    start=st.sampled_from(
        [
            b"",
            b"PK\x03\x04",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            b"PAR1",
            b"<table>",
            b"<?xml?>",
            b"%PDF-",
            b"{",
            b"\xff\xfe",
        ]
    ),
    rest=st.binary(max_size=200),
)
def test_any_bytes(tmp_path: Path, kind: str, start: bytes, rest: bytes) -> None:
    path = tmp_path / f"a.{kind}"
    path.write_bytes(start + rest)
    try:
        list(open_export(path, join_on="id"))
    except PeerdriftError as error:
        assert "a." in str(error)
