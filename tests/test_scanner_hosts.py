"""A scanner in a host: the same in any order and on any worker, stopped when asked, bounded."""

from __future__ import annotations

import asyncio
import itertools
import pickle
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peerdrift_nlp import scanner as scanner_module
from peerdrift_nlp.errors import UsageError
from peerdrift_nlp.rules.engine import RuleEngine
from peerdrift_nlp.scanner import Scanner
from peerdrift_nlp.types import Note, NoteReport

TEXTS = (
    "I drove her to Walmart and back.",
    "Counted her pills and told her to take them. She chose the library.",
    "",
    "D: Front desk had me do the filing.\nA: He was low. I listened.\nP: meet Friday",
    "\U0001f600 Prayed over him, he hadn't asked.",
    "x" * 3_000,
    "He said his doctor raised his dose. Lent him $20.",
    "I'm no doctor, but that sounds like bipolar to me.",
)
NOTES = [Note(str(number), text, {"worker": f"w{number}"}) for number, text in enumerate(TEXTS)]


@pytest.fixture(scope="module")
def small() -> Scanner:
    """A scanner that takes notes of 1,000 characters at most."""
    return Scanner(model="fast", max_chars=1_000)


@pytest.fixture(scope="module")
def alone(small: Scanner) -> dict[str, NoteReport]:
    """Every note in a scanner that has read nothing else."""
    return {
        note.note_id: pickle.loads(pickle.dumps(small)).scan(note.text, note_id=note.note_id, **note.meta)
        for note in NOTES
    }


@pytest.fixture(scope="module")
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as threads:
        yield threads


@settings(deadline=None, max_examples=25)
@given(notes=st.lists(st.sampled_from(NOTES), max_size=12))
def test_any_order_in_a_batch_or_on_threads_gives_the_same(
    small: Scanner, alone: dict[str, NoteReport], pool: ThreadPoolExecutor, notes: list[Note]
) -> None:
    expected = [alone[note.note_id] for note in notes]
    assert list(small.scan_many(notes)) == expected
    single = pool.map(lambda note: small.scan(note.text, note_id=note.note_id, **note.meta), notes)
    parts = pool.map(lambda part: list(small.scan_many(part)), (notes[:5], notes[5:]))
    assert list(single) == expected
    assert [report for part in parts for report in part] == expected


def test_processes_give_the_same_whatever_the_order(small: Scanner, alone: dict[str, NoteReport]) -> None:
    for notes in (NOTES[::-1] * 80, NOTES):
        assert list(small.scan_many(notes, jobs=2)) == [alone[note.note_id] for note in notes]


def test_an_event_loop_is_free_while_a_note_is_scanned(small: Scanner, alone: dict[str, NoteReport]) -> None:
    async def handle() -> list[NoteReport]:
        tasks = [asyncio.to_thread(small.scan, note.text, note_id=note.note_id, **note.meta) for note in NOTES[:2]]
        return await asyncio.gather(*tasks)

    assert asyncio.run(handle()) == [alone[note.note_id] for note in NOTES[:2]]


# ---------------------------------------------------------------------------------------- stopped when asked


@pytest.mark.parametrize("jobs", [1, 2])
def test_closing_stops_the_work(small: Scanner, jobs: int) -> None:
    taken: list[int] = []

    def endless() -> Iterator[Note]:
        try:
            for number in itertools.count():
                taken.append(number)
                yield Note(str(number), "")
        finally:
            taken.append(-1)

    threads = threading.active_count()
    reports = small.scan_many(endless(), jobs=jobs)
    assert next(reports).note_id == "0"
    reports.close()
    assert taken[-1] == -1 and len(taken) < 5_000
    assert list(reports) == []
    if jobs == 1:
        assert threading.active_count() == threads


def test_what_breaks_off_a_loop_stops_the_work(small: Scanner) -> None:
    taken: list[str] = []

    def source() -> Iterator[Note]:
        for note in itertools.cycle(NOTES):
            taken.append(note.note_id)
            yield note

    for _report in small.scan_many(source()):
        break
    assert len(taken) < 1_000


# ---------------------------------------------------------------------------------------- bounded


def test_the_size_limit_is_the_hosts_to_set(small: Scanner) -> None:
    within, beyond = small.scan("x" * 1_000), small.scan("x" * 1_001, note_id="long", worker="w")
    assert (within.status, beyond.status) == ("complete", "failed")
    assert beyond.problems == ("longer than 1,000 characters; split it into its notes",)
    assert (beyond.note_id, dict(beyond.meta)) == ("long", {"worker": "w"})
    with pytest.raises(UsageError, match="longer than 1,000 characters"):
        small.explain("x" * 1_001)
    assert Scanner(model="fast", max_chars=1_001).scan("x" * 1_001).status == "complete"


def test_the_size_limit_goes_along_to_other_processes(small: Scanner) -> None:
    assert pickle.loads(pickle.dumps(small)).max_chars == 1_000
    assert [report.status for report in small.scan_many([("a", "x" * 1_001)], jobs=2)] == ["failed"]


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_that_lets_nothing_through_is_refused(limit: int) -> None:
    with pytest.raises(UsageError, match=rf"max_chars is {limit}; the shortest limit is 1"):
        Scanner(model="fast", max_chars=limit)


# ---------------------------------------------------------------------------------------- in time


class Clock:
    """A clock that goes on by a second whenever somebody looks at it."""

    def __init__(self) -> None:
        self.looks = 0

    def __call__(self) -> float:
        self.looks += 1
        return float(self.looks)


def test_with_time_enough_a_limit_changes_nothing(alone: dict[str, NoteReport]) -> None:
    patient = Scanner(model="fast", max_chars=1_000, max_seconds=600)
    assert list(patient.scan_many(NOTES)) == [alone[note.note_id] for note in NOTES]
    assert pickle.loads(pickle.dumps(patient)).max_seconds == 600


def test_a_note_that_takes_too_long_fails_and_the_next_has_its_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr("time.monotonic", clock)
    hasty = Scanner(max_seconds=10)
    quick = Note("quick", "She chose the library.")
    # Its 30 sentences are each in doubt, and the clock is looked at before each second reading.
    slow = Note(
        "slow",
        "\n".join(f"Sat with {name} while the letter was read." for name in map(str, range(30))),
        {"worker": "w"},
    )
    reports = list(hasty.scan_many([quick, slow, quick]))
    assert [report.status for report in reports] == ["complete", "failed", "complete"]
    assert reports[1].problems == ("took longer than 10 seconds; split it, or raise max_seconds",)
    assert (reports[1].note_id, dict(reports[1].meta), reports[1].findings) == ("slow", {"worker": "w"}, ())
    assert clock.looks < 40
    # Without a limit nobody looks at a clock that could stop the work.
    assert hasty.explain(slow.text)[0].status == "complete"


def test_the_time_of_a_note_begins_when_its_thread_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr("time.monotonic", clock)
    make = scanner_module.RuleEngine

    def slowly(*arguments: Any) -> RuleEngine:
        clock.looks += 1_000
        return make(*arguments)

    monkeypatch.setattr(scanner_module, "RuleEngine", slowly)
    assert Scanner(model="fast", max_seconds=100).scan("She chose the library.").status == "complete"


@pytest.mark.parametrize("limit", [0, -1.5, float("nan")])
def test_no_time_at_all_is_refused(limit: float) -> None:
    with pytest.raises(UsageError, match="max_seconds is .*; give seconds above 0, or None for no limit"):
        Scanner(model="fast", max_seconds=limit)
