"""Where the header of a table is: below the title rows that a reporting system prints over it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from peerdrift_nlp.io.columns import is_data_like, normal, recognise
from peerdrift_nlp.io.sections import text_columns
from peerdrift_nlp.io.table import clean_names

_TITLE_ROWS = 20
_TITLE_CELLS = 2


class Header(NamedTuple):
    """The header row: its number from 1, its names, how many rows with text stand above, what it is worth."""

    number: int
    names: list[str]
    titles: int
    merit: int

    @property
    def notices(self) -> list[str]:
        """What was assumed."""
        return [f"skipped above the header: {self.titles} title rows"] if self.titles else []


def find_header(rows: Iterable[Sequence[str | None]], overrides: Mapping[str, str]) -> Header | None:
    """The first row that is not blank, or one below it that names a column of notes where that one does not.

    Only rows of one or two cells are taken for titles, and no row that looks like data for a header.
    """
    best: Header | None = None
    titles = 0
    for number, cells in enumerate(rows, start=1):
        names = clean_names(cells)
        filled = sum(1 for name in names if normal(name))
        if not filled:
            continue
        texts = text_columns(names, overrides)
        merit = len(recognise(names, overrides)) + len(texts) if texts else 0
        if best is None or (merit > best.merit and not is_data_like(names)):
            best = Header(number, names, titles, merit)
        titles += 1
        if filled > _TITLE_CELLS or titles > _TITLE_ROWS:
            break
    return best
