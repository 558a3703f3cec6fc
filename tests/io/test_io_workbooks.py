"""Workbooks and what is named like one: files of real libraries, and by hand with each quirk."""

from __future__ import annotations

import datetime
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest
import xlsxwriter
import xlwt

from peerdrift_nlp.errors import InputError, NoteReadError, UsageError
from peerdrift_nlp.io import Skipped, open_export
from peerdrift_nlp.types import Note

SPREADSHEETML = """<?xml version="1.0"?>
<?mso-application progid="Excel.Sheet"?>
<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"
 xmlns:html="http://www.w3.org/TR/REC-html40">
 <Worksheet ss:Name="Cover"><Table><Row><Cell><Data ss:Type="String">County</Data></Cell></Row></Table></Worksheet>
 <Worksheet ss:Name="Notes"><Table>
  <Row ss:Index="3"><Cell><Data ss:Type="String">Note ID</Data></Cell><Cell><Data ss:Type="String">Staff</Data></Cell>
   <Cell><Data ss:Type="String">Note Text</Data></Cell></Row>
  <Row><Cell><Data ss:Type="String">007</Data></Cell><Cell ss:Index="3"><Data ss:Type="String">We
walked &amp; talked.</Data></Cell></Row>
  <Row ss:Index="6"><Cell><Data ss:Type="Number">8</Data></Cell><Cell><Data ss:Type="String">Wren</Data></Cell>
   <Cell><ss:Data ss:Type="String"><html:B>He</html:B> chose.</ss:Data></Cell></Row>
  <Row><Cell><Data ss:Type="String">9</Data></Cell></Row>
 </Table></Worksheet>
</Workbook>"""


def old_workbook(path: Path, rows: list[list[object]], *names: str) -> Path:
    book = xlwt.Workbook()
    day = xlwt.easyxf(num_format_str="YYYY-MM-DD")
    for name in names or ("Sheet1",):
        sheet = book.add_sheet(name)
        for number, cells in enumerate(rows):
            for place, cell in enumerate(cells):
                sheet.write(number, place, cell, *([day] if isinstance(cell, datetime.date) else []))
    book.save(str(path))
    return path


def test_an_old_workbook(tmp_path: Path) -> None:
    rows = [
        ["Note ID", "Date", "Progress Note"],
        ["007", datetime.date(2024, 3, 7), "Went to NA\nHome \u2019"],
        [8, "", "b"],
    ]
    opened = open_export(old_workbook(tmp_path / "a.xls", rows))
    assert list(opened) == [Note("007", "Went to NA\nHome \u2019", {"date": "2024-03-07"}), Note("8", "b")]
    assert opened.format == "xls"
    assert list(open_export((tmp_path / "a.xls").rename(tmp_path / "a.xlsx"))) == list(opened), "whatever its name"


def test_a_new_workbook_that_is_named_xls(tmp_path: Path) -> None:
    book = xlsxwriter.Workbook(tmp_path / "a.xlsx")
    sheet = book.add_worksheet()
    for number, cells in enumerate([["Note ID", "Note"], ["1", "He chose the group."]]):
        sheet.write_row(number, 0, cells)
    book.close()
    opened = open_export((tmp_path / "a.xlsx").rename(tmp_path / "a.xls"))
    assert (list(opened), opened.format) == ([Note("1", "He chose the group.")], "xlsx")


def test_plain_text_that_is_named_xls(export) -> None:
    opened = open_export(export("a.xls", "Note ID\tNote\r\n1\t\u00e0 la carte\r\n", "utf-16"))
    assert (list(opened), opened.format) == ([Note("1", "\u00e0 la carte")], "tsv")


TITLED = [
    ["Progress Notes", "", ""],
    ["From 3/1/2024", "to 3/31/2024", ""],
    ["", "", ""],
    ["Note ID", "Staff", "Progress Note"],
    ["1", "Wren", "He chose the group himself."],
]


def test_title_rows_above_the_header_are_skipped_and_said(tmp_path: Path, export) -> None:
    frame = pd.DataFrame(TITLED)
    frame.to_excel(tmp_path / "a.xlsx", index=False, header=False)
    frame.to_csv(tmp_path / "a.csv", index=False, header=False)
    old_workbook(tmp_path / "a.xls", TITLED)
    frame.to_html(tmp_path / "a.html", index=False, header=False)
    for name in ("a.xlsx", "a.csv", "a.xls", "a.html"):
        opened = open_export(tmp_path / name)
        assert list(opened) == [Note("1", "He chose the group himself.", {"worker": "Wren"})], name
        assert "skipped above the header: 2 title rows" in opened.notices, name


def test_a_row_of_data_is_no_header(export) -> None:
    with pytest.raises(InputError, match="its columns are 'Nr', 'Kind', 'What'. Say which"):
        open_export(export("a.csv", "Nr,Kind,What\n1,Progress Note,a walk\n"))
    with pytest.raises(InputError, match="its columns are 'Kind', 'What'. Say which"):
        open_export(export("a.csv", "Kind,What\nProgress Note,a walk by the river with him and his brother\n"))
    assert next(iter(open_export(export("b.csv", "Kind,Note\nText,Note text\n")))).text == "Note text"


def test_the_sheet_can_be_chosen_by_name_and_number(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for title in ("March", "April"):
        sheet = book.create_sheet(title)
        sheet.append(["Note"])
        sheet.append([f"A note of {title}."])
    book.remove(book.worksheets[0])
    book.create_sheet("Empty")
    book.save(tmp_path / "a.xlsx")
    path = tmp_path / "a.xlsx"
    assert [item.text for item in open_export(path)] == ["A note of March."]
    assert "sheet 'March' is read; not read: 'April', 'Empty' (choose with --sheet)" in open_export(path).notices
    for wanted in ("april", "2"):
        assert [item.text for item in open_export(path, sheet=wanted)] == ["A note of April."]
    for wanted in ("May", "4", "0"):
        with pytest.raises(
            UsageError, match=f"a.xlsx has no visible sheet '{wanted}'; it has 'March', 'April', 'Empty'"
        ):
            open_export(path, sheet=wanted)
    with pytest.raises(InputError, match="a.xlsx has no cells in sheet 'Empty'"):
        open_export(path, sheet="Empty")


def test_only_workbooks_have_sheets(export) -> None:
    with pytest.raises(UsageError, match="--sheet 'May': only workbooks have sheets, and this is csv"):
        open_export(export("a.csv", "text\na\n"), sheet="May")


def test_spreadsheetml(export) -> None:
    for encoding in ("utf-8", "utf-8-sig"):
        opened = open_export(export("a.xls", SPREADSHEETML, encoding))
        assert list(opened) == [
            Note("007", "We\nwalked & talked."),
            Note("8", "He chose.", {"worker": "Wren"}),
            Skipped("row 7", "9", "no text"),
        ]
        assert opened.format == "spreadsheetml"
        assert "sheet 'Notes' is read; not read: 'Cover' (choose with --sheet)" in opened.notices


def test_entities_of_xml_do_not_grow(export) -> None:
    bomb = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "x" * 10}">' for n in range(10))
    with pytest.raises(InputError):
        open_export(
            export(
                "a.xls",
                SPREADSHEETML.replace("<?mso", f"<!DOCTYPE a [{bomb}]><?mso")
                .replace("County", "&e9;")
                .replace("Note Text", "&e9;"),
            )
        )


def test_an_html_page_of_pandas(tmp_path: Path) -> None:
    frame = pd.DataFrame({"Note ID": ["007", "8"], "Note": ["He said <3 & left", "b"], "Service Date": ["3/7/24", ""]})
    frame.to_html(tmp_path / "a.xls", index=False)
    opened = open_export(tmp_path / "a.xls")
    assert list(opened) == [Note("007", "He said <3 & left", {"date": "2024-03-07"}), Note("8", "b")]
    assert opened.format == "html"
    assert "an HTML page named .xls, read as such" in opened.notices


def test_an_html_page_by_hand(export) -> None:
    page = (
        "<html><head><meta charset=windows-1252><style>td { color: red }</style></head><body>"
        "<table><tr><td colspan=2>Printed<td>x</table>"
        "<TABLE border=1><caption>Notes</caption><thead><tr><th>Note ID<th>Progress Note<th>Staff</thead>"
        "<tr><td>1</td><td>Met w/ her.<br>She&rsquo;s fine.<p>Plan: <b>call</b>\n him<table><tr><td>in<td>side</table></td>"
        "<td>Wren</td></tr><!-- <tr><td>hidden --><tr><td>2<td>\xe9t\xe9"
        "<tr><td>3<td>c<td>Wren<td>spilled</table>"
    )
    opened = open_export(export("a.xls", page, "cp1252"))
    first, second, third = opened
    assert first == Note("1", "Met w/ her.\nShe\u2019s fine.\nPlan: call him\n\nin\tside", {"worker": "Wren"})
    assert second == Note("2", "\xe9t\xe9")
    assert isinstance(third, NoteReadError) and str(third) == "row 4: has 4 cells where the header has 3"
    assert "sheet 'table 2' is read; not read: 'table 1', 'table 3' (choose with --sheet)" in opened.notices
    assert "read as cp1252" in opened.notices


def test_tables_in_tables_lose_no_text(export) -> None:
    inner = "<table><tr><td>" * 30 + "deep" + "</td></tr></table>" * 30
    opened = open_export(export("a.html", f"<table><tr><th>Note<th>Staff<tr><td>a {inner} z<td>Wren<tr><td>b</table>"))
    assert [(" ".join(item.text.split()), dict(item.meta)) for item in opened] == [
        ("a deep z", {"worker": "Wren"}),
        ("b", {}),
    ]


def test_parquet(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "note_id": ["007", None, "9"],
            "text": ["NA\r\nand \U0001f600", "b", None],
            "dos": [pd.Timestamp("2024-03-07"), pd.NaT, pd.NaT],
            "units": [1, 2, 3],
        }
    )
    frame.to_parquet(tmp_path / "a.parquet")
    opened = open_export(tmp_path / "a.parquet")
    assert list(opened) == [
        Note("007", "NA\r\nand \U0001f600", {"date": "2024-03-07"}),
        Note("row 2", "b"),
        Skipped("row 3", "9", "no text"),
    ]
    assert opened.format == "parquet"


def test_parquet_with_lists_for_text_and_with_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    parquet.write_table(arrow.table({"text": [["a"], ["b"]], "note_id": [b"1", b"2"]}), path)
    assert [str(item) for item in open_export(path)] == [
        f"row {n}: has no 'text', or holds no text in it" for n in (1, 2)
    ]
    parquet.write_table(arrow.table({"text": [f"zebra {n} " * 50 for n in range(2000)]}), path, row_group_size=500)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 2000] = bytes(2000)
    path.write_bytes(data)
    *_, last = open_export(path)
    assert (
        isinstance(last, NoteReadError) and "nothing from here on was read" in last.problem and "zebra" not in str(last)
    )
