"""Score batches of normalised notes with a ``LinearModel``, without making a string of any n-gram.

The words of a batch are numbers already. So pairs and triples of words are looked up as numbers,
for all sentences at once; the result is that of ``LinearModel.probabilities`` on the same rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from peerdrift_nlp.classifier.features import START, as_feature, is_word
from peerdrift_nlp.classifier.linear import Floats, LinearModel
from peerdrift_nlp.rules.normal import NormalBatch

Ints = NDArray[np.int64]
_NO_WORD, _PUNCTUATION = -1, -2


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
        self._pairs = _Table({self._key(words): column for words, column in grams if len(words) == 2})
        self._triples = _Table({self._key(words): column for words, column in grams if len(words) == 3})
        self._known: Ints = np.zeros(0, dtype=np.int64)

    def __call__(self, batch: NormalBatch, others: Sequence[Sequence[str]]) -> Floats:
        """Calibrated probabilities of all sentences of a batch, shape ``(sentences, outputs)``.

        Args:
            batch: the notes.
            others: for each sentence its features beside its words; none where it is not scored.
        """
        scored = np.array([bool(row) for row in others], dtype=bool)
        sentences, columns = self._ngram_columns(batch, scored)
        find = self._model.column_of.get
        known = [[column for column in map(find, row) if column is not None] for row in others]
        sentences = np.concatenate([sentences, np.repeat(np.arange(len(others)), [len(row) for row in known])])
        columns = np.concatenate([columns, np.array([column for row in known for column in row], dtype=np.int64)])
        # Each feature counts once a sentence, and sentences in their order.
        distinct = np.unique(sentences * len(self._model.terms) + columns)
        counts = np.bincount(distinct // len(self._model.terms), minlength=len(others))
        scores = self._model.scores(distinct % len(self._model.terms), counts, self._outputs)
        return self._model.calibrated(scores, scored, self._outputs)

    def _ngram_columns(self, batch: NormalBatch, scored: NDArray[np.bool_]) -> tuple[Ints, Ints]:
        """Sentence and column of every known word, pair and triple."""
        sentence = np.repeat(np.arange(len(scored)), np.diff(batch.first_unit))
        words = self._model_words(batch)
        keep = scored[sentence] & (words != _PUNCTUATION)
        words, sentence = words[keep], sentence[keep]
        opens = np.append(True, sentence[1:] != sentence[:-1])[: len(words)]
        before = np.where(opens, self._start, np.append(_NO_WORD, words[:-1])[: len(words)])
        opens_before = np.append(True, opens[:-1])[: len(words)]
        before_that = np.where(opens_before, self._start, np.append([_NO_WORD] * 2, words[:-2])[: len(words)])

        singles = np.where(words >= 0, self._column_of_word[words], -1)
        known_pair = (words >= 0) & (before >= 0)
        pairs = np.where(known_pair, self._pairs.find(before * self._base + words), -1)
        known_triple = known_pair & (before_that >= 0) & ~opens
        triples = np.where(
            known_triple, self._triples.find((before_that * self._base + before) * self._base + words), -1
        )
        columns = np.concatenate([singles, pairs, triples])
        sentences = np.tile(sentence, 3)
        return sentences[columns >= 0], columns[columns >= 0]

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


class _Table:
    """Columns by key, looked up for whole arrays of keys."""

    def __init__(self, columns: dict[int, int]) -> None:
        self._keys = np.array(sorted(columns), dtype=np.int64)
        self._columns = np.array([columns[key] for key in sorted(columns)], dtype=np.int64)

    def find(self, keys: Ints) -> Ints:
        """The column of each key, or -1."""
        if not len(self._keys):
            return np.full(len(keys), -1, dtype=np.int64)
        places = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        return np.where(self._keys[places] == keys, self._columns[places], -1)
