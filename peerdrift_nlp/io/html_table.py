"""Tables of an HTML page, which many systems export under the name of a workbook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from peerdrift_nlp.errors import InputError
from peerdrift_nlp.io.markup import TextParser, feed, tidy
from peerdrift_nlp.io.sheets import Sheet, read_sheets
from peerdrift_nlp.io.sniff import sniff_file
from peerdrift_nlp.io.table import Table

MAX_BYTES = 256 << 20
_MAX_SPAN = 1000
_MAX_DEPTH = 8


@dataclass(slots=True)
class _OpenTable:
    """A table that has not ended: its rows so far, and the cell that is being read."""

    rows: list[list[str]] = field(default_factory=list)
    cell: list[str] | None = None
    span: int = 1

    def begin_row(self) -> None:
        self.end_cell()
        self.rows.append([])

    def begin_cell(self, span: str) -> None:
        self.end_cell()
        if not self.rows:
            self.rows.append([])
        self.cell = []
        self.span = max(1, min(int(span), _MAX_SPAN)) if span.isdecimal() and len(span) < 9 else 1

    def end_cell(self) -> None:
        if self.cell is not None:
            self.rows[-1] += [tidy("".join(self.cell)), *[""] * (self.span - 1)]
            self.cell = None


class _Tables(TextParser):
    """Collects every table; the text of one inside a cell is the text of that cell, too."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self._open: list[_OpenTable] = []
        self._too_deep = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        super().handle_starttag(tag, attrs)
        if tag == "table" and len(self._open) == _MAX_DEPTH:
            self._too_deep += 1
        elif tag == "table":
            self._open.append(_OpenTable())
            self.tables.append(self._open[-1].rows)
        elif self._too_deep:
            pass  # no table of its own any more, but text of the cells around it
        elif tag == "tr" and self._open:
            self._open[-1].begin_row()
        elif tag in ("td", "th") and self._open:
            self._open[-1].begin_cell(dict(attrs).get("colspan") or "1")

    def handle_endtag(self, tag: str) -> None:
        super().handle_endtag(tag)
        if self._too_deep:
            self._too_deep -= tag == "table"
        elif tag in ("td", "th", "tr", "table") and self._open:
            self._open[-1].end_cell()
            if tag == "table":
                self._open.pop()

    def write(self, text: str) -> None:
        for table in self._open:
            if table.cell is not None:
                table.cell.append(text)

    def close(self) -> None:
        super().close()
        for table in self._open:
            table.end_cell()


def read_html(path: Path, overrides: Mapping[str, str], encoding: str | None, sheet: str | None = None) -> Table:
    """Open the table of a page that was asked for, else the first that has a column of notes.

    Raises:
        InputError: no table, or a page that is far too large.
        UsageError: no such table.
    """
    if path.stat().st_size > MAX_BYTES:
        raise InputError(
            f"{path.name} is an HTML page of more than {MAX_BYTES >> 20} MB: export it in parts or as .csv"
        )
    decoding = sniff_file(path, encoding)
    parser = _Tables()
    feed(parser, path.read_text(encoding=decoding.encoding, errors=decoding.errors))
    if not any(sum(map(any, table)) > 1 for table in parser.tables):  # one row alone has no header that could be named
        raise InputError(f"{path.name} is an HTML page without a table (a login page?): export the notes again")

    sheets = [Sheet(f"table {number}", partial(iter, rows)) for number, rows in enumerate(parser.tables, start=1)]
    table = read_sheets(path, "html", decoding.encoding, sheets, overrides, sheet)
    table.notices[:0] = [decoding.notice] if decoding.notice else []
    return table
