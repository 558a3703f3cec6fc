"""The contract of ``reports.jsonl``: its JSON Schema, and its lines as ``NoteReport`` again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from peerdrift_nlp.types import (
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


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of one line of ``reports.jsonl``; yours to change."""
    loaded: dict[str, Any] = json.loads(Path(__file__).with_name("note_report.schema.json").read_text("utf-8"))
    return loaded


def note_report(line: Mapping[str, Any]) -> NoteReport:
    """The report that ``NoteReport.to_dict`` gave as an object.

    Text and sentences, which it left out, are empty; numbers stay rounded.

    Args:
        line: an object that is valid by ``schema``.
    """
    return NoteReport(
        note_id=line["note_id"],
        status=line["status"],
        engine=Engine(**line["engine"]),
        problems=tuple(line["problems"]),
        meta=line["meta"],
        findings=tuple(map(_finding, line["findings"])),
        strengths=tuple(Strength(**item) for item in line["strengths"]),
        look_alikes=tuple(_look_alike(item) for item in line["look_alikes"]),
        switched_off=line.get("switched_off", {}),
        suppressed=line.get("suppressed", {}),
        fingerprint=line.get("fingerprint", ""),
    )


def _finding(item: Mapping[str, Any]) -> Finding:
    parts = {
        "sentence": Span(**item["sentence"]),
        "evidence": tuple(Evidence(**{**part, "stance": _stance(part["stance"])}) for part in item["evidence"]),
        "words": tuple(Weight(**word) for word in item["words"]),
    }
    return Finding(**{**item, **parts})


def _stance(item: Mapping[str, Any]) -> Stance:
    return Stance(**{**item, "cues": tuple(Cue(**cue) for cue in item["cues"])})


def _look_alike(item: Mapping[str, Any]) -> LookAlike:
    return LookAlike(**{**item, "cue": Span(**item["cue"]) if item["cue"] else None})
