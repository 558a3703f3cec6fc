"""The pattern language of rule packs, compiled to RE2 over normalised tokens.

==============  ==========================================================================
``counted``     this word, whatever its case, quotes and contractions ("can't" is "can not")
``{tell}``      any phrase of the word class ``tell``
``@med``        a name from a lexicon: ``@med``, ``@dx``, ``@faith`` ...; ``@name`` a person
``_``           any one word
``..``          up to two words
``...``         up to six words, not across a semicolon
``(a|b c)``     either
``word?``       optional: a word, a class or a group
``^``  ``$``    the beginning, the end of the sentence (its last full stop left aside)
==============  ==========================================================================

RE2 runs in linear time, so no pattern that a user writes can hang a scan.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

Normalise = Callable[[str], Sequence[str]]
Classes = Mapping[str, Sequence[str]]
Words = frozenset[str]

_MOST_REQUIRED = 3
_LEAST_REQUIRED = 2
_TOO_COMMON = 0.35
_ANY = r" [^ \n]+"
_ANY_BUT_SEMICOLON = r" [^ \n;]+"
_LITERALS = {
    "_": _ANY,
    "..": rf"(?:{_ANY_BUT_SEMICOLON}){{0,2}}",
    "...": rf"(?:{_ANY_BUT_SEMICOLON}){{0,6}}",
    "^": r"\n(?: [-*+>])?",
    "$": r"(?: [.!?])*\n",
}
_LENGTHS = {"_": 1, "..": 2, "...": 6, "^": 1, "$": 3}
_PUNCTUATION = frozenset(".,;:!?-/\"'()&") | {"'s"}
_NULLABLE = ("..", "...")
_PIECE = re.compile(r"\{(?P<cls>\w+)\}|(?P<at>@\w+)|(?P<punct>[()|])|(?P<word>[^\s(){}|]+)")
_OPTIONAL = re.compile(r"\?(?=[\s|)]|$)")


class PatternError(ValueError):
    """A pattern that cannot be compiled; the message says what is wrong with it."""


class Required(NamedTuple):
    """Words of which a match must hold one, at most ``start`` to ``stop`` words after its beginning."""

    words: Words
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern.

    ``expression`` begins at the blank before its first word. ``required``, in their order, tell
    from afar where it cannot match; ``length`` is the most words that it takes; ``lead`` are the words
    that can come first (None where any can); ``is_nullable`` says whether it can match nothing.
    """

    expression: str
    required: tuple[Required, ...]
    length: int
    lead: Words | None
    is_nullable: bool = False


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

    def compile(self, pattern: str) -> Pattern:
        """Compile one pattern; see ``compile_pattern``."""
        text = pattern.strip()
        if not text:
            raise PatternError("the pattern is empty")
        compiled, position = self._alternatives(text, 0)
        if position < len(text) or len(compiled) > 1:
            raise PatternError("unbalanced '(', '|' or ')'")
        whole = compiled[0]
        telling = self._by_telling(whole.required)
        chosen = [required for required in telling if self._expected(required.words) < _TOO_COMMON][:_MOST_REQUIRED]
        chosen = chosen if len(chosen) > 1 else telling[:_LEAST_REQUIRED]
        return replace(whole, required=tuple(item for item in whole.required if item in chosen))

    def _alternatives(self, text: str, position: int) -> tuple[list[Pattern], int]:
        """Sequences separated by ``|``, up to a closing bracket or the end."""
        found: list[Pattern] = []
        items: list[Pattern] = []
        while position < len(text):
            if text[position].isspace():
                position += 1
                continue
            if text[position] in "|)":
                found.append(_joined(items))
                items = []
                if text[position] == ")":
                    return found, position
                position += 1
                continue
            item, position = self._item(text, position)
            items.append(item)
        return [*found, _joined(items)], position

    def _item(self, text: str, position: int) -> tuple[Pattern, int]:
        piece = _PIECE.match(text, position)
        if piece is None:
            raise PatternError(f"cannot read {text[position : position + 12]!r}")
        position = piece.end()
        if piece["word"]:
            word = piece["word"]
            optional = len(word) > 1 and word.endswith("?")
            item = self._word(word.removesuffix("?") if optional else word)
        else:
            if piece["punct"]:
                alternatives, position = self._alternatives(text, position)
                if position == len(text):
                    raise PatternError("unbalanced '(' and ')'")
                position += 1
                item = self._either(alternatives)
            elif piece["cls"]:
                item = self._class(piece["cls"])
            else:
                item = _literal([piece["at"]])
            optional = bool(_OPTIONAL.match(text, position))
            position += optional
        if optional:
            item = Pattern(f"(?:{item.expression})?", (), item.length, item.lead, is_nullable=True)
        return item, position

    def _word(self, word: str) -> Pattern:
        if word in _LITERALS:
            return Pattern(_LITERALS[word], (), _LENGTHS[word], None, is_nullable=word in _NULLABLE)
        return _literal([_ascii(token) for token in self._normalise(word)])

    def _class(self, name: str) -> Pattern:
        if name not in self._compiled:
            if name not in self._classes:
                raise PatternError(f"unknown word class {{{name}}}")
            self._compiled[name] = self._either([self.compile(phrase) for phrase in self._classes[name]])
        return self._compiled[name]

    def _either(self, alternatives: Sequence[Pattern]) -> Pattern:
        """One of several: each alternative stands for itself with its most telling set of words."""
        expression = "(?:" + "|".join(item.expression for item in alternatives) + ")"
        length = max(item.length for item in alternatives)
        leads = [item.lead for item in alternatives]
        lead = None if None in leads else frozenset().union(*(words for words in leads if words))
        is_nullable = any(item.is_nullable for item in alternatives)
        if not all(item.required for item in alternatives):
            return Pattern(expression, (), length, lead, is_nullable)
        telling = (self._by_telling(item.required)[0].words for item in alternatives)
        return Pattern(expression, (Required(frozenset().union(*telling), 0, length),), length, lead, is_nullable)

    def _by_telling(self, required: Iterable[Required]) -> list[Required]:
        """The one that the fewest sentences will hold first."""
        return sorted(required, key=lambda item: self._expected(item.words))

    def _expected(self, words: Words) -> float:
        """How often a sentence holds one of the words, on Zipf's scale."""
        return sum(1.0 if word in _PUNCTUATION else self._frequency.get(word, 0.0) for word in words)


def _literal(tokens: Sequence[str]) -> Pattern:
    required = tuple(Required(frozenset({token}), place, place + 1) for place, token in enumerate(tokens))
    return Pattern("".join(f" {re.escape(token)}" for token in tokens), required, len(tokens), frozenset(tokens[:1]))


def _joined(items: Sequence[Pattern]) -> Pattern:
    if not items:
        raise PatternError("an empty alternative in a group")
    required: list[Required] = []
    length = 0
    lead: Words | None = frozenset()
    is_nullable = True
    for item in items:
        required += (Required(words, length + start, length + stop) for words, start, stop in item.required)
        length += item.length
        if is_nullable:
            lead = None if lead is None or item.lead is None else lead | item.lead
            is_nullable = item.is_nullable
    return Pattern("".join(item.expression for item in items), tuple(required), length, lead, is_nullable)


def _ascii(token: str) -> str:
    """What the normal form keeps of a token: one "?" for each character beyond ASCII."""
    return token.encode("ascii", "replace").decode("ascii")
