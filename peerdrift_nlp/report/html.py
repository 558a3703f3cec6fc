"""The HTML report: one offline file, server-side escaped, that nothing can load into and nothing leaves.

Notes are rendered one by one as they arrive, and their finished HTML is kept compressed until their page is made:
every page names the others, so the first can be made only when all notes are there.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import asdict, dataclass
from datetime import date
from functools import cache
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peerdrift_nlp.report.cards import UNSURE, note_context
from peerdrift_nlp.report.counts import Group, by_indicator, by_practice, calendar, letters, month_of
from peerdrift_nlp.report.decisions import Decision
from peerdrift_nlp.report.summary import BatchSummary
from peerdrift_nlp.taxonomy import DRIFT_LABELS, taxonomy
from peerdrift_nlp.types import Engine, NoteReport

if TYPE_CHECKING:
    from jinja2 import Environment

MAX_NOTES = 1000  # of one page
MAX_BYTES = 3_000_000
_LINKS = 50  # to further pages, whose room is set aside
MONTHS_SHOWN = 12
_TEMPLATES = Path(__file__).with_name("templates")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Review:
    """What the pages need to take decisions: the run, the id of its key, the notes of the sample, earlier decisions.

    ``outcome`` is what those decisions come to, in plain lines.
    """

    run: str
    key_id: str
    sample: Set[str] = frozenset()
    decisions: tuple[Decision, ...] = ()
    read: Set[str] = frozenset()
    outcome: tuple[str, ...] = ()


def render_pages(
    reports: Iterable[NoteReport],
    summary: BatchSummary,
    *,
    skipped: Mapping[str, int],
    profile_name: str,
    local_resources: Sequence[str] = (),
    review: Review | None = None,
    max_notes: int = MAX_NOTES,
    max_bytes: int = MAX_BYTES,
) -> Iterator[tuple[str, str]]:
    """The report of a run as HTML pages that link to each other; the first carries the overview.

    One page is in memory at a time: write each before taking the next.

    Args:
        reports: The notes to show in full, in this order.
        summary: The counts of all notes of the run.
        skipped: How many rows were left out before scanning, by reason.
        profile_name: The policy profile that the notes were read with.
        local_resources: Lines that the profile adds to the next steps.
        review: Lets the pages take decisions; the reports need fingerprints and sentences for that.
        max_notes: The most notes of a page; further ones go on in the next.
        max_bytes: The most UTF-8 bytes of a page, but that it holds one note at least, however large.

    Yields:
        Each page with its file name: ``report.html``, ``report-2.html`` ...
    """
    frame = _Frame(summary, skipped, profile_name, local_resources, review)
    room = 0.95 * (max_bytes - len(frame.page(_Part(1), [_Part(1)] * _LINKS).encode()))  # the rest is for filters
    parts = [_Part(1)]
    for report in reports:
        note, size = frame.note(report, parts[-1])
        if parts[-1].count and (parts[-1].count == max_notes or parts[-1].size + size > room):
            parts.append(_Part(parts[-1].last + 1, len(parts) + 1))
        frame.place(report, parts[-1])
        parts[-1].add(report, note, size)
    for part in parts:
        yield part.name, frame.page(part, parts)


class _Frame:
    """What is the same for all notes and pages of a report."""

    def __init__(
        self,
        summary: BatchSummary,
        skipped: Mapping[str, int],
        profile_name: str,
        local_resources: Sequence[str],
        review: Review | None,
    ) -> None:
        self._env = environment()
        self._note = self._env.get_template("note.html")
        self._review = review
        self._places: dict[str, str] = {}
        self._made: dict[str, list[dict[str, Any]]] = {}
        for item in review.decisions if review else ():
            self._made.setdefault(item.note, []).append(asdict(item))
        self._context = {
            "s": summary,
            "places": self._places,
            "curves": _curves(summary),
            "changes": summary.changes,
            "funnels": summary.funnels,
            "skipped": {reason: count for reason, count in sorted(skipped.items()) if count},
            "profile": profile_name,
            "resources": list(local_resources),
            "by_label": _by_label(summary),
            "by_indicator": by_indicator,
            "by_practice": by_practice,
            "reasons": taxonomy().reasons | UNSURE,
            "tax": taxonomy(),
            "review": review,
        }

    def place(self, report: NoteReport, part: _Part) -> None:
        """Keep where the next note of a part stands, for the links of the overview."""
        page = "" if part.number == 1 else part.name
        self._places.setdefault(report.note_id, f"{page}#n{part.last + 1}")

    def note(self, report: NoteReport, part: _Part) -> tuple[str, int]:
        """The HTML of the next note of a part, and its size in bytes."""
        number = part.last + 1
        sampled = self._review is not None and report.fingerprint in self._review.sample
        html = self._note.render(note=note_context(report, number), sampled=sampled, review=self._review is not None)
        made = json.dumps(self._made.get(report.fingerprint, []))
        return html, len(html.encode()) + len(escape(made))

    def page(self, part: _Part, parts: Sequence[_Part]) -> str:
        """One page with its notes and the links to the others."""
        read = sorted(self._review.read & part.fingerprints.keys()) if self._review else []
        made = {"decisions": [item for note in part.fingerprints for item in self._made.get(note, [])], "read": read}
        template = self._env.get_template("report.html")
        return template.render(self._context, facets=part, part=part, parts=parts, made=json.dumps(made))


class _Part:
    """The notes of one page, finished, and what they can be filtered by.

    ``first`` is the number of its first note in the report, from 1.
    """

    def __init__(self, first: int, number: int = 1) -> None:
        self.first = first
        self.number = number
        self.size = 0
        self.fingerprints: dict[str, None] = {}
        self.engine: Engine | None = None
        self._notes: list[bytes] = []
        self._labels: set[str] = set()
        self._seen: dict[str, set[str]] = {"program": set(), "worker": set(), "month": set()}

    def add(self, report: NoteReport, html: str, size: int) -> None:
        self._notes.append(zlib.compress(html.encode(), level=1))
        self.size += size
        self.engine = self.engine or report.engine
        self.fingerprints[report.fingerprint] = None
        self._labels.update(finding.label for finding in report.findings)
        self._seen["month"].add(month_of(report.meta.get("date", "")))
        for key in ("program", "worker"):
            self._seen[key].add(report.meta.get(key, "").strip())

    @property
    def name(self) -> str:
        return f"report-{self.number}.html" if self.number > 1 else "report.html"

    @property
    def count(self) -> int:
        return len(self._notes)

    @property
    def last(self) -> int:
        return self.first + self.count - 1

    def notes(self) -> Iterator[str]:
        return (zlib.decompress(note).decode() for note in self._notes)

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
    for name in ("report.css", "report.js", "review.css", "review.js"):
        source = (_TEMPLATES / name).read_text(encoding="utf-8")
        digest = base64.b64encode(sha256(source.encode()).digest()).decode()
        key = name.replace(".", "_")
        env.globals[key] = Markup(source)
        env.globals[f"{key}_hash"] = f"sha256-{digest}"
    env.filters.update(day=_day, month=_month, times=_times)
    return env


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
