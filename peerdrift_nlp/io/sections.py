"""Sections of a note, joined under their headings: columns (B, I, R, P and the like), or parts of a document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from peerdrift_nlp.errors import NoteReadError
from peerdrift_nlp.io.columns import find_column, normal, recognise
from peerdrift_nlp.io.markup import plain_text, told
from peerdrift_nlp.io.table import Record, Row, Table

HEADINGS: Mapping[str, tuple[str, ...]] = {
    "Behavior": ("b", "behavior", "behaviour"),
    "Data": ("d", "data"),
    "Subjective": ("s", "subjective"),
    "Objective": ("o", "objective"),
    "Goal": ("g", "goal", "goals"),
    "Problem": ("problem",),
    "Assessment": ("a", "assessment"),
    "Action": ("action", "actions"),
    "Intervention": ("i", "intervention", "interventions"),
    "Response": ("r", "response"),
    "Evaluation": ("e", "evaluation"),
    "Plan": ("p", "plan"),
}
"""The heading of a section to the names of its column."""

_FEWEST = 3
_HEADING_OF = {alias: heading for heading, aliases in HEADINGS.items() for alias in aliases}


class Section(NamedTuple):
    """A section of a document; one of greater depth lies within the one before it."""

    depth: int
    title: str
    text: str


def outline(sections: Sequence[Section]) -> str:
    """The text of all sections under their titles; those with no text in or below them are left out."""
    parts: list[str] = []
    next_depth = 0
    for depth, title, text in reversed(sections):
        if text.strip() or next_depth > depth:
            parts.append(_under(title, text))
            next_depth = depth
    return "\n\n".join(reversed(parts)).strip()


def text_columns(names: Sequence[str], overrides: Mapping[str, str]) -> list[str]:
    """The columns that make the note: one, several that are its sections, or none.

    Several may be asked for as ``{"text": "A+B"}``; else three or more with the names of sections, where no
    column has the whole note.
    """
    if found := recognise(names, overrides).get("text"):
        return [found]
    if "text" in overrides:
        asked = [find_column(names, part.strip()) for part in overrides["text"].split("+")]
        return [column for column in asked if column] if len(asked) > 1 and all(asked) else []
    return section_columns(names)


def section_columns(names: Sequence[str]) -> list[str]:
    """The columns that are named like sections, where they are enough to make a note."""
    sections = [name for name in dict.fromkeys(names) if normal(name) in _HEADING_OF]
    return sections if len(sections) >= _FEWEST else []


def join_sections(table: Table, overrides: Mapping[str, str]) -> tuple[Table, dict[str, str]]:
    """The table with one more column for the whole note where several make it, and the overrides that name it."""
    columns = text_columns(table.names, overrides)
    if len(columns) < 2:
        return table, dict(overrides)
    whole = " + ".join(columns)
    names = list(table.names)
    places = [(_HEADING_OF.get(normal(column), column), names.index(column)) for column in columns]

    def rows() -> Iterator[Record]:
        markup: Counter[str] = Counter()
        for record in table.rows():
            yield _with_whole(record, places, markup) if isinstance(record, Row) else record
        table.found.extend(told(markup))

    return replace(table, names=[*names, whole], rows=rows), {**overrides, "text": whole}


def _with_whole(row: Row, places: Sequence[tuple[str, int]], markup: Counter[str]) -> Row | NoteReadError:
    """The row with the whole note behind its cells; each section may be in markup of its own."""
    sections = [(heading, row.cells[place]) for heading, place in places]
    if all(text is None for _, text in sections):
        return Row(row.where, [*row.cells, None])
    parts, kinds = [], set()
    for heading, text in sections:
        try:
            plain, kind = plain_text(row.where, text or "")
        except NoteReadError as error:
            return error
        kinds.add(kind)
        if plain.strip():
            parts.append(_under(heading, plain))
    markup.update(kinds - {""})
    return Row(row.where, [*row.cells, "\n".join(parts)])


def _under(heading: str, text: str) -> str:
    heading = " ".join(heading.split()).removesuffix(":")
    return f"{heading}:\n{text.strip()}".strip() if heading else text.strip()
