"""What a review comes to: how many flags were right, and an estimate of what was missed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Set

from peerdrift_nlp.report.counts import Share, wilson
from peerdrift_nlp.report.decisions import Decisions
from peerdrift_nlp.report.shown import can_be_sampled
from peerdrift_nlp.types import NoteReport


class Tally:
    """Counts decisions against the reports of their scan. Feed it every report with ``add``; it keeps none.

    Attributes:
        flags: all flags of the scan.
        verdicts: those that were decided, by verdict.
        accepted_notes: notes with a flag that was accepted.
        unflagged: notes in which nothing was flagged.
        strays: decisions on flags and notes that the scan does not have; known when all reports were added.
    """

    def __init__(self, decisions: Decisions) -> None:
        self._verdict = {item.about: item.verdict for item in decisions.decisions if item.verdict != "missed"}
        self._missed = {item.note for item in decisions.decisions if item.verdict == "missed"}
        self._stray = {(item.about, item.verdict == "missed") for item in decisions.decisions}
        self._read = decisions.read
        self.flags = 0
        self.verdicts: Counter[str] = Counter()
        self.accepted_notes = 0
        self.unflagged = 0

    def add(self, report: NoteReport) -> None:
        """Count one note."""
        self.flags += len(report.findings)
        self.unflagged += can_be_sampled(report)
        about = [
            (report.fingerprint, item.sentence.start, item.sentence.end, item.indicator) for item in report.findings
        ]
        verdicts = [self._verdict[item] for item in about if item in self._verdict]
        self.verdicts.update(verdicts)
        self.accepted_notes += "accepted" in verdicts
        self._stray.difference_update((item, False) for item in about)
        if report.fingerprint in self._missed:
            self._stray = {item for item in self._stray if item[0][0] != report.fingerprint or not item[1]}

    @property
    def strays(self) -> int:
        """Decisions that fit no flag and no note of the scan."""
        return len(self._stray)

    @property
    def decided(self) -> int:
        """Flags that were accepted or dismissed."""
        return self.verdicts.total()

    def missed(self, sample: Set[str]) -> tuple[int, int]:
        """How many notes of the sample were read, and in how many of those something was missed."""
        read = self._read & sample
        return len(read), len(read & self._missed)

    def lines(self, sample: Set[str]) -> Iterator[str]:
        """The review in plain sentences, with 95% intervals."""
        decided, accepted = self.decided, self.verdicts["accepted"]
        right = f": {accepted:,} accepted, {_percent(wilson(accepted, decided))}" if decided else ""
        yield f"{decided:,} of {self.flags:,} flags decided{right}."
        if self.strays:
            yield f"{self.strays:,} decisions fit no flag or note of this scan and were left out."
        if self.unflagged:
            yield from self._missed_lines(sample)

    def _missed_lines(self, sample: Set[str]) -> Iterator[str]:
        read, missed = self.missed(sample)
        yield f"{read:,} of {len(sample):,} sample notes read, something missed in {missed:,} of them."
        if not read:
            yield "What was missed in notes without a flag is unknown: read the sample notes and mark them as read."
            return
        share = wilson(missed, read)
        # What was read is known; only the rest is estimated.
        least, most = missed, self.unflagged - (read - missed)
        about, low, high = (
            min(most, max(least, round(part * self.unflagged))) for part in (share.share, share.low, share.high)
        )
        estimate = f"{about:,} ({low:,} to {high:,})"
        yield f"Of {self.unflagged:,} notes without a flag, an estimated {estimate} hold something missed."
        if self.decided < self.flags:
            yield "Decide all flags to learn what part of it the scan found."
        elif self.accepted_notes:
            found = self.accepted_notes
            share = Share(*(found / (found + others) for others in (about, high, low)))
            yield f"So the scan found {_percent(share)} of the notes with something to talk about."


def _percent(share: Share) -> str:
    return f"{100 * share.share:.0f}% ({100 * share.low:.0f} to {100 * share.high:.0f})"
