"""Variations rewrite sentences and nothing else, and what they change is counted."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from peerdrift_nlp.classifier.corpus import LabelledNote, parse_marked
from peerdrift_nlp.classifier.evaluation import Judged, Verdict
from peerdrift_nlp.classifier.stability import stability, variations, vary
from peerdrift_nlp.rules.engine import RuleEngine

NOTE = """=== v-1 | setting: x | format: y | contact: z
Plan:{h} Met with Imani and her brother at the church.{} I reminded her to take the morning dose.{clinical.medication/2}
"""


@pytest.fixture(scope="module")
def engine() -> RuleEngine:
    return RuleEngine()


@pytest.fixture(scope="module")
def note() -> LabelledNote:
    (parsed,) = parse_marked(NOTE, "v")
    return parsed


def texts(note: LabelledNote) -> list[str]:
    return [note.text[unit.start : unit.end] for unit in note.sentences]


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("other gender", "Met with Imani and his brother at the church.", "I reminded him to take the morning dose."),
        ("other faith", "Met with Imani and her brother at the mosque.", "I reminded her to take the morning dose."),
        (
            "dropped g (goin, tryin)",
            "Met with Imani and her brother at the church.",
            "I reminded her to take the mornin dose.",
        ),
        ("all capitals", "MET WITH IMANI AND HER BROTHER AT THE CHURCH.", "I REMINDED HER TO TAKE THE MORNING DOSE."),
        ("all lower case", "met with imani and her brother at the church.", "i reminded her to take the morning dose."),
    ],
)
def test_sentences_are_rewritten(engine: RuleEngine, note: LabelledNote, name: str, first: str, second: str) -> None:
    (other,) = vary([note], variations(engine)[name])
    assert texts(other) == ["Plan:", first, second]
    assert [unit.severity for unit in other.sentences] == [unit.severity for unit in note.sentences]
    assert other.text == f"Plan: {first} {second}"


def test_only_names_are_renamed(engine: RuleEngine, note: LabelledNote) -> None:
    (other,) = vary([note], variations(engine)["other names"])
    words, before = texts(other)[1].split(), texts(note)[1].split()
    assert [place for place, (one, two) in enumerate(zip(words, before, strict=True)) if one != two] == [2]


def test_typos_keep_every_letter(engine: RuleEngine) -> None:
    text = "reminded everybody about tomorrow's appointment " * 20
    slipped = variations(engine)["typos"](text, random.Random(1))
    assert slipped != text and sorted(slipped) == sorted(text)


def test_wrapping_breaks_lines_between_words(engine: RuleEngine) -> None:
    text = "She said the group helped her more than she had thought it would when she first came in."
    wrapped = variations(engine)["wrapped lines"](text, random.Random(1))
    assert "\n" in wrapped and wrapped.replace("\n", " ") == text


def test_what_changed_is_counted(note: LabelledNote) -> None:
    other = replace(note, text=note.text.upper())

    def judged(of: LabelledNote, *flags: frozenset[str]) -> list[Judged]:
        units = [unit for unit in of.sentences if unit.kind == "sentence"] * 2
        return [Judged(of, unit, Verdict(flag, False, ())) for unit, flag in zip(units, flags, strict=True)]

    none, meds, ride = frozenset[str](), frozenset({"clinical.medication"}), frozenset({"lax_boundaries.transport"})
    found = stability(judged(note, none, meds, none, meds), judged(other, none, meds, ride, ride))
    assert found == (0.5, 0.5, 0.5, 4)
    assert stability(judged(note, meds, none, none, none), judged(note, none, none, none, none)).sentences == 0
