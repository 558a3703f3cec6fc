"""Only what is new, and what a program allows: ``scan --baseline``, ``--suppress``, ``--profile``, and ``rules`` about them."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from cli_runs import Run, peerdrift

RIDE, PILLS, PRAYER = "I drove her to Walmart and back.", "Counted her pills.", "I led the group in a closing prayer."
NOTES = {"17": f"Met Ana. {PILLS}", "18": f"Met Bo. {RIDE}", "19": "She chose the library."}
SUPPRESS = """\
[[suppress]]
phrase = "drove her to Walmart"
program = "North"
reason = "The Walmart run is in the grant."
date = 2026-03-01

[[suppress]]
rule = "boundary.transport.dorve"
reason = "Misspelt."
date = 2026-03-01

[[suppress]]
indicator = "religious.promotion"
reason = "A trial."
date = 2025-01-01
until = 2025-06-30
"""


def export(folder: Path, notes: dict[str, str], name: str = "notes.csv") -> None:
    with (folder / name).open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["note id", "text", "program"])
        rows.writerows([note_id, text, "North"] for note_id, text in notes.items())


def scan(folder: Path, *arguments: str | Path, code: int = 0) -> Run:
    run = peerdrift("scan", "notes.csv", "--model", "fast", "--out", "out", *arguments, folder=folder)
    assert run.code == code, run.err
    return run


def results(folder: Path) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """``run.json``, and the indicators of each note of ``reports.jsonl``."""
    record = json.loads((folder / "out" / "run.json").read_text(encoding="utf-8"))
    reports = map(json.loads, (folder / "out" / "reports.jsonl").read_text(encoding="utf-8").splitlines())
    return record, {item["note_id"]: [flag["indicator"] for flag in item["findings"]] for item in reports}


def test_month_by_month(tmp_path: Path) -> None:
    """All is new; nothing is; decisions come in; a note is edited and one is new."""
    export(tmp_path, NOTES)
    scan(tmp_path, "--baseline", "seen.json")
    flags = {"17": ["clinical.medication"], "18": ["lax_boundaries.transport"], "19": []}
    assert results(tmp_path)[1] == flags
    held = (tmp_path / "seen.json").read_text() + (tmp_path / "seen.json.key").read_text()
    assert not [word for text in NOTES.values() for word in text.split() if len(word) > 3 and word in held]

    run = scan(tmp_path, "--baseline", "seen.json")
    record, found = results(tmp_path)
    assert found == {} and record["skipped"] == {"known from an earlier run": 3}
    assert "  skipped 3: known from an earlier run" in run.lines
    assert "3 notes read: 0 scanned, 3 skipped, 0 unreadable." in run.lines

    known = json.loads((tmp_path / "seen.json").read_text())
    pills = known["notes"][0]
    decision = {
        "note": pills["note"], **{key: pills["findings"][0][key] for key in ("start", "end", "indicator")},
        "verdict": "dismissed", "reason": "safety_duty", "comment": "",
    }  # fmt: skip
    decisions = {
        "schema": "peerdrift.decisions/1", "run": "2026-03-01T09:00:00+00:00", "key_id": known["key_id"],
        "made": "2026-03-02T09:00:00.000Z", "decisions": [decision], "read": [],
    }  # fmt: skip
    (tmp_path / "decisions.json").write_text(json.dumps(decisions))
    export(tmp_path, NOTES | {"17": f"{NOTES['17']} {RIDE}", "20": PILLS})
    run = scan(tmp_path, "--baseline", "seen.json", "--decisions", "decisions.json")
    record, found = results(tmp_path)
    assert found == {"17": ["lax_boundaries.transport"], "20": ["clinical.medication"]}
    assert record["decided"] == 1 and "left out 1: decided earlier" in run.lines
    assert "left out 1: decided earlier" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_an_export_without_ids_and_a_folder_of_texts(tmp_path: Path) -> None:
    (tmp_path / "notes.csv").write_text(f"text\n{PILLS}\n", encoding="utf-8")
    assert "no note ids: a note that was edited is shown as new" in scan(tmp_path, "--baseline", "seen.json").err
    (tmp_path / "notes.csv").write_text(f"text\n{RIDE}\n{PILLS}\n", encoding="utf-8")
    scan(tmp_path, "--baseline", "seen.json")
    assert list(results(tmp_path)[1].values()) == [["lax_boundaries.transport"]]
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text(PILLS)
    run = peerdrift("scan", "texts", "--model", "fast", "--out", "out2", "--baseline", "b.json", folder=tmp_path)
    assert run.code == 0 and "no note ids" not in run.err


def test_a_run_that_fails_leaves_no_baseline(tmp_path: Path) -> None:
    export(tmp_path, NOTES)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    scan(tmp_path, "--baseline", "seen.json", code=2)
    assert not list(tmp_path.glob("seen*"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--baseline", "bad.json"], "bad.json has lost its key: bad.json.key must lie beside it"),
        (["--decisions", "bad.json"], "--decisions are noted in a baseline: name it with --baseline"),
        (["--suppress", "bad.toml"], "bad.toml:1: 'reason' is missing: say why this is left out."),
    ],
)  # fmt: skip
def test_files_that_will_not_do(tmp_path: Path, arguments: list[str], message: str) -> None:
    export(tmp_path, NOTES)
    (tmp_path / "bad.json").write_text(PILLS)
    (tmp_path / "bad.toml").write_text('[[suppress]]\nrule = "x.y"\n')
    run = scan(tmp_path, *arguments, code=2)
    assert run.out == "" and message in run.err and PILLS not in run.err
    assert not (tmp_path / "out").exists()


def test_suppressions_are_counted_listed_and_told_when_stale(tmp_path: Path) -> None:
    export(tmp_path, NOTES | {"20": PRAYER})
    (tmp_path / "ours.toml").write_text(SUPPRESS)
    run = scan(tmp_path, "--suppress", "ours.toml")
    record, found = results(tmp_path)
    assert found["18"] == [] and found["20"] == ["religious.promotion"], "what has ended suppresses nothing"
    assert [item["taken_away"] for item in record["suppressed"]] == [1, 0, 0]
    said = " ".join(run.out.split())
    assert (
        "left out 1: phrase 'drove her to Walmart', program 'North' (2026-03-01: The Walmart run is in the grant.)"
        in said
    )
    assert "there is no rule 'boundary.transport.dorve'" in said and "has ended on 2025-06-30" in said
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "The Walmart run is in the grant." in page

    run = peerdrift("rules", "suppressed", "ours.toml", "--results", "out", folder=tmp_path)
    assert run.code == 0
    assert run.lines[0] == "phrase 'drove her to Walmart', program 'North'"
    assert run.lines[1].startswith("  since 2026-03-01 (") and run.lines[1].endswith(
        "): The Walmart run is in the grant."
    )
    assert run.lines[2:4] == ["  left out 1 findings in out", "rule 'boundary.transport.dorve'"]
    assert [line for line in run.lines if "STALE" in line] == [
        "  STALE: there is no rule 'boundary.transport.dorve'; see `peerdrift rules list`",
        "  STALE: has ended on 2025-06-30; remove or renew it",
    ]
    assert run.lines[-1] == "3 suppressions, 2 stale"
    run = peerdrift("rules", "suppressed", "ours.toml", folder=tmp_path)
    assert run.code == 0 and "left out" not in run.out and run.lines[-1] == "3 suppressions, 2 stale"
    run = peerdrift("rules", "suppressed", "ours.toml", "--results", "none", folder=tmp_path)
    assert (run.code, run.out) == (2, "") and "run.json cannot be read" in run.err


def test_the_profile_is_named_with_what_it_switched_off(tmp_path: Path) -> None:
    export(tmp_path, NOTES)
    run = scan(tmp_path, "--profile", "community")
    record, found = results(tmp_path)
    assert found["18"] == []
    line = "Policy profile: Community outreach; it switched off: transport (1), naloxone (0)"
    assert line in run.lines and line in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert record["profile"] == {
        "name": "community", "title": "Community outreach", "resources": [], "required_phrases": [],
        "program_names": [], "allows": ["transport", "naloxone"],
        "switched_off": {"transport": 1, "naloxone": 0},
    }  # fmt: skip


def test_the_shipped_profiles_are_listed(tmp_path: Path) -> None:
    run = peerdrift("rules", "profiles", folder=tmp_path)
    assert (run.code, run.err) == (0, "")
    assert [line.partition(":")[0] for line in run.lines if not line.startswith((" ", "policies"))] == [
        "article", "community", "crisis-team", "faith-based", "recovery-coach",
    ]  # fmt: skip
    assert "  allows: transport, naloxone" in run.lines
