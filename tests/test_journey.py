"""An analyst's whole way: scan, review, labels in, train, compare, adopt, and a scan with the agency's own model.

The agency is invented and writes in a shorthand of its own (``tests/journey``): 300 labels of six of its writers are
learnt from, six others are judged.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from peerdrift_nlp.classifier.bundle import load_bundle
from peerdrift_nlp.classifier.corpus import LabelledNote, parse_marked, read_corpus
from peerdrift_nlp.report.decisions import Decision, Decisions
from peerdrift_nlp.report.fingerprint import Fingerprints

sys.path.insert(0, str(Path(__file__).with_name("cli")))
from cli_runs import Run, peerdrift

JOURNEY = Path(__file__).with_name("journey")
HARMLESS = "told him sit, drink your tea"
"""What the supervisor finds wrongly flagged among the first flags of the sample."""


def agency_notes(part: str) -> list[LabelledNote]:
    """The agency's marked notes of one part."""
    paths = sorted((JOURNEY / part).glob("*.txt"))
    return [note for path in paths for note in parse_marked(path.read_text(encoding="utf-8"), path.stem)]


def export(notes: list[LabelledNote], path: Path) -> None:
    """The notes as an export of the agency's record system."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("Note ID", "Staff", "Progress Note"))
        writer.writerows((note.note_id, f"Staff {note.voice}", note.text) for note in notes)


def label_studio(notes: list[LabelledNote], path: Path) -> None:
    """What Label Studio exports after somebody has read all of the notes."""
    tasks = []
    for number, note in enumerate(notes, 1):
        result = [
            {
                "from_name": "label", "to_name": "text", "type": "labels",
                "value": {
                    "start": unit.start, "end": unit.end, "text": note.text[unit.start : unit.end],
                    "labels": list(names_of(unit.severity, unit.practices)),
                },
            }
            for unit in note.sentences
            if unit.severity or unit.practices
        ]  # fmt: skip
        tasks.append(
            {
                "id": number,
                "data": {"text": note.text, "note_id": note.note_id},
                "annotations": [{"completed_by": {"email": "kim"}, "was_cancelled": False, "result": result}],
            }
        )
    path.write_text(json.dumps(tasks), encoding="utf-8")


def names_of(severity: dict[str, int], practices: tuple[str, ...]) -> Iterator[str]:
    """The labels of a sentence as an annotator picks them."""
    yield from (f"{name}/{degree}" for name, degree in severity.items())
    yield from (f"+{practice}" for practice in practices)


def reviewed(results: Path, texts: dict[str, str]) -> Decisions:
    """What the report's page downloads after a supervisor has gone through the first flags of a scan."""
    record = json.loads((results / "run.json").read_text(encoding="utf-8"))
    key = Fingerprints(bytes.fromhex(record["key"]))
    reports = [json.loads(line) for line in (results / "reports.jsonl").read_text(encoding="utf-8").splitlines()]
    flags = [(report["note_id"], finding) for report in reports for finding in report["findings"]][:24]
    decisions = [
        Decision(
            key.note(texts[note_id]), flag["sentence"]["start"], flag["sentence"]["end"], flag["indicator"],
            "dismissed" if HARMLESS in texts[note_id][flag["sentence"]["start"] : flag["sentence"]["end"]] else "accepted",
        )
        for note_id, flag in flags
    ]  # fmt: skip
    return Decisions(record["started"], key.key_id, "", tuple(decisions), frozenset())


def labelled(folder: Path) -> int:
    """How many sentences of a corpus folder were read."""
    return sum(unit.kind == "sentence" for note in read_corpus(folder).notes for unit in note.sentences)


def ran(*arguments: str | Path, folder: Path, home: Path) -> Run:
    run = peerdrift(*arguments, folder=folder, PEERDRIFT_HOME=str(home))
    assert run.code == 0, run.err
    return run


def test_three_hundred_labels_of_ones_own_make_a_better_model(tmp_path: Path, home: Path, sample: Path) -> None:
    place = {"folder": tmp_path, "home": home}
    learnt, unseen = agency_notes("learnt"), agency_notes("unseen")

    # A scan of the sample export, and the review of its first flags.
    ran("scan", sample, "--model", "fast", "--format", "jsonl", "--out", "scan", **place)
    with sample.open(encoding="cp1252", newline="") as file:
        texts = {row["Note ID"]: row["Progress Note"] for row in csv.DictReader(file)}
    (tmp_path / "decisions.json").write_text(reviewed(tmp_path / "scan", texts).to_json(), encoding="utf-8")
    run = ran(
        "label", "import", "decisions.json", "--notes", sample, "--run", "scan", "--split", "train", "--out", "review",
        **place,
    )  # fmt: skip
    assert "24 labels read" in run.err

    # The agency's own notes, labelled in Label Studio: six writers to learn from, six to judge on.
    for name, notes, split in (("ours", learnt, "train"), ("others", unseen, "dev")):
        export(notes, tmp_path / f"{name}.csv")
        label_studio(notes, tmp_path / f"{name}.json")
        run = ran(
            "label", "import", f"{name}.json", "--notes", f"{name}.csv", "--read-through", "--split", split, "--out", name,
            **place,
        )  # fmt: skip
        assert f" sentences of {len(notes)} notes and 6 authors ({split_told(split)})" in run.lines[-1]
    assert [labelled(tmp_path / name) for name in ("ours", "others")] == [308, 156]

    # Train: the writers of both folders are told apart, and the verdict is on those who were kept apart.
    run = ran(
        "train", "--add", "review", "--add", "ours", "--add", "others", "--base", "fast", "--out", "models/ours",
        "--name", "ours-1", **place,
    )  # fmt: skip
    told = " ".join(run.out.split())
    assert "Verdict: ours-1 is better than fast-" in told
    manifest = load_bundle(tmp_path / "models" / "ours").manifest
    words = set(manifest["training"]["new_words"])
    assert {"adv'd", "chgd"} <= words
    assert "rmndd" not in words, "three writers used it, but one of them only with a capital"
    better_without_more_false_alarms(manifest["comparison"])

    # Compare says the same, and adopt makes it the model of the next scan.
    run = ran("compare", "models/ours", "--with", "fast", "--corpus", "others", "--split", "dev", **place)
    assert told.partition("Verdict: ")[2].partition(". ")[0] in " ".join(run.out.split())
    ran("adopt", "models/ours", **place)
    run = ran("scan", "others.csv", "--format", "jsonl", "--out", "again", **place)
    assert "Model: ours-1, adopted " in run.err
    record = json.loads((tmp_path / "again" / "run.json").read_text(encoding="utf-8"))
    assert record["engine"]["model"].split()[0] == "ours-1"
    assert ran("adopt", "--back", **place).out == "The shipped model is in use.\n"


def split_told(split: str) -> str:
    return ", ".join(f"{name} {6 if name == split else 0}" for name in ("train", "dev", "test"))


def better_without_more_false_alarms(comparison: dict[str, Any]) -> None:
    """Better on the house style's unseen notes by more than chance, and no more false alarms on the challenge pairs."""
    changes = comparison["changes"]
    assert comparison["outcome"] == "better" and comparison["voices"] == 6
    gain = changes["any_drift_f1"]
    assert gain["candidate"] - gain["current"] > 0.1 and gain["difference"]["low"] > 0
    alarms = comparison["false_alarms"]
    assert alarms["members"] > 400 and alarms["candidate"] <= alarms["current"]
