"""The fast model at rest: arrays and a vocabulary, scored with numpy alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from peerdrift_nlp.classifier.features import Row

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class LinearModel:
    """A calibrated linear model over weighted feature presence.

    Attributes:
        outputs: the names of the columns: labels first, then ``clinical.symptoms`` and so on,
            then ``role_consistent.<practice>``.
        terms: the vocabulary, in column order.
        idf: weight of each term, shape ``(terms,)``.
        coef: shape ``(terms, outputs)``.
        intercept: shape ``(outputs,)``.
        calibration: slope and offset of each output's sigmoid, shape ``(outputs, 2)``.
    """

    outputs: tuple[str, ...]
    terms: tuple[str, ...]
    idf: Floats
    coef: Floats
    intercept: Floats
    calibration: Floats
    column_of: Mapping[str, int] = field(init=False, repr=False, compare=False)
    _by_output: Floats = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "column_of", {term: number for number, term in enumerate(self.terms)})
        object.__setattr__(self, "_by_output", np.ascontiguousarray(self.coef.T))

    def probabilities(self, rows: Sequence[Row], outputs: slice = slice(None)) -> Floats:
        """Calibrated probabilities, shape ``(rows, outputs)``; an empty row gets zeros.

        Args:
            rows: sentences as the classifier sees them.
            outputs: only these columns.
        """
        columns, counts = self._columns(rows)
        return self.calibrated(
            self.scores(columns, counts, outputs), np.array([any(row) for row in rows], dtype=bool), outputs
        )

    def scores(self, columns: NDArray[np.int64], counts: NDArray[np.int64], outputs: slice = slice(None)) -> Floats:
        """Decision values before calibration, shape ``(rows, outputs)``.

        Args:
            columns: the distinct known features of all rows, row after row.
            counts: how many of them each row has.
            outputs: only these columns.
        """
        scores = np.tile(self.intercept[outputs], (len(counts), 1)).astype(np.float32)
        filled = counts.nonzero()[0]
        if filled.size:
            starts = (np.cumsum(counts) - counts)[filled]
            weights = self.idf[columns]
            norms = np.sqrt(np.add.reduceat(weights * weights, starts))
            for column, coef in enumerate(self._by_output[outputs]):
                scores[filled, column] += np.add.reduceat(coef.take(columns) * weights, starts) / norms
        return scores

    def calibrated(self, scores: Floats, scored: NDArray[np.bool_], outputs: slice = slice(None)) -> Floats:
        """Decision values as probabilities; zero where a row is not ``scored``."""
        slope, offset = self.calibration[outputs, 0], self.calibration[outputs, 1]
        # Far out the sigmoid is 0 or 1 to the last digit, and exp() would overflow.
        log_odds = np.clip(scores.astype(np.float64) * slope + offset, -700, 700)
        probabilities: Floats = (1.0 / (1.0 + np.exp(-log_odds))).astype(np.float32)
        probabilities[~scored] = 0.0
        return probabilities

    def contributions(self, features: Iterable[str]) -> tuple[dict[str, int], Floats]:
        """What each known one of a row's features adds to the calibrated log-odds of each output.

        Returns:
            the features with their places, and the parts, shape ``(features, outputs)``.
        """
        known = self.known(features)
        columns = list(known.values())
        return dict(zip(known, range(len(known)), strict=True)), self.parts(columns, self.weights(columns))

    def known(self, features: Iterable[str]) -> dict[str, int]:
        """The features that the model knows, each once, with their columns."""
        find = self.column_of.get
        return {feature: column for feature in features if (column := find(feature)) is not None}

    def weights(self, columns: Sequence[int]) -> Floats:
        """The weight of each of a row's features, given the columns of all that are known."""
        weights = self.idf[columns]
        norm = np.sqrt(np.sum(weights * weights)) or np.float32(1)
        shares: Floats = weights / norm
        return shares

    def parts(self, columns: Sequence[int], weights: Floats, outputs: slice = slice(None)) -> Floats:
        """What each of a row's features adds to the calibrated log-odds of some outputs."""
        parts: Floats = self.coef[columns, outputs] * weights[:, None] * self.calibration[outputs, 0]
        return parts

    def _columns(self, rows: Sequence[Row]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The distinct known features of all rows, and how many each row has."""
        find = self.column_of.get
        found = [sorted({column for column in map(find, row.features()) if column is not None}) for row in rows]
        columns = [column for row in found for column in row]
        return np.array(columns, dtype=np.int64), np.array([len(row) for row in found], dtype=np.int64)


def log_odds(probabilities: Floats) -> NDArray[np.float64]:
    """Log-odds of probabilities, kept from infinity; same shape."""
    kept = np.clip(probabilities.astype(np.float64), 1e-6, 1 - 1e-6)
    found: NDArray[np.float64] = np.log(kept / (1 - kept))
    return found
