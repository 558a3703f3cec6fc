"""``peerdrift rules``: list, show and check, for the shipped packs and for an agency's own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cli_runs import COMMAND, environment, golden, peerdrift

from peerdrift_nlp.rules.pack import read_packs, shipped_packs

PACK = """\
[pack]
name = "agency"
version = "1"
language = "en"

[[rule]]
id = "agency.shopping"
matcher = "boundary"
indicator = "lax_boundaries.transport"
severity = 2
policy = "transport"
patterns = ["took {them} shopping", "a shopping trip _ {them}"]
when = { status = ["done", "planned"] }
message = "A shopping trip is not what the program is for, however kindly it was meant, says the house rule."
source = "house rule 4"
fires = ["I [[took her shopping]].", "[[took Marcus shopping]] again [bold]today[/bold]"]
silent = ["Her aunt took her shopping."]
"""


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    path = tmp_path / "agency.toml"
    path.write_text(PACK, encoding="utf-8")
    return path


def listed(lines: list[str]) -> list[tuple[str, str, str]]:
    """Indicator, severity and id of each rule, as they are listed."""
    found, indicator = [], ""
    for line in lines:
        if line.startswith("  "):
            severity, rule_id = line.split()
            found.append((indicator, severity, rule_id))
        else:
            indicator = line
    return found


def test_all_rules_are_listed_with_whole_ids(tmp_path: Path) -> None:
    """So that they can be searched for, and copied into ``rules show``, however narrow the terminal."""
    run = peerdrift("rules", "list", folder=tmp_path)
    assert (run.code, run.err) == (0, "")
    rules = [rule for each in read_packs(shipped_packs()) for rule in each.rules]
    wanted = sorted((rule.indicator, str(rule.severity), rule.id) for rule in rules)
    assert sorted(listed(run.lines)) == wanted
    assert run.lines[-1] == f"{len(rules)} rules"
    assert [line for line in run.lines if len(line) > 80] == []


def test_rules_of_one_indicator_or_label(tmp_path: Path, pack: Path) -> None:
    run = peerdrift("rules", "list", "--indicator", "lax_boundaries.transport", "--pack", pack, folder=tmp_path)
    rows = listed(run.lines)
    assert run.code == 0 and {row[0] for row in rows} == {"lax_boundaries.transport"}
    assert ("lax_boundaries.transport", "2", "agency.shopping") in rows


def test_an_indicator_that_there_is_not(tmp_path: Path) -> None:
    run = peerdrift("rules", "list", "--indicator", "lax_bound", folder=tmp_path)
    assert (run.code, run.out) == (2, "")
    assert run.err == "peerdrift: no rule of 'lax_bound'; see `peerdrift rules list`\n"


def test_one_rule_in_full(tmp_path: Path, pack: Path) -> None:
    run = peerdrift("rules", "show", "agency.shopping", "--pack", pack, folder=tmp_path)
    assert (run.code, run.err) == (0, "")
    golden("rules_show", run.out)


def test_a_wrong_id_is_answered_with_those_that_are_near(tmp_path: Path, pack: Path) -> None:
    run = peerdrift("rules", "show", "agency.shoping", "--pack", pack, folder=tmp_path)
    assert (run.code, run.out) == (2, "")
    assert run.err.startswith("peerdrift: no rule 'agency.shoping'. Did you mean agency.shopping")
    run = peerdrift("rules", "show", "xyzzy", folder=tmp_path)
    assert (run.code, run.err) == (2, "peerdrift: no rule 'xyzzy'. See `peerdrift rules list`.\n")


def test_examples_that_do_not_hold_are_told(tmp_path: Path, pack: Path) -> None:
    pack.write_text(PACK.replace("Her aunt took her shopping.", "I took her shopping."), encoding="utf-8")
    run = peerdrift("rules", "check", pack, folder=tmp_path)
    assert run.code == 2
    assert run.lines == [
        "agency.shopping: fires in its silent example 'I took her shopping.', at 'took her shopping'",
        "1 rules checked, 1 problems",
    ]


def test_a_broken_pack_is_told_with_all_its_problems(tmp_path: Path, pack: Path) -> None:
    broken = PACK.replace("severity = 2", "severity = 9").replace("lax_boundaries.transport", "lax_boundaries.transprt")
    pack.write_text(broken, encoding="utf-8")
    for arguments in (("check", pack), ("list", "--pack", pack), ("show", "agency.shopping", "--pack", pack)):
        run = peerdrift("rules", *arguments, folder=tmp_path)
        assert (run.code, run.out) == (2, "")
        golden("broken_pack", run.err)


def test_a_pack_that_is_not_there(tmp_path: Path) -> None:
    run = peerdrift("rules", "check", "none.toml", folder=tmp_path)
    assert (run.code, run.out) == (2, "")
    assert "none.toml" in run.err


@pytest.mark.parametrize("command", ["list", "show"])
def test_a_reader_that_goes_away_is_no_error(command: str, tmp_path: Path) -> None:
    """``peerdrift rules list | head -1``: the pipe breaks, and nothing is said about it."""
    arguments = ["rules", command] + (["medication.counting"] if command == "show" else [])
    process = subprocess.Popen(
        [*COMMAND, *arguments], cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    with process.stderr as stderr:
        told = stderr.read()
    assert (process.wait(timeout=60), told) == (0, b"")
