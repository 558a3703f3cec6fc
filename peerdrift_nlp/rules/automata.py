"""Run the automata of many patterns side by side: a step reads one word for each of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from peerdrift_nlp.rules.automaton import Automaton, Part, Parts, State, Words, kind_of, named_words
from peerdrift_nlp.text.lookup import Longs, LookUp
from peerdrift_nlp.text.tokens import Bools, Ints, Vocabulary

Places = NDArray[np.integer]

_MOST_STATES = 100_000


class WordKinds:
    """A number for each word that some pattern names; all other words share one, or one of two.

    Args:
        named: the words.
        vocabulary: of the texts.
    """

    def __init__(self, named: Iterable[str], vocabulary: Vocabulary) -> None:
        # By spelling, so that the same patterns give the same kinds whatever was read before.
        self.words = sorted({*named, kind_of(""), kind_of(";")})
        self._kind_of = {word: kind for kind, word in enumerate(self.words)}
        self.other = self._kind_of[kind_of("")]
        self._vocabulary = vocabulary
        self._known: Ints = np.zeros(0, dtype=np.int32)

    def __len__(self) -> int:
        return len(self.words)

    def __call__(self, numbers: Ints) -> Ints:
        """The kinds of words by their numbers."""
        new = self._vocabulary.words[len(self._known) :]
        if new:
            self._known = np.append(self._known, np.array(self.of_words(new), dtype=np.int32))
        kinds: Ints = self._known.take(numbers)
        return kinds

    def of_words(self, words: Iterable[str]) -> list[int]:
        """The kinds of words as they are spelled."""
        find = self._kind_of.get
        return [kind if (kind := find(word)) is not None else self._kind_of[kind_of(word)] for word in words]


class Automata:
    """Patterns that find their longest match from a place on.

    States are numbered, ends by odd numbers, and 0 is where nothing can follow; what a word makes of a state is
    worked out once, and the words that a pattern does not name count as one.

    Args:
        patterns: the parts of each.
        words: the words by their kind.
    """

    def __init__(self, patterns: Sequence[Parts], words: Sequence[str]) -> None:
        self._patterns = patterns
        self._words = words
        self._kind_of = {word: kind for kind, word in enumerate(words)}
        self._unnamed = np.array([self._kind_of[kind_of(word)] for word in words], dtype=np.int32)
        self._names: Bools = np.zeros((len(patterns), len(words)), dtype=bool)
        self._named: dict[Part, Words] = {}
        self._start()

    def _start(self) -> None:
        self._begins: Longs = np.zeros(len(self._patterns), dtype=np.int64)
        self._states: list[State | None] = [None]
        self._numbers: dict[State, int] = {}
        self._automaton = Automaton()
        self._following = LookUp({})

    def stops(self, patterns: Places, starts: Places, limits: Places, kinds: Ints) -> Longs:
        """For each pattern the place after its longest match from its start, or 0.

        Args:
            patterns: their numbers.
            starts: where each begins.
            limits: the words that are not read any more.
            kinds: of the words.
        """
        stops = np.zeros(len(starts), dtype=np.int64)
        going, places, states = np.arange(len(starts)), starts, self._begin(patterns)
        while len(going):
            if len(self._states) > _MOST_STATES:
                # So many come from hostile patterns only; memory is bounded by starting afresh.
                states = self._afresh(states)
            read = kinds[places]
            states = self._after(states, np.where(self._names[patterns, read], read, self._unnamed[read]))
            places = places + 1
            is_end = (states & 1).nonzero()[0]
            stops[going[is_end]] = places[is_end]
            left = ((states > 0) & (places < limits)).nonzero()[0]
            going, places, states, limits = going[left], places[left], states[left], limits[left]
            patterns = patterns[left]
        return stops

    def _afresh(self, states: Longs) -> Longs:
        """Forget all states but these, which get new numbers."""
        kept = [self._states[state // 2] for state in states.tolist()]
        self._start()
        return np.array([self._number(state) for state in kept], dtype=np.int64)

    def _begin(self, patterns: Places) -> Longs:
        for number in np.unique(patterns[self._begins[patterns] == 0]).tolist():
            parts = self._patterns[number]
            self._begins[number] = self._number(self._automaton.begin(parts))
            self._names[number, [self._kind_of[word] for word in named_words(parts, self._named)]] = True
        return self._begins[patterns]

    def _after(self, states: Longs, kinds: Ints) -> Longs:
        """The states once a word is read in each."""
        keys = states * len(self._words) + kinds
        following = self._following.find(keys)
        unknown = (following < 0).nonzero()[0]
        if len(unknown):
            new = np.unique(keys[unknown])
            self._following.add(new, np.array([self._worked_out(key) for key in new.tolist()], dtype=np.int64))
            following[unknown] = self._following.find(keys[unknown])
        return following

    def _worked_out(self, key: int) -> int:
        state, kind = divmod(key, len(self._words))
        before = self._states[state // 2]
        return self._number(before.after(self._words[kind]) if before else None)

    def _number(self, state: State | None) -> int:
        if state is None:
            return 0
        if state not in self._numbers:
            self._numbers[state] = 2 * len(self._states) + state.is_end
            self._states.append(state)
        return self._numbers[state]
