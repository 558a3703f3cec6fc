"""JSON: one object a line, or an array (or a sequence) of objects, read as a stream; FHIR is told apart here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TextIO

from peerdrift_nlp.errors import InputError, NoteReadError
from peerdrift_nlp.io.delimited import MAX_CELL_CHARS, Lines
from peerdrift_nlp.io.fhir import Located, read_fhir
from peerdrift_nlp.io.sniff import Decoding, sniff_file
from peerdrift_nlp.io.table import Record, Row, Table

MAX_BUNDLE_CHARS = 512 << 20
"""A FHIR Bundle is one object, however many notes it holds."""

_PEEK = 50
_READ = 1 << 16
_BETWEEN = " \t\r\n,"

# Numbers stay as they are written: an id is no quantity.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str, strict=False)


def read_objects(path: Path, encoding: str | None) -> Table:
    """Open JSON or JSONL, whichever the file holds.

    Raises:
        InputError: no object among the first lines.
    """
    decoding = sniff_file(path, encoding)
    with _open(path, decoding) as file:
        first = next((line.strip("\ufeff \t\r\n") for line in Lines(file) if line.strip("\ufeff \t\r\n")), "")
    if not first:
        raise InputError(f"{path.name} is empty: export it again")
    by_line = not first.startswith("[") and (path.suffix.lower() != ".json" or isinstance(_parse(first), dict))
    parse = _lines if by_line else _items

    def objects() -> Iterator[Located]:
        with _open(path, decoding) as file:
            yield from parse(file)

    notices = [decoding.notice] if decoding.notice else []
    start = [item[1] for item in islice(objects(), _PEEK) if isinstance(item, tuple)]
    if any("resourceType" in item for item in start):
        return read_fhir(path.name, decoding.encoding, notices, objects)
    # The names of the columns are those of the first objects: one object may leave a column out.
    names = list(dict.fromkeys(name for item in start for name in item))
    if not names:
        kind = "lines are JSON objects" if by_line else "items are JSON objects"
        raise InputError(f"{path.name}: none of the first {kind}; expected {{'note_id': ..., 'text': ...}}")

    def rows() -> Iterator[Record]:
        for item in objects():
            if isinstance(item, tuple):
                where, values = item
                yield Row(where, [_cell(values[name]) if name in values else None for name in names])
            else:
                yield item

    return Table("jsonl" if by_line else "json", decoding.encoding, names, rows, notices)


def _open(path: Path, decoding: Decoding) -> TextIO:
    return path.open(encoding=decoding.encoding, errors=decoding.errors, newline="\n")


def _cell(value: object) -> str | None:
    """A value as text; a list or an object is none."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else None


def _parse(line: str) -> object:
    try:
        return _DECODER.decode(line)
    except (ValueError, RecursionError):
        return None


def _lines(file: TextIO) -> Iterator[Located]:
    for number, line in enumerate(Lines(file), start=1):
        line = line.strip("\ufeff \t\r\n")
        if not line:
            yield None
            continue
        value = _parse(line)
        if isinstance(value, dict):
            yield f"line {number}", value
        else:
            yield NoteReadError(f"line {number}", "is not a complete JSON object; write one object on each line")


def _items(file: TextIO) -> Iterator[Located]:
    """Objects out of an array, or one after another, decoded one by one; what is broken ends the reading."""
    buffer, number, step = file.read(_READ).lstrip("\ufeff" + _BETWEEN), 1, _READ
    most = MAX_BUNDLE_CHARS if '"resourceType"' in buffer else MAX_CELL_CHARS
    in_array = buffer.startswith("[")
    buffer = buffer.removeprefix("[")
    while True:
        buffer = buffer.lstrip(_BETWEEN)
        if in_array and buffer.startswith("]"):
            return
        try:
            value, end = _DECODER.raw_decode(buffer)
        except (ValueError, RecursionError):
            more = file.read(step) if len(buffer) < most else ""
            if more:
                buffer, step = buffer + more, step * 2
                continue
            if buffer or in_array:
                yield NoteReadError(f"item {number}", "is cut off or not valid JSON; nothing from here on was read")
            return
        buffer, step = buffer[end:], _READ
        if isinstance(value, dict):
            yield f"item {number}", value
        else:
            yield NoteReadError(f"item {number}", "is not a JSON object")
        number += 1
