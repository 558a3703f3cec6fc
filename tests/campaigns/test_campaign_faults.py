"""Disk full, a locked file, a folder that cannot be written, workers that die or have no memory, a clock that jumps.

    pytest -m campaign -n 0 -s tests/campaigns/test_campaign_faults.py

Each fault must end the run with a plain error, no note text and no traceback; the same command then goes on, and its
results are those of a run that met no fault.
"""

from __future__ import annotations

import errno
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from campaign_runs import SEED, Ended, at_operation, count, ended, export, results, run, start, with_key

pytestmark = pytest.mark.campaign
SCAN = ("scan", "notes.csv", "--model", "fast", "--out", "out")
MARKER = "xylorimba"
NOTES = 300


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an export and the results of an undisturbed scan in ``whole``."""
    folder = tmp_path_factory.mktemp("faults")
    export(folder / "notes.csv", NOTES)
    text = (folder / "notes.csv").read_text("utf-8").replace("She laughed", f"She laughed at the {MARKER}")
    (folder / "notes.csv").write_text(text, encoding="utf-8")
    end = run(folder, *SCAN[:-1], "whole")
    assert end.code == 0, end.said
    return folder / "whole"


def told(end: Ended) -> None:
    """The run ended with a plain error."""
    assert end.code == 2, end
    assert "peerdrift: " in end.said
    for word in ("Traceback", "internal error", MARKER):
        assert word not in end.said, end.said


def recovers(folder: Path, whole: Path) -> None:
    """The same command, undisturbed, gives what an undisturbed run gives."""
    end = run(folder, *SCAN)
    assert end.code == 0, end.said
    assert results(folder / "out") == results(whole)


def beside(whole: Path, name: str) -> Path:
    """A folder with the same export, and the key of the undisturbed run."""
    folder = whole.parent / name
    with_key(folder / "out", whole)
    (folder / "notes.csv").symlink_to(whole.parent / "notes.csv")
    return folder


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EIO])
def test_a_file_operation_fails(whole: Path, code: int) -> None:
    """Every file operation in turn fails: a full disk, a file that Excel holds, a broken disk."""
    tally = Counter[str]()
    for number in range(1, 500):
        folder = beside(whole, f"{errno.errorcode[code]}{number}")
        failed: list[str] = []

        def fail(event: str, failed: list[str] = failed) -> None:
            failed.append(event)
            raise OSError(code, os.strerror(code))

        end = run(folder, *SCAN, before=at_operation(number, folder / "out", fail))
        untouched = end.code == 0
        if not untouched:
            told(end)
        tally["refused" if end.code else "went well all the same"] += 1
        recovers(folder, whole)
        if number > 70 and untouched:
            break
    print(f"\n{errno.errorcode[code]} at each file operation: {number} operations, {dict(tally)}")
    assert tally["refused"] > 10


def test_the_disk_is_full_after_some_bytes(whole: Path) -> None:
    """No file may grow beyond a random size."""
    rounds, chance, tally = count("FULL_DISKS", 100), random.Random(SEED), Counter[int]()
    largest = max(item.stat().st_size for item in whole.iterdir())

    def limited(size: int) -> Callable[[], None]:
        def prepare() -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

        return prepare

    for number in range(rounds):
        folder = beside(whole, f"full{number}")
        end = run(folder, *SCAN, before=limited(chance.randrange(1, largest)))
        # Its output is a file, too: where the limit struck that, there is nothing to read.
        if end.code and "peerdrift: " in end.said:
            told(end)
        tally[end.code] += 1
        recovers(folder, whole)
    print(f"\ndisk full after a random number of bytes: seed {SEED}, {rounds} rounds, exit codes {dict(tally)}")
    assert tally[2] > rounds / 3


@pytest.mark.skipif(os.name != "posix", reason="needs the rights of POSIX")
def test_a_folder_that_cannot_be_written(whole: Path) -> None:
    # Not below pytest's own folder, which nobody else may enter.
    folder = Path(tempfile.mkdtemp())
    (folder / "notes.csv").write_bytes((whole.parent / "notes.csv").read_bytes())
    with_key(folder / "out", whole)
    places = (folder / "out", folder)
    for place in places:
        place.chmod(0o555)

    def nobody() -> None:
        if os.geteuid() == 0:
            os.setuid(65534)

    for out in ("out", "new"):
        told(run(folder, *SCAN[:-1], out, before=nobody))
    for place in places:
        place.chmod(0o755)
    recovers(folder, whole)
    shutil.rmtree(folder)
    print("\nread-only folder: 2 runs refused")


def test_a_worker_is_killed(whole: Path) -> None:
    """One of two worker processes dies at a random moment."""
    rounds, chance, tally = count("WORKERS", 20), random.Random(SEED), Counter[str]()
    for number in range(rounds):
        folder = beside(whole, f"worker{number}")
        (folder / "notes.csv").unlink()
        export(folder / "notes.csv", 3000)
        child = start(folder, *SCAN, "--jobs", "2")
        workers: list[int] = []
        while not workers and os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            time.sleep(0.05)
            workers = descendants(child, "LokyProcess")
        time.sleep(chance.uniform(0, 3))
        for worker in descendants(child, "LokyProcess")[:1]:
            os.kill(worker, signal.SIGKILL)
        end = ended(child, folder)
        if end.code:
            told(end)
        tally[f"exit code {end.code}"] += 1
        again = run(folder, *SCAN)
        assert again.code == 0, again.said
        tally["went on"] += "going on after" in again.said
        lines = (folder / "out" / "reports.jsonl").read_text("utf-8").splitlines()
        assert len(lines) == len(set(lines)) > 2000
    print(f"\na worker killed: seed {SEED}, {rounds} rounds, {dict(tally)}")
    assert tally["exit code 2"] > 0


def descendants(process: int, name: str) -> list[int]:
    """The processes below one whose command line holds a name."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1]) if entry.name.isdigit() else 0
            if parent == process:
                if name in (entry / "cmdline").read_text():
                    found.append(int(entry.name))
                found += descendants(int(entry.name), name)
        except (OSError, ValueError):
            continue
    return sorted(found)


@pytest.mark.parametrize(("jobs", "most"), [(1, 2**23), (2, 2**26)])
def test_memory_runs_out(whole: Path, jobs: int, most: int) -> None:
    """Address space ends a random number of bytes above what the process has at its start."""
    rounds, chance, tally = count("MEMORY", 20), random.Random(SEED), Counter[str]()
    for number in range(rounds):
        folder = beside(whole, f"memory{jobs}-{number}")
        more = chance.randrange(most)

        def limited(more: int = more) -> None:
            used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + more, used + more))

        end = run(folder, *SCAN, "--jobs", str(jobs), before=limited)
        if end.code:
            told(end)
        tally[f"exit code {end.code}"] += 1
        recovers(folder, whole)
    print(f"\nmemory runs out: seed {SEED}, {jobs} jobs, {rounds} rounds, {dict(tally)}")
    assert tally["exit code 2"] > 0


def test_the_clock_jumps(whole: Path) -> None:
    """The clock is somewhere else at every file operation: back, forth, before 1980, after 2038."""
    time_machine = pytest.importorskip("time_machine", reason='needs pip install ".[campaign]"')
    rounds, chance = count("CLOCKS", 30), random.Random(SEED)
    for number in range(rounds):
        folder = beside(whole, f"clock{number}")
        moment = chance.choice([datetime(1970, 1, 2, tzinfo=UTC), datetime(2040, 6, 1, tzinfo=UTC), datetime.now(UTC)])
        traveller = time_machine.travel(moment, tick=True)

        def jumping(traveller: object = traveller) -> None:
            clock = traveller.start()  # type: ignore[attr-defined]

            def jump(event: str, _: tuple[object, ...]) -> None:
                if event == "open":
                    clock.shift(timedelta(hours=chance.uniform(-900, 300)))

            sys.addaudithook(jump)

        end = run(folder, *SCAN, before=jumping)
        assert end.code == 0, end.said
        assert results(folder / "out") == results(whole)
    print(f"\nthe clock jumps at each opening of a file: seed {SEED}, {rounds} rounds")
