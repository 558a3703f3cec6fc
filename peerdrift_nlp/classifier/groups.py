"""Who must be held out together: the sentences of a writer, and of writers who copied from each other."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import StratifiedGroupKFold

from peerdrift_nlp.classifier.corpus import Corpus, LabelledNote
from peerdrift_nlp.classifier.corpus.inventory import near_duplicates

Rows = NDArray[np.int64]
FOLDS = 5
_COPIED = 0.8


def writer_groups(notes: Sequence[LabelledNote]) -> Rows:
    """The group of each note, shape ``(notes,)``: its writer, joined with all who have a near-duplicate of theirs.

    Args:
        notes: labelled notes; one may stand several times.
    """
    distinct = {(note.voice, note.note_id): note for note in notes}
    writers = {voice: number for number, voice in enumerate(sorted({voice for voice, _ in distinct}))}
    alike = [
        (writers[first.partition("/")[0]], writers[second.partition("/")[0]])
        for first, second, similarity in near_duplicates(Corpus(tuple(distinct.values()), (), {}))
        if similarity >= _COPIED
    ]
    ends = np.array(alike, dtype=np.int64).reshape(-1, 2)
    links = coo_matrix((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(len(writers), len(writers)))
    _, group_of = connected_components(links, directed=False)
    return np.array([group_of[writers[note.voice]] for note in notes], dtype=np.int64)


def held_out_folds(positive: NDArray[np.bool_], groups: Rows, count: int = FOLDS) -> Iterator[tuple[Rows, Rows]]:
    """Rows to learn from and rows held out, whole groups at a time, with drift spread evenly.

    Args:
        positive: what to spread evenly, shape ``(rows,)``.
        groups: the group of each row; at least two.
        count: how many folds at most.
    """
    # Not shuffled, so that the same notes give the same folds.
    splitter = StratifiedGroupKFold(min(count, len(np.unique(groups))))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        yield from splitter.split(groups, positive, groups)
