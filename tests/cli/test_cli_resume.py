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

from peerdrift_nlp.report.fingerprint import Fingerprints

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
WORKERS = ("Ana", "Bao", "Dee")
TEXTS = (
    "I counted her pills and told her to take them. She laughed about the rain.",
    "Told him about my own first week out when he asked and he said it helped.",
    "Front desk had me cover phones all day. He chose the library.",
    "",
)

_SUPPRESS = '[[suppress]]\nindicator = "clinical.medication"\nreason = "{}"\ndate = 2026-03-01\n'
_PACK = """
[pack]
name = "own"
version = "{}"
language = "en"
"""
_BASELINE = {"schema": "peerdrift.baseline/1", "key_id": Fingerprints(bytes(32)).key_id, "notes": []}
_SEEN = {"note": "a" * 32, "id": "b" * 32, "findings": []}
FILES = {
    "ours.toml": (_SUPPRESS.format("Once."), _SUPPRESS.format("Twice.")),
    "profile.toml": tuple(f'name = "x"\ntitle = "X"\n[policies]\ntransport = {value}\n' for value in ("true", "false")),
    "pack.toml": (_PACK.format(1), _PACK.format(2)),
    "peerdrift.toml": ('roles = ["Guide"]\n', 'roles = ["Helper"]\n'),
    "seen.json": (json.dumps(_BASELINE), json.dumps(_BASELINE | {"notes": [_SEEN]})),
}
"""What an option names, before and after somebody changed it."""


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
    (tmp_path / "profile.toml").write_text(
        'name = "x"\ntitle = "X"\n[policies]\nrequired_phrases = ["She laughed about the rain."]\n'
    )
    profile = ("--profile", "profile.toml")
    first = kill_in_the_middle(tmp_path, *profile)
    second = kill_in_the_middle(tmp_path, *profile, "--jobs", "2", bytes_written=1_000_000)
    assert 0 < first < second < 2250
    run = peerdrift("scan", "notes.csv", "--model", "fast", "--out", "results", *profile, folder=tmp_path)
    assert run.code == 0, run.err
    assert f"going on after {second:,} notes that an interrupted run had finished" in run.err
    # A folder's key outlives its results, so that the fingerprints are the same.
    (tmp_path / "whole").mkdir()
    (tmp_path / "whole" / "run.json").write_bytes((tmp_path / "results" / "run.json").read_bytes())
    whole = peerdrift("scan", "notes.csv", "--model", "fast", "--out", "whole", *profile, folder=tmp_path)
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


def test_a_killed_first_run_of_a_baseline_goes_on_with_its_key(tmp_path: Path) -> None:
    """The baseline and the results must name notes alike, or the decisions on them would fit nothing."""
    export(tmp_path / "notes.csv")
    assert kill_in_the_middle(tmp_path, "--baseline", "seen.json") > 0
    assert not (tmp_path / "seen.json").exists()
    options = ("scan", "notes.csv", "--model", "fast", "--out", "results", "--baseline", "seen.json")
    run = peerdrift(*options, folder=tmp_path)
    assert run.code == 0 and "going on after" in run.err
    record = json.loads((tmp_path / "results" / "run.json").read_text("utf-8"))
    assert (tmp_path / "seen.json.key").read_text("ascii").strip() == record["key"]
    assert len(json.loads((tmp_path / "seen.json").read_text("utf-8"))["notes"]) == len({t for t in TEXTS if t}) * 750


def test_a_file_of_other_contents_is_another_command(tmp_path: Path) -> None:
    """Each run ends on a disk that is full once the page is written, so that the next one finds something."""
    export(tmp_path / "notes.csv", notes=8)
    for name, (first, _) in FILES.items():
        (tmp_path / name).write_text(first)
    (tmp_path / "seen.json.key").write_text("0" * 64)
    files = ["--suppress", "ours.toml", "--profile", "profile.toml", "--pack", "pack.toml", "--baseline", "seen.json"]

    def notice() -> str:
        run = peerdrift(
            "scan", "notes.csv", "--model", "fast", "--out", "results", *files, folder=tmp_path,
            wrapper=["sh", "-c", 'trap "" XFSZ; ulimit -f 60; exec "$@"', "sh"],
        )  # fmt: skip
        assert run.code == 2 and "File too large" in run.err and (tmp_path / "results" / ".progress.json").exists()
        return run.err

    assert "interrupted" not in notice()
    for name, (_, second) in FILES.items():
        (tmp_path / name).write_text(second)
        other = "baseline or decisions" if name == "seen.json" else "options"
        assert f"an interrupted run had other {other}: starting anew" in notice(), name
    run = peerdrift("scan", "notes.csv", "--model", "fast", "--out", "results", *files, folder=tmp_path)
    assert run.code == 0 and "going on after 6 notes that an interrupted run had finished" in run.err
