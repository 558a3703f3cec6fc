"""The keyword baseline: what a word list reaches on the same sentences."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Set
from pathlib import Path

from peerdrift_nlp.classifier.corpus import LabelledNote
from peerdrift_nlp.classifier.evaluation import Judged, Verdict
from peerdrift_nlp.rules.engine import RuleEngine
from peerdrift_nlp.taxonomy import LABELS, ROLE_CONSISTENT
from peerdrift_nlp.text.fold import fold


def judge_by_keywords(notes: Iterable[LabelledNote], engine: RuleEngine) -> Iterator[Judged]:
    """Verdicts of ``keywords.toml``; an indicator is not named, so ``<label>.keyword`` stands for it."""
    with Path(__file__).with_name("keywords.toml").open("rb") as file:
        words: dict[str, list[str]] = tomllib.load(file)
    for note in notes:
        batch = engine.normalise([fold(note.text)], [note.spans()])
        for number, unit in enumerate(note.sentences):
            if unit.kind != "sentence":
                continue
            line = f" {' '.join(batch.words_of(number))} "
            found = {label for label, phrases in words.items() if any(f" {phrase} " in line for phrase in phrases)}
            flags = frozenset(f"{label}.keyword" for label in found - {ROLE_CONSISTENT})
            probabilities = tuple(float(label in found) for label in LABELS)
            yield Judged(note, unit, Verdict(flags, ROLE_CONSISTENT in found, probabilities))


def judge_by_rules(
    notes: Iterable[LabelledNote], engine: RuleEngine, allowed: Set[str] = frozenset()
) -> Iterator[Judged]:
    """Verdicts of the rules and their stance alone, without a model; rules of ``allowed`` policies are silent."""
    for note in notes:
        spans = note.spans()
        (found,) = engine.find(engine.normalise([fold(note.text)], [spans]), [spans])
        hits = [hit for hit in found if not hit.cleared_by and engine.rules[hit.rule_id].policy not in allowed]
        for number, unit in enumerate(note.sentences):
            if unit.kind != "sentence":
                continue
            names = {hit.indicator for hit in hits if hit.sentence == number}
            flags = frozenset(name for name in names if not name.startswith(ROLE_CONSISTENT))
            labels = {name.partition(".")[0] for name in names}
            probabilities = tuple(float(label in labels) for label in LABELS)
            yield Judged(note, unit, Verdict(flags, ROLE_CONSISTENT in labels, probabilities))
