"""Open an export of any format and read its notes one by one; nothing is lost silently."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from peerdrift_nlp.errors import InputError, NoteReadError, UsageError
from peerdrift_nlp.io.columns import also_text, field_of, find_column, listing, map_columns
from peerdrift_nlp.io.dates import iso_date
from peerdrift_nlp.io.formats import open_table
from peerdrift_nlp.io.join import join_rows
from peerdrift_nlp.io.markup import plain_text, told
from peerdrift_nlp.io.sections import join_sections, section_columns
from peerdrift_nlp.io.seen import Seen
from peerdrift_nlp.io.table import Row, Table
from peerdrift_nlp.types import MAX_NOTE_CHARS, Note

META = ("worker", "role", "program", "date", "status", "service")
_LONGEST = dict.fromkeys(("note_id", *META), 200) | {"date": 40}
"""Characters of a cell that is kept as it is: no id or name is longer, but a note is that damage has put there."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A note that was read and left out on purpose; ``why`` never holds note text."""

    where: str
    note_id: str
    why: str


Item = Note | NoteReadError | Skipped
"""What reading a row comes to: a note, an error that concerns it alone, or a reason to leave it out."""


class Export:
    """An opened export: what was recognised, and its notes by iteration, as often as one likes.

    ``notices`` says in plain words what was assumed. Some of it (blank rows, repeated ids) is known
    only when the notes have been read, so show it again then.
    """

    def __init__(self, path: Path, table: Table, columns: Mapping[str, str]) -> None:
        self.path = path
        self.format = table.format
        self.encoding = table.encoding
        self.columns = dict(columns)
        self._table = table
        self._found: list[str] = []

    @property
    def notices(self) -> list[str]:
        """What was assumed in reading, one plain sentence each."""
        named = [
            f"column {column!r} {'left out' if field == 'client' else f'read as {field}'}"
            for field, column in self.columns.items()
        ]
        if "note_id" not in self.columns:
            named.append("no column of note ids: notes are named by their place in the file")
        others = also_text(self._table.names, self.columns)
        if others:
            named.append(f"not read as text: {', '.join(map(repr, others))} (choose with --map text=COLUMN)")
        sections = [] if " + " in self.columns["text"] else section_columns(self._table.names)
        if sections:
            named.append(f"not read as text: {', '.join(map(repr, sections))} (join with --map text=COLUMN+COLUMN)")
        return [
            *self._table.notices,
            *([] if self.format in ("folder", "zip") else named),
            *self._table.found,
            *self._found,
        ]

    def __iter__(self) -> Iterator[Item]:
        """Read the notes from the top."""
        return (item for item, _ in self.measured())

    def measured(self) -> Iterator[tuple[Item, int]]:
        """Read the notes from the top, each with the length of its longest cell as it was before markup was taken out.

        Systems cut cells, not the plain text in them. What has no cell has length 0.
        """
        names = list(self._table.names)
        places = {field: names.index(column) for field, column in self.columns.items()}
        cells = _text_cells(names, self.columns["text"])
        seen = Seen()
        repeats: dict[str, int] = {}
        blank = repeated = 0
        markup: Counter[str] = Counter()
        self._found = []
        self._table.found.clear()
        for record in self._table.rows():
            if record is None:
                blank += 1
            elif isinstance(record, NoteReadError):
                yield record, 0
            else:
                item = _item(record, places, self.columns["text"], markup)
                if isinstance(item, Note) and item.note_id in seen:
                    repeated += 1
                    item = Note(_fresh(item.note_id, seen, repeats), item.text, item.meta)
                if isinstance(item, Note):
                    seen.add(item.note_id)
                yield item, max(len(record.cells[place] or "") for place in cells)
        self._found += told(markup)
        if blank:
            self._found.append(f"{blank:,} blank rows skipped")
        if repeated:
            self._found.append(f"{repeated:,} notes had the id of an earlier one and were named ID#2, ID#3, ...")


def open_export(
    path: str | os.PathLike[str],
    *,
    columns: Mapping[str, str] | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
    join_on: str | None = None,
    order: str | None = None,
) -> Export:
    """Open an export of any known format, or a folder of documents, and recognise its columns.

    Args:
        path: the file or folder.
        columns: field to column, for what the aliases do not know; ``{"text": "A+B"}`` joins columns.
        encoding: of a text format; recognised if left out.
        sheet: of a workbook, by name or by number from 1; the first with a column of notes if left out.
        join_on: the column that the rows of one note share, where notes are split over rows.
        order: the column that orders them.

    Raises:
        InputError: the export cannot be read at all.
        UsageError: an argument names something that does not exist.
    """
    path = Path(path)
    if order and not join_on:
        raise UsageError("--order says how the rows of a note follow each other: say with --join-on what they share")
    overrides = {field_of(name): column for name, column in (columns or {}).items()}
    table, overrides = join_sections(open_table(path, overrides, encoding, sheet), overrides)
    mapping = map_columns(table.names, overrides, source=path.name)
    if join_on:
        key = _column(table, "--join-on", join_on, path)
        mapping.setdefault("note_id", key)
        table = join_rows(table, key, _column(table, "--order", order, path) if order else None, mapping["text"])
    if all(record is None for record in table.rows()):
        raise InputError(f"{path.name} has column names but no notes below them: export it again")
    return Export(path, table, mapping)


def _column(table: Table, option: str, wanted: str, path: Path) -> str:
    found = find_column(table.names, wanted)
    if not found:
        raise UsageError(f"{option} {wanted!r}: {path.name} has no such column; {listing(table.names)}")
    return found


def _text_cells(names: Sequence[str], column: str) -> list[int]:
    """The places of the cells that a note is made of: its column, or those that were joined to it."""
    parts = column.split(" + ")
    return [names.index(part) for part in parts] if set(parts) <= set(names) else [names.index(column)]


def _item(row: Row, places: Mapping[str, int], column: str, markup: Counter[str]) -> Item:
    """A row as a note, or why it is none; ``markup`` counts what was turned into plain text."""
    where, cells = row
    text = cells[places["text"]]
    named = (cells[places["note_id"]] or "").strip() if "note_id" in places else ""
    note_id = named or where
    if text is None:
        return NoteReadError(where, f"has no {column!r}, or holds no text in it")
    if astray := _text_astray(cells, places):
        return NoteReadError(where, astray)
    if len(text) > MAX_NOTE_CHARS:
        return NoteReadError(
            where,
            f"the note has {len(text):,} characters, more than {MAX_NOTE_CHARS:,}: "
            "split it, or look for a quotation mark that is never closed",
        )
    try:
        text, kind = plain_text(where, text)
    except NoteReadError as error:
        return error
    markup.update([kind] if kind else [])
    if not text.replace("\0", "").strip():
        return Skipped(where, note_id, "no text")
    meta = {field: value for field in META if field in places and (value := (cells[places[field]] or "").strip())}
    if "date" in meta:
        meta["date"] = iso_date(meta["date"])
    return Note(note_id, text, meta)


def _text_astray(cells: Sequence[str | None], places: Mapping[str, int]) -> str:
    """Says which cell, of those that are kept as they are, is too long for what it should be."""
    for field, longest in _LONGEST.items():
        length = len(cells[places[field]] or "") if field in places else 0
        if length > longest:
            return (
                f"the {field.replace('_', ' ')} has {length:,} characters, so it is probably part of a note: "
                "look for a quotation mark that is missing or never closed"
            )
    return ""


def _fresh(note_id: str, seen: Seen, repeats: dict[str, int]) -> str:
    """The first of ``ID#2``, ``ID#3`` ... that is free; ``repeats`` remembers how far an id has come."""
    number = repeats.get(note_id, 1) + 1
    while f"{note_id}#{number}" in seen:
        number += 1
    repeats[note_id] = number
    return f"{note_id}#{number}"
