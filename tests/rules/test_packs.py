"""Bad packs are refused with file, line and fix; good packs do what their examples say."""

import re
from pathlib import Path
from typing import get_args

import pytest

from peerdrift_nlp.cli.rules import check
from peerdrift_nlp.errors import RulePackError
from peerdrift_nlp.rules.check import check_rules
from peerdrift_nlp.rules.engine import RuleEngine
from peerdrift_nlp.rules.pack import MATCHERS, PACK_FOLDER, SCOPES, read_packs, shipped_packs
from peerdrift_nlp.taxonomy import POLICIES, taxonomy
from peerdrift_nlp.text.sentences import split_sentences
from peerdrift_nlp.types import Actor, Initiator, Status, Voice

GOOD = """
[pack]
name = "own"
version = "1"
language = "en"

[[rule]]
id = "own.shopping"
matcher = "boundary"
indicator = "lax_boundaries.transport"
severity = 2
patterns = ["took {them} shopping"]
message = "A shopping trip."
source = "house rule 4"
fires = ["I [[took her shopping]].", "[[took Marcus shopping]] again"]
silent = ["Her aunt took her shopping."]
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "own.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_example_of_the_shipped_packs(engine: RuleEngine) -> None:
    assert list(check_rules(engine)) == []


def test_every_indicator_and_practice_has_rules(engine: RuleEngine) -> None:
    covered = {rule.indicator for rule in engine.rules.values()}
    wanted = set(taxonomy().indicators) | {f"role_consistent.{name}" for name in taxonomy().practices}
    assert covered == wanted


def test_the_four_matchers_and_the_other_families_are_there(engine: RuleEngine) -> None:
    assert {rule.matcher for rule in engine.rules.values()} == {
        "clinical", "diagnostic", "medication", "religious", "hierarchy", "boundary", "organization", "practice",
    }  # fmt: skip


def test_an_agency_pack_works_beside_the_shipped_ones(tmp_path: Path) -> None:
    packs = read_packs([*shipped_packs(), written(tmp_path, GOOD)])
    engine = RuleEngine(packs)
    assert list(check_rules(engine, packs[-1].rules)) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("patterns =", "phrases =", "own.shopping: unknown key 'phrases'"),
        ("severity = 2", 'severity = "high"', "own.shopping: 'severity' is 'high'; use 1, 2 or 3."),
        ("lax_boundaries.transport", "lax_boundaries.transprt", "did you mean 'lax_boundaries.transport'?"),
        ('matcher = "boundary"', 'matcher = "boundaries"', "'matcher' is 'boundaries'; did you mean 'boundary'?"),
        ('matcher = "boundary"', "matcher = 3", "'matcher' is 3; use one of clinical, diagnostic,"),
        ("severity = 2", 'policy = "trasport"', "own.shopping: 'policy' is 'trasport'; did you mean 'transport'?"),
        ("severity = 2", "policy = true", "own.shopping: 'policy' is True; use one of transport, coach_title,"),
        ("severity = 2", 'policy = ""', "own.shopping: 'policy' is ''; use one of transport, coach_title,"),
        (
            'indicator = "lax_boundaries.transport"',
            'practice = "hoping"',
            "'practice' is 'hoping'; did you mean 'hope'?",
        ),
        ('indicator = "lax_boundaries.transport"', 'practice = ["hope"]', "'practice' is ['hope']; did you mean"),
        ("severity = 2", 'when = "done"', "own.shopping: 'when' must be a table"),
        ("severity = 2", "when = { status = [[1]] }", "when.status takes 'any' or a list of"),
        ('id = "own.shopping"', 'id = "Shopping"', "'id' must look like"),
        ('message = "A shopping trip."', "", "'message' is missing"),
        (', "[[took Marcus shopping]] again"', "", "'fires' needs at least 2 entries"),
        ("I [[took her shopping]].", "I took her shopping.", "mark exactly one span"),
        ('silent = ["Her aunt took her shopping."]', "", "'silent' needs at least 1 entry"),
        ('version = "1"', "", "[pack]: 'version' is missing"),
        ("severity = 2", 'severity = 2\nwhen = { status = ["undone"] }', "when.status takes 'any' or a list of"),
        ("severity = 2", 'severity = 2\ncleared_by = ["polity"]', "'cleared_by' takes reported_speech, quotation,"),
        ("severity = 2", "severity = 2\ncleared_by = 3", "'cleared_by' must be a list of non-empty strings."),
        ("[pack]", "[pack", "is not valid TOML"),
    ],
)
def test_what_is_wrong_with_a_pack_is_said_with_its_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(RulePackError) as caught:
        read_packs([written(tmp_path, GOOD.replace(old, new, 1))])
    assert message in str(caught.value)
    assert str(caught.value).startswith("own.toml:")
    assert "nothing was loaded" in str(caught.value)


CUE = """
[[cue]]
id = "own.cue"
sets = { status = "declined" }
scope = "forward"
until = ["turn.but"]
patterns = ["in no way"]
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"declined"', '"decline"', "own.cue: sets: 'status' is 'decline'; did you mean 'declined'?"),
        ("status =", "state =", "own.cue: 'sets' cannot hold 'state'; use actor, voice,"),
        ('{ status = "declined" }', '"declined"', "own.cue: 'sets' must be a table of actor, voice,"),
        ('"forward"', '"forwards"', "own.cue: 'scope' is 'forwards'; did you mean 'forward'?"),
        ('["turn.but"]', '"turn.but"', "own.cue: 'until' must be a list of non-empty strings."),
        ('["turn.but"]', '["turn.buts"]', "own.cue: 'until' names no turn: 'turn.buts'"),
    ],
)
def test_what_is_wrong_with_a_cue_is_said(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in CUE
    read_packs([*shipped_packs(), written(tmp_path, GOOD + CUE)])
    with pytest.raises(RulePackError, match=re.escape(message)):
        read_packs([*shipped_packs(), written(tmp_path, GOOD + CUE.replace(old, new))])


def test_all_problems_are_told_at_once_and_at_their_lines(tmp_path: Path) -> None:
    text = GOOD.replace("severity = 2", "severity = 9").replace('matcher = "boundary"', 'matcher = "x"')
    with pytest.raises(RulePackError) as caught:
        read_packs([written(tmp_path, text)])
    assert len(caught.value.problems) == 2
    line = next(number for number, row in enumerate(text.splitlines(), 1) if 'id = "own.shopping"' in row)
    assert {problem.line for problem in caught.value.problems} == {line}


@pytest.mark.parametrize(
    ("key", "reason"), [("", "policy"), ("cleared_by = []\n", ""), ('cleared_by = ["safety_duty"]\n', "safety_duty")]
)
def test_a_rule_says_what_clears_it_beyond_what_clears_any(tmp_path: Path, key: str, reason: str) -> None:
    packs = read_packs([*shipped_packs(), written(tmp_path, GOOD.replace("severity = 2\n", f"severity = 2\n{key}"))])
    engine = RuleEngine(packs)
    folded = "I took her shopping as approved after the 911 call."
    units = split_sentences(folded)
    (hits,) = engine.find(engine.normalise([folded], [units]), [units])
    assert [hit.cleared_by for hit in hits if hit.rule_id == "own.shopping"] == [reason]


def test_an_id_that_another_pack_has_is_refused(tmp_path: Path) -> None:
    first = written(tmp_path, GOOD)
    second = tmp_path / "twin.toml"
    second.write_text(GOOD.replace('name = "own"', 'name = "twin"'), encoding="utf-8")
    with pytest.raises(RulePackError, match=r"own\.shopping.*stands in"):
        read_packs([first, second])


def test_a_pattern_that_cannot_be_compiled_is_refused(tmp_path: Path) -> None:
    packs = read_packs([*shipped_packs(), written(tmp_path, GOOD.replace("{them}", "{thm}"))])
    with pytest.raises(RulePackError, match=r"own.shopping: pattern .*unknown word class"):
        RuleEngine(packs)


def test_examples_that_do_not_hold_are_reported(tmp_path: Path) -> None:
    text = GOOD.replace("Her aunt took her shopping.", "I took her shopping on Monday.").replace(
        "I [[took her shopping]].", "I [[took her]] shopping."
    )
    packs = read_packs([*shipped_packs(), written(tmp_path, text)])
    problems = list(check_rules(RuleEngine(packs), packs[-1].rules))
    assert any("fires in its silent example" in problem for problem in problems)
    assert any("it marks 'took her shopping', not 'took her'" in problem for problem in problems)


def test_a_hostile_pattern_cannot_hang_a_scan(tmp_path: Path) -> None:
    text = GOOD.replace("took {them} shopping", "... ... ... ... ... ... ... ... took {them} shopping")
    engine = RuleEngine(read_packs([*shipped_packs(), written(tmp_path, text)]))
    from peerdrift_nlp.rules.check import find_hits

    assert find_hits(engine, "took " * 20_000) is not None


# ---------------------------------------------------------------------------------------- the page on the format

PAGE = (PACK_FOLDER / "README.md").read_text(encoding="utf-8")


def test_the_page_shows_a_pack_that_passes_its_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    check([written(tmp_path, block)])
    assert capsys.readouterr().out == "1 rules checked, 0 problems\n"


def test_a_shipped_pack_can_be_checked_alone(capsys: pytest.CaptureFixture[str]) -> None:
    check([PACK_FOLDER / "religious.toml"])
    assert capsys.readouterr().out.endswith(" rules checked, 0 problems\n")


def test_the_page_leaves_nothing_out() -> None:
    places = [set(re.findall(r"`(\w+)`", place)) for place in re.split(r"\n\n|\n\||\. ", PAGE)]
    questions = [get_args(question) for question in (Actor, Voice, Status, Initiator)]
    for wanted in (MATCHERS, SCOPES, POLICIES, taxonomy().reasons, *questions):
        assert any(set(wanted) <= named for named in places), wanted
