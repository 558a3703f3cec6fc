"""A model taught further with an agency's own labelled notes, as far as these can carry it.

The vocabulary stays that of the base model, so no word of the notes can enter the new one; an encoder stays as it
is. What changes is drawn towards what the base model holds (a Gaussian prior around it), so that few notes move it
little. How far a label may move depends on how often it was found in the notes:

=====================  =========================================================
fewer than 20 times    its probabilities are recalibrated (slope and intercept)
20 to 49 times         and its thresholds are set anew
50 times and more      and the weights of words and rules are learnt further
=====================  =========================================================

All of it is chosen on held-out writers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack, vstack

from peerdrift_nlp.classifier.bundle import Bundle
from peerdrift_nlp.classifier.cascade import Cascade, mean_log_odds, open_sentences
from peerdrift_nlp.classifier.features import Row
from peerdrift_nlp.classifier.groups import FOLDS, folds, writer_groups
from peerdrift_nlp.classifier.linear import LinearModel
from peerdrift_nlp.classifier.prior import Labels, Reals, fit_towards, recalibrated, sigmoid
from peerdrift_nlp.classifier.thresholds import Points, own_thresholds, within_reach
from peerdrift_nlp.classifier.training import PRECISION_TARGETS, Examples, check_vocabulary
from peerdrift_nlp.errors import TrainingDataError
from peerdrift_nlp.taxonomy import LABELS

FEWEST_WRITERS = 3
"""Fewer cannot be held out from each other."""

_THRESHOLDS_FROM, _RETRAIN_FROM = 20, 50
_FEW_WRITERS = 10
# How far a weight is likely to move from the base model's: the prior's standard deviation.
_WEIGHT = 1.0


class Level(StrEnum):
    """How far a label was taught."""

    RECALIBRATED = "recalibrated"
    THRESHOLDS = "recalibrated, thresholds set"
    RETRAINED = "retrained"


@dataclass(frozen=True)
class Adapted:
    """A base model taught further.

    Attributes:
        model: the linear model.
        cascade: with its mixing recalibrated; None where the base has none.
        thresholds: by operating point and label.
        positives: how often each label stands in the notes.
        levels: how far each label was taught.
        held_out: probabilities of the sentences, each by weights that have not seen its writer, shape
            ``(sentences, labels)``.
        warnings: what the reader should know, in plain words.
    """

    model: LinearModel
    cascade: Cascade | None
    thresholds: Points
    positives: Mapping[str, int]
    levels: Mapping[str, Level]
    held_out: Reals
    warnings: tuple[str, ...]


def adapt(
    base: Bundle,
    data: Examples,
    *,
    precision: Mapping[str, float] = PRECISION_TARGETS,
    flags_per_note: float | None = None,
    advance: Callable[[], object] | None = None,
) -> Adapted:
    """Teach a model further.

    Args:
        base: the model to go on from; it is left as it is.
        data: the sentences of labelled notes, of at least three writers.
        precision: the share of flags that shall be right, by operating point.
        flags_per_note: how many flags a note can be read at the balanced point; None is no limit.
        advance: called after each of ``steps(data)`` steps.

    Raises:
        TrainingDataError: too few writers, or no label to learn from.
    """
    targets = data.targets(base.model.outputs)
    _check(targets, data)
    positives = {label: int((targets[:, at] == 1).sum()) for at, label in enumerate(LABELS)}
    levels = {label: _level(targets[:, at], data.voices) for at, label in enumerate(LABELS)}
    learner = _Learner(base.model, data, targets, _learnt(base.model.outputs, targets, levels))
    scores = np.zeros(targets.shape)
    for train, held in folds((targets[:, : len(LABELS)] == 1).any(axis=1), writer_groups(data.notes)):
        scores[held] = learner.scores(held, *learner.fitted(train))
        if advance:
            advance()
    coef, intercept = learner.fitted(np.arange(len(targets)))
    calibration = recalibrated(scores, targets, base.model.calibration.astype(np.float64))
    if advance:
        advance()
    model = replace(
        base.model,
        coef=coef.astype(np.float32),
        intercept=intercept.astype(np.float32),
        calibration=calibration.astype(np.float32),
    )
    check_vocabulary(model.terms)
    held_out = sigmoid(scores * calibration[:, 0] + calibration[:, 1])[:, : len(LABELS)]
    cascade = base.cascade
    if cascade:
        cascade, held_out = _remixed(cascade, held_out, targets[:, : len(LABELS)], data.texts)
    if base.whole_note:
        held_out = base.whole_note(held_out.astype(np.float32), data.note_numbers).astype(np.float64)
    enough = [label for label, level in levels.items() if level != Level.RECALIBRATED]
    thresholds = own_thresholds(base.thresholds, held_out, targets[:, : len(LABELS)], data.standing, enough, precision)
    if flags_per_note is not None:
        notes = len({(note.voice, note.note_id) for note in data.notes})
        thresholds = within_reach(thresholds, held_out, data.standing, flags_per_note * notes)
    return Adapted(model, cascade, thresholds, positives, levels, held_out, tuple(_warnings(data, positives, levels)))


def steps(data: Examples) -> int:
    """In how many steps ``adapt`` reports its progress."""
    return min(FOLDS, len(np.unique(writer_groups(data.notes)))) + 1


class _Learner:
    """The base model's weights, moved by the labels of some rows."""

    def __init__(self, model: LinearModel, data: Examples, targets: Labels, learnt: Sequence[int]) -> None:
        self._model = model
        self._targets = targets
        self._learnt = learnt
        self._matrix = _design(model, data.rows)
        # As in the first training, every sentence is learnt twice, as it is and as if no rule had matched.
        self._bare = _design(model, [row.without_hits() for row in data.rows]) if learnt else self._matrix

    def fitted(self, rows: NDArray[np.int64]) -> tuple[Reals, Reals]:
        """Weights and intercepts of all outputs, shapes ``(terms, outputs)`` and ``(outputs,)``."""
        coef, intercept = self._model.coef.astype(np.float64), self._model.intercept.astype(np.float64)
        for at in self._learnt:
            judged = rows[self._targets[rows, at] >= 0]
            both = vstack([self._matrix[judged], self._bare[judged]], format="csr")
            used = np.unique(both.indices)
            features = hstack([both[:, used], csr_matrix(np.ones((both.shape[0], 1)))], format="csr")
            start = np.append(coef[used, at], intercept[at])
            moved = fit_towards(features, np.tile(self._targets[judged, at], 2), start, np.full(len(start), _WEIGHT))
            coef[used, at], intercept[at] = moved[:-1], moved[-1]
        return coef, intercept

    def scores(self, rows: NDArray[np.int64], coef: Reals, intercept: Reals) -> Reals:
        """Decision values of some rows, shape ``(rows, outputs)``."""
        found: Reals = self._matrix[rows] @ coef + intercept
        return found


def _design(model: LinearModel, rows: Sequence[Row]) -> csr_matrix:
    """The weighted features of rows that the model knows, shape ``(rows, terms)``."""
    known = [list(model.known(row.features()).values()) for row in rows]
    starts = np.cumsum([0, *map(len, known)])
    weights = [model.weights(columns) for columns in known]
    data = np.concatenate(weights).astype(np.float64) if weights else np.zeros(0)
    columns = np.array([column for of_row in known for column in of_row], dtype=np.int32)
    return csr_matrix((data, columns, starts), shape=(len(rows), len(model.terms)))


def _check(targets: Labels, data: Examples) -> None:
    writers = len(set(data.voices))
    groups = len(np.unique(writer_groups(data.notes)))
    if writers < FEWEST_WRITERS:
        raise TrainingDataError(
            f"notes of {writers} writer(s); at least {FEWEST_WRITERS} are needed, better {_FEW_WRITERS}, so that each "
            "can be held out while the others teach"
        )
    if groups < 2:
        raise TrainingDataError(
            f"all {writers} writers have notes that are copies of another's; label notes in their own words"
        )
    labels = targets[:, : len(LABELS)]
    if not ((labels == 1).any(axis=0) & (labels == 0).any(axis=0)).any():
        raise TrainingDataError(
            f"of {len(labels)} sentences none carries a label, or all do; nothing can be told apart. "
            "Label sentences of both kinds"
        )


def _level(target: Labels, voices: Sequence[str]) -> Level:
    found = np.flatnonzero(target == 1)
    if len(found) < _THRESHOLDS_FROM or len({voices[row] for row in found.tolist()}) < FEWEST_WRITERS:
        return Level.RECALIBRATED
    return Level.THRESHOLDS if len(found) < _RETRAIN_FROM else Level.RETRAINED


def _learnt(outputs: Sequence[str], targets: Labels, levels: Mapping[str, Level]) -> list[int]:
    """The outputs whose weights are learnt further: retrained labels, and of what refines them the frequent."""
    return [
        at
        for at, name in enumerate(outputs)
        if levels[name.partition(".")[0]] == Level.RETRAINED and (targets[:, at] == 1).sum() >= _RETRAIN_FROM
    ]


def _remixed(cascade: Cascade, probabilities: Reals, targets: Labels, texts: Sequence[str]) -> tuple[Cascade, Reals]:
    """The cascade with its mixing recalibrated on the open sentences, and the probabilities after it."""
    numbers = open_sentences(probabilities.astype(np.float32))
    if not len(numbers):
        return cascade, probabilities
    mean = mean_log_odds(cascade.encoder, probabilities[numbers].astype(np.float32), [texts[row] for row in numbers])
    mixing = recalibrated(mean, targets[numbers], cascade.mixing)
    weighed = probabilities.copy()
    weighed[numbers] = sigmoid(mean * mixing[:, 0] + mixing[:, 1])
    return Cascade(cascade.encoder, mixing), weighed


def _warnings(data: Examples, positives: Mapping[str, int], levels: Mapping[str, Level]) -> list[str]:
    told = []
    writers = len(set(data.voices))
    if writers < _FEW_WRITERS:
        told.append(f"notes of {writers} writers only: what holds for them may not hold for others")
    if len(np.unique(writer_groups(data.notes))) < writers:
        told.append("some writers share copied notes; they were held out together")
    for at, label in enumerate(LABELS):
        found = data.targets(LABELS)[:, at] == 1
        owners = {voice for voice, has in zip(data.voices, found, strict=True) if has}
        if positives[label] >= _THRESHOLDS_FROM and levels[label] == Level.RECALIBRATED:
            told.append(
                f"{label}: all {positives[label]} come from {len(owners)} writer(s), so it was only recalibrated"
            )
    return told
