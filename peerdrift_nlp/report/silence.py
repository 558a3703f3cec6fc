"""What has not been written for a while: no lived experience in a worker's last notes, although there was before."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import Any

PRACTICE = "lived_experience"
BEFORE = 3  # a practice that occurred once or twice is no habit that could fall silent
BY_CHANCE = 0.05


@dataclass(frozen=True, slots=True)
class Silence:
    """A practice that a worker's last notes do not show: ``before`` of ``of_notes`` earlier ones did."""

    worker: str
    last: int
    since: str
    before: int
    of_notes: int

    def to_dict(self) -> dict[str, Any]:
        """The silence, ready for JSON."""
        return {
            "worker": self.worker,
            "practice": PRACTICE,
            "last": self.last,
            "since": self.since,
            "before": self.before,
            "of_notes": self.of_notes,
        }


@dataclass(slots=True)
class _Series:
    notes: int = 0
    shown: int = 0
    latest: list[tuple[str, int, bool]] = field(default_factory=list)


class Silences:
    """Of each worker two counts and the dates of the last few notes, in whatever order the notes come.

    Args:
        last: how many notes make a silence.
    """

    def __init__(self, last: int) -> None:
        self._last = max(1, last)
        self._series: dict[str, _Series] = {}
        self._count = 0

    def add(self, worker: str, date: str, practices: frozenset[str]) -> None:
        """Count one dated note of a worker; ``date`` is ISO."""
        self._count += 1
        series = self._series.setdefault(worker, _Series())
        shown = PRACTICE in practices
        series.notes += 1
        series.shown += shown
        heapq.heappush(series.latest, (date, self._count, shown))
        if len(series.latest) > self._last:
            heapq.heappop(series.latest)

    def found(self) -> list[Silence]:
        """The silences that chance alone would hardly bring about."""
        silences = []
        for worker, series in self._series.items():
            earlier = series.notes - len(series.latest)
            if series.shown < BEFORE or any(shown for _, _, shown in series.latest):
                continue
            if (1 - series.shown / earlier) ** self._last < BY_CHANCE:
                silences.append(Silence(worker, self._last, series.latest[0][0][:10], series.shown, earlier))
        return silences
