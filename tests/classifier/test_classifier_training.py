"""Thresholds keep what they promise, and no vocabulary carries a person out of the building."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from peerdrift_nlp.classifier.bundle import OPERATING_POINTS, load_bundle, save_bundle
from peerdrift_nlp.classifier.corpus import LabelledNote, parse_marked
from peerdrift_nlp.classifier.features import other_features
from peerdrift_nlp.classifier.shipped import shipped_model
from peerdrift_nlp.classifier.training import (
    PRECISION_TARGETS,
    Examples,
    Fitted,
    check_vocabulary,
    choose_thresholds,
    examples,
    outputs,
    train,
)
from peerdrift_nlp.errors import TrainingDataError
from peerdrift_nlp.rules.engine import RuleEngine
from peerdrift_nlp.taxonomy import LABELS, ROLE_CONSISTENT, taxonomy
from peerdrift_nlp.types import Sentence

# ---------------------------------------------------------------------------------------- examples


def test_examples_are_the_sentences_without_headings(engine: RuleEngine, voices: dict[str, list[LabelledNote]]) -> None:
    found = examples(voices["V1"], engine)
    wanted = [unit for note in voices["V1"] for unit in note.sentences if unit.kind == "sentence"]
    assert found.sentences == wanted
    assert len(found.rows) == len(found.notes) == len(wanted)
    assert set(found.voices) == {"V1"}
    assert all(row.words and row.others for row in found.rows)


def test_neither_the_form_nor_a_signature_has_a_place_in_the_note() -> None:
    note = [Sentence(0, 2, "heading"), Sentence(3, 5, "field"), *(Sentence(at, at + 5) for at in (6, 12, 18))]
    rows = other_features([*note, Sentence(24, 26, "signature")], [])
    assert rows == [[], ["place=inside"], ["place=first", "place=inside"], ["place=inside"], ["place=last"], []]
    assert other_features([Sentence(0, 2)], []) == [["place=alone"]]


def test_progress_is_told_once_a_note(engine: RuleEngine, voices: dict[str, list[LabelledNote]]) -> None:
    calls: list[int] = []
    examples(voices["V4"], engine, lambda: calls.append(1))
    assert len(calls) == len(voices["V4"])


def test_targets_are_the_labels_indicators_and_practices(tiny: Examples) -> None:
    names = outputs()
    targets = tiny.targets(names)
    assert targets.shape == (len(tiny.rows), len(names))
    for row, unit in zip(targets, tiny.sentences, strict=True):
        assert {name for name, wanted in zip(names, row, strict=True) if wanted} == unit.outputs


def test_the_columns_of_a_model() -> None:
    names = outputs()
    assert names[: len(LABELS)] == LABELS
    assert set(taxonomy().indicators) < set(names)
    assert len(set(names)) == len(names)


# ---------------------------------------------------------------------------------------- thresholds


def thresholds(probabilities: list[float], right: list[bool]) -> dict[str, float]:
    """Of the drift labels, at each operating point; only the first label has examples."""
    scores = np.zeros((len(probabilities), len(LABELS)))
    targets = np.full((len(probabilities), len(LABELS)), -1, dtype=np.int8)
    scores[:, 0], targets[:, 0] = probabilities, right
    chosen = choose_thresholds(scores, targets)
    assert list(chosen) == list(OPERATING_POINTS)
    for by_label in chosen.values():
        assert set(by_label) == set(LABELS)
        assert len({by_label[label] for label in LABELS if label != ROLE_CONSISTENT}) == 1
    return {point: by_label[LABELS[0]] for point, by_label in chosen.items()}


def surely(right: list[bool]) -> float:
    """The share of flags that are right with a certainty of 95%."""
    return binomtest(sum(right), len(right), alternative="greater").proportion_ci(0.95).low


def test_thresholds_where_every_flag_is_right() -> None:
    chosen = thresholds([round(0.9 - 0.005 * place, 3) for place in range(80)], [True] * 80)
    assert {found for found in chosen.values()} == {0.505}


def test_a_threshold_is_the_lowest_that_surely_reaches_the_share_aimed_at() -> None:
    # 200 flags from 0.99 down; the first hundred right, then right and wrong by turns.
    probabilities = [round(0.99 - 0.004 * place, 3) for place in range(200)]
    right = [place < 100 or place % 2 == 0 for place in range(200)]
    chosen = thresholds(probabilities, right)
    for point, found in chosen.items():
        flagged = [ok for probability, ok in zip(probabilities, right, strict=True) if probability >= found]
        assert surely(flagged) >= PRECISION_TARGETS[point]
        for level in (level for level in probabilities if level < found):
            more = [ok for probability, ok in zip(probabilities, right, strict=True) if probability >= level]
            assert surely(more) < PRECISION_TARGETS[point]
    assert chosen["careful"] == 0.582  # 102 of 103 are right; 103 of 105 would not be enough
    assert chosen["balanced"] > chosen["thorough"]


def test_few_flags_give_no_certainty() -> None:
    probabilities = [round(0.8 - 0.01 * place, 2) for place in range(28)]
    assert thresholds(probabilities, [True] * 28)["balanced"] == 0.9
    assert thresholds([0.5, *probabilities], [True] * 29)["balanced"] == 0.5


def test_labels_are_pooled() -> None:
    """Flags of one label that are always right make up for those of another."""
    probabilities, targets = np.zeros((90, len(LABELS))), np.zeros((90, len(LABELS)), dtype=np.int8)
    probabilities[:, 0], targets[:, 0] = 0.9, 1
    probabilities[:10, 1], targets[:6, 1] = 0.8, 1  # 96 of 100
    assert choose_thresholds(probabilities, targets)["balanced"]["religious"] == 0.8
    targets[5, 1] = 0  # 95 of 100 are less than surely nine in ten
    assert choose_thresholds(probabilities, targets)["balanced"]["religious"] == 0.9


def test_careful_is_never_below_balanced_nor_balanced_below_thorough() -> None:
    random = np.random.default_rng(5)
    probabilities = random.random((300, len(LABELS)))
    targets = (random.random((300, len(LABELS))) < probabilities).astype(np.int8)
    chosen = choose_thresholds(probabilities, targets)
    for label in LABELS:
        careful, balanced, thorough = (chosen[point][label] for point in OPERATING_POINTS)
        assert careful >= balanced >= thorough


def test_strengths_are_named_where_precision_and_recall_meet_best() -> None:
    probabilities, targets = np.zeros((10, len(LABELS))), np.zeros((10, len(LABELS)), dtype=np.int8)
    column = LABELS.index(ROLE_CONSISTENT)
    probabilities[:, column] = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05]
    targets[[0, 2, 4, 9], column] = 1  # F1 is 3/4.5 at 0.5; two of three, or four of ten, are less
    chosen = choose_thresholds(probabilities, targets)
    assert {by_label[ROLE_CONSISTENT] for by_label in chosen.values()} == {0.5}


def test_too_few_flags_leave_it_to_very_sure_scores() -> None:
    chosen = thresholds([0.6] * 2, [True] * 2)
    assert {found for found in chosen.values()} == {0.9}
    chosen = thresholds([], [])
    assert set(chosen.values()) == {0.9}


def test_flags_that_are_never_right() -> None:
    chosen = thresholds([0.8 - 0.01 * place for place in range(30)], [False] * 30)
    assert {found for found in chosen.values()} == {0.9}


def test_very_sure_scores_that_are_mostly_wrong_are_not_flagged() -> None:
    probabilities = [round(0.91 + 0.0002 * place, 4) for place in range(300)]
    chosen = thresholds(probabilities, [place % 10 == 0 for place in range(300)])
    assert min(chosen.values()) > max(probabilities)


def test_equal_probabilities_are_flagged_or_left_together() -> None:
    """A threshold takes all sentences of one probability, so all of them count for its share."""
    chosen = thresholds([0.8] * 100, [True] * 10 + [False] * 90)
    for found in chosen.values():
        assert found > 0.8


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_the_share_aimed_at_is_surely_reached(data: st.DataObject) -> None:
    size = data.draw(st.integers(40, 120))
    numbers = data.draw(st.lists(st.integers(0, 8999), min_size=size, max_size=size, unique=True))
    wrong = data.draw(st.sets(st.integers(0, size - 1), max_size=12))
    right = [place not in wrong for place in range(size)]
    probabilities = [number / 10_000 for number in numbers]
    for point, found in thresholds(probabilities, right).items():
        flagged = [ok for probability, ok in zip(probabilities, right, strict=True) if probability >= found]
        assert not flagged or surely(flagged) >= PRECISION_TARGETS[point]
        assert flagged or surely(right) < PRECISION_TARGETS[point]


# ---------------------------------------------------------------------------------------- training


def test_training_gives_a_model_of_all_columns(trained: Fitted, tiny: Examples) -> None:
    model, whole_note, chosen = trained
    assert whole_note.weights.shape == (len(LABELS), 4)
    assert model.outputs == outputs()
    assert model.probabilities(tiny.rows).shape == (len(tiny.rows), len(outputs()))
    assert list(chosen) == list(OPERATING_POINTS)


def test_pairs_teach_nothing_of_the_place_in_a_note(tiny: Examples) -> None:
    members = replace(tiny, rows=[row._replace(others=["place=alone", *row.others]) for row in tiny.rows])
    assert "place=alone" not in train(tiny, pairs=members).model.terms
    assert "place=alone" in train(members).model.terms


def test_training_twice_gives_the_same_digits(trained: Fitted, tiny: Examples) -> None:
    model, whole_note, chosen = train(tiny)
    assert model.terms == trained.model.terms
    assert model.coef.tobytes() == trained.model.coef.tobytes()
    assert model.calibration.tobytes() == trained.model.calibration.tobytes()
    assert whole_note.weights.tobytes() == trained.whole_note.weights.tobytes()
    assert chosen == trained.thresholds


def test_thresholds_are_set_on_voices_that_training_did_not_see(
    engine: RuleEngine, tiny: Examples, voices: dict[str, list[LabelledNote]]
) -> None:
    unseen = examples(voices["V4"] + voices["V5"], engine)
    model, whole_note, chosen = train(tiny, unseen)
    probabilities = whole_note(model.probabilities(unseen.rows, slice(len(LABELS))), unseen.note_numbers)
    assert chosen == choose_thresholds(probabilities.astype(np.float64), unseen.targets(LABELS))
    assert model.terms == train(tiny)[0].terms


@pytest.mark.parametrize("names", [(), ("V1",), ("V1", "V2")])
def test_too_few_voices_are_refused(
    engine: RuleEngine, voices: dict[str, list[LabelledNote]], names: tuple[str, ...]
) -> None:
    few = examples([note for voice in names for note in voices[voice]], engine)
    with pytest.raises(TrainingDataError, match=rf"{len(names)} voice\(s\) of labelled notes; at least 3 are needed"):
        train(few)


# ---------------------------------------------------------------------------------------- the privacy gate


@pytest.mark.parametrize(
    "term",
    ["48213977", "mrn 482", "told 555", "a123b", "kim@example.org", "write to kim@example.org", "@kim@", "x 2024"],
)
def test_the_gate_refuses_what_looks_like_a_number_or_an_address(term: str) -> None:
    with pytest.raises(TrainingDataError) as caught:
        check_vocabulary(["drove", term, "her"])
    assert "1 term(s) of the vocabulary look like record numbers or addresses; not saved" in str(caught.value)
    assert term not in str(caught.value)


def test_the_gate_counts_them_all() -> None:
    with pytest.raises(TrainingDataError, match=r"^3 term\(s\)"):
        check_vocabulary(["1234", "drove", "a@b.org", "9999 her"])


def test_the_gate_lets_words_symbols_and_rules_pass() -> None:
    check_vocabulary(
        ["drove", "^ drove her", "@name", "told @name to", "#", "# mg", "@med", "section=plan", "7 up", "12"]
    )
    check_vocabulary(["rule=pack.icd10.f3300", "cleared=clinical.medication:reported_speech"])
    check_vocabulary([])


SECRETS = (
    "48213977",
    "5550134477",
    "Quackenbush",
    "Zebediah",
    "zquack@example.org",
    "AB-99817",
    "Thistlewaite",
    "xylorimba",
)
PLANTED = (
    "Chart 48213977, phone 5550134477, for Zebediah Quackenbush.{} zebediah quackenbush wrote from zquack@example.org "
    "to Mrs. Thistlewaite about case AB-99817.{} He plays the xylorimba and Quackenbush drove him.{} "
    "Told Zebediah Quackenbush he needs to call 5550134477 and ask for 48213977.{hierarchical.directing/2} "
)


def bytes_of(folder: Path) -> bytes:
    """All that a bundle holds: its files, and its arrays unpacked."""
    parts = [item.read_bytes() for item in sorted(folder.iterdir())]
    with zipfile.ZipFile(folder / "weights.npz") as archive:
        parts += [archive.read(name) for name in archive.namelist()]
    return b"\n".join(parts)


def test_what_one_voice_wrote_is_in_no_file_of_the_bundle(
    engine: RuleEngine, marked: dict[str, str], tmp_path: Path
) -> None:
    planted = marked["V3"].replace("Sat with Dee in the kitchen until two.{}", PLANTED)
    planted = planted.replace("She wants to go home.{}", f"She wants to go home.{{}} {PLANTED}")
    assert planted.count("48213977") == 4
    texts = {**marked, "V3": planted}
    notes = [note for voice in ("V1", "V2", "V3") for note in parse_marked(texts[voice], voice)]
    data = examples(notes, engine)
    model, _, chosen = train(data)
    details = {"version": "planted-1", "training": {"notes": len(notes)}}
    save_bundle(tmp_path / "bundle", model, chosen, details, "# Card\n")
    assert load_bundle(tmp_path / "bundle").model.terms == model.terms
    held = bytes_of(tmp_path / "bundle").lower()
    assert b"drove" in held
    for secret in SECRETS:
        assert secret.lower().encode() not in held, secret
        for encoding in ("utf-16-le", "utf-32-le"):
            assert secret.lower().encode(encoding) not in held, secret


def test_numbers_and_names_are_in_no_bundle_even_where_all_voices_wrote_them(
    engine: RuleEngine, marked: dict[str, str]
) -> None:
    """A record number that three workers share is a record number still."""
    sentence = "Chart 48213977 of Zebediah Quackenbush, phone 555-013-4477.{} I told Zebediah Quackenbush so.{}\n"
    notes = [
        note for voice in ("V1", "V2", "V3") for note in parse_marked(f"{marked[voice]}\n{sentence}{sentence}", voice)
    ]
    model = train(examples(notes, engine)).model
    assert "chart" in model.terms
    for secret in ("48213977", "zebediah", "quackenbush", "4477"):
        assert not [term for term in model.terms if secret in term.lower()]


def test_an_address_that_all_voices_wrote_is_learnt_by_no_model(engine: RuleEngine, marked: dict[str, str]) -> None:
    sentence = "Mail went to zquack@example.org today.{}\n"
    notes = [note for voice in ("V1", "V2", "V3") for note in parse_marked(f"{marked[voice]}\n{sentence}", voice)]
    terms = train(examples(notes, engine)).model.terms
    assert "to #" in terms and not [term for term in terms if "zquack" in term or "example" in term]


def test_the_shipped_model_passes_the_gate() -> None:
    bundle = load_bundle(shipped_model("default"))
    check_vocabulary(bundle.model.terms)
    assert bundle.model.outputs == outputs()
