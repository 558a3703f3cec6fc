"""The stance in annotated sentences, written by somebody who had not seen the rules.

``flag | indicator | attributes | text``, ``clear | reason | indicator | attributes | text`` and
``decoy | ...`` as flag; the judged words stand in double brackets. Malformed lines are an error.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pytest

from peerdrift_nlp.rules.engine import RuleEngine
from peerdrift_nlp.taxonomy import taxonomy
from peerdrift_nlp.types import Actor, Initiator, Status, Voice

FOLDER = Path(__file__).parent / "stance"
ANSWERS = {
    "actor": get_args(Actor),
    "voice": get_args(Voice),
    "status": get_args(Status),
    "initiator": get_args(Initiator),
}
MARKED = re.compile(r"([^\[\]]*)\[\[([^\[\]]+)\]\](.*)")


@dataclass(frozen=True)
class Case:
    where: str
    clears: bool
    reason: str
    indicator: str
    answers: dict[str, str]
    text: str
    start: int
    end: int


def read_case(where: str, line: str) -> Case:
    kind, _, rest = line.partition(" | ")
    reason = ""
    if kind == "clear":
        reason, _, rest = rest.partition(" | ")
    indicator, attributes, marked = rest.split(" | ", 2)
    answers = dict(pair.split("=") for pair in attributes.split())
    found = MARKED.fullmatch(marked)
    assert kind in ("flag", "clear", "decoy") and found, where
    assert indicator in taxonomy().indicators and (reason in taxonomy().reasons) == bool(reason), where
    assert all(value in ANSWERS[question] for question, value in answers.items()), where
    before, words, after = found.groups()
    return Case(
        where, kind == "clear", reason, indicator, answers, before + words + after, len(before), len(before + words)
    )


def cases(name: str) -> list[Case]:
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    return [
        read_case(f"{name}:{number}", line)
        for number, line in enumerate(lines, 1)
        if line.strip() and not line.startswith("#")
    ]


SOLVED = [case for name in ("flag.txt", "clear.txt", "decoy.txt") for case in cases(name)]


@pytest.mark.parametrize("case", SOLVED, ids=lambda case: case.where)
def test_the_verdict(engine: RuleEngine, case: Case) -> None:
    stance, reason, _ = engine.judge(case.text, case.start, case.end, case.indicator)
    assert bool(reason) == case.clears, stance


def test_the_open_cases_are_still_open(engine: RuleEngine) -> None:
    """Whoever solves one moves it to its file, where it is kept solved."""
    solved = [
        case.where
        for case in cases("open.txt")
        if bool(engine.judge(case.text, case.start, case.end, case.indicator)[1]) == case.clears
    ]
    assert solved == []


def test_enough_of_everything_is_annotated() -> None:
    every = SOLVED + cases("open.txt")
    assert len(SOLVED) >= 300
    assert {case.reason for case in every if case.clears} == set(taxonomy().reasons) - {"unsure"}
    assert {case.indicator for case in every if not case.clears} == set(taxonomy().indicators)


def test_the_answers_behind_the_verdicts(engine: RuleEngine) -> None:
    """Who, in whose voice, done or not, as annotated: over all cases, the open ones too."""
    right: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    for case in SOLVED + cases("open.txt"):
        stance, _, _ = engine.judge(case.text, case.start, case.end, case.indicator)
        for question, answer in case.answers.items():
            asked[question] += 1
            right[question] += getattr(stance, question) == answer
    assert right["voice"] / asked["voice"] > 0.94
    assert right["status"] / asked["status"] > 0.92
    assert right["actor"] / asked["actor"] > 0.74


def test_each_answer_names_the_words_that_decided(engine: RuleEngine) -> None:
    text = "Her doctor told me she counted his pills."
    start = text.index("counted")
    stance, reason, cue = engine.judge(text, start, start + len("counted his pills"), "clinical.medication")
    assert (stance.voice, reason) == ("attributed", "reported_speech")
    assert cue is not None and text[cue.start : cue.end].endswith("doctor told me")
