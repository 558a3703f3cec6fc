"""The exceptions of the package. No message ever holds note text: ids, rows and offsets only.

PeerdriftError
├── UsageError            a wrong option, path or configuration
├── WorkerError           a worker process that ended before its work
├── InputError            an export that cannot be read at all (has a path)
├── NoteReadError         one note that cannot be read (has a row); the rest of the run goes on
├── RulePackError         a rule pack or lexicon with problems; lists all of them
├── SettingsError         a peerdrift.toml with problems
├── ProfileError          a policy profile with problems
├── CorpusError           labelled notes that do not hold together
├── BaselineError         a baseline or its key that will not do
├── ReportError           an object that is no note report
├── DecisionsError        a file of review decisions that cannot be used
├── LabelsError           an agency's labels that contradict the codebook, the notes or each other
├── TrainingDataError     labelled notes that a model cannot be trained on
└── BundleError           a model bundle that will not be loaded
    ├── BundleFormatError      not a bundle, or of an unknown format
    └── BundleIntegrityError   members missing, changed or of the wrong shape
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


class PeerdriftError(Exception):
    """Base of every error that the package raises on purpose."""


class UsageError(PeerdriftError):
    """A wrong option, path or configuration value; the message says what would be right."""


class WorkerError(PeerdriftError):
    """A worker process that ended before its work: killed from outside, mostly because memory ran out."""


class InputError(PeerdriftError):
    """An export that cannot be read at all; the message names the file and the fix."""


class NoteReadError(PeerdriftError):
    """One note that cannot be read. ``where`` is a row or member name, never note text."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"{where}: {problem}")
        self.where = where
        self.problem = problem

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.where, self.problem)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a file that a user wrote: where it is (line 0: in all of it) and how to mend it."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}" if self.line else f"{self.path}: {self.what}"


class _ProblemsError(PeerdriftError):
    """An error that reports all problems of a file at once."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        lines = [str(problem) for problem in self.problems]
        lines.append(f"{count} problem{'s' if count != 1 else ''}; nothing was loaded.")
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.problems,)


class RulePackError(_ProblemsError):
    """A rule pack or lexicon with problems."""


class ProfileError(_ProblemsError):
    """A policy profile with problems."""


class BaselineError(PeerdriftError):
    """A baseline or its key that cannot be used or written; the message says what to mend."""


class SettingsError(_ProblemsError):
    """A ``peerdrift.toml`` with problems."""


class CorpusError(_ProblemsError):
    """Labelled notes that do not hold together."""


class DecisionsError(PeerdriftError):
    """A file of review decisions that cannot be used; the message lists what is wrong, and where."""


class ReportError(PeerdriftError):
    """An object that is no note report, or a damaged one; the message says where."""


class LabelsError(_ProblemsError):
    """An agency's labels that contradict the codebook, the notes or each other."""


class TrainingDataError(PeerdriftError):
    """Labelled notes that a model cannot be trained on."""


class BundleError(PeerdriftError):
    """A model bundle that will not be loaded."""


class BundleFormatError(BundleError):
    """Not a bundle, or a bundle of an unknown format."""


class BundleIntegrityError(BundleError):
    """A bundle whose members are missing, changed or of the wrong shape."""
