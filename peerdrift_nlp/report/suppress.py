"""Suppressions: findings that a program leaves out on purpose, each with a reason, a date and a count."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date as Day
from datetime import datetime
from pathlib import Path
from typing import Any

from peerdrift_nlp.report.settings import Settings, read_settings
from peerdrift_nlp.taxonomy import taxonomy
from peerdrift_nlp.text.fold import fold
from peerdrift_nlp.text.phrases import Phrases
from peerdrift_nlp.types import Finding, NoteReport

CONDITIONS = ("rule", "indicator", "phrase", "program")
_KEYS = frozenset({*CONDITIONS, "reason", "date", "until"})


@dataclass(frozen=True, slots=True)
class Suppression:
    """What is left out of reports, why, since when and how long; "" is a condition that is not set.

    A finding is left out where every condition that is set holds: it rests on this rule alone, has this
    indicator (or label), its words overlap this phrase (a finding without words of its own: the phrase is
    the whole sentence), the note is of this program.
    """

    reason: str
    date: Day
    until: Day | None = None
    rule: str = ""
    indicator: str = ""
    phrase: str = ""
    program: str = ""

    @property
    def id(self) -> str:
        """Eight hex digits of its content, which name it in ``run.json``."""
        content = [self.reason, str(self.date), str(self.until), *(getattr(self, key) for key in CONDITIONS)]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:8]

    @property
    def what(self) -> str:
        """Its conditions in one line."""
        return ", ".join(f"{key} {value!r}" for key in CONDITIONS if (value := getattr(self, key)))

    def is_over(self, today: Day) -> bool:
        """Whether it has ended: its last day is ``until``."""
        return self.until is not None and self.until < today

    def to_dict(self) -> dict[str, str]:
        """The suppression, ready for JSON."""
        conditions = {key: value for key in CONDITIONS if (value := getattr(self, key))}
        until = {"until": str(self.until)} if self.until else {}
        return {"id": self.id, **conditions, "reason": self.reason, "date": str(self.date), **until}


class Suppressor:
    """Leaves out what suppressions name, and counts it. Those that have ended do nothing.

    Args:
        suppressions: of profile and files.
        today: the day on which they must hold.
    """

    def __init__(self, suppressions: Sequence[Suppression], today: Day) -> None:
        self._active = [(item, Phrases([item.phrase])) for item in suppressions if not item.is_over(today)]

    def apply(self, report: NoteReport) -> NoteReport:
        """The report without suppressed findings, which ``suppressed`` counts by the first that names them."""
        if not self._active or not report.findings:
            return report
        folded = fold(report.text)
        kept: list[Finding] = []
        counts = Counter[str]()
        for finding in report.findings:
            by = next((item.id for item, words in self._active if _names(item, words, finding, report, folded)), "")
            if by:
                counts[by] += 1
            else:
                kept.append(finding)
        return replace(report, findings=tuple(kept), suppressed=dict(counts)) if counts else report


def _names(item: Suppression, words: Phrases, finding: Finding, report: NoteReport, folded: str) -> bool:
    if item.rule and {evidence.rule_id for evidence in finding.evidence} != {item.rule}:
        return False
    if item.indicator and not f"{finding.indicator}.".startswith(f"{item.indicator}."):
        return False
    if item.program and _plain(item.program) != _plain(report.meta.get("program", "")):
        return False
    if not item.phrase:
        return True
    if finding.evidence:
        return any(words.find(folded, part.start, part.end) for part in finding.evidence)
    return words.cover(folded, finding.sentence.start, finding.sentence.end)


def _plain(name: str) -> str:
    return " ".join(fold(name).casefold().split())


def read_suppressions(path: str | Path) -> tuple[Suppression, ...]:
    """Read a file of ``[[suppress]]`` tables.

    Raises:
        ProfileError: everything that is wrong in the file, with line and fix.
    """
    settings = read_settings(Path(path))
    settings.check_keys(settings.data, {"suppress"}, "a suppression file")
    if "suppress" not in settings.data:
        settings.report(1, "there is no [[suppress]] table.")
    found = suppressions_of(settings)
    settings.finish()
    return found


def suppressions_in(path: str | Path) -> tuple[Suppression, ...]:
    """The suppressions of a file of its own or of a profile, whatever else the profile holds.

    Raises:
        ProfileError: everything that is wrong in them, with line and fix.
    """
    settings = read_settings(Path(path))
    if not settings.data.keys() - {"suppress"}:
        return read_suppressions(path)
    found = suppressions_of(settings)
    settings.finish()
    return found


def suppressions_of(settings: Settings) -> tuple[Suppression, ...]:
    """The ``[[suppress]]`` tables of a file; what is wrong is noted in it."""
    tables = settings.data.get("suppress", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        settings.report(settings.line_of("suppress"), "'suppress' must be tables: [[suppress]], then its keys.")
        return ()
    heads = [number for number, line in enumerate(settings.lines, 1) if line.strip().startswith("[[suppress]]")]
    heads += [settings.line_of("suppress")] * (len(tables) - len(heads))
    found = [_suppression(settings, table, line) for table, line in zip(tables, heads, strict=False)]
    for place, (item, line) in enumerate(zip(found, heads, strict=False)):
        if item is not None and item in found[:place]:
            settings.report(line, "this suppression stands above already.")
    return tuple(item for item in found if item is not None)


def _suppression(settings: Settings, table: Mapping[str, Any], line: int) -> Suppression | None:
    before = len(settings.problems)
    settings.check_keys(table, _KEYS, "[[suppress]]", line)
    if not table.keys() & set(CONDITIONS):
        settings.report(line, f"nothing is named: give one or more of {', '.join(CONDITIONS)}.")
    for key in (*CONDITIONS, "reason"):
        value = table.get(key)
        if key == "reason" and value is None:
            settings.report(line, "'reason' is missing: say why this is left out.")
        elif value is not None and not (isinstance(value, str) and value.strip()):
            settings.report(settings.line_of(key, line), f"{key!r} must be a non-empty string.")
    days = {key: _day(settings, table, key, line) for key in ("date", "until")}
    if "date" not in table:
        settings.report(line, "'date' is missing: the day of the decision, such as 2026-03-01.")
    if days["date"] and days["until"] and days["until"] < days["date"]:
        settings.report(settings.line_of("until", line), "'until' lies before 'date'.")
    _check_indicator(settings, table.get("indicator"), line)
    if len(settings.problems) > before or days["date"] is None:
        return None
    conditions = {key: table[key].strip() for key in CONDITIONS if key in table}
    return Suppression(reason=table["reason"].strip(), date=days["date"], until=days["until"], **conditions)


def _day(settings: Settings, table: Mapping[str, Any], key: str, line: int) -> Day | None:
    value = table.get(key)
    if isinstance(value, Day) and not isinstance(value, datetime):
        return value
    if isinstance(value, str):
        try:
            return datetime.strptime(value, "%Y-%m-%d").date()
        except ValueError:
            pass
    if value is not None:
        settings.report(settings.line_of(key, line), f"{key!r} must be a day, such as 2026-03-01.")
    return None


def _check_indicator(settings: Settings, name: object, line: int) -> None:
    known = {*taxonomy().indicators, *(entry.label for entry in taxonomy().indicators.values())}
    if isinstance(name, str) and name.strip() and name.strip() not in known:
        near = difflib.get_close_matches(name, known, 1)
        hint = f" Did you mean {near[0]!r}?" if near else " See `peerdrift rules list`."
        settings.report(settings.line_of("indicator", line), f"there is no indicator {name!r}.{hint}")
