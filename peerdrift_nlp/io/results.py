"""A results folder read again: the record of the run, and its reports without their texts."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from peerdrift_nlp.errors import InputError, UsageError
from peerdrift_nlp.io.contract import schema
from peerdrift_nlp.io.readers import Item
from peerdrift_nlp.io.writers import REPORTS, RUN
from peerdrift_nlp.report.fingerprint import Fingerprints, new_key
from peerdrift_nlp.report.policies import Policies
from peerdrift_nlp.report.profile import Profile
from peerdrift_nlp.types import Note, NoteReport

_KEY = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_STRINGS = {"type": "array", "items": {"type": "string"}}
_RUN_SCHEMA = {
    "type": "object",
    "required": ["schema", "started", "reading", "skipped", "profile", "summary", "key"],
    "properties": {
        "schema": {"const": "peerdrift.run/1"},
        "started": {"type": "string"},
        "reading": {
            "type": "object",
            "properties": {"columns": {"type": "object", "additionalProperties": {"type": "string"}}},
            "propertyNames": {"enum": ["columns", "encoding", "sheet", "join_on", "order"]},
            "additionalProperties": {"type": ["string", "null"]},
        },
        "summary": {
            "type": "object",
            "required": ["left_out"],
            "properties": {"left_out": _STRINGS},
        },
        "skipped": {"type": "object", "additionalProperties": {"type": "integer"}},
        "profile": {
            "type": "object",
            "required": ["title", "resources"],
            "properties": {
                "title": {"type": "string"},
                "resources": _STRINGS,
                "required_phrases": _STRINGS,
                "program_names": _STRINGS,
            },
        },
        "key": _KEY,
        "sample": {"type": "integer", "minimum": 0},
    },
}


@dataclass(frozen=True, slots=True)
class Results:
    """A results folder that was opened: the record of its run, and its reports by ``reports``."""

    folder: Path
    run: Mapping[str, Any]

    @property
    def fingerprints(self) -> Fingerprints:
        """What makes the fingerprints of this run."""
        return Fingerprints(bytes.fromhex(self.run["key"]))

    @property
    def policies(self) -> Policies:
        """What tells sentences from the form's words: the phrases of the profile; earlier versions kept none."""
        found = self.run["profile"]
        required, names = tuple(found.get("required_phrases", ())), tuple(found.get("program_names", ()))
        return Policies(Profile("", found["title"], required_phrases=required, program_names=names), {})

    def reports(self) -> Iterator[NoteReport]:
        """The reports in the order of the scan, without texts and sentences.

        Raises:
            InputError: a line that is no report; the message names it.
        """
        validator = Draft202012Validator(schema())
        try:
            with (self.folder / REPORTS).open(encoding="utf-8") as file:
                for number, line in enumerate(file, start=1):
                    yield _report(line, f"{REPORTS}:{number}", validator)
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{self.folder / REPORTS} cannot be read ({type(error).__name__}): scan again") from None


def open_results(folder: str | os.PathLike[str]) -> Results:
    """Open what ``peerdrift scan`` wrote.

    Raises:
        UsageError: the folder holds no results, or those of a version that kept no fingerprints.
    """
    folder = Path(folder)
    run = _record(folder)
    if run is None:
        raise UsageError(f"{folder} holds no results ({RUN} is missing or damaged): name the folder that a scan wrote")
    if not Draft202012Validator(_RUN_SCHEMA).is_valid(run):
        raise UsageError(f"the results in {folder} are of another version: scan again")
    return Results(folder, run)


def key_of(folder: Path) -> bytes:
    """The key of the results that a folder holds, so that decisions on them fit a new scan; or else a new one."""
    key = (_record(folder) or {}).get("key")
    return bytes.fromhex(str(key)) if Draft202012Validator(_KEY).is_valid(key) else new_key()


def fingerprinted(report: NoteReport, fingerprints: Fingerprints) -> NoteReport:
    """The report with the fingerprint of its note; a failed one has none."""
    return report if report.status == "failed" else replace(report, fingerprint=fingerprints.note(report.text))


def join(
    reports: Iterable[NoteReport], items: Iterable[Item], fingerprints: Fingerprints, policies: Policies
) -> tuple[list[NoteReport], int]:
    """Give reports their texts and sentences again.

    Args:
        reports: without texts.
        items: the notes of the export that was scanned.
        fingerprints: of the run.
        policies: of the run.

    Returns:
        The reports whose notes were found with every sentence where it was, in their order; and how many were not:
        their notes are gone or have changed. A failed report has no text to look for, and stays.
    """
    wanted = list(reports)
    missing = {report.fingerprint for report in wanted}
    texts: dict[str, list[str]] = {}
    for item in items:
        if isinstance(item, Note) and (found := fingerprints.note(item.text)) in missing:
            known = texts.setdefault(found, [])
            if item.text not in known:
                known.append(item.text)
    joined = [_joined(report, texts.get(report.fingerprint, ()), policies) for report in wanted]
    kept = [report for report in joined if report is not None]
    return kept, len(wanted) - len(kept)


def _joined(report: NoteReport, texts: Iterable[str], policies: Policies) -> NoteReport | None:
    if report.status == "failed":
        return report
    # Notes that differ in white space share a fingerprint, but not their offsets.
    stretches = {(item.sentence.start, item.sentence.end) for item in report.findings}
    stretches |= {(item.start, item.end) for item in report.strengths}
    for text in texts:
        sentences = policies.sentences(text)
        if stretches <= {(item.start, item.end) for item in sentences}:
            return replace(report, text=text, sentences=sentences)
    return None


def _record(folder: Path) -> dict[str, Any] | None:
    try:
        run = json.loads((folder / RUN).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return run if isinstance(run, dict) else None


def _report(line: str, where: str, validator: Draft202012Validator) -> NoteReport:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        data = None
    if not validator.is_valid(data):
        raise InputError(f"{where} is no note report of this version: scan again")
    return NoteReport.from_dict(data)
