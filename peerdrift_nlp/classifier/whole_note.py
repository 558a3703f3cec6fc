"""What the rest of a note says about one of its sentences.

Drift comes in company: a doubtful sentence deserves less doubt where other sentences of the note show the same,
and more where all of them are free of it. So each label's log-odds are weighed with how much of that label is
expected in the note's other sentences. A sentence that stands alone is taken as in a usual note.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from peerdrift_nlp.classifier.linear import Floats, log_odds

Ints = NDArray[np.int64]
Reals = NDArray[np.float64]
_USUAL = 3.0
"""As many sentences of a usual note are counted among the others, so that a few others do not say too much."""


@dataclass(frozen=True)
class WholeNote:
    """Weighs each sentence with the others of its note.

    Attributes:
        weights: a row a label, shape ``(labels, 4)``: the share of all sentences in which the label is expected;
            then the weights of a sentence's own log-odds and of ``log_ratios``, and the offset.
    """

    weights: Reals

    def __call__(self, probabilities: Floats, notes: Ints) -> Floats:
        """The probabilities weighed anew; sentences that are not scored, all zero, stay so.

        Args:
            probabilities: shape ``(sentences, labels)``.
            notes: the number of each sentence's note, shape ``(sentences,)``.
        """
        share, slope, company, offset = self.weights.T
        found = log_odds(probabilities) * slope + log_ratios(probabilities, notes, share) * company + offset
        weighed: Floats = (1 / (1 + np.exp(-np.clip(found, -700, 700)))).astype(np.float32)
        weighed[~probabilities.any(axis=1)] = 0.0
        return weighed


def log_ratios(probabilities: Floats, notes: Ints, shares: Reals) -> Reals:
    """By how much each label is likelier than usual in the other sentences of the note, as a logarithm.

    Args:
        probabilities: shape ``(sentences, labels)``.
        notes: the number of each sentence's note.
        shares: the usual share of each label.
    """
    own = probabilities.astype(np.float64)
    sums = np.zeros((int(notes.max(initial=-1)) + 1, own.shape[1]))
    np.add.at(sums, notes, own)
    others = np.bincount(notes, weights=own.any(axis=1))[notes] - own.any(axis=1)
    expected = (sums[notes] - own + _USUAL * shares) / (others + _USUAL)[:, None]
    ratios: Reals = np.log(expected / shares)
    return ratios
