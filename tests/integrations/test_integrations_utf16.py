"""UTF-16 offsets cut the same words out of a UTF-16 string as code points out of ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from peerdrift_nlp.errors import UsageError
from peerdrift_nlp.integrations.utf16 import to_utf16
from peerdrift_nlp.io import schema
from peerdrift_nlp.scanner import Scanner

TEXT = "\U0001f600 I drove her \U0001f697\U0001f697 to Walmart and back. \u201cOk\u201d \U0001f600. Counted her pills. I listened to her."
PIECES = [
    "\U0001f600",
    "I drove her to Walmart and back.",
    "\U0001f468\u200d\U0001f469",
    "Counted her pills.",
    "\ud83d",
    "\ude00",
    "\u0301",
    "\n",
]


@pytest.fixture(scope="module")
def fast() -> Scanner:
    return Scanner(model="fast")


def spans(value: Any) -> Iterator[tuple[int, int]]:
    """Every pair of start and end, however deep."""
    if isinstance(value, dict):
        if "start" in value and "end" in value:
            yield value["start"], value["end"]
        value = list(value.values())
    for item in value if isinstance(value, list) else ():
        yield from spans(item)


def check(report: Any, text: str) -> None:
    ours, theirs = report.to_dict(), to_utf16(report)
    Draft202012Validator(schema()).validate(theirs)
    units = text.encode("utf-16-le", "surrogatepass")
    for (start, end), (first, last) in zip(spans(ours), spans(theirs), strict=True):
        assert units[2 * first : 2 * last] == text[start:end].encode("utf-16-le", "surrogatepass")


def test_the_same_words_are_cut_out(fast: Scanner) -> None:
    report = fast.scan(TEXT, note_id="17", start="3")  # the second is the note's own business, and stays
    assert len(list(spans(report.to_dict()))) >= 6
    check(report, TEXT)
    theirs = to_utf16(report)
    assert theirs["meta"] == {"start": "3"}
    assert theirs["offset_unit"] == "utf-16" and "offset_unit" not in report.to_dict()


def test_a_text_within_the_basic_plane_keeps_its_offsets(fast: Scanner) -> None:
    report = fast.scan("\u201cCounted\u201d her pills.")
    assert to_utf16(report) == {**report.to_dict(), "offset_unit": "utf-16"}


def test_a_report_without_its_text_is_given_it(fast: Scanner) -> None:
    report = fast.scan(TEXT)
    assert to_utf16(replace(report, text=""), TEXT) == to_utf16(report)
    with pytest.raises(UsageError, match=r"is beyond the text \(0 characters\)"):
        to_utf16(replace(report, text=""))


@settings(deadline=None, max_examples=80)
@given(text=st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=12).map(" ".join))
def test_any_text(fast: Scanner, text: str) -> None:
    check(fast.scan(text), text)
