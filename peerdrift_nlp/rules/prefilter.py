"""Where patterns may match, from the words that they cannot do without: for all patterns at once.

Each pattern has a bit. For every place of a batch, one number holds the bits of the 64 patterns of a
block whose last required word stands there; shifted back by as far as the words can be apart and
joined with those of the word before, they end up as the bits of the patterns that may match from
that place on. So a block costs some ten array operations, however many places it finds.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from peerdrift_nlp.rules.automata import Places, WordKinds
from peerdrift_nlp.rules.automaton import Words
from peerdrift_nlp.rules.patterns import Reach, Required
from peerdrift_nlp.text.tokens import Ints

Bits = NDArray[np.uint64]

_BLOCK = 64
_NO_BITS, _NO_PLACES = np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.int64)


class Prefilter:
    """The required words of many patterns.

    Args:
        patterns: the required words of each.
        kinds: numbers the words that patterns name.
    """

    def __init__(self, patterns: Sequence[Sequence[Required]], kinds: WordKinds) -> None:
        self._other = kinds.other
        places = {item.words: kinds.of_words(item.words) for row in patterns for item in row}
        order = sorted(range(len(patterns)), key=lambda number: _likeness(patterns[number]))
        blocks = [
            list(group)[first : first + _BLOCK]
            for _, alike in groupby(order, key=lambda number: len(patterns[number]))
            for group in [list(alike)]
            for first in range(0, len(group), _BLOCK)
        ]
        self._numbers = np.array([[*block, *[-1] * (_BLOCK - len(block))] for block in blocks], dtype=np.int64)
        self._blocks = [_Block([patterns[number] for number in block], places, len(kinds)) for block in blocks]
        self._longest = max((block.length for block in self._blocks), default=0)

    def __call__(self, words: Ints) -> tuple[Places, Places]:
        """``(patterns, places)``: for each pattern, in order, where its first required word stands.

        Args:
            words: kinds of the words of one sentence after the other.
        """
        # What lies behind the last word is no word of any pattern.
        columns: Places = np.full(len(words) + self._longest, self._other, dtype=np.int64)
        columns[: len(words)] = words
        places: list[Places] = [_NO_PLACES]
        bits: list[Bits] = [_NO_BITS]
        for block in self._blocks:
            of_block = block(columns)[: len(words)]
            places.append((of_block != 0).nonzero()[0])
            bits.append(of_block[places[-1]])
        octets = np.concatenate(bits).view(np.uint8)
        some = octets.nonzero()[0]
        rows, held = np.unpackbits(octets[some, None], axis=1, bitorder="little").nonzero()
        rows = some[rows]
        block_of = np.repeat(np.arange(len(self._blocks)), [len(at) for at in places[1:]])
        found = self._numbers[block_of[rows // 8], rows % 8 * 8 + held]
        where = np.concatenate(places)[rows // 8]
        order = np.argsort(found * len(words) + where)
        return found[order], where[order]


class _Block:
    """Up to 64 patterns with the same number of required words."""

    def __init__(self, patterns: Sequence[Sequence[Required]], places: dict[Words, list[int]], width: int) -> None:
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
