"""The fast way of scoring and the plain one give the same probabilities, digit for digit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peerdrift_nlp.classifier.corpus import LabelledNote
from peerdrift_nlp.classifier.features import Row, note_rows, other_features
from peerdrift_nlp.classifier.linear import LinearModel
from peerdrift_nlp.classifier.scorer import Scorer
from peerdrift_nlp.rules.engine import RuleEngine
from peerdrift_nlp.taxonomy import LABELS
from peerdrift_nlp.text.fold import fold
from peerdrift_nlp.text.sentences import split_sentences
from peerdrift_nlp.types import Sentence

ALL = slice(None)
WORDS = (
    "drove",
    "her",
    "I",
    "told him",
    "he needs to",
    "^",
    "#",
    "=",
    "rule=x",
    "a=b",
    "@name",
    "meds",
    "God",
    "42",
    "-",
    '"',
)
NOTE_LIKE = st.lists(
    st.one_of(st.sampled_from(WORDS), st.sampled_from([". ", "\n", "D: ", "\n\n", "! ", "? "]), st.text(max_size=6)),
    max_size=40,
).map(" ".join)


def without_surrogates(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


TEXTS = st.lists(st.one_of(NOTE_LIKE, st.text(max_size=80)).map(without_surrogates), min_size=1, max_size=5)


def both_ways(
    engine: RuleEngine,
    model: LinearModel,
    scorer: Scorer,
    texts: Sequence[str],
    outputs: slice = ALL,
    units: Sequence[list[Sentence]] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of a batch of notes from the rows one by one, and from the scorer at once."""
    folded = [fold(text) for text in texts]
    sentences = [split_sentences(text) for text in folded] if units is None else units
    batch = engine.normalise(folded, sentences)
    hits = engine.find(batch, sentences)
    rows: list[Row] = []
    others: list[list[str]] = []
    for number, (of_note, found) in enumerate(zip(sentences, hits, strict=True)):
        rows += note_rows(batch, number, of_note, found)
        others += other_features(of_note, found)
    if not rows:
        empty = np.zeros((0, len(model.outputs[outputs])), dtype=np.float32)
        return empty, scorer.score(batch, others)[0]
    return model.probabilities(rows, outputs), scorer.score(batch, others)[0]


def model_of(features: Iterable[str], seed: int) -> LinearModel:
    """Arbitrary weights for given features, and for a few that no text has."""
    terms = tuple(sorted({*features, "never seen before", "drove", "^ drove", "^ i", "section="}))
    names = (*LABELS, "clinical.medication")
    random = np.random.default_rng(seed)

    def some(*shape: int) -> np.ndarray:
        return random.normal(size=shape).astype(np.float32)

    return LinearModel(
        names, terms, np.abs(some(len(terms))) + 1, some(len(terms), len(names)), some(len(names)), some(len(names), 2)
    )


def features_of(engine: RuleEngine, texts: Sequence[str]) -> set[str]:
    folded = [fold(text) for text in texts]
    sentences = [split_sentences(text) for text in folded]
    batch = engine.normalise(folded, sentences)
    hits = engine.find(batch, sentences)
    rows = [row for number in range(len(texts)) for row in note_rows(batch, number, sentences[number], hits[number])]
    return {feature for row in rows for feature in row.features()}


def test_on_every_note_of_the_corpus(engine: RuleEngine, model: LinearModel, notes: list[LabelledNote]) -> None:
    scorer = Scorer(model, ALL)
    for note in notes:
        plain, fast = both_ways(engine, model, scorer, [note.text], units=[note.spans()])
        assert plain.shape == (len(note.sentences), len(model.outputs))
        assert plain.tobytes() == fast.tobytes(), note.note_id


def test_on_the_notes_of_the_corpus_in_one_batch(
    engine: RuleEngine, model: LinearModel, notes: list[LabelledNote]
) -> None:
    texts = [note.text for note in notes]
    plain, fast = both_ways(engine, model, Scorer(model, ALL), texts)
    assert plain.tobytes() == fast.tobytes()


def test_a_note_scores_the_same_alone_and_in_a_batch(
    engine: RuleEngine, model: LinearModel, notes: list[LabelledNote]
) -> None:
    scorer = Scorer(model, ALL)
    texts = [note.text for note in notes]
    _, together = both_ways(engine, model, scorer, texts)
    alone = [both_ways(engine, model, scorer, [text])[1] for text in texts]
    assert np.concatenate(alone).tobytes() == together.tobytes()


def test_on_the_notes_with_a_model_that_knows_every_feature(engine: RuleEngine, notes: list[LabelledNote]) -> None:
    texts = [note.text for note in notes]
    rich = model_of(features_of(engine, texts), seed=1)
    plain, fast = both_ways(engine, rich, Scorer(rich, ALL), texts)
    assert plain.tobytes() == fast.tobytes()


def test_some_columns_are_the_same_as_in_all(engine: RuleEngine, model: LinearModel, notes: list[LabelledNote]) -> None:
    texts = [note.text for note in notes[:8]]
    few = slice(len(LABELS))
    plain, fast = both_ways(engine, model, Scorer(model, few), texts, outputs=few)
    _, whole = both_ways(engine, model, Scorer(model, ALL), texts)
    assert plain.tobytes() == fast.tobytes()
    assert np.array_equal(fast, whole[:, few])


@settings(deadline=None, max_examples=150)
@given(texts=TEXTS)
def test_on_arbitrary_texts(engine: RuleEngine, model: LinearModel, texts: list[str]) -> None:
    plain, fast = both_ways(engine, model, Scorer(model, ALL), texts)
    assert plain.tobytes() == fast.tobytes()


@settings(deadline=None, max_examples=150)
@given(texts=TEXTS, seed=st.integers(0, 5), share=st.integers(1, 3))
def test_on_arbitrary_texts_with_models_that_know_their_words(
    engine: RuleEngine, texts: list[str], seed: int, share: int
) -> None:
    known = sorted(features_of(engine, texts))[::share]
    rich = model_of(known, seed)
    plain, fast = both_ways(engine, rich, Scorer(rich, ALL), texts)
    assert plain.tobytes() == fast.tobytes()


@settings(deadline=None, max_examples=30)
@given(batches=st.lists(TEXTS, min_size=2, max_size=4))
def test_a_scorer_that_has_seen_other_batches_scores_like_a_fresh_one(
    engine: RuleEngine, model: LinearModel, batches: list[list[str]]
) -> None:
    kept = Scorer(model, ALL)
    for texts in [*batches, batches[0]]:
        _, first = both_ways(engine, model, kept, texts)
        _, fresh = both_ways(engine, model, Scorer(model, ALL), texts)
        assert first.tobytes() == fresh.tobytes()


def test_words_that_look_like_features_are_words_only(engine: RuleEngine) -> None:
    """A note cannot write itself a rule hit, a section or the start of a sentence."""
    texts = ["stands=clinical", "rule=medication.counting", "section=plan", "^ drove", "place=first"]
    features = features_of(engine, texts)
    assert not {"stands=clinical", "rule=medication.counting", "section=plan"} & features
    model = model_of(features, seed=3)
    plain, fast = both_ways(engine, model, Scorer(model, ALL), texts)
    assert plain.tobytes() == fast.tobytes()


def test_headings_and_signatures_get_zeros(engine: RuleEngine, model: LinearModel) -> None:
    text = "PLAN:\nI drove her to the store.\nJordan P., CPS"
    plain, fast = both_ways(engine, model, Scorer(model, ALL), [text])
    assert not fast[0].any() and fast[1].all() and not fast[2].any()
    assert plain.tobytes() == fast.tobytes()


@pytest.mark.parametrize("texts", [[], [""], ["", " \n ", ""], ["...", "!"], ["PLAN:"]], ids=repr)
def test_batches_with_little_in_them(engine: RuleEngine, model: LinearModel, texts: list[str]) -> None:
    plain, fast = both_ways(engine, model, Scorer(model, ALL), texts)
    assert plain.shape == fast.shape
    assert plain.tobytes() == fast.tobytes()


def test_a_model_of_single_words_only(engine: RuleEngine) -> None:
    names = LABELS
    ones = np.ones((2, len(names)), dtype=np.float32)
    model = LinearModel(names, ("drove", "her"), ones[:, 0], ones, ones[0], np.ones((len(names), 2), dtype=np.float32))
    plain, fast = both_ways(engine, model, Scorer(model, ALL), ["I drove her home.", "Nothing."])
    assert plain.tobytes() == fast.tobytes()
