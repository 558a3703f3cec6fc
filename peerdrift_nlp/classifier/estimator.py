"""The trainable classifier, a scikit-learn estimator; what it learns is a ``LinearModel``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import check_is_fitted

from peerdrift_nlp.classifier.features import Row
from peerdrift_nlp.classifier.groups import held_out_folds
from peerdrift_nlp.classifier.linear import Floats, LinearModel
from peerdrift_nlp.errors import TrainingDataError

Rows = Sequence[Row]


class DriftClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Multi-label logistic regression on sentence features, calibrated out of fold by author.

    Every sentence is learnt twice, as it is and as if no rule had matched: whoever writes rules has
    seen labelled notes, so hits look surer in training than they will be, and the words must be able
    to speak for themselves.

    Args:
        C: inverse regularisation strength.
        min_authors: a feature is kept only if that many authors used it, which is also the
            privacy gate: what one author wrote can never enter a model.
        folds: author-grouped folds for calibration.
        outputs: names of the columns of ``y``; needed to use the fitted model by name.
        n_jobs: processes for training.
    """

    def __init__(
        self, C: float = 4.0, min_authors: int = 3, folds: int = 5, outputs: Sequence[str] = (), n_jobs: int = 1
    ) -> None:
        self.C = C
        self.min_authors = min_authors
        self.folds = folds
        self.outputs = outputs
        self.n_jobs = n_jobs

    def fit(self, X: Rows, y: ArrayLike, groups: Sequence[Any] | None = None) -> Self:
        """Fit on rows ``X`` and labels ``y`` of shape ``(rows, outputs)``.

        Args:
            X: the rows of sentences.
            y: 0/1 matrix, a column an output; -1 where nobody has judged, from which that column learns nothing.
            groups: the author of each row; without it every row counts as its own author.

        Raises:
            TrainingDataError: rows, labels, authors or names of outputs that do not match in number, or
                nothing to learn from.
        """
        labels = np.atleast_2d(np.asarray(y, dtype=np.int8).T).T
        if not len(X):
            raise TrainingDataError("0 rows of features; nothing to learn from")
        authors = np.arange(len(X)) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
        names = tuple(self.outputs) or tuple(str(number) for number in range(labels.shape[1]))
        _check_as_many(len(X), "rows of features", len(labels), "rows of labels")
        _check_as_many(len(X), "rows of features", len(authors), "authors")
        _check_as_many(len(names), "names of outputs", labels.shape[1], "columns of labels")
        bags = [set(row.features()) for row in X] + [set(row.without_hits().features()) for row in X]
        terms, matrix, idf = _vectorise(bags, np.tile(authors, 2), self.min_authors)
        coef, intercept = _fit_columns(matrix, np.tile(labels, (2, 1)), self.C, self.n_jobs)
        held_out = self._held_out_scores(matrix, labels, authors)
        self.out_of_fold_scores_ = held_out
        self.calibration_ = calibrate(held_out, labels)
        self.model_ = LinearModel(
            outputs=names,
            terms=terms,
            idf=idf,
            coef=coef.astype(np.float16).astype(np.float32),  # three digits are enough, and halve the bundle
            intercept=intercept.astype(np.float32),
            calibration=self.calibration_,
        )
        self.classes_ = np.array(names)
        self.n_features_in_ = len(terms)
        return self

    def predict_proba(self, X: Rows) -> Floats:
        """Calibrated probabilities, shape ``(rows, outputs)``."""
        check_is_fitted(self)
        return self.model_.probabilities(X)

    def predict(self, X: Rows) -> NDArray[np.int8]:
        """0/1 at a probability of one half, shape ``(rows, outputs)``."""
        return (self.predict_proba(X) >= 0.5).astype(np.int8)

    def _held_out_scores(
        self, matrix: csr_matrix, labels: NDArray[np.int8], authors: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Scores of the sentences as they are, each from a model that has not seen its author."""
        count = min(self.folds, len(np.unique(authors)))
        scores = np.zeros(labels.shape, dtype=np.float64)
        if count < 2:
            raise TrainingDataError("one author only: calibration needs at least two, better twenty")
        for train, held in held_out_folds((labels == 1).any(axis=1), authors, count):
            both = np.concatenate([train, train + len(authors)])
            coef, intercept = _fit_columns(matrix[both], np.tile(labels[train], (2, 1)), self.C, self.n_jobs)
            scores[held] = matrix[held] @ coef + intercept
        return scores


def _check_as_many(one: int, of_what: str, other: int, of_which: str) -> None:
    if one != other:
        raise TrainingDataError(f"{one} {of_what} and {other} {of_which}; need as many of each")


def _vectorise(
    X: Sequence[set[str]], authors: NDArray[np.int64], min_authors: int
) -> tuple[tuple[str, ...], csr_matrix, Floats]:
    used_by: defaultdict[str, set[int]] = defaultdict(set)
    seen_in: defaultdict[str, int] = defaultdict(int)
    for row, author in zip(X, authors, strict=True):
        for feature in row:
            used_by[feature].add(int(author))
            seen_in[feature] += 1
    least = min(min_authors, len(np.unique(authors)))
    terms = tuple(sorted(feature for feature, users in used_by.items() if len(users) >= least))
    if not terms:
        raise TrainingDataError(f"no feature is shared by {least} authors; more notes or authors are needed")
    idf = np.log((1 + len(X)) / (1 + np.array([seen_in[term] for term in terms]))).astype(np.float32) + 1
    index = {term: number for number, term in enumerate(terms)}
    indices: list[int] = []
    starts = [0]
    for row in X:
        indices.extend(sorted(index[feature] for feature in row if feature in index))
        starts.append(len(indices))
    columns = np.array(indices, dtype=np.int32)
    matrix = csr_matrix((idf[columns].astype(np.float64), columns, starts), shape=(len(X), len(terms)))
    norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    norms[norms == 0] = 1
    matrix.data /= np.repeat(norms, np.diff(matrix.indptr))
    return terms, matrix, idf


def _fit_columns(
    matrix: csr_matrix, labels: NDArray[np.int8], C: float, n_jobs: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    fitted = Parallel(n_jobs=n_jobs)(delayed(_fit_column)(matrix, column, C) for column in labels.T)
    return np.column_stack([coef for coef, _ in fitted]), np.array([intercept for _, intercept in fitted])


def _fit_column(matrix: csr_matrix, target: NDArray[np.int8], C: float) -> tuple[NDArray[np.float64], float]:
    if (target < 0).any():
        matrix, target = matrix[target >= 0], target[target >= 0]
    positives = int(target.sum())
    if positives in (0, len(target)):
        # Nothing to tell apart: a constant at the (smoothed) share of positives.
        share = (positives + 0.5) / (len(target) + 1)
        return np.zeros(matrix.shape[1]), float(np.log(share / (1 - share)))
    model = LogisticRegression(C=C, solver="liblinear", random_state=0, max_iter=1000).fit(matrix, target)
    return model.coef_[0], float(model.intercept_[0])


def calibrate(scores: NDArray[np.float64], labels: NDArray[np.int8]) -> Floats:
    """Platt's sigmoid for each output, fitted to scores of authors that the fold had not seen."""
    calibration = np.zeros((labels.shape[1], 2), dtype=np.float32)
    for number in range(labels.shape[1]):
        judged = labels[:, number] >= 0
        target, score = labels[judged, number], scores[judged][:, [number]]
        if target.sum() < 5 or target.all() or np.ptp(score) == 0:
            calibration[number] = (1.0, 0.0)
            continue
        sigmoid = LogisticRegression(C=1e3).fit(score, target)
        calibration[number] = (sigmoid.coef_[0, 0], sigmoid.intercept_[0])
    return calibration
