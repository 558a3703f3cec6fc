"""Logistic regression around what is known already: the fewer the data, the less it moves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

Reals = NDArray[np.float64]
Labels = NDArray[np.int8]

# How far a slope (as a share of it) and an offset are likely to move: the prior's standard deviation. Both narrow:
# sentences chosen for labelling do not tell how frequent drift is, and where words are unknown, slopes look flat.
_SLOPE, _OFFSET = 0.01, 0.1


def fit_towards(
    features: csr_matrix | Reals, target: Labels, start: Reals, spread: Reals, given: Reals | float = 0.0
) -> Reals:
    """Logistic regression with a Gaussian prior around given weights (maximum a posteriori).

    Args:
        features: shape ``(rows, features)``.
        target: 0/1, shape ``(rows,)``.
        start: the prior's mean, shape ``(features,)``.
        spread: its standard deviations, same shape; a weight of spread 0 stays.
        given: what is added to each row's log-odds, shape ``(rows,)``.

    Returns:
        the weights, shape ``(features,)``.
    """
    signs = 2.0 * target - 1.0

    def loss(change: Reals) -> tuple[float, Reals]:
        margins = signs * (features @ (start + spread * change) + given)
        pull = -signs * sigmoid(-margins)
        return float(np.logaddexp(0, -margins).sum() + change @ change / 2), spread * (features.T @ pull) + change

    found = minimize(loss, np.zeros(len(start)), jac=True, method="L-BFGS-B", options={"maxiter": 500})
    weights: Reals = start + spread * found.x
    return weights


def recalibrated(scores: Reals, targets: Labels, calibration: Reals) -> Reals:
    """Slope and offset of each column's sigmoid, drawn towards those given, shape ``(columns, 2)``.

    Args:
        scores: of held-out writers, shape ``(rows, columns)``.
        targets: 0/1, -1 where nobody has judged, same shape.
        calibration: slopes and offsets to start from, shape ``(columns, 2)``.
    """
    found = calibration.copy()
    for at, (slope, offset) in enumerate(calibration):
        judged = targets[:, at] >= 0
        features = np.column_stack([scores[judged, at], np.ones(judged.sum())])
        spread = np.array([_SLOPE * abs(slope), _OFFSET])
        found[at] = fit_towards(features, targets[judged, at], np.array([slope, offset]), spread)
    return found


def sigmoid(values: Reals) -> Reals:
    """Log-odds as probabilities; far out they are 0 or 1, without overflow."""
    found: Reals = 1 / (1 + np.exp(-np.clip(values, -700, 700)))
    return found
