"""Labels that deserve another look: a model that has not seen the writer contradicts them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from peerdrift_nlp.classifier.evaluation import FLAG_LABELS, Judged
from peerdrift_nlp.classifier.prior import Reals
from peerdrift_nlp.classifier.training import Examples
from peerdrift_nlp.taxonomy import LABELS

_SURE = 0.7


class Suspect(NamedTuple):
    """One label of one sentence, told by place; never by its words.

    Attributes:
        voice: the writer.
        note_id: the note.
        start: of the sentence, in code points of the note.
        end: of the sentence.
        label: the label.
        given: whether it was given.
        probability: what the model thinks of it.
    """

    voice: str
    note_id: str
    start: int
    end: int
    label: str
    given: bool
    probability: float


def suspects(data: Examples, held_out: Reals) -> list[Suspect]:
    """The labels that the model contradicts, the surest contradiction first.

    Args:
        data: the labelled sentences.
        held_out: probabilities of the labels from a model that has not seen the writer, shape ``(sentences, labels)``.
    """
    targets = data.targets(LABELS)
    doubt = np.where(targets < 0, 0.0, np.abs(held_out - targets))
    places: list[tuple[int, int]] = [(row, column) for row, column in np.argwhere(doubt >= _SURE).tolist()]
    return [
        Suspect(
            data.notes[row].voice, data.notes[row].note_id, data.sentences[row].start, data.sentences[row].end,
            LABELS[column], bool(targets[row, column]), round(float(held_out[row, column]), 3),
        )
        for row, column in sorted(places, key=lambda place: (-doubt[place], place))
    ]  # fmt: skip


def worst(judged: Iterable[Judged], count: int) -> list[Suspect]:
    """The labels whose probability was worst (log loss, five labels), the worst first.

    Args:
        judged: sentences of writers from whom the model has not learnt.
        count: how many at most.
    """
    found = [
        Suspect(
            row.note.voice, row.note.note_id, row.gold.start, row.gold.end, label, label in row.gold_labels,
            round(probability, 4),
        )
        for row in judged
        for label, probability in zip(LABELS, row.verdict.probabilities, strict=True)
        if label in FLAG_LABELS and not math.isnan(probability)
    ]  # fmt: skip
    # The farther a probability is from the truth, the greater its log loss.
    return sorted(found, key=lambda item: (-abs(item.probability - item.given), item))[:count]
