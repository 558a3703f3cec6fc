"""A scan that is killed goes on where it was: a real process, killed by SIGKILL in the middle."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import openpyxl
import pytest
from cli_runs import COMMAND, environment, peerdrift

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
WORKERS = ("Ana", "Bao", "Dee")
TEXTS = (
    "I counted her pills and told her to take them. She laughed about the rain.",
    "Told him about my own first week out when he asked and he said it helped.",
    "Front desk had me cover phones all day. He chose the library.",
    "",
)


def export(path: Path, notes: int = 3000) -> None:
    rows = [
        f"{number:05},{WORKERS[number % 3]},North,2026-{1 + number % 6:02}-{1 + number % 28:02},{TEXTS[number % 4]}"
        for number in range(notes)
    ]
    path.write_text("id,worker,program,date,text\n" + "\n".join(rows) + "\n")


def kill_in_the_middle(folder: Path, *options: str, bytes_written: int = 200_000) -> int:
    """Start a scan, kill it once so much is written, and tell how many reports it had finished."""
    process = subprocess.Popen(
        [*COMMAND, "scan", "notes.csv", "--model", "fast", "--out", "results", *options], cwd=folder,
        env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    growing = folder / "results" / ".reports.jsonl.part"
    while process.poll() is None and not (growing.is_file() and growing.stat().st_size > bytes_written):
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait(timeout=60) == -signal.SIGKILL
    assert not (folder / "results" / "run.json").exists()
    return growing.read_bytes().count(b"\n")


def results(folder: Path) -> dict[str, object]:
    """All that a results folder holds, but the times of the run."""
    record = json.loads((folder / "run.json").read_text("utf-8"))
    book = openpyxl.load_workbook(folder / "findings.xlsx", read_only=True)
    found: dict[str, object] = {
        item.name: item.read_text("utf-8").replace(record["started"], "")
        for item in folder.iterdir()
        if item.suffix not in (".xlsx", ".json")
    }
    found["findings.xlsx"] = [list(sheet.values) for sheet in book.worksheets]
    found["run.json"] = {key: value for key, value in record.items() if key not in ("started", "finished")}
    return found


def test_a_killed_scan_goes_on_and_ends_like_one_that_was_not(tmp_path: Path) -> None:
    export(tmp_path / "notes.csv")
    first = kill_in_the_middle(tmp_path)
    second = kill_in_the_middle(tmp_path, "--jobs", "2", bytes_written=1_000_000)
    assert 0 < first < second < 2250
    run = peerdrift("scan", "notes.csv", "--model", "fast", "--out", "results", folder=tmp_path)
    assert run.code == 0, run.err
    assert f"going on after {second:,} notes that an interrupted run had finished" in run.err
    # A folder's key outlives its results, so that the fingerprints are the same.
    (tmp_path / "whole").mkdir()
    (tmp_path / "whole" / "run.json").write_bytes((tmp_path / "results" / "run.json").read_bytes())
    whole = peerdrift("scan", "notes.csv", "--model", "fast", "--out", "whole", folder=tmp_path)
    assert "going on" not in whole.err
    assert re.sub("results/", "whole/", run.out) == whole.out
    assert results(tmp_path / "results") == results(tmp_path / "whole")


def test_a_killed_scan_of_other_notes_starts_anew(tmp_path: Path) -> None:
    export(tmp_path / "notes.csv")
    assert kill_in_the_middle(tmp_path) > 0
    export(tmp_path / "notes.csv", notes=8)
    run = peerdrift("scan", "notes.csv", "--model", "fast", "--out", "results", folder=tmp_path)
    assert run.code == 0 and "an interrupted run had other input: starting anew" in run.err
    lines = (tmp_path / "results" / "reports.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["note_id"] for line in lines] == ["00000", "00001", "00002", "00004", "00005", "00006"]
