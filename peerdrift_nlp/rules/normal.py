"""The normal form of a note: one line a sentence, normalised words, names replaced by symbols.

Rules, stance cues and the classifier all read this form, so they see the same words. Every unit
keeps its offsets into the text as given.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Container, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path

from peerdrift_nlp.rules.lexicon import LEXICON_FOLDER, Lexicon, LexiconMatcher, read_lexicon
from peerdrift_nlp.text.tokens import Tokenizer, Tokens
from peerdrift_nlp.types import Sentence

NAME = "@name"
WRITER = "@writer"

_SIGNATURE_NAME = re.compile(r"[A-Z][a-z]+|\b[A-Z]{2,3}\b")

_MED_COMPANY = """med meds medication medications medicine dose doses dosage mg milligrams pill pills tablet tablets refill
    prescribed prescription prescriber pharmacy taking takes inject injection shot script taper tapering""".split()
_DX_COMPANY = """diagnosis diagnosed diagnose dx disorder condition label labeled sounds symptoms signs clinically severe
    traits untreated undiagnosed""".split()
_FAITH_COMPANY = """god church faith pray prayed prayer praying lord jesus allah worship scripture bible quran religious
    religion spiritual pastor imam rabbi sermon soul saved sin temple mosque""".split()
_FAITH_SYMBOLS = {
    "deity": "@deity",
    "scripture": "@scripture",
    "practice": "@worship",
    "place": "@temple",
    "leader": "@clergy",
}


@dataclass(frozen=True, slots=True)
class NormalText:
    """Units of a note in its normal form.

    Attributes:
        text: ASCII bytes, one line a sentence; every unit is preceded by a blank.
        words: the units in order.
        starts, ends: their offsets into the note.
        first_unit: the first unit of each sentence; one more entry closes the last.
    """

    text: bytes
    words: list[str]
    starts: list[int]
    ends: list[int]
    first_unit: list[int]
    _offsets: list[int]

    def units(self, begin: int, stop: int) -> tuple[int, int]:
        """First and last unit of a pattern match ``text[begin:stop]``."""
        return bisect_left(self._offsets, begin), bisect_left(self._offsets, stop) - 1

    def line(self, sentence: int) -> tuple[int, int]:
        """``(begin, stop)`` of a sentence's line in ``text``, with its line breaks and the blank after them."""
        first, last = self.first_unit[sentence], self.first_unit[sentence + 1]
        begin = self._offsets[first] - 1 if first < len(self._offsets) else len(self.text)
        stop = self._offsets[last] if last < len(self._offsets) else len(self.text) - 1
        return begin, stop + 1


def shipped_lexicons(folder: Path = LEXICON_FOLDER) -> list[Lexicon]:
    """The lexicons that come with the package: medications, diagnoses, faiths."""
    return [
        read_lexicon(folder / "medications.csv", {}, "@med", _MED_COMPANY),
        read_lexicon(folder / "diagnoses.csv", {}, "@dx", _DX_COMPANY),
        read_lexicon(folder / "faiths.csv", _FAITH_SYMBOLS, "@faith", _FAITH_COMPANY),
    ]


def common_words(folder: Path = LEXICON_FOLDER) -> dict[str, float]:
    """Everyday words with how frequent they are, by Zipf's law from their place in the list.

    A capitalised word that is not among them is taken for a name.
    """
    lines = (folder / "common_words.txt").read_text(encoding="utf-8").splitlines()
    words = (word for line in lines if not line.startswith("#") for word in line.split())
    return {word: 1 / rank for rank, word in enumerate(words, 1)}


class Normaliser:
    """Tokens and sentences of a note to its normal form."""

    def __init__(
        self, lexicons: Sequence[Lexicon], known_words: Container[str], verbs: frozenset[str], tokenizer: Tokenizer
    ) -> None:
        self._find_names = LexiconMatcher(lexicons, tokenizer)
        self._known_words = known_words
        self._verbs = verbs

    def __call__(self, folded: str, tokens: Tokens, sentences: Sequence[Sentence]) -> NormalText:
        """The normal form of a folded note with its tokens and sentences."""
        words = list(tokens.norms)
        openings = {bisect_left(tokens.starts, sentence.start) for sentence in sentences}
        self._mark_names(words, tokens.titles, openings, _signers(folded, sentences))
        starts, ends = list(tokens.starts), list(tokens.ends)
        for first, stop, symbol in reversed(self._find_names(folded, tokens)):
            words[first:stop] = [symbol]
            starts[first:stop] = [starts[first]]
            ends[first:stop] = [ends[stop - 1]]
        return _normal_text(words, starts, ends, sentences)

    def _mark_names(self, words: list[str], titles: Sequence[int], openings: set[int], signers: frozenset[str]) -> None:
        """Capitalised words that are not everyday words; a sentence's first only if a verb follows."""
        known = self._known_words
        for index in titles:
            word = words[index]
            if word in known or len(word) == 1 or not word.isalpha():
                continue
            if index in openings and (index + 1 == len(words) or words[index + 1] not in self._verbs):
                continue
            words[index] = WRITER if word in signers else NAME
        if signers:
            for index, word in enumerate(words):
                if len(word) in (2, 3) and word in signers:
                    words[index] = WRITER


def _signers(folded: str, sentences: Sequence[Sentence]) -> frozenset[str]:
    """Lower-case first names and initials in a signature: their bearer is the writer."""
    names: set[str] = set()
    for sentence in sentences:
        if sentence.kind == "signature":
            found = _SIGNATURE_NAME.findall(folded[sentence.start : sentence.end])
            names.update(name.lower() for name in found[:1])
            if len(found) > 1:
                names.add((found[0][0] + found[1][0]).lower())
    return frozenset(names)


def _normal_text(words: list[str], starts: list[int], ends: list[int], sentences: Sequence[Sentence]) -> NormalText:
    first_unit = [0, *(bisect_left(starts, sentence.end) for sentence in sentences)]
    lines = [" ".join(words[left:right]) for left, right in pairwise(first_unit)]
    text = ("\n " + "\n ".join(lines) + "\n ").encode("ascii", "replace")
    return NormalText(text, words, starts, ends, first_unit, _unit_offsets(words, first_unit))


def _unit_offsets(words: list[str], first_unit: list[int]) -> list[int]:
    """Where each unit's blank stands in the text; each sentence but the first adds a line break."""
    lengths = [1, *map(len, words)]
    for unit in first_unit[1:-1]:
        lengths[unit] += 1
    return list(accumulate(lengths, _with_blank))[:-1]


def _with_blank(offset: int, length: int) -> int:
    return offset + length + 1
