"""The README's blocks run."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from peerdrift_nlp.report.suppress import read_suppressions

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
CONSOLE = [line for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL) for line in block.splitlines()]


@pytest.mark.parametrize("block", PYTHON)
def test_python_blocks(block: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(block, "README.md", "exec"), {})
    assert capsys.readouterr().out


def test_the_readme_shows_all_three_users_something() -> None:
    assert len(PYTHON) == 6
    shown = {line.split()[1] for line in CONSOLE if line.startswith("peerdrift ")}
    assert {
        "scan",
        "preview",
        "report",
        "sheet",
        "check",
        "explain",
        "train",
        "evaluate",
        "rules",
        "corpus",
        "label",
    } <= shown


def test_toml_blocks(tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    (tmp_path / "ours.toml").write_text(block, encoding="utf-8")
    assert read_suppressions(tmp_path / "ours.toml")


@pytest.mark.parametrize("line", [line for line in CONSOLE if line.startswith("peerdrift")])
def test_every_command_and_option_of_the_readme_exists(line: str) -> None:
    command = shlex.split(line)[1:]
    words = [word for word in command[:2] if re.fullmatch(r"[a-z]+", word)]
    known = ("corpus", "label", "rules")
    path = words[:2] if words[0] in known else words[:1]
    shown = subprocess.run(
        [sys.executable, "-m", "peerdrift_nlp", *path, "--help"], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout
    for option in (word for word in command if word.startswith("--")):
        assert option in shown, f"{option} in {line!r}"


def test_the_main_command_of_the_readme(tmp_path: Path) -> None:
    line = next(line for line in CONSOLE if "data/samples" in line).split("&& ")[1]
    arguments = shlex.split(line)[1:]
    run = subprocess.run(
        [sys.executable, "-m", "peerdrift_nlp", *arguments, "--out", str(tmp_path / "results")],
        capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert {path.name for path in (tmp_path / "results").iterdir()} == {
        "reports.jsonl", "findings.csv", "findings.xlsx", "report.html", "run.json",
    }  # fmt: skip


def test_the_explain_command_of_the_readme() -> None:
    line = next(line for line in CONSOLE if line.startswith("peerdrift explain"))
    run = subprocess.run(
        [sys.executable, "-m", "peerdrift_nlp", *shlex.split(line)[1:]], capture_output=True, text=True, cwd=ROOT
    )
    assert run.returncode == 0, run.stderr
    assert "FLAG clinical.diagnosis" in run.stdout
