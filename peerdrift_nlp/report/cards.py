"""A note's report as the page's template wants it: its text in marked pieces, its flags as cards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from peerdrift_nlp.classifier.features import is_scored
from peerdrift_nlp.report.counts import month_of
from peerdrift_nlp.report.marks import Piece, cut
from peerdrift_nlp.taxonomy import taxonomy
from peerdrift_nlp.types import Finding, NoteReport, Span

MAX_CHARS = 20_000  # of one note's text in the page; a longer note is cut, and the page says so
UNSURE = {"unsure": "a rule saw a cue, and the model finds drift unlikely here"}  # beside the codebook's reasons


def note_context(report: NoteReport, number: int) -> dict[str, Any]:
    """One note as the template wants it; ``number`` names it on its page."""
    text = report.text if report.status != "failed" else ""
    findings = sorted(report.findings, key=lambda item: (item.sentence.start, item.start))
    strengths, alikes = _strengths(report), _merged_alikes(report)
    sentences = [Span(item.start, item.end) for item in report.sentences if is_scored(item)]
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
        "fingerprint": report.fingerprint,
        "units": _units(
            cut(
                text[:MAX_CHARS],
                findings=findings,
                strengths=[Span(*at) for at in strengths],
                alikes=[Span(start, end) for start, end, _ in alikes],
                sentences=sentences if report.fingerprint else (),
            ),
            sentences,
        ),
        "left_out": max(0, len(text) - MAX_CHARS),
        "flags": [_flag(finding, text, place) for place, finding in enumerate(findings, start=1)],
        "alikes": [{"words": _quote(text, Span(start, end)), "reason": reason} for start, end, reason in alikes],
    }


def _units(pieces: Iterable[Piece], sentences: Sequence[Span]) -> Iterator[tuple[str, list[Piece]]]:
    """The pieces of each sentence under its place (``"12-40"``), and what stands between sentences under ""."""
    for number, group in groupby(pieces, key=lambda piece: piece.sentence):
        yield _place(sentences[number - 1]) if number else "", list(group)


def _place(span: Span) -> str:
    return f"{span.start}-{span.end}"


def _strengths(report: NoteReport) -> dict[tuple[int, int], str]:
    """The strengths of a note by stretch, in the order of its text; several practices of one stretch together."""
    titles: dict[tuple[int, int], list[str]] = {}
    for item in sorted(report.strengths, key=lambda item: (item.start, item.end)):
        titles.setdefault((item.start, item.end), []).append(taxonomy().practices.get(item.practice, "Peer practice"))
    return {stretch: "; ".join(dict.fromkeys(names)) for stretch, names in titles.items()}


def _merged_alikes(report: NoteReport) -> list[tuple[int, int, str]]:
    """The look-alikes of a note, overlapping ones of the same reason as one."""
    reasons = taxonomy().reasons | UNSURE
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
        "at": _place(finding.sentence),
        "indicator": finding.indicator,
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
