"""The contract of ``reports.jsonl``: its JSON Schema. ``NoteReport.from_dict`` reads its lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of one line of ``reports.jsonl``; yours to change."""
    loaded: dict[str, Any] = json.loads(Path(__file__).with_name("note_report.schema.json").read_text("utf-8"))
    return loaded
