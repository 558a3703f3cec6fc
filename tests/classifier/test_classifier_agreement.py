"""Two readings of the same sentences, and the card that reports them."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from peerdrift_nlp.classifier.corpus import Corpus, parse_marked
from peerdrift_nlp.classifier.corpus.agreement import agreement, read_double_readings
from peerdrift_nlp.classifier.corpus.card import BEGIN, END, with_tables
from peerdrift_nlp.errors import CorpusError, UsageError

NOTE = "=== a\nPlan:{h} Met Ana.{} Counted pills.{clinical.medication/2} I listened.{+listening} Prayed over her.{}\n"
LINE = {
    "note_id": "a",
    "writer": {"3": "clinical.medication/2 !", "4": "+listening"},
    "blind": {"3": "clinical.medication/3", "5": "religious.promotion/2"},
}


@pytest.fixture
def corpus() -> Corpus:
    return Corpus(tuple(parse_marked(NOTE, "W1")), (), {"W1": "train"})


def folder_of(tmp_path: Path, *lines: object) -> Path:
    (tmp_path / "readings").mkdir()
    text = "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
    (tmp_path / "readings" / "W1.jsonl").write_text(text, encoding="utf-8")
    return tmp_path


def test_agreement_is_counted_over_sentences(tmp_path: Path, corpus: Corpus) -> None:
    readings = read_double_readings(folder_of(tmp_path, LINE), corpus)
    assert len(readings) == 4  # the heading is none
    tables = agreement(readings)
    medication = tables["Indicator"]["clinical.medication"]
    assert (medication.writer, medication.blind, medication.both) == (1, 1, 1)
    assert (medication.f1, medication.kappa) == (1.0, 1.0)
    religious = tables["Label"]["religious"]
    assert (religious.writer, religious.blind, religious.both, religious.f1, religious.kappa) == (0, 1, 0, 0.0, 0.0)
    drift = tables["Other"]["any drift"]
    assert (drift.writer, drift.blind, drift.both) == (1, 2, 1)
    assert drift.f1 == pytest.approx(2 / 3)
    assert drift.kappa == pytest.approx(0.5)  # agreed 3/4, by chance 1/2
    assert tables["Other"]["decoy"].writer == 1
    unused = tables["Practice"]["hope"]
    assert math.isnan(unused.f1) and math.isnan(unused.kappa)


def test_no_readings_are_none(tmp_path: Path, corpus: Corpus) -> None:
    assert read_double_readings(tmp_path, corpus) == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({**LINE, "note_id": "b"}, "no note 'b' in the corpus"),
        ({**LINE, "blind": {"9": "+hope"}}, "note 'a' has no sentence 9"),
        ({**LINE, "blind": {"3": "nonsense"}}, "unknown tag 'nonsense'"),
        ({"note_id": "a"}, "is not a double reading"),
        ("[]", "is not a double reading"),
        ("{", "is not a double reading"),
    ],
)
def test_what_is_wrong_with_readings_is_said_with_the_line(
    tmp_path: Path, corpus: Corpus, line: object, message: str
) -> None:
    with pytest.raises(CorpusError) as caught:
        read_double_readings(folder_of(tmp_path, LINE, line), corpus)
    assert "W1.jsonl:2" in str(caught.value) and message in str(caught.value)


def test_the_card_gets_its_tables_between_the_markers(tmp_path: Path, corpus: Corpus) -> None:
    card = f"# Card\n{BEGIN}\nold\n{END}\nAfter.\n"
    made = with_tables(card, corpus, read_double_readings(folder_of(tmp_path, LINE), corpus))
    assert made.startswith(f"# Card\n{BEGIN}\n") and made.endswith(f"{END}\nAfter.\n") and "old" not in made
    assert "| notes | 1 | 0 | 0 | 1 |" in made
    assert "| religious | 0 | 1 | 0 | 0.00 | 0.00 |" in made
    assert "| hope | 0 | 0 | 0 | - | - |" in made
    assert with_tables(made, corpus, read_double_readings(tmp_path, corpus)) == made


def test_a_card_without_markers_is_left_alone(corpus: Corpus) -> None:
    with pytest.raises(UsageError, match="the card needs the lines"):
        with_tables("# Card\n", corpus, [])
