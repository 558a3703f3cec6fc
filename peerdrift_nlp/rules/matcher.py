"""Find the patterns of many rules or cues in a batch of sentences.

All sentences are one line of words, with a boundary before and after each. A prefilter says where a
pattern may match, and its automaton runs only there, from the words that the pattern can begin
with. So two thousand patterns cost little more than two hundred.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from peerdrift_nlp.rules.automaton import BOUNDARY, Automaton
from peerdrift_nlp.rules.normal import NormalBatch
from peerdrift_nlp.rules.patterns import Pattern
from peerdrift_nlp.rules.prefilter import Places, Prefilter
from peerdrift_nlp.text.tokens import Ints, Vocabulary


class Match(NamedTuple):
    """A pattern of ``owner`` (a rule or a cue, by its number) on the units ``first`` to ``last``."""

    owner: int
    first: int
    last: int


class Line(NamedTuple):
    """Sentences as one line of words, and the places of the boundaries before and after each."""

    numbers: Ints
    words: list[str]
    boundaries: Places


class PatternSet:
    """Patterns by owner; each gets its automaton when it is first needed.

    Args:
        patterns: for each owner its patterns.
        vocabulary: of the tokenizer whose batches will be searched.
    """

    def __init__(self, patterns: Sequence[Sequence[Pattern]], vocabulary: Vocabulary) -> None:
        self._owners = [owner for owner, group in enumerate(patterns) for _ in group]
        flat = [pattern for group in patterns for pattern in group]
        self._parts = [pattern.parts for pattern in flat]
        self._leads = [pattern.lead for pattern in flat]
        self._automata: list[Automaton | None] = [None] * len(flat)
        self._prefilter = Prefilter([pattern.required for pattern in flat], vocabulary)
        self._boundary = vocabulary[BOUNDARY]
        # How many words before its first required word a pattern begins, at least and at most.
        self._back = np.array([row.required[0].after if row.required else (0, 0) for row in flat])

    def find(self, batch: NormalBatch, sentences: Places) -> dict[int, list[Match]]:
        """The matches of each of the given sentences that has any."""
        if not len(sentences) or not self._owners:
            return {}
        line = self.line(batch, sentences)
        patterns, places = self._prefilter(line.numbers)
        rows = np.searchsorted(line.boundaries, places, side="right") - 1
        # Behind the last boundary there is no sentence.
        inside = rows < len(sentences)
        patterns, places, rows = patterns[inside], places[inside], rows[inside]
        begins, ends = line.boundaries[rows], line.boundaries[rows + 1]
        least, most = self._back[patterns].T
        lows, highs = np.maximum(places - most, begins), places - least
        units = batch.first_unit[sentences[rows]]
        columns = (patterns, lows, highs, begins, ends, sentences[rows], units)
        return self._search(line.words, zip(*(column.tolist() for column in columns), strict=True))

    def line(self, batch: NormalBatch, sentences: Places) -> Line:
        """The given sentences as one line."""
        firsts = batch.first_unit[sentences]
        counts = batch.first_unit[sentences + 1] - firsts
        ends = np.cumsum(counts)
        boundaries = np.append(0, ends) + np.arange(len(sentences) + 1)
        numbers: Ints = np.full(boundaries[-1] + 1, self._boundary, dtype=np.int32)
        inside = np.ones(len(numbers), dtype=bool)
        inside[boundaries] = False
        units = np.arange(len(numbers) - len(boundaries)) + np.repeat(firsts - ends + counts, counts)
        numbers[inside] = batch.words[units]
        spelled = batch.vocabulary.words
        return Line(numbers, [spelled[number] for number in numbers.tolist()], boundaries)

    def _search(self, words: list[str], candidates: Iterable[tuple[int, ...]]) -> dict[int, list[Match]]:
        """The matches among the candidates in a line of ``words``, by sentence.

        Args:
            words: the line.
            candidates: in the order of patterns and places: the pattern, the first and the last place
                where a match can begin, the boundaries around it, the sentence and its first unit.
        """
        found: dict[int, list[Match]] = {}
        number, free = -1, 0
        for pattern, low, high, begin, end, sentence, unit in candidates:
            if pattern != number:
                number, free = pattern, 0
                owner, lead, stop_of = self._owners[number], self._leads[number], self._automaton(number).stop
            for start in range(low, high + 1):
                # Each place is tried once.
                if start < free or (lead and words[start] not in lead):
                    continue
                free = start + 1
                stop = stop_of(words, start, end + 1)
                if stop:
                    # Of a match that takes in a boundary only the words count.
                    first, last = max(start - begin - 1, 0), min(stop, end) - begin - 2
                    found.setdefault(sentence, []).append(Match(owner, unit + first, unit + last))
                    if not lead or BOUNDARY in lead:
                        # The boundary that closes a sentence opens the next, and stays free for it.
                        free = min(stop + 1, end)
        return found

    def _automaton(self, number: int) -> Automaton:
        automaton = self._automata[number]
        if automaton is None:
            automaton = self._automata[number] = Automaton(self._parts[number])
        return automaton
