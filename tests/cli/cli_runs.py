"""The command line as its users run it: a real process, in a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import peerdrift_nlp

HOME = Path(peerdrift_nlp.__file__).parents[1]
GOLDEN = Path(__file__).with_name("golden")
VOICES = Path(__file__).parents[1] / "classifier" / "voices"
COMMAND = [sys.executable, "-W", "error", "-m", "peerdrift_nlp"]


def environment(**variables: str) -> dict[str, str]:
    """The environment of a run: 80 columns, no terminal habits of whoever runs the tests."""
    habits = ("PYTHONWARNINGS", "PYTHONIOENCODING", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "LINES")
    kept = {name: value for name, value in os.environ.items() if name not in habits}
    ours = {"PYTHONPATH": str(HOME), "COLUMNS": "80", "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
    return {**kept, **ours, **variables}


@dataclass(frozen=True)
class Run:
    """How a run ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


def peerdrift(
    *arguments: str | Path, folder: Path, wrapper: Sequence[str] = (), encoding: str = "utf-8", **variables: str
) -> Run:
    """Run ``peerdrift`` with some arguments in a folder."""
    run = subprocess.run(
        [*wrapper, *COMMAND, *map(str, arguments)], cwd=folder, env=environment(**variables), capture_output=True,
        stdin=subprocess.DEVNULL, timeout=180,
    )  # fmt: skip
    out, err = run.stdout.decode(encoding), run.stderr.decode(encoding)
    assert "Traceback" not in err and "internal error" not in err, err
    return Run(run.returncode, out, err)


def golden(name: str, found: str) -> None:
    """Compare with a stored text; ``PEERDRIFT_UPDATE_GOLDEN=1`` stores it anew."""
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("PEERDRIFT_UPDATE_GOLDEN"):
        path.write_text(found, encoding="utf-8")
    assert found == path.read_text(encoding="utf-8")
