"""Every figure on hand-made verdicts whose right answer can be counted on fingers."""

from __future__ import annotations

import math

import pytest

from peerdrift_nlp.classifier.baseline import judge_by_keywords, judge_by_rules
from peerdrift_nlp.classifier.corpus import ContrastPair, LabelledNote, LabelledSentence, parse_marked
from peerdrift_nlp.classifier.evaluation import (
    Figure,
    Judged,
    Verdict,
    figures,
    label_scores,
    measures,
    pairs_right,
    reliability,
)
from peerdrift_nlp.rules.engine import RuleEngine
from peerdrift_nlp.scanner import Scanner
from peerdrift_nlp.taxonomy import LABELS

MEDS, PILLS, RIDE, PRAYER, FILING = (
    "clinical.medication", "clinical.symptoms", "lax_boundaries.transport", "religious.promotion",
    "organizational.misassigned_tasks",
)  # fmt: skip


def judged(
    gold: tuple[str, ...] = (), flags: tuple[str, ...] = (), *, voice: str = "v", note: str = "n",
    practices: tuple[str, ...] = (), strong: bool = False, look_alike: str = "", decoy: bool = False,
    probabilities: tuple[float, ...] = (0.0,) * 6,
) -> Judged:  # fmt: skip
    """A sentence with its gold indicators and the verdict on it."""
    unit = LabelledSentence(0, 1, "sentence", dict.fromkeys(gold, 2), practices, look_alike, decoy)
    return Judged(LabelledNote(note, voice, ".", (unit,)), unit, Verdict(frozenset(flags), strong, probabilities))


def value(name: str, rows: list[Judged]) -> float:
    return measures()[name](rows)


ROWS = [
    judged((MEDS,), (MEDS,)),  # right
    judged((MEDS,), (PILLS,)),  # right label, wrong indicator
    judged((MEDS,)),  # missed
    judged((), (RIDE,)),  # false
    judged((RIDE, MEDS), (RIDE,)),  # one of two
    judged((FILING,), (FILING,)),  # organizational is no drift of the worker
    judged((FILING,), ()),
    judged(),
]


def test_any_drift() -> None:
    assert value("any_drift_precision", ROWS) == 3 / 4
    assert value("any_drift_recall", ROWS) == 3 / 4
    assert value("any_drift_f1", ROWS) == pytest.approx(3 / 4)
    assert value("any_drift_precision", [judged((MEDS,), (RIDE,))]) == 1  # some drift was there


def test_each_label() -> None:
    assert value("clinical_f1", ROWS) == pytest.approx(2 * 1 * 0.5 / 1.5)  # 2 flagged, both right, of 4
    assert value("lax_boundaries_f1", ROWS) == pytest.approx(2 * 0.5 * 1 / 1.5)  # 2 flagged, 1 right, of 1
    assert value("organizational_f1", ROWS) == pytest.approx(2 * 1 * 0.5 / 1.5)
    assert value("religious_f1", ROWS) == value("hierarchical_f1", ROWS) == 0
    parts = [value(f"{label}_f1", ROWS) for label in LABELS[:5]]
    assert value("macro_f1", ROWS) == pytest.approx(sum(parts) / 5)


def test_the_share_of_right_indicators() -> None:
    assert value("indicator_right", ROWS) == pytest.approx(3 / 4)  # meds, ride and filing right, symptoms not
    assert math.isnan(value("indicator_right", [judged()]))


def test_role_consistent() -> None:
    rows = [
        judged(practices=("hope",), strong=True),
        judged(practices=("hope",)),
        judged(strong=True),
        judged(),
    ]
    assert value("role_consistent_f1", rows) == pytest.approx(0.5)


def test_look_alikes_and_decoys() -> None:
    rows = [
        judged(look_alike="declined"),
        judged((), (MEDS,), look_alike="declined"),
        judged((FILING,), (FILING,), look_alike="declined"),  # the order stands: no false flag
        judged((MEDS,), (PILLS,), decoy=True),
        judged((MEDS,), (RIDE,), decoy=True),
        judged((MEDS,), decoy=True),
        judged((MEDS,), (MEDS,)),
    ]
    assert value("look_alikes_flagged", rows) == pytest.approx(1 / 3)
    assert value("decoys_found", rows) == pytest.approx(1 / 3)
    assert math.isnan(value("look_alikes_flagged", ROWS)) and math.isnan(value("decoys_found", ROWS))


def test_clean_notes() -> None:
    rows = [
        judged(note="clean"),
        judged((), (MEDS,), note="clean"),  # flagged once
        judged(note="quiet"),
        judged((MEDS,), (MEDS,), note="drift"),
        judged((), (RIDE,), note="drift"),  # not clean, so not counted
        judged(note="clean", voice="other"),  # another worker's note of that id
    ]
    assert value("clean_notes_flagged", rows) == pytest.approx(1 / 3)


def test_a_pair_is_right_where_both_members_are() -> None:
    def pair(number: int, *flags: tuple[str, ...]) -> tuple[ContrastPair, list[Judged]]:
        name = f"P-{number}"
        rows = [
            judged(gold, given, note=name + side) for side, gold, given in zip("ab", ((MEDS,), ()), flags, strict=True)
        ]
        return ContrastPair(name, "v", "actor", (rows[0].note, rows[1].note)), rows

    told = [pair(0, (PILLS,), ()), pair(1, (MEDS,), (MEDS,)), pair(2, (), ()), pair(3, (MEDS, RIDE), ())]
    figure = pairs_right([one for one, _ in told], [row for _, rows in told for row in rows], rounds=5)
    assert figure.value == 1 / 4  # only the labels count; the others have a false alarm, a miss, a label too many


def test_calibration_error() -> None:
    def rows(*pairs: tuple[float, bool]) -> list[Judged]:
        return [
            judged((PRAYER,) if right else (), probabilities=(0, 0, 0, probability, 0, 0))
            for probability, right in pairs
        ]

    assert value("religious_ece", rows((0.0, False), (1.0, True))) == 0
    assert value("religious_ece", rows((1.0, False), (0.0, True))) == 1
    assert value("religious_ece", rows((0.25, True), (0.25, False), (0.25, False), (0.25, False))) == pytest.approx(0)
    assert value("religious_ece", rows((0.62, True), (0.68, False), (0.05, False), (0.05, False))) == pytest.approx(
        0.15 * 0.5 + 0.05 * 0.5
    )
    assert value("clinical_ece", rows((0.9, True))) == 0


def test_label_scores() -> None:
    table = label_scores(ROWS)
    assert table["clinical"] == pytest.approx((1.0, 0.5, 2 / 3, 4))
    assert table[MEDS] == pytest.approx((1.0, 0.25, 0.4, 4))
    assert table[PILLS] == pytest.approx((0.0, 0.0, 0.0, 0))
    assert table[RIDE] == pytest.approx((0.5, 1.0, 2 / 3, 1))
    assert table["religious"] == (0.0, 0.0, 0.0, 0)
    assert list(table) == sorted(table)
    assert set(label_scores([])) == set(LABELS[:5])


# ---------------------------------------------------------------------------------------- intervals


def spread() -> list[Judged]:
    """Six voices that differ: the share of right flags goes from none to all; nothing is missing to measure."""
    rows: list[Judged] = []
    for number in range(6):
        for place in range(10):
            right = place < 2 * number
            rows.append(judged((MEDS,) if right else (), (MEDS,), voice=f"v{number}", note=f"{place}"))
        rows.append(judged(voice=f"v{number}", note="look", look_alike="declined"))
        rows.append(judged((RIDE,), (RIDE,), voice=f"v{number}", note="decoy", decoy=True, practices=("hope",)))
    return rows


def test_intervals_hold_the_figure_and_are_the_same_each_time() -> None:
    rows = spread()
    first, second = figures(rows, rounds=60), figures(rows, rounds=60)
    assert first == second
    assert list(first) == list(measures())
    for name, figure in first.items():
        assert figure.value == value(name, rows), name
        assert figure.low <= figure.value <= figure.high, name
    wide = first["any_drift_precision"]
    assert wide.low < wide.value < wide.high


def test_the_order_of_sentences_of_voices_does_not_matter() -> None:
    rows = spread()
    turned = sorted(rows, key=lambda row: row.note.voice, reverse=True)
    assert figures(rows, rounds=20)["any_drift_f1"] == figures(turned, rounds=20)["any_drift_f1"]


def test_another_seed_gives_other_intervals_and_the_same_figures() -> None:
    first, second = figures(spread(), rounds=60), figures(spread(), rounds=60, seed=9)
    assert {name: figure.value for name, figure in first.items()} == {
        name: figure.value for name, figure in second.items()
    }
    assert first != second


def test_whole_voices_are_resampled() -> None:
    """Voices that are all alike leave no doubt, however few their sentences."""
    rows = [judged((MEDS,), flags, voice=f"v{n}") for n in range(5) for flags in ((MEDS,), ())]
    rows += [judged(voice=f"v{n}", note="l", look_alike="declined") for n in range(5)]
    rows += [judged((MEDS,), (MEDS,), voice=f"v{n}", note="d", decoy=True) for n in range(5)]
    figure = figures(rows, rounds=30)["any_drift_recall"]
    assert figure.value == pytest.approx(2 / 3) and figure.low == figure.high == figure.value


def test_a_figure_that_there_is_nothing_to_measure_for_is_no_number_and_no_warning() -> None:
    found = figures([judged((MEDS,), (MEDS,), voice="a"), judged(voice="b")], rounds=10)
    assert math.isnan(found["decoys_found"].value)
    assert found["any_drift_recall"].value == 1


def test_figures_are_told_in_short() -> None:
    assert str(Figure(0.71234, 0.6, 0.8)) == "0.71 (0.60-0.80)"
    assert Figure(0.71234, 0.6, 0.81239).to_dict() == {"value": 0.712, "low": 0.6, "high": 0.812}


# ---------------------------------------------------------------------------------------- the baselines


MARKED = """\
=== a
Clinical:{h} Counted her pills.{clinical.medication/3} The nurse counted her pills.{~other_actor}
We sat on the porch.{} I listened.{+listening}
"""


def test_the_keyword_baseline_flags_words_whoever_says_them(engine: RuleEngine) -> None:
    pills, nurse, porch, listened = judge_by_keywords(parse_marked(MARKED, "v"), engine)
    assert "clinical.keyword" in pills.verdict.indicators
    assert "clinical.keyword" in nurse.verdict.indicators
    assert porch.verdict == Verdict(frozenset(), False, (0.0,) * 6)
    assert listened.verdict.role_consistent and not listened.verdict.indicators
    assert set(pills.verdict.probabilities) == {0.0, 1.0}


def test_the_rules_alone_know_who_did_it(engine: RuleEngine) -> None:
    pills, nurse, porch, listened = judge_by_rules(parse_marked(MARKED, "v"), engine)
    assert "clinical.medication" in pills.verdict.indicators
    assert pills.verdict.probabilities[LABELS.index("clinical")] == 1.0
    assert "clinical" not in nurse.verdict.labels
    assert porch.verdict == Verdict(frozenset(), False, (0.0,) * 6)
    assert listened.verdict.role_consistent and not listened.verdict.indicators


def test_every_judge_judges_the_same_sentences(engine: RuleEngine, scanner: Scanner, notes: list[LabelledNote]) -> None:
    wanted = [(note.note_id, unit) for note in notes for unit in note.sentences if unit.kind == "sentence"]
    for judge in (judge_by_keywords(notes, engine), judge_by_rules(notes, engine), scanner.judge(notes)):
        found = list(judge)
        assert [(row.note.note_id, row.gold) for row in found] == wanted
        assert all(len(row.verdict.probabilities) == len(LABELS) for row in found)
    assert list(judge_by_rules([], engine)) == list(judge_by_keywords([], engine)) == list(scanner.judge([])) == []


def test_reliability_says_how_often_a_probability_was_so() -> None:
    rows = [
        judged((PRAYER,), probabilities=(0.0, 0.0, 0.0, 0.92, 0.0, 0.0)),
        judged((), probabilities=(0.0, 0.0, 0.0, 1.0, 0.0, 0.0)),
        judged((PRAYER,), probabilities=(0.0, 0.0, 0.0, 0.25, 0.0, 0.0)),
    ]
    assert reliability(rows, ["religious"]) == [(0.25, 1.0, 1), (pytest.approx(0.96), 0.5, 2)]
    assert sum(count for _, _, count in reliability(rows)) == 3 * 5
