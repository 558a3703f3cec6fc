"""Parquet, read in batches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from peerdrift_nlp.errors import InputError, NoteReadError, UsageError
from peerdrift_nlp.io.table import Record, Row, Table

_ROWS = 256


def read_parquet(path: Path) -> Table:
    """Open a Parquet file; its columns of plain values are read as text, others are none.

    Raises:
        InputError: a damaged file.
        UsageError: pyarrow is not installed.
    """
    try:
        import pyarrow as arrow
        import pyarrow.parquet as parquet
    except ImportError:
        raise UsageError(
            'Parquet needs pyarrow: pip install "peerdrift-nlp[parquet]", or save the file as .csv'
        ) from None
    try:
        with parquet.ParquetFile(path) as file:
            names = file.schema_arrow.names
    except (arrow.ArrowException, OSError, ValueError) as error:
        raise InputError(
            f"{path.name} is damaged or no Parquet file ({type(error).__name__}): export it again"
        ) from None

    def rows() -> Iterator[Record]:
        number = 0
        try:
            with parquet.ParquetFile(path) as file:
                for batch in file.iter_batches(_ROWS):
                    for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                        number += 1
                        cells = [_cell(value) for value in values]
                        yield Row(f"row {number}", cells) if any(cells) or None in cells else None
        except (arrow.ArrowException, OSError, ValueError) as error:
            problem = f"is damaged ({type(error).__name__}); nothing from here on was read: export it again"
            yield NoteReadError(f"row {number + 1}", problem)

    return Table("parquet", "utf-8", names, rows)


def _cell(value: object) -> str | None:
    """A value as text; a list, a structure or bytes that are no text are none."""
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return None if isinstance(value, list | dict) else str(value)
