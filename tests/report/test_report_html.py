"""The HTML report: what it shows, that it shows it exactly, and that nothing hostile gets through."""

from __future__ import annotations

import base64
import re
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from report_makers import TEXT, Page, finding, meta, render, report, rich, spans

from peerdrift_nlp.report.cards import MAX_CHARS, likely
from peerdrift_nlp.report.marks import cut
from peerdrift_nlp.types import Span


def test_marks_stand_exactly_where_the_report_says() -> None:
    html = render([rich()])
    (note,) = Page(html).notes
    sentence = "Nurse had me count her pills, and I listened to her after."
    assert note["text"] == TEXT
    assert note["data-flag"] == {1: sentence, 2: sentence}
    assert note["data-exact"] == {1: "Nurse had me count", 2: "count her pills"}
    assert note["data-strong"] == {1: sentence, 2: "I listened to her after"}
    assert note["data-alike"] == {1: "her doctor"}


offsets = st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda pair: (min(pair), max(pair)))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    st.text(max_size=50).filter(lambda text: "\r" not in text),
    st.lists(st.tuples(offsets, offsets), max_size=4),
    st.lists(offsets, max_size=4),
)
def test_pieces_join_to_the_text_and_to_each_mark(
    text: str, flags: list[tuple[tuple[int, int], tuple[int, int]]], others: list[tuple[int, int]]
) -> None:
    findings = [finding("clinical.nursing", sentence, exact) for sentence, exact in flags]
    marks = [Span(*at) for at in others]
    found = list(cut(text, findings=findings, strengths=marks, alikes=marks))
    assert "".join(piece.text for piece in found) == text
    for number, (start, end) in enumerate(others, start=1):
        for kind in ("strong", "alike"):
            assert "".join(piece.text for piece in found if number in getattr(piece, kind)) == text[start:end]
    for number, (sentence, _) in enumerate(flags, start=1):
        assert "".join(piece.text for piece in found if number in piece.flags) == text[slice(*sentence)]
        ends = [mark for piece in found for mark in piece.ends if mark == ("flag", number)]
        assert len(ends) == bool(text[slice(*sentence)])


HOSTILE = (
    "<script>alert(1)</script> </style><img src=x onerror=alert(2)> \"quotes\" 'and' `ticks` & &lt; {{ 7*7 }} {% x %} "
    "\u202eRTL override\u202c \u05e9\u05dc\u05d5\u05dd 👩🏽‍🚀 <!-- </article> ]]> javascript:alert(3)"
)


def test_hostile_text_stays_text() -> None:
    evil = report(
        HOSTILE,
        HOSTILE,
        findings=[finding("clinical.medication", (0, len(HOSTILE)), spans(HOSTILE, "<img src=x"), name=HOSTILE)],
        strengths=[(HOSTILE, 0, 10)],
        alikes=[(HOSTILE, 8, 30)],
        problems=[HOSTILE],
        meta={"worker": HOSTILE, "program": HOSTILE, "date": HOSTILE},
    )
    html = render([evil], skipped={HOSTILE: 2}, profile_name=HOSTILE, local_resources=[HOSTILE])
    page = Page(html)
    assert page.notes[0]["text"] == HOSTILE
    assert page.notes[0]["data-flag"] == {1: HOSTILE}
    tags = [tag for tag, _ in page.elements]
    assert tags.count("script") == 1 and tags.count("style") == 1 and tags.count("article") == 1
    assert not {"img", "iframe", "object", "embed", "link", "base"} & set(tags)
    for _, attrs in page.elements:
        assert not any(name.startswith("on") or name == "style" for name in attrs)
        assert (attrs.get("href") or "#").startswith("#")
    assert "7*7" in html and "{{ 7*7 }}" in page.said
    values = [attrs["value"] for tag, attrs in page.elements if tag == "option" and attrs.get("value")]
    assert values.count(HOSTILE) == 2


def test_control_characters_and_lone_surrogates_cannot_break_the_file() -> None:
    text = "a\x00b\x0bc\ud800d\x85e\ufffef"
    html = render([report("\ud800", text, findings=[finding("clinical.nursing", (2, 5))])])
    (note,) = Page(html).notes
    assert note["text"] == "a\ufffdb\ufffdc\ufffdd\ufffde\ufffdf"
    assert note["data-flag"] == {1: "b\ufffdc"}


def test_content_security_policy_allows_only_what_the_page_holds() -> None:
    html = render([rich()])
    (policy,) = [attrs["content"] or "" for tag, attrs in Page(html).elements if "http-equiv" in attrs]
    assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy
    for tag, rule in (("style", "style-src"), ("script", "script-src")):
        inside = re.search(f"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        assert inside
        digest = base64.b64encode(sha256(inside[1].encode()).digest()).decode()
        assert f"{rule} 'sha256-{digest}'" in policy
    assert html.index("Content-Security-Policy") < html.index("<style>")


def test_the_page_loads_nothing_and_stores_nothing() -> None:
    html = render([rich()], local_resources=["The peer council"])
    assert not re.search(r"https?://|//[a-z]|@import|url\(|localStorage|sessionStorage|fetch\(|innerHTML", html)
    for _, attrs in Page(html).elements:
        assert not {"src", "srcset", "action", "ping"} & set(attrs)


def test_output_is_the_same_every_time() -> None:
    reports = [rich("2"), rich("1"), report("3", status="failed", problems=["row 4: cannot be decoded"])]
    first = render(reports, skipped={"b": 1, "a": 2})
    assert render(reports, skipped={"a": 2, "b": 1}) == first


def test_a_failed_note_is_listed_with_its_problem_and_without_text() -> None:
    failed = report("9", "secret words", status="failed", problems=["row 9: cannot be decoded"])
    html = render([failed])
    assert "row 9: cannot be decoded" in html and "secret words" not in html
    assert "could not be read" in html


def test_an_incomplete_note_says_so() -> None:
    html = render([report("9", "Met her.", status="incomplete", problems=["cut at 255 characters"])])
    assert "read only in part" in html and "cut at 255 characters" in html and "Met her." in html


def test_a_flag_carries_everything_that_a_talk_needs() -> None:
    note = rich()
    html = render([note])
    said = Page(html).said
    for flag in note.findings:
        for text in (flag.reason, flag.question, flag.clears, flag.alternative):
            assert text in said
    for words in ("Serious", "Practice", "likely", "(80 in 100)", "a rule and the model agree (both)"):
        assert words in said
    assert "The role: not a therapist" in said
    assert "The writer, in their own voice, done, at the request of staff; going by “ count her pills ”" in said
    assert "Words that weighed: “ count her pills ”" in said
    assert "Not flagged: the note passes on what somebody else said." in said
    reviews = [attrs["data-finding"] for _, attrs in Page(html).elements if attrs.get("class") == "review"]
    assert sorted(str(name) for name in reviews) == ["a", "b"]


@pytest.mark.parametrize(("origin", "words"), [("rule", "rule only"), ("model", "model only"), ("both", "(both)")])
def test_agreement_of_rule_and_model_is_said(origin: Any, words: str) -> None:
    flag = finding("clinical.nursing", (0, 15), origin=origin)
    html = render([report("1", "Took her pulse.", findings=[flag])])
    assert words in Page(html).said


@pytest.mark.parametrize(
    ("probability", "words"),
    [(0.97, "very likely"), (0.9, "very likely"), (0.75, "likely"), (0.5, "fairly likely"), (0.2, "possible")],
)
def test_probability_in_words(probability: float, words: str) -> None:
    assert likely(probability) == words


def test_strengths_come_first_and_the_workplace_stands_apart() -> None:
    html = render([rich()])
    places = [html.index(f'<h2 id="{name}"') for name in ("strong", "talk", "workplace", "time", "people", "next")]
    assert places == sorted(places)
    talk = html[places[1] : places[2]]
    assert "Medication oversight or advice" in talk and "Other people&#39;s work" not in talk
    assert html.index("Strong here</h4>") < html.index('<div class="text"') < html.index("To talk about</h4>")
    assert html.index("To talk about</h4>") < html.index("From the workplace</h4>")


def test_the_page_says_what_it_is_for() -> None:
    said = Page(render([])).said
    assert "For a supportive talk in supervision, never for discipline." in said
    assert "A quiet note is no proof that all is well." in said


def test_read_scanned_and_skipped_add_up() -> None:
    reports = [rich("1"), report("2", status="failed", problems=["x"])]
    said = Page(render(reports, skipped={"voided": 2, "empty note": 1, "never": 0})).said
    assert "Read 5 Scanned 1 Could not be read 1 Skipped 3 empty note 1 voided 2" in said
    assert "never 0" not in said


def test_the_page_says_how_many_notes_of_the_run_it_shows() -> None:
    reports = [rich(f"id-{n}") for n in range(7)]
    html = render(reports[:3], counted=reports)
    assert "This page shows 3 notes of 7;" in html and "id-2" in html and "id-3" not in html


def test_a_very_long_note_is_cut_and_its_late_flags_are_kept() -> None:
    text = "x" * MAX_CHARS + " Took her pulse."
    flag = finding("clinical.nursing", spans(text, "Took her pulse."))
    html = render([report("1", text, findings=[flag])])
    page = Page(html)
    assert page.notes[0]["text"] == "x" * MAX_CHARS
    assert "The note goes on for 16 characters that this page leaves out." in page.said
    assert "Took her pulse." in page.said


def test_small_groups_get_counts_and_no_share() -> None:
    few = [rich(str(n)) for n in range(19)]
    said = Page(render(few)).said
    assert "too few notes" in said and "%" not in said
    assert "100% (84 to 100)" in Page(render([*few, rich("19")])).said


def test_workers_are_listed_by_name_with_no_number_but_their_notes() -> None:
    reports = [report(str(n), meta=meta(name)) for n, name in enumerate(["Zoe", "Ana", "Zoe", "émile"])]
    html = render(reports)
    people = html[html.index('<ul class="people">') : html.index('<h2 id="next"')]
    names = re.findall(r"<h3><bdi>(.*?)</bdi> <span class=\"num\">(.*?)</span>", people)
    assert names == [("Ana", "1 note"), ("émile", "1 note"), ("Zoe", "2 notes")]
    assert re.findall(r"\d+", re.sub(r"<[^>]*>", "", people)) == ["1", "1", "2"]


def test_a_task_shared_by_workers_is_called_the_programs() -> None:
    ride = finding("lax_boundaries.transport", (0, 5))
    reports = [report(name, "Drove", findings=[ride], meta=meta(name)) for name in ("Ana", "Bao", "Dee")]
    said = Page(render(reports)).said
    assert (
        "This looks like the program, not one person. At North , “Being the ride” occurs in the notes of 3 of 3 workers"
        in said
    )


def test_notes_can_be_chosen_by_label_program_worker_and_month() -> None:
    html = render([rich(), report("2", "Quiet.", meta=meta("Bao", "South", "2026-05-01"))])
    page = Page(html)
    first, second = [attrs for tag, attrs in page.elements if tag == "article"]
    assert first["data-label"] == "clinical organizational" and first["data-talk"] == "1"
    assert (second["data-program"], second["data-worker"], second["data-month"]) == ("South", "Bao", "2026-05")
    assert second["data-talk"] == "" and second["data-label"] == ""
    names = {attrs.get("name") for tag, attrs in page.elements if tag in ("select", "input")}
    assert names == {"label", "program", "worker", "from", "to", "talk"}


def test_ids_are_unique_even_where_note_ids_are_not() -> None:
    html = render([rich("same"), rich("same")])
    ids = [attrs["id"] for _, attrs in Page(html).elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    targets = {str(attrs["href"])[1:] for tag, attrs in Page(html).elements if tag == "a"}
    assert targets <= set(ids)
