"""Where patterns may match, from the words that they cannot do without: for all patterns at once.

Each pattern has a bit. For every place of a batch, one number holds the bits of the 64 patterns of a
block whose last required word stands there; shifted back by as far as the words can be apart and
joined with those of the word before, they end up as the bits of the patterns that may match from
that place on. So a block costs some ten array operations, however many places it finds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from peerdrift_nlp.rules.automaton import Words
from peerdrift_nlp.rules.patterns import Reach, Required
from peerdrift_nlp.text.tokens import Ints, Vocabulary

Bits = NDArray[np.uint64]
Places = NDArray[np.integer]

_BLOCK = 64
_ALL = np.uint64(2**64 - 1)


class WordColumns:
    """A column for each word that some patterns name; all other words share the last.

    Args:
        words: the words.
        vocabulary: gives their numbers; those that it gives later are other words.
    """

    def __init__(self, words: Iterable[str], vocabulary: Vocabulary) -> None:
        known = sorted({vocabulary[word] for word in words})
        self.count = len(known) + 1
        self._vocabulary = vocabulary
        self._columns: Ints = np.full(len(vocabulary) + 1, len(known), dtype=np.int32)
        self._columns[known] = np.arange(len(known))

    def __call__(self, numbers: Ints) -> Ints:
        """The columns of words by their numbers."""
        columns: Ints = self._columns[np.minimum(numbers, len(self._columns) - 1)]
        return columns

    def of_words(self, words: Iterable[str]) -> Ints:
        """The columns of words as they are spelled."""
        return self(np.array([self._vocabulary[word] for word in words], dtype=np.int32))


class Prefilter:
    """The required words of many patterns.

    Args:
        patterns: the required words of each.
        vocabulary: gives the word numbers.
    """

    def __init__(self, patterns: Sequence[Sequence[Required]], vocabulary: Vocabulary) -> None:
        sets = {item.words for row in patterns for item in row}
        self._columns = WordColumns([word for words in sets for word in words], vocabulary)
        places = {words: self._columns.of_words(words) for words in sets}
        order = sorted(range(len(patterns)), key=lambda number: _likeness(patterns[number]))
        blocks = [
            list(group)[first : first + _BLOCK]
            for _, alike in groupby(order, key=lambda number: len(patterns[number]))
            for group in [list(alike)]
            for first in range(0, len(group), _BLOCK)
        ]
        self._numbers = [np.array(block, dtype=np.int64) for block in blocks]
        self._blocks = [_Block([patterns[number] for number in block], places, self._columns.count) for block in blocks]
        self._longest = max((block.length for block in self._blocks), default=0)

    def __call__(self, words: Ints) -> tuple[Places, Places]:
        """``(patterns, places)``: for each pattern, in order, where its first required word stands.

        Args:
            words: word numbers of one sentence after the other.
        """
        # What lies behind the last word is no word of any pattern.
        columns: Places = np.full(len(words) + self._longest, self._columns.count - 1, dtype=np.int64)
        columns[: len(words)] = self._columns(words)
        patterns: list[Places] = [np.zeros(0, dtype=np.int64)]
        places: list[Places] = [np.zeros(0, dtype=np.int64)]
        for numbers, block in zip(self._numbers, self._blocks, strict=True):
            bits = block(columns)[: len(words)]
            at = np.flatnonzero(bits != 0)
            rows, held = np.unpackbits(bits[at, None].view(np.uint8), axis=1, bitorder="little").nonzero()
            patterns.append(numbers[held])
            places.append(at[rows])
        found, where = np.concatenate(patterns), np.concatenate(places)
        order = np.argsort(found * len(words) + where)
        return found[order], where[order]


class _Block:
    """Up to 64 patterns with the same number of required words."""

    def __init__(self, patterns: Sequence[Sequence[Required]], places: dict[Words, Ints], width: int) -> None:
        steps = list(zip(*patterns, strict=True))
        self._reaches = [_widest([required.after for required in step]) for step in steps]
        self.length = sum(reach.most for reach in self._reaches[1:])
        self._tables = [np.zeros(width, dtype=np.uint64) for _ in steps]
        for table, step in zip(self._tables, steps, strict=True):
            for number, required in enumerate(step):
                table[places[required.words]] |= np.uint64(1 << number)
        self._everywhere = np.uint64((1 << len(patterns)) - 1)

    def __call__(self, columns: Places) -> Bits:
        """For each place the patterns that may match there, as bits."""
        if not self._tables:
            return np.full(len(columns), self._everywhere)
        bits: Bits = self._tables[-1].take(columns, mode="clip")
        for table, reach in zip(self._tables[-2::-1], self._reaches[:0:-1], strict=True):
            bits = _ahead(bits, reach)
            bits &= table.take(columns[: len(bits)], mode="clip")
        return bits


def _ahead(bits: Bits, reach: Reach) -> Bits:
    """For each place the bits of the places that are ``reach`` further on; shorter by the most of it."""
    span, wanted = 1, reach.most - reach.least + 1
    bits = bits[reach.least :]
    while span < wanted:
        step = min(span, wanted - span)
        bits = bits[:-step] | bits[step:]
        span += step
    return bits.copy() if wanted == 1 else bits


def _widest(reaches: Sequence[Reach]) -> Reach:
    return Reach(min(reach.least for reach in reaches), max(reach.most for reach in reaches))


def _likeness(required: Sequence[Required]) -> tuple[int, ...]:
    """Orders patterns so that neighbours have as many words, about as far apart."""
    return len(required), *(item.after.most for item in required[1:])
