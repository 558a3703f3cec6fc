"""From labelled notes to a calibrated model with thresholds."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv
from sklearn.linear_model import LogisticRegression

from peerdrift_nlp.classifier.bundle import OPERATING_POINTS, outputs
from peerdrift_nlp.classifier.cascade import Cascade, SentenceEncoder, mean_log_odds
from peerdrift_nlp.classifier.corpus import LabelledNote, LabelledSentence
from peerdrift_nlp.classifier.estimator import DriftClassifier, calibrate
from peerdrift_nlp.classifier.features import Row, note_rows
from peerdrift_nlp.classifier.linear import Floats, LinearModel, log_odds
from peerdrift_nlp.classifier.prior import Labels, Reals, sigmoid
from peerdrift_nlp.classifier.whole_note import WholeNote, log_ratios
from peerdrift_nlp.errors import TrainingDataError
from peerdrift_nlp.rules.engine import RuleEngine
from peerdrift_nlp.taxonomy import LABELS, ROLE_CONSISTENT
from peerdrift_nlp.text.fold import fold

# The share of flags that shall be right at each operating point, on writers not seen in training.
PRECISION_TARGETS: Mapping[str, float] = {"careful": 0.95, "balanced": 0.90, "thorough": 0.70}
CERTAINTY = 0.95
_FEWEST_FLAGS = 8
_FEWEST_VOICES = 3
_VERY_SURE = 0.9
_FEWEST_POSITIVES = 5
_IDENTIFIES = re.compile(r"\d{3,}|@\w+@|\S+@\S+\.\S+")


@dataclass(frozen=True)
class Examples:
    """The scored sentences of labelled notes, in parallel columns."""

    rows: list[Row]
    sentences: list[LabelledSentence]
    notes: list[LabelledNote]

    @property
    def voices(self) -> list[str]:
        """The voice of each sentence."""
        return [note.voice for note in self.notes]

    @property
    def note_numbers(self) -> NDArray[np.int64]:
        """The number of each sentence's note."""
        numbers: dict[tuple[str, str], int] = {}
        keys = [(note.voice, note.note_id) for note in self.notes]
        return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)

    @property
    def texts(self) -> list[str]:
        """The folded text of each sentence."""
        return [fold(note.text)[unit.start : unit.end] for note, unit in zip(self.notes, self.sentences, strict=True)]

    def __add__(self, other: Examples) -> Examples:
        return Examples(self.rows + other.rows, self.sentences + other.sentences, self.notes + other.notes)

    def without_place(self) -> Examples:
        """The same sentences as if they stood in no note: of pairs, half of the members are drift."""
        return replace(self, rows=[row.without_place() for row in self.rows])

    def part(self, rows: Sequence[int]) -> Examples:
        """Some of the sentences."""
        return Examples(
            [self.rows[row] for row in rows],
            [self.sentences[row] for row in rows],
            [self.notes[row] for row in rows],
        )

    def targets(self, outputs: Sequence[str]) -> NDArray[np.int8]:
        """Gold labels, shape ``(sentences, outputs)``; -1 where nobody has judged."""
        rows = [[name in found for name in outputs] for found in (unit.outputs for unit in self.sentences)]
        targets = np.array(rows, dtype=np.int8).reshape(-1, len(outputs))
        for row, unit in zip(targets, self.sentences, strict=True):
            if unit.unknown:
                row[[name in unit.unknown for name in outputs]] = -1
        return targets


class Fitted(NamedTuple):
    """A linear model with what the rest of a note adds to it; thresholds by operating point and label."""

    model: LinearModel
    whole_note: WholeNote
    thresholds: dict[str, dict[str, float]]


class Weighed(NamedTuple):
    """An encoder weighed with a linear model, with what the rest of a note adds to both; thresholds of all."""

    cascade: Cascade
    whole_note: WholeNote
    thresholds: dict[str, dict[str, float]]


def examples(
    notes: Sequence[LabelledNote],
    engine: RuleEngine,
    advance: Callable[[], object] | None = None,
    *,
    kind: Literal["sentence", "unread"] = "sentence",
) -> Examples:
    """Run the rules over labelled notes, on their hand-made sentences; headings are left out.

    Args:
        notes: the notes.
        engine: the rules.
        advance: called after each note.
        kind: the sentences that somebody has read, or the others.
    """
    found = Examples([], [], [])
    for note in notes:
        spans = note.spans()
        batch = engine.normalise([fold(note.text)], [spans])
        (hits,) = engine.find(batch, [spans])
        for unit, row in zip(note.sentences, note_rows(batch, 0, spans, hits), strict=True):
            if unit.kind == kind:
                found.rows.append(row)
                found.sentences.append(unit)
                found.notes.append(note)
        if advance:
            advance()
    return found


def train(
    data: Examples,
    unseen: Examples | None = None,
    pairs: Examples | None = None,
    *,
    C: float = 8.0,
    min_authors: int = 3,
    n_jobs: int = 1,
) -> Fitted:
    """Fit and calibrate on ``data``, and set thresholds on ``unseen``; the test split is in neither.

    Args:
        data: sentences to learn from, of at least three voices.
        unseen: sentences of other voices (the dev split); without them the thresholds are set on
            held-out folds of ``data``.
        pairs: the members of contrast pairs, learnt beside ``data``.
        C: inverse regularisation strength.
        min_authors: a feature is kept only if that many voices used it.
        n_jobs: processes.

    Raises:
        TrainingDataError: too few voices, or a vocabulary that fails the privacy gate.
    """
    voices = sorted(set(data.voices))
    if len(voices) < _FEWEST_VOICES:
        raise TrainingDataError(
            f"{len(voices)} voice(s) of labelled notes; at least {_FEWEST_VOICES} are needed to judge unseen writers"
        )
    names = outputs()
    learnt = data + pairs.without_place() if pairs else data
    classifier = DriftClassifier(C=C, min_authors=min_authors, outputs=names, n_jobs=n_jobs)
    classifier.fit(learnt.rows, learnt.targets(names), groups=learnt.voices)
    check_vocabulary(classifier.model_.terms)
    # Half of the members of pairs are drift, so only notes can say how likely a score makes it.
    scores, targets = classifier.out_of_fold_scores_[: len(data.rows)], data.targets(names)
    model = replace(classifier.model_, calibration=calibrate(scores, targets))
    labels = slice(len(LABELS))
    slope, offset = model.calibration.T
    held_out = sigmoid(scores * slope + offset)[:, labels].astype(np.float32)
    whole_note = fit_whole_note(held_out, targets[:, labels], data.note_numbers)
    if unseen is not None and unseen.rows:
        probabilities = whole_note(model.probabilities(unseen.rows, labels), unseen.note_numbers).astype(np.float64)
        return Fitted(model, whole_note, choose_thresholds(probabilities, unseen.targets(LABELS)))
    probabilities = whole_note(held_out, data.note_numbers).astype(np.float64)
    return Fitted(model, whole_note, choose_thresholds(probabilities, targets[:, labels]))


def add_encoder(model: LinearModel, encoder: SentenceEncoder, unseen: Examples) -> Weighed:
    """Weigh an encoder with the fast model, and the note with both; then set the thresholds anew.

    Args:
        model: the fast model.
        encoder: it may have learnt from the same voices.
        unseen: sentences of voices from which neither has learnt (the dev split).

    Raises:
        TrainingDataError: there are none.
    """
    if not unseen.rows:
        raise TrainingDataError(
            "an encoder is weighed on voices that training has not seen; the corpus has no dev voices"
        )
    texts = unseen.texts
    probabilities = model.probabilities(unseen.rows, slice(len(LABELS)))
    targets = unseen.targets(LABELS)
    mixing = calibrate(mean_log_odds(encoder, probabilities, texts), targets).astype(np.float64)
    cascade = Cascade(encoder, mixing)
    weighed = cascade(probabilities, texts.__getitem__)
    whole_note = fit_whole_note(weighed, targets, unseen.note_numbers)
    thresholds = choose_thresholds(whole_note(weighed, unseen.note_numbers).astype(np.float64), targets)
    return Weighed(cascade, whole_note, thresholds)


def fit_whole_note(probabilities: Floats, targets: Labels, notes: NDArray[np.int64]) -> WholeNote:
    """Fit the weights, on writers whom the probabilities' model has not seen.

    Args:
        probabilities: shape ``(sentences, labels)``.
        targets: gold labels, same shape; -1 where nobody has judged.
        notes: the number of each sentence's note.
    """
    shares = probabilities.mean(axis=0, dtype=np.float64).clip(1e-6)
    own, ratios = log_odds(probabilities), log_ratios(probabilities, notes, shares)
    weights = np.column_stack([shares, np.ones_like(shares), np.zeros_like(shares), np.zeros_like(shares)])
    for at, target in enumerate(targets.T):
        judged = target >= 0
        if _FEWEST_POSITIVES <= (target == 1).sum() < judged.sum():
            fitted = LogisticRegression(C=10.0).fit(
                np.column_stack([own[judged, at], ratios[judged, at]]), target[judged]
            )
            weights[at, 1:] = [*fitted.coef_[0], fitted.intercept_[0]]
    return WholeNote(weights)


def choose_thresholds(probabilities: Reals, targets: Labels) -> dict[str, dict[str, float]]:
    """For each operating point the lowest probability from which the share of flags aimed at is surely right.

    Surely: with a certainty of 95%, because the lowest one that will do on these sentences is likely to be too low for
    others of such writers; how far writers differ is not in it. All drift labels have the same one, because a
    calibrated probability means the same for each. Strengths accuse nobody: they are named, at every point, from the
    probability with the best F1.

    Args:
        probabilities: of unseen writers, shape ``(sentences, labels)``.
        targets: gold labels, same shape; -1 where nobody has judged.
    """
    strengths = np.array([label == ROLE_CONSISTENT for label in LABELS])
    judged = targets >= 0
    drift = judged & ~strengths
    bars: dict[str, float] = {}
    least = 0.0
    for point in reversed(OPERATING_POINTS):
        said, so = probabilities[drift], targets[drift]
        found = lowest_threshold(said, so, PRECISION_TARGETS[point], certainty=CERTAINTY)
        bars[point] = least = max(least, _last_resort(said, so, PRECISION_TARGETS[point]) if found is None else found)
    strong = _best_f1(probabilities[judged & strengths], targets[judged & strengths])
    return {point: dict.fromkeys(LABELS, bar) | {ROLE_CONSISTENT: strong} for point, bar in reversed(bars.items())}


def lowest_threshold(
    probabilities: NDArray[np.float64], target: NDArray[np.int8], precision: float, *, certainty: float | None = None
) -> float | None:
    """The lowest threshold, to four places, from which at least ``precision`` of the flags are right.

    Sentences of one level are flagged together, so they count together.

    Args:
        probabilities: of unseen writers, shape ``(sentences,)``.
        target: 0/1, same shape.
        precision: the share aimed at.
        certainty: how sure it shall be that the share holds beyond these sentences (the lower bound of Clopper and
            Pearson); without it, it holds on these.

    Returns:
        The threshold; None where no eight flags reach the share.
    """
    levels, flagged, right = _cumulated(probabilities, target)
    share = right / flagged if certainty is None else betaincinv(right, flagged - right + 1, 1 - certainty)
    good = np.flatnonzero((share >= precision) & (flagged >= _FEWEST_FLAGS))
    return float(levels[good[-1]]) if good.size else None


def surely_misses(target: NDArray[np.int8], precision: float) -> bool:
    """Whether the share of flags that are right is smaller, with a certainty of 95% (Clopper and Pearson).

    Args:
        target: 0/1 of what is flagged.
        precision: the share aimed at.
    """
    right, wrong = (target == 1).sum(), (target == 0).sum()
    return bool(wrong and betaincinv(right + 1, wrong, CERTAINTY) < precision)


def _last_resort(probabilities: Reals, target: Labels, precision: float) -> float:
    """Where too few are flagged to tell, very sure scores; none at all where even those surely miss the share."""
    if surely_misses(target[probabilities >= _VERY_SURE], precision):
        return min(1.0, float(np.floor(probabilities.max() * 10_000) + 1) / 10_000)
    return _VERY_SURE


def _best_f1(probabilities: NDArray[np.float64], target: NDArray[np.int8]) -> float:
    """The threshold, to four places, with the best F1."""
    if not target.any():
        return _VERY_SURE
    levels, flagged, right = _cumulated(probabilities, target)
    return float(levels[(2 * right / (flagged + target.sum())).argmax()])


def _cumulated(
    probabilities: NDArray[np.float64], target: NDArray[np.int8]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Each level of probability, to four places, from the top; how many are flagged from it, and how many rightly."""
    levels, level_of = np.unique(-np.floor(probabilities * 10_000), return_inverse=True)
    flagged = np.bincount(level_of).cumsum().astype(np.float64)
    return -levels / 10_000, flagged, np.bincount(level_of, weights=target).cumsum()


def leaks(term: str) -> bool:
    """Whether a term could carry a record number or an address."""
    return bool(_IDENTIFIES.search(term)) and not term.startswith(("rule=", "cleared="))


def check_vocabulary(terms: Sequence[str]) -> None:
    """The privacy gate: refuse a vocabulary that could carry a record number or an address.

    Raises:
        TrainingDataError: with the number of such terms, never the terms.
    """
    leaking = sum(map(leaks, terms))
    if leaking:
        raise TrainingDataError(f"{leaking} term(s) of the vocabulary look like record numbers or addresses; not saved")
