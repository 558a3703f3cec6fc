import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from peerdrift_nlp.rules.engine import RuleEngine
from peerdrift_nlp.rules.matcher import PatternSet
from peerdrift_nlp.rules.patterns import PatternError, compile_pattern
from peerdrift_nlp.text.fold import fold
from peerdrift_nlp.text.sentences import split_sentences

_ENGINE = RuleEngine()  # Hypothesis calls its tests many times, so no fixture
CLASSES = {"tell": ["told", "tells"], "them": ["him", "her", "the client"], "both": ["{tell} {them}"]}


def matched(engine: RuleEngine, pattern: str, text: str) -> str | None:
    """The stretch of ``text`` that ``pattern`` marks."""
    folded = fold(text)
    batch = engine.normalise([folded], [split_sentences(folded)])
    compiled = compile_pattern(pattern, CLASSES, lambda phrase: engine.tokenizer.norms(fold(phrase)))
    found = PatternSet([[compiled]], engine.tokenizer.vocabulary).find(batch, np.arange(batch.first_sentence[-1]))
    for _, first, last in next(iter(found.values()), ()):
        return text[batch.starts[first] : batch.ends[last]]
    return None


@pytest.mark.parametrize(
    ("pattern", "text", "marked"),
    [
        ("counted", "I Counted them.", "Counted"),
        ("{tell} {them} to", "I told the client to go.", "told the client to"),
        ("{both} to", "I told her to go.", "told her to"),
        ("can not", "I can't go.", "can't"),
        ("can not", "I can’t go.", "can’t"),
        ("told (him|her) to", "told  her\u00a0to go", "told  her\u00a0to"),
        ("told (him|her)? to", "Told to go.", "Told to"),
        ("really? sober", "not sober", "sober"),
        ("really? sober", "not really sober", "really sober"),
        ("took _ pills", "She took her pills.", "took her pills"),
        ("took _ pills", "She took pills.", None),
        ("took .. pills", "She took pills.", "took pills"),
        ("took ... pills", "She took all of her small white pills.", "took all of her small white pills"),
        ("took ... pills", "She took a walk; no pills.", None),
        ("took ... pills", "She took it. Pills are gone.", None),
        ("^ told", "Told her. I told him.", "Told"),
        ("^ told", "I told him.", None),
        ("agreed $", "She agreed.", "agreed."),
        ("@med", "gave her the Seroquel today", "Seroquel"),
        ("told @name", "I told Marcus that", "told Marcus"),
    ],
)
def test_the_language(engine: RuleEngine, pattern: str, text: str, marked: str | None) -> None:
    assert matched(engine, pattern, text) == marked


@pytest.mark.parametrize(
    ("pattern", "complaint"),
    [
        ("", "empty"),
        ("told (him", "unbalanced"),
        ("told him)", "unbalanced"),
        ("told | him", "unbalanced"),
        ("told {nobody}", "unknown word class {nobody}"),
        ("told (him|) to", "empty alternative"),
        ("told {", "cannot read"),
    ],
)
def test_what_cannot_be_compiled_is_said(engine: RuleEngine, pattern: str, complaint: str) -> None:
    with pytest.raises(PatternError, match=complaint.replace("{", r"\{").replace("}", r"\}")):
        matched(engine, pattern, "any text")


@given(st.lists(st.text(alphabet=st.characters(blacklist_categories=("Cs",)), min_size=1, max_size=12), max_size=12))
def test_a_planted_phrase_is_found_in_any_company(words: list[str]) -> None:
    text = " ".join(words) + "\n\ncounted her pills\n\n" + " ".join(words)
    assert matched(_ENGINE, "counted her pills", text) == "counted her pills"
