"""The results folder: written as a stream, complete or not at all."""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Container, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from peerdrift_nlp.errors import UsageError
from peerdrift_nlp.types import Finding, NoteReport

REPORTS, FINDINGS, RUN = "reports.jsonl", "findings.csv", "run.json"
PAGE = "report.html"
RESULT_NAMES = (REPORTS, FINDINGS, PAGE, RUN)
"""What a results folder holds, beside further parts of the page, ``report-2.html`` and so on.

``run.json`` comes last, so that its presence says that the rest is there.
"""

FINDINGS_COLUMNS = (
    "note_id",
    "worker",
    "program",
    "date",
    "label",
    "indicator",
    "locus",
    "severity",
    "probability",
    "origin",
    "start",
    "end",
    "sentence",
    "reason",
    "question",
    "clears",
    "alternative",
    "guideline",
)
MAX_CELL = 32_767
"""The most that Excel takes in one cell, in UTF-16 units."""

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_FURTHER_PAGE = re.compile(r"report-\d{1,4}\.html")
_OF_THE_SYSTEM = (".DS_Store", "Thumbs.db", "desktop.ini")


class ResultsFolder:
    """A folder that gets all results when the ``with`` block ends well, and none when it does not.

    Until then they grow under temporary names beside the results of an earlier run, which are replaced at
    the end. One run at a time for a folder.

    Raises:
        UsageError: the folder holds something else, or cannot be written.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._open: dict[str, TextIO] = {}
        self._made = False

    def __enter__(self) -> ResultsFolder:
        """Make the folder (only its owner can enter it), or check that it may be used."""
        try:
            self._prepare()
            self._begin(REPORTS)
            self._findings = csv.writer(self._begin(FINDINGS, "utf-8-sig"))
            self._findings.writerow(FINDINGS_COLUMNS)
        except BaseException as error:
            self._abandon()
            if isinstance(error, OSError):
                raise self._unwritable(error) from None
            raise
        return self

    def write(self, report: NoteReport) -> None:
        """Add one report to ``reports.jsonl`` and its findings to ``findings.csv``."""
        try:
            self._open[REPORTS].write(report.to_json() + "\n")
            self._findings.writerows(_row(report, finding) for finding in report.findings)
        except OSError as error:
            raise self._unwritable(error) from None

    def write_run(self, run: Mapping[str, Any]) -> None:
        """Set ``run.json``: what was read, scanned and skipped, with which engine."""
        self.write_text(RUN, json.dumps(run, ensure_ascii=False, indent=2) + "\n")

    def write_text(self, name: str, text: str) -> None:
        """Set another of the ``RESULT_NAMES`` or a further page as a whole, e.g. ``report.html``."""
        if not _is_result(name) or name in (REPORTS, FINDINGS):
            raise ValueError(f"{name!r} is not one of the results that are written as a whole")
        try:
            self._begin(name).write(text)
        except OSError as error:
            raise self._unwritable(error) from None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Give the results their names, or remove every trace of them after an error."""
        if kind is not None:
            self._abandon()
            return
        try:
            for file in self._open.values():
                file.flush()
                os.fsync(file.fileno())
                file.close()
            # Without run.json the folder does not say that it is whole, should the moves be cut short.
            (self.path / RUN).unlink(missing_ok=True)
            for name in sorted(self._open, key=lambda name: (name == RUN, name)):
                self._part(name).replace(self.path / name)
            _drop_pages(self.path, but=self._open)
        except OSError as problem:
            self._abandon()
            raise self._unwritable(problem) from None

    def _prepare(self) -> None:
        if self.path.exists() and not self.path.is_dir():
            raise UsageError(f"{self.path} is a file: choose a folder for the results with --out")
        if not self.path.exists():
            self.path.mkdir(parents=True, mode=0o700)
            self._made = True
        names = sorted(item.name for item in self.path.iterdir())
        strange = [name for name in names if not _is_known(name)]
        if strange:
            raise UsageError(
                f"{self.path} holds {strange[0]!r}, which is not from an earlier run "
                f"({len(strange)} such in all): choose a new or empty folder with --out"
            )
        for name in filter(_is_result, names):
            with (self.path / name).open("ab"):  # fails now, not after the scan, where Excel has it open
                pass

    def _begin(self, name: str, encoding: str = "utf-8") -> TextIO:
        if name in self._open:
            self._open[name].close()
        self._open[name] = _created(self._part(name), encoding)
        return self._open[name]

    def _part(self, name: str) -> Path:
        return _part(self.path / name)

    def _abandon(self) -> None:
        for name, file in self._open.items():
            with suppress(OSError):
                file.close()
            with suppress(OSError):
                self._part(name).unlink(missing_ok=True)
        if self._made:
            with suppress(OSError):
                self.path.rmdir()

    def _unwritable(self, error: OSError) -> UsageError:
        return _unwritable(self.path, error)


def replace_pages(folder: Path, pages: Mapping[str, str]) -> None:
    """Replace the pages of a results folder by others, and leave the rest of it as it is.

    Args:
        folder: what a ``ResultsFolder`` wrote.
        pages: ``report.html`` and further ones by name; those of an earlier run that are not among them go.

    Raises:
        UsageError: they cannot be written; until all are, the earlier ones stay.
    """
    try:
        try:
            for name, text in pages.items():
                with _created(_part(folder / name)) as file:
                    file.write(text)
            for name in pages:
                _part(folder / name).replace(folder / name)
        finally:
            for name in pages:
                _part(folder / name).unlink(missing_ok=True)
        _drop_pages(folder, but=pages)
    except OSError as error:
        raise _unwritable(folder, error) from None


def _created(path: Path, encoding: str = "utf-8") -> TextIO:
    # Results hold note text: only their owner may read them, whatever the folder allows.
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    # A lone surrogate has no UTF-8; its escape is what JSON writes for it anyway.
    return path.open("w", encoding=encoding, errors="backslashreplace", newline="")


def _part(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def _is_result(name: str) -> bool:
    return name in RESULT_NAMES or _FURTHER_PAGE.fullmatch(name) is not None


def _is_known(name: str) -> bool:
    """Whether a file may lie in a results folder: a result, what a killed run left of one, or the system's own."""
    half = name.removeprefix(".").removesuffix(".part") if name.startswith(".") and name.endswith(".part") else name
    return _is_result(half) or name in _OF_THE_SYSTEM or name.startswith(("~$", ".~lock."))


def _drop_pages(folder: Path, but: Container[str]) -> None:
    """Remove the further pages of an earlier run."""
    for path in folder.glob("report-*.html"):
        if _FURTHER_PAGE.fullmatch(path.name) and path.name not in but:
            path.unlink()


def _unwritable(folder: Path, error: OSError) -> UsageError:
    where = Path(error.filename).name if error.filename else ""
    where = where.removeprefix(".").removesuffix(".part") if where.endswith(".part") else where
    if isinstance(error, PermissionError):
        fix = "close it in Excel or any other program, or choose another folder with --out"
    else:
        fix = "choose another folder with --out, or free some space"
    named = f" ({where})" if where and where != folder.name else ""
    return UsageError(f"the results cannot be written to {folder}{named}: {error.strerror or error}; {fix}")


def default_folder(source: Path) -> Path:
    """``NAME-peerdrift`` in the working folder; with the extension too, where it holds the results of another input."""
    folder = Path(f"{source.resolve().stem}-peerdrift")
    try:
        earlier = json.loads((folder / RUN).read_text(encoding="utf-8"))["input"]
    except (OSError, ValueError, LookupError, TypeError):
        return folder
    return folder if earlier == source.name else Path(f"{source.resolve().name}-peerdrift")


def _row(report: NoteReport, finding: Finding) -> list[str]:
    meta, sentence = report.meta, finding.sentence
    return [
        *map(excel_safe, (report.note_id, meta.get("worker", ""), meta.get("program", ""), meta.get("date", ""))),
        finding.label,
        finding.indicator,
        finding.locus,
        str(finding.severity),
        f"{finding.probability:.4f}",
        finding.origin,
        str(finding.start),
        str(finding.end),
        excel_safe(" ".join(report.text[sentence.start : sentence.end].split())),
        *map(excel_safe, (finding.reason, finding.question, finding.clears, finding.alternative, finding.guideline)),
    ]


def excel_safe(cell: str) -> str:
    """``cell`` as Excel can take it: never a formula (a leading ``'`` says so), never too long, no NUL."""
    cell = cell.replace("\0", "\ufffd")
    if cell.startswith(_FORMULA_STARTS):
        cell = "'" + cell
    if len(cell) * 2 <= MAX_CELL:
        return cell
    units = cell.encode("utf-16-le", "surrogatepass")
    if len(units) <= MAX_CELL * 2:
        return cell
    mark = f" [cut: {len(cell):,} characters]"
    return units[: (MAX_CELL - len(mark)) * 2].decode("utf-16-le", "ignore") + mark
