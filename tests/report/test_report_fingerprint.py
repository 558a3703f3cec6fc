import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peerdrift_nlp.errors import UsageError
from peerdrift_nlp.report.fingerprint import Fingerprints, new_key

KEY = bytes(range(32))


def test_a_fingerprint_of_today_is_one_of_tomorrow():
    assert Fingerprints(KEY).note("Met with Ana.") == "177c0a2e5b2fae34adb4bd5ef3ea4fc1"
    assert Fingerprints(KEY).sentence("Met with Ana.") == "391ee92e9de230d9991bc469ccb1773e"
    assert Fingerprints(KEY).key_id == "630dcd29"


@given(st.text())
def test_any_text_has_one_and_note_and_sentence_differ(text):
    prints = Fingerprints(KEY)
    assert re.fullmatch("[0-9a-f]{32}", prints.note(text))
    assert prints.note(text) != prints.sentence(text)
    assert prints.note(f"  {text}\r\n") == prints.note(text)


def test_a_broken_emoji_has_one():
    assert Fingerprints(KEY).note("Good \ud83d") != Fingerprints(KEY).note("Good")


def test_typography_and_spacing_do_not_count_but_words_case_and_punctuation_do():
    note = Fingerprints(KEY).note
    assert note("She didn’t\r\n\r\ngo – not yet") == note("She didn't go - not yet")
    others = ["she didn't go - not yet", "She did go - not yet", "She didn't go - not yet."]
    assert len({note(text) for text in ["She didn't go - not yet", *others]}) == 4


def test_another_key_gives_others():
    key = new_key()
    assert Fingerprints(key).note("a") != Fingerprints(KEY).note("a")
    assert Fingerprints(key).key_id != Fingerprints(KEY).key_id


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_key_of_another_length_is_refused(size):
    with pytest.raises(UsageError, match=f"{size} bytes; it must have 32"):
        Fingerprints(bytes(size))
