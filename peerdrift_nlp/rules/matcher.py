"""Find the patterns of many rules or cues in a batch of sentences.

A pattern is searched only in a sentence that holds all the words it cannot do without. Which
sentences hold which sets of words is worked out for the whole batch with one bit a sentence, so
that two thousand patterns cost little more than two hundred.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import re2
from numpy.typing import NDArray

from peerdrift_nlp.rules.normal import NormalBatch
from peerdrift_nlp.rules.patterns import Pattern, Words
from peerdrift_nlp.text.tokens import Ints, Vocabulary

Places = NDArray[np.integer]


class Match(NamedTuple):
    """A pattern of ``owner`` (a rule or a cue, by its number) on the units ``first`` to ``last``."""

    owner: int
    first: int
    last: int


class PatternSet:
    """Patterns by owner; each is compiled when it is first needed.

    Args:
        patterns: for each owner its patterns.
        vocabulary: of the tokenizer whose batches will be searched.
    """

    def __init__(self, patterns: Sequence[Sequence[Pattern]], vocabulary: Vocabulary) -> None:
        self._owners = [owner for owner, group in enumerate(patterns) for _ in group]
        self._expressions = [pattern.expression for group in patterns for pattern in group]
        self._searches: list[Any] = [None] * len(self._owners)
        sets: dict[Words, int] = {}
        required = [
            [sets.setdefault(words, len(sets)) for words in pattern.required] for group in patterns for pattern in group
        ]
        # The last set stands for "nothing required": every sentence holds it.
        width = max((len(row) for row in required), default=1) or 1
        self._required = np.array([row + [len(sets)] * (width - len(row)) for row in required], dtype=np.int32)
        self._set_count = len(sets) + 1
        self._first_set, self._sets_of_word = _by_word(sets, vocabulary)

    def find(self, batch: NormalBatch, sentences: Places) -> dict[int, list[Match]]:
        """The matches of each of the given sentences that has any."""
        found: dict[int, list[Match]] = {}
        for sentence, numbers in self._candidates(batch, sentences).items():
            line, blanks = batch.line(sentence)
            matches = [(number, *match.span()) for number in numbers for match in self._search(number).finditer(line)]
            if matches:
                first = int(batch.first_unit[sentence])
                found[sentence] = [
                    Match(
                        self._owners[number],
                        first + bisect_left(blanks, begin),
                        first + bisect_left(blanks, stop - 1) - 1,
                    )
                    for number, begin, stop in matches
                ]
        return found

    def _candidates(self, batch: NormalBatch, sentences: Places) -> dict[int, list[int]]:
        """For each sentence the patterns whose required words are all there."""
        if not len(sentences) or not len(self._required):
            return {}
        lengths = batch.first_unit[sentences + 1] - batch.first_unit[sentences]
        units = _ranges(batch.first_unit[sentences], lengths)
        words = batch.words[units]
        places = np.repeat(np.arange(len(sentences)), lengths)
        known = words < len(self._first_set) - 1
        words, places = words[known], places[known]
        counts = self._first_set[words + 1] - self._first_set[words]
        present = np.zeros((self._set_count, len(sentences)), dtype=bool)
        present[self._sets_of_word[_ranges(self._first_set[words], counts)], np.repeat(places, counts)] = True
        present[-1] = True
        held = np.packbits(present, axis=1)
        all_held = held[self._required[:, 0]]
        for column in self._required.T[1:]:
            all_held &= held[column]
        some = np.flatnonzero(all_held.any(axis=1))
        rows, columns = np.unpackbits(all_held[some], axis=1, count=len(sentences)).nonzero()
        candidates: dict[int, list[int]] = {}
        for pattern, sentence in zip(some[rows].tolist(), sentences[columns].tolist(), strict=True):
            candidates.setdefault(sentence, []).append(pattern)
        return candidates

    def _search(self, number: int) -> Any:
        search = self._searches[number]
        if search is None:
            options = re2.Options()
            options.never_capture = True
            options.log_errors = False
            options.longest_match = True
            options.encoding = re2.Options.Encoding.LATIN1
            expression = f"(?:{self._expressions[number]})[ \n]".encode("ascii")
            search = self._searches[number] = re2.compile(expression, options)
        return search


def _by_word(sets: Mapping[Words, int], vocabulary: Vocabulary) -> tuple[Ints, Ints]:
    """The sets that each word is in: where they begin in the second array, and the sets themselves."""
    holding: dict[int, list[int]] = {}
    for words, number in sets.items():
        for word in words:
            holding.setdefault(vocabulary[word], []).append(number)
    counts = np.zeros(len(vocabulary) + 1, dtype=np.int32)
    for place, numbers in holding.items():
        counts[place + 1] = len(numbers)
    flat = [number for place in sorted(holding) for number in holding[place]]
    return np.cumsum(counts, dtype=np.int32), np.array(flat, dtype=np.int32)


def _ranges(firsts: Places, counts: Places) -> NDArray[np.int64]:
    """``[first, first + 1, ...]`` of each of several ranges, one after the other."""
    after = np.cumsum(counts)
    total = int(after[-1]) if len(after) else 0
    ranges: NDArray[np.int64] = np.arange(total) + np.repeat(firsts - (after - counts), counts)
    return ranges
