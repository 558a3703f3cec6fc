"""Scans that are killed at random, and before each single file operation, and then go on: results as if nothing had been.

pytest -m campaign -n 0 -s tests/campaigns/test_campaign_kill.py
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest
from campaign_runs import SEED, at_operation, count, ended, export, results, run, start, with_key

pytestmark = pytest.mark.campaign
SCAN = ("scan", "notes.csv", "--model", "fast", "--out", "out")
KILLED = -signal.SIGKILL


def prepared(folder: Path, notes: int, *options: str) -> tuple[Path, float]:
    """A folder with an export and the results of a scan that nobody killed; and how long that took."""
    export(folder / "notes.csv", notes)
    begin = time.monotonic()
    whole = run(folder, *SCAN[:-1], "whole", *options)
    assert whole.code == 0, whole.said
    return folder / "whole", time.monotonic() - begin


def test_killed_at_random(tmp_path: Path) -> None:
    """At least so many kills, each at a random moment of what is left of the run; results are compared at each end."""
    kills, chance, tally = count("KILLS", 400), random.Random(SEED), Counter[str]()
    whole, seconds = prepared(tmp_path, 1500)
    expected = results(whole)
    while tally["kills"] < kills:
        tally["chains"] += 1
        folder = tmp_path / f"chain{tally['chains']}"
        with_key(folder / "out", whole)
        (folder / "notes.csv").symlink_to(tmp_path / "notes.csv")
        while True:
            child = start(folder, *SCAN)
            time.sleep(chance.uniform(0, 1.1 * seconds))
            os.kill(child, signal.SIGKILL)
            end = ended(child, folder)
            tally["kills"] += end.code == KILLED
            if end.code != KILLED:
                break
            tally["resumed"] += "going on after" in end.said
        assert end.code == 0, end.said
        assert results(folder / "out") == expected, folder
    print(f"\nkilled at random: seed {SEED}, {dict(tally)}, a whole run takes {seconds:.2f} s")
    assert tally["resumed"] > 0


def test_killed_before_each_file_operation(tmp_path: Path) -> None:
    """A kill before every file operation in turn, until a run does without so many."""
    whole, _ = prepared(tmp_path, 40)
    expected = results(whole)
    anew = 0
    for number in range(1, 500):
        folder = tmp_path / f"at{number}"
        with_key(folder / "out", whole)
        (folder / "notes.csv").symlink_to(tmp_path / "notes.csv")
        kill = at_operation(number, folder / "out", lambda _: os.kill(os.getpid(), signal.SIGKILL))
        first = run(folder, *SCAN, before=kill)
        if first.code == 0:
            break
        assert first.code == KILLED, first.said
        second = run(folder, *SCAN)
        assert second.code == 0, second.said
        anew += "starting anew" in second.said
        assert results(folder / "out") == expected, number
    print(f"\nkilled before each file operation: {number - 1} operations, {anew} times started anew")
    assert number > 20 and first.code == 0 and anew == 0


def test_killed_with_workers(tmp_path: Path) -> None:
    """Real worker processes go with the scan that is killed, and leave nothing that stands in the way."""
    kills, chance = count("WORKER_KILLS", 20), random.Random(SEED)
    whole, seconds = prepared(tmp_path, 3000, "--jobs", "2")
    expected, done, chains = results(whole), 0, 0
    while done < kills:
        chains += 1
        folder = tmp_path / f"chain{chains}"
        with_key(folder / "out", whole)
        (folder / "notes.csv").symlink_to(tmp_path / "notes.csv")
        while True:
            child = start(folder, *SCAN, "--jobs", "2")
            time.sleep(chance.uniform(0, 1.2 * seconds))
            os.kill(child, signal.SIGKILL)
            end = ended(child, folder)
            if end.code != KILLED:
                break
            done += 1
        assert end.code == 0, end.said
        assert results(folder / "out") == expected
    print(f"\nkilled with two workers: seed {SEED}, {done} kills, {chains} chains, a whole run takes {seconds:.2f} s")
