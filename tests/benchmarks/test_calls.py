"""How many calls a scan makes for a note: a figure that no load of the machine changes, so that slower code is seen here.

Time itself is measured by ``bench.py``, apart. Work inside of numpy, spaCy and the encoder counts as one call.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType

import pytest

from peerdrift_nlp.classifier.corpus import read_corpus
from peerdrift_nlp.scanner import Scanner
from peerdrift_nlp.types import Note

ROOT = Path(__file__).parents[2]
NOTES = 100
CALLS = {"fast": 3375, "default": 3450}
"""Calls a note, a tenth above what was counted last; who makes the scan cheaper lowers them."""


@pytest.mark.parametrize("model", CALLS)
def test_a_note_takes_no_more_calls_than_it_did(model: str) -> None:
    notes = [Note(note.note_id, note.text) for note in read_corpus(ROOT / "data" / "corpus").part("dev")]
    scanner = Scanner(model=model)
    list(scanner.scan_many(notes[:NOTES]))
    calls = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        list(scanner.scan_many(notes[NOTES : 2 * NOTES]))
    finally:
        sys.setprofile(None)
    assert calls / NOTES <= CALLS[model]
