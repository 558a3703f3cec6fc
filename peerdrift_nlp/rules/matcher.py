"""Find the patterns of many rules or cues in a batch of sentences.

All sentences are one line of words, with a boundary before and after each. A prefilter says where a
pattern may match, and its automaton runs only there, from the words that the pattern can begin
with (its *lead*). So two thousand patterns cost little more than two hundred.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from peerdrift_nlp.rules.automata import Automata, Places, WordKinds
from peerdrift_nlp.rules.automaton import BOUNDARY, Words, named_words
from peerdrift_nlp.rules.normal import NormalBatch
from peerdrift_nlp.rules.patterns import Pattern
from peerdrift_nlp.rules.prefilter import Prefilter
from peerdrift_nlp.text.tokens import Bools, Ints, Vocabulary


class Match(NamedTuple):
    """A pattern of ``owner`` (a rule or a cue, by its number) on the units ``first`` to ``last``."""

    owner: int
    first: int
    last: int


class Line(NamedTuple):
    """Sentences as one line of words, by their kinds, and the places of the boundaries before and after each."""

    words: Ints
    boundaries: Places


class PatternSet:
    """Patterns by owner.

    Args:
        patterns: for each owner its patterns.
        vocabulary: of the tokenizer whose batches will be searched.
    """

    def __init__(self, patterns: Sequence[Sequence[Pattern]], vocabulary: Vocabulary) -> None:
        flat = [pattern for group in patterns for pattern in group]
        self._owners = np.array([owner for owner, group in enumerate(patterns) for _ in group], dtype=np.int64)
        named = named_words((part for pattern in flat for part in pattern.parts), {})
        self._kinds = WordKinds({*named, BOUNDARY}, vocabulary)
        self._boundary = vocabulary[BOUNDARY]
        self._automata = Automata([pattern.parts for pattern in flat], self._kinds.words)
        self._prefilter = Prefilter([pattern.required for pattern in flat], self._kinds)
        self._leads = _Leads([pattern.lead for pattern in flat], self._kinds)
        self._can_begin_at_boundary = np.array([pattern.lead is None or BOUNDARY in pattern.lead for pattern in flat])
        # How many words before its first required word a pattern begins, at least and at most.
        self._back = np.array([row.required[0].after if row.required else (0, 0) for row in flat])

    def find(self, batch: NormalBatch, sentences: Places) -> dict[int, list[Match]]:
        """The matches of each of the given sentences that has any, in order of their place."""
        if not len(sentences) or not len(self._owners):
            return {}
        line = self.line(batch, sentences)
        patterns, places = self._prefilter(line.words)
        rows = _rows(line, places)
        # Behind the last boundary there is no sentence.
        inside = rows < len(sentences)
        patterns, places, rows = patterns[inside], places[inside], rows[inside]
        least, most = self._back[patterns].T
        patterns, starts = _spread(patterns, np.maximum(places - most, line.boundaries[rows]), places - least)
        fits = self._leads(patterns, line.words[starts])
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
        return Line(self._kinds(numbers), boundaries)

    def _search(
        self, batch: NormalBatch, sentences: Places, line: Line, patterns: Places, starts: Places
    ) -> dict[int, list[Match]]:
        """The matches, by sentence, of patterns that may begin at ``starts``; in order of both."""
        rows = _rows(line, starts)
        stops = self._automata.stops(patterns, starts, line.boundaries[rows + 1] + 1, line.words)
        hit = stops.nonzero()[0]
        patterns, starts, stops, rows = patterns[hit], starts[hit], stops[hit], rows[hit]
        begins, ends = line.boundaries[rows], line.boundaries[rows + 1]
        free = self._are_free(patterns, starts, np.minimum(stops + 1, ends))
        # Of a match that takes in a boundary only the words count.
        before = batch.first_unit[sentences[rows]] - begins - 1
        firsts = np.maximum(starts, begins + 1) + before
        lasts = np.minimum(stops, ends) - 1 + before
        order = np.lexsort((lasts, firsts, rows))
        order = order[free[order]]
        found: dict[int, list[Match]] = {}
        columns = (column[order].tolist() for column in (sentences[rows], self._owners[patterns], firsts, lasts))
        for sentence, owner, first, last in zip(*columns, strict=True):
            found.setdefault(sentence, []).append(Match(owner, first, last))
        return found

    def _are_free(self, patterns: Places, starts: Places, stops: Places) -> Bools:
        """Which matches do not overlap the one before, where their pattern can begin at a boundary.

        The boundary that closes a sentence opens the next, and stays free for it.
        """
        free = np.ones(len(patterns), dtype=bool)
        number = reached = -1
        at = self._can_begin_at_boundary[patterns].nonzero()[0]
        for place, pattern, start, stop in zip(
            *(part.tolist() for part in (at, patterns[at], starts[at], stops[at])), strict=True
        ):
            if pattern == number and start < reached:
                free[place] = False
            else:
                number, reached = pattern, stop
        return free


class _Leads:
    """The words that each pattern can begin with, as a table of bits.

    Args:
        leads: for each pattern, None where it can begin with any.
        kinds: numbers the words that patterns name.
    """

    def __init__(self, leads: Sequence[Words | None], kinds: WordKinds) -> None:
        table = np.zeros((len(leads) // 8 + 1, len(kinds)), dtype=np.uint8)
        for pattern, lead in enumerate(leads):
            places = slice(None) if lead is None else kinds.of_words(lead)
            table[pattern // 8, places] |= 1 << pattern % 8
        self._table = table

    def __call__(self, patterns: Places, words: Ints) -> Bools:
        """Whether each of the patterns can begin with the word of that kind beside it."""
        held: Bools = (self._table[patterns // 8, words] >> (patterns % 8).astype(np.uint8) & 1).astype(bool)
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
