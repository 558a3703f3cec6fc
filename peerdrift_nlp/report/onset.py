"""The onset of a phrase: words that many workers begin to use in the same week, and nobody used before.

A new form or a program that writes notes changes everybody's wording at once, and what the notes say with it. Looked
at are runs of five plain words: no digits, no capitalised words (which may be names), no punctuation between. Memory
stays flat: of each worker the notes by week; of at most ``CAPACITY`` runs a count and the first week of at most
``USERS`` workers. Where there are more runs, the rarest are forgotten, so "nobody before" means hardly anybody.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any, NamedTuple

from peerdrift_nlp.report.shared import WORKERS

WORDS = 5
CAPACITY = 50_000
USERS = 64
SHOWN = 5
_WEEKS = 2  # somebody on leave begins with the next one
_SHARE = 0.2  # of the notes from then on: a form or a program repeats itself, a coincidence does not
_LONGEST = 15
_EVER = 10**6
_WORD = r"(?:I|[a-zß-öø-ÿ]+(?:['’][a-z]+)?)(?![\w'’-])"
_RUN = re.compile(rf"(?<![\w'’-]){_WORD}(?:\s+{_WORD}){{{WORDS - 1},}}")


@dataclass(frozen=True, slots=True)
class Onset:
    """A week from which on ``workers`` of ``of_workers`` of a program use the same new wordings.

    ``week`` is its Monday. Only workers who wrote before and after it are counted.
    """

    program: str
    week: date
    workers: int
    of_workers: int
    wordings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The onset, ready for JSON: without the wordings, which are note text."""
        return {
            "program": self.program,
            "week": self.week.isoformat(),
            "workers": self.workers,
            "of_workers": self.of_workers,
            "wordings": len(self.wordings),
        }


class _Worker(NamedTuple):
    program: str
    name: str


class _Run:
    """How many notes hold a run of words, and the first week of each worker who used it."""

    __slots__ = ("first", "notes")

    def __init__(self) -> None:
        self.notes = 0
        self.first: dict[_Worker, int] = {}

    def add(self, worker: _Worker, week: int) -> None:
        self.notes += 1
        if worker in self.first:
            self.first[worker] = min(week, self.first[worker])
        elif len(self.first) < USERS:
            self.first[worker] = week


class _Use(NamedTuple):
    words: str
    place: tuple[str, int]
    workers: int
    of_workers: int


class Onsets:
    """Watches the wording of notes as they pass by, in whatever order."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._runs: dict[str, _Run] = {}
        self._notes: dict[_Worker, Counter[int]] = {}

    def add(self, text: str, *, program: str, worker: str, day: str) -> None:
        """Read one note of a worker; one without an ISO date is left aside."""
        try:
            week = (date.fromisoformat(day[:10]).toordinal() - 1) // 7
        except ValueError:
            return
        who = _Worker(program, worker)
        self._notes.setdefault(who, Counter())[week] += 1
        for words in _runs(text):
            run = self._runs.get(words)
            if run is None:
                run = self._runs[words] = _Run()
            run.add(who, week)
        if len(self._runs) > self._capacity:
            self._forget()

    def found(self, min_notes: int) -> list[Onset]:
        """The weeks with new wordings, in the order of time.

        Args:
            min_notes: the least notes before the week that do not have the wording.
        """
        there: dict[tuple[str, int], set[_Worker]] = {}
        uses = sorted(
            (use for words, run in self._runs.items() for use in self._uses(words, run, there, min_notes)),
            key=lambda use: (use.place[1], use.place[0]),
        )
        onsets = []
        for (program, week), together in groupby(uses, key=lambda use: use.place):
            group = list(together)
            most = max(group, key=lambda use: use.workers)
            wordings = tuple(_joined(use.words for use in group)[:SHOWN])
            onsets.append(Onset(program, date.fromordinal(week * 7 + 1), most.workers, most.of_workers, wordings))
        return onsets

    def _uses(
        self, words: str, run: _Run, there: dict[tuple[str, int], set[_Worker]], min_notes: int
    ) -> Iterator[_Use]:
        """In which programs a run of words came up at once; ``there`` remembers who wrote when."""
        if len(run.first) < WORKERS:
            return
        for program, count in Counter(who.program for who in run.first).items():
            if count < WORKERS:
                continue
            first = {who: week for who, week in run.first.items() if who.program == program}
            place = program, min(first.values())
            if place not in there:
                there[place] = self._there(*place)
            users = [who for who, week in first.items() if week < place[1] + _WEEKS and who in there[place]]
            if len(users) < max(WORKERS, min(USERS, len(there[place])) / 2):
                continue
            before = sum(self._wrote(who, 0, place[1]) for who in users)
            since = sum(self._wrote(who, place[1], _EVER) for who in users)
            if before >= min_notes and run.notes >= since * _SHARE:
                yield _Use(words, place, len(users), len(there[place]))

    def _there(self, program: str, week: int) -> set[_Worker]:
        """Who of a program wrote before a week, and in it or the next."""
        return {
            who
            for who, weeks in self._notes.items()
            if who.program == program and min(weeks) < week and self._wrote(who, week, week + _WEEKS)
        }

    def _wrote(self, who: _Worker, start: int, stop: int) -> int:
        return sum(count for week, count in self._notes[who].items() if start <= week < stop)

    def _forget(self) -> None:
        """Keep the more frequent half."""
        counts = sorted(run.notes for run in self._runs.values())
        bar = counts[len(counts) // 2]
        self._runs = {words: run for words, run in self._runs.items() if run.notes > bar}


def _runs(text: str) -> set[str]:
    """The runs of five plain words in a text."""
    found: set[str] = set()
    for match in _RUN.finditer(text):
        words = match[0].split()
        found.update(" ".join(words[at : at + WORDS]) for at in range(len(words) - WORDS + 1))
    return found


def _joined(runs: Iterable[str]) -> list[str]:
    """Runs that overlap in all but one word as one longer wording, the longest first."""
    left = set(runs)
    after: dict[str, str] = {}
    for words in sorted(left):
        after.setdefault(words.rpartition(" ")[0], words)
    tails = {words.partition(" ")[2] for words in left}
    begins = [words for words in sorted(left) if words.rpartition(" ")[0] not in tails]
    joined = []
    for words in (*begins, *sorted(left)):
        if words in left:
            joined.append(" ".join(_chain(words, after, left)))
    return sorted(joined, key=lambda wording: (-len(wording), wording))


def _chain(words: str, after: dict[str, str], left: set[str]) -> Iterator[str]:
    left.discard(words)
    yield words
    length = WORDS
    while (follower := after.get(words.partition(" ")[2])) in left and length < _LONGEST:
        assert follower
        left.discard(follower)
        yield follower.rpartition(" ")[2]
        words, length = follower, length + 1
