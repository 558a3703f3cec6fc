"""The results folder: written as a stream, complete or not at all; what a killed run had finished is not lost."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, TextIO

from peerdrift_nlp.errors import UsageError
from peerdrift_nlp.io.journal import Journal
from peerdrift_nlp.io.sarif import FindingsSarif
from peerdrift_nlp.io.tables import FindingsCsv, FindingsXlsx
from peerdrift_nlp.types import NoteReport

REPORTS, PAGE, RUN = "reports.jsonl", "report.html", "run.json"
FORMATS = {
    "csv": "findings.csv",
    "xlsx": "findings.xlsx",
    "sarif": "findings.sarif",
    "json": "reports.json",
    "html": PAGE,
    "jsonl": REPORTS,
}
"""What a results folder can hold, and the name of each; the page may go on in ``report-2.html`` and so on."""
DEFAULT_FORMATS = ("csv", "xlsx", "html", "jsonl")
RESULT_NAMES = (*FORMATS.values(), RUN)
"""In the order in which they get their names: ``run.json`` last, so that its presence says that the rest is there."""

_PROGRESS = ".progress.json"
_SCRATCH = ".findings.xlsx.rows"
_FURTHER_PAGE = re.compile(r"report-\d{1,4}\.html")
_OF_THE_SYSTEM = (".DS_Store", "Thumbs.db", "desktop.ini")


class _Table(Protocol):
    """A result that grows report by report."""

    def write(self, report: NoteReport) -> None: ...

    def close(self) -> None: ...


class ResultsFolder:
    """A folder that gets all results when the ``with`` block ends well, and none when it does not.

    Until then they grow under temporary names beside the results of an earlier run, which are replaced at
    the end. One run at a time for a folder.

    Args:
        path: the folder; made if it is not there.
        formats: which of ``FORMATS`` to write.
        made_from: what the reports are made from, name to hash. With it, a run that ends badly leaves its finished
            reports, and the next run of the same begins with them: take ``finished()`` first, and ``write`` them too.
        key: of the fingerprints in the reports; a run that goes on after another takes that one's.

    Raises:
        UsageError: the folder holds something else, or cannot be written; an unknown format, or none.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        formats: Collection[str] = DEFAULT_FORMATS,
        made_from: Mapping[str, str] | None = None,
        key: bytes = b"",
    ) -> None:
        unknown = [name for name in formats if name not in FORMATS]
        if unknown or not formats:
            raise UsageError(f"format {unknown[0] if unknown else ''!r}; use one or more of {', '.join(FORMATS)}")
        self.path = Path(path)
        self.formats = frozenset(formats)
        self.key = key
        self._made_from = made_from
        self._files: dict[str, TextIO] = {}
        self._tables: dict[str, _Table] = {}
        self._journal: Journal | None = None
        self._made = False

    def __enter__(self) -> ResultsFolder:
        """Make the folder (only its owner can enter it), or check that it may be used."""
        try:
            self._prepare()
            self._undo_half_end()
            self._journal = Journal(_part(self.path / REPORTS), self.path / _PROGRESS, self._made_from, self.key)
            self.key = self._journal.key
            self._begin_tables()
        except BaseException as error:
            self._abandon()
            if isinstance(error, OSError):
                raise self._unwritable(error) from None
            raise
        return self

    @property
    def notices(self) -> list[str]:
        """What there is to say of the results, in plain words."""
        found = [self._journal.notice] if self._journal and self._journal.notice else []
        workbook = self._tables.get("xlsx")
        if isinstance(workbook, FindingsXlsx) and workbook.sheets > 1:
            found.append(
                f"more findings than one sheet of Excel holds: findings.xlsx has {workbook.sheets} sheets; "
                "Excel would open only the first part of findings.csv"
            )
        return found

    @property
    def main(self) -> Path:
        """The result to look at first."""
        found = [FORMATS[name] for name in ("html", "xlsx", "csv", *FORMATS) if name in self.formats]
        return self.path / found[0]

    def finished(self) -> Iterator[NoteReport]:
        """The reports that an interrupted run had finished, in order, without text and sentences."""
        return self._journal.reports() if self._journal else iter(())

    def misfit(self) -> UsageError:
        """The error where the finished reports are not those of the notes."""
        assert self._journal
        return self._journal.misfit()

    def write(self, report: NoteReport) -> None:
        """Add one report to all that grows: ``reports.jsonl`` and the tables."""
        assert self._journal
        try:
            self._journal.write(report)
            for table in self._tables.values():
                table.write(report)
        except OSError as error:
            raise self._unwritable(error) from None

    def write_run(self, run: Mapping[str, Any]) -> None:
        """Set ``run.json``: what was read, scanned and skipped, with which engine."""
        self.write_text(RUN, json.dumps(run, ensure_ascii=False, indent=2) + "\n")

    def write_text(self, name: str, text: str) -> None:
        """Set ``report.html``, a further page or ``run.json`` as a whole."""
        if name not in (PAGE, RUN) and not _FURTHER_PAGE.fullmatch(name):
            raise ValueError(f"{name!r} is not one of the results that are written as a whole")
        try:
            self._begin(name).write(text)
        except OSError as error:
            raise self._unwritable(error) from None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Give the results their names, or remove them after an error."""
        if kind is not None:
            self._abandon()
            return
        try:
            self._end()
        except OSError as problem:
            self._abandon()
            raise self._unwritable(problem) from None

    def _end(self) -> None:
        assert self._journal
        for table in self._tables.values():
            table.close()
        for file in self._files.values():
            file.flush()
            os.fsync(file.fileno())
            file.close()
        self._journal.close()
        # Without run.json the folder does not say that it is whole, should the moves be cut short.
        (self.path / RUN).unlink(missing_ok=True)
        kept = {*self._files, *(FORMATS[key] for key in self.formats & {"xlsx", "jsonl"})}
        for name in sorted(kept, key=lambda name: (name == RUN, name)):
            _part(self.path / name).replace(self.path / name)
        for name in set(RESULT_NAMES) - kept:
            (self.path / name).unlink(missing_ok=True)
        _drop_pages(self.path, but=kept)
        self._journal.forget()

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
        self._remove_parts()

    def _undo_half_end(self) -> None:
        """A run that was stopped between its last moves is an interrupted one (no ``run.json``), or has ended."""
        growing, record = _part(self.path / REPORTS), self.path / _PROGRESS
        if record.exists() and not growing.exists():
            if (self.path / RUN).exists():
                record.unlink()
            elif (self.path / REPORTS).exists():
                (self.path / REPORTS).replace(growing)

    def _begin_tables(self) -> None:
        if "csv" in self.formats:
            self._tables["csv"] = FindingsCsv(self._begin(FORMATS["csv"], "utf-8-sig"))
        if "sarif" in self.formats:
            self._tables["sarif"] = FindingsSarif(self._begin(FORMATS["sarif"]))
        if "json" in self.formats:
            self._tables["json"] = _ReportsJson(self._begin(FORMATS["json"]))
        if "xlsx" in self.formats:
            part = _part(self.path / FORMATS["xlsx"])
            part.touch(mode=0o600)
            self._tables["xlsx"] = FindingsXlsx(part, self.path / _SCRATCH)

    def _begin(self, name: str, encoding: str = "utf-8") -> TextIO:
        if name in self._files:
            self._files[name].close()
        self._files[name] = _created(_part(self.path / name), encoding)
        return self._files[name]

    def _remove_parts(self) -> None:
        for name in {*RESULT_NAMES, *self._files} - {REPORTS}:
            _part(self.path / name).unlink(missing_ok=True)

    def _abandon(self) -> None:
        for file in self._files.values():
            with suppress(OSError):
                file.close()
        workbook = self._tables.get("xlsx")
        if isinstance(workbook, FindingsXlsx):
            workbook.discard()
        with suppress(OSError):
            self._remove_parts()
        with suppress(OSError):
            self._undo_half_end()
        kept = self._journal is not None and self._journal.abandon()
        if self._made and not kept:
            with suppress(OSError):
                self.path.rmdir()

    def _unwritable(self, error: OSError) -> UsageError:
        goes_on = "; the same command then goes on after the notes that are finished"
        return _unwritable(self.path, error, goes_on if self._made_from else "")


def replace_pages(folder: Path, pages: Iterable[tuple[str, str]]) -> None:
    """Replace the pages of a results folder by others, and leave the rest of it as it is.

    Args:
        folder: what a ``ResultsFolder`` wrote.
        pages: ``report.html`` and further ones, each with its name, and each written before the next is taken;
            those of an earlier run that are not among them go.

    Raises:
        UsageError: they cannot be written; until all are, the earlier ones stay.
    """
    names: list[str] = []
    try:
        try:
            for name, text in pages:
                names.append(name)
                with _created(_part(folder / name)) as file:
                    file.write(text)
            for name in names:
                _part(folder / name).replace(folder / name)
        finally:
            for name in names:
                _part(folder / name).unlink(missing_ok=True)
        _drop_pages(folder, but=names)
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
    return _is_result(half) or name in (_PROGRESS, _SCRATCH, *_OF_THE_SYSTEM) or name.startswith(("~$", ".~lock."))


def _drop_pages(folder: Path, but: Container[str]) -> None:
    """Remove the further pages of an earlier run."""
    for path in folder.glob("report-*.html"):
        if _FURTHER_PAGE.fullmatch(path.name) and path.name not in but:
            path.unlink()


def _unwritable(folder: Path, error: OSError, kept: str = "") -> UsageError:
    where = Path(error.filename).name if error.filename else ""
    where = where.removeprefix(".").removesuffix(".part") if where.endswith(".part") else where
    if isinstance(error, PermissionError):
        fix = "close it in Excel or any other program, or choose another folder with --out"
    else:
        fix = "choose another folder with --out, or free some space"
    named = f" ({where})" if where and where != folder.name else ""
    return UsageError(f"the results cannot be written to {folder}{named}: {error.strerror or error}; {fix}{kept}")


def default_folder(source: Path) -> Path:
    """``NAME-peerdrift`` in the working folder; with the extension too, where it holds the results of another input."""
    folder = Path(f"{source.resolve().stem}-peerdrift")
    try:
        earlier = json.loads((folder / RUN).read_text(encoding="utf-8"))["input"]
    except (OSError, ValueError, LookupError, TypeError):
        return folder
    return folder if earlier == source.name else Path(f"{source.resolve().name}-peerdrift")


class _ReportsJson:
    """``reports.json``: the objects of ``reports.jsonl`` as one array."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._before = "[\n"

    def write(self, report: NoteReport) -> None:
        self._file.write(self._before + report.to_json())
        self._before = ",\n"

    def close(self) -> None:
        self._file.write("\n]\n" if self._before == ",\n" else "[]\n")
