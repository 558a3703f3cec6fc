"""``train --add`` as an analyst runs it: from labelled notes to a verdict, and plain words where it cannot be."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from cli_runs import VOICES, Run, peerdrift

from peerdrift_nlp.classifier.bundle import load_bundle


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with labelled notes of five writers, two of them kept apart."""
    folder = tmp_path_factory.mktemp("retrain")
    for path in sorted(VOICES.glob("*.txt")):
        assert peerdrift("corpus", "import", path, "labels", folder=folder).code == 0
    splits = {"train": ["V1", "V2", "V3"], "dev": ["V4", "V5"], "test": []}
    (folder / "labels" / "splits.json").write_text(json.dumps(splits), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def taught(place: Path) -> Run:
    return peerdrift(
        "train", "--add", "labels", "--base", "fast", "--out", "ours", "--name", "ours-1", "--suspects", "doubt.csv",
        folder=place,
    )  # fmt: skip


def test_a_training_ends_with_a_verdict_and_what_to_do_next(place: Path, taught: Run) -> None:
    assert taught.code == 0, taught.err
    assert load_bundle(place / "ours").version == "ours-1"
    told = " ".join(taught.out.split())
    assert "clinical 9 recalibrated" in told or "recalibrated" in told
    assert "2 writers, " in told and "Verdict: Keep fast-" in told
    assert "labels deserve another look, listed in doubt.csv" in told
    assert "Take care: notes of 3 writers only" in " ".join(taught.err.split())
    assert "To use it: peerdrift adopt ours" in " ".join(taught.err.split())
    assert [line for line in taught.lines if len(line) > 80] == []


def test_suspects_are_places_and_never_words(place: Path, taught: Run) -> None:
    assert taught.code == 0
    with (place / "doubt.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert set(rows[0] if rows else {"voice"}) <= {"voice", "note_id", "start", "end", "label", "given", "probability"}
    assert all(row["note_id"].startswith("V") for row in rows)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--add", "nowhere"), "nowhere: there is no such folder of labelled notes"),
        (("--add", "labels", "--add", "labels"), "a folder of labelled notes is named twice"),
        (("--add", "labels", "--corpus", "labels"), "leave --corpus and --encoder out"),
        (("--base", "fast"), "--at-most-false, --per-week, --notes-per-week and --no-new-words go with --add"),
        (("--no-new-words",), "--at-most-false, --per-week, --notes-per-week and --no-new-words go with --add"),
        (("--add", "labels", "--per-week", "30"), "give --per-week and --notes-per-week together"),
        (("--add", "labels", "--at-most-false", "one in five"), "write a share, e.g. 1/5 or 0.2"),
        (("--add", "labels", "--at-most-false", "1/0"), "write a share, e.g. 1/5 or 0.2"),
        (("--add", "labels", "--at-most-false", "5"), "a share of false flags of 5; name one between 0 and 1"),
        (("--add", "labels", "--at-most-false", "nan"), "write a share, e.g. 1/5 or 0.2"),
        (("--add", "labels", "--base", "labels"), "labels is not a model bundle"),
        (("--add", "labels", "--base", "fast", "--out", "labels"), "holds something that is not a model bundle"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_wrong_is_told(place: Path, arguments: tuple[str, ...], message: str) -> None:
    before = sorted(item.name for item in place.iterdir())
    run = peerdrift("train", *arguments, folder=place)
    assert (run.code, run.out) == (2, "")
    assert message in run.err
    assert sorted(item.name for item in place.iterdir()) == before
