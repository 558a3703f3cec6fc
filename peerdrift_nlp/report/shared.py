"""One person or the program: what several workers of a program share is said of the program."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

WORKERS = 3
TEXT = "This looks like the program, not one person."
TASK_SHAPED = frozenset(
    {
        "clinical.medication",
        "clinical.testing",
        "clinical.case_management",
        "clinical.nursing",
        "clinical.jargon",
        "lax_boundaries.transport",
        "organizational.misassigned_tasks",
        "organizational.exclusion",
        "organizational.clinical_pressure",
    }
)
"""What a workplace hands out: tasks of other jobs (pills, tests, intakes, vitals, the van), the wording that its forms
ask for, and what the codebook calls organizational. The codebook's other indicators are ways of being with a person:
a worker's own, however many do the same."""


@dataclass(frozen=True, slots=True)
class Hint:
    """A task-shaped indicator that several workers of one program share, so that it may be the program's."""

    program: str
    indicator: str
    workers: int
    of_workers: int

    @property
    def text(self) -> str:
        """What a reader is told."""
        return TEXT

    def to_dict(self) -> dict[str, Any]:
        """The hint, ready for JSON."""
        return {
            "program": self.program,
            "indicator": self.indicator,
            "workers": self.workers,
            "of_workers": self.of_workers,
            "text": self.text,
        }


class Shared:
    """Who works where, and with whom each task-shaped indicator occurs. It keeps names of workers, no notes."""

    def __init__(self) -> None:
        self._staff: dict[str, set[str]] = {}
        self._seen_with: dict[tuple[str, str], set[str]] = {}

    def add(self, program: str, worker: str, indicators: Iterable[str]) -> None:
        """Note a worker of a program, and the indicators of one of their notes."""
        self._staff.setdefault(program, set()).add(worker)
        for indicator in TASK_SHAPED.intersection(indicators):
            self._seen_with.setdefault((program, indicator), set()).add(worker)

    def hints(self) -> list[Hint]:
        """What occurs with at least three workers of a program and with at least half of them."""
        found = [
            Hint(program, indicator, len(workers), len(self._staff[program]))
            for (program, indicator), workers in self._seen_with.items()
        ]
        return [hint for hint in found if hint.workers >= max(WORKERS, hint.of_workers / 2)]
