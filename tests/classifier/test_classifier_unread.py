"""What nobody labelled is not clean: unread sentences and unjudged labels teach nothing and judge nobody."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from peerdrift_nlp.classifier.corpus import LabelledNote, LabelledSentence, check_notes, read_corpus
from peerdrift_nlp.classifier.corpus.agreement import DoubleReading, agreement
from peerdrift_nlp.classifier.corpus.inventory import inventory
from peerdrift_nlp.classifier.estimator import DriftClassifier
from peerdrift_nlp.classifier.evaluation import Judged, Verdict, figures, label_scores, reliability
from peerdrift_nlp.classifier.features import Row
from peerdrift_nlp.classifier.training import Examples, examples, train
from peerdrift_nlp.errors import CorpusError
from peerdrift_nlp.rules.engine import RuleEngine
from peerdrift_nlp.taxonomy import LABELS

SCHEMA = Path(__file__).parents[2] / "data" / "corpus" / "note.schema.json"
TEXT = "We talked. I told him to quit. He left."


def partly_read() -> LabelledNote:
    units = (
        LabelledSentence(0, 10, "unread"),
        LabelledSentence(11, 30, unrefined=("hierarchical",), unjudged=("religious",)),
        LabelledSentence(31, 39, severity={"clinical.testing": 2}, unjudged=("clinical", "role_consistent")),
    )
    return LabelledNote("a", "W1", TEXT, units)


def test_what_is_unknown_follows_from_what_was_judged() -> None:
    _, vague, partly = partly_read().sentences
    assert vague.labels == ("hierarchical",) and vague.indicators == () and vague.drifts
    assert vague.unknown >= {"religious", "religious.promotion", "hierarchical.directing", "hierarchical.coercion"}
    assert "hierarchical" not in vague.unknown and "clinical" not in vague.unknown
    assert partly.labels == ("clinical",)
    assert partly.unknown >= {"clinical.medication", "role_consistent", "role_consistent.hope"}
    assert partly.unknown.isdisjoint({"clinical", "clinical.testing", "hierarchical"})
    assert LabelledSentence(0, 1, severity={"clinical.testing": 2}).unknown == frozenset()


def test_partly_read_notes_survive_the_round_trip_and_keep_the_schema(tmp_path: Path) -> None:
    note = partly_read()
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "W1.jsonl").write_text(note.to_json() + "\n", encoding="utf-8")
    (tmp_path / "splits.json").write_text(json.dumps({"train": ["W1"], "dev": [], "test": []}), encoding="utf-8")
    corpus = read_corpus(tmp_path)
    assert corpus.notes == (note,)
    assert inventory(corpus)["Size"]["sentences"] == (2, 0, 0, 2)
    validator = Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert [error.json_path for error in validator.iter_errors(json.loads(note.to_json()))] == []


@pytest.mark.parametrize(
    ("unit", "message"),
    [
        (LabelledSentence(0, 39, "unread", {"clinical.testing": 2}), "labels in a sentence that is said to be unread"),
        (LabelledSentence(0, 39, "unread", look_alike="idiom"), "labels in a sentence that is said to be unread"),
        (LabelledSentence(0, 39, unrefined=("clincal",)), "unknown label 'clincal'"),
        (LabelledSentence(0, 39, unjudged=("clinical.testing",)), "unknown label 'clinical.testing'"),
        (LabelledSentence(0, 39, unrefined=("clinical",), look_alike="idiom"), "a look-alike reason beside a drift"),
    ],
)
def test_what_does_not_go_together(unit: LabelledSentence, message: str) -> None:
    assert any(message in str(problem) for problem in check_notes([LabelledNote("a", "W1", TEXT, (unit,))]))


def test_an_unread_key_of_another_type_is_told(tmp_path: Path) -> None:
    record = partly_read().to_dict()
    record["sentences"][1]["unjudged"] = "religious"
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "W1.jsonl").write_text(json.dumps(record) + "\n", encoding="utf-8")
    (tmp_path / "splits.json").write_text('{"train": ["W1"], "dev": [], "test": []}', encoding="utf-8")
    with pytest.raises(CorpusError, match=r"W1.jsonl:1: .*'unjudged' must be a list"):
        read_corpus(tmp_path)


def test_examples_leave_unread_sentences_out_and_mark_unknown_labels(engine: RuleEngine) -> None:
    found = examples([partly_read()], engine)
    assert [unit.start for unit in found.sentences] == [11, 31]
    wanted = ("clinical", "hierarchical", "religious", "hierarchical.directing", "clinical.testing")
    assert found.targets(wanted).tolist() == [[0, 1, -1, -1, 0], [1, 0, 0, 0, 1]]


def test_a_column_learns_nothing_from_rows_that_nobody_judged() -> None:
    rows = [Row([word], []) for word in ("pills", "dose", "walk", "park") * 10]
    labels = np.array([[1, 1], [1, 1], [0, 0], [0, 0]] * 10, dtype=np.int8)
    with_gaps = labels.copy()
    with_gaps[:, 1] = np.where(np.arange(40) % 4 == 1, -1, labels[:, 1])
    authors = [number // 4 for number in range(40)]
    whole = DriftClassifier(outputs=("a", "b")).fit(rows, labels, groups=authors).model_
    gaps = DriftClassifier(outputs=("a", "b")).fit(rows, with_gaps, groups=authors).model_
    dose = gaps.terms.index("dose")
    assert np.array_equal(whole.coef[:, 0], gaps.coef[:, 0])
    assert whole.coef[dose, 1] > 0.5 and abs(gaps.coef[dose, 1]) < 1e-6


def test_training_takes_partly_judged_sentences(tiny: Examples) -> None:
    partly = [replace(unit, unjudged=LABELS[:1]) if number % 2 else unit for number, unit in enumerate(tiny.sentences)]
    model, _, thresholds = train(replace(tiny, sentences=partly))
    assert np.isfinite(model.coef).all()
    assert set(thresholds) == {"careful", "balanced", "thorough"}


def judged(gold: LabelledSentence, *indicators: str, strong: bool = False) -> Judged:
    verdict = Verdict(frozenset(indicators), strong, (0.9,) * len(LABELS))
    return Judged(LabelledNote("a", "W1", TEXT, (gold,)), gold, verdict)


def test_a_verdict_counts_only_where_somebody_judged() -> None:
    rows = [
        judged(LabelledSentence(0, 9, severity={"clinical.testing": 2}), "clinical.testing"),
        judged(LabelledSentence(0, 9, unjudged=("clinical", "role_consistent")), "clinical.medication", strong=True),
        judged(LabelledSentence(0, 9, unrefined=("clinical",)), "clinical.medication"),
    ]
    found = figures(rows, rounds=2)
    assert found["any_drift_precision"].value == found["clinical_f1"].value == pytest.approx(1)
    assert found["indicator_right"].value == 1  # the unrefined one says nothing of indicators
    assert label_scores(rows)["clinical"][3] == 2
    assert label_scores(rows)["clinical.testing"] == (1, 1, pytest.approx(1), 1)
    assert "clinical.medication" not in rows[1].verdict.indicators and not rows[1].verdict.role_consistent
    assert reliability(rows, ("clinical",)) == [(pytest.approx(0.9), 1.0, 2)]


def test_agreement_counts_only_what_both_judged() -> None:
    clean, vague = LabelledSentence(0, 9), LabelledSentence(0, 9, unrefined=("clinical",))
    pairs = [
        DoubleReading(LabelledSentence(0, 9, severity={"clinical.testing": 2}), vague),
        DoubleReading(LabelledSentence(0, 9, unjudged=("clinical",)), vague),
    ]
    found = agreement(pairs)["Label"]["clinical"]
    assert found[:3] == (1, 1, 1) and np.isnan(found.kappa)
    assert agreement([*pairs, DoubleReading(clean, clean)])["Label"]["clinical"] == (1, 1, 1, 1.0)
