"""A whole export through the command line: killed once at random, gone on with, and checked for what is lost or doubled.

    python tests/benchmarks/bench_export.py [--notes 200000] [--jobs 1] [--model fast] [--seed 0]

Prints memory as the notes go by, and notes a second of wall time and peak memory of either run (of its first process),
and fails where a note is missing or there twice. It needs Linux or macOS, and some 2 GB of disk for 200,000 notes.
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


def scan(folder: Path, options: list[str], count: int, stop_at: int = 0) -> int:
    """Run the scan, kill it after ``stop_at`` notes, print its figures, and give the notes it has finished."""
    growing = folder / "results" / ".reports.jsonl.part"
    before = lines(growing)
    command = [sys.executable, "-m", "peerdrift_nlp", "scan", "notes.csv", "--out", "results", "-q", *options]
    begin = time.monotonic()
    process = subprocess.Popen(command, cwd=folder, env={**os.environ, "PYTHONPATH": str(HOME)})
    status, peak = watch(process, growing, count, stop_at)
    process.returncode = os.waitstatus_to_exitcode(status)
    took = time.monotonic() - begin
    assert process.returncode == (-signal.SIGKILL if stop_at else 0), process.returncode
    done = lines(growing if stop_at else folder / "results" / "reports.jsonl")
    how = f"killed after {done:,} notes" if stop_at else f"went on after {before:,} and ended with {done:,}"
    print(f"{how}: {(done - before) / took:,.0f} notes/s in {took:,.0f} s, peak memory {peak:,.0f} MB", flush=True)
    return done


def watch(process: subprocess.Popen[bytes], growing: Path, count: int, stop_at: int) -> tuple[int, float]:
    """Print memory at each tenth of the notes, kill the run at ``stop_at``, and give its status and peak memory."""
    done = position = 0
    tenths = lines(growing) * 10 // count
    while True:
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        if ended:
            return status, usage.ru_maxrss / (1024 if sys.platform == "linux" else 1 << 20)
        if growing.is_file():
            with growing.open("rb") as file:
                file.seek(position)
                for block in iter(lambda: file.read(1 << 20), b""):
                    done += block.count(b"\n")
                position = file.tell()
        if done * 10 // count > tenths:
            tenths = done * 10 // count
            print(f"  {done:>9,} notes: memory {memory(process.pid):,.0f} MB", flush=True)
        if stop_at and done >= stop_at:
            process.send_signal(signal.SIGKILL)
        time.sleep(0.2)


def memory(pid: int) -> float:
    """Resident memory of a process in MB."""
    return int(subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, check=True).stdout) / 1024


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
        scan(folder, chosen, options.notes, stop_at=max(1, int(share * options.notes)))
        scan(folder, chosen, options.notes)
        check(folder, options.notes)


if __name__ == "__main__":
    main()
