"""The pattern language of rule packs, compiled to parts of an automaton over normalised words.

==============  ==========================================================================
``counted``     this word, whatever its case, quotes and contractions ("can't" is "can not")
``{tell}``      any phrase of the word class ``tell``
``@med``        a name from a lexicon: ``@med``, ``@dx``, ``@faith`` ...; ``@name`` a person
``_``           any one word
``..``          up to two words, not across a semicolon
``...``         up to six words, likewise
``(a|b c)``     either
``word?``       optional: a word, a class or a group
``^``  ``$``    the beginning, the end of the sentence (its last full stop left aside)
==============  ==========================================================================

Matching takes linear time, so no pattern that a user writes can hang a scan.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from peerdrift_nlp.rules.automaton import BOUNDARY, AnyWord, Choice, FullStops, Gap, OneOf, Parts, Words

Normalise = Callable[[str], Sequence[str]]
Classes = Mapping[str, Sequence[str]]

_MOST_REQUIRED = 3
_PUNCTUATION = frozenset(".,;:!?-/\"'()&") | {"'s", BOUNDARY}
_PIECE = re.compile(r"\s*(?:\{(?P<cls>\w+)\}|(?P<at>@\w+)|(?P<begin>\()|(?P<end>[)|])|(?P<word>[^\s(){}|]+))")
_OPTIONAL = re.compile(r"\?(?=[\s|)]|$)")


class PatternError(ValueError):
    """A pattern that cannot be compiled; the message says what is wrong with it."""


class Reach(NamedTuple):
    """A number of words: at least, at most."""

    least: int
    most: int

    def then(self, other: Reach) -> Reach:
        """One after the other."""
        return Reach(self.least + other.least, self.most + other.most)


_NOTHING = Reach(0, 0)
_ONE = Reach(1, 1)


class Required(NamedTuple):
    """Words of which a match must hold one, so far after the one before or after the match's beginning."""

    words: Words
    after: Reach


class Pattern(NamedTuple):
    """A compiled pattern.

    Attributes:
        parts: what an automaton reads, one after the other.
        required: tell from afar where it cannot match, in their order.
        rest: how far it goes on from the last required word, that word included.
        lead: the words that can come first, a boundary among them; None where any can.
        is_nullable: whether it can match nothing.
    """

    parts: Parts
    required: tuple[Required, ...]
    rest: Reach
    lead: Words | None
    is_nullable: bool = False

    @property
    def length(self) -> Reach:
        """How many words it takes."""
        return _total([*(required.after for required in self.required), self.rest])


def compile_pattern(
    pattern: str, classes: Classes, normalise: Normalise, frequency: Mapping[str, float] | None = None
) -> Pattern:
    """Compile one pattern of the language above.

    Args:
        pattern: the pattern.
        classes: word classes by name, each a list of patterns.
        normalise: text to its normalised tokens, as the scanned notes are normalised.
        frequency: how frequent words are; it spares searches, and changes nothing else.

    Raises:
        PatternError: unbalanced brackets, an unknown class, an empty group.
    """
    return PatternCompiler(classes, normalise, frequency or {}).compile(pattern)


class PatternCompiler:
    """Compiles many patterns over the same word classes; each class is compiled once."""

    def __init__(self, classes: Classes, normalise: Normalise, frequency: Mapping[str, float]) -> None:
        self._classes = classes
        self._normalise = normalise
        self._frequency = frequency
        self._compiled: dict[str, Pattern] = {}
        self._words: dict[str, Pattern] = dict(_LITERALS)
        self._expectations: dict[Words, float] = {}

    def compile(self, pattern: str) -> Pattern:
        """Compile one pattern; see ``compile_pattern``."""
        return self._with_the_most_telling(self._phrase(pattern))

    def _phrase(self, pattern: str) -> Pattern:
        text = pattern.strip()
        if not text:
            raise PatternError("the pattern is empty")
        compiled, position = self._alternatives(text, 0)
        if position < len(text) or len(compiled) > 1:
            raise PatternError("unbalanced '(', '|' or ')'")
        return compiled[0]

    def _with_the_most_telling(self, pattern: Pattern) -> Pattern:
        """The pattern with as many required words as are worth a look."""
        telling = self._by_telling(pattern.required)[:_MOST_REQUIRED]
        kept: list[Required] = []
        passed = _NOTHING
        for place, (words, after) in enumerate(pattern.required):
            passed = passed.then(after)
            if place in telling:
                kept.append(Required(words, passed))
                passed = _NOTHING
        return pattern._replace(required=tuple(kept), rest=passed.then(pattern.rest))

    def _alternatives(self, text: str, position: int) -> tuple[list[Pattern], int]:
        """Sequences separated by ``|``, up to a closing bracket or the end."""
        found: list[Pattern] = []
        items: list[Pattern] = []
        while position < len(text):
            piece = _PIECE.match(text, position)
            if piece is None:
                raise PatternError(f"cannot read {text[position:].lstrip()[:12]!r}")
            position = piece.end()
            if piece["word"]:
                items.append(self._word(piece["word"]))
            elif piece["end"] == ")":
                return [*found, _joined(items)], position - 1
            elif piece["end"]:
                found.append(_joined(items))
                items = []
            else:
                item, position = self._item(piece)
                items.append(item)
        return [*found, _joined(items)], position

    def _item(self, piece: re.Match[str]) -> tuple[Pattern, int]:
        """A group, a class or a name, and where it ends."""
        text, position = piece.string, piece.end()
        if piece["cls"]:
            item = self._class(piece["cls"])
        elif piece["at"]:
            item = _literal([piece["at"]])
        else:
            alternatives, position = self._alternatives(text, position)
            if position == len(text):
                raise PatternError("unbalanced '(' and ')'")
            position += 1
            item = self._either(alternatives)
        if _OPTIONAL.match(text, position):
            return _optional(item), position + 1
        return item, position

    def _word(self, word: str) -> Pattern:
        if word not in self._words:
            if len(word) > 1 and word.endswith("?"):
                self._words[word] = _optional(self._word(word.removesuffix("?")))
            else:
                self._words[word] = _literal([_ascii(token) for token in self._normalise(word)])
        return self._words[word]

    def _class(self, name: str) -> Pattern:
        if name not in self._compiled:
            if name not in self._classes:
                raise PatternError(f"unknown word class {{{name}}}")
            self._compiled[name] = self._either([self._phrase(phrase) for phrase in self._classes[name]])
        return self._compiled[name]

    def _either(self, alternatives: Sequence[Pattern]) -> Pattern:
        """One of several: each alternative stands for itself with its most telling set of words."""
        parts = (Choice([item.parts for item in alternatives]),)
        leads = [item.lead for item in alternatives]
        lead = None if None in leads else frozenset().union(*(words for words in leads if words))
        is_nullable = any(item.is_nullable for item in alternatives)
        if not all(item.required for item in alternatives):
            return Pattern(parts, (), _hull(item.length for item in alternatives), lead, is_nullable)
        told = [_around(item, self._by_telling(item.required)[0]) for item in alternatives]
        words, before, rest = zip(*told, strict=True)
        return Pattern(parts, (Required(frozenset().union(*words), _hull(before)),), _hull(rest), lead, is_nullable)

    def _by_telling(self, required: Sequence[Required]) -> list[int]:
        """Places of the required words, those first that the fewest sentences will hold."""
        if len(required) == 1:
            return [0]
        return sorted(range(len(required)), key=lambda place: self._expected(required[place].words))

    def _expected(self, words: Words) -> float:
        """How often a sentence holds one of the words, on Zipf's scale."""
        if words not in self._expectations:
            self._expectations[words] = sum(
                1.0 if word in _PUNCTUATION else self._frequency.get(word, 0.0) for word in words
            )
        return self._expectations[words]


_AT_BOUNDARY = frozenset({BOUNDARY})
_BULLETS = frozenset("-*+>")
_LITERALS = {
    "_": Pattern((AnyWord(),), (), _ONE, None),
    "..": Pattern((Gap(2),), (), Reach(0, 2), None, is_nullable=True),
    "...": Pattern((Gap(6),), (), Reach(0, 6), None, is_nullable=True),
    "^": Pattern(
        (OneOf(_AT_BOUNDARY), Choice([(OneOf(_BULLETS),)], is_optional=True)),
        (Required(_AT_BOUNDARY, _NOTHING),),
        Reach(1, 2),
        _AT_BOUNDARY,
    ),
    # However many full stops it takes, nothing comes after them.
    "$": Pattern((FullStops(), OneOf(_AT_BOUNDARY)), (), Reach(1, 4), None),
}


def _literal(tokens: Sequence[str]) -> Pattern:
    sets = [frozenset({token}) for token in tokens]
    required = tuple(Required(words, _ONE if place else _NOTHING) for place, words in enumerate(sets))
    return Pattern(tuple(map(OneOf, sets)), required, _ONE if tokens else _NOTHING, frozenset(tokens[:1]))


def _optional(item: Pattern) -> Pattern:
    parts = (Choice([item.parts], is_optional=True),)
    return Pattern(parts, (), Reach(0, item.length.most), item.lead, is_nullable=True)


def _joined(items: Sequence[Pattern]) -> Pattern:
    if not items:
        raise PatternError("an empty alternative in a group")
    if len(items) == 1:
        return items[0]
    required: list[Required] = []
    passed = _NOTHING
    lead: Words | None = frozenset()
    is_nullable = True
    for item in items:
        for words, after in item.required:
            required.append(Required(words, passed.then(after)))
            passed = _NOTHING
        passed = passed.then(item.rest)
        if is_nullable:
            lead = None if lead is None or item.lead is None else lead | item.lead
            is_nullable = item.is_nullable
    parts = tuple(part for item in items for part in item.parts)
    return Pattern(parts, tuple(required), passed, lead, is_nullable)


def _around(item: Pattern, place: int) -> tuple[Words, Reach, Reach]:
    """The required words at a place, how far they are from the beginning, and how far the pattern goes on from them."""
    if len(item.required) == 1:
        return *item.required[0], item.rest
    before = _total(after for _, after in item.required[: place + 1])
    rest = _total(after for _, after in item.required[place + 1 :]).then(item.rest)
    return item.required[place].words, before, rest


def _total(reaches: Iterable[Reach]) -> Reach:
    least = most = 0
    for reach in reaches:
        least += reach.least
        most += reach.most
    return Reach(least, most)


def _hull(reaches: Iterable[Reach]) -> Reach:
    least, most = zip(*reaches, strict=True)
    return Reach(min(least), max(most))


def _ascii(token: str) -> str:
    """What the normal form keeps of a token: one "?" for each character beyond ASCII."""
    return token if token.isascii() else token.encode("ascii", "replace").decode("ascii")
