"""Tokens of a folded note, from spaCy's blank English tokenizer (no downloaded model)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import spacy
from spacy.attrs import IDX, IS_TITLE, LENGTH, NORM
from spacy.tokens import Doc

_RECYCLE_AT = 200_000

# Forms that spaCy's exception table leaves as they are; notes write contractions without apostrophes.
_NORMS = {"m": "am", "nt": "not", "n't": "not", "ca": "can", "wo": "will", "'m": "am", "'ll": "will", "'ve": "have", "'re": "are"}


@dataclass(frozen=True, slots=True)
class Tokens:
    """Parallel columns, one entry a token, white space left out.

    ``norms`` are lower-case with contractions written out ("ca", "n't" become "can", "not");
    ``doc`` is spaCy's own view, for its matchers; ``positions`` are the tokens' indices in it.
    """

    norms: list[str]
    starts: list[int]
    ends: list[int]
    titles: list[bool]
    positions: list[int]
    doc: Doc


class Tokenizer:
    """spaCy's tokenizer with bounded memory: the string store is thrown away when it has grown.

    Not safe to share between threads; the engine keeps one for each.
    """

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        self.nlp = spacy.blank("en")
        self.nlp.max_length = 2**31
        self._norms: dict[int, str] = {}

    @property
    def is_worn(self) -> bool:
        """Whether the string store holds so many words that a fresh tokenizer is due."""
        return len(self.nlp.vocab.strings) > _RECYCLE_AT

    def __call__(self, folded: str) -> Tokens:
        """Tokenise ``folded``; offsets are into it (and so into the text as given)."""
        doc = self.nlp.make_doc(folded)
        columns = doc.to_array([NORM, IDX, LENGTH, IS_TITLE])
        norm_of = self._norm_of
        norms = [norm_of(key) for key in columns[:, 0].tolist()]
        starts = columns[:, 1].astype(np.int64)
        ends = starts + columns[:, 2].astype(np.int64)
        keep = [index for index, norm in enumerate(norms) if norm]
        if len(keep) < len(norms):
            norms = [norms[index] for index in keep]
            columns, starts, ends = columns[keep], starts[keep], ends[keep]
        return Tokens(norms, starts.tolist(), ends.tolist(), columns[:, 3].astype(bool).tolist(), keep, doc)

    def _norm_of(self, key: int) -> str:
        norm = self._norms.get(key)
        if norm is None:
            text = self.nlp.vocab.strings[key].strip().lower()
            norm = self._norms[key] = _NORMS.get(text, text)
        return norm

    def norms(self, phrase: str) -> list[str]:
        """The normalised tokens of a phrase: how rules and lexicons are read."""
        return self(phrase).norms
