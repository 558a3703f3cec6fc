"""``DriftClassifier`` keeps scikit-learn's manners, and what one author wrote stays out of it."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_checks

import peerdrift_nlp
from peerdrift_nlp.classifier.estimator import DriftClassifier
from peerdrift_nlp.classifier.features import Row
from peerdrift_nlp.errors import TrainingDataError

AUTHORS = ("ana", "ben", "cy", "dee")


def rows_and_labels() -> tuple[list[Row], np.ndarray, list[str]]:
    """Forty sentences of four authors: "drove" tells the first label, "pills" the second."""
    rows: list[Row] = []
    labels: list[tuple[int, int]] = []
    authors: list[str] = []
    for number in range(40):
        drove, pills = number % 2, number % 3 == 0
        words = ["i", *(["drove"] if drove else ["saw"]), *(["pills"] if pills else ["coffee"]), AUTHORS[number % 4]]
        rows.append(Row(tuple(words), (f"section={number % 2}",)))
        labels.append((drove, int(pills)))
        authors.append(AUTHORS[number // 10])
    return rows, np.array(labels), authors


def fitted(**options: object) -> DriftClassifier:
    rows, labels, authors = rows_and_labels()
    return DriftClassifier(**options).fit(rows, labels, groups=authors)


def test_parameters_can_be_read_set_and_cloned() -> None:
    classifier = DriftClassifier(C=2.0, min_authors=2, folds=3, outputs=("a", "b"), n_jobs=1)
    assert classifier.get_params() == {"C": 2.0, "min_authors": 2, "folds": 3, "outputs": ("a", "b"), "n_jobs": 1}
    twin = clone(classifier)
    assert twin is not classifier and twin.get_params() == classifier.get_params()
    assert twin.set_params(C=0.5) is twin
    assert (twin.C, classifier.C) == (0.5, 2.0)
    with pytest.raises(ValueError, match="Invalid parameter"):
        twin.set_params(nonsense=1)
    assert is_classifier(classifier)
    assert "C=2.0" in repr(classifier)


def test_a_clone_of_a_fitted_one_is_not_fitted() -> None:
    twin = clone(fitted())
    with pytest.raises(NotFittedError):
        twin.predict_proba([])


def test_an_unfitted_one_says_so() -> None:
    with pytest.raises(NotFittedError):
        DriftClassifier().predict([Row(("i",), ())])


def test_fit_gives_itself_and_changes_no_parameter() -> None:
    rows, labels, authors = rows_and_labels()
    classifier = DriftClassifier(outputs=("a", "b"))
    before = classifier.get_params()
    assert classifier.fit(rows, labels, groups=authors) is classifier
    assert classifier.get_params() == before


def test_shapes_and_types() -> None:
    rows, labels, _ = rows_and_labels()
    classifier = fitted(outputs=("a", "b"))
    probabilities, predicted = classifier.predict_proba(rows), classifier.predict(rows)
    assert probabilities.shape == predicted.shape == labels.shape
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    assert set(np.unique(predicted)) <= {0, 1}
    assert np.array_equal(predicted, probabilities >= 0.5)
    assert classifier.predict_proba(rows[:1]).shape == (1, 2)
    assert classifier.out_of_fold_scores_.shape == labels.shape
    assert classifier.calibration_.shape == (2, 2)
    assert list(classifier.classes_) == ["a", "b"]
    assert classifier.n_features_in_ == len(classifier.model_.terms)
    assert classifier.score(rows, labels) > 0.9


def test_a_row_scores_the_same_alone_and_among_others() -> None:
    rows, _, _ = rows_and_labels()
    classifier = fitted()
    alone = np.concatenate([classifier.predict_proba([row]) for row in rows])
    assert alone.tobytes() == classifier.predict_proba(rows).tobytes()


def test_no_rows_give_no_probabilities() -> None:
    assert fitted().predict_proba([]).shape == (0, 2)


def test_one_label_as_a_flat_list() -> None:
    rows, labels, authors = rows_and_labels()
    classifier = DriftClassifier().fit(rows, labels[:, 0].tolist(), groups=authors)
    assert classifier.predict_proba(rows).shape == (len(rows), 1)
    assert list(classifier.classes_) == ["0"]


def test_it_learns_what_tells_the_labels_apart() -> None:
    classifier = fitted(outputs=("transport", "medication"))
    drove, pills = classifier.predict_proba([Row(("i", "drove", "coffee"), ()), Row(("i", "saw", "pills"), ())])
    assert drove[0] > 0.5 > drove[1]
    assert pills[1] > 0.5 > pills[0]


def test_a_label_that_is_never_or_always_there() -> None:
    rows, labels, authors = rows_and_labels()
    never, always = np.zeros(len(rows), dtype=int), np.ones(len(rows), dtype=int)
    classifier = DriftClassifier().fit(rows, np.column_stack([never, labels[:, 0], always]), groups=authors)
    probabilities = classifier.predict_proba(rows)
    assert (probabilities[:, 0] < 0.1).all() and (probabilities[:, 2] > 0.9).all()


def test_two_fits_agree_to_the_digit_and_share_nothing() -> None:
    rows, labels, authors = rows_and_labels()
    one, other = fitted(), fitted()
    expected = other.predict_proba(rows)
    assert one.predict_proba(rows).tobytes() == expected.tobytes()
    for name in ("coef", "idf", "intercept", "calibration"):
        ours, theirs = getattr(one.model_, name), getattr(other.model_, name)
        assert ours.tobytes() == theirs.tobytes()
        assert not np.shares_memory(ours, theirs)
        ours[...] = 0
    one.fit(rows[:20], labels[:20], groups=authors[:20])
    assert other.predict_proba(rows).tobytes() == expected.tobytes()


def test_input_is_left_as_it_was() -> None:
    rows, labels, authors = rows_and_labels()
    fitted()
    again = rows_and_labels()
    DriftClassifier().fit(rows, labels, groups=authors)
    assert (rows, authors) == (again[0], again[2])
    assert np.array_equal(labels, again[1])


def test_a_pickled_one_predicts_the_same() -> None:
    rows, _, _ = rows_and_labels()
    classifier = fitted()
    assert (
        pickle.loads(pickle.dumps(classifier)).predict_proba(rows).tobytes() == classifier.predict_proba(rows).tobytes()
    )


def test_what_fewer_authors_wrote_is_not_in_the_vocabulary() -> None:
    rows, labels, authors = rows_and_labels()
    rows[0] = Row((*rows[0].words, "quackenbush"), rows[0].others)
    for place, author in ((1, "ana"), (11, "ben")):
        assert authors[place] == author
        rows[place] = Row((*rows[place].words, "twosome"), rows[place].others)
    for place in (2, 12, 22):
        rows[place] = Row((*rows[place].words, "shared"), rows[place].others)
    terms = DriftClassifier(min_authors=3).fit(rows, labels, groups=authors).model_.terms
    assert "shared" in terms
    assert not [term for term in terms if "quackenbush" in term or "twosome" in term]


def test_one_author_who_repeats_himself_is_still_one() -> None:
    rows, labels, authors = rows_and_labels()
    rows[:10] = [Row((*row.words, "quackenbush"), row.others) for row in rows[:10]]
    terms = DriftClassifier(min_authors=2).fit(rows, labels, groups=authors).model_.terms
    assert not [term for term in terms if "quackenbush" in term]


def test_without_groups_every_row_is_its_own_author() -> None:
    rows, labels, _ = rows_and_labels()
    classifier = DriftClassifier().fit(rows, labels)
    assert classifier.predict_proba(rows).shape == labels.shape


def test_one_author_only_is_refused() -> None:
    rows, labels, _ = rows_and_labels()
    with pytest.raises(TrainingDataError, match="one author only"):
        DriftClassifier().fit(rows, labels, groups=["ana"] * len(rows))


def test_lengths_that_differ_are_refused() -> None:
    rows, labels, authors = rows_and_labels()
    with pytest.raises(TrainingDataError, match="40 rows of features and 39 rows of labels; need as many of each"):
        DriftClassifier().fit(rows, labels[:-1], groups=authors)
    with pytest.raises(TrainingDataError):
        DriftClassifier().fit(rows, labels, groups=authors[:-1])


def test_names_that_do_not_fit_the_labels_are_refused() -> None:
    with pytest.raises((TrainingDataError, ValueError)):
        fitted(outputs=("only one",))


def test_nothing_at_all_is_refused() -> None:
    with pytest.raises(TrainingDataError, match="0 rows"):
        DriftClassifier().fit([], np.zeros((0, 2)))


def test_authors_who_share_nothing_are_refused() -> None:
    rows = [Row((f"word{author}",), ()) for author in AUTHORS for _ in range(3)]
    authors = [author for author in AUTHORS for _ in range(3)]
    labels = np.array([[number % 2] for number in range(12)])
    with pytest.raises(TrainingDataError, match="no feature is shared by 3 authors"):
        DriftClassifier(min_authors=3).fit([Row(row.words, ()) for row in rows], labels, groups=authors)


# ---------------------------------------------------------------------------------------- among scikit-learn's own


def test_it_is_judged_by_cross_validation_with_authors_kept_together() -> None:
    rows, labels, authors = rows_and_labels()
    with config_context(enable_metadata_routing=True):
        classifier = DriftClassifier(min_authors=2).set_fit_request(groups=True)
        said = cross_val_predict(classifier, rows, labels, cv=GroupKFold(4), params={"groups": authors})
    assert said.shape == labels.shape and (said == labels).mean() > 0.9


def test_it_is_the_last_step_of_a_pipeline() -> None:
    rows, labels, _ = rows_and_labels()
    pipeline = Pipeline([("same", FunctionTransformer()), ("drift", DriftClassifier())])
    assert clone(pipeline).get_params()["drift__C"] == 4.0
    assert pipeline.set_params(drift__C=2.0).fit(rows, labels).predict_proba(rows).shape == labels.shape


def test_scikit_learns_checks_of_its_manners() -> None:
    """Those that need no numeric input: rows are words."""
    classifier = DriftClassifier()
    for check in (
        estimator_checks.check_no_attributes_set_in_init, estimator_checks.check_parameters_default_constructible,
        estimator_checks.check_get_params_invariance, estimator_checks.check_set_params,
        estimator_checks.check_estimator_repr, estimator_checks.check_estimator_cloneable,
        estimator_checks.check_valid_tag_types,
    ):  # fmt: skip
        check("DriftClassifier", classifier)


def digits() -> str:
    """A digest of all that a fit comes to."""
    classifier = fitted()
    found = [classifier.predict_proba(rows_and_labels()[0]), classifier.out_of_fold_scores_, classifier.model_.coef]
    return f"{sha256(b''.join(array.tobytes() for array in found)).hexdigest()} {classifier.model_.terms}"


def test_digits_do_not_hang_on_the_hash_seed() -> None:
    """Two processes on one machine must agree, or a second run flags another sentence."""
    seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(peerdrift_nlp.__file__).parents[1])}
    code = "import sys; sys.path.insert(0, sys.argv[1]); import test_classifier_estimator; print(test_classifier_estimator.digits())"
    run = subprocess.run(
        [sys.executable, "-c", code, str(Path(__file__).parent)], env=environment, capture_output=True, text=True,
        check=True, timeout=120,
    )  # fmt: skip
    assert run.stdout == f"{digits()}\n"
