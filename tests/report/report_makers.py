"""Reports made by hand for the tests of this folder, and a reader of the page made from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from typing import Any

from peerdrift_nlp.report import BatchSummary, render_pages
from peerdrift_nlp.taxonomy import taxonomy
from peerdrift_nlp.types import (
    Cue,
    Engine,
    Evidence,
    Finding,
    LookAlike,
    NoteReport,
    NoteStatus,
    Origin,
    Sentence,
    Span,
    Stance,
    Strength,
    Weight,
)

ENGINE = Engine(version="0.0.1", model="test", profile="default", packs={})


def finding(
    indicator: str,
    sentence: tuple[int, int] = (0, 0),
    exact: tuple[int, int] | None = None,
    *,
    severity: int = 2,
    probability: float = 0.8,
    origin: Origin = "both",
    name: str = "f1",
) -> Finding:
    """A finding with the taxonomy's texts."""
    entry = taxonomy().indicators[indicator]
    start, end = exact or sentence
    stance = Stance(initiator="staff", cues=(Cue("actor", start, end),))
    return Finding(
        id=name,
        label=entry.label,
        indicator=indicator,
        locus=entry.locus,
        severity=severity,
        probability=probability,
        start=start,
        end=end,
        sentence=Span(*sentence),
        origin=origin,
        evidence=() if origin == "model" else (Evidence("TEST-1", start, end, stance),),
        words=() if origin == "rule" else (Weight(start, end, 1.5),),
        reason=entry.reason,
        guideline=entry.guideline,
        question=entry.question,
        clears=entry.clears,
        alternative=entry.alternative,
    )


def report(
    note_id: str = "1",
    text: str = "",
    *,
    findings: Sequence[Finding] = (),
    strengths: Sequence[tuple[str, int, int]] = (),
    alikes: Sequence[tuple[str, int, int]] = (),
    status: NoteStatus = "complete",
    problems: Sequence[str] = (),
    meta: Mapping[str, str] | None = None,
) -> NoteReport:
    """A note's report."""
    return NoteReport(
        note_id,
        status,
        ENGINE,
        tuple(problems),
        meta if meta is not None else {"program": "North", "worker": "Ana", "date": "2026-03-02"},
        tuple(findings),
        tuple(Strength(practice, 0.9, start, end) for practice, start, end in strengths),
        tuple(LookAlike("TEST-2", "clinical.medication", start, end, reason) for reason, start, end in alikes),
        (Sentence(0, len(text)),),
        text,
    )


def meta(worker: str = "Ana", program: str = "North", date: str = "2026-03-02") -> dict[str, str]:
    """What an export says about a note."""
    return {"worker": worker, "program": program, "date": date}


VOID = {"meta", "input", "br", "link"}


class Page(HTMLParser):
    """The page as a reader meets it: elements, and the text of notes with and without its marks."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.stack: list[tuple[str, dict[str, str | None]]] = []
        self.notes: list[dict[str, Any]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()
        assert not self.stack, "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append((tag, dict(attrs)))
        if self._has("text") and "text" in (dict(attrs).get("class") or "").split():
            self.notes.append({"text": "", "data-flag": {}, "data-exact": {}, "data-strong": {}, "data-alike": {}})

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        if self.stack and self.stack[-1][0] not in ("style", "script"):
            self.words.append(data)
        if not self._has("text") or self._has("mk"):
            return
        note = self.notes[-1]
        note["text"] += data
        for kind in ("data-flag", "data-exact", "data-strong", "data-alike"):
            for number in (self.stack[-1][1].get(kind) or "").split():
                note[kind][int(number)] = note[kind].get(int(number), "") + data

    def _has(self, name: str) -> bool:
        return any(name in (attrs.get("class") or "").split() for _, attrs in self.stack)

    @property
    def said(self) -> str:
        return " ".join(" ".join(self.words).split())


def render(reports: Sequence[NoteReport], **options: Any) -> str:
    """The first page of some reports, which are also what the summary counts, unless ``counted`` says otherwise."""
    summary = BatchSummary(min_notes=options.pop("min_notes", 20))
    for item in options.pop("counted", reports):
        summary.add(item)
    options = {"skipped": {}, "profile_name": "default", **options}
    return dict(render_pages(iter(reports), summary, **options))["report.html"]


def spans(text: str, words: str) -> tuple[int, int]:
    start = text.index(words)
    return start, start + len(words)


TEXT = "Met at noon.\n  Nurse had me count her pills, and I listened to her after.\nShe said her doctor is kind."


def rich(note_id: str = "007") -> NoteReport:
    sentence = spans(TEXT, "Nurse had me count her pills, and I listened to her after.")
    return report(
        note_id,
        TEXT,
        findings=[
            finding("clinical.medication", sentence, spans(TEXT, "count her pills"), severity=3, name="a"),
            finding("organizational.misassigned_tasks", sentence, spans(TEXT, "Nurse had me count"), name="b"),
        ],
        strengths=[("listening", *sentence), ("mutuality", *spans(TEXT, "I listened to her after"))],
        alikes=[("reported_speech", *spans(TEXT, "her doctor"))],
    )
