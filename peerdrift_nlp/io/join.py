"""Notes that are split over several rows, joined on a column that their rows share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from peerdrift_nlp.errors import NoteReadError
from peerdrift_nlp.io.table import Record, Row, Table

CELL_LIMITS = (255, 256, 500, 1000, 2000, 3999, 4000, 8000, 32_000, 32_767)
"""Where systems cut a text."""

_SHORTEST_CUT = 80


def join_rows(table: Table, key: str, order: str | None, text: str) -> Table:
    """One row for all rows that have the same cell in a column; all are kept in memory meanwhile.

    The other cells are those of the first row. A piece that fills a cell to its limit goes on in the next without a
    break; other pieces are joined by a line break. Rows without a key stay as they are.

    Args:
        table: the table of the pieces.
        key: the column that the pieces of a note share.
        order: the column that they are ordered by, numbers as such; their order in the file if left out.
        text: the column of the text.
    """
    names = list(table.names)
    key_place, text_place = names.index(key), names.index(text)
    order_place = names.index(order) if order else None

    def rows() -> Iterator[Record]:
        groups: dict[str, list[Row]] = {}
        others: list[Record] = []
        for record in table.rows():
            name = (record.cells[key_place] or "").strip() if isinstance(record, Row) else ""
            if isinstance(record, Row) and name:
                groups.setdefault(name, []).append(record)
            else:
                others.append(record)
        if order_place is not None:
            groups = {name: _ordered(pieces, order_place) for name, pieces in groups.items()}
        limit = _limit(groups, text_place)
        total = sum(map(len, groups.values()))
        table.found.append(f"{total:,} rows joined into {len(groups):,} notes on {key!r}")
        if limit:
            table.found.append(f"a piece of {limit:,} characters goes on in the next row without a break")
        yield from (_joined(pieces, text_place, limit) for pieces in groups.values())
        yield from others

    return replace(table, rows=rows)


def _ordered(pieces: list[Row], place: int) -> list[Row]:
    cells = [(piece.cells[place] or "").strip() for piece in pieces]
    try:
        numbers: list[float] = [float(cell) for cell in cells]
    except ValueError:
        return [piece for _, piece in sorted(zip(cells, pieces, strict=True), key=lambda item: item[0])]
    return [piece for _, piece in sorted(zip(numbers, pieces, strict=True), key=lambda item: item[0])]


def _limit(groups: dict[str, list[Row]], place: int) -> int:
    """The length at which texts were cut: that of several of the longest pieces, or a usual one; 0 for none."""
    lengths = Counter(len(piece.cells[place] or "") for pieces in groups.values() for piece in pieces[:-1])
    longest = max((len(piece.cells[place] or "") for pieces in groups.values() for piece in pieces), default=0)
    is_limit = longest in CELL_LIMITS or (longest >= _SHORTEST_CUT and lengths[longest] > 1)
    return longest if lengths[longest] and is_limit else 0


def _joined(pieces: list[Row], place: int, limit: int) -> Row | NoteReadError:
    first = pieces[0]
    text = ""
    for number, piece in enumerate(pieces, start=1):
        part = piece.cells[place]
        if part is None:
            return NoteReadError(piece.where, "is a piece of a note and holds no text; the note was not read")
        text += part if number == len(pieces) or len(part) == limit else part + "\n"
    return Row(first.where, [*first.cells[:place], text, *first.cells[place + 1 :]])
