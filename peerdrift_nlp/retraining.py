"""A model of one's own: judged beside the one in use, on writers whom neither has seen."""

from __future__ import annotations

from collections.abc import Sequence

from peerdrift_nlp.classifier.comparison import Comparison, FalseAlarms, compare, false_alarms
from peerdrift_nlp.classifier.corpus import ContrastPair, LabelledNote, challenge_pairs
from peerdrift_nlp.scanner import Scanner


def compare_models(
    current: Scanner, candidate: Scanner, notes: Sequence[LabelledNote], *, rounds: int = 2000, seed: int = 0
) -> Comparison:
    """Compare a candidate with the model in use, and hold it to the shipped contrast pairs.

    Args:
        current: with the model in use.
        candidate: with the other, at the same operating point.
        notes: labelled notes of writers from whom neither has learnt.
        rounds: bootstrap rounds.
        seed: of the resampling.

    Raises:
        UsageError: there are no labelled sentences.
    """
    gate = release_gate(challenge_pairs(), current, candidate)
    return compare(list(current.judge(notes)), list(candidate.judge(notes)), gate, rounds=rounds, seed=seed)


def release_gate(pairs: Sequence[ContrastPair], current: Scanner, candidate: Scanner) -> FalseAlarms:
    """How many harmless members of contrast pairs each of two models flags."""
    members = [member for pair in pairs for member in pair.members]
    return false_alarms(pairs, list(current.judge(members)), list(candidate.judge(members)))
