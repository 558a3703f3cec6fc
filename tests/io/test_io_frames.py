"""Frames of findings: pandas, polars and pyarrow give the same, each in its own kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from peerdrift_nlp.errors import UsageError
from peerdrift_nlp.io.frames import COLUMNS
from peerdrift_nlp.scanner import MAX_NOTE_CHARS, Scanner

MARKER = "xylorimba"
DRIVE = "I drove her to Walmart and back."
DATA = {"id": ["x1", "x2", "x3", "x4"], "note": [DRIVE, None, "Quiet \U0001f600 day.", f"{DRIVE} Counted her pills."]}
LONG = {"note": [DRIVE, "x" * (MAX_NOTE_CHARS + 1)]}
KINDS: dict[str, Callable[[dict[str, list[Any]]], Any]] = {
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "pyarrow": pa.table,
}
make = pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
typed = pytest.mark.parametrize("make", [pl.DataFrame, pa.table], ids=["polars", "pyarrow"])


@pytest.fixture(scope="module")
def fast() -> Scanner:
    return Scanner(model="fast")


def records(table: Any) -> list[dict[str, Any]]:
    """The rows, with None for whatever stands for a missing value."""
    if isinstance(table, pd.DataFrame):
        return [
            {key: None if pd.isna(value) else value for key, value in row.items()} for row in table.to_dict("records")
        ]
    return table.to_dicts() if isinstance(table, pl.DataFrame) else table.to_pylist()


@make
def test_every_kind_gives_its_own_kind_with_the_same_rows(fast: Scanner, make: Callable[..., Any]) -> None:
    frame = make(DATA)
    table = fast.scan_frame(frame, text="note", id="id")
    assert type(table) is type(frame)
    expected = [
        {"note_id": key, **{name: getattr(item, name) for name in list(COLUMNS)[1:-1]}, "problem": None}
        for key, text in zip(*DATA.values(), strict=True)
        for item in fast.scan(text or "").findings
    ]
    assert len(expected) >= 3
    assert records(table) == expected


@make
def test_a_note_that_cannot_be_scanned_has_a_row(fast: Scanner, make: Callable[..., Any]) -> None:
    rows = records(fast.scan_frame(make(LONG), text="note"))
    (row,) = [row for row in rows if row["note_id"] == "1"]
    assert f"{MAX_NOTE_CHARS:,}" in row["problem"]
    assert {name for name, value in row.items() if value is not None} == {"note_id", "problem"}


@pytest.mark.parametrize("data", [DATA, LONG, {"note": ["Quiet day."]}], ids=["findings", "problems", "nothing"])
def test_types_of_pandas_are_the_same_whatever_is_found(fast: Scanner, data: dict[str, Any]) -> None:
    table = fast.scan_frame(pd.DataFrame(data), text="note")
    kinds = dict.fromkeys(COLUMNS, "string") | dict.fromkeys(("severity", "start", "end"), "Int64")
    assert {name: str(kind) for name, kind in table.dtypes.items()} == kinds | {"probability": "Float64"}


@typed
@pytest.mark.parametrize("data", [DATA, LONG, {"note": ["Quiet day."]}], ids=["findings", "problems", "nothing"])
def test_types_are_the_same_whatever_is_found(fast: Scanner, make: Callable[..., Any], data: dict[str, Any]) -> None:
    table = pl.DataFrame(fast.scan_frame(make(data), text="note"))
    kinds = {name: pl.String for name in COLUMNS} | dict.fromkeys(("severity", "start", "end"), pl.Int64)
    assert dict(table.schema) == kinds | {"probability": pl.Float64}


@typed
def test_without_ids_rows_are_counted(fast: Scanner, make: Callable[..., Any]) -> None:
    rows = records(fast.scan_frame(make({"note": ["Quiet day.", DRIVE]}), text="note"))
    assert {row["note_id"] for row in rows} == {"1"}


def test_slices_chunks_and_odd_types(fast: Scanner) -> None:
    found = [item.indicator for item in fast.scan(DRIVE).findings]
    chunked = pa.chunked_array([["Quiet day."], [DRIVE, None]])
    for frame in (
        pa.table({"note": chunked}),
        pa.table({"note": chunked.dictionary_encode()}),
        pl.DataFrame({"note": ["Quiet day.", DRIVE, None]}, schema={"note": pl.Categorical}),
        pl.DataFrame({"note": [None, DRIVE, "Quiet day."]})[1:],
        pd.DataFrame({"note": ["Quiet day.", DRIVE, None]}, dtype="string"),
        pd.DataFrame({"note": ["Quiet day.", DRIVE, np.nan], 3: [1, 2, 3]}),
    ):
        assert [row["indicator"] for row in records(fast.scan_frame(frame, text="note"))] == found


@make
def test_a_missing_id_is_the_row(fast: Scanner, make: Callable[..., Any]) -> None:
    """Notes without ids must not become one; and pandas makes 7 of such a column 7.0."""
    rows = records(fast.scan_frame(make({"id": [7, None, None], "note": [DRIVE] * 3}), text="note", id="id"))
    assert list(dict.fromkeys(row["note_id"] for row in rows)) == ["7", "row 2", "row 3"]


@make
def test_a_cell_that_is_no_text_is_refused_by_its_id(fast: Scanner, make: Callable[..., Any]) -> None:
    for value, kind in ((MARKER.encode(), "bytes"), ([MARKER], "list")):
        with pytest.raises(UsageError, match=f"^note 'x1': its text must be a str, not {kind}") as caught:
            fast.scan_frame(make({"id": ["x1"], "note": [value]}), text="note", id="id")
        assert MARKER not in str(caught.value)


@make
def test_an_unknown_column_is_told_with_those_there_are(fast: Scanner, make: Callable[..., Any]) -> None:
    with pytest.raises(UsageError, match=r"^no column 'body'; the frame has id, note$"):
        fast.scan_frame(make(DATA), text="body")
    with pytest.raises(UsageError, match=r"^no column 'body'; the frame has id, note$"):
        fast.scan_frame(make(DATA), text="note", id="body")


def test_two_columns_of_a_name_matter_only_where_they_are_meant(fast: Scanner) -> None:
    twice = pd.DataFrame([[DRIVE, 1, 2]], columns=["note", "x", "x"])
    assert len(fast.scan_frame(twice, text="note"))
    for frame in (twice, pa.table([[DRIVE], [1], [2]], names=["note", "x", "x"])):
        with pytest.raises(UsageError, match="^2 columns 'x'; the frame has note, x, x"):
            fast.scan_frame(frame, text="x")


def test_what_is_no_frame_is_refused_without_its_text(fast: Scanner) -> None:
    with pytest.raises(UsageError, match=r"not LazyFrame; collect\(\) it first"):
        fast.scan_frame(pl.DataFrame(DATA).lazy(), text="note")
    for other in ([MARKER], {"note": [MARKER]}, MARKER, None, pd.Series([MARKER])):
        with pytest.raises(
            UsageError, match="a frame is a pandas or polars DataFrame or a pyarrow Table, not "
        ) as caught:
            fast.scan_frame(other, text="note")
        assert MARKER not in str(caught.value)
