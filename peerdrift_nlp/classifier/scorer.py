"""Score batches of normalised notes with a ``LinearModel``, without making a string of any n-gram.

The words of a batch are numbers already. So pairs and triples of words are looked up as numbers,
for all sentences at once; the result is that of ``LinearModel.probabilities`` on the same rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, repeat
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from peerdrift_nlp.classifier.features import START, as_feature, is_word
from peerdrift_nlp.classifier.linear import Floats, LinearModel
from peerdrift_nlp.rules.normal import NormalBatch
from peerdrift_nlp.text.lookup import LookUp

Ints = NDArray[np.int64]
_NO_WORD, _PUNCTUATION = -1, -2


class Grams(NamedTuple):
    """The words, pairs and triples of a batch that the model knows, in order of place.

    Attributes:
        first: the first of each sentence; one more entry closes the last.
        columns: the model's columns.
        begins, lasts: the units that they begin and end with.
    """

    first: Ints
    columns: Ints
    begins: Ints
    lasts: Ints


class Features(NamedTuple):
    """All that the model knows of a batch: each feature once for each of its sentences.

    Attributes:
        first: the first of each sentence; one more entry closes the last.
        columns: the model's columns.
        grams: those that are words, with their places.
    """

    first: Ints
    columns: Ints
    grams: Grams


def rows_of(first: Ints, sentences: Ints) -> tuple[Ints, Ints]:
    """The rows of the given sentences, one sentence after the other, and how many each has."""
    counts = first[sentences + 1] - first[sentences]
    before = np.cumsum(counts) - counts
    return np.arange(counts.sum()) + np.repeat(first[sentences] - before, counts), counts


class Scorer:
    """A model bound to the vocabulary of one tokenizer.

    Args:
        model: the model.
        outputs: the columns to score.
    """

    def __init__(self, model: LinearModel, outputs: slice) -> None:
        self._model = model
        self._outputs = outputs
        grams = [(term.split(" "), column) for column, term in enumerate(model.terms) if "=" not in term]
        parts = dict.fromkeys(word for words, _ in grams for word in words)
        self._word_of = {word: number for number, word in enumerate(parts)}
        self._start = self._word_of.get(START, _NO_WORD)
        self._base = len(self._word_of) + 1
        self._column_of_word = np.full(self._base, -1, dtype=np.int64)
        for words, column in grams:
            if len(words) == 1:
                self._column_of_word[self._word_of[words[0]]] = column
        self._pairs = LookUp({self._key(words): column for words, column in grams if len(words) == 2})
        self._triples = LookUp({self._key(words): column for words, column in grams if len(words) == 3})
        self._known: Ints = np.zeros(0, dtype=np.int64)

    def score(self, batch: NormalBatch, others: Sequence[Sequence[str]]) -> tuple[Floats, Features]:
        """Calibrated probabilities of all sentences, shape ``(sentences, outputs)``, and what the model knows of them.

        Args:
            batch: the notes.
            others: for each sentence its features beside its words; none where it is not scored.
        """
        scored = np.array([bool(row) for row in others], dtype=bool)
        grams = self._grams(batch, scored)
        found = map(self._model.column_of.get, chain.from_iterable(others), repeat(-1))
        columns = np.append(grams.columns, np.fromiter(found, dtype=np.int64))
        sentences = np.repeat(np.tile(np.arange(len(others)), 2), [*np.diff(grams.first), *map(len, others)])
        sentences, columns = sentences[columns >= 0], columns[columns >= 0]
        # Each feature counts once a sentence, and sentences in their order. (``np.unique`` is slower, and so are other
        # kinds of sorting: a stable one makes use of the order that is there.)
        ordered = np.sort(sentences * len(self._model.terms) + columns, kind="stable")
        distinct = ordered[np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]]
        counts = np.bincount(distinct // len(self._model.terms), minlength=len(others))
        features = Features(np.append(0, np.cumsum(counts)), distinct % len(self._model.terms), grams)
        scores = self._model.scores(features.columns, counts, self._outputs)
        return self._model.calibrated(scores, scored, self._outputs), features

    def _grams(self, batch: NormalBatch, scored: NDArray[np.bool_]) -> Grams:
        """Every known word, pair and triple of the scored sentences."""
        sentence = np.repeat(np.arange(len(scored)), np.diff(batch.first_unit))
        words = self._model_words(batch)
        units = (scored[sentence] & (words != _PUNCTUATION)).nonzero()[0]
        words, sentence = words[units], sentence[units]
        opens = np.append(True, sentence[1:] != sentence[:-1])[: len(words)]
        before = np.where(opens, self._start, np.append(_NO_WORD, words[:-1])[: len(words)])
        opens_before = np.append(True, opens[:-1])[: len(words)]
        before_that = np.where(opens_before, self._start, np.append([_NO_WORD] * 2, words[:-2])[: len(words)])

        singles = np.where(words >= 0, self._column_of_word[words], -1)
        pairs, triples = np.full((2, len(words)), -1, dtype=np.int64)
        at = ((words >= 0) & (before >= 0)).nonzero()[0]
        pair_keys = before[at] * self._base + words[at]
        pairs[at] = self._pairs.find(pair_keys)
        is_triple = (before_that[at] >= 0) & ~opens[at]
        at, pair_keys = at[is_triple], pair_keys[is_triple]
        triples[at] = self._triples.find(before_that[at] * self._base**2 + pair_keys)
        columns = np.stack([singles, pairs, triples], axis=1).ravel()
        # The opening of a sentence has no unit of its own.
        pair_begins = np.where(opens, units, np.roll(units, 1))
        triple_begins = np.where(opens_before, pair_begins, np.roll(units, 2))
        begins = np.stack([units, pair_begins, triple_begins], axis=1).ravel()
        known = (columns >= 0).nonzero()[0]
        words_known = known // 3
        counts = np.bincount(sentence[words_known], minlength=len(scored))
        return Grams(np.append(0, np.cumsum(counts)), columns[known], begins[known], units[words_known])

    def _model_words(self, batch: NormalBatch) -> Ints:
        """The batch's word numbers as the model's; new words of the vocabulary are looked up once."""
        vocabulary = batch.vocabulary.words
        if len(self._known) < len(vocabulary):
            new = [
                self._word_of.get(as_feature(word), _NO_WORD) if is_word(word) else _PUNCTUATION
                for word in vocabulary[len(self._known) :]
            ]
            self._known = np.append(self._known, np.array(new, dtype=np.int64))
        return self._known[batch.words]

    def _key(self, words: Sequence[str]) -> int:
        key = 0
        for word in words:
            key = key * self._base + self._word_of[word]
        return key
