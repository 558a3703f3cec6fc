"""Reports read back from ``reports.jsonl``. A line holds offsets only, so text and sentences come from the note."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from peerdrift_nlp.errors import UsageError
from peerdrift_nlp.text.fold import fold
from peerdrift_nlp.text.sentences import split_sentences
from peerdrift_nlp.types import (
    SCHEMA,
    Cue,
    Engine,
    Evidence,
    Finding,
    LookAlike,
    NoteReport,
    Span,
    Stance,
    Strength,
    Weight,
)


def read_report(line: str) -> NoteReport:
    """The report of one line of ``reports.jsonl``, without text and sentences.

    Raises:
        ValueError: the line is no report; the message holds nothing of it.
    """
    try:
        found = json.loads(line)
        if found["schema"] != SCHEMA:
            raise ValueError
        return NoteReport(
            note_id=found["note_id"],
            status=found["status"],
            engine=Engine(**found["engine"]),
            problems=tuple(found["problems"]),
            meta=found["meta"],
            findings=tuple(_finding(item) for item in found["findings"]),
            strengths=tuple(Strength(**item) for item in found["strengths"]),
            look_alikes=tuple(LookAlike(**item | {"cue": _span(item["cue"])}) for item in found["look_alikes"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError(f"not a report of the schema {SCHEMA}") from None


def read_reports(folder: Path) -> Iterator[NoteReport]:
    """The reports of a results folder one by one, without text and sentences.

    Raises:
        UsageError: it holds no reports, or a line of them is none.
    """
    path = folder / "reports.jsonl"
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                try:
                    yield read_report(line)
                except ValueError as error:
                    raise UsageError(f"{path}, line {number}: {error}; scan the notes again") from None
    except OSError:
        raise UsageError(f"{folder} holds no reports.jsonl: name a results folder of `peerdrift scan`") from None


def with_text(report: NoteReport, text: str) -> NoteReport:
    """The report as it was when the note of this text was scanned."""
    if report.status == "failed":
        return report
    return replace(report, text=text, sentences=tuple(split_sentences(fold(text))))


def _finding(found: Mapping[str, Any]) -> Finding:
    return Finding(
        **{
            **found,
            "sentence": Span(**found["sentence"]),
            "evidence": tuple(Evidence(**item | {"stance": _stance(item["stance"])}) for item in found["evidence"]),
            "words": tuple(Weight(**item) for item in found["words"]),
        }
    )


def _stance(found: Mapping[str, Any]) -> Stance:
    return Stance(**{**found, "cues": tuple(Cue(**cue) for cue in found["cues"])})


def _span(found: Mapping[str, int] | None) -> Span | None:
    return Span(**found) if found else None
