"""Which notes a report shows in full: those with flags, a random sample of the others, and the rest of a small run."""

from __future__ import annotations

from collections.abc import Iterator

from peerdrift_nlp.types import NoteReport

SAMPLE = 20
_MOST_FLAGGED = 5000
_SMALL_RUN = 1000


class Shown:
    """Keeps the reports to show of all that are added, and no others, so that memory stays flat.

    The sample are the notes without a flag whose fingerprints are the smallest. Under a random key that is a random
    choice, the same whenever the same notes are added, in whatever order.

    Args:
        sample: how many notes without a flag to mark for reading; notes of the same words count once.
    """

    def __init__(self, sample: int = SAMPLE) -> None:
        self._size = sample
        self._flagged: list[tuple[int, NoteReport]] = []
        self._others: list[tuple[int, NoteReport]] = []
        self._sample: dict[str, tuple[int, NoteReport]] = {}
        self._count = 0
        self.problems: list[tuple[str, str]] = []

    def add(self, report: NoteReport) -> None:
        """Take the next report of the run."""
        self._count += 1
        if report.status != "complete":
            self.problems.append((report.note_id, "; ".join(report.problems)))
        kept, most = (self._flagged, _MOST_FLAGGED) if report.findings else (self._others, _SMALL_RUN)
        if len(kept) < most:
            kept.append((self._count, report))
        if can_be_sampled(report) and report.fingerprint not in self._sample:
            self._sample[report.fingerprint] = (self._count, report)
            if len(self._sample) > self._size:
                del self._sample[max(self._sample)]

    @property
    def sample(self) -> frozenset[str]:
        """The fingerprints of the sample."""
        return frozenset(self._sample)

    def reports(self) -> Iterator[NoteReport]:
        """The reports to show, in the order in which they were added."""
        rest = self._others[: max(0, _SMALL_RUN - len(self._flagged))]
        chosen = dict([*self._flagged, *rest, *self._sample.values()])
        return (report for _, report in sorted(chosen.items()))


def can_be_sampled(report: NoteReport) -> bool:
    """Whether nothing was flagged in a note that was read."""
    return bool(report.fingerprint) and report.status != "failed" and not report.findings
