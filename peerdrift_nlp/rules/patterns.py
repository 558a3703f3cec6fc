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
from collections.abc import Callable, Mapping, Sequence

Normalise = Callable[[str], Sequence[str]]
Classes = Mapping[str, Sequence[str]]

_ANY = r" [^ \n]+"
_ANY_BUT_SEMICOLON = r" [^ \n;]+"
_LITERALS = {
    "_": _ANY,
    "..": rf"(?:{_ANY_BUT_SEMICOLON}){{0,2}}",
    "...": rf"(?:{_ANY_BUT_SEMICOLON}){{0,6}}",
    "^": r"\n(?: [-*>+])?",
    "$": r"(?: [.!?])*\n",
}
_PIECE = re.compile(r"\{(?P<cls>\w+)\}|(?P<at>@\w+)|(?P<punct>[()|])|(?P<word>[^\s(){}|]+)")
_OPTIONAL = re.compile(r"\?(?=[\s|)]|$)")


class PatternError(ValueError):
    """A pattern that cannot be compiled; the message says what is wrong with it."""


def compile_pattern(pattern: str, classes: Classes, normalise: Normalise) -> str:
    """The RE2 expression for ``pattern``; it begins at a blank and stops before the next token.

    Args:
        pattern: a pattern of the language above.
        classes: word classes by name, each a list of patterns without classes of their own.
        normalise: text to its normalised tokens, as the scanned notes are normalised.

    Raises:
        PatternError: unbalanced brackets, an unknown class, an empty group.
    """
    return _Compiler(classes, normalise).sequence(pattern)


class _Compiler:
    def __init__(self, classes: Classes, normalise: Normalise) -> None:
        self._classes = classes
        self._normalise = normalise

    def sequence(self, pattern: str) -> str:
        parts: list[str] = []
        depth = 0
        position = 0
        text = pattern.strip()
        if not text:
            raise PatternError("the pattern is empty")
        while position < len(text):
            if text[position].isspace():
                position += 1
                continue
            piece = _PIECE.match(text, position)
            if piece is None:
                raise PatternError(f"cannot read {text[position:position + 12]!r}")
            position = piece.end()
            optional = False
            if piece["punct"]:
                depth += {"(": 1, ")": -1, "|": 0}[piece["punct"]]
                if depth < 0 or (piece["punct"] == "|" and depth == 0):
                    raise PatternError("unbalanced '(', '|' or ')'")
                parts.append("(?:" if piece["punct"] == "(" else piece["punct"])
                optional = piece["punct"] == ")" and bool(_OPTIONAL.match(text, position))
                position += optional
            elif piece["word"]:
                word = piece["word"]
                optional = len(word) > 1 and word.endswith("?")
                parts.append(self._word(word[:-1] if optional else word))
            else:
                parts.append(self._class(piece["cls"]) if piece["cls"] else f" {re.escape(piece['at'])}")
                optional = bool(_OPTIONAL.match(text, position))
                position += optional
            if optional:
                parts[-1] = f"{parts[-1]}?" if piece["punct"] else f"(?:{parts[-1]})?"
        if depth:
            raise PatternError("unbalanced '(' and ')'")
        expression = "".join(parts)
        if "(?:)" in expression or "(?:|" in expression or "||" in expression or "|)" in expression:
            raise PatternError("an empty alternative in a group")
        return expression

    def _word(self, word: str) -> str:
        if word in _LITERALS:
            return _LITERALS[word]
        return "".join(f" {re.escape(_ascii(token))}" for token in self._normalise(word))

    def _class(self, name: str) -> str:
        try:
            phrases = self._classes[name]
        except KeyError:
            raise PatternError(f"unknown word class {{{name}}}") from None
        return "(?:" + "|".join(self.sequence(phrase) for phrase in phrases) + ")"


def _ascii(token: str) -> str:
    """What the normal form keeps of a token: one "?" for each character beyond ASCII."""
    return token.encode("ascii", "replace").decode("ascii")
