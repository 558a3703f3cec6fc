"""``peerdrift report``: the pages again, without scanning, with decisions in them, and a plain word otherwise."""

from __future__ import annotations

import json
import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from cli_runs import Run, peerdrift

from peerdrift_nlp.report.decisions import Decision, Decisions

MARKER = "xylorimba"
NOTES = [
    "I drove her to Walmart and the bank, no other contact.",
    "I counted her pills and told her to take them.",
    f"We sat on the porch with her {MARKER}.",
    "She chose the library.",
]


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("report")
    (place / "notes.csv").write_text("Number,Body\n" + "".join(f'{n},"{text}"\n' for n, text in enumerate(NOTES)))
    run = peerdrift(
        "scan", "notes.csv", "--map", "text=Body", "--model", "fast", "--out", "results", "-q", folder=place
    )
    assert run.code == 0, run.err
    return place


@pytest.fixture
def place(scanned: Path, tmp_path: Path) -> Path:
    return shutil.copytree(scanned, tmp_path / "place")


def report(place: Path, *options: str | Path, source: str = "notes.csv") -> Run:
    run = peerdrift("report", "results", "--input", source, *options, folder=place)
    assert MARKER not in run.out + run.err
    return run


def flags(place: Path) -> list[dict[str, Any]]:
    lines = (place / "results" / "reports.jsonl").read_text("utf-8").splitlines()
    return [line for line in map(json.loads, lines) if line["findings"]]


def decide(place: Path, **changes: Any) -> Path:
    """A file that accepts every flag and marks every note as read."""
    run = json.loads((place / "results" / "run.json").read_text("utf-8"))
    lines = (place / "results" / "reports.jsonl").read_text("utf-8").splitlines()
    made = [
        Decision(note["fingerprint"], item["sentence"]["start"], item["sentence"]["end"], item["indicator"], "accepted")
        for note in flags(place)
        for item in note["findings"]
    ]
    page = (place / "results" / "report.html").read_text("utf-8")
    key_id = page.partition('data-key="')[2][:8]
    read = frozenset(json.loads(line)["fingerprint"] for line in lines)
    whole = Decisions(run["started"], key_id, "2026-03-02T10:00:00Z", tuple(made), read)
    path = place / "decisions.json"
    path.write_text(json.dumps(whole.to_dict() | changes))
    return path


def test_the_page_of_the_scan_is_made_again(place: Path) -> None:
    before = {item.name: item.read_bytes() for item in (place / "results").iterdir()}
    (place / "results" / "report.html").unlink()
    run = report(place)
    assert (run.code, run.out) == (0, "Report: results/report.html\n")
    assert {item.name: item.read_bytes() for item in (place / "results").iterdir()} == before


def test_what_the_profile_took_for_the_forms_words_stays_so(tmp_path: Path) -> None:
    (tmp_path / "notes.csv").write_text("text\nI counted her pills. Progress made toward goal.\n")
    (tmp_path / "ours.toml").write_text(
        'name = "x"\ntitle = "X"\n[policies]\nrequired_phrases = ["progress made toward goal"]\n'
    )
    options = ("--model", "fast", "--profile", "ours.toml", "--out", "results", "-q")
    assert peerdrift("scan", "notes.csv", *options, folder=tmp_path).code == 0
    page = tmp_path / "results" / "report.html"
    before = page.read_bytes()
    assert report(tmp_path).code == 0 and page.read_bytes() == before


def test_decisions_are_in_the_page_and_summed_up(place: Path) -> None:
    count = sum(len(note["findings"]) for note in flags(place))
    assert count >= 2
    run = report(place, "--decisions", decide(place))
    assert run.code == 0, run.err
    assert f"{count} of {count} flags decided: {count} accepted, 100% (" in run.out
    assert "2 of 2 sample notes read, something missed in 0 of them." in run.lines
    page = (place / "results" / "report.html").read_text("utf-8")
    assert page.count("&#34;accepted&#34;") == count
    said = page.partition("What the review came to")[2]
    assert all(f"<li>{line}</li>" in said for line in run.lines[:-1]) and "hold something missed" in said


def test_the_onset_of_a_wording_is_found_again_in_the_export(tmp_path: Path) -> None:
    words = ("We talked of the bus.", "We talked of the bus and I met with the person served to provide support.")
    days = [date(2026, 1, 5) + timedelta(weeks=week) for week in range(16)]
    rows = [f"{who},North,{day},{words[day > days[7]]}" for day in days for who in ("Ana", "Bao", "Dee")]
    rows.append("Eve,North,2026-01-05,I counted her pills.")
    (tmp_path / "notes.csv").write_text("worker,program,date,text\n" + "\n".join(rows) + "\n")
    assert peerdrift("scan", "notes.csv", "--model", "fast", "--out", "results", "-q", folder=tmp_path).code == 0
    page = tmp_path / "results" / "report.html"
    before = page.read_bytes()
    assert b'<h2 id="wording">When the wording changed</h2>' in before
    assert report(tmp_path).code == 0 and page.read_bytes() == before


def test_a_smaller_sample_and_quiet(place: Path) -> None:
    run = report(place, "--sample", "1", "--quiet")
    assert (run.code, run.out, run.err) == (0, "", "")
    assert (place / "results" / "report.html").read_text("utf-8").count('data-sample="1"') == 1


def test_a_changed_note_is_said_and_not_shown(place: Path) -> None:
    text = (place / "notes.csv").read_text()
    (place / "notes.csv").write_text(text.replace("the library", "the museum"))
    run = report(place)
    assert run.code == 0 and "gone from notes.csv, or changed in it, and so not shown: 1 of the notes" in run.err
    page = (place / "results" / "report.html").read_text("utf-8")
    assert "museum" not in page and "library" not in page and "porch" in page


def test_another_export_changes_nothing(place: Path) -> None:
    (place / "other.csv").write_text("Body\nWe painted the fence.\n")
    before = (place / "results" / "report.html").read_bytes()
    run = report(place, source="other.csv")
    assert (run.code, run.out) == (2, "")
    assert "name the export that was scanned" in run.err
    assert (place / "results" / "report.html").read_bytes() == before


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"key_id": "00000000"}, "decisions.json belongs to another scan"),
        ({"comment": MARKER}, "unknown 'comment'"),
        ({"read": [MARKER]}, "$.read[0]: must match"),
    ],
)
def test_wrong_decisions_are_refused(place: Path, changes: dict[str, Any], told: str) -> None:
    run = report(place, "--decisions", decide(place, **changes))
    assert (run.code, run.out) == (2, "") and told in run.err


def test_a_folder_without_results_is_refused(place: Path) -> None:
    run = peerdrift("report", ".", "--input", "notes.csv", folder=place)
    assert run.code == 2 and "holds no results" in run.err
