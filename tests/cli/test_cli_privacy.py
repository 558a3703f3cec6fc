"""What SECURITY.md says of the command line: it writes where it is told and nowhere else, and opens no connection."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import peerdrift_nlp

MARKER = "xylorimba"
WATCHED = """
import os, sys

def watch(event, arguments):
    if event.startswith("socket.") and event != "socket.__new__":
        raise RuntimeError("a socket was used")
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        print("WROTE", arguments[0], file=sys.stderr)

sys.dont_write_bytecode = True
sys.addaudithook(watch)
from peerdrift_nlp.cli.main import run
sys.argv = ["peerdrift", *sys.argv[1:]]
run()
"""


def content(path: Path) -> str:
    if path.suffix != ".xlsx":
        return path.read_text(encoding="utf-8")
    with zipfile.ZipFile(path) as archive:
        return "".join(archive.read(name).decode() for name in archive.namelist())


def test_a_scan_writes_its_folder_and_nothing_else_and_uses_no_socket(tmp_path: Path) -> None:
    home, work, out = tmp_path / "home", tmp_path / "work", tmp_path / "out"
    for folder in (home, work):
        folder.mkdir()
    (tmp_path / "notes.csv").write_text(
        f"id,note\n1,I drove her to Walmart and back with a {MARKER}.\n", encoding="utf-8"
    )
    run = subprocess.run(
        [sys.executable, "-c", WATCHED, "scan", str(tmp_path / "notes.csv"), "--model", "fast", "--out", str(out)],
        env={
            **os.environ, "PYTHONPATH": str(Path(peerdrift_nlp.__file__).parents[1]), "HOME": str(home), "TMPDIR": str(home),
        }, cwd=work, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    written = {Path(line.split(" ", 1)[1]) for line in run.stderr.splitlines() if line.startswith("WROTE ")}
    assert all(out in path.parents for path in written if path.parent != Path("/dev"))
    assert not list(home.iterdir()) and not list(work.iterdir())
    assert MARKER not in run.stderr + run.stdout
    holding = {path.name for path in out.iterdir() if MARKER in content(path)}
    assert holding == {"report.html", "findings.csv", "findings.xlsx"}
    if os.name == "posix":
        assert {path.stat().st_mode & 0o077 for path in (out, *out.iterdir())} == {0}
