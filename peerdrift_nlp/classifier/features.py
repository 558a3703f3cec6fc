"""What the classifier sees of a sentence: its words, its hits with their stance, its neighbours.

Features are short strings, so that a model's vocabulary can be read, checked for privacy and
shown as a reason. Names are ``@name`` already; anything with a digit becomes ``#``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from peerdrift_nlp.rules.normal import NormalText
from peerdrift_nlp.types import Hit, Sentence

_SCORED = ("sentence", "field")
_DIGIT = re.compile(r"\d")
_WORDLESS = frozenset('.,;:!?"()-*/')


def is_scored(sentence: Sentence) -> bool:
    """Whether a unit is scored at all: headings and signatures never are."""
    return sentence.kind in _SCORED


def note_features(note: NormalText, sentences: Sequence[Sentence], hits: Sequence[Hit]) -> list[list[str]]:
    """The features of each sentence of a note, in order; an empty list for one that is not scored."""
    evidence: list[list[str]] = [[] for _ in sentences]
    for hit in hits:
        evidence[hit.sentence].extend(_hit_features(hit))
    bags = [
        _bag(note, number) if is_scored(sentence) else []
        for number, sentence in enumerate(sentences)
    ]
    rows: list[list[str]] = []
    for number, sentence in enumerate(sentences):
        if not is_scored(sentence):
            rows.append([])
            continue
        row = bags[number] + evidence[number]
        row.append(f"section={sentence.section}" if sentence.kind == "sentence" else "field")
        row.extend(_neighbour("before", evidence, bags, number - 1))
        row.extend(_neighbour("after", evidence, bags, number + 1))
        rows.append(row)
    return rows


def word_features(note: NormalText, sentence: int) -> list[tuple[str, int, int]]:
    """``(feature, first unit, last unit)`` of a sentence's words, pairs and triples of words."""
    words = _words(note, sentence)
    located: list[tuple[str, int, int]] = []
    for place, (word, unit) in enumerate(words):
        located.append((word, unit, unit))
        before = words[place - 1] if place else ("^", unit)
        located.append((f"{before[0]} {word}", before[1], unit))
        if place:
            before_that = words[place - 2] if place > 1 else ("^", before[1])
            located.append((f"{before_that[0]} {before[0]} {word}", before_that[1], unit))
    return located


def _bag(note: NormalText, sentence: int) -> list[str]:
    """The features of ``word_features`` without their places: the hot path."""
    bag: list[str] = []
    before_that, before = "", "^"
    for word, _ in _words(note, sentence):
        pair = f"{before} {word}"
        bag += (word, pair, f"{before_that} {pair}") if before_that else (word, pair)
        before_that, before = before, word
    return bag


def _words(note: NormalText, sentence: int) -> list[tuple[str, int]]:
    """A sentence's words with their units; punctuation is left out, digits become ``#``."""
    first, stop = note.first_unit[sentence], note.first_unit[sentence + 1]
    return [
        (word if word.isalpha() or not _DIGIT.search(word) else "#", unit)
        for unit, word in enumerate(note.words[first:stop], first)
        if word not in _WORDLESS
    ]


def _hit_features(hit: Hit) -> Iterator[str]:
    label = hit.indicator.partition(".")[0]
    yield f"rule={hit.rule_id}"
    if hit.cleared_by:
        yield f"cleared={label}"
        yield f"cleared={hit.indicator}:{hit.cleared_by}"
    else:
        yield f"stands={label}"
        yield f"stands={hit.indicator}"
        yield f"stance={label}:{hit.stance.actor}:{hit.stance.status}"


def _neighbour(side: str, evidence: Sequence[Sequence[str]], bags: Sequence[Sequence[str]], number: int) -> list[str]:
    if not 0 <= number < len(bags) or not bags[number]:
        return [f"{side}=none"]
    features = [f"{side}:{feature}" for feature in evidence[number] if feature.startswith(("stands", "cleared"))]
    features.append(f"{side}:{bags[number][1]}")
    return features
