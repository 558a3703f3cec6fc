"""CSV and its relatives, read as a stream with the standard library's parser."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from peerdrift_nlp.errors import InputError, NoteReadError
from peerdrift_nlp.io.columns import recognise
from peerdrift_nlp.io.header import Header, find_header
from peerdrift_nlp.io.sniff import Decoding, sniff_file
from peerdrift_nlp.io.table import Record, Row, Table

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
MAX_CELL_CHARS = 32_000_000
"""Beyond this the parser gives up: a quotation mark was never closed, or it is no table."""


class Lines:
    """The lines of a file, never longer than the longest cell; knows when they are used up."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.ended = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._file.readline(MAX_CELL_CHARS + 2)
        if not line:
            self.ended = True
            raise StopIteration
        return line


def read_delimited(path: Path, overrides: Mapping[str, str], encoding: str | None) -> Table:
    """Open CSV, TSV or the like; the delimiter is the one that gives the header most sense.

    Raises:
        InputError: nothing to read.
    """
    # The limit belongs to the process; it is only ever raised, which no other reader of CSV can mind.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_CELL_CHARS))
    decoding = sniff_file(path, encoding)
    delimiter, header = _header(path, decoding, overrides)
    notices = [*([decoding.notice] if decoding.notice else []), *header.notices]
    if delimiter != ("\t" if path.suffix.lower() in (".tsv", ".tab") else ","):
        notices.append(f"cells are separated by {DELIMITERS[delimiter]}")
    kind = "tsv" if delimiter == "\t" else "csv"

    def rows() -> Iterator[Record]:
        return _rows(path, decoding, delimiter, header)

    return Table(kind, decoding.encoding, header.names, rows, notices)


def _open(path: Path, decoding: Decoding) -> TextIO:
    return path.open(encoding=decoding.encoding, errors=decoding.errors, newline="")


def _header(path: Path, decoding: Decoding, overrides: Mapping[str, str]) -> tuple[str, Header]:
    best: tuple[tuple[int, int, int], str, Header] | None = None
    for delimiter in DELIMITERS:
        with _open(path, decoding) as file:
            header = find_header(_readable(csv.reader(Lines(file), delimiter=delimiter)), overrides)
        if header is None:
            continue
        merit = (header.merit, len(recognise(header.names, overrides)), len(header.names))
        if best is None or merit > best[0]:
            best = (merit, delimiter, header)
    if best is None:
        raise InputError(f"{path.name} has no row with column names: export it again")
    return best[1], best[2]


def _readable(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    """The rows up to the first that the parser gives up on."""
    with suppress(csv.Error):
        yield from reader


def _rows(path: Path, decoding: Decoding, delimiter: str, header: Header) -> Iterator[Record]:
    """The rows below the header; the number of a row is the one that a spreadsheet shows."""
    with _open(path, decoding) as file:
        lines = Lines(file)
        reader = csv.reader(lines, delimiter=delimiter)
        number, first_line, width = 0, 1, len(header.names)
        while True:
            number += 1
            try:
                cells = next(reader, None)
            except csv.Error:
                yield NoteReadError(f"row {number}", _endless(first_line, reader.line_num))
                return
            if cells is None:
                return
            if number <= header.number:
                pass
            elif lines.ended:
                yield NoteReadError(f"row {number}", _endless(first_line, reader.line_num))
            elif _blank(cells):
                yield None
            elif len(cells) != width and (len(cells) < width or any(cells[width:])):
                yield NoteReadError(f"row {number}", _misshapen(len(cells), width))
            else:
                yield Row(f"row {number}", cells)
            first_line = reader.line_num + 1


def _blank(cells: list[str]) -> bool:
    return not any(cells) or not "".join(cells).strip()


def _endless(first: int, last: int) -> str:
    return (
        f"a quotation mark is never closed, so lines {first} to {last} of the file were taken for one cell "
        "and nothing below was read: close the quotation mark, or write it twice where it belongs to the text"
    )


def _misshapen(found: int, width: int) -> str:
    return (
        f"has {found} cells where the header has {width}: a cell holds a separator or a line break "
        "without quotation marks around it, here or in the row above; export it again as .xlsx"
    )
