"""The HTML report: one offline file, server-side escaped, that nothing can load into and nothing leaves.

Notes are rendered one by one as they arrive; only their finished HTML is kept, and at most ``max_notes`` of them.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cache
from hashlib import sha256
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peerdrift_nlp.report.counts import Group, by_indicator, by_practice, calendar, letters, month_of
from peerdrift_nlp.report.marks import cut
from peerdrift_nlp.report.summary import BatchSummary
from peerdrift_nlp.taxonomy import DRIFT_LABELS, taxonomy
from peerdrift_nlp.types import Finding, NoteReport, Span

if TYPE_CHECKING:
    from jinja2 import Environment

MAX_CHARS = 20_000  # of one note's text in the page; a longer note is cut, and the page says so
MONTHS_SHOWN = 12
_TEMPLATES = Path(__file__).with_name("templates")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_UNSURE = {"unsure": "a rule saw a cue, and the model finds drift unlikely here"}  # beside the codebook's reasons
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def render_html(
    reports: Iterable[NoteReport],
    summary: BatchSummary,
    *,
    skipped: Mapping[str, int],
    profile_name: str,
    local_resources: Sequence[str] = (),
    max_notes: int = 1000,
) -> tuple[str, int]:
    """The report of a run as one HTML page.

    Args:
        reports: The notes to show in full, in this order; of a longer run the first ``max_notes`` are taken.
        summary: The counts of all notes of the run.
        skipped: How many rows were left out before scanning, by reason.
        profile_name: The policy profile that the notes were read with.
        local_resources: Lines that the profile adds to the next steps.
        max_notes: The most notes that the page shows.

    Returns:
        The page, and how many notes it shows.
    """
    env = environment()
    template = env.get_template("note.html")
    notes, facets, engine = [], _Facets(), None
    places: dict[str, str] = {}
    for number, report in enumerate(islice(reports, max_notes), start=1):
        engine = engine or report.engine
        facets.add(report)
        notes.append(template.render(note=_note(report, number)))
        places.setdefault(report.note_id, f"n{number}")
    context = {
        "s": summary,
        "notes": notes,
        "places": places,
        "curves": _curves(summary),
        "changes": summary.changes,
        "funnels": summary.funnels,
        "facets": facets,
        "engine": engine,
        "skipped": {reason: count for reason, count in sorted(skipped.items()) if count},
        "profile": profile_name,
        "resources": list(local_resources),
        "by_label": _by_label(summary),
        "by_indicator": by_indicator,
        "by_practice": by_practice,
        "reasons": taxonomy().reasons | _UNSURE,
        "tax": taxonomy(),
    }
    return env.get_template("report.html").render(context), len(notes)


class _Facets:
    """What the shown notes can be filtered by."""

    def __init__(self) -> None:
        self._labels: set[str] = set()
        self._seen: dict[str, set[str]] = {"program": set(), "worker": set(), "month": set()}

    def add(self, report: NoteReport) -> None:
        self._labels.update(finding.label for finding in report.findings)
        self._seen["month"].add(month_of(report.meta.get("date", "")))
        for key in ("program", "worker"):
            self._seen[key].add(report.meta.get(key, "").strip())

    @property
    def labels(self) -> list[str]:
        return [label for label in (*DRIFT_LABELS, "organizational") if label in self._labels]

    def of(self, key: str) -> list[str]:
        return sorted(self._seen[key] - {""}, key=letters)


@cache
def environment() -> Environment:
    """The templates of this folder: escaping, strict, with style and script and their hashes."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    def clean(value: Any) -> Any:
        return _UNPRINTABLE.sub("\ufffd", value) if type(value) is str else value

    env = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=clean,
    )
    for name in ("css", "js"):
        source = (_TEMPLATES / f"report.{name}").read_text(encoding="utf-8")
        digest = base64.b64encode(sha256(source.encode()).digest()).decode()
        env.globals[name] = Markup(source)
        env.globals[f"{name}_hash"] = f"sha256-{digest}"
    env.filters.update(day=_day, month=_month, times=_times)
    return env


def _note(report: NoteReport, number: int) -> dict[str, Any]:
    """One note as the template wants it."""
    text = report.text if report.status != "failed" else ""
    findings = sorted(report.findings, key=lambda item: (item.sentence.start, item.start))
    strengths, alikes = _strengths(report), _merged_alikes(report)
    return {
        "id": f"n{number}",
        "name": report.note_id,
        "status": report.status,
        "problems": report.problems,
        "date": report.meta.get("date", ""),
        "month": month_of(report.meta.get("date", "")),
        "worker": report.meta.get("worker", "").strip(),
        "program": report.meta.get("program", "").strip(),
        "labels": sorted({finding.label for finding in findings}),
        "individual": sum(finding.locus == "individual" for finding in findings),
        "organizational": sum(finding.locus == "organizational" for finding in findings),
        "strengths": [{"title": name, "quote": _quote(text, Span(*at), 160)} for at, name in strengths.items()],
        "pieces": cut(
            text[:MAX_CHARS],
            findings=findings,
            strengths=[Span(*at) for at in strengths],
            alikes=[Span(start, end) for start, end, _ in alikes],
        ),
        "left_out": max(0, len(text) - MAX_CHARS),
        "flags": [_flag(finding, text, place) for place, finding in enumerate(findings, start=1)],
        "alikes": [{"words": _quote(text, Span(start, end)), "reason": reason} for start, end, reason in alikes],
    }


def _strengths(report: NoteReport) -> dict[tuple[int, int], str]:
    """The strengths of a note by stretch, in the order of its text; several practices of one stretch together."""
    titles: dict[tuple[int, int], list[str]] = {}
    for item in sorted(report.strengths, key=lambda item: (item.start, item.end)):
        titles.setdefault((item.start, item.end), []).append(taxonomy().practices.get(item.practice, "Peer practice"))
    return {stretch: "; ".join(dict.fromkeys(names)) for stretch, names in titles.items()}


def _merged_alikes(report: NoteReport) -> list[tuple[int, int, str]]:
    """The look-alikes of a note, overlapping ones of the same reason as one."""
    reasons = taxonomy().reasons | _UNSURE
    merged: list[tuple[int, int, str]] = []
    by_reason = sorted(report.look_alikes, key=lambda item: (item.reason, item.start, item.end))
    for reason, group in groupby(by_reason, key=lambda item: item.reason):
        spans: list[tuple[int, int]] = []
        for item in group:
            if spans and item.start < spans[-1][1]:
                spans[-1] = (spans[-1][0], max(spans[-1][1], item.end))
            else:
                spans.append((item.start, item.end))
        merged.extend((start, end, reasons.get(reason, reason)) for start, end in spans)
    return sorted(merged)


def _flag(finding: Finding, text: str, number: int) -> dict[str, Any]:
    """One finding as the template wants it."""
    names = taxonomy()
    indicator = names.indicators.get(finding.indicator)
    weighed = [_quote(text, Span(word.start, word.end)) for word in finding.words if word.weight > 0]
    return {
        "id": finding.id,
        "number": number,
        "title": indicator.title if indicator else finding.indicator,
        "label": names.labels.get(finding.label, finding.label),
        "locus": finding.locus,
        "severity": min(3, max(1, finding.severity)),
        "likely": likely(finding.probability),
        "percent": min(99, max(1, round(100 * finding.probability))),
        "origin": finding.origin,
        "quote": _quote(text, finding.sentence),
        "reason": finding.reason,
        "question": finding.question,
        "guideline": names.guidelines.get(finding.guideline, finding.guideline),
        "clears": finding.clears,
        "alternative": finding.alternative,
        "stances": _stances(finding, text),
        "rules": list(dict.fromkeys(item.rule_id for item in finding.evidence)),
        "weighed": list(dict.fromkeys(weighed)),
    }


def likely(probability: float) -> str:
    """A probability in plain words."""
    steps = ((0.9, "very likely"), (0.7, "likely"), (0.5, "fairly likely"))
    return next((word for least, word in steps if probability >= least), "possible")


def _stances(finding: Finding, text: str) -> list[dict[str, Any]]:
    """The stances that a finding was read with, each once, with the words that decided it."""
    read: list[dict[str, Any]] = []
    for stance in (item.stance for item in finding.evidence):
        cues = dict.fromkeys(_quote(text, Span(cue.start, cue.end)) for cue in stance.cues)
        words = {key: getattr(stance, key) for key in ("actor", "voice", "status", "initiator")}
        if (entry := {**words, "cues": list(cues)}) not in read:
            read.append(entry)
    return read


def _quote(text: str, span: Span, most: int = 300) -> str:
    words = " ".join(text[span.start : span.end].split())
    return words if len(words) <= most else words[: most - 1].rstrip() + "…"


def _curves(summary: BatchSummary) -> dict[str, dict[str, Group | None]]:
    """The last months of the programs that have a share in any; ``None`` is a month without notes."""
    enough = summary.min_notes
    return {
        program: {month: months.get(month) for month in calendar([month for month in months if month][-MONTHS_SHOWN:])}
        for program, months in summary.program_months.items()
        if any(month and group.share(0, enough) for month, group in months.items())
    }


def _by_label(summary: BatchSummary) -> dict[str, list[tuple[str, int]]]:
    """Indicators with their counts under each drift label, the most frequent first."""
    counts = by_indicator(summary.all.findings)
    return {
        label: sorted(
            ((name, count) for name, count in counts.items() if name.startswith(f"{label}.")),
            key=lambda item: -item[1],
        )
        for label in summary.by_label
    }


def _day(value: str) -> str:
    try:
        day = date.fromisoformat(value[:10])
    except ValueError:
        return value
    return f"{_month(value[:7]).split()[0]} {day.day}, {day.year}"


def _month(value: str) -> str:
    return f"{_MONTHS[int(value[5:7]) - 1]} {value[:4]}" if month_of(value) else "No date"


def _times(count: int, one: str, many: str = "") -> str:
    """A count with its noun: ``1 note``, ``2 notes``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
