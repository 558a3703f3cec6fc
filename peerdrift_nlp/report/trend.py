"""Is it getting better? Two spans of time compared, and each worker's notes beside what chance allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any, Literal, NamedTuple

from peerdrift_nlp.report.counts import Group, Share, wilson

FUNNEL_WORKERS = 5
_TAILS = (0.001, 0.025, 0.975, 0.999)
_STEPS = 40


@dataclass(frozen=True, slots=True)
class Change:
    """The share of notes with something to talk about in the earlier and in the later months.

    ``low`` and ``high`` bound the difference (95%, Newcombe's hybrid score interval).
    """

    earlier: Share
    later: Share
    low: float
    high: float

    @property
    def way(self) -> Literal["fewer", "more", ""]:
        """Where it went, or nothing where chance alone could be behind it."""
        return "fewer" if self.high < 0 else "more" if self.low > 0 else ""

    def to_dict(self) -> dict[str, Any]:
        """The change, ready for JSON."""
        return {
            "earlier": self.earlier.to_dict(),
            "later": self.later.to_dict(),
            "low": round(self.low, 4),
            "high": round(self.high, 4),
            "way": self.way,
        }


def change(months: Mapping[str, Group], min_notes: int) -> Change | None:
    """What changed from the first half of the months to the second; nothing where either has too few notes.

    Args:
        months: in the order of time; notes without a month are left aside.
        min_notes: the least for each half.
    """
    dated = [group for month, group in months.items() if month]
    halves = dated[: len(dated) // 2], dated[len(dated) // 2 :]
    notes = [sum(group.notes for group in half) for half in halves]
    flagged = [sum(group.with_individual for group in half) for half in halves]
    if min(notes) < max(1, min_notes):
        return None
    first, then = (wilson(count, total) for count, total in zip(flagged, notes, strict=True))
    middle = then.share - first.share
    below = sqrt((then.share - then.low) ** 2 + (first.high - first.share) ** 2)
    above = sqrt((then.high - then.share) ** 2 + (first.share - first.low) ** 2)
    return Change(first, then, middle - below, middle + above)


class Limits(NamedTuple):
    """Between which shares chance keeps 95% and 99.8% of workers with so many notes."""

    notes: int
    lowest: float
    low: float
    high: float
    highest: float


class Point(NamedTuple):
    """A worker's notes. ``worker`` is "" inside the outer limits: there is nothing to say of anybody there."""

    notes: int
    share: float
    worker: str = ""


@dataclass(frozen=True, slots=True)
class Funnel:
    """The workers of a program beside the limits of chance around the program's share."""

    program: str
    share: float
    points: tuple[Point, ...]
    limits: tuple[Limits, ...]

    @property
    def outside(self) -> list[Point]:
        """The points that chance does not explain, by name."""
        return [point for point in self.points if point.worker]


def funnel(program: str, workers: Mapping[str, tuple[int, int]], min_notes: int) -> Funnel | None:
    """The funnel of a program; nothing where fewer than five workers have enough notes, or all notes are alike.

    Args:
        program: its name.
        workers: of each, in the order in which the outside ones are to be named: notes, and those flagged.
        min_notes: a worker with fewer has no point.
    """
    enough = {name: counts for name, counts in workers.items() if counts[0] >= max(1, min_notes)}
    notes = sum(total for total, _ in enough.values())
    flagged = sum(count for _, count in enough.values())
    if len(enough) < FUNNEL_WORKERS or flagged in (0, notes):
        return None
    share = flagged / notes
    points = []
    for name, (total, count) in enough.items():
        _, lowest, _, _, highest = limits(share, total)
        points.append(Point(total, count / total, "" if lowest <= count / total <= highest else name))
    widest = max(point.notes for point in points)
    first = max(1, min_notes)
    places = sorted({first + round((widest - first) * step / _STEPS) for step in range(_STEPS + 1)})
    # In the order of names, points could be told by it.
    points.sort(key=lambda point: (bool(point.worker), point.worker, point.notes, point.share))
    return Funnel(program, share, tuple(points), tuple(limits(share, place) for place in places))


def limits(share: float, notes: int) -> Limits:
    """The exact binomial limits, interpolated between counts; outside, a share is rarer than the tail says."""
    from scipy.special import bdtrik

    # The count at which the tail below is that rare, and the one at which the tail from there up is.
    counts = [float(bdtrik(tail, notes, share)) + (tail > 0.5) for tail in _TAILS]
    lowest, low, high, highest = (min(1.0, max(0.0, count / notes)) for count in counts)
    return Limits(notes, lowest, low, high, highest)
