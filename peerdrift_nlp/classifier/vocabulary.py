"""The words that an agency's notes bring to a model: its shorthand, and nothing that could name anybody.

A word, pair or triple enters only if three writers used it, if it holds no digit, and if its words are known to the
model or written in small letters only: a capital inside a sentence, or nothing but capitals, could be a name.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from peerdrift_nlp.classifier.corpus import LabelledNote
from peerdrift_nlp.classifier.features import START
from peerdrift_nlp.classifier.linear import LinearModel
from peerdrift_nlp.classifier.training import Examples, leaks
from peerdrift_nlp.text.fold import fold

FEWEST_USERS = 3
"""So many writers must have used a word before a model may hold it."""

_WORD = re.compile(r"[^\W\d_][\w']*")
# A capital after a small letter, a comma or the like: not the first word of a sentence.
_NAMELIKE = re.compile(r"(?<=[a-z,;&)] )[A-Z][\w']*")


def with_new_words(model: LinearModel, data: Examples) -> LinearModel:
    """The model with the words of labelled notes that it did not know; they weigh nothing yet.

    Args:
        model: it keeps its own words in their columns.
        data: the sentences of labelled notes.
    """
    users: defaultdict[str, set[str]] = defaultdict(set)
    sentences: Counter[str] = Counter()
    for row, note in zip(data.rows, data.notes, strict=True):
        for term in {term for term in row.features() if "=" not in term}:
            users[term].add(note.voice)
            sentences[term] += 1
    allowed = _never_names(data.notes) | model.column_of.keys()
    new = sorted(
        term
        for term, writers in users.items()
        if len(writers) >= FEWEST_USERS
        and term not in model.column_of
        and not leaks(term)
        and allowed.issuperset(term.removeprefix(f"{START} ").split())
    )
    idf = np.log((1 + len(data.rows)) / (1 + np.array([sentences[term] for term in new]))) + 1
    return replace(
        model,
        terms=(*model.terms, *new),
        idf=np.append(model.idf, idf).astype(np.float32),
        coef=np.vstack([model.coef, np.zeros((len(new), len(model.outputs)))]).astype(np.float32),
    )


def new_words(terms: Sequence[str], known: Collection[str]) -> list[str]:
    """The single words among terms that are not among those known, for whoever must look at them."""
    return [term for term in terms if term not in known and " " not in term]


def _never_names(notes: Sequence[LabelledNote]) -> set[str]:
    """Words written in small letters, and nowhere with a capital inside a sentence."""
    texts = {fold(note.text) for note in notes}
    small = {word for text in texts for word in _WORD.findall(text) if word.islower()}
    return small - {word.lower() for text in texts for word in _NAMELIKE.findall(text)}
