"""What the overview answers: where to begin, one person or the program, better or not, new words, silences."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_makers import Page, finding, meta, render, report

from peerdrift_nlp.report import BatchSummary
from peerdrift_nlp.report.counts import Group, calendar
from peerdrift_nlp.report.onset import WORDS, Onset, Onsets, _joined, _runs
from peerdrift_nlp.report.silence import Silences
from peerdrift_nlp.report.trend import change, funnel, limits
from peerdrift_nlp.types import NoteReport

DRIFT = finding("clinical.medication")
MONDAY = date(2026, 3, 2)


def summary(*reports: NoteReport, min_notes: int = 20) -> BatchSummary:
    found = BatchSummary(min_notes=min_notes)
    for item in reports:
        found.add(item)
    return found


# ---------------------------------------------------------------------------------------- strong, and where to begin


def test_examples_are_the_notes_that_show_a_practice_most_surely() -> None:
    notes = [report(str(number), "Hope.", strengths=[("hope", 0, 5)]) for number in range(5)]
    assert summary(*notes).examples.of("North") == {"hope": ["0", "1", "2"]}
    html = render(notes)
    assert '<a href="#n1"><bdi>0</bdi></a>' in html and "By program, with notes to show around" in html


def test_the_note_to_begin_with_is_the_most_serious_then_the_surest_then_the_first() -> None:
    notes = [
        report("a", findings=[finding("clinical.symptoms", severity=1, probability=0.99)]),
        report("b", findings=[finding("clinical.nursing", severity=3, probability=0.6)]),
        report("c", findings=[finding("clinical.medication", severity=3, probability=0.8)]),
        report("d", findings=[finding("clinical.testing", severity=3, probability=0.8)]),
        report("e", findings=[finding("organizational.exclusion", severity=3, probability=0.99)]),
    ]
    (start,) = summary(*notes, min_notes=5).starts.values()
    assert start and start.to_dict() == {
        "worker": "Ana", "note_id": "c", "date": "2026-03-02", "indicator": "clinical.medication",
    }  # fmt: skip


def test_workers_to_begin_with_stand_in_alphabetical_order_from_twenty_notes_up() -> None:
    many = [
        report(f"{worker}{number}", findings=[DRIFT] * weight, meta=meta(worker))
        for worker, count, weight in (("Zoe", 20, 3), ("émile", 21, 0), ("Ana", 20, 1), ("Bao", 19, 1), ("", 30, 1))
        for number in range(count)
    ]
    found = summary(*many).starts
    assert list(found) == ["Ana", "émile", "Zoe"] and found["émile"] is None
    said = Page(render(many)).said
    assert "1 worker has fewer than 20 notes here: too few to pick one from." in said
    assert "Begin with note Ana0 of March 2, 2026: Medication oversight or advice." in said
    assert "Nothing was flagged. Begin with what is strong" in said


def test_a_note_that_the_page_leaves_out_has_no_link() -> None:
    many = [report(f"x{number}", findings=[DRIFT] if number == 19 else []) for number in range(20)]
    html = render(many[:3], counted=many)
    assert "Begin with note <bdi>x19</bdi>" in html
    targets = {str(attrs["href"])[1:] for tag, attrs in Page(html).elements if tag == "a"}
    assert targets <= {attrs["id"] for _, attrs in Page(html).elements if "id" in attrs}


# ---------------------------------------------------------------------------------------- one person or the program


@pytest.mark.parametrize(("workers", "said"), [(6, True), (7, False)])
def test_three_workers_are_the_program_only_where_they_are_half_of_it(workers: int, said: bool) -> None:
    notes = [report(meta=meta(f"w{number}"), findings=[DRIFT] if number < 3 else []) for number in range(workers)]
    assert bool(summary(*notes).hints) is said


# ---------------------------------------------------------------------------------------- better or not


def months(*counts: tuple[int, int]) -> dict[str, Group]:
    return {f"2026-{place:02}": Group(notes=n, with_individual=k) for place, (n, k) in enumerate(counts, start=1)}


def test_a_change_agrees_with_published_values() -> None:
    found = change(months((80, 48), (70, 56)), 20)  # Newcombe 1998, Statistics in Medicine 17:873, table II, method 10
    assert found and (round(-found.high, 4), round(-found.low, 4)) == (-0.3339, -0.0524) and found.way == "more"


@pytest.mark.parametrize(
    ("counts", "way"),
    [(((50, 40), (50, 10)), "fewer"), (((50, 10), (50, 40)), "more"), (((50, 25), (50, 24)), "")],
)
def test_only_what_chance_does_not_explain_is_called_a_change(counts: tuple[tuple[int, int], ...], way: str) -> None:
    found = change(months(*counts), 20)
    assert found and found.way == way
    assert found.low <= found.later.share - found.earlier.share <= found.high


def test_too_few_notes_in_a_half_are_no_trend() -> None:
    assert change(months((19, 3), (200, 3)), 20) is None
    assert change(months((200, 3)), 20) is None and change({}, 0) is None
    assert change({"": Group(notes=500), "2026-01": Group(notes=50), "2026-02": Group(notes=5)}, 20) is None


def test_the_page_shows_shares_with_their_intervals_and_the_same_numbers_as_a_table() -> None:
    notes = [
        report(f"{month}{number}", findings=[DRIFT] if number < flagged else [], meta=meta(date=f"2026-{month}-05"))
        for month, flagged in (("01", 15), ("02", 12), ("04", 2), ("05", 1))
        for number in range(20)
    ]
    html = render(notes)
    (picture,) = re.findall(r'<svg class="shares".*?</svg>', html, re.DOTALL)
    assert picture.count("<circle") == picture.count('class="reach"') == 4 and "–</text>" in picture
    labels = re.findall(r'aria-labelledby="(\S+) (\S+)">\s*<title id="(\S+)">.*?<desc id="(\S+)">', picture, re.DOTALL)
    assert labels and labels[0][:2] == labels[0][2:]
    said = Page(html).said
    assert "January 2026 20 15 75% (53 to 89)" in said
    assert "Fewer notes with something to talk about in the later half of these months: from 68% to 8%" in said


def test_a_mistyped_year_does_not_stretch_the_months() -> None:
    assert calendar(["2025-11", "2026-01"]) == ["2025-11", "2025-12", "2026-01"]
    assert calendar(["2025-11", "2026-01", "2062-01"]) == ["2025-11", "2026-01", "2062-01"]
    assert calendar([]) == []


# ---------------------------------------------------------------------------------------- the funnel


@settings(max_examples=60, deadline=None)
@given(st.floats(0.01, 0.99), st.integers(1, 3000))
def test_outside_the_outer_limits_a_count_is_rarer_than_one_in_a_thousand(share: float, notes: int) -> None:
    from scipy.stats import binom

    found = limits(share, notes)
    assert 0 <= found.lowest <= found.low <= found.high <= found.highest <= 1
    below, above = [int(found.lowest * notes) - 1, int(found.highest * notes) + 1]
    assert below < 0 or binom.cdf(below, notes, share) <= 0.00101
    assert above > notes or binom.sf(above - 1, notes, share) <= 0.00101


def test_only_who_is_outside_is_named() -> None:
    workers = {f"w{number}": (40, 12) for number in range(6)} | {"Ana": (60, 55), "Bao": (19, 19)}
    found = funnel("North", workers, 20)
    assert found and len(found.points) == 7
    assert [(point.worker, point.notes) for point in found.outside] == [("Ana", 60)]
    assert {point.worker for point in found.points} == {"", "Ana"}


@pytest.mark.parametrize("workers", [{}, {f"w{n}": (50, 5) for n in range(4)}, {f"w{n}": (50, 0) for n in range(9)}, {f"w{n}": (50, 50) for n in range(9)}, {f"w{n}": (19, 5) for n in range(9)}])  # fmt: skip
def test_few_workers_or_notes_that_are_all_alike_make_no_funnel(workers: dict[str, tuple[int, int]]) -> None:
    assert funnel("North", workers, 20) is None


def test_the_page_draws_the_funnel_without_the_names_inside() -> None:
    notes = [
        report(f"{worker}{number}", findings=[DRIFT] if number < flagged else [], meta=meta(worker))
        for worker, flagged in (("Ana", 8), ("Bao", 9), ("Dee", 10), ("Eve", 9), ("Kit", 8), ("<b>Zoe", 30))
        for number in range(30)
    ]
    html = render(notes)
    (picture,) = re.findall(r'<svg class="funnel".*?</svg>', html, re.DOTALL)
    assert picture.count("<circle") == 6 and "&lt;b&gt;Zoe" in picture
    assert not [name for name in ("Ana", "Bao", "Dee", "Eve", "Kit") if name in picture]
    assert Page(html).said.count("inside the limits") == 5


# ---------------------------------------------------------------------------------------- new wording

OLD = ("we walked to the library and", "she told me of her week and", "he asked for the number of the group")
NEW = "met with the person served to provide support in line with the plan"


def written(onsets: Onsets, *, users: int = 4, workers: int = 4, week: int = 10, program: str = "North") -> Onsets:
    for number in range(workers):
        for at in range(20):
            text = OLD[(number + at) % 3] + (f". Then {NEW}." if number < users and at >= week else ".")
            day = MONDAY + timedelta(weeks=at - week, days=number)
            onsets.add(text, program=program, worker=f"w{number}", day=day.isoformat())
    return onsets


def test_words_that_everybody_begins_to_use_in_one_week_are_found() -> None:
    (found,) = written(Onsets()).found(20)
    assert found == Onset("North", MONDAY, 4, 4, (NEW,))
    assert found.to_dict() == {"program": "North", "week": "2026-03-02", "workers": 4, "of_workers": 4, "wordings": 1}


def test_words_of_a_few_or_of_long_ago_are_not_new() -> None:
    assert written(Onsets(), users=2).found(20) == []
    assert written(Onsets(), users=3, workers=7).found(20) == []
    assert written(Onsets(), week=0).found(20) == []
    early = written(Onsets())
    early.add(NEW, program="North", worker="w0", day="2026-01-05")
    assert early.found(20) == []


def test_one_program_may_change_its_words_while_another_does_not() -> None:
    onsets = written(Onsets())
    written(onsets, users=0, workers=9, program="South")
    assert [(found.program, found.workers, found.of_workers) for found in onsets.found(20)] == [("North", 4, 4)]


def test_the_order_of_the_notes_does_not_matter_and_memory_is_bounded() -> None:
    onsets = Onsets(capacity=60)
    for number in range(2000):
        text = "".join(chr(97 + int(digit)) for digit in str(number))
        onsets.add(f"{text} went to see the {text} one", program="North", worker="w1", day="2026-01-05")
    assert len(onsets._runs) <= 61
    assert [found.wordings for found in written(onsets).found(20)] == [(NEW,)]


def test_of_more_workers_than_are_kept_the_first_are_counted() -> None:
    onsets = Onsets()
    for week in range(-5, 5):
        for number in range(70):
            day = MONDAY + timedelta(weeks=week, days=number % 5)
            text = NEW if week >= 0 else OLD[0]
            onsets.add(text, program="North", worker=f"w{number}", day=day.isoformat())
    assert onsets.found(20) == [Onset("North", MONDAY, 64, 70, (NEW,))]


def test_a_note_of_more_runs_than_are_kept_is_read_and_forgotten() -> None:
    onsets = Onsets(capacity=100)
    words = " ".join("".join(chr(97 + int(digit)) for digit in str(number)) for number in range(1000))
    onsets.add(words, program="North", worker="w", day="2026-01-05")
    assert written(onsets).found(20) == [Onset("North", MONDAY, 4, 4, (NEW,))]


def test_the_first_week_is_the_earliest_in_whatever_order_the_notes_come() -> None:
    onsets = Onsets()
    for week in (19, 12, 10, 15):
        for number in range(4):
            day = MONDAY + timedelta(weeks=week - 10, days=number)
            onsets.add(f"{NEW}.", program="North", worker=f"w{number}", day=day.isoformat())
    assert written(onsets, users=0).found(20) == [Onset("North", MONDAY, 4, 4, (NEW,))]


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("we walked to the library", {"we walked to the library"}),
        ("We walked to the library with", {"walked to the library with"}),
        ("I met with him at noon", {"I met with him at", "met with him at noon"}),
        ("met with Ana at the old mill", set()),
        ("took 20 mg of it home", set()),
        ("we walked, then to the library", set()),
        ("gave mcDonald the list of old", set()),
        ("she's at it's own pace today", {"she's at it's own pace", "at it's own pace today"}),
    ],
)
def test_runs_hold_no_names_numbers_or_punctuation(text: str, runs: set[str]) -> None:
    assert _runs(text) == runs


@given(st.lists(st.sampled_from("abcdef"), min_size=WORDS, max_size=12))
def test_runs_of_one_wording_are_joined_without_losing_a_word(words: list[str]) -> None:
    joined = _joined(_runs(" ".join(words)))
    assert set(words) == {word for wording in joined for word in wording.split()}
    assert {run for wording in joined for run in _runs(wording)} >= _runs(" ".join(words))


def test_the_page_says_when_the_wording_changed_and_the_run_record_does_not_quote_it() -> None:
    notes = []
    for number in range(4):
        for at in range(20):
            text = OLD[(number + at) % 3] + (f". Then {NEW}." if at >= 10 else ".")
            day = (MONDAY + timedelta(weeks=at - 10)).isoformat()
            notes.append(report(f"{number}-{at}", text, meta=meta(f"w{number}", date=day)))
    said = Page(render(notes, max_notes=1)).said
    assert f"From the week of March 2, 2026 on, 4 of 4 workers at North who wrote before and after: {NEW}" in said
    assert "in line with the plan" not in str(summary(*notes).to_dict())


def test_the_wording_of_reports_read_back_without_text_can_be_added_later() -> None:
    texts = [OLD[at % 3] + (f". Then {NEW}." if at >= 10 else ".") for at in range(20)]
    days = [(MONDAY + timedelta(weeks=at - 10)).isoformat() for at in range(20)]
    notes = [report(str(at), texts[at], meta=meta(f"w{who}", date=days[at])) for at in range(20) for who in range(4)]
    later = summary(*(replace(note, text="") for note in notes))
    assert later.onsets == ()
    for note in notes:
        later.add_wording(note.text, note.meta)
    assert later.onsets == summary(*notes).onsets != ()


# ---------------------------------------------------------------------------------------- silences


def series(shown: str, last: int = 5) -> Silences:
    found = Silences(last)
    for place, mark in enumerate(shown):
        day = (date(2026, 1, 1) + timedelta(days=place)).isoformat()
        found.add("Ana", day, frozenset(["lived_experience"] if mark == "x" else ["hope"]))
    return found


def test_a_habit_that_fell_silent_is_found() -> None:
    (found,) = series("xx.xxx.....").found()
    assert found.to_dict() == {
        "worker": "Ana", "practice": "lived_experience", "last": 5, "since": "2026-01-07", "before": 5, "of_notes": 6,
    }  # fmt: skip


@pytest.mark.parametrize("shown", ["", "xx.......", "xxxxx....", "xxxxx....x", "x.....x.....x......", "............"])
def test_what_was_no_habit_or_goes_on_is_no_silence(shown: str) -> None:
    assert series(shown).found() == []


def test_a_silence_is_told_gently_whatever_the_order_of_the_notes() -> None:
    notes = [
        report(
            str(place), "I told my story.", strengths=[("lived_experience", 0, 5)] if place < 12 else [],
            meta=meta(date=(date(2026, 1, 1) + timedelta(days=place)).isoformat()),
        )
        for place in range(32)
    ]  # fmt: skip
    said = Page(render(notes[::-1])).said
    assert "In the last 20 notes of Ana , since January 13, 2026, no sentence of shared lived experience" in said
    assert "before, 12 of 12 notes had one. It may be the form, the setting, or a hard stretch." in said
