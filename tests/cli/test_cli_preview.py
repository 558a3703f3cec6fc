"""``peerdrift preview``, and ``peerdrift.toml`` and exports of several kinds on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import openpyxl
import pytest
from cli_runs import golden, peerdrift

MARKER = "xylorimba"
NOTE = f"Met with Ana at the drop-in about the {MARKER} and what she wants to ask the office on Monday morning."


def test_the_sample(sample: Path, tmp_path: Path) -> None:
    run = peerdrift("preview", sample, folder=tmp_path)
    assert (run.code, run.err) == (0, "")
    golden("preview", run.out)
    assert list(tmp_path.iterdir()) == [], "nothing is written"


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """An export with one of everything."""
    path = tmp_path / "odd.csv"
    rows = [f"1,CRSS,Signed,{NOTE}", f"2,CRSS,Signed,{NOTE}", f"3,CRSS,Signed,{NOTE.replace('Monday', 'Friday')}"]
    rows += [
        f",,,{MARKER}",
        "5,RN,Signed,x",
        f"6,{MARKER},x",
        f"7,CRSS,Draft \x1b[31m,{MARKER}",
        f"8,CRSS,Signed,{'x' * 4000}",
    ]
    path.write_text("Note ID,Role,Status,Progress note of the worker\n" + "\n".join(rows) + "\n")
    return path


def test_what_looks_odd_is_shown_without_a_word_of_the_notes(odd: Path, tmp_path: Path) -> None:
    run = peerdrift("preview", odd, "--map", "note_text=Progress note of the worker", folder=tmp_path)
    assert run.code == 3, "a row could not be read"
    assert MARKER not in run.out + run.err and "\x1b" not in run.out
    assert [line for line in run.lines if len(line) > 80] == []
    for line in (
        "- column 'Progress note of the worker' read as text",
        "5 notes to scan, 2 skipped, 1 unreadable.",
        "- skipped 1: not a peer role: rn",
    ):
        assert line in run.lines
    found = {line.split("  ")[0]: line.split()[-3:] for line in run.lines}
    assert found["cut off? exactly 4,000 characters"][1:] == ["1", "8"]
    assert found["word for word an earlier note"] == ["2", "=", "1"]
    assert found["nearly an earlier note"] == ["3", "~", "1"]
    assert found["text and nothing else: spilled over?"][-3:] == ["1", "row", "5"]


def test_settings_hold_for_preview_and_scan_and_options_go_before_them(odd: Path, tmp_path: Path) -> None:
    settings = tmp_path / "peerdrift.toml"
    settings.write_text(
        'keep_statuses = ["draft"]\nroles = ["RN"]\n\n[columns]\ntext = "Progress note of the worker"\n'
    )
    run = peerdrift("preview", odd, folder=tmp_path)
    assert "7 notes to scan, 0 skipped, 1 unreadable." in run.lines
    assert f"settingsfrom{settings}" in "".join(run.out.split())
    run = peerdrift("scan", odd, "--model", "fast", folder=tmp_path)
    record = json.loads((tmp_path / "odd-peerdrift" / "run.json").read_text(encoding="utf-8"))
    assert record["counts"] == {"read": 8, "scanned": 7, "skipped": 0, "unreadable": 1}
    assert "settings from" in run.err
    run = peerdrift("preview", odd, "--map", "text=Status", folder=tmp_path)
    assert "- column 'Status' read as text" in run.lines
    settings.write_text("rolls = 1\n")
    for command in ("preview", "scan"):
        run = peerdrift(command, odd, folder=tmp_path)
        assert run.code == 2
        assert "peerdrift.toml:1: unknown key 'rolls' in the file. Did you mean 'roles'?" in run.err


def test_a_profile_of_the_settings_is_looked_for_beside_them(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text\na\n")
    (tmp_path / "peerdrift.toml").write_text('profile = "ours.toml"\n')
    assert "ours.toml: cannot be read" in peerdrift("scan", "a.csv", folder=tmp_path).err
    assert "nosuch: no such profile" in peerdrift("scan", "a.csv", "--profile", "nosuch", folder=tmp_path).err


def test_a_sheet_of_split_notes_is_scanned(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for title in ("March", "April"):
        sheet = book.create_sheet(title)
        for row in (["id", "line", "text"], [title, 2, "and left."], [title, 1, "We met"]):
            sheet.append(row)
    book.save(tmp_path / "a.xlsx")
    options = ("--sheet", "April", "--join-on", "id", "--order", "line", "--model", "fast", "-q")
    assert peerdrift("scan", "a.xlsx", *options, folder=tmp_path).code == 0
    record = json.loads((tmp_path / "a-peerdrift" / "run.json").read_text(encoding="utf-8"))
    assert record["counts"] == {"read": 1, "scanned": 1, "skipped": 0, "unreadable": 0}
    assert "2 rows joined into 1 notes on 'id'" in record["notices"]
