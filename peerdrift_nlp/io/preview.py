"""What an export holds, before anything is scored: who wrote, what is left out, and what looks odd.

Nothing here holds note text: ids, places and counts only.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from statistics import median

from peerdrift_nlp.errors import NoteReadError
from peerdrift_nlp.io.copies import CopyFinder
from peerdrift_nlp.io.readers import META, Export, Item, Skipped
from peerdrift_nlp.io.select import select
from peerdrift_nlp.types import Note

CUT_LENGTHS = (255, 4000, 32_767)
"""The lengths at which databases and Excel cut a text."""

_SAME_LENGTH = 3
_LONG = 200
_LEAST_ENGLISH = 0.15
_FEWEST_WORDS = 20
_WORD = re.compile(r"[^\W\d_]+")
_ENGLISH = frozenset(
    """
    a about after all also an and any are as at back be been because before but by can could day did do for from get go
    had has have he her him his how i if in into is it its just me more my no not of off on one or our out over said she
    so some than that the their them then there they this time to today told up us was we went were what when which who
    will with would you
    """.split()
)


@dataclass(frozen=True, slots=True)
class Preview:
    """What was found. ``notes`` are those that would be scanned; the lists of suspects hold note ids.

    ``roles`` and ``statuses`` count all notes that have one, those left out too. ``lengths`` are the least, the middle
    and the most of the plain text; ``truncated`` is by the length of the cell, markup included.
    ``copies`` and ``near_copies`` are pairs of a note and the earlier one that it copies.
    """

    notes: int
    skipped: dict[str, int]
    unreadable: list[NoteReadError]
    roles: dict[str, int]
    statuses: dict[str, int]
    lengths: tuple[int, int, int]
    truncated: dict[int, list[str]]
    copies: list[tuple[str, str]]
    near_copies: list[tuple[str, str]]
    spilled: list[str]
    foreign: list[str]


@dataclass(slots=True)
class _Counts:
    """The roles and statuses of all notes that pass through."""

    roles: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)

    def watch(self, items: Iterable[Item]) -> Iterator[Item]:
        for item in items:
            if isinstance(item, Note):
                self.roles.update([item.meta["role"]] if "role" in item.meta else [])
                self.statuses.update([item.meta["status"]] if "status" in item.meta else [])
            yield item


def preview(
    export: Export, *, roles: Iterable[str] | None = None, keep_statuses: Iterable[str] | None = None
) -> Preview:
    """Read all of an export and say what is in it.

    Args:
        export: an opened export.
        roles: as for ``select``.
        keep_statuses: as for ``select``.
    """
    counts = _Counts()
    skipped: Counter[str] = Counter()
    unreadable: list[NoteReadError] = []
    lengths: dict[str, int] = {}
    cells: dict[str, int] = {}
    spilled, foreign = [], []
    copies: dict[bool, list[tuple[str, str]]] = {True: [], False: []}
    finder = CopyFinder()
    for item in select(counts.watch(_measured(export, cells)), roles=roles, keep_statuses=keep_statuses):
        if isinstance(item, Skipped):
            skipped[item.why] += 1
        elif isinstance(item, NoteReadError):
            unreadable.append(item)
        else:
            lengths[item.note_id] = len(item.text)
            if _is_spilled(item, export):
                spilled.append(item.note_id)
            if not is_english(item.text):
                foreign.append(item.note_id)
            if found := finder.add(item.note_id, item.text):
                original, whole = found
                copies[whole].append((item.note_id, original))
    sizes = lengths.values()
    return Preview(
        notes=len(lengths),
        skipped=dict(skipped.most_common()),
        unreadable=unreadable,
        roles=dict(counts.roles.most_common()),
        statuses=dict(counts.statuses.most_common()),
        lengths=(min(sizes, default=0), int(median(sizes or [0])), max(sizes, default=0)),
        truncated=_truncated({note_id: cells[note_id] for note_id in lengths}),
        copies=copies[True],
        near_copies=copies[False],
        spilled=spilled,
        foreign=foreign,
    )


def _measured(export: Export, cells: dict[str, int]) -> Iterator[Item]:
    """The items of an export; ``cells`` gets the length of each note's longest cell."""
    for item, length in export.measured():
        if isinstance(item, Note):
            cells[item.note_id] = length
        yield item


def _truncated(lengths: dict[str, int]) -> dict[int, list[str]]:
    """The notes of a length at which systems cut, and those of the longest length where several have it."""
    by_length: dict[int, list[str]] = {}
    for note_id, length in lengths.items():
        by_length.setdefault(length, []).append(note_id)
    longest = max(by_length, default=0)
    return {
        length: ids
        for length, ids in sorted(by_length.items())
        if length in CUT_LENGTHS or (length == longest >= _LONG and len(ids) >= _SAME_LENGTH)
    }


def _is_spilled(note: Note, export: Export) -> bool:
    """Whether a row has text and nothing else, in an export that has an id and more for each note."""
    others = [name for name in META if name in export.columns]
    return "note_id" in export.columns and bool(others) and not note.meta and note.note_id.startswith("row ")


def is_english(text: str) -> bool:
    """Whether a note of twenty words or more has at least 15% of the commonest English words.

    A shorter one counts as English. A guess: it tells a note in another language, not a few sentences in one.
    """
    words = _WORD.findall(text.casefold())
    return len(words) < _FEWEST_WORDS or sum(word in _ENGLISH for word in words) >= _LEAST_ENGLISH * len(words)
