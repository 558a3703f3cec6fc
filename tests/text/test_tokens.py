"""The shortcut for plain words must say what spaCy says."""

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

from peerdrift_nlp.text.tokens import Tokenizer

TOKENIZER = Tokenizer()
SPACY = spacy.blank("en")

STRETCHES = st.builds(
    lambda word, mark: word + mark,
    st.one_of(st.text("abcdefghimprstuvABCDEIMTéß中", max_size=8), st.sampled_from(sorted(SPACY.tokenizer.rules))),
    st.sampled_from([*",.;:!?", "..", ",.", ".,", ""]),
).filter(lambda stretch: stretch and not any(char.isspace() for char in stretch))


@given(STRETCHES)
def test_a_stretch_is_cut_where_spacy_cuts_it(stretch: str) -> None:
    tokens = TOKENIZER([stretch])
    expected = [(token.idx, token.idx + len(token), token.is_title) for token in SPACY(stretch)]
    assert list(zip(tokens.starts.tolist(), tokens.ends.tolist(), tokens.titles.tolist(), strict=True)) == expected


@pytest.mark.parametrize(
    ("phrase", "words"),
    [
        ("Called Tom, left.", ["called", "tom", ",", "left", "."]),
        ("Dr. Lee, at 9 a.m.", ["dr.", "lee", ",", "at", "9", "a.m."]),
        ("can't,", ["can", "not", ","]),
        ("", []),
    ],
)
def test_the_words_of_a_phrase_are_those_of_a_note(phrase: str, words: list[str]) -> None:
    tokens = TOKENIZER([phrase])
    assert [TOKENIZER.vocabulary.words[number] for number in tokens.words] == words
    assert TOKENIZER.norms(phrase) == words
