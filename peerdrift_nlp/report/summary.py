"""The summary of a batch: what it answers of a supervisor's questions, and never a ranking of people.

Notes are fed one at a time and forgotten; what is kept are counts by program, month and worker, the ids of a few notes
(``picks``), and the wording counts of ``onset``. Shares are shown for programs and months only, and only from
``min_notes`` notes up; workers get counts of notes and the names of what occurred, in alphabetical order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from peerdrift_nlp.report.counts import ALL_OTHERS, Group, by_indicator, by_practice, letters, month_of, ordered
from peerdrift_nlp.report.onset import Onset, Onsets
from peerdrift_nlp.report.picks import Examples, Start, Starts
from peerdrift_nlp.report.shared import Hint, Shared
from peerdrift_nlp.report.silence import Silence, Silences
from peerdrift_nlp.report.trend import Change, Funnel, change, funnel
from peerdrift_nlp.taxonomy import DRIFT_LABELS, taxonomy
from peerdrift_nlp.types import NoteReport

MIN_NOTES = 20
MAX_GROUPS = 1000  # memory stays flat even where the column read as "worker" holds a new value in every row
_T = TypeVar("_T")


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
        self._flagged: dict[str, dict[str, tuple[int, int]]] = {}
        self._shared = Shared()
        self._starts = Starts()
        self._silences = Silences(min_notes)
        self._onsets = Onsets()
        self.examples = Examples()

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
        self.examples.add(program, report)
        if worker and worker != ALL_OTHERS:
            self._add_worker(worker, program if program != ALL_OTHERS else "", report)
        if report.text:
            self.add_wording(report.text, report.meta)

    def add_wording(self, text: str, meta: Mapping[str, str]) -> None:
        """Read how a note is worded; ``add`` does so itself where a report has its text, as one read back has not."""
        program = _key(self._programs, meta.get("program", ""))
        worker = _key(self._workers, meta.get("worker", ""))
        if worker and worker != ALL_OTHERS:
            program = program if program != ALL_OTHERS else ""
            self._onsets.add(text, program=program, worker=worker, day=meta.get("date", ""))

    def _add_worker(self, worker: str, program: str, report: NoteReport) -> None:
        date = report.meta.get("date", "")
        self._starts.add(worker, report)
        if month_of(date):
            self._silences.add(worker, date, frozenset(item.practice for item in report.strengths))
        if program:
            self._shared.add(program, worker, [item.indicator for item in report.findings])
            notes, flagged = self._flagged.setdefault(program, {}).get(worker, (0, 0))
            about = any(item.locus == "individual" for item in report.findings)
            self._flagged[program][worker] = (notes + 1, flagged + about)

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
        return ordered(self.look_alikes, taxonomy().reasons)

    @property
    def hints(self) -> tuple[Hint, ...]:
        """Where a task-shaped or organizational indicator is shared by the workers of a program."""
        order = {name: place for place, name in enumerate(taxonomy().indicators)}
        return tuple(sorted(self._shared.hints(), key=lambda hint: (*letters(hint.program), order[hint.indicator])))

    @property
    def starts(self) -> dict[str, Start | None]:
        """The note to begin with of each worker with enough notes, in alphabetical order; ``None``: nothing flagged."""
        enough = [name for name, group in self.workers.items() if group.notes >= self.min_notes]
        return {name: self._starts.by_worker.get(name) for name in enough if name not in ("", ALL_OTHERS)}

    @property
    def silences(self) -> tuple[Silence, ...]:
        """Where lived experience has not been written of for a while, in the order of names."""
        return tuple(sorted(self._silences.found(), key=lambda silence: letters(silence.worker)))

    @property
    def onsets(self) -> tuple[Onset, ...]:
        """Weeks from which on many workers use the same new words, in the order of time."""
        return tuple(self._onsets.found(self.min_notes))

    @property
    def changes(self) -> dict[str, Change | None]:
        """Of each program, the later months beside the earlier ones."""
        return {name: change(months, self.min_notes) for name, months in self.program_months.items()}

    @property
    def funnels(self) -> tuple[Funnel, ...]:
        """The funnels of the programs with enough workers, in alphabetical order."""
        found = (
            funnel(program, _alphabetical(workers), self.min_notes)
            for program, workers in _alphabetical(self._flagged).items()
        )
        return tuple(item for item in found if item)

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
            "begin_with": [start.to_dict() for start in self.starts.values() if start],
            "examples": self.examples.to_dict(),
            "changes": [{"program": name, **found.to_dict()} for name, found in self.changes.items() if found],
            "silences": [silence.to_dict() for silence in self.silences],
            "onsets": [onset.to_dict() for onset in self.onsets],
        }


def _key(groups: dict[str, Group], value: str) -> str:
    value = value.strip()
    return value if value in groups or len(groups) < MAX_GROUPS else ALL_OTHERS


def _alphabetical(groups: dict[str, _T]) -> dict[str, _T]:
    return dict(sorted(groups.items(), key=lambda item: letters(item[0])))
