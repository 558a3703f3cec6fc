"""What a run has finished, kept where a kill cannot reach it, so that the same run can go on after it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from peerdrift_nlp.errors import ReportError, UsageError
from peerdrift_nlp.types import NoteReport

if TYPE_CHECKING:
    from peerdrift_nlp.report.policies import Policies

PROGRESS = "peerdrift.progress/1"
WITHOUT_EFFECT = frozenset({"source", "out", "sample", "jobs", "fail_on", "formats", "quiet"})
"""Options of a scan that do not change a report. What the files among the others hold is hashed apart."""


class Journal:
    """A growing ``reports.jsonl`` beside a small record of what it was made from.

    The position of a run is the number of whole lines, so there is nothing that could disagree with it. A line that
    the kill cut short is dropped.

    Args:
        path: the growing file.
        record: the record, a small JSON file.
        made_from: what a run must share to go on after another: name to hash. ``None`` starts anew, always.
        key: of the fingerprints in the reports; where a run goes on after another, that one's is taken.
    """

    def __init__(self, path: Path, record: Path, made_from: Mapping[str, str] | None, key: bytes = b"") -> None:
        self.path, self.record, self.key = path, record, key
        self.kept = 0
        """How many finished reports were found."""
        self.notice = ""
        """What was found, in plain words."""
        self._made_from = dict(made_from) if made_from else None
        self._file = self._open()
        self._written = 0

    def reports(self) -> Iterator[NoteReport]:
        """The finished reports, in order.

        Raises:
            UsageError: the file was changed by somebody.
        """
        with self.path.open("rb") as file:
            for line in islice(file, self.kept):
                try:
                    yield NoteReport.from_dict(json.loads(line.decode()))
                except (ValueError, RecursionError, ReportError):
                    raise self.misfit() from None

    def misfit(self) -> UsageError:
        """The error where the finished reports are not those of this run after all."""
        return UsageError(f"{self.path} does not fit the notes: delete it and run again")

    def write(self, report: NoteReport) -> None:
        """Add a report; the finished ones, which come by first, are there already."""
        self._written += 1
        if self._written > self.kept:
            self._file.write(report.to_json() + "\n")

    def close(self) -> None:
        """Bring all to the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def abandon(self) -> bool:
        """Close after an error; whether there is something that a later run can go on after."""
        with suppress(OSError):
            self._file.close()
        if self._made_from and _whole_lines(self.path)[0]:
            return True
        self.forget()
        return False

    def forget(self) -> None:
        """Remove file and record; the run has ended."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
        with suppress(OSError):
            self.record.unlink(missing_ok=True)

    def _open(self) -> TextIO:
        found, key = _read_record(self.record)
        if self._made_from and found == self._made_from and self.path.is_file():
            self.key = key
            self.kept, size = _whole_lines(self.path)
            os.truncate(self.path, size)
            self.notice = (
                f"going on after {self.kept:,} notes that an interrupted run had finished" if self.kept else ""
            )
        else:
            if self._made_from and found:
                other = [name for name, value in self._made_from.items() if found.get(name) != value]
                self.notice = f"an interrupted run had other {' and '.join(other) or 'settings'}: starting anew"
            try:
                self._start_anew()
            except OSError:
                self.forget()
                raise
        return self.path.open("a", encoding="utf-8", errors="backslashreplace", newline="")

    def _start_anew(self) -> None:
        self.path.unlink(missing_ok=True)
        self.record.unlink(missing_ok=True)
        if self._made_from:
            self.record.touch(mode=0o600)
            record = {"schema": PROGRESS, "made_from": self._made_from, "key": self.key.hex()}
            self.record.write_text(json.dumps(record), encoding="utf-8")
        self.path.touch(mode=0o600)


def input_hash(path: Path) -> str:
    """A hash of an export: of the file, or of all files of a folder with their names."""
    files = [path] if path.is_file() else sorted(item for item in path.rglob("*") if item.is_file())
    digest = hashlib.sha256()
    for file in files:
        name = file.relative_to(path).as_posix() if file != path else ""
        if not name.startswith(".") and "/." not in name:
            with file.open("rb") as opened:
                digest.update(f"{name}\0{hashlib.file_digest(opened, 'sha256').hexdigest()}\n".encode(errors="replace"))
    return digest.hexdigest()


def files_hash(*paths: str | os.PathLike[str] | None) -> str:
    """A hash of files that an option names, by content; one that is not there counts as such."""
    named = [Path(path) for path in paths if path is not None]
    return hashlib.sha256(repr([input_hash(path) if path.is_file() else "" for path in named]).encode()).hexdigest()


def options_hash(options: Mapping[str, object], *engine: object) -> str:
    """A hash of the options of a run that its reports depend on, and of the engine."""
    named = sorted((name, repr(value)) for name, value in options.items() if name not in WITHOUT_EFFECT)
    return hashlib.sha256(repr((named, engine)).encode()).hexdigest()


def with_text(report: NoteReport, text: str, policies: Policies) -> NoteReport:
    """A report that was read back as it was when the note of this text was scanned under these policies."""
    if report.status == "failed":
        return report
    return replace(report, text=text, sentences=policies.sentences(text))


def _read_record(path: Path) -> tuple[dict[str, str] | None, bytes]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return (dict(found["made_from"]), bytes.fromhex(found["key"])) if found["schema"] == PROGRESS else (None, b"")
    except (OSError, ValueError, RecursionError, KeyError, TypeError):
        return None, b""


def _whole_lines(path: Path) -> tuple[int, int]:
    """How many whole lines a file begins with, and how many bytes they are."""
    count = size = 0
    with suppress(OSError), path.open("rb") as file:
        for line in file:
            if not line.startswith(b"{") or not line.endswith(b"}\n"):
                break
            count, size = count + 1, size + len(line)
    return count, size
