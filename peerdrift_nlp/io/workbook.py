"""XLSX workbooks, read with calamine after a look at what they would unpack to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from peerdrift_nlp.errors import InputError
from peerdrift_nlp.io.archive import DAMAGE, fits
from peerdrift_nlp.io.sheets import Sheet, as_text, read_sheets
from peerdrift_nlp.io.table import Table

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

MAX_UNPACKED = 1 << 30
MAX_GRID = 40_000_000
"""Cells between the first and the last used one; calamine holds them all, empty ones too."""

_CELL = re.compile(rb"<(?:\w+:)?(?:c|row)\s[^<>]*?\br\s*=\s*[\"']([A-Za-z]*)([0-9]+)[\"']")
_COUNT = re.compile(rb"\b(?:uniqueC|c)ount\s*=\s*[\"']([0-9]+)")
_OVERLAP = 256
_RESAVE = "open it in Excel and save it again as .xlsx, or save it as .csv"


def read_workbook(path: Path, overrides: Mapping[str, str], sheet: str | None = None) -> Table:
    """Open the visible sheet that was asked for, else the first that has a column of notes.

    Raises:
        InputError: a damaged workbook, one with a password, one that is far too large, or one without cells.
        UsageError: no such sheet.
    """
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

    _check_size(path)
    try:
        # Not from_path: that goes by the name of the file, which may be wrong.
        with path.open("rb") as file, CalamineWorkbook.from_filelike(file) as workbook:
            visible = [
                _sheet(workbook, about.name)
                for about in workbook.sheets_metadata
                if about.visible == SheetVisibleEnum.Visible and about.typ == SheetTypeEnum.WorkSheet
            ]
            return read_sheets(path, "xlsx", "utf-8", visible, overrides, sheet)
    except PasswordError:
        raise InputError(f"{path.name} has a password: open it in Excel and save it without one") from None
    except CalamineError as error:
        raise InputError(f"{path.name} is damaged ({type(error).__name__}): {_RESAVE}") from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # what the library throws at some damaged files
            raise
        raise InputError(f"{path.name} is damaged: {_RESAVE}") from None


def _sheet(workbook: CalamineWorkbook, name: str) -> Sheet:
    opened: list[CalamineSheet] = []

    def rows() -> Iterator[list[str]]:
        if not opened:
            opened.append(workbook.get_sheet_by_name(name))
        for cells in opened[0].iter_rows():
            yield [cell if isinstance(cell, str) else as_text(cell) for cell in cells]

    return Sheet(name, rows)


def _check_size(path: Path) -> None:
    """Refuse what would unpack to too much or has cells too far apart, whatever it says of itself."""
    parts: dict[str, _Part] = {}

    def look(member: str, chunk: bytes) -> None:
        if member.endswith(".xml"):
            parts.setdefault(member, _Part()).look(path.name, chunk)

    try:
        fitting = fits(path, MAX_UNPACKED, look)
    except DAMAGE:
        raise InputError(f"{path.name} is damaged or no workbook: {_RESAVE}") from None
    if not fitting:
        raise InputError(
            f"{path.name} unpacks to more than {MAX_UNPACKED >> 20:,} MB and was not opened: "
            "export it in parts, or as .csv"
        )


@dataclass(slots=True)
class _Part:
    """The farthest cell of a sheet and the counts that a part gives, found in its XML piece by piece.

    calamine takes memory for as much as they say, and ends the process where there is not enough.
    """

    height: int = 0
    width: int = 0
    rest: bytes = b""

    def look(self, name: str, chunk: bytes) -> None:
        if any(int(count) > MAX_GRID for count in _COUNT.findall(self.rest + chunk)):
            raise InputError(f"{name} is damaged (an impossible count): {_RESAVE}")
        for column, row in _CELL.findall(self.rest + chunk):
            self.height = max(self.height, int(row))
            self.width = max(self.width, _column_number(column))
        self.rest = chunk[-_OVERLAP:]
        if self.height * self.width > MAX_GRID:
            raise InputError(
                f"{name}: a sheet has a cell far away from its table ({self.height:,} rows by {self.width:,} columns): "
                "delete the empty rows and columns around the table, or save it as .csv"
            )


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number
