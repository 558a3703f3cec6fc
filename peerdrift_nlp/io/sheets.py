"""Workbooks of every kind as named sheets of rows; the one that holds the notes is read."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from peerdrift_nlp.errors import InputError, NoteReadError, UsageError
from peerdrift_nlp.io.header import Header, find_header
from peerdrift_nlp.io.table import Record, Row, Table

Cell = int | float | str | bool | datetime.time | datetime.date | datetime.datetime | datetime.timedelta


class Sheet(NamedTuple):
    """A sheet: its name, and all its rows from the first, blank ones too, whenever it is opened."""

    name: str
    open: Callable[[], Iterator[Sequence[str]]]


def read_sheets(
    path: Path, kind: str, encoding: str, sheets: Sequence[Sheet], overrides: Mapping[str, str], wanted: str | None
) -> Table:
    """The sheet that was asked for, by name or number from 1, else the first that has a column of notes.

    Raises:
        UsageError: no such sheet.
        InputError: no cells in any sheet.
    """
    chosen: tuple[Sheet, Header] | None = None
    for sheet in [_wanted(path, sheets, wanted)] if wanted else sheets:
        header = find_header(sheet.open(), overrides)
        if header and (chosen is None or header.merit):
            chosen = sheet, header
        if header and header.merit:
            break
    if chosen is None:
        which = f"in sheet {wanted!r}" if wanted else "in any visible sheet"
        raise InputError(f"{path.name} has no cells {which}: export it again")
    sheet, header = chosen
    others = ", ".join(repr(other.name) for other in sheets if other is not sheet)
    notices = [f"sheet {sheet.name!r} is read; not read: {others} (choose with --sheet)"] if others else []
    return Table(kind, encoding, header.names, lambda: _rows(sheet, header), notices + header.notices)


def _wanted(path: Path, sheets: Sequence[Sheet], wanted: str) -> Sheet:
    for sheet in sheets:
        if sheet.name.casefold() == wanted.strip().casefold():
            return sheet
    if wanted.isdecimal() and 0 < int(wanted) <= len(sheets):
        return sheets[int(wanted) - 1]
    names = ", ".join(repr(sheet.name) for sheet in sheets)
    raise UsageError(f"{path.name} has no visible sheet {wanted!r}; it has {names}")


def _rows(sheet: Sheet, header: Header) -> Iterator[Record]:
    width = len(header.names)
    for number, cells in enumerate(sheet.open(), start=1):
        if number <= header.number:
            continue
        if not "".join(cells).strip():
            yield None
        elif "".join(cells[width:]).strip():
            yield NoteReadError(f"row {number}", f"has {len(cells)} cells where the header has {width}")
        else:
            yield Row(f"row {number}", [*cells, *[""] * (width - len(cells))])


def as_text(cell: Cell) -> str:
    """A cell as a person would read it: whole numbers without ``.0``, dates as ISO."""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, datetime.datetime):
        return cell.isoformat(sep=" ")
    return str(cell)
