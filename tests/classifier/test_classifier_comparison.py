"""A comparison says no more than its writers can tell, and false alarms hold a model back."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from classifier_makers import FILING, MEDS, RIDE, judged
from hypothesis import given, settings
from hypothesis import strategies as st

from peerdrift_nlp.classifier.comparison import FalseAlarms, compare, false_alarms
from peerdrift_nlp.classifier.corpus import challenge_pairs, parse_marked_pairs
from peerdrift_nlp.classifier.evaluation import Judged, Verdict, measures
from peerdrift_nlp.classifier.resampling import tallies, with_intervals
from peerdrift_nlp.errors import UsageError
from peerdrift_nlp.scanner import Scanner

ROOT = Path(__file__).parents[2]


def voices(found: list[int], of: int = 10) -> list[Judged]:
    """A writer for each number, who drifts ``of`` times; so many are flagged."""
    return [
        judged((MEDS,), (MEDS,) if at < count else (), voice=f"v{number}", note=f"n{number}", at=at)
        for number, count in enumerate(found)
        for at in range(of)
    ]


# ---------------------------------------------------------------------------------------- figures


def test_figures_are_those_of_the_evaluation() -> None:
    rows = [
        judged((MEDS,), (MEDS,), probability=1.0), judged((MEDS,)), judged((), (RIDE,), look_alike="declined"),
        judged((FILING,), (FILING,)), judged((RIDE,), (RIDE, MEDS), voice="w"),
        judged(note="clean", look_alike="declined"), judged(note="clean", practices=("hope",), strong=True),
    ]  # fmt: skip
    found = tallies(rows).values()
    known = measures()
    for name in (
        "any_drift_precision", "any_drift_recall", "any_drift_f1", "clinical_f1", "lax_boundaries_f1",
        "organizational_f1", "role_consistent_f1", "look_alikes_flagged", "clean_notes_flagged",
    ):  # fmt: skip
        assert found[name] == pytest.approx(known[name](rows)), name
    assert found["clinical_precision"] == 1 / 2 and found["clinical_recall"] == 1 / 2
    assert found["clinical_brier"] == pytest.approx(1 / 7)  # one of two missed at probability 0; nothing else is wrong
    assert found["mean_f1"] == pytest.approx((found["clinical_f1"] + found["lax_boundaries_f1"] + 1) / 3)
    assert "religious_f1" not in found  # nothing to measure


def test_intervals_hold_the_figure_and_resample_whole_writers() -> None:
    found = with_intervals(voices([2, 4, 6, 8, 10]))
    recall = found["any_drift_recall"]
    assert recall.value == pytest.approx(0.6) and recall.low < 0.5 and recall.high > 0.7
    alike = with_intervals(voices([5, 5, 5]))["any_drift_recall"]
    assert (alike.low, alike.value, alike.high) == (0.5, 0.5, 0.5)
    assert with_intervals(voices([2, 4, 6])) == with_intervals(voices([2, 4, 6]))


# ---------------------------------------------------------------------------------------- verdicts


def test_a_clear_gain_is_a_gain() -> None:
    found = compare(voices([5] * 6), voices([8, 9, 8, 7, 9, 8]))
    assert found.outcome == "better"
    assert (found.only_current, found.only_candidate) == (0, 19)
    assert found.p_value == pytest.approx(2**-18)
    assert found.verdict("the shipped model", "ours").startswith("ours is better than the shipped model: F1 on any")


def test_a_clear_loss_is_a_loss() -> None:
    found = compare(voices([8, 9, 8, 7, 9, 8]), voices([5] * 6))
    assert found.outcome == "worse"
    assert found.verdict("the shipped model", "ours").startswith("Keep the shipped model: ours is worse, F1 on any")


def test_what_writers_do_not_agree_on_is_noise() -> None:
    found = compare(voices([5] * 6), voices([9, 1, 9, 1, 8, 3]))
    assert found.outcome == "noise"
    assert "the difference is within noise" in found.verdict("a", "b")


def test_the_same_verdicts_are_noise() -> None:
    rows = voices([5, 6, 7, 8, 9])
    found = compare(rows, rows)
    assert found.outcome == "noise" and found.p_value == 1.0
    assert all(change.difference.low == change.difference.high == 0 for change in found.changes.values())


@pytest.mark.parametrize("count", [1, 2, 4])
def test_few_writers_decide_nothing_however_large_the_gain(count: int) -> None:
    found = compare(voices([0] * count), voices([10] * count))
    assert found.outcome == "too_few"
    assert f"{count} writer(s) are too few to tell the two apart" in found.verdict("a", "b")


def test_notes_without_drift_decide_nothing() -> None:
    rows = [judged(voice=f"v{number}") for number in range(9)]
    assert compare(rows, rows).outcome == "too_few"


def test_false_alarms_hold_back_even_a_better_model() -> None:
    better = voices([5] * 6), voices([8, 9, 8, 7, 9, 8])
    assert compare(*better, FalseAlarms(50, 3, 3)).outcome == "better"
    held = compare(*better, FalseAlarms(50, 3, 4))
    assert held.outcome == "false_alarms"
    assert held.verdict("a", "b") == (
        "Keep a: b flags 4 of 50 harmless contrast texts, a flags 3; false alarms may not rise."
    )


def test_a_sentence_is_right_only_with_all_its_labels_and_no_other() -> None:
    before = [
        judged((MEDS, RIDE), (MEDS, RIDE)),
        judged((MEDS,), (MEDS,), at=1),
        judged((MEDS,), ("clinical.symptoms",), at=2),
    ]
    after = [judged((MEDS, RIDE), (MEDS,)), judged((MEDS,), (MEDS, FILING), at=1), judged((MEDS,), (MEDS,), at=2)]
    found = compare(before, after)
    assert (found.only_current, found.only_candidate, found.p_value) == (2, 0, 0.5)


def test_other_sentences_or_none_are_refused() -> None:
    with pytest.raises(UsageError, match="no labelled sentences"):
        compare([], [])
    with pytest.raises(UsageError, match="not judged the same sentences"):
        compare(voices([1, 2]), voices([1, 2, 3]))
    with pytest.raises(UsageError, match="not judged the same sentences"):
        compare(voices([1, 2]), list(reversed(voices([1, 2]))))


def test_a_comparison_is_told_in_plain_numbers() -> None:
    told = compare(voices([5] * 6), voices([8] * 6), FalseAlarms(50, 3, 2)).to_dict()
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert told["outcome"] == "better"
    assert told["false_alarms"] == {"members": 50, "current": 3, "candidate": 2}
    assert told["changes"]["any_drift_recall"]["difference"] == {"value": 0.3, "low": 0.3, "high": 0.3}


@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_turning_the_two_around_turns_the_signs(data: st.DataObject) -> None:
    counts = st.lists(st.integers(0, 10), min_size=5, max_size=8)
    one = data.draw(counts)
    other = data.draw(st.lists(st.integers(0, 10), min_size=len(one), max_size=len(one)))
    there, back = (compare(*rows, rounds=100) for rows in ((voices(one), voices(other)), (voices(other), voices(one))))
    assert (there.only_current, there.only_candidate) == (back.only_candidate, back.only_current)
    assert there.p_value == pytest.approx(back.p_value)
    for name, change in there.changes.items():
        difference, turned = change.difference, back.changes[name].difference
        assert difference.value == pytest.approx(-turned.value)
        assert (difference.low, difference.high) == (pytest.approx(-turned.high), pytest.approx(-turned.low))
    assert {there.outcome, back.outcome} in ({"better", "worse"}, {"noise"}, {"too_few"}, {"worse", "noise"})


# ---------------------------------------------------------------------------------------- the gate

PAIRS = """\
=== p1a | differs: actor
I counted her pills.{clinical.medication/3}
=== p1b | differs: actor
The nurse counted her pills.{~other_actor}
=== p2a | differs: label
I drove him home.{lax_boundaries.transport/2}
=== p2b | differs: label
I counted his pills.{clinical.medication/3}
"""


def test_only_harmless_members_count_for_the_gate() -> None:
    pairs = parse_marked_pairs(PAIRS, "P")
    rows = [
        Judged(note, unit, Verdict(frozenset({RIDE}), False, (0.0,) * 6))
        for pair in pairs for note in pair.members for unit in note.sentences
    ]  # fmt: skip
    silent = [replace(row, verdict=Verdict(frozenset(), True, (0.0,) * 6)) for row in rows]
    assert false_alarms(pairs, rows, silent) == FalseAlarms(1, 1, 0)
    assert FalseAlarms(1, 0, 0).passed and FalseAlarms(1, 1, 0).passed and not FalseAlarms(1, 0, 1).passed


def test_the_wheel_carries_the_pairs_of_the_test_voices() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    included = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    carried = {
        Path(source).stem for source, target in included.items() if target.startswith("peerdrift_nlp/challenge/pairs")
    }
    assert carried == {pair.voice for pair in challenge_pairs()}
    assert len(challenge_pairs()) > 400


def test_a_model_passes_the_gate_against_itself(scanner: Scanner) -> None:
    pairs = challenge_pairs()[:20]
    rows = list(scanner.judge(member for pair in pairs for member in pair.members))
    gate = false_alarms(pairs, rows, rows)
    assert gate.passed and gate.members > 10 and gate.current == gate.candidate
