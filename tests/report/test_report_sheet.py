"""A worker's sheet: strengths first, three things at most, nobody else, no note text."""

from __future__ import annotations

from report_makers import Page, finding, meta, report

from peerdrift_nlp.report import render_sheet
from peerdrift_nlp.taxonomy import taxonomy
from peerdrift_nlp.types import NoteReport

FLAGS = [
    finding("clinical.symptoms", severity=1), finding("clinical.medication", severity=3),
    finding("lax_boundaries.transport", severity=2, probability=0.9), finding("hierarchical.directing", severity=2),
]  # fmt: skip


def sheet(*reports: NoteReport, worker: str = "Ana", min_notes: int = 20) -> tuple[str, int]:
    return render_sheet(worker, reports, min_notes=min_notes)


def test_strengths_come_first_and_then_the_three_most_serious_things_with_their_questions() -> None:
    page, notes = sheet(report("7", "Secret words.", findings=FLAGS, strengths=[("hope", 0, 6), ("choice", 0, 6)]))
    said = Page(page).said
    names = taxonomy().indicators
    assert notes == 1 and page.index('id="strong"') < page.index('id="talk"')
    shown = ["clinical.medication", "lax_boundaries.transport", "hierarchical.directing"]
    places = [said.index(names[name].question) for name in shown]
    assert places == sorted(places) and names["clinical.symptoms"].title not in said
    assert "Begin with note 7 of March 2, 2026." in said
    assert "Secret" not in page and "%" not in said


def test_nobody_else_is_on_it() -> None:
    others = [report(f"b{number}", findings=FLAGS, meta=meta("Bao")) for number in range(40)]
    page, notes = sheet(report("a", findings=FLAGS[:1]), *others)
    assert notes == 1 and not [word for word in ("Bao", "note b", "North") if word in page]


def test_the_workplace_is_the_programs() -> None:
    page, _ = sheet(report("a", findings=[finding("organizational.exclusion", severity=3)]))
    said = Page(page).said
    assert "Nothing was flagged. What do these notes leave out?" in said
    assert "From the workplace, for the program and not for you: Left out" in said


def test_a_trend_needs_enough_notes() -> None:
    def notes(count: int) -> list[NoteReport]:
        return [
            report(f"{month}-{number}", findings=FLAGS if number < flagged else [], meta=meta(date=f"2026-{month}-01"))
            for month, flagged in (("01", 15), ("02", 2))
            for number in range(count)
        ]

    assert "Over time" not in sheet(*notes(19))[0]
    page = sheet(*notes(20))[0]
    assert "Fewer notes with something to talk about" in page and page.count('class="reach"') == 2


def test_the_note_that_shows_a_thing_most_seriously_is_named_first() -> None:
    def drift(note_id: str, severity: int) -> NoteReport:
        return report(note_id, findings=[finding("clinical.medication", severity=severity)])

    said = Page(sheet(drift("a", 1), drift("b", 3), drift("c", 2), drift("d", 2))[0]).said
    assert "Begin with note b of March 2, 2026; also a of March 2, 2026, c of March 2, 2026." in said


def test_hostile_names_stay_names_and_nothing_can_run() -> None:
    name = "<script>alert(1)</script>"
    page, notes = sheet(report(name, findings=FLAGS, meta=meta(name)), worker=name)
    assert notes == 1 and "<script" not in page and "script-src" not in page
    assert not [attrs for _, attrs in Page(page).elements if "src" in attrs or "style" in attrs]
    assert sheet(report("a", status="failed"))[1] == 0
