"""Help, version and wrong usage: quick, narrow enough for any terminal, and told with a fix."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_runs import peerdrift

import peerdrift_nlp

COMMANDS = [
    (), ("scan",), ("preview",), ("report",), ("check",), ("sheet",), ("explain",), ("train",), ("evaluate",),
    ("compare",), ("adopt",), ("rules",), ("rules", "list"), ("rules", "show"),
    ("rules", "check"), ("corpus",), ("corpus", "import"), ("corpus", "check"),
    ("label",), ("label", "import"), ("label", "agreement"), ("label", "queue"), ("label", "export"),
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_fits_into_80_columns(command: tuple[str, ...], tmp_path: Path) -> None:
    run = peerdrift(*command, "--help", folder=tmp_path)
    assert (run.code, run.err) == (0, "")
    assert run.lines[0].startswith("Usage: ")
    assert [line for line in run.lines if len(line) > 80] == []
    assert "\x1b" not in run.out
    assert list(tmp_path.iterdir()) == []


def test_every_command_is_listed(tmp_path: Path) -> None:
    run = peerdrift("--help", folder=tmp_path)
    listed = {
        line.split()[0]
        for line in run.out.partition("Commands:")[2].splitlines()
        if line.startswith("  ") and line[2] != " "
    }
    assert {command[0] for command in COMMANDS if command} <= listed


def test_the_version(tmp_path: Path) -> None:
    run = peerdrift("--version", folder=tmp_path)
    assert (run.code, run.out, run.err) == (0, f"peerdrift {peerdrift_nlp.__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Usage:"),
        (("scam",), "scam"),
        (("scan",), "INPUT"),
        (("scan", "a.csv", "--nonsense"), "--nonsense"),
        (("scan", "a.csv", "--jobs", "none"), "--jobs"),
        (("scan", "a.csv", "--jobs", "0"), "--jobs"),
        (("scan", "a.csv", "--fail-on", "4"), "--fail-on"),
        (("rules", "nonsense"), "nonsense"),
        (("explain",), "give a sentence in quotation marks, or --note FILE"),
        (("explain", "I drove her.", "--note", "a.txt"), "give a sentence in quotation marks, or --note FILE"),
        (("explain", "--note", "a.txt"), "a.txt is not a file"),
        (("explain", "--note", "."), ". is not a file"),
        (("corpus", "import", "a.txt"), "a.txt is not a file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_usage_is_told_on_stderr_with_code_2(arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
    run = peerdrift(*arguments, folder=tmp_path)
    assert run.code == 2
    assert message in run.out + run.err
    assert run.out == "" or not arguments
    assert list(tmp_path.iterdir()) == []
