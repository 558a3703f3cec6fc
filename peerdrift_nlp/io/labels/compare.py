"""How far each two annotators agree, label by label."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

from peerdrift_nlp.classifier.corpus.agreement import Agreement, DoubleReading
from peerdrift_nlp.classifier.corpus.agreement import agreement as measure
from peerdrift_nlp.errors import UsageError
from peerdrift_nlp.io.labels.merge import Readings

_FEW = 10
_MEANINGS = ((0.8, "good: train on it"), (0.6, "fair: talk over what was seen differently"))
_POOR = "poor: settle what the label means before you train"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two annotators and how far they agree on each label, over the sentences that both labelled."""

    first: str
    second: str
    sentences: int
    labels: Mapping[str, Agreement]


def compare(found: Readings) -> list[Pair]:
    """Agreement of every two annotators who labelled the same sentences.

    Raises:
        UsageError: no sentence was labelled twice.
    """
    pairs = []
    for first, second in combinations(found.annotators, 2):
        both = [DoubleReading(by[first], by[second]) for by in found.of.values() if first in by and second in by]
        if both:
            pairs.append(Pair(first, second, len(both), measure(both)["Label"]))
    if not pairs:
        raise UsageError(
            f"no sentence was labelled by two annotators ({len(found.annotators)} found): agreement needs some "
            "sentences that two people labelled without seeing each other's labels"
        )
    return pairs


def meaning(row: Agreement) -> str:
    """What an agreement says, in plain words."""
    used = row.writer + row.blind - row.both
    if used < _FEW:
        return f"too few to tell ({used} sentences)" if used else "not used"
    if math.isnan(row.kappa):
        return "not to be told: it never varied"
    return next((words for least, words in _MEANINGS if row.kappa >= least), _POOR)
