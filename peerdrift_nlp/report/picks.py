"""Notes picked while reports pass by: the one to begin with, and examples of what is strong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from peerdrift_nlp.types import NoteReport

EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Start:
    """The note of a worker to begin a talk with: the most serious finding, the surest of these, the first of these."""

    worker: str
    note_id: str
    date: str
    indicator: str
    severity: int
    probability: float

    def to_dict(self) -> dict[str, Any]:
        """The start, ready for JSON; the weights that chose it stay out, so that nobody compares people by them."""
        return {"worker": self.worker, "note_id": self.note_id, "date": self.date, "indicator": self.indicator}


class Starts:
    """Of each worker one note. It keeps that note's id, nothing else of it."""

    def __init__(self) -> None:
        self.by_worker: dict[str, Start] = {}

    def add(self, worker: str, report: NoteReport) -> None:
        """Weigh the findings of a note that are about the worker's practice."""
        for item in report.findings:
            if item.locus == "individual":
                best = self.by_worker.get(worker)
                if best is None or (item.severity, item.probability) > (best.severity, best.probability):
                    self.by_worker[worker] = Start(
                        worker,
                        report.note_id,
                        report.meta.get("date", ""),
                        item.indicator,
                        item.severity,
                        item.probability,
                    )


@dataclass(frozen=True, slots=True, order=True)
class Example:
    """A note that shows a practice; the surest come first."""

    rank: float
    place: int
    note_id: str


class Examples:
    """Of each practice in each program the few notes that show it most surely, by id."""

    def __init__(self) -> None:
        self._found: dict[str, dict[str, list[Example]]] = {}
        self._count = 0

    def add(self, program: str, report: NoteReport) -> None:
        """Weigh the strengths of a note."""
        self._count += 1
        surest: dict[str, float] = {}
        for item in report.strengths:
            surest[item.practice] = max(item.probability, surest.get(item.practice, 0.0))
        for practice, probability in surest.items():
            kept = self._found.setdefault(program, {}).setdefault(practice, [])
            kept.append(Example(-probability, self._count, report.note_id))
            kept.sort()
            del kept[EXAMPLES:]

    def of(self, program: str) -> dict[str, list[str]]:
        """Note ids by practice."""
        return {practice: [item.note_id for item in kept] for practice, kept in self._found.get(program, {}).items()}

    def to_dict(self) -> dict[str, dict[str, list[str]]]:
        """Note ids by program and practice, ready for JSON."""
        return {program: self.of(program) for program in self._found}
