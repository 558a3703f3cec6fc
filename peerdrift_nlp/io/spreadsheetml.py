"""SpreadsheetML of Excel 2003: a workbook as one XML file, often named ``.xls``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from peerdrift_nlp.errors import InputError
from peerdrift_nlp.io.sheets import Sheet, read_sheets
from peerdrift_nlp.io.table import Table

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

NAMESPACE = "urn:schemas-microsoft-com:office:spreadsheet"
MAX_BYTES = 128 << 20
_SS = f"{{{NAMESPACE}}}"
_MAX_ROWS, _MAX_COLUMNS = 1_048_576, 16_384


def read_spreadsheetml(path: Path, overrides: Mapping[str, str], sheet: str | None = None) -> Table:
    """Open the sheet that was asked for, else the first that has a column of notes.

    Raises:
        InputError: damaged XML, one that is far too large, or no cells.
        UsageError: no such sheet.
    """
    from lxml import etree

    if path.stat().st_size > MAX_BYTES:
        raise InputError(f"{path.name} is XML of more than {MAX_BYTES >> 20} MB: export it in parts, or as .xlsx")
    try:
        # Entities stay as they are and text is bounded by the parser: nothing grows on reading.
        root = etree.fromstring(path.read_bytes(), etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        line = error.position[0] if error.position else 0
        raise InputError(f"{path.name} is damaged XML (line {line}): open it in Excel and save it as .xlsx") from None
    sheets = [
        Sheet(worksheet.get(f"{_SS}Name") or f"sheet {number}", partial(_rows, worksheet))
        for number, worksheet in enumerate(root.iter(f"{_SS}Worksheet"), start=1)
        if worksheet.find(f"{_SS}WorksheetOptions/{{*}}Visible") is None
    ]
    return read_sheets(path, "spreadsheetml", "utf-8", sheets, overrides, sheet)


def _rows(worksheet: Element) -> Iterator[list[str]]:
    """All rows; one that is left out, as its successor's index says, is blank."""
    number = 0
    for row in worksheet.iterfind(f"{_SS}Table/{_SS}Row"):
        number += 1
        for _ in range(number, _index(row, number, _MAX_ROWS)):
            number += 1
            yield []
        cells: list[str] = []
        for cell in row.iterfind(f"{_SS}Cell"):
            cells += [""] * (_index(cell, len(cells) + 1, _MAX_COLUMNS) - len(cells) - 1)
            data = cell.find(f"{_SS}Data")
            cells.append("" if data is None else "".join(data.itertext()))
        yield cells


def _index(element: Element, expected: int, most: int) -> int:
    given = element.get(f"{_SS}Index", "")
    return min(int(given), most) if given.isdecimal() and len(given) < 9 else expected
