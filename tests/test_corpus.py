"""The corpus that the project ships: its files keep their schemas, and its card says what is there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from peerdrift_nlp.classifier.corpus import Corpus, read_corpus
from peerdrift_nlp.classifier.corpus.agreement import read_double_readings
from peerdrift_nlp.classifier.corpus.card import with_tables
from peerdrift_nlp.classifier.corpus.inventory import inventory, near_duplicates
from peerdrift_nlp.taxonomy import taxonomy

FOLDER = Path(__file__).parents[1] / "data" / "corpus"


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return read_corpus(FOLDER)


def lines(folder: str) -> Iterator[object]:
    for path in sorted((FOLDER / folder).glob("*.jsonl")):
        with path.open(encoding="utf-8", newline="\n") as file:
            yield from map(json.loads, file)


@pytest.mark.parametrize(("folder", "schema"), [("notes", "note.schema.json"), ("pairs", "pair.schema.json")])
def test_every_line_keeps_the_schema(folder: str, schema: str) -> None:
    note = json.loads((FOLDER / "note.schema.json").read_text(encoding="utf-8"))
    registry = Registry().with_resource("note.schema.json", Resource.from_contents(note))
    validator = Draft202012Validator(json.loads((FOLDER / schema).read_text(encoding="utf-8")), registry=registry)
    items = list(lines(folder))
    assert items
    assert [error.json_path for item in items for error in validator.iter_errors(item)] == []


def test_the_schema_names_what_the_codebook_names() -> None:
    definitions = json.loads((FOLDER / "note.schema.json").read_text(encoding="utf-8"))["$defs"]
    unit = definitions["sentence"]["properties"]
    codebook = taxonomy()
    assert definitions["indicator"]["enum"] == list(codebook.indicators)
    assert unit["practices"]["items"]["enum"] == list(codebook.practices)
    assert unit["look_alike"]["enum"] == [None, *codebook.reasons]


def test_no_two_notes_or_pairs_are_alike(corpus: Corpus) -> None:
    assert near_duplicates(corpus) == []


def test_the_test_split_holds_every_label_and_look_alike(corpus: Corpus) -> None:
    tables = inventory(corpus)
    for heading in ("Label", "Indicator", "Practice", "Look-alike"):
        assert [name for name, (_, dev, test, _) in tables[heading].items() if not dev or not test] == []


def test_the_card_says_what_is_there(corpus: Corpus) -> None:
    card = (FOLDER / "CARD.md").read_text(encoding="utf-8")
    assert card == with_tables(card, corpus, read_double_readings(FOLDER, corpus)), "run: peerdrift corpus card"
