import pytest
from hypothesis import given
from hypothesis import strategies as st

from peerdrift_nlp.text.fold import fold


@given(st.text())
def test_folding_never_changes_the_length(text: str) -> None:
    assert len(fold(text)) == len(text)


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    ("given_text", "folded"),
    [
        ("don’t “quote” – it…", 'don\'t "quote" - it.'),
        ("naïve José", "naive Jose"),
        ("a\u00a0b\u2009c", "a b c"),
        ("one\r\ntwo\rthree\u2028four", "one \ntwo\nthree\nfour"),
        ("• bullet ● other", "* bullet * other"),
        ("nul\x00byte", "nul byte"),
        ("tab\tstays", "tab\tstays"),
        ("日本 🙂", "日本 🙂"),
    ],
)
def test_variants_become_plain(given_text: str, folded: str) -> None:
    assert fold(given_text) == folded
