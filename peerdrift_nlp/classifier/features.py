"""What the classifier sees of a sentence: its words, its hits with their stance, its neighbours.

Features are short strings, so that a model's vocabulary can be read, checked for privacy and
shown as a reason. Names are ``@name`` already; anything with a digit, and an address, becomes ``#``. Words and
their n-grams hold no ``=``; all other features do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from peerdrift_nlp.rules.normal import NormalBatch
from peerdrift_nlp.types import Hit, Sentence

START = "^"
"""Stands before the first word of a sentence in pairs and triples."""

_PLACE = "place="
_FIRST, _INSIDE, _LAST, _ALONE = ("place=first", "place=inside"), ("place=inside",), ("place=last",), ("place=alone",)
_UNLIKE_A_WORD = re.compile(r"[\d=]|.@.*\.")
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
        return Row(self.words, [feature for feature in self.others if feature.startswith(_PLACE)])

    def without_place(self) -> Row:
        """The same sentence as if it stood in no note."""
        return Row(self.words, [feature for feature in self.others if not feature.startswith(_PLACE)])


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
    """A word as its feature: anything with a digit, an address, or what looks like another feature is ``#``."""
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
    own: dict[int, list[str]] = {}
    of_neighbour: dict[int, list[str]] = {}
    told = [(hit.sentence, _hit_features(hit)) for hit in hits]
    for number, features in told:
        own.setdefault(number, []).extend(features.here)
        of_neighbour.setdefault(number + 1, []).extend(features.before)
    for number, features in told:
        of_neighbour.setdefault(number - 1, []).extend(features.after)
    places = _places(sentences)
    return [
        [*places.get(number, _INSIDE), *own.get(number, ()), *of_neighbour.get(number, ())]
        if is_scored(sentence)
        else []
        for number, sentence in enumerate(sentences)
    ]


class _HitFeatures(NamedTuple):
    """What a hit tells of its sentence, and of the one after and before, which it stands before and after."""

    here: tuple[str, ...]
    before: tuple[str, ...]
    after: tuple[str, ...]


def _hit_features(hit: Hit) -> _HitFeatures:
    return _told(hit.rule_id, hit.indicator, hit.cleared_by, hit.stance.actor, hit.stance.status)


@lru_cache(maxsize=4096)
def _told(rule_id: str, indicator: str, cleared_by: str, actor: str, status: str) -> _HitFeatures:
    label = indicator.partition(".")[0]
    kind = "cleared" if cleared_by else "stands"
    verdict = (f"{kind}={label}", f"{kind}={indicator}:{cleared_by}" if cleared_by else f"{kind}={indicator}")
    stance = () if cleared_by else (f"stance={label}:{actor}:{status}",)
    here = (f"rule={rule_id}", *verdict, *stance)
    return _HitFeatures(here, *(tuple(f"{side}:{feature}" for feature in verdict) for side in ("before", "after")))


def _places(sentences: Sequence[Sentence]) -> dict[int, tuple[str, ...]]:
    """What stands first and last of a note's sentences: what the form and a signature add moves nothing."""
    told = [number for number, sentence in enumerate(sentences) if sentence.kind == "sentence"]
    if len(told) < 2:
        return dict.fromkeys(told, _ALONE)
    return {told[0]: _FIRST, told[-1]: _LAST}
