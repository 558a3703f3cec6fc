"""A model taught further with an agency's own labelled notes, as far as these can carry it.

What changes is drawn towards what the base model holds (a Gaussian prior around it), so that few notes move it
little; an encoder stays as it is. How far a label may move depends on how often it was found in the notes:

=====================  ==================================================================================
fewer than 20 times    its probabilities are recalibrated (slope and intercept)
20 to 49 times         and its thresholds are set anew, and the words that are new to the model are learnt
50 times and more      and the weights of all words and rules are learnt further
=====================  ==================================================================================

New words come first because they are what sets the agency's notes apart: other notes do not hold them, so they can
be learnt from few labels without a change of what the model says elsewhere. All of it is judged on held-out writers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from scipy.sparse import csr_matrix, vstack

from peerdrift_nlp.classifier.bundle import Bundle
from peerdrift_nlp.classifier.cascade import Cascade, mean_log_odds, open_sentences
from peerdrift_nlp.classifier.features import Row
from peerdrift_nlp.classifier.groups import FOLDS, held_out_folds, writer_groups
from peerdrift_nlp.classifier.linear import LinearModel
from peerdrift_nlp.classifier.prior import Labels, Reals, fit_towards, recalibrated, sigmoid
from peerdrift_nlp.classifier.thresholds import Points, own_thresholds, within_reach
from peerdrift_nlp.classifier.training import PRECISION_TARGETS, Examples, check_vocabulary, surely_misses
from peerdrift_nlp.classifier.vocabulary import with_new_words
from peerdrift_nlp.errors import TrainingDataError
from peerdrift_nlp.taxonomy import LABELS, ROLE_CONSISTENT

FEWEST_WRITERS = 3
"""Fewer cannot be held out from each other."""

_THRESHOLDS_FROM, _RETRAIN_FROM = 20, 50
_FEW_WRITERS = 10
# How far a weight is likely to move from the base model's: the prior's standard deviation.
_WEIGHT, _NEW_WEIGHT = 1.0, 5.0


class Level(StrEnum):
    """How far a label was taught."""

    RECALIBRATED = "recalibrated"
    THRESHOLDS = "thresholds set, at most new words learnt"
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
    vocabulary: bool = True,
    unread: Examples | None = None,
    advance: Callable[[], object] | None = None,
) -> Adapted:
    """Teach a model further.

    Args:
        base: the model to go on from; it is left as it is.
        data: the sentences of labelled notes, of at least three writers.
        precision: the share of flags that shall be right, by operating point.
        flags_per_note: how many flags a note can be read at the balanced point; None is no limit.
        vocabulary: whether words of the notes may enter the model, as ``with_new_words`` chooses them.
        unread: the sentences of the same notes that nobody has labelled; they are company, and teach nothing.
        advance: called after each of ``steps(data)`` steps.

    Raises:
        TrainingDataError: too few writers, or no label to learn from.
    """
    targets = data.targets(base.model.outputs)
    _check(targets, data)
    positives = {label: int((targets[:, at] == 1).sum()) for at, label in enumerate(LABELS)}
    levels = {label: _level(targets[:, at], data.voices) for at, label in enumerate(LABELS)}
    spread = _spread(base.model.outputs, targets, levels)
    scores = np.zeros(targets.shape)
    for train, held in held_out_folds((targets[:, : len(LABELS)] == 1).any(axis=1), writer_groups(data.notes)):
        taught = _taught(base.model, data.part(train.tolist()), spread, vocabulary)
        scores[held] = _design(taught, data.part(held.tolist()).rows) @ taught.coef + taught.intercept
        if advance:
            advance()
    model = _taught(base.model, data, spread, vocabulary)
    calibration = recalibrated(scores, targets, base.model.calibration.astype(np.float64))
    if advance:
        advance()
    model = replace(model, calibration=calibration.astype(np.float32))
    check_vocabulary(model.terms)
    held_out = sigmoid(scores * calibration[:, 0] + calibration[:, 1])[:, : len(LABELS)]
    cascade = base.cascade
    if cascade:
        cascade, held_out = _remixed(cascade, held_out, targets[:, : len(LABELS)], data.texts)
    beside = unread or data.part(())
    others = model.probabilities(beside.rows, slice(len(LABELS)))
    others = cascade(others, beside.texts.__getitem__) if cascade else others
    whole = np.vstack([held_out.astype(np.float32), others])
    numbers = (data + beside).note_numbers
    if base.whole_note:
        whole = base.whole_note(whole, numbers)
    held_out = whole[: len(held_out)].astype(np.float64)
    enough = [label for label, level in levels.items() if level != Level.RECALIBRATED]
    thresholds = own_thresholds(base.thresholds, held_out, targets[:, : len(LABELS)], enough, precision)
    warnings = [*_warnings(data, positives, levels), *_missed(thresholds, held_out, targets, enough, precision)]
    if flags_per_note is not None:
        # Flags on sentences that nobody has labelled are read, too.
        thresholds = within_reach(thresholds, whole.astype(np.float64), flags_per_note * len(np.unique(numbers)))
    return Adapted(model, cascade, thresholds, positives, levels, held_out, tuple(warnings))


def steps(data: Examples) -> int:
    """In how many steps ``adapt`` reports its progress."""
    return min(FOLDS, len(np.unique(writer_groups(data.notes)))) + 1


def _taught(model: LinearModel, data: Examples, spread: Mapping[int, float], vocabulary: bool) -> LinearModel:
    """The model with its weights moved by labelled sentences.

    Args:
        model: to go on from.
        data: the sentences.
        spread: for each output that may be learnt, how far the weights of known words may move.
        vocabulary: whether the model may learn new words.
    """
    known = len(model.terms)
    model = with_new_words(model, data) if vocabulary else model
    # As in the first training, every sentence is learnt twice, as it is and as if no rule had matched.
    both = vstack([_design(model, data.rows), _design(model, [row.without_hits() for row in data.rows])], format="csr")
    targets = np.tile(data.targets(model.outputs), (2, 1))
    coef = model.coef.astype(np.float64)
    for at, of_known in spread.items():
        judged = targets[:, at] >= 0
        features = both[judged]
        used = np.unique(features.indices)
        # The intercept stays: sentences chosen for labelling do not tell how frequent drift is.
        given = np.full(int(judged.sum()), float(model.intercept[at]))
        coef[used, at] = fit_towards(
            features[:, used], targets[judged, at], coef[used, at], np.where(used < known, of_known, _NEW_WEIGHT), given
        )
    return replace(model, coef=coef.astype(np.float32))


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


def _spread(outputs: Sequence[str], targets: Labels, levels: Mapping[str, Level]) -> dict[int, float]:
    """For each output that is found often enough to be learnt, how far the weights of known words may move."""
    found = {}
    for at, name in enumerate(outputs):
        count, level = (targets[:, at] == 1).sum(), levels[name.partition(".")[0]]
        if count >= _THRESHOLDS_FROM and level != Level.RECALIBRATED:
            found[at] = _WEIGHT if count >= _RETRAIN_FROM and level == Level.RETRAINED else 0.0
    return found


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


def _missed(
    thresholds: Points, probabilities: Reals, targets: Labels, enough: Sequence[str], precision: Mapping[str, float]
) -> Iterator[str]:
    """Labels of which surely fewer flags are right than wanted, wherever the bar stands."""
    for at, label in enumerate(LABELS):
        flagged = targets[probabilities[:, at] >= thresholds["balanced"][label], at]
        if label in enough and label != ROLE_CONSISTENT and surely_misses(flagged, precision["balanced"]):
            judged = int((flagged >= 0).sum())
            yield f"{label}: {int((flagged == 1).sum())} of its {judged} flags were right, and no bar makes it more"
