"""Old XLS workbooks, read with xlrd: calamine can take down the whole process over a damaged one."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from peerdrift_nlp.errors import InputError
from peerdrift_nlp.io.sheets import Sheet, as_text, read_sheets
from peerdrift_nlp.io.table import Table

if TYPE_CHECKING:
    import xlrd


def read_old_workbook(path: Path, overrides: Mapping[str, str], sheet: str | None = None) -> Table:
    """Open the visible sheet that was asked for, else the first that has a column of notes.

    Raises:
        InputError: a damaged workbook, one with a password, or one without cells.
        UsageError: no such sheet.
    """
    import xlrd

    try:
        book = xlrd.open_workbook(file_contents=path.read_bytes(), logfile=io.StringIO(), ragged_rows=True)
        visible = [Sheet(found.name, partial(_rows, found)) for found in book.sheets() if found.visibility == 0]
    except Exception as error:  # the library passes on whatever a damaged file makes it stumble over
        raise InputError(
            f"{path.name} is damaged or has a password ({type(error).__name__}): "
            "open it in Excel and save it as .xlsx or .csv, without a password"
        ) from None
    return read_sheets(path, "xls", "utf-8", visible, overrides, sheet)


def _rows(sheet: xlrd.sheet.Sheet) -> Iterator[list[str]]:
    for number in range(sheet.nrows):
        yield [_text(cell, sheet.book.datemode) for cell in sheet.row(number)]


def _text(cell: xlrd.sheet.Cell, datemode: int) -> str:
    import xlrd

    if cell.ctype == xlrd.XL_CELL_DATE:
        try:
            return as_text(xlrd.xldate.xldate_as_datetime(cell.value, datemode))
        except (ValueError, OverflowError):
            return as_text(cell.value)
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return as_text(bool(cell.value))
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return str(xlrd.error_text_from_code.get(cell.value, "#ERROR"))
    return as_text(cell.value)
