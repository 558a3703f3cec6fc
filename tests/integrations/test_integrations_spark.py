"""Local Spark gives what a local scan gives. Run with ``pytest -m spark``; needs Java and the extra ``spark``."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from peerdrift_nlp.errors import UsageError
from peerdrift_nlp.io.frames import COLUMNS
from peerdrift_nlp.scanner import Scanner

pytest.importorskip("pyspark", reason='needs pip install ".[spark]"')
if shutil.which("java") is None:
    pytest.skip("needs Java", allow_module_level=True)

from pyspark.sql import SparkSession

from peerdrift_nlp.integrations import spark as integration

pytestmark = [
    pytest.mark.spark,
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),  # none is used
]

ROWS = [
    ("a", "I drove her to Walmart and back."),
    ("b", None),
    ("c", "Quiet \U0001f600 day. Counted her pills."),
    ("d", "x" * 2_001),
    ("e", "She chose the library."),
]


@pytest.fixture(autouse=True)
def no_network() -> None:
    """Spark talks to its own processes over the loopback, so that the project's broken sockets must not hold here."""


@pytest.fixture(scope="module")
def session() -> Iterator[SparkSession]:
    os.environ["PYSPARK_PYTHON"] = sys.executable
    started = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", "2")
        .getOrCreate()
    )
    yield started
    started.stop()


@pytest.fixture(scope="module")
def small() -> Scanner:
    return Scanner(model="fast", max_chars=2_000)


def by_place(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (row["note_id"], row["start"] or 0, row["indicator"] or ""))


def test_spark_gives_what_a_local_scan_gives(session: SparkSession, small: Scanner) -> None:
    df = session.createDataFrame(ROWS * 3, "`note.id` string, note string").repartition(3)
    result = integration.scan(df, text="note", id="note.id", scanner=small)
    local = small.scan_frame(pd.DataFrame(ROWS * 3, columns=["id", "note"]), text="note", id="id")
    rows = [{key: None if pd.isna(value) else value for key, value in row.items()} for row in local.to_dict("records")]
    found = [row.asDict() for row in result.collect()]
    assert by_place(found) == by_place(rows)
    assert {row["note_id"] for row in found} == {"a", "c", "d"}


def test_the_schema_is_typed_and_known_before_anything_is_scanned(session: SparkSession, small: Scanner) -> None:
    df = session.createDataFrame([], "id string, note string")
    result = integration.scan(df, text="note", id="id", scanner=small)
    assert result.columns == list(COLUMNS)
    types = dict(result.dtypes)
    assert {types[name] for name in ("severity", "start", "end")} == {"bigint"} and types["probability"] == "double"
    assert result.count() == 0


def test_a_column_that_is_not_there_is_told_at_once(session: SparkSession, small: Scanner) -> None:
    df = session.createDataFrame(ROWS, "id string, note string")
    with pytest.raises(UsageError, match="^no column 'body'; the frame has id, note$"):
        integration.scan(df, text="body", id="id", scanner=small)


def test_a_worker_makes_one_engine(session: SparkSession, small: Scanner) -> None:
    """Batches of a worker process share what ``functools.lru_cache`` keeps of a scanner's spec."""

    def engines_made(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        from peerdrift_nlp.scanner import _scanner_from

        for _ in batches:
            yield pa.RecordBatch.from_pydict({"made": [_scanner_from.cache_info().misses]})

    df = session.createDataFrame(ROWS * 20, "id string, note string").repartition(8)
    for _ in range(2):
        integration.scan(df, text="note", id="id", scanner=small).collect()
    counts = session.range(8).repartition(8).mapInArrow(engines_made, "made bigint").collect()
    assert max(row["made"] for row in counts) == 1
