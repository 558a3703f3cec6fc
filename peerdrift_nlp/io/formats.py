"""From a path to a table: what the file really is decides, and its name where that leaves it open."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from peerdrift_nlp.errors import InputError, UsageError
from peerdrift_nlp.io.ccda import HEAD, is_ccda, read_ccda
from peerdrift_nlp.io.delimited import read_delimited
from peerdrift_nlp.io.folder import read_folder, read_zip
from peerdrift_nlp.io.hl7 import is_hl7, read_hl7
from peerdrift_nlp.io.html_table import read_html
from peerdrift_nlp.io.objects import read_objects
from peerdrift_nlp.io.old_workbook import read_old_workbook
from peerdrift_nlp.io.parquet import read_parquet
from peerdrift_nlp.io.sniff import disguise, head
from peerdrift_nlp.io.spreadsheetml import NAMESPACE, read_spreadsheetml
from peerdrift_nlp.io.table import Table
from peerdrift_nlp.io.workbook import read_workbook

FORMATS = {
    ".csv": "delimited",
    ".tsv": "delimited",
    ".tab": "delimited",
    ".xlsx": "workbook",
    ".xlsm": "workbook",
    ".xls": "workbook",
    ".html": "page",
    ".htm": "page",
    ".xml": "page",
    ".json": "objects",
    ".jsonl": "objects",
    ".ndjson": "objects",
    ".hl7": "messages",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".zip": "archive",
}
HINTS = {
    ".txt": "; put single notes into a folder and name the folder, or rename a table to .csv",
    ".docx": "; put single notes into a folder and name the folder",
}


def open_table(path: Path, overrides: Mapping[str, str], encoding: str | None, sheet: str | None) -> Table:
    """Open a file or folder of any known format.

    Raises:
        InputError: it cannot be read at all.
        UsageError: no such encoding or sheet, or a sheet of something that has none.
    """
    if path.is_dir():
        return _without_sheets(read_folder(path, encoding), sheet)
    if not path.is_file():
        raise InputError(f"{path} does not exist: check the path; one with spaces needs quotation marks")
    start = head(path)
    if not start:
        raise InputError(f"{path.name} is empty (0 bytes): export it again")
    if path.suffix.lower() == ".xml" and is_ccda(head(path, HEAD)):
        return _without_sheets(read_ccda(path), sheet)
    if is_hl7(start):
        return _without_sheets(read_hl7(path, encoding), sheet)
    return _with_sheets(path, start, overrides, encoding, sheet) or _without_sheets(
        _single(path, start, overrides, encoding), sheet
    )


def _with_sheets(
    path: Path, start: bytes, overrides: Mapping[str, str], encoding: str | None, sheet: str | None
) -> Table | None:
    """Workbooks, and pages of tables that are named like one."""
    suffix = path.suffix.lower()
    if FORMATS.get(suffix) not in ("workbook", "page"):
        return None
    if start.startswith(b"PK\x03\x04"):
        return read_workbook(path, overrides, sheet)
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        return read_old_workbook(path, overrides, sheet)
    if NAMESPACE.encode() in start.replace(b"\0", b""):
        return read_spreadsheetml(path, overrides, sheet)
    what = disguise(start)
    if what and what[0] == "an HTML page":
        table = read_html(path, overrides, encoding, sheet)
        if suffix not in (".html", ".htm"):
            table.notices.insert(0, f"an HTML page named {suffix}, read as such")
        return table
    return None


def _without_sheets(table: Table, sheet: str | None) -> Table:
    if sheet:
        raise UsageError(f"--sheet {sheet!r}: only workbooks have sheets, and this is {table.format}")
    return table


def _single(path: Path, start: bytes, overrides: Mapping[str, str], encoding: str | None) -> Table:
    suffix = path.suffix.lower()
    kind = FORMATS.get(suffix)
    if kind == "archive" and start.startswith(b"PK"):
        return read_zip(path, encoding)
    if kind == "parquet" and start.startswith(b"PAR1"):
        return read_parquet(path)
    found = disguise(start)
    if found and (kind or not start.startswith(b"PK\x03\x04")):
        what, fix = found
        raise InputError(f"{path.name} is {what}{f' named {suffix}' if kind else ''}: {fix}")
    if kind == "delimited" or suffix == ".xls":
        return read_delimited(path, overrides, encoding)
    if kind == "objects":
        return read_objects(path, encoding)
    if kind == "workbook":
        raise InputError(f"{path.name} is no Excel workbook: if it is a table in plain text, rename it to .csv")
    if kind:
        raise InputError(f"{path.name} is not what its name says ({suffix}): export it again, as .csv or .xlsx")
    raise InputError(
        f"{path.name} is of no known kind ({suffix or 'no extension'}): "
        f"export the notes as {', '.join(FORMATS)}, or as a folder of documents{HINTS.get(suffix, '')}"
    )
