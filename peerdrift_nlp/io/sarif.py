"""Findings as SARIF 2.1.0, for tools that show results of checks; it holds offsets, never note text."""

from __future__ import annotations

import json
from typing import Any, TextIO
from urllib.parse import quote

from peerdrift_nlp.taxonomy import Indicator, taxonomy
from peerdrift_nlp.types import Engine, Finding, NoteReport

SCHEMA_URI = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {1: "note", 2: "warning", 3: "error"}


class FindingsSarif:
    """``findings.sarif``: every indicator as a rule with its help, every finding as a result.

    A result's artifact is ``note/ID`` (percent-encoded), its region counts code points in that note. ``level`` is
    the severity: note 1, warning 2, error 3.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._places = {name: place for place, name in enumerate(taxonomy().indicators)}
        self._engine: Engine | None = None
        self._first = True
        file.write(
            f'{{"$schema":"{SCHEMA_URI}","version":"2.1.0","runs":[{{"columnKind":"unicodeCodePoints","results":[\n'
        )

    def write(self, report: NoteReport) -> None:
        """Add the findings of one report."""
        self._engine = report.engine
        for finding in report.findings:
            self._file.write(("" if self._first else ",\n") + _json(self._result(report, finding)))
            self._first = False

    def close(self) -> None:
        """End the document with the rules."""
        driver: dict[str, Any] = {"name": "peerdrift"}
        if self._engine:
            driver |= {"semanticVersion": self._engine.version, "properties": self._engine.to_dict()}
        driver["rules"] = [_rule(entry) for entry in taxonomy().indicators.values()]
        self._file.write(f'\n],"tool":{{"driver":{_json(driver)}}}}}]}}\n')

    def _result(self, report: NoteReport, finding: Finding) -> dict[str, Any]:
        result: dict[str, Any] = {
            "ruleId": finding.indicator,
            "level": _LEVELS.get(finding.severity, "warning"),
            "rank": round(100 * finding.probability, 2),
            "message": {"text": finding.reason},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": "note/" + quote(report.note_id, safe="", errors="replace")},
                        "region": {"charOffset": finding.start, "charLength": finding.end - finding.start},
                    },
                    "logicalLocations": [{"name": report.note_id, "kind": "note"}],
                }
            ],
            "partialFingerprints": {"peerdriftFinding/v1": f"{report.note_id}#{finding.id}"},
            "properties": {"locus": finding.locus, "origin": finding.origin},
        }
        if finding.indicator in self._places:
            result["ruleIndex"] = self._places[finding.indicator]
        return result


def _rule(entry: Indicator) -> dict[str, Any]:
    return {
        "id": entry.name,
        "name": "".join(part.capitalize() for part in entry.name.replace(".", "_").split("_")),
        "shortDescription": {"text": entry.title},
        "fullDescription": {"text": entry.reason},
        "help": {"text": f"Ask: {entry.question}\nClears: {entry.clears}\nInstead: {entry.alternative}"},
        "defaultConfiguration": {"level": "warning"},
        "properties": {"tags": [entry.label, entry.locus]},
    }


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
