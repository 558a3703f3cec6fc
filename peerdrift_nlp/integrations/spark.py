"""A Spark frame of notes to a Spark frame of findings: ``pip install "peerdrift-nlp[spark]"``.

The package must be installed on every worker, and files that a scanner was made of must lie there under the same path.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from peerdrift_nlp.io.frames import check_columns
from peerdrift_nlp.scanner import Scanner

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import Column, DataFrame

SCHEMA = (
    "note_id string, label string, indicator string, locus string, severity bigint, probability double, "
    "start bigint, `end` bigint, origin string, reason string, question string, problem string"
)
"""The columns of the result, as Spark writes them down."""


def scan(df: DataFrame, *, text: str, id: str, scanner: Scanner | None = None) -> DataFrame:
    """Scan a column of a Spark frame, lazily: nothing is read before Spark needs it.

    Each Python worker makes one engine and keeps it. A row of the result is a finding, as ``Scanner.scan_frame``
    tells it; a note that could not be scanned has a row with its id and the ``problem``.

    Args:
        df: one note a row.
        text: the column that holds the notes; missing values count as empty notes.
        id: the column with note ids. Spark keeps no order, so that notes need one.
        scanner: what scans; ``Scanner()`` without it.

    Raises:
        UsageError: a column that the frame does not have, or has twice.
    """
    check_columns(df.columns, text, id)
    scanner = scanner or Scanner()

    def scan_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        for batch in batches:
            yield from scanner.scan_frame(pa.Table.from_batches([batch]), text="text", id="id").to_batches()

    notes = df.select(_column(df, id).alias("id"), _column(df, text).alias("text"))
    return notes.mapInArrow(scan_batches, SCHEMA)


def _column(df: DataFrame, name: str) -> Column:
    """The column of that name, whatever characters it has."""
    quoted = name.replace("`", "``")
    return df[f"`{quoted}`"]
