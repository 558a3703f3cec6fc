"""Match a pattern word by word: an automaton that works out its states as texts need them.

A state is what may still follow, as a set of chains of parts. Whatever the pattern, the time is linear
in the text: a state holds no chain twice, and a pattern has only so many chains. A state remembers what
comes after all words that it does not name.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from itertools import chain as chained
from typing import TypeAlias

Words = frozenset[str]

BOUNDARY = "\n"
"""Stands before the first and after the last word of a sentence, like a word."""

_READ: tuple[tuple[()], ...] = ((),)


class OneOf:
    """One word of a set."""

    __slots__ = ("words",)
    is_optional = False
    others = ()

    def __init__(self, words: Words) -> None:
        self.words = words

    def read(self, word: str) -> Sequence[Parts]:
        """What follows in place of this part once ``word`` is read, in each way that it fits."""
        return _READ if word in self.words else ()


class AnyWord:
    """Any one word."""

    __slots__ = ()
    words: Words = frozenset({BOUNDARY})
    is_optional = False
    others = ()

    def read(self, word: str) -> Sequence[Parts]:
        """See ``OneOf``."""
        return _READ if word != BOUNDARY else ()


class Gap:
    """Up to so many words, none with a semicolon."""

    __slots__ = ("_left",)
    words: Words = frozenset({BOUNDARY})
    is_optional = True
    others = ()

    def __init__(self, most: int) -> None:
        self._left: Sequence[Parts] = ((Gap(most - 1),),) if most > 1 else _READ

    def read(self, word: str) -> Sequence[Parts]:
        """See ``OneOf``."""
        return self._left if word != BOUNDARY and ";" not in word else ()


class FullStops:
    """Any number of full stops."""

    __slots__ = ()
    words: Words = frozenset(".!?")
    is_optional = True
    others = ()

    def read(self, word: str) -> Sequence[Parts]:
        """See ``OneOf``."""
        return ((self,),) if word in self.words else ()


class Choice:
    """One of several sequences of parts, or nothing where it ``is_optional``."""

    __slots__ = ("_after", "alternatives", "is_optional", "others", "words")

    def __init__(self, alternatives: Iterable[Parts], *, is_optional: bool = False) -> None:
        self.is_optional = is_optional
        self.alternatives = tuple(alternatives)
        after: dict[str, list[Parts]] = {}
        others: list[Parts] = []
        for parts in self.alternatives:
            if parts and isinstance(parts[0], OneOf):
                for word in parts[0].words:
                    after.setdefault(word, []).append(parts[1:])
            else:
                others.append(parts)
        self.others: Sequence[Parts] = tuple(others)
        # Few objects: what is kept for good costs time whenever Python looks for garbage.
        self._after = {word: _READ if found == [()] else tuple(found) for word, found in after.items()}
        self.words: Container[str] = self._after

    def read(self, word: str) -> Sequence[Parts]:
        """See ``OneOf``."""
        return self._after.get(word, ())


def kind_of(word: str) -> str:
    """What stands for a word that no pattern names: they are all alike, but for a semicolon in them."""
    return "a;" if ";" in word else "a b"


def named_words(parts: Iterable[Part], known: dict[Part, Words]) -> Words:
    """The words that parts name anywhere in them; ``known`` remembers those of each choice."""
    found: set[str] = set()
    for part in parts:
        if isinstance(part, Choice):
            if part not in known:
                known[part] = named_words(chained.from_iterable(part.alternatives), known)
            found |= known[part]
        else:
            found |= part.words
    return frozenset(found)


Part: TypeAlias = OneOf | AnyWord | Gap | FullStops | Choice
Parts: TypeAlias = tuple[Part, ...]

_END = OneOf(frozenset())


class Automaton:
    """Patterns as states, worked out as they are needed. Patterns that end alike share states.

    A chain is a part and the chain that follows it. Chains are numbers, 0 for the end, and there is one for each such
    pair: what is kept for good costs time whenever Python looks for garbage, but for numbers.
    """

    def __init__(self) -> None:
        self._numbers: dict[Part, int] = {}
        self._chains: dict[int, int] = {}
        self._parts: list[Part] = [_END]
        self._rests = [0]
        self._states: dict[tuple[int, ...], State] = {}

    def begin(self, parts: Parts) -> State:
        """The state of a pattern in which no word has been read."""
        return self._state({self._chained(parts, 0)})

    def part(self, chain: int) -> Part:
        """The part with which a chain begins."""
        return self._parts[chain]

    def after(self, chains: Iterable[int], word: str) -> State | None:
        """The state once ``word`` is read where any of the chains may follow; None where nothing can."""
        left = {self._chained(parts, self._rests[chain]) for chain in chains for parts in self._parts[chain].read(word)}
        return self._state(left) if left else None

    def _state(self, left: set[int]) -> State:
        """The state in which any of the chains may follow, and the end where one is 0."""
        key = tuple(sorted(left))
        if key not in self._states:
            opened = self._opened(key)
            self._states[key] = State(self, tuple(opened - {0}), 0 in opened)
        return self._states[key]

    def _opened(self, left: Iterable[int]) -> set[int]:
        """The chains, and those that they come to without a word."""
        opened: set[int] = set()
        waiting = list(left)
        while waiting:
            chain = waiting.pop()
            if chain and chain not in opened:
                part, rest = self._parts[chain], self._rests[chain]
                if part.is_optional:
                    waiting.append(rest)
                for parts in part.others:
                    waiting.append(self._chained(parts, rest))
            opened.add(chain)
        return opened

    def _chained(self, parts: Parts, rest: int) -> int:
        """The parts, one after the other, and then the rest."""
        for part in reversed(parts):
            pair = self._numbers.setdefault(part, len(self._numbers)) << 32 | rest
            if pair not in self._chains:
                self._chains[pair] = len(self._parts)
                self._parts.append(part)
                self._rests.append(rest)
            rest = self._chains[pair]
        return rest


class State:
    """What of a pattern may follow.

    Attributes:
        is_end: whether nothing need follow.
    """

    __slots__ = ("_automaton", "_chains", "_others", "is_end")

    def __init__(self, automaton: Automaton, chains: tuple[int, ...], is_end: bool) -> None:
        self.is_end = is_end
        self._automaton = automaton
        self._chains = chains
        self._others: dict[str, State | None] = {}

    def after(self, word: str) -> State | None:
        """The state once ``word`` is read; None where it cannot follow.

        Which follows a word that the state names is not remembered: who asks does.
        """
        for chain in self._chains:
            if word in self._automaton.part(chain).words:
                return self._automaton.after(self._chains, word)
        kind = kind_of(word)
        if kind not in self._others:
            self._others[kind] = self._automaton.after(self._chains, kind)
        return self._others[kind]
