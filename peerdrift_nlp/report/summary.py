"""The summary of a batch: counts by program, month and worker, and never a ranking of people.

Notes are fed one at a time and forgotten. Shares are shown for programs and months only, and only from
``min_notes`` notes up; workers get counts of notes and the names of what occurred, in alphabetical order.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import sqrt
from typing import Any, TypeVar
from unicodedata import combining, normalize

from peerdrift_nlp.taxonomy import DRIFT_LABELS, taxonomy
from peerdrift_nlp.types import NoteReport

MIN_NOTES = 20
MAX_GROUPS = 1000  # memory stays flat even where the column read as "worker" holds a new value in every row
ALL_OTHERS = "(all others)"
HINT_WORKERS = 3
HINT_TEXT = "This looks like the program, not one person."
TASK_SHAPED = frozenset(
    {
        "clinical.testing",
        "clinical.case_management",
        "clinical.jargon",
        "lax_boundaries.transport",
        "organizational.misassigned_tasks",
        "organizational.exclusion",
        "organizational.clinical_pressure",
    }
)
_T = TypeVar("_T")
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])(-|T|$)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Share:
    """A share of notes with its 95% Wilson interval, all between 0 and 1."""

    share: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float]:
        """The share, ready for JSON."""
        return {"share": round(self.share, 4), "low": round(self.low, 4), "high": round(self.high, 4)}


def wilson(count: int, total: int, z: float = 1.959964) -> Share:
    """The share ``count / total`` with its Wilson score interval; ``total`` must not be 0."""
    share = count / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    reach = z * sqrt(share * (1 - share) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    return Share(share, min(share, max(0.0, middle - reach)), max(share, min(1.0, middle + reach)))


@dataclass(slots=True)
class Group:
    """What was counted for one program, month or worker, or for the whole batch.

    ``notes`` are the notes that could be scanned. The three ``with_...`` count notes; ``findings``,
    ``workplace`` and ``practices`` count sentences, by indicator or practice.
    """

    notes: int = 0
    with_strengths: int = 0
    with_individual: int = 0
    with_organizational: int = 0
    findings: Counter[str] = field(default_factory=Counter)
    workplace: Counter[str] = field(default_factory=Counter)
    practices: Counter[str] = field(default_factory=Counter)

    def add(self, report: NoteReport) -> None:
        """Count one note."""
        individual = [item.indicator for item in report.findings if item.locus == "individual"]
        organizational = [item.indicator for item in report.findings if item.locus == "organizational"]
        self.notes += 1
        self.with_strengths += bool(report.strengths)
        self.with_individual += bool(individual)
        self.with_organizational += bool(organizational)
        self.findings.update(individual)
        self.workplace.update(organizational)
        self.practices.update(item.practice for item in report.strengths)

    def share(self, count: int, min_notes: int) -> Share | None:
        """``count`` as a share of the notes, or nothing where the notes are too few to say."""
        return wilson(count, self.notes) if self.notes and self.notes >= min_notes else None

    def to_dict(self, min_notes: int) -> dict[str, Any]:
        """Counts, and shares where the notes are enough; individual and organizational apart."""

        def part(with_it: int, counts: dict[str, int], key: str) -> dict[str, Any]:
            share = self.share(with_it, min_notes)
            return {
                "notes": with_it,
                "share": share.to_dict() if share else None,
                "sentences": sum(counts.values()),
                key: counts,
            }

        return {
            "notes": self.notes,
            "strengths": part(self.with_strengths, by_practice(self.practices), "by_practice"),
            "individual": part(self.with_individual, by_indicator(self.findings), "by_indicator"),
            "organizational": part(self.with_organizational, by_indicator(self.workplace), "by_indicator"),
        }


@dataclass(frozen=True, slots=True)
class Hint:
    """An indicator that occurs with several workers of one program, so that it may be the program's."""

    program: str
    indicator: str
    workers: int
    of_workers: int

    @property
    def text(self) -> str:
        """What a reader is told."""
        return HINT_TEXT

    def to_dict(self) -> dict[str, Any]:
        """The hint, ready for JSON."""
        return {
            "program": self.program,
            "indicator": self.indicator,
            "workers": self.workers,
            "of_workers": self.of_workers,
            "text": self.text,
        }


def month_of(date: str) -> str:
    """The month of an ISO date, such as ``2026-03``, or "" where it is none."""
    return date[:7] if _MONTH.match(date) else ""


def by_indicator(counts: Counter[str]) -> dict[str, int]:
    """Counts in the codebook's order; names that the codebook lacks come last."""
    return _ordered(counts, taxonomy().indicators)


def by_practice(counts: Counter[str]) -> dict[str, int]:
    """Counts of strengths in the codebook's order; "" is a strength without a sure practice."""
    return _ordered(counts, taxonomy().practices)


def _ordered(counts: Counter[str], names: dict[str, Any]) -> dict[str, int]:
    known = {name: counts[name] for name in names if counts[name]}
    return known | {name: counts[name] for name in sorted(counts) if name not in names and counts[name]}


class BatchSummary:
    """What a run found, in counts. Feed it every report with ``add``; it keeps none of them.

    ``left_out`` says in plain lines what was not shown and why, once the run is over.
    """

    def __init__(self, *, min_notes: int = MIN_NOTES) -> None:
        self.min_notes = min_notes
        self.status: Counter[str] = Counter()
        self.all = Group()
        self.look_alikes: Counter[str] = Counter()
        self.switched_off: Counter[str] = Counter()
        self.suppressed: Counter[str] = Counter()
        self.left_out: Sequence[str] = ()
        self._programs: dict[str, Group] = {}
        self._months: dict[str, Group] = {}
        self._workers: dict[str, Group] = {}
        self._program_months: dict[str, dict[str, Group]] = {}
        self._staff: dict[str, set[str]] = {}
        self._seen_with: dict[tuple[str, str], set[str]] = {}

    def add(self, report: NoteReport) -> None:
        """Count one note; a failed one only as failed."""
        self.status[report.status] += 1
        if report.status == "failed":
            return
        program = _key(self._programs, report.meta.get("program", ""))
        month = _key(self._months, month_of(report.meta.get("date", "")))
        worker = _key(self._workers, report.meta.get("worker", ""))
        by_month = self._program_months.setdefault(program, {})
        for group in (
            self.all,
            self._programs.setdefault(program, Group()),
            self._months.setdefault(month, Group()),
            self._workers.setdefault(worker, Group()),
            by_month.setdefault(month, Group()),
        ):
            group.add(report)
        self.look_alikes.update(item.reason for item in report.look_alikes)
        self.switched_off.update(report.switched_off)
        self.suppressed.update(report.suppressed)
        if program and worker:
            self._staff.setdefault(program, set()).add(worker)
            for item in report.findings:
                if item.indicator in TASK_SHAPED:
                    self._seen_with.setdefault((program, item.indicator), set()).add(worker)

    @property
    def total(self) -> int:
        """All notes that were fed, failed ones included."""
        return self.status.total()

    @property
    def scanned(self) -> int:
        """The notes that could be scanned, wholly or in part."""
        return self.all.notes

    @property
    def programs(self) -> dict[str, Group]:
        """The programs in alphabetical order."""
        return _alphabetical(self._programs)

    @property
    def months(self) -> dict[str, Group]:
        """The months in the order of time; "" (no date) last."""
        return dict(sorted(self._months.items(), key=lambda item: (not item[0], item[0])))

    @property
    def workers(self) -> dict[str, Group]:
        """The workers in alphabetical order, and in no other."""
        return _alphabetical(self._workers)

    @property
    def program_months(self) -> dict[str, dict[str, Group]]:
        """The months of each program."""
        order = list(self.months)
        return {
            program: {month: months[month] for month in order if month in months}
            for program, months in _alphabetical(self._program_months).items()
        }

    @property
    def by_label(self) -> dict[str, int]:
        """Flagged sentences by drift label; organizational ones are counted apart."""
        counts = Counter[str]()
        for indicator, count in self.all.findings.items():
            counts[indicator.partition(".")[0]] += count
        return {label: counts[label] for label in DRIFT_LABELS if counts[label]}

    @property
    def by_reason(self) -> dict[str, int]:
        """Look-alikes that were not flagged, by what cleared them."""
        return _ordered(self.look_alikes, taxonomy().reasons)

    @property
    def hints(self) -> tuple[Hint, ...]:
        """Where a task-shaped or organizational indicator occurs with three or more workers of a program."""
        order = {name: place for place, name in enumerate(taxonomy().indicators)}
        found = [
            Hint(program, indicator, len(workers), len(self._staff[program]))
            for (program, indicator), workers in self._seen_with.items()
            if len(workers) >= HINT_WORKERS and program != ALL_OTHERS
        ]
        return tuple(sorted(found, key=lambda hint: (*letters(hint.program), order[hint.indicator])))

    def to_dict(self) -> dict[str, Any]:
        """The summary, ready for JSON. Nothing in it is sorted by rate, and workers carry none."""
        counted = self.all.to_dict(self.min_notes)
        counted["individual"]["by_label"] = self.by_label
        return {
            "min_notes": self.min_notes,
            "notes": {"total": self.total, **{k: self.status[k] for k in ("complete", "incomplete", "failed")}},
            "strengths": counted["strengths"],
            "individual": counted["individual"],
            "organizational": counted["organizational"],
            "look_alikes": {"sentences": self.look_alikes.total(), "by_reason": self.by_reason},
            "switched_off": dict(sorted(self.switched_off.items())),
            "suppressed": dict(sorted(self.suppressed.items())),
            "left_out": list(self.left_out),
            "programs": [{"program": k, **group.to_dict(self.min_notes)} for k, group in self.programs.items()],
            "months": [{"month": k, **group.to_dict(self.min_notes)} for k, group in self.months.items()],
            "program_months": [
                {"program": program, "month": month, **group.to_dict(self.min_notes)}
                for program, months in self.program_months.items()
                for month, group in months.items()
            ],
            "workers": [
                {
                    "worker": name,
                    "notes": group.notes,
                    "practices": list(by_practice(group.practices)),
                    "individual": list(by_indicator(group.findings)),
                    "organizational": list(by_indicator(group.workplace)),
                }
                for name, group in self.workers.items()
            ],
            "hints": [hint.to_dict() for hint in self.hints],
        }


def _key(groups: dict[str, Group], value: str) -> str:
    value = value.strip()
    return value if value in groups or len(groups) < MAX_GROUPS else ALL_OTHERS


def letters(name: str) -> tuple[bool, str, str]:
    """Sort names as a reader would: accents and capitals aside, what has no name last."""
    plain = "".join(char for char in normalize("NFKD", name) if not combining(char))
    return (name in ("", ALL_OTHERS), plain.casefold(), name)


def _alphabetical(groups: dict[str, _T]) -> dict[str, _T]:
    return dict(sorted(groups.items(), key=lambda item: letters(item[0])))
