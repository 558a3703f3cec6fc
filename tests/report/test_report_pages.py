"""A report in parts, and what its pages hold for a review."""

from __future__ import annotations

import json
from collections.abc import Set
from dataclasses import replace
from typing import Any

import pytest
from report_makers import TEXT, Page, report, rich

from peerdrift_nlp.report import BatchSummary, render_pages
from peerdrift_nlp.report.decisions import Decision
from peerdrift_nlp.report.fingerprint import Fingerprints
from peerdrift_nlp.report.html import Review
from peerdrift_nlp.text.fold import fold
from peerdrift_nlp.text.sentences import split_sentences
from peerdrift_nlp.types import NoteReport

PRINTS = Fingerprints(bytes(range(32)))


def numbered(count: int, item: NoteReport | None = None) -> list[NoteReport]:
    notes = []
    for number in range(count):
        text = f"{TEXT}\nNumber {number}."
        sentences = tuple(split_sentences(fold(text)))
        base = item or rich()
        notes.append(
            replace(base, note_id=f"id-{number}", text=text, sentences=sentences, fingerprint=PRINTS.note(text))
        )
    return notes


def pages_of(reports: list[NoteReport], *, review: Review | None = None, **limits: int) -> dict[str, str]:
    summary = BatchSummary()
    for item in reports:
        summary.add(item)
    review = review or Review("run", PRINTS.key_id)
    return dict(render_pages(reports, summary, skipped={}, profile_name="x", review=review, **limits))


def ids(html: str) -> list[str]:
    return [str(attrs["id"]) for tag, attrs in Page(html).elements if tag == "article"]


def test_a_small_run_is_one_page_and_an_empty_one_too() -> None:
    assert list(pages_of(numbered(3))) == ["report.html"]
    assert list(pages_of([])) == ["report.html"]


def test_notes_go_on_in_further_pages_that_link_to_each_other() -> None:
    pages = pages_of(numbered(5), max_notes=2)
    assert [ids(html) for html in pages.values()] == [["n1", "n2"], ["n3", "n4"], ["n5"]]
    for name, html in pages.items():
        links = {str(attrs["href"]) for tag, attrs in Page(html).elements if tag == "a" and "href" in attrs}
        assert {link for link in links if link.endswith(".html")} >= set(pages) - {name}
    first, second, third = (Page(html).said for html in pages.values())
    assert "In short" in first and "In short" not in second and "Workers" not in third
    assert "This page shows 2 notes, 3 to 4 of the 5 in this report; 5 notes were read" in second


def test_no_page_is_larger_than_it_may_be() -> None:
    whole = len(pages_of(numbered(60))["report.html"].encode())
    pages = pages_of(numbered(60), max_bytes=whole // 2)
    assert len(pages) > 2
    assert max(len(html.encode()) for html in pages.values()) <= whole // 2
    assert sum(len(ids(html)) for html in pages.values()) == 60


def test_a_page_is_made_when_it_is_taken_and_not_before() -> None:
    made: list[int] = []

    class Read(frozenset[str]):
        def __and__(self, other: Set[object]) -> frozenset[str]:
            made.append(len(other))
            return super().__and__(other)

    review = Review("run", PRINTS.key_id, read=Read())
    pages = render_pages(numbered(5), BatchSummary(), skipped={}, profile_name="x", review=review, max_notes=2)
    assert [made[1:] for _ in pages] == [[2], [2, 2], [2, 2, 1]]  # the first is the empty page whose room is taken


def test_a_note_larger_than_a_page_has_one_to_itself() -> None:
    assert [len(ids(html)) for html in pages_of(numbered(3), max_bytes=1000).values()] == [1, 1, 1]


def test_flags_and_sentences_carry_their_places() -> None:
    (note,) = numbered(1)
    page = Page(pages_of([note])["report.html"])
    (article,) = (attrs for tag, attrs in page.elements if tag == "article")
    assert (article["data-note"], article["data-sample"]) == (note.fingerprint, "")
    found = {(attrs["data-at"], attrs["data-indicator"]) for tag, attrs in page.elements if tag == "details" and "data-at" in attrs}  # fmt: skip
    wanted = {(f"{item.sentence.start}-{item.sentence.end}", item.indicator) for item in note.findings}
    assert found == wanted
    sentences = [attrs["data-at"] for _, attrs in page.elements if attrs.get("class") == "sen"]
    assert sentences == [f"{item.start}-{item.end}" for item in note.sentences]
    assert page.notes[0]["text"] == note.text


def test_the_sample_is_marked_and_named_only_where_there_is_one() -> None:
    quiet = report("q", "We sat on the porch.")
    quiet = replace(quiet, fingerprint=PRINTS.note(quiet.text))
    (html,) = pages_of([*numbered(1), quiet], review=Review("run", "0123abcd", {quiet.fingerprint})).values()
    marks = [attrs["data-sample"] for tag, attrs in Page(html).elements if tag == "article"]
    assert marks == ["", "1"] and "Only the sample" in Page(html).said
    (html,) = pages_of(numbered(1)).values()
    assert "Only the sample" not in Page(html).said and "drawn at random" not in Page(html).said


def test_each_page_holds_the_decisions_on_its_own_notes() -> None:
    notes = numbered(2)
    hostile = "</aside><script>alert(1)</script> \"' \ud83d"
    made = tuple(
        Decision(note.fingerprint, 0, 9, "clinical.nursing", "accepted", comment=f"{hostile}{place}")
        for place, note in enumerate(notes)
    )
    review = Review("run", "0123abcd", frozenset(), made, {notes[1].fingerprint})
    for place, html in enumerate(pages_of(notes, review=review, max_notes=1).values()):
        assert "<script>alert" not in html and html.encode()
        (desk,) = (attrs for _, attrs in Page(html).elements if attrs.get("id") == "desk")
        held: dict[str, Any] = json.loads(str(desk["data-made"]))
        assert [item["comment"] for item in held["decisions"]] == [f"{hostile}{place}"]
        assert held["read"] == [notes[1].fingerprint] * place
        assert (desk["data-run"], desk["data-key"], desk["data-part"]) == ("run", "0123abcd", str(place + 1))


@pytest.mark.parametrize("tag", ["script", "style"])
def test_every_script_and_style_is_named_by_its_hash(tag: str) -> None:
    import base64
    import re
    from hashlib import sha256

    (html,) = pages_of(numbered(1)).values()
    policy = next(attrs["content"] for _, attrs in Page(html).elements if attrs.get("http-equiv"))
    bodies = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
    hashes = [f"'sha256-{base64.b64encode(sha256(body.encode()).digest()).decode()}'" for body in bodies]
    assert len(bodies) == 2 and f"{tag}-src {' '.join(hashes)};" in str(policy)
    assert "unsafe" not in str(policy) and "default-src 'none'" in str(policy)


def test_what_the_review_came_to_stands_in_the_first_page_and_only_where_there_was_one() -> None:
    outcome = ("2 of 2 flags decided.", "Of 4 notes without a flag, some <1> hold something missed.")
    review = Review("run", PRINTS.key_id, outcome=outcome)
    first, second = (Page(page).said for page in pages_of(numbered(2), review=review, max_notes=1).values())
    assert f"What the review came to {' '.join(outcome)}" in first and outcome[0] not in second
    (without,) = pages_of(numbered(1)).values()
    assert "What the review came to" not in Page(without).said
