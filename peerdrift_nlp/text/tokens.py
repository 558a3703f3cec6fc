"""Tokens of a folded note, from spaCy's blank English tokenizer (no downloaded model).

spaCy tokenises each stretch between blanks by itself, so its answer for a stretch is remembered
and used again: the same tokens at a fraction of the cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from typing import NamedTuple, cast

import numpy as np
import spacy
from spacy.tokens import Doc

_RECYCLE_AT = 200_000

# Forms that spaCy's exception table leaves as they are; notes write contractions without apostrophes.
_NORMS = {
    "n't": "not", "nt": "not", "ca": "can", "wo": "will", "'m": "am", "m": "am", "'ll": "will", "'ve": "have",
    "'re": "are",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tokens:
    """Parallel columns, one entry a token, white space left out.

    ``norms`` are lower-case with contractions written out ("ca", "n't" become "can", "not");
    ``starts`` and ``ends`` are offsets into the text; ``titles`` are the indices of the
    capitalised words.
    """

    norms: list[str]
    starts: list[int]
    ends: list[int]
    titles: list[int]


class _Pieces(NamedTuple):
    """The tokens of one stretch between blanks; offsets count from its beginning."""

    norms: tuple[str, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    titles: tuple[bool, ...]


_titles = attrgetter("titles")


class Tokenizer(dict[str, _Pieces]):
    """spaCy's tokenizer and, as a dictionary, what it said of each stretch.

    Memory is bounded: throw it away when it ``is_worn``. Not safe to share between threads; the
    engine keeps one for each.
    """

    def __init__(self) -> None:
        super().__init__()
        self.nlp = spacy.blank("en")
        self.nlp.max_length = 2**31

    @property
    def is_worn(self) -> bool:
        """Whether so many words are remembered that a fresh tokenizer is due."""
        return len(self.nlp.vocab.strings) > _RECYCLE_AT or len(self) > _RECYCLE_AT

    def __call__(self, folded: str) -> Tokens:
        """Tokenise ``folded``; offsets are into it (and so into the text as given)."""
        pieces = [self[stretch] for stretch in folded.split()]
        places = list(zip(_stretch_starts(folded), pieces, strict=True))
        return Tokens(
            norms=[norm for norms, _, _, _ in pieces for norm in norms],
            starts=[at + start for at, (_, starts, _, _) in places for start in starts],
            ends=[at + end for at, (_, _, ends, _) in places for end in ends],
            titles=[index for index, is_title in enumerate(chain.from_iterable(map(_titles, pieces))) if is_title],
        )

    def __missing__(self, stretch: str) -> _Pieces:
        if stretch.isalpha() and stretch not in self.nlp.tokenizer.rules:
            # One word, no punctuation, no exception: what spaCy would say, without asking it.
            pieces = _Pieces((stretch.lower(),), (0,), (len(stretch),), (stretch.istitle(),))
        else:
            tokens = [token for token in self.nlp.make_doc(stretch) if not token.is_space]
            norms = (token.norm_.strip().lower() for token in tokens)
            pieces = _Pieces(
                norms=tuple(_NORMS.get(norm, norm) for norm in norms),
                starts=tuple(token.idx for token in tokens),
                ends=tuple(token.idx + len(token) for token in tokens),
                titles=tuple(token.is_title for token in tokens),
            )
        self[stretch] = pieces
        return pieces

    def norms(self, phrase: str) -> list[str]:
        """The normalised tokens of a phrase: how rules and lexicons are read."""
        return self(phrase).norms

    def doc(self, norms: list[str]) -> Doc:
        """Normalised tokens as a spaCy document, for its matchers."""
        return Doc(self.nlp.vocab, words=norms)


def _stretch_starts(folded: str) -> list[int]:
    """Where each stretch between blanks begins; folding left only blanks, tabs and line breaks."""
    codes = np.frombuffer(folded.encode("utf-32-le", "surrogatepass"), np.uint32)
    filled = np.ones(len(codes) + 1, dtype=bool)
    filled[0] = False
    filled[1:] = (codes != 32) & (codes != 10) & (codes != 9)
    return cast(list[int], (filled[1:] & ~filled[:-1]).nonzero()[0].tolist())
