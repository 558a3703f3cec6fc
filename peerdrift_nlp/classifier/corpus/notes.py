"""Labelled notes: a text and its hand-made sentences with their labels.

What was not labelled is not clean: a sentence of kind ``unread`` is one that nobody judged, and ``unjudged`` names
the labels that nobody judged in a sentence that was read. Training and evaluation learn and conclude nothing there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from peerdrift_nlp.errors import Problem
from peerdrift_nlp.taxonomy import DRIFT_LABELS, LABELS, ROLE_CONSISTENT, taxonomy
from peerdrift_nlp.text.fold import fold
from peerdrift_nlp.types import Sentence

_KINDS = ("sentence", "header", "unread")


@dataclass(frozen=True, slots=True)
class LabelledSentence:
    """One unit of a labelled note. ``severity`` maps each indicator to 1, 2 or 3.

    ``unrefined`` are labels that stand without saying which of their indicators or practices it is. ``unjudged`` are
    labels of which nothing is known beyond the indicators and practices that are named.
    """

    start: int
    end: int
    kind: Literal["sentence", "header", "unread"] = "sentence"
    severity: Mapping[str, int] = field(default_factory=dict)
    practices: tuple[str, ...] = ()
    look_alike: str = ""
    decoy: bool = False
    annotators: tuple[str, ...] = ("writer",)
    unrefined: tuple[str, ...] = ()
    unjudged: tuple[str, ...] = ()

    @property
    def indicators(self) -> tuple[str, ...]:
        """The drift indicators, in codebook order."""
        return tuple(name for name in taxonomy().indicators if name in self.severity)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that stand, most of them by their (known) indicators and practices, in codebook order."""
        found = {*self.unrefined, *(name.partition(".")[0] for name in self.indicators)}
        if not taxonomy().practices.keys().isdisjoint(self.practices):
            found.add(ROLE_CONSISTENT)
        return tuple(label for label in LABELS if label in found)

    @property
    def drifts(self) -> bool:
        """Whether a drift label stands; ``organizational`` alone is none."""
        return any(label in DRIFT_LABELS for label in self.labels)

    @property
    def outputs(self) -> frozenset[str]:
        """Labels, indicators and ``role_consistent.<practice>``: what a model learns."""
        practices = (f"{ROLE_CONSISTENT}.{practice}" for practice in self.practices)
        return frozenset((*self.labels, *self.indicators, *practices))

    @property
    def unknown(self) -> frozenset[str]:
        """The outputs of which nobody has said whether they stand."""
        if not self.unjudged and not self.unrefined:
            return frozenset()
        codebook = taxonomy()
        parts = (*codebook.indicators, *(f"{ROLE_CONSISTENT}.{practice}" for practice in codebook.practices))
        vague = {*self.unjudged, *self.unrefined}
        return frozenset((*self.unjudged, *(name for name in parts if name.partition(".")[0] in vague))) - self.outputs

    def to_dict(self) -> dict[str, Any]:
        """The sentence in the form of the corpus files."""
        partly = {"unrefined": list(self.unrefined), "unjudged": list(self.unjudged)}
        return {
            "start": self.start,
            "end": self.end,
            "kind": self.kind,
            "labels": list(self.labels),
            "indicators": list(self.indicators),
            "severity": dict(self.severity),
            "practices": list(self.practices),
            "look_alike": self.look_alike or None,
            "decoy": self.decoy,
            "annotators": list(self.annotators),
            **{key: names for key, names in partly.items() if names},
        }


@dataclass(frozen=True, slots=True)
class LabelledNote:
    """A note with labelled sentences. ``meta`` holds what else its header line said."""

    note_id: str
    voice: str
    text: str
    sentences: tuple[LabelledSentence, ...]
    setting: str = ""
    format: str = ""
    meta: Mapping[str, str] = field(default_factory=dict)

    @property
    def drifts(self) -> bool:
        """Whether any sentence does."""
        return any(unit.drifts for unit in self.sentences)

    def spans(self) -> list[Sentence]:
        """The hand-made units as the engine's sentences."""
        return [
            Sentence(unit.start, unit.end, "heading" if unit.kind == "header" else "sentence")
            for unit in self.sentences
        ]

    def to_dict(self) -> dict[str, Any]:
        """The note in the form of the corpus files."""
        return {
            "note_id": self.note_id,
            "voice": self.voice,
            "setting": self.setting,
            "format": self.format,
            "text": self.text,
            "sentences": [sentence.to_dict() for sentence in self.sentences],
        }

    def to_json(self) -> str:
        """The note as one line of its voice's file."""
        return json.dumps(self.to_dict(), ensure_ascii=False)


def check_notes(notes: Iterable[LabelledNote]) -> Iterator[Problem]:
    """What is wrong with offsets, names and labels of notes."""
    codebook = taxonomy()
    seen: set[str] = set()
    for note in notes:
        where = f"{note.voice}/{note.note_id}"
        if note.note_id in seen:
            yield Problem(where, 0, "this note id stands twice")
        seen.add(note.note_id)
        reached = 0
        for number, unit in enumerate(note.sentences, 1):
            if not reached <= unit.start < unit.end <= len(note.text):
                yield Problem(where, number, f"sentence span {unit.start}-{unit.end} is out of order or range")
            elif fold(note.text[reached : unit.start]).strip():
                yield Problem(where, number, "text before this sentence belongs to no sentence")
            reached = unit.end
            if unit.kind not in _KINDS:
                yield Problem(where, number, f"unknown kind {unit.kind!r}; use {', '.join(_KINDS)}")
            for name in sorted(unit.severity.keys() - codebook.indicators.keys()):
                yield Problem(where, number, f"unknown indicator {name!r}")
            for name, level in unit.severity.items():
                if type(level) is not int or level not in (1, 2, 3):
                    yield Problem(where, number, f"the severity of {name!r} must be 1, 2 or 3")
            for name in sorted(set(unit.practices) - codebook.practices.keys()):
                yield Problem(where, number, f"unknown practice {name!r}")
            if unit.look_alike and unit.look_alike not in codebook.reasons:
                yield Problem(where, number, f"unknown look-alike reason {unit.look_alike!r}")
            drift = [name for name in (*unit.severity, *unit.unrefined) if name.partition(".")[0] in DRIFT_LABELS]
            if unit.look_alike and drift:
                yield Problem(where, number, "a look-alike reason beside a drift label")
            if unit.decoy and not unit.severity:
                yield Problem(where, number, "a decoy without an indicator")
            for name in sorted({*unit.unrefined, *unit.unjudged} - set(LABELS)):
                yield Problem(where, number, f"unknown label {name!r}")
            if unit.kind == "unread" and (unit.labels or unit.look_alike):
                yield Problem(where, number, "labels in a sentence that is said to be unread")
        if fold(note.text[reached:]).strip():
            yield Problem(where, len(note.sentences), "text after the last sentence belongs to no sentence")
