"""What the classifier sees of a sentence: its words, its hits with their stance, its neighbours.

Features are short strings, so that a model's vocabulary can be read, checked for privacy and
shown as a reason. Names are ``@name`` already; anything with a digit becomes ``#``. Words and their
n-grams hold no ``=``; all other features do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from peerdrift_nlp.rules.normal import NormalBatch
from peerdrift_nlp.types import Hit, Sentence

START = "^"
"""Stands before the first word of a sentence in pairs and triples."""

_NOT_FROM_HITS = "place="
_UNLIKE_A_WORD = re.compile(r"[\d=]")
_SCORED = ("sentence", "field")
_PUNCTUATION = frozenset('.,;:!?"()-*/')


class Row(NamedTuple):
    """A sentence as the classifier sees it: its words in order, and other features.

    Both are empty for a sentence that is not scored.
    """

    words: Sequence[str]
    others: Sequence[str]

    def features(self) -> list[str]:
        """All features: words, pairs and triples of words, and the others."""
        return [*(feature for feature, _, _ in ngrams(self.words)), *self.others]

    def without_hits(self) -> Row:
        """The same sentence as if no rule had matched in it or beside it."""
        return Row(self.words, [feature for feature in self.others if feature.startswith(_NOT_FROM_HITS)])


def ngrams(words: Sequence[str]) -> list[tuple[str, int, int]]:
    """``(feature, first place, last place)`` of words, pairs and triples of words."""
    found: list[tuple[str, int, int]] = []
    before, pair = START, ""
    for place, word in enumerate(words):
        triple = f"{pair} {word}"
        pair = f"{before} {word}"
        found += ((word, place, place), (pair, place - 1 if place else 0, place))
        if place:
            found.append((triple, place - 2 if place > 1 else 0, place))
        before = word
    return found


def is_scored(sentence: Sentence) -> bool:
    """Whether a unit is scored at all: headings and signatures never are."""
    return sentence.kind in _SCORED


def is_word(word: str) -> bool:
    """Whether a unit of the normal form counts as a word: punctuation does not."""
    return word not in _PUNCTUATION


def as_feature(word: str) -> str:
    """A word as its feature: anything with a digit, or that looks like another feature, is ``#``."""
    return word if word.isalpha() or not _UNLIKE_A_WORD.search(word) else "#"


def words_of(batch: NormalBatch, sentence: int) -> list[str]:
    """The words of a sentence as features."""
    return [as_feature(word) for word in batch.words_of(sentence) if is_word(word)]


def note_rows(batch: NormalBatch, note: int, sentences: Sequence[Sentence], hits: Sequence[Hit]) -> list[Row]:
    """The rows of all sentences of a note, words included."""
    begin = batch.first_sentence[note]
    others = other_features(sentences, hits)
    return [
        Row(words_of(batch, number) if is_scored(sentence) else (), others[number - begin])
        for number, sentence in enumerate(sentences, begin)
    ]


def other_features(sentences: Sequence[Sentence], hits: Sequence[Hit]) -> list[list[str]]:
    """Hits with their stance, place and neighbours of each sentence; empty where it is not scored."""
    evidence: dict[int, list[str]] = {}
    for hit in hits:
        evidence.setdefault(hit.sentence, []).extend(_hit_features(hit))
    rows: list[list[str]] = []
    for number, sentence in enumerate(sentences):
        if not is_scored(sentence):
            rows.append([])
            continue
        row = ["place=first"] if number == 0 else []
        row.append("place=last" if number + 1 == len(sentences) else "place=inside")
        if number in evidence:
            row.extend(evidence[number])
        if number - 1 in evidence:
            row.extend(_neighbour("before", evidence[number - 1]))
        if number + 1 in evidence:
            row.extend(_neighbour("after", evidence[number + 1]))
        rows.append(row)
    return rows


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


def _neighbour(side: str, evidence: Sequence[str]) -> Iterator[str]:
    return (f"{side}:{feature}" for feature in evidence if feature.startswith(("stands", "cleared")))
