"""Contrast pairs: written in marks, kept as JSON lines, checked for what would give the answer away."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from peerdrift_nlp.classifier.corpus import ContrastPair, parse_marked_pairs, read_corpus
from peerdrift_nlp.classifier.corpus.inventory import inventory, near_duplicates
from peerdrift_nlp.classifier.corpus.pairs import balance
from peerdrift_nlp.errors import CorpusError

MARKED = """\
=== P1-001a | differs: actor
The nurse held his cup until he drank the dose.{~other_actor}
=== P1-001b | differs: actor
I held his cup until he drank the dose.{clinical.medication/3}
=== P1-002a | differs: label
Took her cash for the bus pass.{lax_boundaries.money/2} She was glad.{}
=== P1-002b | differs: label
Drove her to buy the bus pass.{lax_boundaries.transport/2}
"""


def many(count: int, flagged: str, harmless: str) -> list[ContrastPair]:
    """Pairs whose flagged member is ``flagged``, first in every second one."""
    parts = []
    for number in range(count):
        sides = [f"{flagged}{{clinical.medication/2}}", f"{harmless}{{~declined}}"]
        for side, text in zip("ab", sides if number % 2 else reversed(sides), strict=True):
            parts.append(f"=== P1-{number}{side} | differs: status\n{text}\n")
    return parse_marked_pairs("".join(parts), "P1")


def folder_of(tmp_path: Path, pairs: list[ContrastPair], split: str = "train") -> Path:
    (tmp_path / "pairs").mkdir()
    (tmp_path / "notes").mkdir()
    unit = {
        "start": 0, "end": 8, "kind": "sentence", "labels": [], "indicators": [], "severity": {}, "practices": [],
        "look_alike": None, "decoy": False, "annotators": ["writer"],
    }  # fmt: skip
    note = {
        "note_id": "n",
        "voice": "W1",
        "setting": "",
        "format": "",
        "text": "Met Ana.",
        "sentences": [unit],
    }
    (tmp_path / "notes" / "W1.jsonl").write_text(json.dumps(note) + "\n", encoding="utf-8")
    (tmp_path / "pairs" / "P1.jsonl").write_text("".join(pair.to_json() + "\n" for pair in pairs), encoding="utf-8")
    splits = {"train": ["W1"], "dev": [], "test": []}
    splits[split].append("P1")
    (tmp_path / "splits.json").write_text(json.dumps(splits), encoding="utf-8")
    return tmp_path


def test_two_notes_in_a_row_become_a_pair() -> None:
    first, second = parse_marked_pairs(MARKED, "P1")
    assert (first.pair_id, first.voice, first.differs) == ("P1-001", "P1", "actor")
    assert first.sides is not None
    assert [side.note_id for side in first.sides] == ["P1-001b", "P1-001a"]  # the flagged one first
    assert second.sides is None  # both are flagged


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("P1-001b", "P1-009b", "P1-001a must end in 'a', and its partner in 'b' must follow"),
        ("P1-001b", "P1-001c", "must end in 'a'"),
        ("=== P1-002b | differs: label\nDrove her to buy the bus pass.{lax_boundaries.transport/2}\n", "", "P1-002a"),
        ("001b | differs: actor", "001b | differs: voice", "P1-001: both headers must say the same"),
        ("differs: actor", "differs: mood", "unknown difference 'mood'; use one of actor, voice"),
        ("{clinical.medication/3}", "{}", "both members carry the same indicators"),
        ("{clinical.medication/3}", "{clinical.pills/3}", "unknown indicator 'clinical.pills'"),
    ],
)
def test_what_is_wrong_with_pairs_is_said(old: str, new: str, message: str) -> None:
    with pytest.raises(CorpusError) as caught:
        parse_marked_pairs(MARKED.replace(old, new), "P1")
    assert message in str(caught.value)
    assert "dose" not in str(caught.value)


def test_pairs_come_back_as_they_were_written(tmp_path: Path) -> None:
    pairs = parse_marked_pairs(MARKED, "P1")
    corpus = read_corpus(folder_of(tmp_path, pairs, "dev"))
    assert [pair.to_json() for pair in corpus.pairs] == [pair.to_json() for pair in pairs]
    assert corpus.pairs_of("dev") == list(corpus.pairs) and corpus.pairs_of("train", "test") == []
    tables = inventory(corpus)["Pairs"]
    assert (tables["all"], tables["differ in label"], tables["with a decoy"]) == (
        (0, 2, 0, 2),
        (0, 1, 0, 1),
        (0, 0, 0, 0),
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"members": []}, "'members' must be two notes, not 0"),
        ({"pair_id": 7}, "'pair_id' must be text"),
        ({"voice": "P2"}, "its voice is not that of the pair"),
        ({"differs": "mood"}, "unknown difference 'mood'"),
    ],
)
def test_a_line_that_is_no_pair_is_told_with_file_and_line(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    folder = folder_of(tmp_path, parse_marked_pairs(MARKED, "P1"))
    path = folder / "pairs" / "P1.jsonl"
    first, second = path.read_text(encoding="utf-8").splitlines()
    path.write_text(f"{first}\n{json.dumps({**json.loads(second), **change})}\n", encoding="utf-8")
    with pytest.raises(CorpusError, match=message):
        read_corpus(folder)


def test_a_voice_of_pairs_needs_a_split(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, parse_marked_pairs(MARKED, "P1"))
    (folder / "splits.json").write_text('{"train": ["W1"], "dev": [], "test": []}', encoding="utf-8")
    with pytest.raises(CorpusError, match="voice 'P1' is in no split"):
        read_corpus(folder)


def test_length_must_not_give_the_answer_away(tmp_path: Path) -> None:
    short, long = "Told him to stop.", "He asked and I said that I could not say."
    assert balance(many(100, short, long)) == (100, 0.0, 0.5)
    with pytest.raises(CorpusError, match="the flagged member is the longer one in 0%; must be 45% to 55%"):
        read_corpus(folder_of(tmp_path, many(100, short, long)))


def test_equal_lengths_count_half() -> None:
    assert balance(many(4, "Kept it.", "Lost it.")) == (4, 0.5, 0.5)
    assert balance([]) == (0, 0.0, 0.0)


def test_pairs_that_say_the_same_are_near_duplicates(tmp_path: Path) -> None:
    text = MARKED + MARKED.replace("P1-00", "P1-10").replace("his cup", "his own cup")
    corpus = read_corpus(folder_of(tmp_path, parse_marked_pairs(text, "P1")))
    found = {(first, second) for first, second, _ in near_duplicates(corpus)}
    # The members of one pair are alike on purpose, and so never listed.
    assert found == {("P1/P1-001", "P1/P1-101"), ("P1/P1-002", "P1/P1-102")}
