"""Frames in, frames of the same kind out: pandas, polars and pyarrow, by way of narwhals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from numbers import Number
from typing import Any, cast

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
"""The columns of a frame of findings, with their types."""
_IN_PANDAS = {nw.String(): "string", nw.Int64(): "Int64", nw.Float64(): "Float64"}
"""The types of pandas that can miss values."""


def notes_of_frame(frame: Any, text: str, id: str | None = None) -> Iterator[tuple[str, str]]:
    """The notes of a frame as ``(note_id, text)`` pairs; missing values are empty notes.

    Args:
        frame: a pandas or polars DataFrame or a pyarrow Table, one note a row.
        text: the column of the notes.
        id: the column of their ids, "row 3" where the third is missing; without it, the index of a pandas frame, the
            row number (from 0) of another.

    Raises:
        UsageError: no frame, or not exactly one column of the name.
    """
    if not is_into_dataframe(frame):
        fix = "; collect() it first" if hasattr(frame, "collect") else ""
        raise UsageError(f"a frame is a pandas or polars DataFrame or a pyarrow Table, not {type(frame).__name__}{fix}")
    check_columns(frame.column_names if is_pyarrow_table(frame) else frame.columns, text, id)
    texts = _values(frame[text])
    if id is not None:
        ids = [f"row {number}" if key is None else _plain(key) for number, key in enumerate(_values(frame[id]), 1)]
    else:
        ids = list(frame.index) if is_pandas_dataframe(frame) else list(range(len(texts)))
    return ((str(key), "" if value is None else _plain(value)) for key, value in zip(ids, texts, strict=True))


def _values(column: Any) -> list[Any]:
    """The values of a column, ``None`` where one is missing."""
    series = nw.from_native(column, series_only=True)
    return [None if missing else value for value, missing in zip(series.to_list(), series.is_null(), strict=True)]


def _plain(value: Any) -> Any:
    """A number as it was written down: pandas makes whole numbers fractions where one is missing."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, Number) else value


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
    if is_pandas_dataframe(like):
        pd = nw.get_native_namespace(like)
        made = pd.DataFrame({name: pd.array(data[name], _IN_PANDAS[kind]) for name, kind in COLUMNS.items()})
    else:
        made = nw.from_dict(data, COLUMNS, backend=nw.get_native_namespace(like)).to_native()
    return cast("IntoDataFrameT", made)


def _rows(report: NoteReport) -> Iterator[dict[str, Any]]:
    for finding in report.findings:
        yield {"note_id": report.note_id, **{name: getattr(finding, name) for name in _OF_FINDING}}
    for problem in report.problems:
        yield {"note_id": report.note_id, "problem": problem}
