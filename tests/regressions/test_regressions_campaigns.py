"""What the campaigns of ``tests/campaigns`` found, in the order in which it was mended; each number stays."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread

import pytest
from joblib import Parallel
from joblib.externals.loky import get_reusable_executor, process_executor
from joblib.externals.loky.backend import queues

import peerdrift_nlp
from peerdrift_nlp.cli import main
from peerdrift_nlp.errors import UsageError, WorkerError
from peerdrift_nlp.io.readers import open_export
from peerdrift_nlp.io.writers import ResultsFolder
from peerdrift_nlp.processes import spread
from peerdrift_nlp.scanner import Scanner
from peerdrift_nlp.types import Engine, Note, NoteReport

MADE_FROM = {"input": "a", "options": "b"}
REPORTS = [NoteReport(str(number), "complete", Engine("1", "m", "article", {})) for number in range(3)]


class Killed(BaseException):
    """Stands for the end of the process: nothing is tidied up."""


def scanned(folder: Path, key: bytes = b"k") -> list[str]:
    """A run to its end; what it says of an interrupted one."""
    with ResultsFolder(folder, made_from=MADE_FROM, key=key) as results:
        said = results.notices
        for report in [*results.finished(), *REPORTS[results._journal.kept if results._journal else 0 :]]:
            results.write(report)
        results.write_text("report.html", "<p>")
        results.write_run({"key": results.key.hex()})
    return said


@pytest.mark.parametrize("killed_at", ["run.json", "forget"])
def test_1_a_kill_between_the_last_moves_loses_neither_reports_nor_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_at: str
) -> None:
    move, remove = Path.replace, Path.unlink

    def moving(self: Path, target: Path) -> Path:
        if target.name == killed_at:
            raise Killed
        return move(self, target)

    def removing(self: Path, missing_ok: bool = False) -> None:
        if killed_at == "forget" and self.name == ".progress.json" and (tmp_path / "run.json").exists():
            raise Killed
        remove(self, missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", moving)
        patch.setattr(Path, "unlink", removing)
        with pytest.raises(Killed):
            scanned(tmp_path)
    said = scanned(tmp_path, key=b"other")
    expected = ["going on after 3 notes that an interrupted run had finished"] if killed_at == "run.json" else []
    assert said == expected
    assert json.loads((tmp_path / "run.json").read_text())["key"] == (b"k" if expected else b"other").hex()
    assert len((tmp_path / "reports.jsonl").read_text().splitlines()) == 3
    assert not list(tmp_path.glob(".*"))


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_2_a_worker_that_is_killed_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr("peerdrift_nlp.scanner._scan_chunk", killed)
    endless: Iterator[tuple[str, str]] = ((str(number), "She chose the library.") for number in count())
    with pytest.raises(WorkerError, match="a worker process was killed, mostly because memory ran out: use fewer jobs"):
        next(Scanner(model="fast").scan_many(endless, jobs=2))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "peerdrift: memory ran out: close other programs, use --jobs 1, or split the export\n"),
        (PermissionError(13, "xylorimba", "notes.csv"), "peerdrift: notes.csv: Permission denied\n"),
    ],
)
def test_3_what_the_system_refuses_is_no_internal_error(
    error: Exception, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused() -> None:
        raise error

    monkeypatch.setattr(main, "app", refused)
    with pytest.raises(SystemExit) as ended:
        main.run()
    assert (ended.value.code, capsys.readouterr().err) == (2, said)


@pytest.mark.parametrize("name", ["findings.csv", "reports.jsonl", "run.json"])
def test_4_a_last_move_that_fails_loses_neither_reports_nor_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    move = Path.replace

    def failing(self: Path, target: Path) -> Path:
        if target.name == name:
            raise OSError(28, "No space left on device")
        return move(self, target)

    scanned(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", failing)
        with pytest.raises(UsageError, match="the same command then goes on after the notes that are finished"):
            scanned(tmp_path)
    assert scanned(tmp_path, key=b"other") == ["going on after 3 notes that an interrupted run had finished"]
    assert json.loads((tmp_path / "run.json").read_text())["key"] == b"k".hex()


HOLDING = """
import fcntl, sys, time
from joblib import Parallel
from peerdrift_nlp.processes import spread

def work(path):
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write("held")
        file.flush()
        time.sleep(60)

with Parallel(n_jobs=2) as pool:
    spread(pool, work, sys.argv[1:])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_5_worker_processes_end_with_a_scan_that_is_killed(tmp_path: Path) -> None:
    """They hold notes; each of these holds a lock as long as it lives."""
    import fcntl

    paths = [tmp_path / "one", tmp_path / "other"]
    with subprocess.Popen([sys.executable, "-c", HOLDING, *map(str, paths)], env=with_package()) as scan:
        try:
            wait_until(lambda: all(path.exists() and path.read_text() for path in paths))
        finally:
            scan.kill()

    def free(path: Path) -> bool:
        with path.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
        return True

    wait_until(lambda: all(map(free, paths)))


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_6_a_worker_that_is_killed_halfway_through_its_answer_is_told() -> None:
    """The other one lives, and holds the pipe open."""

    def halfway(number: int) -> None:
        def send(connection: Connection, answer: bytes) -> None:
            os.write(connection.fileno(), bytes(answer)[:6])
            os.kill(os.getpid(), signal.SIGKILL)

        if number == 0:
            Connection._send = send  # type: ignore[attr-defined]
        else:
            time.sleep(60)

    with pytest.raises(WorkerError, match="a worker process was killed"), Parallel(n_jobs=2) as pool:
        spread(pool, halfway, range(2))
    with Parallel(n_jobs=2) as pool:
        assert list(spread(pool, abs, [-1, -2])) == [1, 2]


def test_7_a_note_that_damage_moved_into_another_column_is_not_kept_there(tmp_path: Path) -> None:
    """Each of these cells would stand in ``reports.jsonl`` as it is."""
    note = "She spoke of the xylorimba and chose the library. " * 5
    (tmp_path / "a.csv").write_text(
        f'id,worker,date,note\n1,Ana,2026-03-0"{note},b\n"{note}",Ana,,b\n3,{note},,b\n4,,,b\n'
    )
    items = list(open_export(tmp_path / "a.csv"))
    assert items[3] == Note("4", "b")
    assert [str(item) for item in items[:3]] == [
        f"row {row}: the {field} has {length} characters, so it is probably part of a note: "
        "look for a quotation mark that is missing or never closed"
        for row, field, length in ((2, "date", 260), (3, "note id", 250), (4, "worker", 250))
    ]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize(
    ("place", "said"),
    [
        (Thread, "the system gave no thread"),
        (process_executor._ExecutorManagerThread, "the system gave no thread"),
        (queues.Queue, "a worker process was killed"),
    ],
)
def test_8_a_process_that_gets_no_more_threads_is_told(place: type, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a queue gets none, it is joblib's own thread that dies of it, and nobody reads an answer."""

    def refused(_: object) -> None:
        raise RuntimeError("can't start new thread")

    get_reusable_executor().shutdown()  # a pool that is there has its threads
    with monkeypatch.context() as patch:
        patch.setattr(place, "_start_thread" if place is queues.Queue else "start", refused, raising=False)
        with pytest.raises(WorkerError, match=said), Parallel(n_jobs=2) as pool:
            spread(pool, abs, [-1, -2])
    with Parallel(n_jobs=2) as pool:
        assert list(spread(pool, abs, [-1, -2])) == [1, 2]


def with_package() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(peerdrift_nlp.__file__).parents[1])}


def wait_until(so: Callable[[], bool]) -> None:
    end = time.monotonic() + 50
    while not so():
        assert time.monotonic() < end
        time.sleep(0.1)
