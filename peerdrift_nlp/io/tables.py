"""Findings as tables that people open in Excel: CSV and XLSX, one row a finding, written as a stream."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING, TextIO

from peerdrift_nlp.types import Finding, NoteReport

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.worksheet import Worksheet

WIDTHS = {
    "note_id": 12, "worker": 18, "program": 24, "date": 12, "label": 16, "indicator": 32, "locus": 14, "severity": 9,
    "probability": 11, "origin": 9, "start": 8, "end": 8, "sentence": 60, "reason": 48, "question": 48, "clears": 48,
    "alternative": 48, "guideline": 48,
}  # fmt: skip
"""The columns of the tables, and how many characters wide each is shown."""

FINDINGS_COLUMNS = tuple(WIDTHS)
MAX_CELL = 32_767
"""The most that Excel takes in one cell, in UTF-16 units."""
MAX_ROWS = 1_048_576
"""The most rows that Excel takes in one sheet, the header included."""

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_FIRST_YEAR = 1900  # Excel counts days from then on

Cell = str | int | float


class FindingsCsv:
    """``findings.csv``: UTF-8 with a mark that Excel needs, no cell a formula."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._writer = csv.writer(file)
        self._writer.writerow(FINDINGS_COLUMNS)

    def write(self, report: NoteReport) -> None:
        """Add the findings of one report."""
        for row in finding_rows(report):
            cells = dict(zip(FINDINGS_COLUMNS, row, strict=True)) | {"probability": f"{row[8]:.4f}"}
            self._writer.writerow([excel_safe(cell) if isinstance(cell, str) else cell for cell in cells.values()])

    def close(self) -> None:
        """End the table."""
        self._file.flush()


class FindingsXlsx:
    """``findings.xlsx``: numbers and dates as such, text never as a formula, header frozen, filter on.

    Rows wait in ``scratch``, a folder of its own that goes with ``close`` or ``discard``; memory stays flat. More
    than ``MAX_ROWS`` rows go on in further sheets.
    """

    def __init__(self, path: Path, scratch: Path) -> None:
        from xlsxwriter import Workbook

        self._scratch = scratch
        rmtree(scratch, ignore_errors=True)
        scratch.mkdir(mode=0o700)
        options = {"constant_memory": True, "tmpdir": str(scratch), "strings_to_formulas": False}
        self._book: Workbook = Workbook(str(path), options)
        self._head = self._book.add_format({"bold": True, "bottom": 1})
        self._day = self._book.add_format({"num_format": "yyyy-mm-dd"})
        self._share = self._book.add_format({"num_format": "0.00"})
        self.sheets = 0
        self._sheet = self._next_sheet()

    def write(self, report: NoteReport) -> None:
        """Add the findings of one report."""
        for row in finding_rows(report):
            if self._row == MAX_ROWS:
                self._end_sheet()
                self._sheet = self._next_sheet()
            for column, (name, cell) in enumerate(zip(FINDINGS_COLUMNS, row, strict=True)):
                self._put(column, name, cell)
            self._row += 1

    def close(self) -> None:
        """Put the workbook together.

        Raises:
            OSError: it cannot be written.
        """
        from xlsxwriter.exceptions import FileCreateError, FileSizeError

        self._end_sheet()
        try:
            self._book.close()
        except (FileCreateError, FileSizeError) as error:
            cause = error.args[0] if error.args and isinstance(error.args[0], OSError) else None
            raise cause or OSError(f"the workbook would be too large ({type(error).__name__})") from None
        finally:
            self.discard()

    def discard(self) -> None:
        """Drop what waits to be put together."""
        for sheet in self._book.worksheets():
            with suppress(OSError):
                sheet.row_data_fh.close()  # the library closes it only where it puts the workbook together
        rmtree(self._scratch, ignore_errors=True)

    def _put(self, column: int, name: str, cell: Cell) -> None:
        if isinstance(cell, str):
            day = _day(cell) if name == "date" else None
            if day:
                self._sheet.write_datetime(self._row, column, day, self._day)
            elif cell:
                self._sheet.write_string(self._row, column, fit_cell(_UNWRITABLE.sub("\ufffd", cell)))
        else:
            self._sheet.write_number(self._row, column, cell, self._share if name == "probability" else None)

    def _next_sheet(self) -> Worksheet:
        self.sheets += 1
        sheet: Worksheet = self._book.add_worksheet("findings" if self.sheets == 1 else f"findings {self.sheets}")
        sheet.freeze_panes(1, 0)
        for column, (name, width) in enumerate(WIDTHS.items()):
            sheet.set_column(column, column, width)
            sheet.write_string(0, column, name, self._head)
        self._row = 1
        return sheet

    def _end_sheet(self) -> None:
        self._sheet.autofilter(0, 0, max(1, self._row - 1), len(FINDINGS_COLUMNS) - 1)


def finding_rows(report: NoteReport) -> Iterator[tuple[Cell, ...]]:
    """The findings of a report as rows in the order of ``FINDINGS_COLUMNS``, numbers as numbers."""
    yield from (_row(report, finding) for finding in report.findings)


def _row(report: NoteReport, finding: Finding) -> tuple[Cell, ...]:
    meta, sentence = report.meta, finding.sentence
    return (
        report.note_id,
        meta.get("worker", ""),
        meta.get("program", ""),
        meta.get("date", ""),
        finding.label,
        finding.indicator,
        finding.locus,
        finding.severity,
        round(finding.probability, 4),
        finding.origin,
        finding.start,
        finding.end,
        " ".join(report.text[sentence.start : sentence.end].split()),
        finding.reason,
        finding.question,
        finding.clears,
        finding.alternative,
        finding.guideline,
    )


def _day(value: str) -> date | None:
    """The day of an ISO date, or nothing where it is none or before Excel's first."""
    try:
        day = datetime.fromisoformat(value).date()
    except ValueError:
        return None
    return day if day.year > _FIRST_YEAR else None


def excel_safe(cell: str) -> str:
    """``cell`` as Excel can take it from a CSV: never a formula (a leading ``'`` says so), never too long, no NUL."""
    cell = cell.replace("\0", "\ufffd")
    return fit_cell("'" + cell if cell.startswith(_FORMULA_STARTS) else cell)


def fit_cell(cell: str) -> str:
    """``cell`` cut to ``MAX_CELL`` UTF-16 units; a cut one says how long it was."""
    if len(cell) * 2 <= MAX_CELL:
        return cell
    units = cell.encode("utf-16-le", "surrogatepass")
    if len(units) <= MAX_CELL * 2:
        return cell
    mark = f" [cut: {len(cell):,} characters]"
    return units[: (MAX_CELL - len(mark)) * 2].decode("utf-16-le", "ignore") + mark
