"""Contrast pairs: two texts alike on the surface that differ in the one thing that decides."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from peerdrift_nlp.classifier.corpus.notes import LabelledNote, check_notes
from peerdrift_nlp.errors import Problem

DIFFERENCES = ("actor", "voice", "status", "wish", "purpose", "policy", "safety", "label")
"""What decides: one of the codebook's tests, or which label it is."""

_BALANCED = (0.45, 0.55)
_ENOUGH_TO_TELL = 100


@dataclass(frozen=True, slots=True)
class ContrastPair:
    """Two short labelled texts, and which of ``DIFFERENCES`` sets them apart."""

    pair_id: str
    voice: str
    differs: str
    members: tuple[LabelledNote, LabelledNote]

    @property
    def sides(self) -> tuple[LabelledNote, LabelledNote] | None:
        """The flagged member and the harmless one; None where both are flagged, by other indicators."""
        first, second = self.members
        if _is_flagged(first) == _is_flagged(second):
            # Beside an organizational label the drift labels tell the sides apart.
            if first.drifts == second.drifts:
                return None
            return (first, second) if first.drifts else (second, first)
        return (first, second) if _is_flagged(first) else (second, first)

    def to_json(self) -> str:
        """The pair as one line of its voice's file."""
        record: dict[str, Any] = {
            "pair_id": self.pair_id,
            "voice": self.voice,
            "differs": self.differs,
            "members": [member.to_dict() for member in self.members],
        }
        return json.dumps(record, ensure_ascii=False)


class Balance(NamedTuple):
    """How often, of the pairs with two sides, the flagged member is the longer one and the first one.

    Equally long members count half.
    """

    pairs: int
    longer: float
    first: float


def balance(pairs: Iterable[ContrastPair]) -> Balance:
    """Whether length or order could give the answer away: both shares should be near one half."""
    longer, first = [], []
    for pair in pairs:
        if pair.sides:
            flagged, harmless = (len(side.text) for side in pair.sides)
            longer.append((flagged > harmless) + (flagged == harmless) / 2)
            first.append(pair.sides[0] is pair.members[0])
    count = max(1, len(longer))
    return Balance(len(longer), sum(longer) / count, sum(first) / count)


def check_pairs(pairs: Iterable[ContrastPair]) -> Iterator[Problem]:
    """What is wrong with the ids, differences and labels of pairs."""
    pairs = list(pairs)
    seen: set[str] = set()
    for pair in pairs:
        where = f"{pair.voice}/{pair.pair_id}"
        if pair.pair_id in seen:
            yield Problem(where, 0, "this pair id stands twice")
        seen.add(pair.pair_id)
        if pair.differs not in DIFFERENCES:
            yield Problem(where, 0, f"unknown difference {pair.differs!r}; use one of {', '.join(DIFFERENCES)}")
        first, second = ({name for unit in member.sentences for name in unit.severity} for member in pair.members)
        if first == second:
            yield Problem(where, 0, "both members carry the same indicators; nothing sets them apart")
    yield from check_notes(member for pair in pairs for member in pair.members)


def check_balance(pairs: Iterable[ContrastPair]) -> Iterator[Problem]:
    """Whether length or order gives the answer away, once there are enough pairs to tell."""
    found = balance(pairs)
    for share, what in ((found.longer, "longer"), (found.first, "first")):
        if found.pairs >= _ENOUGH_TO_TELL and not _BALANCED[0] <= share <= _BALANCED[1]:
            yield Problem("pairs", 0, f"the flagged member is the {what} one in {share:.0%}; must be 45% to 55%")


def _is_flagged(member: LabelledNote) -> bool:
    return any(unit.severity for unit in member.sentences)
