"""Labelled notes: the corpus format, how it is read, written by hand, and checked.

One JSON object a line, one file a voice, in ``notes/<voice>.jsonl``::

    {"note_id", "voice", "setting", "format", "text",
     "sentences": [{"start", "end", "kind", "labels", "indicators", "severity", "practices",
                    "look_alike", "decoy", "annotators"}]}

``splits.json`` beside the folder says which voices are train, dev and test.

Notes are *written* with a mark after every sentence (``parse_marked``)::

    === W01a-001 | setting: clubhouse | format: dap
    D:{h} Met for 40 min.{} Reminded her to take her pills.{clinical.medication/2}
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

from peerdrift_nlp.errors import CorpusError, Problem
from peerdrift_nlp.taxonomy import LABELS, ROLE_CONSISTENT, taxonomy
from peerdrift_nlp.types import Sentence

Split = Literal["train", "dev", "test"]
SPLITS: tuple[Split, ...] = ("train", "dev", "test")

_HEADER = "=== "
_LIKE_A_HEADER = re.compile(r"===(?!=)")
_MARK = re.compile(r"\{([^{}]*)\}")
_INDICATOR_TAG = re.compile(r"([a-z_.]+)/([123])")
_KINDS = ("sentence", "header")
_UNREADABLE = (OSError, ValueError, RecursionError)
_PLAIN = {str: "text", int: "a whole number", bool: "true or false", list: "a list", dict: "an object"}

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class LabelledSentence:
    """One unit of a labelled note. ``severity`` maps each indicator to 1, 2 or 3."""

    start: int
    end: int
    kind: Literal["sentence", "header"] = "sentence"
    severity: Mapping[str, int] = field(default_factory=dict)
    practices: tuple[str, ...] = ()
    look_alike: str = ""
    decoy: bool = False
    annotators: tuple[str, ...] = ("writer",)

    @property
    def indicators(self) -> tuple[str, ...]:
        """The drift indicators, in codebook order."""
        return tuple(name for name in taxonomy().indicators if name in self.severity)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that the (known) indicators and practices refine, in codebook order."""
        found = {name.partition(".")[0] for name in self.indicators}
        if not taxonomy().practices.keys().isdisjoint(self.practices):
            found.add(ROLE_CONSISTENT)
        return tuple(label for label in LABELS if label in found)

    @property
    def outputs(self) -> frozenset[str]:
        """Labels, indicators and ``role_consistent.<practice>``: what a model learns."""
        practices = (f"{ROLE_CONSISTENT}.{practice}" for practice in self.practices)
        return frozenset((*self.labels, *self.indicators, *practices))

    def to_dict(self) -> dict[str, Any]:
        """The sentence in the form of the corpus files."""
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

    def spans(self) -> list[Sentence]:
        """The hand-made units as the engine's sentences."""
        return [
            Sentence(unit.start, unit.end, "heading" if unit.kind == "header" else "sentence")
            for unit in self.sentences
        ]

    def to_json(self) -> str:
        """The note as one line of its voice's file."""
        record = {
            "note_id": self.note_id,
            "voice": self.voice,
            "setting": self.setting,
            "format": self.format,
            "text": self.text,
            "sentences": [sentence.to_dict() for sentence in self.sentences],
        }
        return json.dumps(record, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Corpus:
    """All labelled notes and the split of each voice."""

    notes: tuple[LabelledNote, ...]
    split_of: Mapping[str, Split]

    def part(self, *splits: Split) -> list[LabelledNote]:
        """The notes of some splits, in a fixed order."""
        return [note for note in self.notes if self.split_of[note.voice] in splits]


def read_corpus(folder: Path) -> Corpus:
    """Read ``folder/notes/*.jsonl`` and ``folder/splits.json``.

    Raises:
        CorpusError: everything that does not hold together, with file and line.
    """
    problems: list[Problem] = []
    notes: list[LabelledNote] = []
    for path in sorted((folder / "notes").glob("*.jsonl")):
        try:
            notes.extend(_read_notes(path, problems))
        except OSError as error:
            problems.append(Problem(path.name, 0, f"cannot be read ({error.strerror})"))
    split_of = _read_splits(folder / "splits.json", problems)
    for voice in sorted({note.voice for note in notes} - split_of.keys()):
        problems.append(Problem("splits.json", 1, f"voice {voice!r} is in no split"))
    problems.extend(check_notes(notes))
    if not notes:
        problems.append(Problem(str(folder), 0, "holds no notes (expected notes/<voice>.jsonl)"))
    if problems:
        raise CorpusError(problems)
    return Corpus(tuple(notes), split_of)


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
            elif note.text[reached : unit.start].strip():
                yield Problem(where, number, "text before this sentence belongs to no sentence")
            reached = unit.end
            if unit.kind not in _KINDS:
                yield Problem(where, number, f"unknown kind {unit.kind!r}; use {' or '.join(_KINDS)}")
            for name in sorted(unit.severity.keys() - codebook.indicators.keys()):
                yield Problem(where, number, f"unknown indicator {name!r}")
            for name, level in unit.severity.items():
                if type(level) is not int or level not in (1, 2, 3):
                    yield Problem(where, number, f"the severity of {name!r} must be 1, 2 or 3")
            for name in sorted(set(unit.practices) - codebook.practices.keys()):
                yield Problem(where, number, f"unknown practice {name!r}")
            if unit.look_alike and unit.look_alike not in codebook.reasons:
                yield Problem(where, number, f"unknown look-alike reason {unit.look_alike!r}")
            drift = [name for name in unit.severity if not name.startswith("organizational")]
            if unit.look_alike and drift:
                yield Problem(where, number, "a look-alike reason beside a drift label")
            if unit.decoy and not unit.severity:
                yield Problem(where, number, "a decoy without an indicator")
        if note.text[reached:].strip():
            yield Problem(where, len(note.sentences), "text after the last sentence belongs to no sentence")


def _read_notes(path: Path, problems: list[Problem]) -> list[LabelledNote]:
    notes: list[LabelledNote] = []
    # As bytes, because a line ends at "\n" alone: a note may hold any other line break.
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                record = json.loads(line.decode("utf-8"))
                notes.append(_note(record))
            except _UNREADABLE as error:
                problems.append(Problem(path.name, number, f"is not a labelled note: {error}"))
            else:
                problems.extend(Problem(path.name, number, what) for what in _contradictions(record, notes[-1]))
    return notes


def _read_splits(path: Path, problems: list[Problem]) -> dict[str, Split]:
    try:
        data = json.loads(path.read_bytes().decode("utf-8"))
        listed = [(voice, split) for split in SPLITS for voice in _strings(data, split)]
    except _UNREADABLE as error:
        problems.append(Problem(path.name, 1, f"must list the voices of train, dev and test ({type(error).__name__})"))
        return {}
    split_of: dict[str, Split] = {}
    for voice, split in listed:
        if split_of.setdefault(voice, split) != split:
            problems.append(Problem(path.name, 1, f"voice {voice!r} is in {split_of[voice]} and in {split}"))
    return split_of


def _note(record: object) -> LabelledNote:
    note = LabelledNote(
        note_id=_get(record, "note_id", str),
        voice=_get(record, "voice", str),
        text=_get(record, "text", str),
        setting=_get(record, "setting", str, ""),
        format=_get(record, "format", str, ""),
        sentences=tuple(_sentence(unit) for unit in _get(record, "sentences", list)),
    )
    if not note.note_id or not note.voice:
        raise ValueError("'note_id' and 'voice' must not be empty")
    return note


def _sentence(unit: object) -> LabelledSentence:
    return LabelledSentence(
        start=_get(unit, "start", int),
        end=_get(unit, "end", int),
        kind=cast(Any, _get(unit, "kind", str)),
        severity=_get(unit, "severity", dict),
        practices=_strings(unit, "practices"),
        look_alike=_get(unit, "look_alike", str, ""),
        decoy=_get(unit, "decoy", bool),
        annotators=_strings(unit, "annotators"),
    )


def _get(record: object, key: str, kind: type[_T], default: _T | None = None) -> _T:
    """An entry of a JSON object, of exactly that type; ``default`` where it is missing or null."""
    found = record.get(key) if isinstance(record, dict) else None
    value = default if found is None else found
    if type(value) is not kind:
        raise ValueError(f"{key!r} must be {_PLAIN[kind]}")
    return value


def _strings(record: object, key: str) -> tuple[str, ...]:
    values = _get(record, key, list)
    if not all(isinstance(value, str) for value in values):
        raise ValueError(f"{key!r} must be a list of texts")
    return tuple(values)


def _contradictions(record: Mapping[str, Any], note: LabelledNote) -> Iterator[str]:
    """Where labels and indicators are not those that severity and practices say."""
    for number, (unit, sentence) in enumerate(zip(record["sentences"], note.sentences, strict=True), 1):
        for key, derived in (("labels", sentence.labels), ("indicators", sentence.indicators)):
            if unit.get(key) != list(derived):
                yield f"{key!r} of sentence {number} must be {list(derived)}, by its severity and practices"


def parse_marked(text: str, voice: str) -> list[LabelledNote]:
    """Notes from the marked form in which they are written by hand.

    Raises:
        CorpusError: unknown tags, text without a mark or a header, a header without an id, with the line.
    """
    problems: list[Problem] = []
    notes: list[LabelledNote] = []
    lines = text.split("\n")
    headers = [number for number, line in enumerate(lines) if _LIKE_A_HEADER.match(line)]
    before = lines[: headers[0]] if headers else lines
    astray = [number for number, line in enumerate(before, 1) if line.strip()]
    if astray:
        problems.append(Problem(voice, astray[0], "text before the first header belongs to no note"))
    for start, end in pairwise([*headers, len(lines)]):
        body = "\n".join(lines[start + 1 : end]).strip("\n")
        notes.append(_marked_note(lines[start], body, voice, start + 1, problems))
    problems.extend(check_notes(notes))
    if problems:
        raise CorpusError(problems)
    return notes


def _marked_note(header: str, raw: str, voice: str, line: int, problems: list[Problem]) -> LabelledNote:
    # What only looks like a header may be text of a note, which no message may hold.
    named = header.removeprefix(_HEADER) if header.startswith(_HEADER) else ""
    note_id, *pairs = (part.strip() for part in named.split("|"))
    if not note_id:
        problems.append(Problem(voice, line, f"a header must be '{_HEADER}<note id> | setting: ... | format: ...'"))
    meta = {key.strip(): value.strip() for key, _, value in (pair.partition(":") for pair in pairs)}
    text = ""
    units: list[LabelledSentence] = []
    position = 0
    for mark in _MARK.finditer(raw):
        chunk = raw[position : mark.start()]
        start = len(text) + len(chunk) - len(chunk.lstrip())
        text += chunk
        position = mark.end()
        try:
            units.append(_marked_sentence(mark[1], start, len(text.rstrip())))
        except ValueError as error:
            problems.append(Problem(voice, line, f"note {note_id}: {error}"))
    text += raw[position:]
    return LabelledNote(
        note_id, voice, text.rstrip(), tuple(units), meta.pop("setting", ""), meta.pop("format", ""), meta
    )


def _marked_sentence(tags: str, start: int, end: int) -> LabelledSentence:
    severity: dict[str, int] = {}
    practices: list[str] = []
    look_alike, decoy, kind = "", False, "sentence"
    for tag in tags.replace(",", " ").split():
        indicator = _INDICATOR_TAG.fullmatch(tag)
        if indicator:
            severity[indicator[1]] = int(indicator[2])
        elif tag.startswith("+"):
            practices.append(tag[1:])
        elif tag.startswith("~"):
            look_alike = tag[1:]
        elif tag == "!":
            decoy = True
        elif tag == "h":
            kind = "header"
        else:
            raise ValueError(f"unknown tag {tag!r}")
    return LabelledSentence(start, end, cast(Any, kind), severity, tuple(practices), look_alike, decoy)
