"""Find the patterns of many rules or cues in a batch of sentences.

All sentences are one line of words, with a boundary before and after each. A prefilter says where a
pattern may match, and its automaton runs only there, from the words that the pattern can begin
with (its *lead*). So two thousand patterns cost little more than two hundred.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np

from peerdrift_nlp.rules.automaton import BOUNDARY, Automaton, Words, kind_of, named_words
from peerdrift_nlp.rules.normal import NormalBatch
from peerdrift_nlp.rules.patterns import Pattern
from peerdrift_nlp.rules.prefilter import Places, Prefilter, WordColumns
from peerdrift_nlp.text.tokens import Bools, Ints, Vocabulary


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
        self._automata: list[Automaton | None] = [None] * len(flat)
        self._prefilter = Prefilter([pattern.required for pattern in flat], vocabulary)
        self._leads = _Leads([pattern.lead for pattern in flat], vocabulary)
        self._can_begin_at_boundary = [pattern.lead is None or BOUNDARY in pattern.lead for pattern in flat]
        self._named = named_words((part for parts in self._parts for part in parts), {})
        self._spelled: list[str] = []
        self._boundary = vocabulary[BOUNDARY]
        # How many words before its first required word a pattern begins, at least and at most.
        self._back = np.array([row.required[0].after if row.required else (0, 0) for row in flat])

    def find(self, batch: NormalBatch, sentences: Places) -> dict[int, list[Match]]:
        """The matches of each of the given sentences that has any."""
        if not len(sentences) or not self._owners:
            return {}
        line = self.line(batch, sentences)
        patterns, places = self._prefilter(line.numbers)
        rows = _rows(line, places)
        # Behind the last boundary there is no sentence.
        inside = rows < len(sentences)
        patterns, places, rows = patterns[inside], places[inside], rows[inside]
        least, most = self._back[patterns].T
        patterns, starts = _spread(patterns, np.maximum(places - most, line.boundaries[rows]), places - least)
        fits = self._leads(patterns, line.numbers[starts])
        return self._search(batch, sentences, line, patterns[fits], starts[fits])

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
        for word in islice(batch.vocabulary.words, len(self._spelled), None):
            self._spelled.append(word if word in self._named else kind_of(word))
        spelled = self._spelled
        return Line(numbers, [spelled[number] for number in numbers.tolist()], boundaries)

    def _search(
        self, batch: NormalBatch, sentences: Places, line: Line, patterns: Places, starts: Places
    ) -> dict[int, list[Match]]:
        """The matches, by sentence, of patterns that may begin at ``starts``; in order of both."""
        found: dict[int, list[Match]] = {}
        words, rows = line.words, _rows(line, starts)
        begins, ends = line.boundaries[rows].tolist(), line.boundaries[rows + 1].tolist()
        number, free = -1, 0
        for pattern, start, row, begin, end in zip(
            patterns.tolist(), starts.tolist(), rows.tolist(), begins, ends, strict=True
        ):
            if pattern != number:
                number, free, stop_of = pattern, 0, self._automaton(pattern).stop
            if start < free:
                continue
            stop = stop_of(words, start, end + 1)
            if stop:
                sentence = int(sentences[row])
                # Of a match that takes in a boundary only the words count.
                before = int(batch.first_unit[sentence]) - begin - 1
                first, last = max(start, begin + 1) + before, min(stop, end) - 1 + before
                found.setdefault(sentence, []).append(Match(self._owners[number], first, last))
                if self._can_begin_at_boundary[number]:
                    # The boundary that closes a sentence opens the next, and stays free for it.
                    free = min(stop + 1, end)
        return found

    def _automaton(self, number: int) -> Automaton:
        automaton = self._automata[number]
        if automaton is None:
            automaton = self._automata[number] = Automaton(self._parts[number])
        return automaton


class _Leads:
    """The words that each pattern can begin with, as a table of bits.

    Args:
        leads: for each pattern, None where it can begin with any.
        vocabulary: gives the word numbers.
    """

    def __init__(self, leads: Sequence[Words | None], vocabulary: Vocabulary) -> None:
        self._columns = WordColumns([word for lead in leads if lead for word in lead], vocabulary)
        table = np.zeros((len(leads) // 8 + 1, self._columns.count), dtype=np.uint8)
        for pattern, lead in enumerate(leads):
            places = slice(None) if lead is None else self._columns.of_words(lead)
            table[pattern // 8, places] |= 1 << pattern % 8
        self._table = table

    def __call__(self, patterns: Places, numbers: Ints) -> Bools:
        """Whether each of the patterns can begin with the word of that number beside it."""
        columns = self._columns(numbers)
        held: Bools = (self._table[patterns // 8, columns] >> (patterns % 8).astype(np.uint8) & 1).astype(bool)
        return held


def _rows(line: Line, places: Places) -> Places:
    """The sentence that each place stands in, by its row; a boundary stands in the one that it opens."""
    return np.searchsorted(line.boundaries, places, side="right") - 1


def _spread(patterns: Places, lows: Places, highs: Places) -> tuple[Places, Places]:
    """Each pattern with every place from ``low`` to ``high``, each such pair once; in order of both, as they came."""
    if not len(patterns):
        return patterns, lows
    goes_on = np.append(False, patterns[1:] == patterns[:-1])
    lows = np.where(goes_on, np.maximum(lows, np.append(0, highs[:-1]) + 1), lows)
    counts = np.maximum(highs - lows + 1, 0)
    stops = np.cumsum(counts)
    places = np.arange(stops[-1]) + np.repeat(lows - stops + counts, counts)
    return np.repeat(patterns, counts), places
