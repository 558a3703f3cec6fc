"""Frames in, frames of the same kind out: pandas, polars and pyarrow, by way of narwhals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import narwhals as nw
from narwhals.dependencies import is_into_dataframe, is_pandas_dataframe, is_pyarrow_table
from narwhals.typing import IntoDataFrameT

from peerdrift_nlp.errors import UsageError
from peerdrift_nlp.types import NoteReport

_OF_FINDING = {
    "label": nw.String(), "indicator": nw.String(), "locus": nw.String(), "severity": nw.Int64(),
    "probability": nw.Float64(), "start": nw.Int64(), "end": nw.Int64(), "origin": nw.String(),
    "reason": nw.String(), "question": nw.String(),
}  # fmt: skip
COLUMNS = {"note_id": nw.String(), **_OF_FINDING, "problem": nw.String()}
"""The columns of a frame of findings, with their types where the frame's kind knows missing integers."""


def notes_of_frame(frame: Any, text: str, id: str | None = None) -> Iterator[tuple[str, str]]:
    """The notes of a frame as ``(note_id, text)`` pairs; missing values are empty notes.

    Args:
        frame: a pandas or polars DataFrame or a pyarrow Table, one note a row.
        text: the column of the notes.
        id: the column of their ids; without it, the index of a pandas frame, the row number (from 0) of another.

    Raises:
        UsageError: no frame, or not exactly one column of the name.
    """
    if not is_into_dataframe(frame):
        fix = "; collect() it first" if hasattr(frame, "collect") else ""
        raise UsageError(f"a frame is a pandas or polars DataFrame or a pyarrow Table, not {type(frame).__name__}{fix}")
    check_columns(frame.column_names if is_pyarrow_table(frame) else frame.columns, text, id)
    values = nw.from_native(frame[text], series_only=True)
    if id is not None:
        ids = nw.from_native(frame[id], series_only=True).to_list()
    else:
        ids = list(frame.index) if is_pandas_dataframe(frame) else list(range(len(values)))
    rows = zip(ids, values.to_list(), values.is_null().to_list(), strict=True)
    return ((str(key), "" if is_missing else str(value)) for key, value, is_missing in rows)


def check_columns(columns: Iterable[Any], text: str, id: str | None) -> None:
    """Each named column must be there, once.

    Raises:
        UsageError: one is not; the message lists those that are.
    """
    names = list(columns)
    for column in (text, id):
        if column is not None and names.count(column) != 1:
            count = f"{names.count(column)} columns" if column in names else "no column"
            raise UsageError(f"{count} {column!r}; the frame has {', '.join(map(str, names))}")


def findings_frame(reports: Iterable[NoteReport], like: IntoDataFrameT) -> IntoDataFrameT:
    """One row a finding, of the columns ``COLUMNS``, in a frame of the kind of ``like``.

    A note that could not be scanned has a row for each problem, with nothing but its id and the ``problem``.
    """
    rows = [row for report in reports for row in _rows(report)]
    data = {name: [row.get(name) for row in rows] for name in COLUMNS}
    # A pandas column of integers cannot miss any: pandas chooses types itself, as ever.
    schema = None if is_pandas_dataframe(like) else COLUMNS
    made: IntoDataFrameT = nw.from_dict(data, schema, backend=nw.get_native_namespace(like)).to_native()
    return made


def _rows(report: NoteReport) -> Iterator[dict[str, Any]]:
    for finding in report.findings:
        yield {"note_id": report.note_id, **{name: getattr(finding, name) for name in _OF_FINDING}}
    for problem in report.problems:
        yield {"note_id": report.note_id, "problem": problem}
