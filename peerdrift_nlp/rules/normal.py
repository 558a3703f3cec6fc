"""The normal form of notes: sentences of normalised words, names replaced by symbols.

Rules, stance cues and the classifier all read this form, so they see the same words. Every unit
keeps its offsets into its note. A batch of notes is one set of columns, as its sentences are
matched and scored together.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from peerdrift_nlp.rules.lexicon import LEXICON_FOLDER, Lexicon, LexiconMatcher, read_lexicon
from peerdrift_nlp.text.tokens import Bools, Ints, Tokenizer, Tokens, Vocabulary
from peerdrift_nlp.types import Sentence

NAME = "@name"
WRITER = "@writer"

_SIGNATURE_NAME = re.compile(r"[A-Z][a-z]+|\b[A-Z]{2,3}\b")

_MED_COMPANY = """
    med meds medication medications medicine dose doses dosage mg milligrams pill pills tablet tablets refill prescribed
    prescription prescriber pharmacy taking takes inject injection shot script taper tapering
""".split()
_DX_COMPANY = """
    diagnosis diagnosed diagnose dx disorder condition label labeled sounds symptoms signs clinically severe traits
    untreated undiagnosed
""".split()
_FAITH_COMPANY = """
    god church faith pray prayed prayer praying lord jesus allah worship scripture bible quran religious religion
    spiritual pastor imam rabbi sermon soul saved sin temple mosque
""".split()
_FAITH_SYMBOLS = {
    "deity": "@deity",
    "scripture": "@scripture",
    "practice": "@worship",
    "place": "@temple",
    "leader": "@clergy",
    "idiom": "@idiom",
    "organization": "@organization",
}


@dataclass(frozen=True, slots=True)
class NormalBatch:
    """The sentences of a batch of notes in their normal form.

    Attributes:
        vocabulary: the words by number; it grows with every batch of its tokenizer.
        words: word numbers of all units.
        starts, ends: their offsets, each into its own note.
        first_unit: the first unit of each sentence; one more entry closes the last.
        first_sentence: the first sentence of each note; one more entry closes the last.
    """

    vocabulary: Vocabulary
    words: Ints
    starts: Ints
    ends: Ints
    first_unit: Ints
    first_sentence: list[int]

    def units(self, sentence: int) -> tuple[int, int]:
        """The first unit of a sentence, and the first after it."""
        return int(self.first_unit[sentence]), int(self.first_unit[sentence + 1])

    def words_of(self, sentence: int) -> list[str]:
        """The words of a sentence."""
        words = self.vocabulary.words
        first, stop = self.units(sentence)
        return [words[number] for number in self.words[first:stop].tolist()]


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
    """Tokens and sentences of a batch to its normal form.

    Args:
        lexicons: the names to replace by symbols.
        everyday: words that are no names even when capitalised.
        verbs: words that show the capitalised first word of a sentence to be a name.
        tokenizer: gives the word numbers.
    """

    def __init__(
        self, lexicons: Sequence[Lexicon], everyday: Collection[str], verbs: Collection[str], tokenizer: Tokenizer
    ) -> None:
        self._tokenizer = tokenizer
        self._lexicons = LexiconMatcher(lexicons, tokenizer)
        vocabulary = tokenizer.vocabulary
        everyday_numbers = [vocabulary[word] for word in everyday]
        verb_numbers = [vocabulary[word] for word in verbs]
        self._name, self._writer = vocabulary[NAME], vocabulary[WRITER]
        self._everyday: Bools = np.zeros(len(vocabulary), dtype=bool)
        self._everyday[everyday_numbers] = True
        self._verb: Bools = np.zeros(len(vocabulary) + 1, dtype=bool)
        self._verb[verb_numbers] = True

    def __call__(self, texts: Sequence[str], sentences: Sequence[Sequence[Sentence]]) -> NormalBatch:
        """The normal form of folded notes with their sentences."""
        tokens = self._tokenizer(texts)
        note_of = np.repeat(np.arange(len(texts)), np.diff(tokens.first))
        # Sentences of all notes on one scale: a note's number in the high bits, the offset in the low.
        places = (note_of.astype(np.int64) << 32) + tokens.starts
        note_of_unit = np.repeat(np.arange(len(texts), dtype=np.int64), [len(units) for units in sentences]) << 32
        openings = note_of_unit + np.fromiter((unit.start for units in sentences for unit in units), dtype=np.int64)
        bounds = note_of_unit + np.fromiter((unit.end for units in sentences for unit in units), dtype=np.int64)
        first_token = np.append(0, np.searchsorted(places, bounds))
        words = self._with_names(tokens, np.searchsorted(places, openings))
        self._mark_signers(words, tokens, texts, sentences)

        def text_of(first: int, stop: int) -> str:
            return texts[int(note_of[first])][int(tokens.starts[first]) : int(tokens.ends[stop - 1])]

        ends = tokens.ends.copy()
        keep = np.ones(len(words), dtype=bool)
        for first, stop, symbol in list(self._lexicons.find(tokens, text_of)):
            words[first] = symbol
            ends[first] = ends[stop - 1]
            keep[first + 1 : stop] = False
        kept_before = np.append(0, np.cumsum(keep))
        return NormalBatch(
            vocabulary=self._tokenizer.vocabulary,
            words=words[keep],
            starts=tokens.starts[keep],
            ends=ends[keep],
            first_unit=kept_before[first_token].astype(np.int32),
            first_sentence=[0, *accumulate(map(len, sentences))],
        )

    def _with_names(self, tokens: Tokens, openings: NDArray[np.integer]) -> Ints:
        """Capitalised words that are not everyday words; a sentence's first only if a verb follows."""
        words = tokens.words.copy()
        candidates = tokens.titles.nonzero()[0]
        numbers = words[candidates]
        new = numbers >= len(self._everyday)
        everyday = self._everyday[np.where(new, 0, numbers)] & ~new
        following = np.append(words, len(self._verb) - 1)[candidates + 1]
        verb_follows = self._verb[np.minimum(following, len(self._verb) - 1)]
        is_name = ~everyday & (verb_follows | ~np.isin(candidates, openings))
        spelled = self._tokenizer.vocabulary.words
        for token in candidates[is_name].tolist():
            word = spelled[words[token]]
            if len(word) > 1 and word.isalpha():
                words[token] = self._name
        return words

    def _mark_signers(
        self, words: Ints, tokens: Tokens, texts: Sequence[str], sentences: Sequence[Sequence[Sentence]]
    ) -> None:
        """Whoever signs a note is its writer, by first name or initials, wherever the note says them."""
        for note, units in enumerate(sentences):
            signers = _signers(texts[note], units)
            if not signers:
                continue
            first, stop = tokens.first[note], tokens.first[note + 1]
            spelled = self._tokenizer.vocabulary.words
            for token, number in enumerate(tokens.words[first:stop].tolist(), int(first)):
                word = spelled[number]
                if word in signers and (words[token] == self._name or len(word) in (2, 3)):
                    words[token] = self._writer


def _signers(folded: str, sentences: Sequence[Sentence]) -> frozenset[str]:
    """Lower-case first names and initials in a note's signature."""
    names: set[str] = set()
    for sentence in sentences:
        if sentence.kind == "signature":
            found = _SIGNATURE_NAME.findall(folded[sentence.start : sentence.end])
            names.update(name.lower() for name in found[:1])
            if len(found) > 1:
                names.add((found[0][0] + found[1][0]).lower())
    return frozenset(names)
