from __future__ import annotations

import csv
import datetime
import io
import json
import tracemalloc
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from peerdrift_nlp.errors import InputError, NoteReadError, UsageError
from peerdrift_nlp.io import Skipped, open_export
from peerdrift_nlp.types import Note

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


def notes(path: Path, **options: object) -> list[Note]:
    items = list(open_export(path, **options))  # type: ignore[arg-type]
    assert all(isinstance(item, Note) for item in items), items
    return items  # type: ignore[return-value]


def test_csv_with_all_columns(export) -> None:
    path = export(
        "notes.csv",
        "Note ID,Progress Note,Staff,Role,Program,Service Date,Status,Service Code,Client Name\r\n"
        '007,"Went to NA, then\r\nhome.",Wren,CRSS,North,3/7/24,Signed,H0038,Sam Doe\r\n'
        "008,NA,,,,,,,\r\n",
    )
    opened = open_export(path)
    first, second = opened
    assert first == Note(
        "007",
        "Went to NA, then\r\nhome.",
        {
            "worker": "Wren",
            "role": "CRSS",
            "program": "North",
            "date": "2024-03-07",
            "status": "Signed",
            "service": "H0038",
        },
    )
    assert second == Note("008", "NA")
    assert (opened.format, opened.encoding) == ("csv", "utf-8")
    assert "column 'Progress Note' read as text" in opened.notices
    assert "column 'Client Name' left out" in opened.notices
    assert list(opened) == [first, second], "an export can be read again"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters(export, delimiter: str) -> None:
    path = export("notes.csv", delimiter.join(["id", "text", "date"]) + "\n" + delimiter.join(["1", "a", "b"]) + "\n")
    assert notes(path) == [Note("1", "a", {"date": "b"})]


def test_the_delimiter_is_judged_by_what_the_header_means(export) -> None:
    assert notes(export("x.csv", "id;text, long, longer;note text\n1;a;b\n")) == [Note("1", "b")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_encodings(export, encoding: str) -> None:
    opened = open_export(export("notes.csv", "note_id,text\n1,He\u2019s \u201cfine\u201d\n", encoding))
    assert list(opened) == [Note("1", "He\u2019s \u201cfine\u201d")]
    assert opened.encoding == encoding
    assert ("read as cp1252" in opened.notices) == (encoding == "cp1252")


def test_encoding_can_be_given(export) -> None:
    path = export("notes.csv", "text\nna\u00efve\n", "cp437")
    assert notes(path, encoding="cp437") == [Note("row 2", "na\u00efve")]
    with pytest.raises(InputError, match="is not in the encoding utf-8; leave --encoding out"):
        open_export(path, encoding="utf-8")
    for wrong in ("utf-99", "rot13"):
        with pytest.raises(UsageError, match=f"unknown encoding '{wrong}'"):
            open_export(path, encoding=wrong)


def test_utf8_with_a_broken_character_stays_utf8(export) -> None:
    path = export("notes.csv", "note_id,text\n1,\u201ca\u201d \u2019\n".encode() + b"2,cut \xe2\x80\n")
    opened = open_export(path)
    assert [item.text for item in opened] == ["\u201ca\u201d \u2019", "cut \ufffd"]
    assert any("1 damaged characters" in notice for notice in opened.notices)


def test_bytes_that_cp1252_lacks_are_shown(export) -> None:
    opened = open_export(export("notes.csv", b"note_id,text\n1,caf\x82 \x81\n"))
    assert [item.text for item in opened] == ["caf\u201a \ufffd"]
    assert any(notice.startswith("read as cp1252; 1 unknown bytes") for notice in opened.notices)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(texts=st.lists(TEXTS, min_size=1, max_size=5), delimiter=st.sampled_from(",;\t|"))
def test_what_the_csv_module_writes_comes_back(tmp_path: Path, texts: list[str], delimiter: str) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter)
    writer.writerow(["note_id", "text"])
    writer.writerows([str(number), text] for number, text in enumerate(texts))
    path = tmp_path / "notes.csv"
    path.write_bytes(buffer.getvalue().encode())
    assert [item.text if isinstance(item, Note) else None for item in open_export(path)] == [
        text if text.replace("\0", "").strip() else None for text in texts
    ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(texts=st.lists(TEXTS, min_size=1, max_size=5), name=st.sampled_from(["a.jsonl", "a.json"]), indent=st.booleans())
def test_what_json_writes_comes_back(tmp_path: Path, texts: list[str], name: str, indent: bool) -> None:
    rows = [{"note_id": number, "text": text} for number, text in enumerate(texts)]
    array = json.dumps(rows, indent=2 if indent else None, ensure_ascii=indent)
    lines = "\n".join(json.dumps(row, ensure_ascii=indent) for row in rows)
    for content in (array, lines):
        path = tmp_path / name
        path.write_bytes(content.encode())
        assert [item.text if isinstance(item, Note) else "" for item in open_export(path)] == [
            text if text.replace("\0", "").strip() else "" for text in texts
        ]


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    content=st.binary(max_size=200) | st.builds(lambda data: b"id,text\n" + data, st.binary(max_size=200)),
    name=st.sampled_from(["a.csv", "a.tsv", "a.json", "a.jsonl", "a.xlsx", "a.txt"]),
)
def test_any_bytes_are_read_or_refused_in_words(tmp_path: Path, content: bytes, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    try:
        list(open_export(path))
    except InputError as error:
        assert name in str(error)


def test_lone_carriage_returns_and_nul_stay_in_the_text(export) -> None:
    assert notes(export("notes.csv", 'id,text\n1,"a\rb\0c\x0b\xa0"\n')) == [Note("1", "a\rb\0c\x0b\xa0")]


def test_pandas_csv(tmp_path: Path) -> None:
    path = tmp_path / "notes.csv"
    frame = pd.DataFrame({"note_id": ["007", "NA"], "text": ['He said "go,\nnow"', "N/A"]})
    frame.to_csv(path, index=False, quoting=csv.QUOTE_ALL)
    assert notes(path) == [Note("007", 'He said "go,\nnow"'), Note("NA", "N/A")]


def test_xlsx(tmp_path: Path) -> None:
    path = tmp_path / "notes.xlsx"
    book = openpyxl.Workbook()
    cover, sheet = book.active, book.create_sheet("Notes")
    cover.append(["Printed for the county"])
    hidden = book.create_sheet("Secret", 0)
    hidden.append(["text"])
    hidden.sheet_state = "hidden"
    sheet["B3"], sheet["C3"], sheet["D3"] = "Note ID", "Note Text", "Service Date"
    sheet["B4"], sheet["C4"], sheet["D4"] = "0042", "Went to NA_x000D_\nHome", datetime.datetime(2024, 3, 7)
    sheet["B7"], sheet["C7"], sheet["D7"] = 43, "=1+1", datetime.datetime(2024, 3, 7, 14, 30)
    sheet["C7"].data_type = "s"
    sheet["D8"] = 45358
    sheet["C9"] = True
    book.save(path)
    opened = open_export(path)
    assert list(opened) == [
        Note("0042", "Went to NA\r\nHome", {"date": "2024-03-07"}),
        Note("43", "=1+1", {"date": "2024-03-07"}),
        Skipped("row 8", "row 8", "no text"),
        Note("row 9", "TRUE"),
    ]
    assert opened.format == "xlsx"
    assert "sheet 'Notes' is read; not read: 'Sheet' (choose with --sheet)" in opened.notices
    assert "2 blank rows skipped" in opened.notices


def test_pandas_xlsx(tmp_path: Path) -> None:
    path = tmp_path / "notes.xlsx"
    pd.DataFrame({"note_id": ["007"], "text": ["NA"], "dos": [pd.Timestamp("2024-03-07")]}).to_excel(path, index=False)
    assert notes(path) == [Note("007", "NA", {"date": "2024-03-07"})]


def test_json_aliases_numbers_and_missing_keys(export) -> None:
    path = export(
        "notes.jsonl",
        '{"Note ID": 70000000000000000001, "Narrative": "a", "Staff": null}\n\n'
        '{"Note ID": 2.50, "Narrative": "b\\ud800", "Staff": "W"}\n'
        '{"Note ID": "3"}\n{"Note ID": "4", "Narrative": ["c"]}\n{"Note ID": "5", "Narrative": null}\n',
    )
    opened = open_export(path)
    first, second, missing, listed, null = opened
    assert first == Note("70000000000000000001", "a")
    assert second == Note("2.50", "b\ud800", {"worker": "W"})
    assert isinstance(missing, NoteReadError) and missing.where == "line 4"
    assert isinstance(listed, NoteReadError) and "holds no text" in listed.problem
    assert null == Skipped("line 6", "5", "no text")
    assert "1 blank rows skipped" in opened.notices


def test_a_pretty_object_in_json(export) -> None:
    assert notes(export("note.json", '{\n "id": "1",\n "text": "a"\n}\n')) == [Note("1", "a")]


def test_folder_of_text(tmp_path: Path) -> None:
    (tmp_path / "b 2.txt").write_bytes("He\u2019s in\r\n".encode("cp1252"))
    (tmp_path / "a1.TXT").write_bytes(b"\xef\xbb\xbfText")
    (tmp_path / "c.txt").write_bytes(b"  \n")
    (tmp_path / "d.txt").write_bytes(b"%PDF-1.7")
    (tmp_path / "e.xlsx").write_bytes(b"PK")
    (tmp_path / "._a1.txt").write_bytes(b"\0\1")
    opened = open_export(tmp_path)
    first, second, empty, pdf = opened
    assert (first, second) == (Note("a1", "Text"), Note("b 2", "He\u2019s in\r\n"))
    assert empty == Skipped("c.txt", "c", "no text")
    assert str(pdf).startswith("d.txt: is a PDF named .txt")
    assert opened.notices == [
        "not read, because they are not .txt, .docx, .rtf, .pdf, .hl7 or .xml of C-CDA: 1 of 5 files",
        "not UTF-8, so read as cp1252 or with damage shown as \ufffd: 1 of 4 files",
    ]


def test_reading_is_lazy(export) -> None:
    path = export("notes.csv", "id,text\n" + "1,a\n" * 100_000)
    assert next(iter(open_export(path))) == Note("1", "a")


@pytest.mark.parametrize("name", ["notes.csv", "notes.json", "notes.jsonl"])
def test_memory_stays_flat(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    row = json.dumps({"text": "walked " * 200})
    text = {"csv": "text\n" + ("walked " * 200 + "\n") * 10_000, "jsonl": f"{row}\n" * 10_000}
    path.write_text(text.get(name.partition(".")[2]) or "[" + ",".join([row] * 10_000) + "]")
    opened = open_export(path)
    tracemalloc.start()
    try:
        assert sum(isinstance(item, Note) for item in opened) == 10_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < path.stat().st_size / 3


def test_many_notes_of_one_id(export) -> None:
    items = notes(export("notes.csv", "id,text\n" + "1,a\n" * 50_000))
    assert (items[0].note_id, items[-1].note_id) == ("1", "1#50000")


def test_a_second_candidate_for_the_text_is_named(export) -> None:
    opened = open_export(export("notes.csv", "id,note,comments\n1,a,b\n"))
    assert "not read as text: 'comments' (choose with --map text=COLUMN)" in opened.notices
    assert notes(opened.path, columns={"text": "Comments"}) == [Note("1", "b")]
