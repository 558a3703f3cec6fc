"""Notes fall into parts by who wrote them, how, how much, and what they may speak of."""

from __future__ import annotations

from peerdrift_nlp.classifier.corpus import parse_marked
from peerdrift_nlp.classifier.slices import slicers
from peerdrift_nlp.rules.engine import RuleEngine

NOTES = """\
=== a | setting: drop-in | format: dap
He said his doctor changed his medication.{~reported_speech}
=== b
Counted her pills.{clinical.medication/3} He said his doctor changed his medication.{~reported_speech}
=== c
We walked by the lake.{}
"""


def test_each_note_belongs_to_one_part(engine: RuleEngine) -> None:
    known = slicers(engine)
    found = {name: [of(note) for note in parse_marked(NOTES, "v")] for name, of in known.items()}
    assert found == {
        "voice": ["v", "v", "v"],
        "setting": ["drop-in", "(none)", "(none)"],
        "format": ["dap", "(none)", "(none)"],
        "length": ["under 60 words"] * 3,
        "mention": ["clinical words, no clinical drift", "other", "other"],
    }


def test_length_is_told_in_words(engine: RuleEngine) -> None:
    of = slicers(engine)["length"]
    notes = [parse_marked(f"=== n\n{' '.join(['word'] * count)}.{{}}", "v")[0] for count in (59, 60, 149, 150)]
    assert [of(note) for note in notes] == ["under 60 words", "between", "between", "150 words and more"]
