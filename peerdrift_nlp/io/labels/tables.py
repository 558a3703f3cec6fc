"""CSV, TSV and XLSX: one column of labels, or a column a label. A blank cell is no judgement."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from peerdrift_nlp.errors import InputError, NoteReadError
from peerdrift_nlp.io.columns import ALIASES, normal
from peerdrift_nlp.io.labels.label_studio import OWN_COLUMNS, read_min
from peerdrift_nlp.io.labels.rows import NEAR, LabelRow, Reading, span_of
from peerdrift_nlp.io.table import Table
from peerdrift_nlp.types import Span

_ALIASES: Mapping[str, Sequence[str]] = {
    "quote": ("sentence", "sentence text", "quote", "excerpt", "highlight", "span text"),
    "text": ALIASES["text"],
    "note_id": ALIASES["note_id"],
    "label": ("label", "labels", "tag", "tags", "code", "codes", "category", "categories", "indicator", "indicators"),
    "annotator": ("annotator", "annotator id", "rater", "coder", "labeler", "labeller", "reader", "completed by"),
    "start": ("start", "start offset", "begin"),
    "end": ("end", "end offset", "stop"),
    NEAR: ("note start",),
}
FIELDS = tuple(_ALIASES)
_YES = {"1", "x", "yes", "y", "true", "t", "present"}
_NO = {"0", "no", "n", "false", "f", "absent"}
# What `excel_safe` puts before a cell that could be taken for a formula.
_FORMULA_MARK = re.compile(r"^'(?=[=+\-@\t\r\uff1d\uff0b\uff0d\uff20])")
_BETWEEN = re.compile(r"[;,|\n]")


@dataclass(frozen=True, slots=True)
class _Columns:
    of: Mapping[str, int]
    labels: Mapping[int, str]

    def cell(self, cells: Sequence[str | None], field: str) -> str:
        place = self.of.get(field)
        return _FORMULA_MARK.sub("", cells[place] or "") if place is not None else ""


def read_table(reading: Reading, table: Table) -> None:
    """Read every row.

    Raises:
        InputError: no column of labels, or nothing that says where they belong.
    """
    if sum(normal(name) in map(normal, OWN_COLUMNS) for name in table.names) >= 2:
        _read_label_studio(reading, table)
        return
    columns = _columns(reading, table.names)
    for place, cells in _rows(reading, table):
        try:
            reading.rows.extend(_labels(reading, place, columns, cells))
        except ValueError as error:
            reading.problem(place, str(error))


def _columns(reading: Reading, names: Sequence[str]) -> _Columns:
    by_name = {normal(name): place for place, name in reversed(list(enumerate(names)))}
    of = {}
    for field, aliases in _ALIASES.items():
        wanted = [reading.fields[field]] if field in reading.fields else aliases
        found = next((by_name[normal(alias)] for alias in wanted if normal(alias) in by_name), None)
        if found is None and field in reading.fields:
            raise InputError(f"{reading.name} has no column {reading.fields[field]!r} to read as {field}")
        if found is not None:
            of[field] = found
    labels = {
        place: reading.names.tag(name)
        for place, name in enumerate(names)
        if place not in of.values() and name and reading.names.marks(name)
    }
    if "label" not in of and not labels:
        raise InputError(
            f"{reading.name}: no column of labels, and none named like a label of the codebook; "
            "say which one it is with --map label=COLUMN"
        )
    if not of.keys() & {"quote", "text"} and not {"note_id", "start"} <= of.keys():
        raise InputError(
            f"{reading.name}: nothing says which sentences the labels belong to: it needs a column of the sentence, "
            "or of note id, start and end; say which with --map text=COLUMN"
        )
    return _Columns(of, labels)


def _labels(reading: Reading, place: int, columns: _Columns, cells: Sequence[str | None]) -> Iterator[LabelRow]:
    said = [name for name in _BETWEEN.split(columns.cell(cells, "label")) if name.strip()]
    present = list(reading.tags(place, said))
    absent = []
    for column, tag in columns.labels.items():
        answer = (cells[column] or "").strip().casefold()
        if answer in _YES:
            present.append(tag)
        elif answer in _NO:
            absent.append(tag)
        elif answer:
            raise ValueError(f"the cell of {tag!r} must be one of yes, no, 1, 0, x, true, false, or blank (not judged)")
    if not present and not absent:
        reading.left_out["rows without a label (blank is not 'no')"] += 1
        return
    text, quote = columns.cell(cells, "text"), columns.cell(cells, "quote")
    near = columns.cell(cells, NEAR).strip()
    yield LabelRow(
        reading.where(place),
        columns.cell(cells, "annotator").strip() or reading.name,
        tuple(present),
        tuple(absent),
        bool(said),
        columns.cell(cells, "note_id").strip(),
        text or quote,
        _span(columns.cell(cells, "start"), columns.cell(cells, "end")),
        quote if text else "",
        int(near) if near.isdecimal() else -1,
    )


def _span(start: str, end: str) -> Span | None:
    start, end = start.strip(), end.strip()
    if not start and not end:
        return None
    return span_of(*(int(cell) if cell.isdecimal() else None for cell in (start, end)))


def _read_label_studio(reading: Reading, table: Table) -> None:
    """Its own CSV: a column for each control, lists as JSON."""
    for place, cells in _rows(reading, table):
        item: dict[str, Any] = dict(zip(table.names, (cell or "" for cell in cells), strict=False))
        try:
            read_min(reading, place, item)
        except ValueError as error:
            reading.problem(place, str(error))


def _rows(reading: Reading, table: Table) -> Iterator[tuple[int, Sequence[str | None]]]:
    for record in table.rows():
        if isinstance(record, NoteReadError):
            reading.problem(_number(record.where), record.problem)
        elif record is not None:
            yield _number(record.where), record.cells


def _number(where: str) -> int:
    return int("".join(char for char in where if char.isdecimal()) or 0)
