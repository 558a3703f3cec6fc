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

import numpy as np
from numpy.typing import NDArray

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


class _Numbers(dict[Any, int]):
    """Whatever is asked for gets the next number, from 0, and keeps it."""

    def __missing__(self, key: Any) -> int:
        number = self[key] = len(self)
        return number


class _Uses:
    """Of each run of words, by number: how many notes hold it, and the first week of each worker who used it.

    A table and no objects, for there are millions of first weeks: rows are runs, places are workers in the order in
    which they came, by number from 1; 0 is a free place.
    """

    def __init__(self, runs: int) -> None:
        self.notes = np.zeros(runs, dtype=np.int32)
        self.users = np.zeros(runs, dtype=np.int32)
        self._worker = np.zeros((runs, USERS), dtype=np.int32)
        self._week = np.zeros((runs, USERS), dtype=np.int32)

    def add(self, runs: NDArray[np.int64], worker: int, week: int) -> None:
        """Count a note that holds each of these runs."""
        self._make_room(int(runs.max(initial=-1)) + 1)
        self.notes[runs] += 1
        known, places = (self._worker[runs] == worker + 1).nonzero()
        at = runs[known], places
        self._week[at] = np.minimum(self._week[at], week)
        is_new = self.users[runs] < USERS
        is_new[known] = False
        new = runs[is_new]
        at = new, self.users[new]
        self._worker[at], self._week[at] = worker + 1, week
        self.users[new] += 1

    def first(self, run: int) -> Iterator[tuple[int, int]]:
        """Each worker who used a run, with the first week."""
        users = self.users[run]
        return zip((self._worker[run, :users] - 1).tolist(), self._week[run, :users].tolist(), strict=True)

    def keep(self, runs: NDArray[np.integer]) -> None:
        """Forget all other runs; these are numbered anew, in their order."""
        for column in (self.notes, self.users, self._worker, self._week):
            column[: len(runs)] = column[runs]
            column[len(runs) :] = 0

    def _make_room(self, runs: int) -> None:
        if runs > len(self.notes):
            for column in (self.notes, self.users, self._worker, self._week):
                column.resize((runs, *column.shape[1:]), refcheck=False)


class _Use(NamedTuple):
    words: str
    place: tuple[str, int]
    workers: int
    of_workers: int


class Onsets:
    """Watches the wording of notes as they pass by, in whatever order."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._runs = _Numbers()
        self._uses = _Uses(capacity)
        self._workers = _Numbers()
        self._notes: dict[_Worker, Counter[int]] = {}

    def add(self, text: str, *, program: str, worker: str, day: str) -> None:
        """Read one note of a worker; one without an ISO date is left aside."""
        try:
            week = (date.fromisoformat(day[:10]).toordinal() - 1) // 7
        except ValueError:
            return
        who = _Worker(program, worker)
        self._notes.setdefault(who, Counter())[week] += 1
        runs = np.array([self._runs[words] for words in _runs(text)], dtype=np.int64)
        self._uses.add(runs, self._workers[who], week)
        if len(self._runs) > self._capacity:
            self._forget()

    def found(self, min_notes: int) -> list[Onset]:
        """The weeks with new wordings, in the order of time.

        Args:
            min_notes: the least notes before the week that do not have the wording.
        """
        there: dict[tuple[str, int], set[_Worker]] = {}
        uses = sorted(
            (use for run in self._shared_runs() for use in self._onset_of(*run, there, min_notes)),
            key=lambda use: (use.place[1], use.place[0]),
        )
        onsets = []
        for (program, week), together in groupby(uses, key=lambda use: use.place):
            group = list(together)
            most = max(group, key=lambda use: use.workers)
            wordings = tuple(_joined(use.words for use in group)[:SHOWN])
            onsets.append(Onset(program, date.fromordinal(week * 7 + 1), most.workers, most.of_workers, wordings))
        return onsets

    def _shared_runs(self) -> Iterator[tuple[str, int, dict[_Worker, int]]]:
        """The runs of words of several workers: how many notes hold them, and the first week of each worker."""
        workers = list(self._workers)
        for words, run in self._runs.items():
            if self._uses.users[run] >= WORKERS:
                first = {workers[number]: week for number, week in self._uses.first(run)}
                yield words, int(self._uses.notes[run]), first

    def _onset_of(
        self,
        words: str,
        notes: int,
        by_worker: dict[_Worker, int],
        there: dict[tuple[str, int], set[_Worker]],
        min_notes: int,
    ) -> Iterator[_Use]:
        """In which programs a run of words came up at once; ``there`` remembers who wrote when."""
        for program, count in Counter(who.program for who in by_worker).items():
            if count < WORKERS:
                continue
            first = {who: week for who, week in by_worker.items() if who.program == program}
            place = program, min(first.values())
            if place not in there:
                there[place] = self._there(*place)
            users = [who for who, week in first.items() if week < place[1] + _WEEKS and who in there[place]]
            if len(users) < max(WORKERS, min(USERS, len(there[place])) / 2):
                continue
            before = sum(self._wrote(who, 0, place[1]) for who in users)
            since = sum(self._wrote(who, place[1], _EVER) for who in users)
            if before >= min_notes and notes >= since * _SHARE:
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
        counts = self._uses.notes[: len(self._runs)]
        kept = (counts > np.sort(counts)[len(counts) // 2]).nonzero()[0]
        words = list(self._runs)
        self._runs = _Numbers((words[run], number) for number, run in enumerate(kept.tolist()))
        self._uses.keep(kept)


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
