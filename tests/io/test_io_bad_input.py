from __future__ import annotations

import json
import zipfile
from pathlib import Path

import openpyxl
import pytest

from peerdrift_nlp.errors import InputError, NoteReadError, PeerdriftError
from peerdrift_nlp.io import Export, Skipped, open_export, workbook
from peerdrift_nlp.types import Note

MARKER = "zebra marmalade confession"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
SPREADSHEET = "urn:schemas-microsoft-com:office:spreadsheet"
HTML = f"<html><body><table><tr><td>Note Text</td></tr><tr><td>{MARKER}</td></tr></table>"


def read(path: Path) -> tuple[Export, list[Note | NoteReadError | Skipped]]:
    """Read all; nothing said on the way may quote a note."""
    opened = open_export(path)
    items = list(opened)
    said = [*opened.notices, *(str(item) for item in items if not isinstance(item, Note))]
    assert not any(word in line for line in said for word in MARKER.split()), said
    return opened, items


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        open_export(path)
    said = f"{caught.value} {caught.value.__cause__}"
    assert not any(word in said for word in MARKER.split()), said
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "a.csv is empty (0 bytes): export it again"),
        ("a.json", b" \n ", "a.json is empty"),
        ("a.csv", b"\n , \n\n", "a.csv has no row with column names"),
        ("a.csv", b"note_id,text\n\n,\n", "a.csv has column names but no notes below them"),
        ("a.csv", b"id,what\n1,x\n", "its columns are 'id', 'what'. Say which one it is with --map text=COLUMN"),
        ("a.csv", f"0042,Seen {MARKER}\n".encode(), "a.csv: no column looks like the note text; its first row"),
        ("a.csv", bytes(range(256)) * 40, "a.csv is not text (binary data)"),
        ("a.csv", b"PK\x03\x04" + bytes(90), "a zip archive or Excel workbook named .csv: if it is a workbook, rename"),
        ("a.csv", HTML, "a.csv is an HTML page named .csv: open it in Excel and save it as .xlsx or .csv"),
        (
            "a.xlsx",
            f"<html><p>{MARKER}</p>",
            "a.xlsx is an HTML page without a table (a login page?): export the notes",
        ),
        ("a.html", "<html><table><tr><td></td></tr></table>", "a.html is an HTML page without a table"),
        ("a.html", f"<table><tr><td>{MARKER}</td></tr></table>", "a.html is an HTML page without a table"),
        ("a.xlsx", '<?xml version="1.0"?><Workbook/>', "a.xlsx is an XML file named .xlsx"),
        ("a.xlsx", f"id,text\n1,{MARKER}\n", "no Excel workbook: if it is a table in plain text, rename it to .csv"),
        ("a.xlsx", b"PK\x03\x04" + MARKER.encode() * 30, "a.xlsx is damaged or no workbook"),
        ("a.csv", OLE, "an old Excel workbook (.xls) or one with a password named .csv"),
        ("a.xlsx", OLE, "a.xlsx is damaged or has a password (CompDocError): open it in Excel and save it as"),
        (
            "a.xls",
            OLE,
            "a.xls is damaged or has a password (CompDocError): open it in Excel and save it as .xlsx or .csv",
        ),
        ("a.xls", f"<Workbook xmlns='{SPREADSHEET}'>{MARKER}<", "a.xls is damaged XML (line 1): open it in Excel"),
        ("a.xls", f"<Workbook xmlns='{SPREADSHEET}'></Workbook>", "a.xls has no cells in any visible sheet"),
        ("a.xml", '<?xml version="1.0"?><Bundle/>', "a.xml is an XML file named .xml"),
        ("a.xml", "text", "a.xml is not what its name says (.xml)"),
        ("a.parquet", "text", "a.parquet is not what its name says (.parquet)"),
        ("a.parquet", b"PAR1" + MARKER.encode() + b"PAR1", "a.parquet is damaged or no Parquet file"),
        ("a.pdf", b"%PDF-1.7", "a.pdf is a PDF: export the notes as .csv or .xlsx"),
        ("a.docx", b"PK\x03\x04" + bytes(90), "a.docx is of no known kind (.docx): export the notes as .csv, .tsv"),
        ("a.txt", MARKER, "put single notes into a folder and name the folder"),
        ("notes", MARKER, "notes is of no known kind (no extension)"),
        ("a.jsonl", f'["{MARKER}"]', "none of the first items are JSON objects"),
        ("a.jsonl", f"{MARKER}\n", "none of the first lines are JSON objects"),
        ("a.json", f'{{"items": ["{MARKER}"]}}', "its columns are 'items'"),
    ],
)
def test_refused_with_what_and_how_to_mend_it(export, name: str, content: str | bytes, message: str) -> None:
    assert message in refusal(export(name, content))


def test_missing_file_and_folder_without_notes(tmp_path: Path) -> None:
    assert "does not exist: check the path" in refusal(tmp_path / "none.csv")
    assert "holds no .txt, .docx, .rtf, .pdf, .hl7 or .xml of C-CDA files: name the export itself" in refusal(tmp_path)


def test_broken_rows_do_not_end_the_run(export) -> None:
    path = export(
        "a.csv",
        f"id,text,worker\n1,a,w\n\n2,{MARKER}\n3,{MARKER},w,{MARKER}\n4,b,w,,\n5,,w\n,c,w\n1,d,w\n1,e,w\n",
    )
    opened, items = read(path)
    short, long = items[1], items[2]
    assert isinstance(short, NoteReadError) and isinstance(long, NoteReadError)
    assert (short.where, long.where) == ("row 4", "row 5")
    assert "has 2 cells where the header has 3" in short.problem
    assert [items[0], *items[3:]] == [
        Note("1", "a", {"worker": "w"}),
        Note("4", "b", {"worker": "w"}),
        Skipped("row 7", "5", "no text"),
        Note("row 8", "c", {"worker": "w"}),
        Note("1#2", "d", {"worker": "w"}),
        Note("1#3", "e", {"worker": "w"}),
    ]
    assert "1 blank rows skipped" in opened.notices
    assert "2 notes had the id of an earlier one and were named ID#2, ID#3, ..." in opened.notices


def test_a_made_up_id_does_not_meet_a_real_one(export) -> None:
    _, items = read(export("a.csv", "id,text\n1,a\n1#2,b\n1,c\nrow 6,d\n,e\n"))
    assert [item.note_id for item in items] == ["1", "1#2", "1#3", "row 6", "row 6#2"]


def test_ten_megabytes_in_one_cell(export) -> None:
    path = export("a.csv", f'id,text\n1,a\n2,"{(MARKER + chr(10)) * 400_000}"\n3,b\n')
    _, (first, huge, last) = read(path)
    assert (first, last) == (Note("1", "a"), Note("3", "b"))
    assert isinstance(huge, NoteReadError) and huge.where == "row 3"
    assert "10,800,000 characters, more than 1,000,000" in huge.problem


def test_ten_megabytes_in_json_and_text(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps([{"text": "a"}, {"text": MARKER * 400_000}, {"text": "b"}]))
    _, (first, huge, last) = read(tmp_path / "a.json")
    assert (first, last) == (Note("item 1", "a"), Note("item 3", "b"))
    assert isinstance(huge, NoteReadError) and huge.where == "item 2"
    (tmp_path / "a.txt").write_text(MARKER * 400_000)
    _, (only,) = read(tmp_path)
    assert isinstance(only, NoteReadError) and "a.txt: is longer than 1,000,000 characters" in str(only)


def test_a_million_blank_rows(export) -> None:
    opened, items = read(export("a.csv", "id,text\n1,a\n" + ",\n" * 500_000 + "\n" * 500_000 + "2,b\n"))
    assert items == [Note("1", "a"), Note("2", "b")]
    assert "1,000,000 blank rows skipped" in opened.notices


def test_an_endless_quotation_says_what_was_lost(export) -> None:
    _, items = read(export("a.csv", f'id,text\n1,a\n2,"{MARKER}\n3,{MARKER}\n4,{MARKER}\n'))
    assert items[0] == Note("1", "a")
    assert isinstance(items[1], NoteReadError) and items[1].where == "row 3"
    assert "never closed, so lines 3 to 5 of the file were taken for one cell" in items[1].problem
    assert len(items) == 2


def test_a_quotation_beyond_the_limit_of_the_parser(export, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("csv.field_size_limit", lambda *_: 0)
    import _csv

    before = _csv.field_size_limit(1000)
    try:
        _, items = read(export("a.csv", 'id,text\n1,a\n2,"' + (MARKER + "\n") * 100 + '"\n3,b\n'))
    finally:
        _csv.field_size_limit(before)
    assert len(items) == 2 and isinstance(items[1], NoteReadError) and "nothing below was read" in items[1].problem


def test_broken_json_line_and_array(export) -> None:
    _, items = read(export("a.jsonl", f'{{"text": "a"}}\n{{"text": "{MARKER}\n{MARKER}\n7\n{{"text": "b"}}\n'))
    assert [item.where for item in items if isinstance(item, NoteReadError)] == ["line 2", "line 3", "line 4"]
    assert [item.text for item in items if isinstance(item, Note)] == ["a", "b"]
    _, items = read(export("a.json", f'[{{"text": "a"}}, 7, {{"text": "{MARKER}" oops}}, {{"text": "b"}}]'))
    assert items[0] == Note("item 1", "a")
    assert [str(item) for item in items[1:]] == [
        "item 2: is not a JSON object",
        "item 3: is cut off or not valid JSON; nothing from here on was read",
    ]
    for rest in ("", ",", ', {"text": ', "[" * 100_000):
        _, items = read(export("b.json", '[{"text": "a"}' + rest))
        assert items[0] == Note("item 1", "a") and isinstance(items[1], NoteReadError), rest[:9]


def test_zip_bombs_are_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b" " * 30_000_000)
    monkeypatch.setattr(workbook, "MAX_UNPACKED", 20_000_000)
    assert "bomb.xlsx unpacks to more than 19 MB and was not opened" in refusal(path)
    size = (30_000_000).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(size, (3000).to_bytes(4, "little")))
    assert "bomb.xlsx unpacks to more than 19 MB and was not opened" in refusal(path)


def test_a_cell_at_the_far_end_of_a_sheet_is_no_reason_to_fall_over(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active["A1"], book.active["A2"], book.active["XFD1048576"] = "text", MARKER, " "
    book.save(tmp_path / "far.xlsx")
    assert "a cell far away from its table (1,048,576 rows by 16,384 columns)" in refusal(tmp_path / "far.xlsx")


@pytest.mark.parametrize("place", ['c r="A99999999999999999999"', 'c r="xfd1048576"', 'row r="99999999"'])
def test_a_cell_at_a_place_that_no_sheet_has(tmp_path: Path, place: str) -> None:
    book = openpyxl.Workbook()
    for text in ("text", MARKER):
        book.active.append([text])
    book.save(tmp_path / "a.xlsx")
    with zipfile.ZipFile(tmp_path / "a.xlsx") as whole, zipfile.ZipFile(tmp_path / "b.xlsx", "w") as changed:
        for name in whole.namelist():
            old = b'row r="2"' if place.startswith("row") else b'c r="A2"'
            changed.writestr(name, whole.read(name).replace(old, place.encode()))
    assert "a cell far away from its table" in refusal(tmp_path / "b.xlsx")


def test_a_count_that_no_workbook_has(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr("xl/sharedStrings.xml", '<sst count="0" uniqueCount="4294967295"></sst>')
    assert "a.xlsx is damaged (an impossible count): open it in Excel" in refusal(tmp_path / "a.xlsx")


def test_a_workbook_without_cells_or_with_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    openpyxl.Workbook().save(path)
    assert "has no cells in any visible sheet" in refusal(path)
    book = openpyxl.Workbook()
    book.active.append(["text"])
    book.save(path)
    assert "column names but no notes" in refusal(path)
    path.write_bytes(path.read_bytes()[:-200])
    assert "is damaged" in refusal(path)


def test_no_error_keeps_the_bytes_of_a_note(export) -> None:
    path = export("a.csv", f"text\n{MARKER} \xe9\n", "cp1252")
    with pytest.raises(PeerdriftError) as caught:
        open_export(path, encoding="utf-8")
    assert caught.value.__cause__ is None and caught.value.__context__ is None
