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
from dataclasses import dataclass

Normalise = Callable[[str], Sequence[str]]
Classes = Mapping[str, Sequence[str]]
Words = frozenset[str]

_MOST_REQUIRED = 3
_ANY = r" [^ \n]+"
_ANY_BUT_SEMICOLON = r" [^ \n;]+"
_LITERALS = {
    "_": _ANY,
    "..": rf"(?:{_ANY_BUT_SEMICOLON}){{0,2}}",
    "...": rf"(?:{_ANY_BUT_SEMICOLON}){{0,6}}",
    "^": r"\n(?: [-*+>])?",
    "$": r"(?: [.!?])*\n",
}
_PIECE = re.compile(r"\{(?P<cls>\w+)\}|(?P<at>@\w+)|(?P<punct>[()|])|(?P<word>[^\s(){}|]+)")
_OPTIONAL = re.compile(r"\?(?=[\s|)]|$)")


class PatternError(ValueError):
    """A pattern that cannot be compiled; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern.

    ``expression`` begins at the blank before its first word. ``required`` are sets of words: a
    sentence that lacks a word of any of them cannot match, which spares it the search.
    """

    expression: str
    required: tuple[Words, ...]


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
        return Pattern(compiled[0].expression, tuple(self._by_telling(compiled[0].required)[:_MOST_REQUIRED]))

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
                item = Pattern(f" {re.escape(piece['at'])}", (frozenset({piece["at"]}),))
            optional = bool(_OPTIONAL.match(text, position))
            position += optional
        return (Pattern(f"(?:{item.expression})?", ()) if optional else item), position

    def _word(self, word: str) -> Pattern:
        if word in _LITERALS:
            return Pattern(_LITERALS[word], ())
        tokens = [_ascii(token) for token in self._normalise(word)]
        return Pattern(
            "".join(f" {re.escape(token)}" for token in tokens), tuple(frozenset({token}) for token in tokens)
        )

    def _class(self, name: str) -> Pattern:
        if name not in self._compiled:
            if name not in self._classes:
                raise PatternError(f"unknown word class {{{name}}}")
            self._compiled[name] = self._either([self.compile(phrase) for phrase in self._classes[name]])
        return self._compiled[name]

    def _either(self, alternatives: Sequence[Pattern]) -> Pattern:
        """One of several: each alternative stands for itself with its most telling set of words."""
        expression = "(?:" + "|".join(item.expression for item in alternatives) + ")"
        if not all(item.required for item in alternatives):
            return Pattern(expression, ())
        telling = (self._by_telling(item.required)[0] for item in alternatives)
        return Pattern(expression, (frozenset().union(*telling),))

    def _by_telling(self, required: Iterable[Words]) -> list[Words]:
        """Sets of words, the one that the fewest sentences will hold first."""

        def expected(words: Words) -> float:
            return sum(self._frequency.get(word, 0.0) if word[-1].isalpha() else 1.0 for word in words)

        return sorted(required, key=expected)


def _joined(items: Sequence[Pattern]) -> Pattern:
    if not items:
        raise PatternError("an empty alternative in a group")
    return Pattern(
        "".join(item.expression for item in items), tuple(words for item in items for words in item.required)
    )


def _ascii(token: str) -> str:
    """What the normal form keeps of a token: one "?" for each character beyond ASCII."""
    return token.encode("ascii", "replace").decode("ascii")
