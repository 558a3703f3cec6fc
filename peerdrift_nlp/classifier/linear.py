"""The fast model at rest: arrays and a vocabulary, scored with numpy alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

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
    _index: Mapping[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_index", {term: number for number, term in enumerate(self.terms)})

    def probabilities(self, rows: Sequence[Sequence[str]], outputs: slice = slice(None)) -> Floats:
        """Calibrated probabilities, shape ``(rows, outputs)``; an empty row gets zeros.

        Args:
            rows: feature rows.
            outputs: only these columns; the labels alone cost a seventh of all.
        """
        scores = self.scores(rows, outputs)
        slope, offset = self.calibration[outputs, 0], self.calibration[outputs, 1]
        probabilities: Floats = (1.0 / (1.0 + np.exp(-(scores * slope + offset)))).astype(np.float32)
        probabilities[[number for number, row in enumerate(rows) if not row]] = 0.0
        return probabilities

    def scores(self, rows: Sequence[Sequence[str]], outputs: slice = slice(None)) -> Floats:
        """Decision values before calibration, shape ``(rows, outputs)``."""
        columns, starts = self._columns(rows)
        scores = np.tile(self.intercept[outputs], (len(rows), 1)).astype(np.float32)
        if columns.size:
            weights = self.idf[columns]
            filled = np.flatnonzero(np.diff(np.append(starts, columns.size)))
            at = starts[filled]
            norms = np.sqrt(np.add.reduceat(weights * weights, at))
            scores[filled] += np.add.reduceat(self.coef[columns, outputs] * weights[:, None], at, axis=0) / norms[:, None]
        return scores

    def weights(self, row: Sequence[str], output: str) -> dict[str, float]:
        """What each known feature of a row adds to the calibrated log-odds of ``output``."""
        columns, _ = self._columns([row])
        number = self.outputs.index(output)
        weights = self.idf[columns]
        norm = float(np.sqrt(np.sum(weights * weights))) or 1.0
        parts = self.coef[columns, number] * weights / norm * self.calibration[number, 0]
        return {self.terms[column]: float(part) for column, part in zip(columns, parts, strict=True)}

    def _columns(self, rows: Sequence[Sequence[str]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Column numbers of all rows' distinct known features, and where each row starts."""
        find = self._index.get
        columns: list[int] = []
        starts: list[int] = []
        for row in rows:
            starts.append(len(columns))
            columns.extend(column for column in map(find, set(row)) if column is not None)
        return np.array(columns, dtype=np.int64), np.array(starts, dtype=np.int64)
