"""The words that an agency's notes bring to a model: its shorthand, and nothing that could name anybody.

A word, pair or triple enters only if three writers used it, if it holds no digit, and if each of its words is known
to the model or was written in small letters by three writers and never like a name: a capital inside a sentence, or
nothing but capitals, could be one. Writers who copied from each other count as one.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from peerdrift_nlp.classifier.corpus import LabelledNote
from peerdrift_nlp.classifier.features import START
from peerdrift_nlp.classifier.groups import writer_groups
from peerdrift_nlp.classifier.linear import LinearModel
from peerdrift_nlp.classifier.training import Examples, leaks
from peerdrift_nlp.text.fold import fold

FEWEST_USERS = 3
"""So many writers must have used a word before a model may hold it; who copied from each other is one."""

_WORD = re.compile(r"[^\W\d_][\w']*")
# A capital after a small letter, a comma or the like: not the first word of a sentence.
_NAMELIKE = re.compile(r"(?<=[a-z,;&)] )[A-Z][\w']*")


def with_new_words(model: LinearModel, data: Examples) -> LinearModel:
    """The model with the words of labelled notes that it did not know; they weigh nothing yet.

    Args:
        model: it keeps its own words in their columns.
        data: the sentences of labelled notes.
    """
    users: defaultdict[str, set[int]] = defaultdict(set)
    sentences: Counter[str] = Counter()
    writers: list[int] = writer_groups(data.notes).tolist()
    for row, writer in zip(data.rows, writers, strict=True):
        for term in {term for term in row.features() if "=" not in term}:
            users[term].add(writer)
            sentences[term] += 1
    allowed = _never_names(data.notes, writers) | model.column_of.keys()
    new = sorted(
        term
        for term, used_by in users.items()
        if len(used_by) >= FEWEST_USERS
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


def new_terms(terms: Sequence[str], known: Collection[str]) -> tuple[list[str], list[str]]:
    """The terms that are not among those known, for whoever must look at them: words; pairs and triples."""
    new = [term for term in terms if term not in known]
    return [term for term in new if " " not in term], [term for term in new if " " in term]


def _never_names(notes: Sequence[LabelledNote], writers: Sequence[int]) -> set[str]:
    """Words that enough writers wrote in small letters, and nobody with a capital inside a sentence."""
    users: defaultdict[str, set[int]] = defaultdict(set)
    names: set[str] = set()
    for text, writer in {(note.text, writer) for note, writer in zip(notes, writers, strict=True)}:
        folded = fold(text)
        names.update(word.lower() for word in _NAMELIKE.findall(folded))
        for word in _WORD.findall(folded):
            if word.islower():
                users[word].add(writer)
    return {word for word, used_by in users.items() if len(used_by) >= FEWEST_USERS} - names
