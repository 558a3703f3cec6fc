"""Tokens of a folded note, from spaCy's blank English tokenizer (no downloaded model).

spaCy tokenises each stretch between blanks by itself, so its answer for a stretch is remembered
and used again: the same tokens at a fifth of the cost.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

import spacy
from spacy.tokens import Doc

_RECYCLE_AT = 200_000
_STRETCH = re.compile(r"\S+")

# Forms that spaCy's exception table leaves as they are; notes write contractions without apostrophes.
_NORMS = {
    "n't": "not", "nt": "not", "ca": "can", "wo": "will", "'m": "am", "m": "am", "'ll": "will", "'ve": "have",
    "'re": "are",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tokens:
    """Parallel columns, one entry a token, white space left out.

    ``norms`` are lower-case with contractions written out ("ca", "n't" become "can", "not");
    ``titles`` are the indices of the capitalised words.
    """

    norms: list[str]
    starts: list[int]
    ends: list[int]
    titles: list[int]


class _Pieces(NamedTuple):
    """The tokens of one stretch between blanks; offsets and indices count from its beginning."""

    norms: tuple[str, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    titles: tuple[int, ...]


class Tokenizer:
    """spaCy's tokenizer with bounded memory: what it remembers is thrown away when it has grown.

    Not safe to share between threads; the engine keeps one for each.
    """

    def __init__(self) -> None:
        self.nlp = spacy.blank("en")
        self.nlp.max_length = 2**31
        self._remembered: dict[str, _Pieces] = {}

    @property
    def is_worn(self) -> bool:
        """Whether so many words are remembered that a fresh tokenizer is due."""
        return len(self.nlp.vocab.strings) > _RECYCLE_AT or len(self._remembered) > _RECYCLE_AT

    def __call__(self, folded: str) -> Tokens:
        """Tokenise ``folded``; offsets are into it (and so into the text as given)."""
        norms: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        titles: list[int] = []
        recall = self._remembered.get
        for stretch in _STRETCH.finditer(folded):
            text = stretch[0]
            pieces = recall(text) or self._tokenize(text)
            at = stretch.start()
            if pieces.titles:
                titles += [len(norms) + index for index in pieces.titles]
            norms += pieces.norms
            starts += [at + offset for offset in pieces.starts]
            ends += [at + offset for offset in pieces.ends]
        return Tokens(norms, starts, ends, titles)

    def _tokenize(self, text: str) -> _Pieces:
        tokens = [token for token in self.nlp.make_doc(text) if not token.is_space]
        norms = (token.norm_.strip().lower() for token in tokens)
        pieces = _Pieces(
            norms=tuple(_NORMS.get(norm, norm) for norm in norms),
            starts=tuple(token.idx for token in tokens),
            ends=tuple(token.idx + len(token) for token in tokens),
            titles=tuple(index for index, token in enumerate(tokens) if token.is_title),
        )
        self._remembered[text] = pieces
        return pieces

    def norms(self, phrase: str) -> list[str]:
        """The normalised tokens of a phrase: how rules and lexicons are read."""
        return self(phrase).norms

    def doc(self, norms: list[str]) -> Doc:
        """Normalised tokens as a spaCy document, for its matchers."""
        return Doc(self.nlp.vocab, words=norms)
