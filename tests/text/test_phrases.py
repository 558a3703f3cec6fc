"""Phrases are whole words, however they are cased, quoted or spaced."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peerdrift_nlp.text.fold import fold
from peerdrift_nlp.text.phrases import Phrases

WORDS = st.lists(st.sampled_from(["kind", "Serenity", "C++", "(a)", "to-go", "12", "é", "'"]), min_size=1, max_size=4)


def found(phrases: list[str], text: str) -> list[str]:
    folded = fold(text)
    return [folded[span.start : span.end] for span in Phrases(phrases).find(folded)]


def test_case_space_and_quotes_do_not_matter() -> None:
    assert found(["Women’s  circle"], "the WOMEN'S\n circle met") == ["WOMEN'S\n circle"]


def test_only_whole_words() -> None:
    assert found(["art", "art room"], "Artful start, art. Art room") == ["art", "Art room"]


def test_phrases_may_overlap() -> None:
    """Each that stands there counts, wherever another began."""
    assert found(["art room", "room to go"], "the art room to go") == ["art room", "room to go"]
    assert found(["E", "\u00d7E"], "\u00d7E") == ["\u00d7E", "E"]


@pytest.mark.parametrize("phrases", [[], [""], ["  "]])
def test_nothing_finds_nothing(phrases: list[str]) -> None:
    assert found(phrases, "anything at all") == []
    assert not Phrases(phrases).cover("anything", 0, 8)


def test_the_stretch_that_is_asked_about() -> None:
    phrases = Phrases(["art room"])
    assert phrases.find("art room, art room", 8, 10) == []
    assert [span.start for span in phrases.find("art room, art room", 7, 11)] == [0, 10]


@pytest.mark.parametrize(
    ("text", "covered"),
    [
        ("- Art Room.", True),
        ("art room, sun room!", True),
        ("art room now", False),
        ("...", False),
        ("the art room", False),
    ],
)
def test_covered_is_a_sentence_without_other_words(text: str, covered: bool) -> None:
    assert Phrases(["art room", "sun room"]).cover(text, 0, len(text)) == covered


def test_covered_from_outside_the_sentence() -> None:
    text = "to the art room. Sun"
    assert Phrases(["art room. sun"]).cover(text, 17, 20)


@given(WORDS, st.text(max_size=30), st.text(max_size=30))
def test_a_phrase_between_blanks_is_found(words: list[str], before: str, after: str) -> None:
    phrase = " ".join(words)
    text = fold(f"{before} {phrase} {after}")
    place = len(before) + 1
    spans = Phrases([phrase]).find(text, place, place + len(phrase))
    assert spans and Phrases([phrase]).cover(text, place, place + len(phrase))


@given(st.lists(st.text(max_size=8), max_size=4), st.text(max_size=60))
def test_any_phrases_on_any_text(phrases: list[str], text: str) -> None:
    folded = fold(text)
    before = -1
    for span in Phrases(phrases).find(folded):
        assert before < span.start < span.end <= len(folded)
        assert not re.search(r"\w\Z", folded[: span.start]) and not re.match(r"\w", folded[span.end :])
        before = span.start
