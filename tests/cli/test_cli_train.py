"""From marked notes to a model of one's own, and a scan with it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from cli_runs import VOICES, Run, peerdrift

from peerdrift_nlp.classifier.bundle import load_bundle
from peerdrift_nlp.classifier.cascade import read_encoder
from peerdrift_nlp.classifier.shipped import shipped_model

SPLITS = {"train": ["V1", "V2", "V3"], "dev": ["V4"], "test": ["V5"]}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a corpus of five voices, brought in from marked notes."""
    folder = tmp_path_factory.mktemp("training")
    for path in sorted(VOICES.glob("*.txt")):
        run = peerdrift("corpus", "import", path, "corpus", folder=folder)
        assert (run.code, run.err) == (0, "")
        assert run.out.startswith(f"corpus/notes/{path.stem}.jsonl: ")
    (folder / "corpus" / "splits.json").write_text(json.dumps(SPLITS), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def trained(place: Path) -> Run:
    return peerdrift("train", "--corpus", "corpus", "--out", "models/tiny", "--name", "tiny-1", folder=place)


def test_the_corpus_is_counted(place: Path) -> None:
    run = peerdrift("corpus", "check", "corpus", folder=place)
    assert (run.code, run.err) == (0, "")
    assert "voices" in run.out and "notes and 0 pairs hold together; 0 near-duplicates" in run.out
    assert [line for line in run.lines if len(line) > 80] == []


def test_training_writes_a_bundle(place: Path, trained: Run) -> None:
    assert (trained.code, trained.out) == (0, ""), trained.err
    assert "Warning" not in trained.err
    bundle = load_bundle(place / "models" / "tiny")
    assert bundle.version == "tiny-1"
    assert bundle.manifest["training"]["voices"] == 3
    assert set(bundle.manifest["metrics"]) == {"dev"}
    card = (place / "models" / "tiny" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert card.startswith("# Model card: tiny-1")
    assert sorted(item.name for item in (place / "models").iterdir()) == ["tiny"]


def test_figures_that_there_is_nothing_to_measure_for_are_valid_json_and_plain_words(place: Path, trained: Run) -> None:
    """The dev voice has no decoys; NaN is no JSON, and says nothing to a reader."""
    assert trained.code == 0, trained.err
    folder = place / "models" / "tiny"
    json.loads((folder / "manifest.json").read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert "nan" not in (folder / "MODEL_CARD.md").read_text(encoding="utf-8")


def test_the_model_is_evaluated_beside_rules_and_keywords(place: Path, trained: Run) -> None:
    assert trained.code == 0, trained.err
    run = peerdrift(
        "evaluate", "--corpus", "corpus", "--model", "models/tiny", "--split", "test", "--rounds", "5", folder=place
    )
    assert run.code == 0, run.err
    assert "Warning" not in run.err
    assert run.lines[0].startswith("test: 1 voices, 2 notes, ")
    assert {"keywords", "rules", "tiny-1"} <= set(run.out.split())
    assert "Brier" in run.out
    assert {"clinical", "hierarchical", "lax_boundaries", "religious", "organizational", "role_consistent"} <= {
        line.split()[0] for line in run.lines if line.strip()
    }
    assert [line for line in run.lines if len(line) > 80] == []


def test_a_model_is_compared_with_the_one_in_use(place: Path, trained: Run) -> None:
    assert trained.code == 0, trained.err
    run = peerdrift("compare", "models/tiny", "--with", "fast", "--corpus", "corpus", "--split", "test", folder=place)
    assert (run.code, run.err) == (0, "")
    assert run.lines[0].split()[:4] == ["1", "writers,", "7", "sentences"]
    assert "Harmless contrast texts flagged" in run.out
    verdict = " ".join(run.out.split()).partition("Verdict: ")[2]
    assert verdict.startswith("Keep fast-") and ("too few" in verdict or "false alarms" in verdict)
    assert [line for line in run.lines if len(line) > 80] == []


def test_an_encoder_is_taken_from_a_bundle(place: Path) -> None:
    encoder = shipped_model("default")
    run = peerdrift("train", "--corpus", "corpus", "--encoder", encoder, "--out", "models/twice", folder=place)
    assert (run.code, run.out) == (0, ""), run.err
    bundle = load_bundle(place / "models" / "twice")
    assert bundle.cascade is not None and bundle.manifest["kind"] == "cascade"
    assert read_encoder(place / "models" / "twice") == read_encoder(encoder)
    assert "read again by a small" in (place / "models" / "twice" / "MODEL_CARD.md").read_text()


@pytest.mark.parametrize("by", ["voice", "setting", "format", "length", "mention"])
def test_figures_of_each_part(place: Path, trained: Run, by: str) -> None:
    assert trained.code == 0, trained.err
    run = peerdrift("evaluate", "--corpus", "corpus", "--model", "models/tiny", "--by", by, folder=place)
    assert (run.code, run.err) == (0, "")
    assert run.lines[0].split()[:2] == [by, "notes"]
    if by == "voice":
        assert run.lines[1].split()[:2] == ["V4", "3"]
    assert [line for line in run.lines if len(line) > 80] == []


@pytest.mark.parametrize("options", [("--worst", "4"), ("--out", "worst.csv")])
def test_the_worst_probabilities_need_a_number_and_a_place(tmp_path: Path, options: tuple[str, ...]) -> None:
    run = peerdrift("evaluate", *options, folder=tmp_path)
    assert (run.code, run.out) == (2, "") and "give --worst and --out together" in run.err
    assert list(tmp_path.iterdir()) == []


def test_the_worst_probabilities_are_told_by_place(place: Path, trained: Run) -> None:
    assert trained.code == 0, trained.err
    run = peerdrift(
        "evaluate", "--corpus", "corpus", "--model", "models/tiny", "--worst", "4", "--out", "worst.csv", folder=place
    )
    assert (run.code, run.out) == (0, "") and "4 labels written to worst.csv" in run.err
    with (place / "worst.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4 and {row["voice"] for row in rows} == {"V4"}
    assert {row["label"] for row in rows} <= {
        "clinical",
        "hierarchical",
        "lax_boundaries",
        "religious",
        "organizational",
    }
    wrong = [abs(float(row["probability"]) - (row["given"] == "True")) for row in rows]
    assert wrong == sorted(wrong, reverse=True)


def test_what_must_not_matter(place: Path, trained: Run) -> None:
    assert trained.code == 0, trained.err
    run = peerdrift("evaluate", "--corpus", "corpus", "--model", "models/tiny", "--stability", folder=place)
    assert (run.code, run.err) == (0, "")
    assert "other names" in run.out and "all capitals" in run.out
    assert [line for line in run.lines if len(line) > 80] == []


@pytest.fixture(scope="module")
def scanned(place: Path, trained: Run) -> Run:
    """Columns named by hand, a repeated id, a blank note and a row that cannot be read, in one export."""
    assert trained.code == 0, trained.err
    rows = ["Nr|What was said|Who", "7|I drove her to the bank.|Ana", "8|cut off", "9|  |Ben", "7|We talked.|Ben"]
    (place / "export.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return peerdrift(
        "scan", "export.csv", "--model", "models/tiny", "--map", "text=What was said", "--map", "note_id=Nr",
        "--out", "results", "--fail-on", "1", folder=place,
    )  # fmt: skip


def reports(place: Path) -> list[dict[str, Any]]:
    lines = (place / "results" / "reports.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_a_scan_with_the_model_of_an_export_with_faults(place: Path, scanned: Run) -> None:
    assert scanned.code == 3  # a note that could not be read weighs more than findings
    assert "column 'What was said' read as text" in scanned.err and "column 'Nr' read as note_id" in scanned.err
    assert "4 notes read: 2 scanned, 1 skipped, 1 unreadable." in scanned.lines
    assert "  unreadable: row 3: has 2 cells where the header has 3" in scanned.out
    record = json.loads((place / "results" / "run.json").read_text(encoding="utf-8"))
    assert record["engine"]["model"].split()[0] == "tiny-1"
    assert record["counts"] == {"read": 4, "scanned": 2, "skipped": 1, "unreadable": 1}
    assert [item["where"] for item in record["problems"]] == ["row 3"]
    assert record["skipped_notes"] == [{"where": "row 4", "why": "no text"}]
    assert any("had the id of an earlier one" in notice for notice in record["notices"])
    found = {report["note_id"]: report["status"] for report in reports(place)}
    assert found == {"7": "complete", "row 3": "failed", "7#2": "complete"}


def test_reports_stand_in_the_order_of_the_export(place: Path, scanned: Run) -> None:
    assert scanned.code == 3
    assert [report["note_id"] for report in reports(place)] == ["7", "row 3", "7#2"]


def test_what_is_known_only_at_the_end_is_told_at_the_end(scanned: Run) -> None:
    assert "had the id of an earlier one" in scanned.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", "--corpus", "nowhere"), "nowhere: there is no such folder of labelled notes"),
        (("evaluate", "--corpus", "corpus", "--split", "all"), "--split 'all': use dev or test"),
        (("evaluate", "--corpus", "corpus", "--model", "corpus"), "corpus is not a model bundle"),
        (("evaluate", "--corpus", "corpus", "--by", "mood"), "--by 'mood': use voice, setting, format, length,"),
        (("compare", "corpus", "--corpus", "corpus"), "corpus is not a model bundle"),
        (("compare", "fast", "--corpus", "corpus", "--split", "all"), "--split 'all': use dev or test"),
        (("train", "--corpus", "corpus", "--encoder", "corpus"), "corpus holds no encoder (encoder.onnx and"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_wrong_is_told(place: Path, arguments: tuple[str, ...], message: str) -> None:
    run = peerdrift(*arguments, folder=place)
    assert (run.code, run.out) == (2, "")
    assert message in run.err


def test_marks_that_are_wrong_are_told_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "W1.txt").write_text("=== a\nxylorimba.{nonsense}\n", encoding="utf-8")
    run = peerdrift("corpus", "import", "W1.txt", "corpus", folder=tmp_path)
    assert (run.code, run.out) == (2, "")
    assert "W1:1: note a: unknown tag 'nonsense'" in run.err and "xylorimba" not in run.err
    assert [item.name for item in tmp_path.iterdir()] == ["W1.txt"]


def test_a_model_is_not_written_over_something_else(place: Path) -> None:
    """And it is told before the training, not after it."""
    (place / "mine").mkdir()
    (place / "mine" / "letter.txt").write_text("mine")
    run = peerdrift("train", "--corpus", "corpus", "--out", "mine", folder=place)
    assert (run.code, run.out) == (2, "")
    assert "mine holds something that is not a model bundle; name a new folder" in run.err
    assert [item.name for item in (place / "mine").iterdir()] == ["letter.txt"]
    assert "Fitting" not in run.err
