"""Find the patterns of many rules or cues, sentence by sentence.

A pattern is searched only in a sentence that holds all the words it cannot do without. That is
looked up with one bit for each distinct set of words, so a sentence costs a few integer operations
however many patterns there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import re2

from peerdrift_nlp.rules.normal import NormalText
from peerdrift_nlp.rules.patterns import Pattern, Words, most_telling


class PatternSet:
    """Patterns by owner (a rule or a cue, by its number); compiled when they are first needed."""

    def __init__(self, patterns: Sequence[Sequence[Pattern]], frequency: Mapping[str, float]) -> None:
        self._frequency = frequency
        self._expressions: list[str] = []
        self._owners: list[int] = []
        self._masks: list[int] = []
        self._searches: list[Any] = []
        self._keyed_by: dict[str, list[int]] = {}
        self._always: list[int] = []
        self._bits: dict[str, int] = {}
        bit_of: dict[Words, int] = {}
        for owner, group in enumerate(patterns):
            for pattern in group:
                self._add(owner, pattern, bit_of)

    def _add(self, owner: int, pattern: Pattern, bit_of: dict[Words, int]) -> None:
        number = len(self._expressions)
        mask = 0
        for words in pattern.required:
            bit = bit_of.setdefault(words, 1 << len(bit_of))
            mask |= bit
            for word in words:
                self._bits[word] = self._bits.get(word, 0) | bit
        self._expressions.append(pattern.expression)
        self._owners.append(owner)
        self._masks.append(mask)
        self._searches.append(None)
        if pattern.required:
            for word in pattern.required[most_telling(pattern.required, self._frequency)]:
                self._keyed_by.setdefault(word, []).append(number)
        else:
            self._always.append(number)

    def find(self, note: NormalText, sentence: int) -> Iterator[tuple[int, int, int]]:
        """``(owner, first unit, last unit)`` of every match in a sentence."""
        words = set(note.words[note.first_unit[sentence] : note.first_unit[sentence + 1]])
        candidates = self._candidates(words)
        if not candidates:
            return
        begin, stop = note.line(sentence)
        line = note.text[begin:stop]
        for number in candidates:
            for match in self._search(number).finditer(line):
                first_byte, last_byte = match.span()
                first, last = note.units(begin + first_byte, begin + last_byte - 1)
                if first <= last:
                    yield self._owners[number], first, last

    def _candidates(self, words: set[str]) -> list[int]:
        """The patterns whose required words are all there."""
        keyed_by, bits, masks = self._keyed_by, self._bits, self._masks
        keyed: set[int] = set()
        present = 0
        for word in words:
            if word in bits:
                present |= bits[word]
                if word in keyed_by:
                    keyed.update(keyed_by[word])
        absent = ~present
        found = [number for number in keyed if not masks[number] & absent]
        return sorted(found + self._always)

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
