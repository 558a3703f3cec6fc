"""Labels that deserve another look, as a CSV to open in Excel."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from peerdrift_nlp.classifier.suspects import Suspect
from peerdrift_nlp.io.labels.writers import write_private
from peerdrift_nlp.io.tables import excel_safe


def write_suspects(path: Path, found: Iterable[Suspect]) -> None:
    """Write labels by place, without a word of the notes; no cell is a formula, and only the owner can read them.

    Raises:
        UsageError: the file cannot be written.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(Suspect._fields)
    writer.writerows([excel_safe(cell) if isinstance(cell, str) else cell for cell in row] for row in found)
    write_private(path, text.getvalue())
