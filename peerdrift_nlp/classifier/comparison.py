"""Whether one model is better than another, on writers whom neither has seen.

Both judge the same sentences, so the comparison is paired: whole voices are resampled for both at once,
and McNemar's exact test counts the sentences that only one of them gets right. The verdict is a sentence
that a reader without statistics can act on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from scipy.stats import binomtest

from peerdrift_nlp.classifier.corpus import ContrastPair
from peerdrift_nlp.classifier.evaluation import FLAG_LABELS, Figure, Judged
from peerdrift_nlp.classifier.resampling import draws, interval, tallies
from peerdrift_nlp.errors import UsageError

Outcome = Literal["better", "worse", "noise", "too_few", "false_alarms"]

DECIDING = "any_drift_f1"
"""The figure that decides."""

FEWEST_VOICES = 5
"""With fewer, an interval from resampling voices means nothing."""

_SURE = 0.05
_FLAGS = frozenset(FLAG_LABELS)


@dataclass(frozen=True)
class Change:
    """A figure of the current model and of the candidate; ``difference`` is the candidate's less the current's."""

    current: float
    candidate: float
    difference: Figure


@dataclass(frozen=True)
class FalseAlarms:
    """The release gate: the harmless members of contrast pairs, and how many of them each model flags."""

    members: int
    current: int
    candidate: int

    @property
    def passed(self) -> bool:
        """Whether the candidate flags no more of them."""
        return self.candidate <= self.current


@dataclass(frozen=True)
class Comparison:
    """Two models on the same sentences.

    Attributes:
        changes: every figure that could be measured of both, by name; see ``resampling.Tallies``.
        voices: how many writers there were.
        sentences: how many sentences.
        only_current: sentences whose labels only the current model got exactly right.
        only_candidate: sentences whose labels only the candidate got exactly right.
        p_value: of McNemar's exact test on these two. It takes the sentences of one writer as independent,
            which they are not, so it can hold a candidate back, but not carry it.
        gate: on contrast pairs; None where none were judged.
    """

    changes: Mapping[str, Change]
    voices: int
    sentences: int
    only_current: int
    only_candidate: int
    p_value: float
    gate: FalseAlarms | None = None

    @property
    def outcome(self) -> Outcome:
        """What follows from it."""
        if self.gate and not self.gate.passed:
            return "false_alarms"
        if self.voices < FEWEST_VOICES or DECIDING not in self.changes:
            return "too_few"
        difference = self.changes[DECIDING].difference
        contradicted = self.p_value < _SURE and self.only_current > self.only_candidate
        if difference.low > 0 and not contradicted:
            return "better"
        return "worse" if difference.high < 0 else "noise"

    def verdict(self, current: str, candidate: str) -> str:
        """The outcome as one plain sentence.

        Args:
            current: what to call the model in use.
            candidate: what to call the other.
        """
        if self.gate and not self.gate.passed:
            return (
                f"Keep {current}: {candidate} flags {self.gate.candidate} of {self.gate.members} harmless contrast "
                f"texts, {current} flags {self.gate.current}; false alarms may not rise."
            )
        if self.outcome == "too_few":
            return (
                f"Keep {current}: {self.voices} writer(s) are too few to tell the two apart. Label notes with drift "
                f"of at least {FEWEST_VOICES} writers whom neither model has learnt from."
            )
        gain = self.changes[DECIDING].difference
        measured = f"F1 on any drift {gain.value:+.3f} (95%: {gain.low:+.3f} to {gain.high:+.3f})"
        return {
            "better": f"{candidate} is better than {current}: {measured}.",
            "worse": f"Keep {current}: {candidate} is worse, {measured}.",
            "noise": f"Keep {current}: the difference is within noise, {measured}.",
        }[self.outcome]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, for a manifest or a program."""
        return {
            "outcome": self.outcome,
            "voices": self.voices,
            "sentences": self.sentences,
            "mcnemar": {
                "only_current": self.only_current,
                "only_candidate": self.only_candidate,
                "p_value": round(self.p_value, 4),
            },
            "false_alarms": asdict(self.gate) if self.gate else None,
            "changes": {
                name: {
                    "current": round(change.current, 3),
                    "candidate": round(change.candidate, 3),
                    "difference": change.difference.to_dict(),
                }
                for name, change in self.changes.items()
            },
        }


def compare(
    current: Sequence[Judged],
    candidate: Sequence[Judged],
    gate: FalseAlarms | None = None,
    *,
    rounds: int = 2000,
    seed: int = 0,
) -> Comparison:
    """Compare two models' verdicts on the same sentences.

    Args:
        current: the verdicts of the model in use.
        candidate: those of the other, on the same sentences in the same order.
        gate: see ``false_alarms``.
        rounds: bootstrap rounds.
        seed: of the resampling; the same seed gives the same digits.

    Raises:
        UsageError: there are no sentences, or not the same ones.
    """
    if not current:
        raise UsageError("there are no labelled sentences to compare the models on")
    if list(map(_place, current)) != list(map(_place, candidate)):
        raise UsageError("the models have not judged the same sentences; let both judge the same notes")
    before, after = tallies(current), tallies(candidate)
    weights = draws(before.voices, rounds, seed)
    drawn_before, drawn_after = before.figures(weights), after.figures(weights)
    values_before, values_after = before.values(), after.values()
    changes = {
        name: Change(
            value, values_after[name], interval(values_after[name] - value, drawn_after[name] - drawn_before[name])
        )
        for name, value in values_before.items()
        if name in values_after
    }
    right = [(_is_right(one), _is_right(other)) for one, other in zip(current, candidate, strict=True)]
    only_current, only_candidate = right.count((True, False)), right.count((False, True))
    discordant = only_current + only_candidate
    p_value = float(binomtest(only_current, discordant).pvalue) if discordant else 1.0
    return Comparison(changes, before.voices, len(current), only_current, only_candidate, p_value, gate)


def false_alarms(pairs: Sequence[ContrastPair], current: Sequence[Judged], candidate: Sequence[Judged]) -> FalseAlarms:
    """How many harmless members of contrast pairs each model flags.

    Args:
        pairs: the pairs; those of which both members should be flagged do not count.
        current: one model's verdicts on the sentences of all members.
        candidate: the other's.
    """
    harmless = {(pair.voice, pair.sides[1].note_id) for pair in pairs if pair.sides}

    def flagged(rows: Sequence[Judged]) -> int:
        false = {
            (row.note.voice, row.note.note_id) for row in rows if not row.flagged.isdisjoint(_FLAGS - row.gold_labels)
        }
        return len(false & harmless)

    return FalseAlarms(len(harmless), flagged(current), flagged(candidate))


def _place(row: Judged) -> tuple[str, str, int, int]:
    return row.note.voice, row.note.note_id, row.gold.start, row.gold.end


def _is_right(row: Judged) -> bool:
    return row.flagged == row.gold_labels & _FLAGS
