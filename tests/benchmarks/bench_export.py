"""A whole export through the command line: killed once at random, gone on with, and checked for what is lost or doubled.

    python tests/benchmarks/bench_export.py [--notes 200000] [--jobs 1] [--model fast] [--seed 0]

Prints notes a second of wall time and peak memory of either run (of its first process), and fails where a note is
missing or there twice. It needs Linux or macOS, and some 2 GB of disk for 200,000 notes.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

from bench_scan import notes

HOME = Path(__file__).resolve().parents[2]
WORKERS, PROGRAMS, DAYS = 60, 4, 730


def write_export(path: Path, count: int) -> None:
    """An export of ``count`` notes by many workers over two years."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["note_id", "worker", "program", "date", "text"])
        for number, note in enumerate(notes(count)):
            day = date(2024, 1, 1) + timedelta(days=number * DAYS // count)
            worker = number % WORKERS
            rows.writerow([note.note_id, f"Worker {worker}", f"Program {worker % PROGRAMS}", day, note.text])


def scan(folder: Path, options: list[str], stop_at: int = 0) -> int:
    """Run the scan, kill it after ``stop_at`` notes, print its figures, and give the notes it has finished."""
    growing = folder / "results" / ".reports.jsonl.part"
    before = lines(growing)
    command = [sys.executable, "-m", "peerdrift_nlp", "scan", "notes.csv", "--out", "results", "-q", *options]
    begin = time.monotonic()
    process = subprocess.Popen(command, cwd=folder, env={**os.environ, "PYTHONPATH": str(HOME)})
    if stop_at:
        wait_for(growing, stop_at, process)
        process.send_signal(signal.SIGKILL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    took = time.monotonic() - begin
    assert process.returncode == (-signal.SIGKILL if stop_at else 0), process.returncode
    done = lines(growing if stop_at else folder / "results" / "reports.jsonl")
    memory = usage.ru_maxrss / (1024 if sys.platform == "linux" else 1 << 20)
    how = f"killed after {done:,} notes" if stop_at else f"went on after {before:,} and ended with {done:,}"
    print(f"{how}: {(done - before) / took:,.0f} notes/s in {took:,.0f} s, peak memory {memory:,.0f} MB", flush=True)
    return done


def wait_for(path: Path, count: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until a growing file has so many lines, or the process has ended."""
    while process.poll() is None and not path.is_file():
        time.sleep(0.2)
    with path.open("rb") as file:
        while process.poll() is None and count > 0:
            block = file.read(1 << 20)
            count -= block.count(b"\n")
            if not block:
                time.sleep(0.2)


def lines(path: Path) -> int:
    """The whole lines of a file."""
    if not path.is_file():
        return 0
    with path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


def check(folder: Path, count: int) -> None:
    """Compare what was read, reported and tabulated."""
    results = folder / "results"
    ids, findings = [], 0
    with (results / "reports.jsonl").open(encoding="utf-8") as file:
        for line in file:
            report = json.loads(line)
            ids.append(report["note_id"])
            findings += len(report["findings"])
    with (results / "findings.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = sum(1 for _ in csv.DictReader(file))
    counts = json.loads((results / "run.json").read_text(encoding="utf-8"))["counts"]
    assert ids == [str(number) for number in range(count)], "a note is missing, doubled or out of order"
    assert rows == findings, "the table does not have a row for each finding"
    assert counts == {"read": count, "scanned": count, "skipped": 0, "unreadable": 0}, counts
    print(f"nothing lost or doubled: {count:,} notes, {findings:,} findings in reports.jsonl and in findings.csv")


def main() -> None:
    """Make the export, kill, go on, check."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--notes", type=int, default=200_000)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--model", default="fast")
    parser.add_argument("--seed", type=int, default=None, help="of the moment of the kill")
    options = parser.parse_args()
    share = random.Random(options.seed).uniform(0.2, 0.8)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_export(folder / "notes.csv", options.notes)
        chosen = ["--model", options.model, "--jobs", str(options.jobs)]
        scan(folder, chosen, stop_at=max(1, int(share * options.notes)))
        scan(folder, chosen)
        check(folder, options.notes)


if __name__ == "__main__":
    main()
