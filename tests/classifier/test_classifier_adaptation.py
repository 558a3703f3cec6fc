"""A model moves as far as the labels carry it, no word of the notes goes with it, and few writers decide nothing."""

from __future__ import annotations

import numpy as np
import pytest
from classifier_makers import agency
from hypothesis import given, settings
from hypothesis import strategies as st

from peerdrift_nlp.classifier.adaptation import Adapted, Level, adapt, steps
from peerdrift_nlp.classifier.bundle import OPERATING_POINTS, Bundle, load_bundle
from peerdrift_nlp.classifier.corpus import parse_marked
from peerdrift_nlp.classifier.groups import held_out_folds, writer_groups
from peerdrift_nlp.classifier.prior import fit_towards, recalibrated, sigmoid
from peerdrift_nlp.classifier.shipped import shipped_model
from peerdrift_nlp.classifier.suspects import suspects
from peerdrift_nlp.classifier.thresholds import Points, own_thresholds, precision_for, within_reach
from peerdrift_nlp.classifier.training import PRECISION_TARGETS, Examples, examples
from peerdrift_nlp.classifier.vocabulary import new_terms, with_new_words
from peerdrift_nlp.errors import TrainingDataError, UsageError
from peerdrift_nlp.rules.engine import RuleEngine
from peerdrift_nlp.taxonomy import LABELS


@pytest.fixture(scope="module")
def base() -> Bundle:
    return load_bundle(shipped_model("fast"))


@pytest.fixture(scope="module")
def data(engine: RuleEngine) -> Examples:
    return examples(agency(), engine)


@pytest.fixture(scope="module")
def adapted(base: Bundle, data: Examples) -> Adapted:
    return adapt(base, data)


# ---------------------------------------------------------------------------------------- the prior


def test_a_weight_without_spread_stays() -> None:
    target = np.array([1, 1, 1, 0], dtype=np.int8)
    moved = fit_towards(np.ones((4, 2)), target, np.array([-4.0, 0.0]), np.array([0.0, 5.0]))
    assert moved[0] == -4.0 and moved[1] == pytest.approx(np.log(3) + 4, abs=0.5)


def test_what_is_given_counts_like_a_weight_that_stays() -> None:
    target = np.array([1, 1, 1, 0], dtype=np.int8)
    given = fit_towards(np.ones((4, 1)), target, np.zeros(1), np.full(1, 5.0), np.full(4, -4.0))
    fixed = fit_towards(np.ones((4, 2)), target, np.array([-4.0, 0.0]), np.array([0.0, 5.0]))
    assert given[0] == pytest.approx(fixed[1], abs=1e-4)


def test_without_data_nothing_moves() -> None:
    start = np.array([0.5, -2.0])
    moved = fit_towards(np.zeros((0, 2)), np.zeros(0, dtype=np.int8), start, np.ones(2))
    assert moved == pytest.approx(start)


def test_much_data_outweigh_the_prior() -> None:
    """Three of four right at an offset alone: log-odds of ln 3, wherever the prior stood."""
    target = np.array([1, 1, 1, 0] * 2000, dtype=np.int8)
    moved = fit_towards(np.ones((8000, 1)), target, np.array([-4.0]), np.ones(1))
    assert moved[0] == pytest.approx(np.log(3), abs=0.02)


@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_a_narrow_prior_holds_and_a_wide_one_follows_the_data(data: st.DataObject) -> None:
    rows = data.draw(st.integers(1, 30))
    target = np.array(data.draw(st.lists(st.integers(0, 1), min_size=rows, max_size=rows)), dtype=np.int8)
    start = np.array([data.draw(st.floats(-3, 3))])
    narrow, wide = (fit_towards(np.ones((rows, 1)), target, start, np.array([spread])) for spread in (1e-3, 2.0))
    assert narrow == pytest.approx(start, abs=1e-3)
    share = np.clip(target.mean(), 1e-9, 1 - 1e-9)
    between = sorted((start[0], np.log(share / (1 - share))))
    assert between[0] - 1e-3 <= wide[0] <= between[1] + 1e-3


def test_a_label_that_nobody_judged_keeps_its_calibration() -> None:
    scores, targets = np.array([[1.0, 2.0], [0.0, 1.0]]), np.array([[-1, 1], [-1, 0]], dtype=np.int8)
    calibration = np.array([[1.2, -0.3], [1.0, 0.0]])
    found = recalibrated(scores, targets, calibration)
    assert found[0] == pytest.approx(calibration[0])
    assert not np.allclose(found[1], calibration[1])


def test_far_out_the_sigmoid_is_plain() -> None:
    assert sigmoid(np.array([-1e9, 0.0, 1e9])) == pytest.approx([0.0, 0.5, 1.0])


# ---------------------------------------------------------------------------------------- who is held out together


def test_writers_who_copied_are_held_out_together() -> None:
    one = "=== {}\nWe walked around the lake twice and talked about her sister and the long winter.{{}}\n"
    notes = [parse_marked(one.format(f"n{writer}"), f"v{writer}")[0] for writer in range(2)]
    notes += parse_marked("=== o\nHe cooked lentils for the whole house and nobody complained about salt.{}", "v2")
    groups = writer_groups(notes)
    assert groups[0] == groups[1] != groups[2]


def test_no_fold_splits_a_group() -> None:
    groups = np.repeat(np.arange(7), 5)
    drifts = np.arange(35) % 3 == 0
    seen: list[int] = []
    for taught, held in held_out_folds(drifts, groups):
        assert not set(groups[taught]) & set(groups[held])
        seen += held.tolist()
    assert sorted(seen) == list(range(35))


# ---------------------------------------------------------------------------------------- how far each label moves


def test_each_label_moves_as_far_as_its_count_carries_it(adapted: Adapted) -> None:
    assert adapted.positives == {
        "clinical": 60, "hierarchical": 0, "lax_boundaries": 30, "religious": 6, "organizational": 0,
        "role_consistent": 60,
    }  # fmt: skip
    assert {label: level.name for label, level in adapted.levels.items()} == {
        "clinical": "RETRAINED", "hierarchical": "RECALIBRATED", "lax_boundaries": "THRESHOLDS",
        "religious": "RECALIBRATED", "organizational": "RECALIBRATED", "role_consistent": "RETRAINED",
    }  # fmt: skip


def test_only_retrained_labels_get_other_weights(base: Bundle, adapted: Adapted) -> None:
    known = len(base.model.terms)
    moved = {
        name
        for at, name in enumerate(base.model.outputs)
        if not np.array_equal(base.model.coef[:, at], adapted.model.coef[:known, at])
    }
    assert moved == {"clinical", "clinical.medication", "role_consistent", "role_consistent.listening"}


def test_labels_found_less_often_get_weights_for_new_words_only(base: Bundle, adapted: Adapted) -> None:
    known = len(base.model.terms)
    weighed = {name for at, name in enumerate(base.model.outputs) if adapted.model.coef[known:, at].any()}
    assert {"lax_boundaries", "lax_boundaries.transport", "clinical"} <= weighed
    assert not [name for name in weighed if name.startswith(("religious", "hierarchical", "organizational"))]


def test_only_labels_with_enough_get_other_thresholds(base: Bundle, adapted: Adapted) -> None:
    for point, by_label in adapted.thresholds.items():
        for label, level in adapted.levels.items():
            if level == Level.RECALIBRATED:
                assert by_label[label] == base.thresholds[point][label]
        assert list(by_label) == list(LABELS)
    for label in LABELS:
        careful, balanced, thorough = (adapted.thresholds[point][label] for point in adapted.thresholds)
        assert careful >= balanced >= thorough


def test_a_threshold_does_not_rise_without_a_reason() -> None:
    """All are right and very sure: the lowest of them says nothing about those below it."""
    base = {point: dict.fromkeys(LABELS, 0.6) for point in OPERATING_POINTS}
    sure, targets = np.full((40, len(LABELS)), 0.97), np.ones((40, len(LABELS)), dtype=np.int8)
    kept = own_thresholds(base, sure, targets, LABELS, PRECISION_TARGETS)
    assert kept == base | {point: {**by_label, "role_consistent": 0.6} for point, by_label in base.items()}
    sure[:20], targets[:20] = 0.7, 0  # and here is one: half of the flags would be wrong
    raised = own_thresholds(base, sure, targets, LABELS, PRECISION_TARGETS)
    assert raised["careful"]["clinical"] == 0.97
    sure[:], targets[:] = 0.4, 1  # right below the threshold: 40 of 40 are surely nine in ten, but not 19 in 20
    fallen = own_thresholds(base, sure, targets, LABELS, PRECISION_TARGETS)
    assert fallen["balanced"]["clinical"] == 0.4 and fallen["careful"]["clinical"] == 0.6
    sure[:38], targets[38:] = 0.97, 0  # but not for the sake of two that are wrong
    assert own_thresholds(base, sure, targets, LABELS, PRECISION_TARGETS)["careful"]["clinical"] == 0.6


def test_one_wrong_flag_does_not_raise_a_bar_that_many_notes_set() -> None:
    base = {point: dict.fromkeys(LABELS, 0.6) for point in OPERATING_POINTS}
    said, targets = np.full((40, len(LABELS)), 0.97), np.ones((40, len(LABELS)), dtype=np.int8)
    said[:8], targets[:2] = 0.7, 0  # 38 of 40 would do; 6 of these 8 are right
    said[8:28], targets[8:28] = 0.1, 0
    assert own_thresholds(base, said, targets, LABELS, PRECISION_TARGETS)["balanced"]["clinical"] == 0.6
    strict = dict(PRECISION_TARGETS, balanced=0.93)
    assert own_thresholds(base, said, targets, LABELS, strict)["balanced"]["clinical"] == 0.97
    targets[2] = 0  # 17 of 20 are too few, but not surely so: part of the way
    assert 0.7 < own_thresholds(base, said, targets, LABELS, PRECISION_TARGETS)["balanced"]["clinical"] < 0.97


def test_the_vocabulary_is_the_base_models_where_no_new_words_are_wanted(base: Bundle, engine: RuleEngine) -> None:
    notes = agency(extra="Zebediah of chart 48213977 plays the xylorimba.{}")
    planted = adapt(base, examples(notes, engine), vocabulary=False)
    assert planted.model.terms == base.model.terms
    assert planted.model.idf.tobytes() == base.model.idf.tobytes()


def test_new_words_are_those_of_three_writers_and_never_numbers_or_names(base: Bundle, engine: RuleEngine) -> None:
    extra = "Zebediah of chart 48213977 plays. We saw Quimby. quimby, mail zeb@flurm.org, said frumious wurbs.{}"
    few = agency(2, extra="He plays the xylorimba.{}")
    others = [note for note in agency(6, extra=extra) if note.voice not in ("w0", "w1")]
    model = adapt(base, examples([*few, *others], engine)).model
    known = len(base.model.terms)
    assert model.terms[:known] == base.model.terms and np.array_equal(model.idf[:known], base.model.idf)
    new = model.terms[known:]
    assert {"frumious", "frumious wurbs"} <= set(new) and new == tuple(sorted(new))
    assert not [term for term in new if any(char.isdigit() for char in term)]
    assert not [term for term in new for secret in ("zebediah", "quimby", "xylorimba", "flurm") if secret in term]
    words, phrases = new_terms(model.terms, base.model.terms)
    assert words == [term for term in new if " " not in term] and sorted([*words, *phrases]) == list(new)


def of_voices(texts: list[str], engine: RuleEngine) -> Examples:
    head = "=== {}-1 | setting: drop-in | format: narrative\n{}\n"
    voices = ("ana", "bao", "dee", "eve")
    return examples(
        [note for voice, text in zip(voices, texts, strict=False) for note in parse_marked(head.format(voice, text), voice)],
        engine,
    )  # fmt: skip


OWN = (
    "Rain all day and the bus was late again.{}",
    "Coffee on the porch with him and his sister.{}",
    "Walked along the river until the sun went down.{}",
    "Painted chairs for the market on Sunday with her.{}",
)


def test_a_text_copied_under_other_names_has_one_writer(base: Bundle, engine: RuleEngine) -> None:
    copied = with_new_words(base.model, of_voices([f"He frumbled. {OWN[0]}"] * 3, engine))
    assert copied.terms == base.model.terms
    own = with_new_words(base.model, of_voices([f"He frumbled. {text}" for text in OWN[:3]], engine))
    assert "frumbled" in own.terms


def test_three_writers_must_have_used_small_letters(base: Bundle, engine: RuleEngine) -> None:
    texts = [f"Frumbled with him. {text}" for text in OWN[:3]]
    for small in range(4):
        mixed = [f"He frumbled. {text}" for text in OWN[:small]] + texts[small:]
        learnt = with_new_words(base.model, of_voices(mixed, engine))
        assert ("frumbled" in learnt.terms) == (small == 3), small


def test_shorthand_is_learnt_and_other_notes_read_as_before(base: Bundle, engine: RuleEngine) -> None:
    """Thirty sentences of a word that the base has never met; what does not hold it is left alone."""
    data = examples(agency(drove=0, extra="Blorpd the fribble.{lax_boundaries.transport/2}"), engine)
    lax = LABELS.index("lax_boundaries")
    said = [row for row in data.rows if "blorpd" in row.words]
    moved = adapt(base, data.part(range(0, len(data.rows), 2))).model
    assert base.model.probabilities(said)[:, lax].mean() < 0.5 < moved.probabilities(said)[:, lax].mean()
    plain = examples(parse_marked("=== a\nHe fixed the fence.{} I drove her to work.{}", "v"), engine).rows
    assert moved.probabilities(plain)[:, lax] == pytest.approx(base.model.probabilities(plain)[:, lax], abs=0.1)


def test_the_base_is_left_as_it_was(base: Bundle, adapted: Adapted) -> None:
    fresh = load_bundle(shipped_model("fast"))
    for name in ("coef", "intercept", "calibration", "idf"):
        assert getattr(fresh.model, name).tobytes() == getattr(base.model, name).tobytes()
    assert fresh.thresholds == base.thresholds


def test_twice_gives_the_same_digits(base: Bundle, data: Examples, adapted: Adapted) -> None:
    again = adapt(base, data)
    assert again.model.coef.tobytes() == adapted.model.coef.tobytes()
    assert again.model.calibration.tobytes() == adapted.model.calibration.tobytes()
    assert again.thresholds == adapted.thresholds


def test_what_the_agency_calls_clean_becomes_less_likely(base: Bundle, engine: RuleEngine) -> None:
    """Sixty sentences that the base takes for drift and the agency does not."""
    marked = agency(counted=10, extra="I reminded him to take his meds as his plan says.{}")
    data = examples(marked, engine)
    rows = [
        row for row, unit in zip(data.rows, data.sentences, strict=True) if not unit.outputs and "meds" in row.words
    ]
    moved = adapt(base, data).model
    clinical = LABELS.index("clinical")
    assert len(rows) == 60
    assert moved.probabilities(rows)[:, clinical].mean() < base.model.probabilities(rows)[:, clinical].mean() / 2


def test_progress_is_told_step_by_step(base: Bundle, data: Examples) -> None:
    calls: list[int] = []
    adapt(base, data, advance=lambda: calls.append(1))
    assert len(calls) == steps(data) == 6


# ---------------------------------------------------------------------------------------- what a supervisor decides


@pytest.mark.parametrize(
    ("false", "wanted"),
    [(0.2, (0.95, 0.8, 0.7)), (0.02, (0.98, 0.98, 0.7)), (0.5, (0.95, 0.5, 0.5))],
)
def test_one_false_flag_in_five(false: float, wanted: tuple[float, ...]) -> None:
    assert tuple(precision_for(false)[point] for point in OPERATING_POINTS) == pytest.approx(wanted)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, float("nan"), float("inf")])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(UsageError, match="name one between 0 and 1"):
        precision_for(share)


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_flags_are_never_more_than_can_be_read(data: st.DataObject) -> None:
    rows = data.draw(st.integers(1, 40))
    levels = st.floats(0, 1)
    said = np.array(data.draw(st.lists(st.lists(levels, min_size=6, max_size=6), min_size=rows, max_size=rows)))
    most = data.draw(st.integers(0, 60))
    base = {point: dict.fromkeys(LABELS, 0.6) for point in OPERATING_POINTS}
    found = within_reach(base, said, most)

    def flags(points: Points) -> set[tuple[int, int]]:
        bars = points["balanced"]
        return {(row, at) for row in range(rows) for at, label in enumerate(LABELS[:5]) if said[row, at] >= bars[label]}

    assert flags(found) <= flags(base)
    dropped = flags(base) - flags(found)
    assert len(flags(found)) <= most or max(said[place] for place in flags(found)) == 1.0
    if len(flags(base)) <= most:
        assert found == base
    if dropped and flags(found):
        assert max(said[place] for place in dropped) <= min(said[place] for place in flags(found))
    assert found["thorough"] == base["thorough"]
    assert all(by_label["role_consistent"] == 0.6 for by_label in found.values())


def test_a_model_that_flags_no_more_than_can_be_read(base: Bundle, data: Examples, adapted: Adapted) -> None:
    few = adapt(base, data, flags_per_note=0.5)
    assert few.model.coef.tobytes() == adapted.model.coef.tobytes()
    bars = few.thresholds["balanced"]
    flags = sum(
        few.held_out[row, at] >= bars[label] for row in range(len(data.rows)) for at, label in enumerate(LABELS[:5])
    )
    assert flags <= 30


def test_flags_on_sentences_that_nobody_labelled_are_read_too(base: Bundle, data: Examples) -> None:
    read, unread = (data.part(range(first, len(data.rows), 2)) for first in (0, 1))
    found, alone = (adapt(base, read, unread=beside, flags_per_note=0.5) for beside in (unread, None))
    assert found.thresholds["balanced"]["clinical"] > alone.thresholds["balanced"]["clinical"]


# ---------------------------------------------------------------------------------------- warnings and refusals


def test_few_writers_are_warned_of(adapted: Adapted) -> None:
    assert "notes of 6 writers only: what holds for them may not hold for others" in adapted.warnings


def test_a_label_of_one_writer_is_only_recalibrated(base: Bundle, engine: RuleEngine) -> None:
    one = parse_marked("=== x\n" + "Counted her pills and wrote it down.{clinical.medication/3} " * 30, "w9")
    notes = [*agency(3, counted=0, drove=2), *one]
    found = adapt(base, examples(notes, engine))
    assert found.positives["clinical"] == 30 and found.levels["clinical"] == Level.RECALIBRATED
    assert "clinical: all 30 come from 1 writer(s), so it was only recalibrated" in found.warnings


@pytest.mark.parametrize("writers", [1, 2])
def test_too_few_writers_are_refused(base: Bundle, engine: RuleEngine, writers: int) -> None:
    with pytest.raises(TrainingDataError, match=rf"notes of {writers} writer\(s\); at least 3 are needed"):
        adapt(base, examples(agency(writers), engine))


def test_labels_of_one_kind_only_are_refused(base: Bundle, engine: RuleEngine) -> None:
    notes = [
        note for v in range(3) for note in parse_marked(f"=== n{v}\nWe sat by the lake {v}.{{}} He left.{{}}", f"v{v}")
    ]
    with pytest.raises(TrainingDataError, match="of 6 sentences none carries a label, or all do"):
        adapt(base, examples(notes, engine))


# ---------------------------------------------------------------------------------------- suspects


def test_a_label_that_was_forgotten_is_the_first_suspect(base: Bundle, engine: RuleEngine) -> None:
    notes = agency()
    forgotten = parse_marked(
        "=== w0-0 | setting: drop-in | format: narrative\nCounted her pills and wrote it down.{} She smiled.{}", "w0"
    )
    data = examples([*forgotten, *notes[1:]], engine)
    first = suspects(data, adapt(base, data).held_out)[0]
    assert (first.voice, first.note_id, first.label, first.given) == ("w0", "w0-0", "clinical", False)
    assert (first.start, first.end) == (0, 36) and first.probability > 0.7


def test_what_the_model_agrees_with_is_no_suspect(data: Examples) -> None:
    targets = data.targets(LABELS).astype(np.float64)
    assert suspects(data, targets) == []
    assert len(suspects(data, 1 - targets)) == targets.size
