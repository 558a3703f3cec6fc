"""Tokens of folded notes, a batch at a time, from spaCy's blank English tokenizer (no downloaded model).

spaCy tokenises each stretch between blanks by itself. So its answer for a stretch is remembered as
rows of a table, and a batch of notes becomes columns by looking its stretches up: the same tokens
at a fraction of the cost.
"""

from __future__ import annotations

import string
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import cast

import numpy as np
import spacy
from numpy.typing import NDArray

Ints = NDArray[np.int32]
Bools = NDArray[np.bool_]

_RECYCLE_AT = 200_000
_RECYCLE_AT_CHARACTERS = 20 * _RECYCLE_AT
# spaCy's time grows with the square of a stretch; what is longer is no word and is cut into pieces.
_LONGEST = 200

_SMALL_LETTERS = frozenset(string.ascii_lowercase)

# Forms that spaCy's exception table leaves as they are; notes write contractions without apostrophes.
_NORMS = {
    "n't": "not", "nt": "not", "ca": "can", "wo": "will", "'m": "am", "m": "am", "'ll": "will", "'ve": "have",
    "'re": "are",
}  # fmt: skip


class Vocabulary(dict[str, int]):
    """Normalised words by number; a word gets the next number when it is first asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def __missing__(self, word: str) -> int:
        number = self[word] = len(self.words)
        self.words.append(word)
        return number


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of a batch of notes in parallel columns, white space left out.

    Attributes:
        words: numbers of the normalised words: lower-case, contractions written out ("ca", "n't"
            are "can", "not").
        starts, ends: offsets into each token's own note.
        titles: whether the token is a capitalised word.
        first: for each note its first token; one more entry closes the last.
    """

    words: Ints
    starts: Ints
    ends: Ints
    titles: Bools
    first: Ints


class Tokenizer:
    """spaCy's tokenizer and what it said of each stretch.

    Memory is bounded: throw it away when it ``is_worn``. Not safe to share between threads; the
    engine keeps one for each.
    """

    def __init__(self) -> None:
        self.vocabulary = Vocabulary()
        self._table = _Table(self.vocabulary)

    @property
    def is_worn(self) -> bool:
        """Whether so much is remembered that a fresh tokenizer is due."""
        return len(self._table) > _RECYCLE_AT or self._table.characters > _RECYCLE_AT_CHARACTERS

    def __call__(self, texts: Sequence[str]) -> Tokens:
        """Tokenise folded notes."""
        codes = np.frombuffer("\n".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
        stretch_starts = _stretch_starts(codes)
        table = self._table
        stretches = chain.from_iterable(map(str.split, texts))
        numbers = np.fromiter(map(table.__getitem__, stretches), dtype=np.int32)
        note_starts = np.cumsum([0, *(len(text) + 1 for text in texts)])
        first_stretch = np.searchsorted(stretch_starts, note_starts)

        counts = np.frombuffer(table.count, np.int32)[numbers]
        after = np.cumsum(counts)
        firsts = np.frombuffer(table.first, np.int32)[numbers] - after + counts
        rows = np.arange(after[-1] if len(after) else 0) + np.repeat(firsts, counts)
        in_note = stretch_starts - np.repeat(note_starts[:-1], np.diff(first_stretch))
        offsets = np.repeat(in_note, counts).astype(np.int32)
        return Tokens(
            words=np.frombuffer(table.words, np.int32)[rows],
            starts=np.frombuffer(table.starts, np.int32)[rows] + offsets,
            ends=np.frombuffer(table.ends, np.int32)[rows] + offsets,
            titles=np.frombuffer(table.titles, np.bool_)[rows],
            first=np.append(0, after)[first_stretch].astype(np.int32),
        )

    def norms(self, phrase: str) -> list[str]:
        """The normalised words of a folded phrase: how rules and lexicons are read."""
        words = self.vocabulary.words
        return [words[number] for stretch in phrase.split() for number in self._table.words_of(stretch)]


class _Table(dict[str, int]):
    """Stretches by number, and their tokens in parallel columns; spaCy is asked when a stretch is first met.

    Attributes:
        first, count: for each stretch its first token, and how many it has.
        words, starts, ends, titles: as in ``Tokens``, offsets into the stretch.
        characters: of all stretches together.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        super().__init__()
        self._vocabulary = vocabulary
        self._nlp = spacy.blank("en")
        self._exceptions = frozenset(cast(spacy.tokenizer.Tokenizer, self._nlp.tokenizer).rules or ())
        self.first, self.count = array("i"), array("i")
        self.words, self.starts, self.ends, self.titles = array("i"), array("i"), array("i"), array("b")
        self.characters = 0

    def __missing__(self, stretch: str) -> int:
        before = len(self.words)
        self.characters += len(stretch)
        for first in range(0, len(stretch), _LONGEST):
            self._add_tokens(stretch[first : first + _LONGEST], first)
        self.first.append(before)
        self.count.append(len(self.words) - before)
        number = self[stretch] = len(self)
        return number

    def words_of(self, stretch: str) -> array[int]:
        """The words of a stretch."""
        number = self[stretch]
        first = self.first[number]
        return self.words[first : first + self.count[number]]

    def _add_tokens(self, piece: str, offset: int) -> None:
        # One word, no exception, a comma or full stop after it or nothing: what spaCy would say, without asking it.
        word = piece[:-1] if piece[-1] in ",." and piece[-2:-1] in _SMALL_LETTERS else piece
        if word.isalpha() and self._exceptions.isdisjoint((piece, word)):
            stop = offset + len(word)
            self._add_token(word.lower(), offset, stop, word.istitle())
            if word != piece:
                self._add_token(piece[-1], stop, stop + 1, False)
            return
        for token in self._nlp.make_doc(piece):
            if not token.is_space:
                start = offset + token.idx
                self._add_token(token.norm_.strip().lower(), start, start + len(token), token.is_title)

    def _add_token(self, norm: str, start: int, end: int, is_title: bool) -> None:
        self.words.append(self._vocabulary[_NORMS.get(norm, norm)])
        self.starts.append(start)
        self.ends.append(end)
        self.titles.append(is_title)


def _stretch_starts(codes: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Where each stretch between blanks begins; folding left only blanks, tabs and line breaks."""
    filled = np.ones(len(codes) + 1, dtype=bool)
    filled[0] = False
    filled[1:] = (codes != 32) & (codes != 10) & (codes != 9)
    return (filled[1:] & ~filled[:-1]).nonzero()[0]
