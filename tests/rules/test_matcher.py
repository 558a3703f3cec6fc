"""The matcher against brute force: the prefilter must lose no match of any shipped pattern."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peerdrift_nlp.classifier.corpus import read_corpus
from peerdrift_nlp.rules.automata import Automata, WordKinds
from peerdrift_nlp.rules.automaton import BOUNDARY, Automaton, State, named_words
from peerdrift_nlp.rules.engine import RuleEngine
from peerdrift_nlp.rules.matcher import PatternSet
from peerdrift_nlp.rules.normal import NormalBatch
from peerdrift_nlp.rules.patterns import Pattern, PatternCompiler
from peerdrift_nlp.text.fold import fold
from peerdrift_nlp.text.sentences import split_sentences
from peerdrift_nlp.text.tokens import Vocabulary

_CORPUS = Path(__file__).parents[2] / "data" / "corpus"
_SOME_NOTES = 48

Matches = set[tuple[int, int, int, int]]


@cache
def engine() -> RuleEngine:
    return RuleEngine()


@cache
def patterns() -> list[Pattern]:
    packs = engine().packs
    classes = {name: phrases for pack in packs for name, phrases in pack.classes.items()}
    compiler = PatternCompiler(classes, lambda phrase: engine().tokenizer.norms(fold(phrase)), {})
    owners = [owner for pack in packs for owner in (*pack.rules, *pack.cues)]
    return [compiler.compile(text) for owner in owners for text in owner.patterns]


@cache
def begins() -> list[State]:
    # Each by itself, as no pattern may depend on what others share with it.
    return [Automaton().begin(pattern.parts) for pattern in patterns()]


@cache
def following(state: State, word: str) -> State | None:
    return state.after(word)


@cache
def pattern_set() -> PatternSet:
    return PatternSet([[pattern] for pattern in patterns()], engine().tokenizer.vocabulary)


@cache
def pattern_words() -> list[str]:
    required = (item.words for pattern in patterns() for item in pattern.required)
    return sorted(word for word in frozenset().union(*required) if word != BOUNDARY)


def batch_of(texts: list[str]) -> NormalBatch:
    folded = [fold(text) for text in texts]
    return engine().normalise(folded, [split_sentences(text) for text in folded])


def found(batch: NormalBatch) -> Matches:
    matches = pattern_set().find(batch, np.arange(batch.first_sentence[-1]))
    return {(sentence, *match) for sentence, rows in matches.items() for match in rows}


def stop_of(state: State, words: list[str], start: int) -> int:
    """The place after the longest match from ``start``, read word by word, or 0."""
    stop = 0
    for place in range(start, len(words)):
        after = following(state, words[place])
        if after is None:
            break
        state = after
        if state.is_end:
            stop = place + 1
    return stop


def stops_of(some: list[Pattern], words: list[str]) -> list[int]:
    """Where the longest match of each pattern ends from the first word, or 0."""
    kinds = WordKinds(named_words((part for pattern in some for part in pattern.parts), {}), Vocabulary())
    numbers, starts = np.arange(len(some)), np.zeros(len(some), dtype=np.int64)
    limits = np.full(len(some), len(words))
    automata = Automata([pattern.parts for pattern in some], kinds.words)
    return automata.stops(numbers, starts, limits, np.array(kinds.of_words(words), dtype=np.int32)).tolist()


def found_by_brute_force(batch: NormalBatch) -> Matches:
    """Every pattern tried at every place of every sentence."""
    matches: Matches = set()
    for sentence in range(batch.first_sentence[-1]):
        words = [BOUNDARY, *batch.words_of(sentence), BOUNDARY]
        unit = batch.units(sentence)[0] - 1
        for number, (pattern, begin) in enumerate(zip(patterns(), begins(), strict=True)):
            opens = not pattern.lead or BOUNDARY in pattern.lead
            free = 0
            for start in range(0 if opens else 1, len(words) - 1):
                stop = stop_of(begin, words, start) if start >= free else 0
                if stop:
                    last = min(stop, len(words) - 1) - 1
                    matches.add((sentence, number, unit + max(start, 1), unit + last))
                    free = stop + 1 if opens else 0
    return matches


@pytest.mark.parametrize("part", range(4))
def test_no_match_is_lost_in_notes(part: int) -> None:
    notes = read_corpus(_CORPUS).notes
    texts = [note.text for note in notes[part :: len(notes) // (_SOME_NOTES // 4)]]
    batch = batch_of(texts)
    assert found(batch) == found_by_brute_force(batch)


def test_a_match_up_to_the_end_of_a_sentence_leaves_the_next_one_free() -> None:
    batch = batch_of(["f10\n\nf10"])
    assert {sentence for sentence, *_ in found(batch)} == {0, 1}
    assert found(batch) == found_by_brute_force(batch)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_no_match_is_lost_in_sentences_of_pattern_words(data: st.DataObject) -> None:
    words = st.sampled_from([*pattern_words(), *",.;:-?", "qwxyz", "one;two"])
    sentences = st.lists(st.lists(words, min_size=1, max_size=12).map(" ".join), min_size=1, max_size=4)
    batch = batch_of(data.draw(st.lists(sentences.map("\n\n".join), max_size=2)))
    assert found(batch) == found_by_brute_force(batch)


@pytest.mark.parametrize("texts", [[], [""], ["\n\n"], ["", "I told him to go.", ""]])
def test_batches_with_little_in_them(texts: list[str]) -> None:
    batch = batch_of(texts)
    assert found(batch) == found_by_brute_force(batch)


def test_a_pattern_that_needs_no_word_at_all_is_searched_everywhere() -> None:
    compiler = PatternCompiler({}, str.split, {})
    batch = batch_of(["She left. He stayed on."])
    matches = PatternSet([[compiler.compile("_ _")]], engine().tokenizer.vocabulary).find(batch, np.arange(2))
    assert {sentence: len(rows) for sentence, rows in matches.items()} == {0: 1, 1: 1}


def test_an_automaton_takes_linear_time() -> None:
    compiler = PatternCompiler({}, str.split, {})
    hostile = compiler.compile(" ".join(["(... | took ..)"] * 12).replace("| ", "|").replace("(... ", "(...") + " end")
    assert stops_of([hostile], ["took"] * 20_000) == [0]


def test_forgotten_states_change_no_match(monkeypatch: pytest.MonkeyPatch) -> None:
    compiler = PatternCompiler({}, str.split, {})
    some = [compiler.compile(text) for text in ("a ... (b|c d) e?", "a .. (a|b) ... e", "(a|b c)? ... a e", "a x a")]
    words = "a x a b c d e a e b c a x y b e a b c d a x b e".split()
    expected = stops_of(some, words)
    assert all(expected)
    monkeypatch.setattr("peerdrift_nlp.rules.automata._MOST_STATES", 1)
    assert stops_of(some, words) == expected
