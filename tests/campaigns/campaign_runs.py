"""What the campaigns share: seeds and counts from the environment, made-up exports, and scans in forked children.

A child is forked from a process that has everything loaded, so that a scan takes a fraction of a second and its end
can be chosen to the file operation.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import openpyxl
from typer.testing import CliRunner

from peerdrift_nlp import scanner as scanner_module
from peerdrift_nlp.cli import main
from peerdrift_nlp.scanner import Scanner

SEED = int(os.environ.get("CAMPAIGN_SEED", "7"))
EVENTS = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "shutil.rmtree")
"""The audit events of file operations that a folder's content depends on."""

_WORKERS = ("Ana", "Bao", "Dee")
_TEXTS = (
    "I counted her pills and told her to take them. She laughed about the rain.",
    "Told him about my own first week out when he asked and he said it helped.",
    "Front desk had me cover phones all day. He chose the library.",
    "",
    "Drove him to Walmart and the bank and did nothing else. \U0001f600",
)


def count(name: str, default: int) -> int:
    """How many rounds: ``CAMPAIGN_<NAME>`` or the default."""
    return int(os.environ.get(f"CAMPAIGN_{name}", default))


def export(path: Path, notes: int) -> None:
    """An invented export; each note differs from the others."""
    chance = random.Random(SEED)
    rows = [
        f"{number:05},{_WORKERS[number % 3]},North,2026-{1 + number % 6:02}-{1 + number % 28:02},"
        f"{chance.choice(_TEXTS)} Met in room {number}."
        for number in range(notes)
    ]
    path.write_text("id,worker,program,date,text\n" + "\n".join(rows) + "\n", encoding="utf-8")


def warm() -> None:
    """Load and compile here, once, all that a scan needs, so that no child has to."""
    prepared = Scanner(model="fast")
    scanner_module.Scanner = lambda **_: prepared  # type: ignore[assignment,misc]
    with tempfile.TemporaryDirectory() as folder:
        export(Path(folder) / "notes.csv", 300)
        scan = CliRunner().invoke(
            main.app, ["scan", f"{folder}/notes.csv", "--out", f"{folder}/out", "--model", "fast"]
        )
        assert scan.exit_code == 0, scan.output


class Ended(NamedTuple):
    """How a child ended: its exit code (negative for a signal) and what it said on both streams."""

    code: int
    said: str


def start(folder: Path, *arguments: str, before: Callable[[], None] = lambda: None) -> int:
    """Fork a child that runs ``peerdrift`` in a folder, and give its process id.

    Args:
        folder: its working folder; ``said.txt`` there, or beside it, gets its output.
        arguments: of the command line.
        before: called in the child first, to prepare a fault.
    """
    said = folder.with_name(f"{folder.name}.said.txt")
    said.touch()
    if child := os.fork():
        return child
    try:
        os.chdir(folder)
        output = os.open(said, os.O_WRONLY | os.O_TRUNC)
        os.dup2(output, 1)
        os.dup2(output, 2)
        sys.argv = ["peerdrift", *arguments]
        before()
        main.run()
    except SystemExit as error:
        os._exit(error.code if isinstance(error.code, int) else int(error.code is not None))
    except BaseException as error:
        os.write(2, f"Traceback: {type(error).__name__}".encode())
        os._exit(99)
    os._exit(0)


def ended(child: int, folder: Path) -> Ended:
    """Wait for a child, and tell how it ended."""
    _, status = os.waitpid(child, 0)
    said = folder.with_name(f"{folder.name}.said.txt").read_text(encoding="utf-8", errors="replace")
    return Ended(os.waitstatus_to_exitcode(status), said)


def run(folder: Path, *arguments: str, before: Callable[[], None] = lambda: None) -> Ended:
    """Run ``peerdrift`` in a forked child to its end."""
    return ended(start(folder, *arguments, before=before), folder)


def at_operation(number: int, under: Path, act: Callable[[str], None]) -> Callable[[], None]:
    """A preparation that calls ``act`` with the event just before the ``number``-th file operation under a folder."""

    def prepare() -> None:
        seen = 0

        def watch(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal seen
            if event in EVENTS and _writes(event, arguments) and str(under) in str(Path(str(arguments[0])).absolute()):
                seen += 1
                if seen == number:
                    act(event)

        sys.addaudithook(watch)

    return prepare


def _writes(event: str, arguments: tuple[object, ...]) -> bool:
    flags = arguments[2] if event == "open" and len(arguments) > 2 else os.O_WRONLY
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


def with_key(folder: Path, whole: Path) -> Path:
    """An empty folder but for the ``run.json`` of ``whole``: fingerprints are then those of ``whole``."""
    folder.mkdir(parents=True)
    (folder / "run.json").write_bytes((whole / "run.json").read_bytes())
    return folder


def results(folder: Path) -> dict[str, object]:
    """All that a results folder holds, but the times of the run."""
    record = json.loads((folder / "run.json").read_text("utf-8"))
    return {
        **{item.name: _content(item, record["started"]) for item in folder.iterdir() if item.name != "run.json"},
        "run.json": {key: value for key, value in record.items() if key not in ("started", "finished")},
    }


def _content(path: Path, started: str) -> object:
    if path.suffix == ".xlsx":
        book = openpyxl.load_workbook(path, read_only=True)
        found = [list(sheet.values) for sheet in book.worksheets]
        book.close()
        return found
    return path.read_text("utf-8").replace(started, "") if path.is_file() else "a folder"


def files(folder: Path) -> Iterator[Path]:
    """All files below a folder."""
    return (item for item in sorted(folder.rglob("*")) if item.is_file())
