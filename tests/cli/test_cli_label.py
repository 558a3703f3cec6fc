"""``peerdrift label`` as an analyst uses it: what to label, labels in, agreement, labels out."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from cli_runs import Run, peerdrift
from typer.testing import CliRunner

from peerdrift_nlp.classifier.corpus import read_corpus
from peerdrift_nlp.cli.main import app
from peerdrift_nlp.errors import PeerdriftError
from peerdrift_nlp.report.decisions import Decision, Decisions
from peerdrift_nlp.report.fingerprint import Fingerprints

MARKER = "xylorimba"
NOTES = [
    ("1", "Ana Roe", f"Met Bo and his {MARKER}. I told him to ask for a higher dose. He chose the park."),
    ("2", "Bea Lin", "We walked. I prayed with her, as I do with all. She was glad."),
    ("3", "Cy Dow", "I counted his pills. He left early."),
]
LABELS = [
    ("1", "I told him to ask for a higher dose.", "clinical.medication", "kim"),
    ("1", "He chose the park.", "+choice", "kim"),
    ("2", "I prayed with her, as I do with all.", "Religious", "kim"),
    ("2", "We walked.", "none", "kim"),
    ("3", "I counted his pills.", "clinical.medication/3", "kim"),
    ("3", "He left early.", "", "kim"),
    ("3", "I counted his pills.", "clinical.medication", "lee"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "notes.csv", ("Note ID", "Staff", "Note"), NOTES)
    write(tmp_path / "labels.csv", ("Note ID", "Sentence", "Label", "Annotator"), LABELS)
    return tmp_path


def write(path: Path, *parts: object) -> None:
    header, rows = parts
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])  # type: ignore[misc, list-item]


def label(*arguments: str, folder: Path) -> Run:
    run = peerdrift("label", *arguments, folder=folder)
    assert MARKER not in run.out + run.err
    return run


def test_labels_in_and_out_again(folder: Path) -> None:
    run = label("import", "labels.csv", "--notes", "notes.csv", "--out", "ours", folder=folder)
    assert run.code == 0, run.err
    assert run.lines[-1] == "5 sentences of 3 notes and 3 authors (train 1, dev 1, test 1): ours"
    assert "6 labels read" in run.err and "1 rows without a label (blank is not 'no')" in run.err
    assert "2 annotators: see `peerdrift label agreement`" in run.err
    corpus = read_corpus(folder / "ours")
    assert [len(note.sentences) for note in corpus.notes] == [3, 3, 2]
    assert peerdrift("corpus", "check", "ours", folder=folder).code == 0
    run = label("export", "ours", "--format", "label-studio", "--out", "tasks.json", folder=folder)
    assert run.lines == ["5 sentences of 3 notes: tasks.json, tasks.xml"]
    assert len(json.loads((folder / "tasks.json").read_text(encoding="utf-8"))) == 3
    run = label("import", "tasks.json", "--notes", "notes.csv", "--out", "again", folder=folder)
    assert run.lines[-1].startswith("5 sentences of 3 notes and 3 authors")


def test_agreement_is_told_before_training(folder: Path) -> None:
    run = label("agreement", "labels.csv", "--notes", "notes.csv", folder=folder)
    assert run.code == 0 and run.lines[0] == "kim and lee: 1 sentences labelled by both"
    assert any(line.startswith("clinical") and "too few to tell (1 sentences)" in line for line in run.lines)
    assert "settle the labels, and then train" in run.out


def test_what_is_not_in_the_notes_is_counted_and_ends_with_3(folder: Path) -> None:
    write(folder / "more.csv", ("Note ID", "Sentence", "Label"), [("9", "Gone.", "clinical"), ("1", "Gone.", "none")])
    run = label("import", "labels.csv", "more.csv", "--notes", "notes.csv", "--out", "ours", folder=folder)
    assert run.code == 3
    assert "not used 1: the note is not in the export (more.csv:2)" in run.err
    assert "not used 1: the words are not in the note, or more than once (more.csv:3)" in " ".join(run.err.split())
    record = json.loads((folder / "ours" / "import.json").read_text(encoding="utf-8"))
    assert record["not found"] == {
        "the note is not in the export": ["more.csv:2"],
        "the words are not in the note, or more than once": ["more.csv:3"],
    }


@pytest.mark.parametrize(
    ("rows", "arguments", "message"),
    [
        ([("1", "He chose the park.", "clinicl", "kim")], (), "did you mean 'clinical'?"),
        ([("1", "He chose the park.", f"the {MARKER} of his old aunt", "kim")], (), "not shown"),
        ([("3", "I counted his pills.", "none", "lee")], (), "labels.csv:2: note 3, sentence 1: clinical.medication"),
        ([("3", "I counted his pills.", "none", "bo")], (), "contradictory labels (bo: nothing; kim: clinical"),
        ([], ("--map", "label=Verdict"), "has no column 'Verdict'"),
        ([], ("--map", "label"), "--map 'label': write it as LEFT=RIGHT"),
        ([], ("--name", "x=y"), "--name: unknown label 'y'"),
        ([], ("--split", "half"), "--split 'half': use train, dev or test"),
        ([], ("--conflicts", "bo"), "nobody named 'bo' labelled"),
        ([], ("--run", "nowhere"), "cannot be read"),
        ([], ("--notes-map", "text=Nota"), "no column 'Nota'"),
    ],
)
def test_bad_input_leaves_nothing_behind(
    rows: list[tuple[str, ...]], arguments: tuple[str, ...], message: str, folder: Path
) -> None:
    write(folder / "labels.csv", ("Note ID", "Sentence", "Label", "Annotator"), [*rows, *LABELS])
    before = sorted(folder.iterdir())
    paths = ("--notes", str(folder / "notes.csv"), "--out", str(folder / "ours"))
    run = CliRunner().invoke(app, ["label", "import", str(folder / "labels.csv"), *paths, *arguments])
    assert isinstance(run.exception, PeerdriftError) and message in str(run.exception)
    assert MARKER not in str(run.exception)
    assert sorted(folder.iterdir()) == before


def test_few_authors_and_one_class_are_told(folder: Path) -> None:
    write(folder / "labels.csv", ("Note ID", "Sentence", "Label"), [("3", "I counted his pills.", "clinical")])
    run = label("import", "labels.csv", "--notes", "notes.csv", "--out", "ours", folder=folder)
    said = " ".join(run.err.split())
    assert run.code == 0 and "Careful: labels of 1 author(s): nothing can be judged" in said
    assert "no sentence was labelled as carrying nothing" in said
    assert (folder / "ours" / "splits.json").is_file()
    run = label("import", "labels.csv", "--notes", "notes.csv", "--out", "ours", folder=folder)
    assert run.code == 2 and "ours is there and not empty" in run.err


def test_a_review_becomes_labels(folder: Path) -> None:
    key = Fingerprints(bytes(range(32)))
    (folder / "results").mkdir()
    (folder / "results" / "run.json").write_text(json.dumps({"key": bytes(range(32)).hex()}), encoding="utf-8")
    told = [Decision(key.note(NOTES[0][2]), 26, 62, "clinical.medication", "accepted")]
    (folder / "review.json").write_text(
        Decisions("r", key.key_id, "", tuple(told), frozenset([key.note(NOTES[0][2])])).to_json(), encoding="utf-8"
    )
    command = ("import", "review.json", "--notes", "notes.csv", "--out", "ours")
    assert "name the scan's results folder with --run" in label(*command, folder=folder).err
    run = label(*command, "--run", "results", folder=folder)
    assert run.code == 0 and run.lines[-1].startswith("3 sentences of 1 notes and 1 authors")


def test_a_queue_is_filled_in_and_comes_back(folder: Path) -> None:
    run = label("queue", "notes.csv", "--out", "queue.csv", "--model", "fast", "--size", "6", folder=folder)
    assert run.code == 0, run.err
    assert run.lines[0].startswith("6 of 8 sentences: 2 in doubt, ")
    with (folder / "queue.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    write(folder / "done.csv", list(rows[0]), [[*list(row.values())[:3], "none", "kim", "", ""] for row in rows])
    run = label("import", "done.csv", "--notes", "notes.csv", "--out", "ours", folder=folder)
    assert run.code == 0 and run.lines[-1].startswith("6 sentences of 3 notes")
    run = label("queue", "notes.csv", "--out", "next.csv", "--model", "fast", "--done", "ours", folder=folder)
    assert run.lines[0].startswith("2 of 8 sentences")
    run = label("queue", "notes.csv", "--out", "queue.csv", "--model", "fast", folder=folder)
    assert run.code == 2 and "is there and may hold labels" in run.err
