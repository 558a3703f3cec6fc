"""Find the patterns of many rules or cues in a batch of sentences.

A pattern is searched only in a sentence that holds all the words it cannot do without, in their
order and not too far apart. That is worked out for all patterns and the whole batch with array
operations, so that two thousand patterns cost little more than two hundred.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import re2
from numpy.typing import NDArray

from peerdrift_nlp.rules.normal import NormalBatch, as_line
from peerdrift_nlp.rules.patterns import Pattern, Words
from peerdrift_nlp.text.tokens import Ints, Vocabulary

_FAR = 255
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
        # With no first word known, or a match that may begin before it, the whole line is searched.
        self._leads = [pattern.lead or None for group in patterns for pattern in group]
        self._searches: list[Any] = [None] * len(self._owners)
        sets: dict[Words, int] = {}
        required = [pattern.required for group in patterns for pattern in group]
        numbers = [[sets.setdefault(item.words, len(sets)) for item in row] for row in required]
        width = max((len(row) for row in numbers), default=1) or 1
        # The last set stands for "nothing required": every sentence holds it.
        self._required = np.array([row + [len(sets)] * (width - len(row)) for row in numbers], dtype=np.int32)
        self._reach = np.zeros((len(required), width - 1), dtype=np.int32)
        for number, row in enumerate(required):
            for place, (item, following) in enumerate(pairwise(row)):
                self._reach[number, place] = following.stop - item.start - 1
        self._set_count = len(sets) + 1
        self._first_set, self._sets_of_word = _by_word(sets, vocabulary)

    def find(self, batch: NormalBatch, sentences: Places) -> dict[int, list[Match]]:
        """The matches of each of the given sentences that has any."""
        found: dict[int, list[Match]] = {}
        for sentence, numbers in self._candidates(batch, sentences).items():
            words = batch.words_of(sentence)
            line, blanks = as_line(words)
            matches = [
                (self._owners[number], *span) for number in numbers for span in self._spans(number, line, words, blanks)
            ]
            if matches:
                first = int(batch.first_unit[sentence])
                found[sentence] = [
                    Match(owner, first + bisect_left(blanks, begin), first + bisect_left(blanks, stop - 1) - 1)
                    for owner, begin, stop in matches
                ]
        return found

    def _spans(
        self, number: int, line: bytes, words: Sequence[str], blanks: Sequence[int]
    ) -> Iterator[tuple[int, int]]:
        """Where a pattern matches in a line, its closing blank included."""
        search = self._search(number)
        lead = self._leads[number]
        if lead is None:
            for match in search.finditer(line):
                yield match.span()
            return
        for word, blank in zip(words, blanks, strict=True):
            if word in lead and (match := search.match(line, blank)):
                yield match.span()

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
        held_sets = self._sets_of_word[_ranges(self._first_set[words], counts)]
        held_places = np.repeat(places, counts)
        position = np.repeat((units - np.repeat(batch.first_unit[sentences], lengths) + 1)[known], counts)
        # Where each set is first and last met in each sentence; 0 where it is not.
        position = np.minimum(position, _FAR).astype(np.uint8)
        last = np.zeros((self._set_count, len(sentences)), dtype=np.uint8)
        last[held_sets, held_places] = position
        last[-1] = _FAR
        held = np.packbits(last > 0, axis=1)
        all_held = held[self._required[:, 0]]
        for column in self._required.T[1:]:
            all_held &= held[column]
        some = np.flatnonzero(all_held.any(axis=1))
        rows, columns = np.unpackbits(all_held[some], axis=1, count=len(sentences)).nonzero()
        patterns = some[rows]
        first = np.zeros_like(last)
        # The last of several values for one place stays, but only in an array that runs forward in memory.
        backward = [np.ascontiguousarray(column[::-1]) for column in (held_sets, held_places, position)]
        first[backward[0], backward[1]] = backward[2]
        fits = self._in_order(patterns, columns, first, last)
        candidates: dict[int, list[int]] = {}
        for pattern, sentence in zip(patterns[fits].tolist(), sentences[columns[fits]].tolist(), strict=True):
            candidates.setdefault(sentence, []).append(pattern)
        return candidates

    def _in_order(
        self, patterns: Places, sentences: Places, first: NDArray[np.uint8], last: NDArray[np.uint8]
    ) -> NDArray[np.bool_]:
        """Whether each pattern's required words come in their order, and near enough where that is sure."""
        fits = np.ones(len(patterns), dtype=bool)
        nothing = self._set_count - 1
        for place, (left, right) in enumerate(pairwise(self._required.T)):
            one, other = left[patterns], right[patterns]
            opens, closes = first[one, sentences], last[other, sentences]
            once = (opens == last[one, sentences]) & (first[other, sentences] == closes)
            near = (closes.astype(np.int32) - opens <= self._reach[patterns, place]) | ~once | (closes == _FAR)
            fits &= (other == nothing) | ((opens < closes) & near) | (opens == _FAR)
        return fits

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
