"""Open a file of labels of any tool; tell everything that is wrong with it at once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from peerdrift_nlp.errors import InputError, LabelsError, Problem, UsageError
from peerdrift_nlp.io.delimited import read_delimited
from peerdrift_nlp.io.labels.docbin import read_docbin
from peerdrift_nlp.io.labels.json_lines import is_prodigy, read_doccano, read_prodigy
from peerdrift_nlp.io.labels.label_studio import is_full, read_min, read_task
from peerdrift_nlp.io.labels.names import LabelNames
from peerdrift_nlp.io.labels.reviews import read_review
from peerdrift_nlp.io.labels.rows import Reading
from peerdrift_nlp.io.labels.tables import FIELDS, read_table
from peerdrift_nlp.io.workbook import read_workbook
from peerdrift_nlp.report.fingerprint import Fingerprints
from peerdrift_nlp.types import Note

MAX_BYTES = 500_000_000
SUFFIXES = (".csv", ".tsv", ".xlsx", ".json", ".jsonl", ".ndjson", ".spacy")
_TOLD = 50


def read_labels(
    paths: Sequence[Path],
    notes: Sequence[Note],
    *,
    names: LabelNames | None = None,
    fields: Mapping[str, str] | None = None,
    fingerprints: Fingerprints | None = None,
) -> list[Reading]:
    """Read files of labels.

    Args:
        paths: decisions of a review, CSV, TSV, XLSX, Label Studio's JSON, JSON-MIN or CSV, JSONL of doccano or
            Prodigy, or spaCy's DocBin; each is recognised by what it holds.
        notes: of the export, which a review names by their fingerprints only.
        names: reads the labels' names.
        fields: field to column, for what is not recognised; the fields are ``FIELDS``.
        fingerprints: with the key of the reviewed scan.

    Raises:
        InputError: a file that cannot be read at all.
        LabelsError: unknown labels and other faults of single rows, all of them.
        UsageError: an unknown field.
    """
    if unknown := sorted((fields or {}).keys() - set(FIELDS)):
        raise UsageError(f"unknown field {unknown[0]!r}; the fields of labels are {', '.join(FIELDS)}")
    readings = []
    once = Counter(path.name for path in paths)
    for path in paths:
        # A file's name stands for its annotator where the tool names none.
        reading = Reading(path.name if once[path.name] == 1 else str(path), names or LabelNames(), fields)
        _read(reading, path, notes, fingerprints)
        readings.append(reading)
    problems = [problem for reading in readings for problem in told_once(reading.problems)]
    if problems:
        raise LabelsError(problems)
    if not any(reading.rows for reading in readings):
        raise InputError(f"{', '.join(path.name for path in paths)}: no labels in it")
    return readings


def told_once(problems: Iterable[Problem]) -> list[Problem]:
    """The problems with each kind told where it was first met, and how often it was; the first kinds only."""
    by_kind: dict[tuple[str, str], list[Problem]] = {}
    for problem in problems:
        by_kind.setdefault((problem.path, problem.what), []).append(problem)
    told = [
        Problem(path, same[0].line, f"{what} (and {len(same) - 1:,} more of it)" if len(same) > 1 else what)
        for (path, what), same in by_kind.items()
    ]
    more = len(told) - _TOLD
    return told if more <= 0 else [*told[:_TOLD], Problem(told[0].path, 0, f"... and {more:,} other problems")]


def _read(reading: Reading, path: Path, notes: Sequence[Note], fingerprints: Fingerprints | None) -> None:
    suffix = path.suffix.lower()
    if not path.is_file():
        raise InputError(f"{path} does not exist or is no file: check the path")
    if suffix not in SUFFIXES:
        raise InputError(
            f"{path.name} is of no known kind ({suffix or 'no extension'}); known are {', '.join(SUFFIXES)}"
        )
    if not 0 < path.stat().st_size <= MAX_BYTES:
        raise InputError(f"{path.name} is empty or larger than {MAX_BYTES:,} bytes: export it again, in parts")
    columns = {field: column for field, column in reading.fields.items() if field in ("text", "note_id")}
    if suffix == ".spacy":
        read_docbin(reading, path)
    elif suffix == ".xlsx":
        read_table(reading, read_workbook(path, columns))
    elif suffix in (".csv", ".tsv"):
        read_table(reading, read_delimited(path, columns, None))
    else:
        _read_json(reading, path, notes, fingerprints)


def _read_json(reading: Reading, path: Path, notes: Sequence[Note], fingerprints: Fingerprints | None) -> None:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name} is not UTF-8 (byte {error.start:,}): export it again as UTF-8") from None
    whole = None if path.suffix.lower() != ".json" else _parsed(text)
    if isinstance(whole, dict) and "decisions" in whole:
        if fingerprints is None:
            raise InputError(f"{path.name} holds decisions of a review: name the scan's results folder with --run")
        read_review(reading, path, notes, fingerprints)
        return
    items = enumerate(whole, 1) if isinstance(whole, list) else _lines(reading, text)
    for place, item in items:
        if not isinstance(item, dict):
            reading.problem(place, "is not a JSON object")
            continue
        try:
            _reader(item, path)(reading, place, item)
        except ValueError as error:
            reading.problem(place, str(error))


def _reader(item: Mapping[str, Any], path: Path) -> Callable[[Reading, int, Mapping[str, Any]], None]:
    if is_full(item):
        return read_task
    if is_prodigy(item):
        return read_prodigy
    return read_min if path.suffix.lower() == ".json" else read_doccano


def _lines(reading: Reading, text: str) -> Iterator[tuple[int, object]]:
    for place, line in enumerate(text.split("\n"), 1):
        if line.strip():
            item = _parsed(line)
            if item is None:
                reading.problem(place, "is not JSON; expected one object a line, or a list of objects in a .json")
            else:
                yield place, item


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
