"""The arithmetic of the batch summary, and what it refuses to say."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_makers import finding, meta, report

from peerdrift_nlp.report.counts import ALL_OTHERS, month_of, wilson
from peerdrift_nlp.report.shared import TEXT as HINT_TEXT
from peerdrift_nlp.report.summary import MAX_GROUPS, BatchSummary

DRIFT = finding("clinical.medication")
TASK = finding("organizational.misassigned_tasks")


def filled(*reports: object, min_notes: int = 20) -> BatchSummary:
    summary = BatchSummary(min_notes=min_notes)
    for item in reports:
        summary.add(item)  # type: ignore[arg-type]
    return summary


def test_notes_findings_strengths_and_look_alikes_are_counted() -> None:
    summary = filled(
        report(findings=[DRIFT, DRIFT, finding("hierarchical.directing")], strengths=[("hope", 0, 1)]),
        report(strengths=[("hope", 0, 1), ("choice", 1, 2)], alikes=[("idiom", 0, 1), ("idiom", 2, 3)]),
        report(status="incomplete", alikes=[("policy", 0, 1)]),
        report(status="failed", problems=["cell too long"]),
    )
    found = summary.to_dict()
    assert found["notes"] == {"total": 4, "complete": 2, "incomplete": 1, "failed": 1}
    assert summary.total == 4 and summary.scanned == 3
    assert found["individual"]["notes"] == 1 and found["individual"]["sentences"] == 3
    assert found["individual"]["by_label"] == {"clinical": 2, "hierarchical": 1}
    assert found["individual"]["by_indicator"] == {"clinical.medication": 2, "hierarchical.directing": 1}
    assert found["strengths"]["notes"] == 2 and found["strengths"]["by_practice"] == {"choice": 1, "hope": 2}
    assert found["look_alikes"] == {"sentences": 3, "by_reason": {"policy": 1, "idiom": 2}}
    json.dumps(found)


def test_organizational_findings_never_count_against_a_person() -> None:
    summary = filled(report(findings=[TASK]), report(findings=[TASK, DRIFT]), min_notes=1)
    found = summary.to_dict()
    assert found["individual"]["notes"] == 1 and found["organizational"]["notes"] == 2
    assert "organizational" not in found["individual"]["by_label"]
    assert found["individual"]["by_indicator"] == {"clinical.medication": 1}
    assert found["programs"][0]["individual"]["share"]["share"] == 0.5
    assert found["workers"][0]["individual"] == ["clinical.medication"]
    assert found["workers"][0]["organizational"] == ["organizational.misassigned_tasks"]


@pytest.mark.parametrize(("notes", "shown"), [(19, False), (20, True)])
def test_a_share_is_shown_from_twenty_notes_up(notes: int, shown: bool) -> None:
    found = filled(*(report(findings=[DRIFT] if n < 5 else []) for n in range(notes))).to_dict()
    for part in (found, *found["programs"], *found["months"], *found["program_months"]):
        for key in ("strengths", "individual", "organizational"):
            assert (part[key]["share"] is not None) is shown
    assert found["programs"][0]["notes"] == notes and found["programs"][0]["individual"]["notes"] == 5


def test_the_small_number_rule_can_be_set_but_never_divides_by_nothing() -> None:
    assert BatchSummary(min_notes=0).to_dict()["individual"]["share"] is None
    assert filled(report(), min_notes=0).to_dict()["individual"]["share"]["share"] == 0.0


def test_wilson_interval_agrees_with_published_values() -> None:
    share = wilson(81, 263)  # Newcombe 1998, Statistics in Medicine 17:857, table I
    assert (round(share.low, 4), round(share.high, 4)) == (0.2553, 0.3662)
    none, every = wilson(0, 20), wilson(20, 20)
    assert none.low == 0.0 and round(none.high, 4) == 0.1611
    assert round(every.low, 4) == 0.8389 and every.high == 1.0


@given(st.integers(1, 10_000).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))))
def test_wilson_interval_holds_its_share(counts: tuple[int, int]) -> None:
    share = wilson(*counts)
    assert 0 <= share.low <= share.share <= share.high <= 1


def test_workers_stand_in_alphabetical_order_and_carry_no_rate() -> None:
    names = ["Zoe", "émile", "Ana", "Bao", "", "dee"]
    many = [report(findings=[DRIFT] * n, meta=meta(worker)) for n, worker in enumerate(names) for _ in range(25)]
    found = filled(*many).to_dict()["workers"]
    assert [item["worker"] for item in found] == ["Ana", "Bao", "dee", "émile", "Zoe", ""]
    for item in found:
        assert set(item) == {"worker", "notes", "practices", "individual", "organizational"}
        assert item["notes"] == 25
        assert all(isinstance(name, str) for key in ("practices", "individual", "organizational") for name in item[key])


def test_what_occurs_with_a_worker_is_in_the_codebooks_order_whatever_its_count() -> None:
    flags = [finding("religious.promotion")] * 9 + [finding("hierarchical.directing")] * 3 + [DRIFT]
    found = filled(report(findings=flags)).to_dict()["workers"]
    assert found[0]["individual"] == ["clinical.medication", "hierarchical.directing", "religious.promotion"]


def test_programs_are_alphabetical_and_months_in_the_order_of_time() -> None:
    summary = filled(
        report(meta=meta(program="South", date="2026-04-01"), findings=[DRIFT]),
        report(meta=meta(program="north", date="2025-12-31T10:00")),
        report(meta=meta(program="north", date="last week")),
        report(meta={}),
    )
    assert list(summary.programs) == ["north", "South", ""]
    assert list(summary.months) == ["2025-12", "2026-04", ""]
    assert {name: list(months) for name, months in summary.program_months.items()} == {
        "north": ["2025-12", ""],
        "South": ["2026-04"],
        "": [""],
    }


@pytest.mark.parametrize(
    ("date", "month"),
    [("2026-03-09", "2026-03"), ("2026-03", "2026-03"), ("2026-13-01", ""), ("03/09/2026", ""), ("", "")],
)
def test_month_of_a_date(date: str, month: str) -> None:
    assert month_of(date) == month


def test_a_task_with_three_workers_of_a_program_points_to_the_program() -> None:
    ride = finding("lax_boundaries.transport")
    two = [report(findings=[ride], meta=meta(worker)) for worker in ("Ana", "Bao", "Ana")]
    assert filled(*two).hints == ()
    (hint,) = filled(*two, report(findings=[ride], meta=meta("Dee")), report(meta=meta("Eve"))).hints
    assert hint.to_dict() == {
        "program": "North",
        "indicator": "lax_boundaries.transport",
        "workers": 3,
        "of_workers": 4,
        "text": "This looks like the program, not one person.",
    }
    assert hint.text == HINT_TEXT


def test_hints_are_for_tasks_of_one_program_only() -> None:
    personal = [report(findings=[finding("lax_boundaries.money")], meta=meta(worker)) for worker in "ABCD"]
    spread = [report(findings=[TASK], meta=meta(worker, program)) for worker, program in zip("ABC", "XYZ", strict=True)]
    nameless = [report(findings=[TASK], meta=meta("", "X")) for _ in range(9)]
    assert filled(*personal, *spread, *nameless).hints == ()


def test_memory_stays_flat_where_a_column_was_misread() -> None:
    summary = filled(*(report(meta=meta(worker=f"w{n:05}")) for n in range(MAX_GROUPS + 50)))
    assert len(summary.workers) == MAX_GROUPS + 1
    assert list(summary.workers)[-1] == ALL_OTHERS and summary.workers[ALL_OTHERS].notes == 50


def test_a_practice_or_reason_beyond_the_codebook_is_kept() -> None:
    found = filled(report(strengths=[("", 0, 1), ("hope", 0, 1)], alikes=[("unsure", 0, 1)])).to_dict()
    assert found["strengths"]["by_practice"] == {"hope": 1, "": 1}
    assert found["look_alikes"]["by_reason"] == {"unsure": 1}
