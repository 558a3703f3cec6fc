"""Suppressions: read with every problem told, applied exactly, counted, and said when they are stale."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from report_makers import finding, meta, report, spans

from peerdrift_nlp.errors import ProfileError, UsageError
from peerdrift_nlp.report import left_out, render_pages
from peerdrift_nlp.report.profile import Profile, read_profile
from peerdrift_nlp.report.summary import BatchSummary
from peerdrift_nlp.report.suppress import Suppression, Suppressor, read_suppressions, suppressions_in
from peerdrift_nlp.types import NoteReport

TODAY = date(2026, 3, 10)
WHY: dict[str, Any] = {"reason": "settled in March", "date": date(2026, 3, 1)}
GOOD = '[[suppress]]\nindicator = "lax_boundaries.money"\nreason = "settled in March"\ndate = 2026-03-01\n'

TEXT = "Paid for lunch at the Sunrise Cafe. Told him to eat more. Sunrise Cafe!"
LUNCH, EAT, NAME = ("Paid for lunch at the Sunrise Cafe.", "Told him to eat more.", "Sunrise Cafe!")


def noted(**words: str) -> NoteReport:
    """Three findings: money by a rule (on ``words["exact"]``), directing by a rule, and one by the model alone."""
    exact = spans(TEXT, words.get("exact", "Paid for lunch"))
    return report(
        "n1",
        TEXT,
        findings=[
            finding("lax_boundaries.money", spans(TEXT, LUNCH), exact),
            finding("hierarchical.directing", spans(TEXT, EAT)),
            finding("clinical.jargon", (TEXT.index(NAME), len(TEXT)), origin="model"),
        ],
        meta=meta(program=words.get("program", "North")),
    )


def left(item: Suppression, note: NoteReport | None = None) -> list[str]:
    return [found.indicator for found in Suppressor([item], TODAY).apply(note or noted()).findings]


MONEY, DIRECTING, JARGON = "lax_boundaries.money", "hierarchical.directing", "clinical.jargon"


@pytest.mark.parametrize(
    ("conditions", "kept"),
    [
        ({"indicator": MONEY}, [DIRECTING, JARGON]),
        ({"indicator": "lax_boundaries"}, [DIRECTING, JARGON]),
        ({"indicator": "lax"}, [MONEY, DIRECTING, JARGON]),
        ({"rule": "TEST-1"}, [JARGON]),
        ({"rule": "TEST-1", "indicator": MONEY}, [DIRECTING, JARGON]),
        ({"rule": "TEST-2"}, [MONEY, DIRECTING, JARGON]),
        ({"phrase": "paid  FOR"}, [DIRECTING, JARGON]),
        ({"phrase": "Paid for lun"}, [MONEY, DIRECTING, JARGON]),
        ({"phrase": "sunrise cafe"}, [MONEY, DIRECTING]),
        ({"phrase": "sunrise"}, [MONEY, DIRECTING, JARGON]),
        ({"program": " north "}, []),
        ({"program": "Nor"}, [MONEY, DIRECTING, JARGON]),
        ({"program": "North", "phrase": "eat"}, [MONEY, JARGON]),
        ({"program": "South", "phrase": "eat"}, [MONEY, DIRECTING, JARGON]),
    ],
)
def test_a_finding_is_left_out_where_all_conditions_hold(conditions: dict[str, str], kept: list[str]) -> None:
    assert left(Suppression(**WHY, **conditions)) == kept


def test_a_finding_that_rests_on_two_rules_is_not_of_one() -> None:
    one = finding(MONEY, (0, 4))
    two = replace(one, evidence=(*one.evidence, replace(one.evidence[0], rule_id="TEST-9")))
    item = Suppression(**WHY, rule="TEST-1")
    assert left(item, report("n", TEXT, findings=[one])) == []
    assert left(item, report("n", TEXT, findings=[two])) == [MONEY]


def test_what_is_left_out_is_counted_once_by_the_first_that_names_it() -> None:
    first, second = Suppression(**WHY, indicator=MONEY), Suppression(**WHY, program="North")
    found = Suppressor([first, second], TODAY).apply(noted())
    assert found.findings == () and found.suppressed == {first.id: 1, second.id: 2}
    assert found.to_dict()["suppressed"] == {first.id: 1, second.id: 2}
    assert "suppressed" not in noted().to_dict()


def test_the_last_day_counts_and_no_later_one() -> None:
    item = Suppression(**WHY, indicator=MONEY, until=TODAY)
    assert left(item) == [DIRECTING, JARGON]
    assert len(Suppressor([item], date(2026, 3, 11)).apply(noted()).findings) == 3


def test_two_suppressions_differ_in_their_ids() -> None:
    made = [Suppression(**WHY, **{key: "x"}) for key in ("rule", "indicator", "phrase", "program")]
    made += [Suppression(**{**WHY, "reason": "other"}, rule="x"), Suppression(**WHY, rule="x", until=TODAY)]
    assert len({item.id for item in made}) == len(made)


# ---------------------------------------------------------------------------------------- files


def written(folder: Path, text: str, name: str = "ours.toml") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def test_a_file_and_a_profile_say_the_same(tmp_path: Path) -> None:
    wanted = (Suppression(**WHY, indicator=MONEY),)
    alone = written(tmp_path, GOOD)
    head = 'name = "ours"\ntitle = "Ours"\n'
    inside = written(tmp_path, head + GOOD.replace("2026-03-01", '"2026-03-01"'), "profile.toml")
    assert read_suppressions(alone) == suppressions_in(alone) == wanted
    assert read_profile(inside).suppressions == suppressions_in(inside) == wanted


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "ours.toml:1: there is no [[suppress]] table."),
        ("suppress = 3\n", "ours.toml:1: 'suppress' must be tables: [[suppress]], then its keys."),
        ("suppress = [3]\n", "ours.toml:1: 'suppress' must be tables"),
        (GOOD + "[other]\n", "ours.toml:5: unknown key 'other' in a suppression file. Allowed: suppress."),
        (GOOD.replace('reason = "settled in March"\n', ""), "ours.toml:1: 'reason' is missing: say why"),
        (GOOD.replace("settled in March", " "), "ours.toml:3: 'reason' must be a non-empty string."),
        (GOOD.replace("date = 2026-03-01\n", ""), "ours.toml:1: 'date' is missing: the day of the decision"),
        (GOOD.replace("2026-03-01", '"3/1/2026"'), "ours.toml:4: 'date' must be a day, such as 2026-03-01."),
        (GOOD.replace("2026-03-01", "2026-03-01T09:00:00"), "ours.toml:4: 'date' must be a day, such as 2026-03-01."),
        (GOOD.replace("2026-03-01", "true"), "ours.toml:4: 'date' must be a day, such as 2026-03-01."),
        (GOOD + "until = 2026-02-28\n", "ours.toml:5: 'until' lies before 'date'."),
        (GOOD.replace('indicator = "lax_boundaries.money"\n', ""), "nothing is named: give one or more of rule, indicator,"),
        (GOOD.replace(".money", ".mony"), "ours.toml:2: there is no indicator 'lax_boundaries.mony'. Did you mean 'lax_"),
        (GOOD.replace('"lax_boundaries.money"', "3"), "ours.toml:2: 'indicator' must be a non-empty string."),
        (GOOD + 'progam = "x"\n', "ours.toml:5: unknown key 'progam' in [[suppress]]. Did you mean 'program'?"),
        (GOOD + "\n" + GOOD, "ours.toml:6: this suppression stands above already."),
        (GOOD + '\n[[suppress]]\nrule = ""\nreason = "x"\ndate = 2026-01-01\n', "ours.toml:7: 'rule' must be a non-empty"),
    ],
)  # fmt: skip
def test_a_bad_file_is_told_with_line_and_fix(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ProfileError) as caught:
        read_suppressions(written(tmp_path, text))
    assert message in str(caught.value)
    assert str(caught.value).endswith("1 problem; nothing was loaded.")


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ProfileError) as caught:
        read_suppressions(written(tmp_path, "[[suppress]]\nx = 1\n[[suppress]]\nrule = 3\nuntil = 4\n"))
    assert len(caught.value.problems) == 8


def test_files_that_are_none(tmp_path: Path) -> None:
    for path, message in ((tmp_path / "none.toml", "cannot be read"), (tmp_path, "cannot be read")):
        with pytest.raises(ProfileError, match=message):
            read_suppressions(path)
    with pytest.raises(ProfileError, match=r"ours\.toml: is larger than"):
        read_suppressions(written(tmp_path, "#" * 1_000_001))
    with pytest.raises(ProfileError, match=r"ours\.toml:1: is not valid TOML"):
        read_suppressions(written(tmp_path, "suppress"))


VALUES = st.one_of(st.text("ab .", max_size=5), st.integers(), st.dates(), st.booleans(), st.just(["x"]))
KEYS = st.sampled_from(["rule", "indicator", "phrase", "program", "reason", "date", "until", "other"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dictionaries(KEYS, VALUES, max_size=6), max_size=3))
def test_any_tables_are_read_or_refused(tmp_path: Path, tables: list[dict[str, Any]]) -> None:
    def toml(value: Any) -> str:
        return str(value) if isinstance(value, date) else repr(value).replace("True", "true").replace("False", "false")

    text = "".join(
        "[[suppress]]\n" + "".join(f"{key} = {toml(value)}\n" for key, value in table.items()) for table in tables
    )
    try:
        found = read_suppressions(written(tmp_path, text))
    except ProfileError as error:
        assert all(0 < problem.line <= max(1, text.count("\n")) for problem in error.problems)
    else:
        assert len(found) == len(tables) and all(item.what and item.reason and item.date for item in found)


# ---------------------------------------------------------------------------------------- what is said


def test_a_run_says_what_it_left_out_and_what_is_stale() -> None:
    items = [
        Suppression(**WHY, indicator=MONEY),
        Suppression(**WHY, rule="gone.rule"),
        Suppression(**WHY, phrase="tea", until=date(2026, 3, 9)),
    ]
    summary = BatchSummary()
    summary.add(Suppressor(items, TODAY).apply(noted()))
    summary.switched_off = Counter(transport=1200)
    profile = Profile("ours", "Ours", allowed=frozenset({"transport", "faith"}), program_names=("Sunrise",))
    assert left_out.lines(profile, items, summary, {"kept.rule"}, TODAY) == [
        "Policy profile: Ours; it switched off: transport (1,200), faith (0), program_names (0)",
        "left out 1: indicator 'lax_boundaries.money' (2026-03-01: settled in March)",
        "left out 0: rule 'gone.rule' (2026-03-01: settled in March)",
        "left out 0: phrase 'tea' (2026-03-01: settled in March)",
        "suppression of rule 'gone.rule': there is no rule 'gone.rule'; see `peerdrift rules list`",
        "suppression of phrase 'tea': has ended on 2026-03-09; remove or renew it",
    ]
    told = left_out.record(profile, items, summary)
    assert told["profile"] == {
        "name": "ours", "title": "Ours", "resources": [], "required_phrases": [], "program_names": ["Sunrise"],
        "allows": ["transport", "faith", "program_names"],
        "switched_off": {"transport": 1200, "faith": 0, "program_names": 0},
    }  # fmt: skip
    assert [entry["taken_away"] for entry in told["suppressed"]] == [1, 0, 0]
    assert told["suppressed"][0] == {
        "id": items[0].id, "indicator": MONEY, "reason": "settled in March", "date": "2026-03-01", "taken_away": 1,
    }  # fmt: skip


def test_a_hostile_reason_stays_text_on_the_page() -> None:
    summary = BatchSummary()
    summary.left_out = ["left out 1: phrase '<script>x</script>' (2026-03-01: {{ 7*7 }})"]
    html = dict(render_pages([], summary, skipped={}, profile_name="Ours"))["report.html"]
    assert "<script>x" not in html and "&lt;script&gt;x" in html and "{{ 7*7 }}" in html


@pytest.mark.parametrize(
    "content", ["{}", "[]", "no", '{"suppressed": 3}', '{"suppressed": [{"id": "x"}]}', '{"suppressed": [3]}']
)
def test_a_run_record_that_says_nothing_of_it(tmp_path: Path, content: str) -> None:
    with pytest.raises(UsageError, match="does not say what was suppressed"):
        left_out.taken_away(written(tmp_path, content, "run.json"))
    with pytest.raises(UsageError, match=r"run\.json cannot be read"):
        left_out.taken_away(tmp_path / "no" / "run.json")
