"""What to label next: sentences in doubt, flagged ones, and some by chance, so that the labels teach and measure."""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from peerdrift_nlp.classifier.corpus import LabelledNote, LabelledSentence
from peerdrift_nlp.classifier.evaluation import FLAG_LABELS, Judged
from peerdrift_nlp.classifier.features import is_scored
from peerdrift_nlp.taxonomy import LABELS
from peerdrift_nlp.text.fold import fold
from peerdrift_nlp.text.sentences import split_sentences
from peerdrift_nlp.types import Note

REASONS = ("in doubt", "flagged", "by chance")
_NEVER_QUITE = 1e-6


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that could be labelled: its flagged labels, and how near the model is to another verdict.

    ``doubt`` is the smallest distance of a label's probability from its threshold, in log-odds.
    """

    note: LabelledNote
    start: int
    end: int
    flagged: frozenset[str]
    doubt: float


def as_unlabelled(note: Note) -> LabelledNote:
    """A note with its sentences and nothing said of them, as a scanner judges it."""
    units = tuple(
        LabelledSentence(unit.start, unit.end, "sentence" if is_scored(unit) else "header")
        for unit in split_sentences(fold(note.text))
    )
    return LabelledNote(note.note_id, note.meta.get("worker", ""), note.text, units)


def candidates(judged: Iterable[Judged], thresholds: Mapping[str, float]) -> list[Candidate]:
    """The judged sentences with how much in doubt each is.

    Args:
        judged: verdicts on all sentences.
        thresholds: of the operating point, by label.
    """
    return [
        Candidate(
            row.note,
            row.gold.start,
            row.gold.end,
            row.flagged,
            min(
                abs(_log_odds(row.verdict.probabilities[LABELS.index(label)]) - _log_odds(thresholds[label]))
                for label in FLAG_LABELS
            ),
        )
        for row in judged
    ]


def choose(
    found: Sequence[Candidate], size: int, *, seed: int = 0, done: Collection[tuple[str, int]] = ()
) -> list[tuple[Candidate, str]]:
    """A third in doubt, a third flagged (each label in turn), the rest by chance, in a random order.

    Where there are too few of one kind, chance fills up.

    Args:
        found: all sentences.
        size: how many to choose.
        seed: of the draw; the same seed draws the same.
        done: sentences labelled before, as note id and start.

    Returns:
        The sentences, each with one of ``REASONS``.
    """
    chance = random.Random(seed)
    left = [item for item in found if (item.note.note_id, item.start) not in done]
    chance.shuffle(left)
    share = size // len(REASONS)
    flagged = _in_turn([item for item in left if item.flagged])[:share]
    taken = set(map(id, flagged))
    doubtful = sorted((item for item in left if id(item) not in taken), key=lambda item: item.doubt)[:share]
    taken |= set(map(id, doubtful))
    rest = [item for item in left if id(item) not in taken][: size - len(flagged) - len(doubtful)]
    chosen = [(item, why) for items, why in zip((doubtful, flagged, rest), REASONS, strict=True) for item in items]
    chance.shuffle(chosen)
    return chosen


def _in_turn(flagged: Sequence[Candidate]) -> list[Candidate]:
    """Flagged sentences, one of each label in turn, so that a frequent label does not crowd out a rare one."""
    turn: dict[str, int] = {}
    ranked = []
    for item in flagged:
        label = min(item.flagged, key=lambda name: (turn.get(name, 0), name))
        turn[label] = turn.get(label, 0) + 1
        ranked.append((turn[label], item))
    return [item for _, item in sorted(ranked, key=lambda pair: pair[0])]


def _log_odds(probability: float) -> float:
    kept = min(max(probability, _NEVER_QUITE), 1 - _NEVER_QUITE)
    return math.log(kept / (1 - kept))
