"""A worker's sheet: one page to print and hand over. Strengths first, no note text, no comparison with anybody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import attrgetter

from peerdrift_nlp.report.counts import Group, by_indicator, by_practice, calendar, month_of
from peerdrift_nlp.report.html import MONTHS_SHOWN, environment
from peerdrift_nlp.report.picks import EXAMPLES, Examples
from peerdrift_nlp.report.summary import MIN_NOTES
from peerdrift_nlp.report.trend import Change, change
from peerdrift_nlp.taxonomy import taxonomy
from peerdrift_nlp.types import NoteReport

TOPICS = 3
STRENGTHS = 6


@dataclass(slots=True)
class Topic:
    """One thing to talk about: an indicator, the note that shows it most seriously, and a few others."""

    indicator: str
    severity: int
    probability: float
    notes: list[tuple[str, str]] = field(default_factory=list)


class Sheet:
    """What one worker's notes show. Feed it their reports; it keeps counts and the ids of a few notes."""

    def __init__(self, worker: str, *, min_notes: int = MIN_NOTES) -> None:
        self.worker = worker
        self.min_notes = min_notes
        self.all = Group()
        self._examples = Examples()
        self._topics: dict[str, Topic] = {}
        self._months: dict[str, Group] = {}

    def add(self, report: NoteReport) -> None:
        """Count one note; one that could not be read is left aside."""
        if report.status == "failed":
            return
        self.all.add(report)
        self._examples.add("", report)
        date = report.meta.get("date", "")
        self._months.setdefault(month_of(date), Group()).add(report)
        for item in report.findings:
            if item.locus == "organizational":
                continue
            topic = self._topics.setdefault(item.indicator, Topic(item.indicator, 0, 0.0))
            named = (report.note_id, date)
            if (item.severity, item.probability) > (topic.severity, topic.probability):
                topic.severity, topic.probability = item.severity, item.probability
                topic.notes = [named, *(note for note in topic.notes if note != named)][:EXAMPLES]
            elif named not in topic.notes and len(topic.notes) < EXAMPLES:
                topic.notes.append(named)

    @property
    def strengths(self) -> list[tuple[str, list[str]]]:
        """The practices that occur most, with the ids of notes that show them."""
        shown = self._examples.of("")
        most = Counter(by_practice(self.all.practices)).most_common(STRENGTHS)
        return [(practice, shown[practice]) for practice, _ in most]

    @property
    def topics(self) -> list[Topic]:
        """At most three things to talk about, the most serious and surest."""
        return sorted(self._topics.values(), key=attrgetter("severity", "probability"), reverse=True)[:TOPICS]

    @property
    def months(self) -> dict[str, Group]:
        """The months in the order of time; "" (no date) last."""
        return dict(sorted(self._months.items(), key=lambda item: (not item[0], item[0])))

    @property
    def change(self) -> Change | None:
        """The later months beside the earlier ones; nothing where there are too few notes."""
        return change(self.months, self.min_notes)

    @property
    def curve(self) -> dict[str, Group | None]:
        """The last months, where at least two have enough notes for a share; ``None`` is a month without notes."""
        dated = {month: group for month, group in self.months.items() if month}
        if sum(group.share(0, self.min_notes) is not None for group in dated.values()) < 2:
            return {}
        return {month: dated.get(month) for month in calendar(list(dated)[-MONTHS_SHOWN:])}


def render_sheet(worker: str, reports: Iterable[NoteReport], *, min_notes: int = MIN_NOTES) -> tuple[str, int]:
    """The sheet of a worker as one printable HTML page.

    Args:
        worker: the name as the export has it.
        reports: reports of any workers; those of others are passed by. They need no text.
        min_notes: shares are given from so many notes up.

    Returns:
        The page, and how many notes it rests on.
    """
    sheet = Sheet(worker, min_notes=min_notes)
    for report in reports:
        if report.meta.get("worker", "").strip() == worker:
            sheet.add(report)
    page = (
        environment()
        .get_template("sheet.html")
        .render(sheet=sheet, min_notes=min_notes, tax=taxonomy(), by_indicator=by_indicator)
    )
    return page, sheet.all.notes
