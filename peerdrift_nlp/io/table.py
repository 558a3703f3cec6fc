"""What every format is turned into: named columns and rows of cells, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from peerdrift_nlp.errors import NoteReadError

NOTE_NAMES = ("note_id", "text", "author", "date", "status", "service", "program")
"""The columns of formats whose notes have a place for each of these, and no names of columns."""


class Row(NamedTuple):
    """One row: where a user would look for it, and its cells (``None``: it has no such cell)."""

    where: str
    cells: Sequence[str | None]


Record = Row | NoteReadError | None
"""A row, a row that cannot be read, or ``None`` for a blank one."""


@dataclass(frozen=True, slots=True)
class Table:
    """One export of any format. ``rows`` starts from the top whenever it is called.

    ``notices`` says what was assumed; ``found`` says what is known only when all rows have been read, and is emptied
    by who reads them again.
    """

    format: str
    encoding: str
    names: Sequence[str]
    rows: Callable[[], Iterator[Record]]
    notices: list[str] = field(default_factory=list)
    found: list[str] = field(default_factory=list)


def clean_names(cells: Sequence[str | None]) -> list[str]:
    """The cells of a header without byte order mark and outer spaces."""
    return [(cell or "").strip("\ufeff \t\r\n\xa0") for cell in cells]
