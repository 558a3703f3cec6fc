"""Folders and zips of documents, made by real libraries and by hand."""

from __future__ import annotations

import io
import logging
import zipfile
from pathlib import Path

import docx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from pypdf import PdfReader, PdfWriter
from reportlab.pdfgen.canvas import Canvas

from peerdrift_nlp.errors import InputError, NoteReadError
from peerdrift_nlp.io import document, folder, open_export
from peerdrift_nlp.io.document import document_text
from peerdrift_nlp.types import Note

MARKER = "zebra marmalade"
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
RTF = rb"{\rtf1\ansi\ansicpg1252 Met Ana.\par She\'92s fine.\par}"


def word(*paragraphs: str, table: tuple[str, ...] = (), xml: str = "") -> bytes:
    made = docx.Document()
    for paragraph in paragraphs:
        made.add_paragraph(paragraph)
    if table:
        cells = made.add_table(1, len(table)).rows[0].cells
        for cell, text in zip(cells, table, strict=True):
            cell.text = text
    if xml:
        made.element.body.insert(0, etree.fromstring(f'<w:p xmlns:w="{WORD}">{xml}</w:p>'))
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue()


def pdf(*pages: str, password: str = "") -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer)
    for page in pages:
        for place, line in enumerate(page.splitlines()):
            canvas.drawString(72, 700 - 20 * place, line)
        canvas.rect(10, 10, 50, 50)
        canvas.showPage()
    canvas.save()
    if not password:
        return buffer.getvalue()
    writer = PdfWriter(clone_from=PdfReader(buffer))
    writer.encrypt(password, algorithm="RC4-128")
    locked = io.BytesIO()
    writer.write(locked)
    return locked.getvalue()


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def problem(name: str, data: bytes) -> str:
    with pytest.raises(NoteReadError) as caught:
        document_text(name, data)
    assert not any(word in f"{caught.value} {caught.value.__cause__}" for word in MARKER.split())
    return str(caught.value)


FILES = {
    "a.docx": word("Met Ana.", "She chose \u2019the\u2019 group."),
    "b.RTF": RTF,
    "c.pdf": pdf("Met Ana.\nWe walked."),
    "d.txt": b"Met Ana.\r\n",
    "2024/May/e.doc": RTF,
    "__MACOSX/d.txt": b"\0",
    ".hidden/f.txt": b"no",
    "~$a.docx": b"lock",
    "g.png": b"\x89PNG",
}
NOTES = [
    Note("e", "Met Ana.\nShe\u2019s fine."),
    Note("a", "Met Ana.\nShe chose \u2019the\u2019 group."),
    Note("b", "Met Ana.\nShe\u2019s fine."),
    Note("c", "Met Ana.\nWe walked."),
    Note("d", "Met Ana.\r\n"),
]


def test_a_folder_and_a_zip_of_documents(tmp_path: Path) -> None:
    for name, data in FILES.items():
        (tmp_path / "all" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "all" / name).write_bytes(data)
    for path, kind in ((tmp_path / "all", "folder"), (zipped(tmp_path / "all.zip", FILES), "zip")):
        opened = open_export(path)
        assert list(opened) == NOTES, kind
        assert list(opened) == NOTES, "again"
        assert opened.format == kind
        assert opened.notices == [
            "not read, because they are not .txt, .docx, .rtf, .pdf, .hl7 or .xml of C-CDA: 1 of 6 files"
        ]


def test_all_text_of_a_word_document_is_read_in_its_order() -> None:
    xml = (
        "<w:r><w:t>Saw </w:t></w:r><w:ins><w:r><w:t>her</w:t></w:r></w:ins><w:del><w:r><w:delText>him</w:delText></w:r></w:del>"
        "<w:sdt><w:sdtContent><w:r><w:tab/><w:t>today</w:t><w:br/><w:t>at noon.</w:t></w:r></w:sdtContent></w:sdt>"
        "<w:r><mc:AlternateContent xmlns:mc='http://schemas.openxmlformats.org/markup-compatibility/2006'>"
        "<mc:Choice><w:t>Box</w:t></mc:Choice><mc:Fallback><w:t>Box</w:t></mc:Fallback></mc:AlternateContent></w:r>"
    )
    text, notice = document_text("a.docx", word("Plan: call.", table=("Goal", "Walk more"), xml=xml))
    assert text == "Saw her\ttoday\nat noon.Box\nPlan: call.\nGoal\nWalk more"
    assert notice == ""


def test_pdf_without_text_with_a_password_and_with_blank_pages(tmp_path: Path) -> None:
    assert problem("a.pdf", pdf("", "")) == "a.pdf: is a PDF without text (a scan?): export its notes as text"
    assert problem("a.pdf", pdf(MARKER, password="s")) == "a.pdf: has a password: save it without one"
    path = zipped(tmp_path / "a.zip", {"a.pdf": pdf("Met Ana.", ""), "b.pdf": pdf(""), "c.pdf": pdf("b")})
    opened = open_export(path)
    first, scan, last = opened
    assert (first, last) == (Note("a", "Met Ana."), Note("c", "b"))
    assert isinstance(scan, NoteReadError) and scan.where == "b.pdf"
    assert opened.notices == ["with pages that hold no text (pictures?), which were not read: 1 of 3 files"]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.pdf", b"%PDF-1.7 " + MARKER.encode(), "a.pdf: is a damaged or unknown PDF ("),
        (
            "a.docx",
            MARKER.encode(),
            "a.docx: is damaged, protected or no Word document: save it again as .docx or .txt",
        ),
        ("a.docx", b"\xd0\xcf\x11\xe0" + bytes(600), "a.docx: is damaged, protected or no Word document"),
        ("a.doc", b"\xd0\xcf\x11\xe0" + bytes(600), "a.doc: is no RTF document: save it as .docx or .txt"),
        ("a.rtf", MARKER.encode(), "a.rtf: is no RTF document"),
        (
            "a.rtf",
            rb"{\rtf1 " + MARKER.encode() + rb" \u99999999999999999999 }",
            "a.rtf: holds RTF that cannot be read",
        ),
        ("a.txt", b"PK\x03\x04", "a.txt: is a zip archive or Excel workbook named .txt"),
    ],
)
def test_a_document_that_cannot_be_read_says_why(name: str, data: bytes, message: str) -> None:
    assert problem(name, data).startswith(message)


def test_other_zip_archives_are_no_word_documents(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.docx", {"word/document.xml": b"<a/>"})
    assert "no Word document" in problem("a.docx", path.read_bytes())


def test_large_and_lying_archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = zipped(tmp_path / "a.docx", {"word/document.xml": b" " * 30_000_000})
    monkeypatch.setattr(document, "MAX_UNPACKED", 20_000_000)
    assert "unpacks to more than 19 MB" in problem("a.docx", bomb.read_bytes())
    many = zipped(tmp_path / "a.zip", {f"{n}.txt": b" " * 1000 for n in range(100)} | {"b.txt": b"walk " * 1_000_000})
    *_, huge = open_export(many)
    assert str(huge) == "b.txt: is longer than 1,000,000 characters: split it into notes"
    monkeypatch.setattr(folder, "MAX_UNPACKED", 50_000)
    with pytest.raises(InputError, match="a.zip unpacks to more than 0 GB"):
        open_export(many)
    monkeypatch.setattr(document, "MAX_BYTES", 1000)
    assert problem("a.pdf", pdf("Met Ana.")) == "a.pdf: is larger than 0 MB: save its text as .txt"


def test_damage_and_passwords_in_an_archive(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("a.txt", "b.txt", "c\n.txt"):
            archive.writestr(name, f"{MARKER} {name[0]}")
    whole = path.read_bytes()
    path.write_bytes(whole.replace(f"{MARKER} a".encode(), f"{MARKER} x".encode()))
    damaged, second, third = open_export(path)
    assert str(damaged) == "a.txt: is damaged: make the archive again"
    assert (second, third) == (Note("b", f"{MARKER} b"), Note("c_", f"{MARKER} c"))
    directory = whole.index(b"PK\x01\x02")
    path.write_bytes(whole[: directory + 8] + b"\x01" + whole[directory + 9 :])
    assert str(next(iter(open_export(path)))) == "a.txt: has a password: unpack the archive and name the folder"
    path.write_bytes(whole[:-30])
    with pytest.raises(InputError, match="a.zip is a damaged zip archive"):
        open_export(path)
    with pytest.raises(
        InputError, match="b.zip holds no .txt, .docx, .rtf, .pdf, .hl7 or .xml of C-CDA files: name the export itself"
    ):
        open_export(zipped(tmp_path / "b.zip", {"notes.csv": b"text\na"}))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.data())
def test_damaged_documents_raise_only_what_a_note_may(caplog: pytest.LogCaptureFixture, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["a.docx", "b.RTF", "c.pdf"]))
    content = bytearray(FILES[name])
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)) | st.just(len(content)))
    with caplog.at_level(logging.DEBUG):
        try:
            document_text(name, bytes(content[:cut]))
        except NoteReadError as error:
            assert error.where == name
    assert not caplog.records
