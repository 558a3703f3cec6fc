"""Counts of notes and sentences, shares with their intervals, and the order that names stand in."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from typing import Any
from unicodedata import combining, normalize

from peerdrift_nlp.taxonomy import taxonomy
from peerdrift_nlp.types import NoteReport

ALL_OTHERS = "(all others)"
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])(-|T|$)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Share:
    """A share of notes with its 95% Wilson interval, all between 0 and 1."""

    share: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float]:
        """The share, ready for JSON."""
        return {"share": round(self.share, 4), "low": round(self.low, 4), "high": round(self.high, 4)}


def wilson(count: int, total: int, z: float = 1.959964) -> Share:
    """The share ``count / total`` with its Wilson score interval; ``total`` must not be 0."""
    share = count / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    reach = z * sqrt(share * (1 - share) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    return Share(share, min(share, max(0.0, middle - reach)), max(share, min(1.0, middle + reach)))


@dataclass(slots=True)
class Group:
    """What was counted for one program, month or worker, or for the whole batch.

    ``notes`` are the notes that could be scanned. The three ``with_...`` count notes; ``findings``,
    ``workplace`` and ``practices`` count sentences, by indicator or practice.
    """

    notes: int = 0
    with_strengths: int = 0
    with_individual: int = 0
    with_organizational: int = 0
    findings: Counter[str] = field(default_factory=Counter)
    workplace: Counter[str] = field(default_factory=Counter)
    practices: Counter[str] = field(default_factory=Counter)

    def add(self, report: NoteReport) -> None:
        """Count one note."""
        individual = [item.indicator for item in report.findings if item.locus == "individual"]
        organizational = [item.indicator for item in report.findings if item.locus == "organizational"]
        self.notes += 1
        self.with_strengths += bool(report.strengths)
        self.with_individual += bool(individual)
        self.with_organizational += bool(organizational)
        self.findings.update(individual)
        self.workplace.update(organizational)
        self.practices.update(item.practice for item in report.strengths)

    def share(self, count: int, min_notes: int) -> Share | None:
        """``count`` as a share of the notes, or nothing where the notes are too few to say."""
        return wilson(count, self.notes) if self.notes and self.notes >= min_notes else None

    def to_dict(self, min_notes: int) -> dict[str, Any]:
        """Counts, and shares where the notes are enough; individual and organizational apart."""

        def part(with_it: int, counts: dict[str, int], key: str) -> dict[str, Any]:
            share = self.share(with_it, min_notes)
            return {
                "notes": with_it,
                "share": share.to_dict() if share else None,
                "sentences": sum(counts.values()),
                key: counts,
            }

        return {
            "notes": self.notes,
            "strengths": part(self.with_strengths, by_practice(self.practices), "by_practice"),
            "individual": part(self.with_individual, by_indicator(self.findings), "by_indicator"),
            "organizational": part(self.with_organizational, by_indicator(self.workplace), "by_indicator"),
        }


def month_of(date: str) -> str:
    """The month of an ISO date, such as ``2026-03``, or "" where it is none."""
    return date[:7] if _MONTH.match(date) else ""


def calendar(months: Sequence[str]) -> list[str]:
    """Months with those between them, where that at most doubles them: a mistyped year leaves them as they are."""
    numbers = [int(month[:4]) * 12 + int(month[5:7]) - 1 for month in months]
    if not numbers or numbers[-1] - numbers[0] > 2 * len(numbers):
        return list(months)
    return [f"{number // 12:04}-{number % 12 + 1:02}" for number in range(numbers[0], numbers[-1] + 1)]


def by_indicator(counts: Counter[str]) -> dict[str, int]:
    """Counts in the codebook's order; names that the codebook lacks come last."""
    return ordered(counts, taxonomy().indicators)


def by_practice(counts: Counter[str]) -> dict[str, int]:
    """Counts of strengths in the codebook's order; "" is a strength without a sure practice."""
    return ordered(counts, taxonomy().practices)


def ordered(counts: Counter[str], names: Mapping[str, Any]) -> dict[str, int]:
    """Counts in the order of ``names``; others come last, in alphabetical order."""
    known = {name: counts[name] for name in names if counts[name]}
    return known | {name: counts[name] for name in sorted(counts) if name not in names and counts[name]}


def letters(name: str) -> tuple[bool, str, str]:
    """Sort names as a reader would: accents and capitals aside, what has no name last."""
    plain = "".join(char for char in normalize("NFKD", name) if not combining(char))
    return (name in ("", ALL_OTHERS), plain.casefold(), name)
