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
from pathlib import Path
from typing import Any, Literal, cast

from peerdrift_nlp.errors import CorpusError, Problem
from peerdrift_nlp.taxonomy import LABELS, ROLE_CONSISTENT, taxonomy
from peerdrift_nlp.types import Sentence

Split = Literal["train", "dev", "test"]
SPLITS: tuple[Split, ...] = ("train", "dev", "test")

_MARK = re.compile(r"\{([^{}]*)\}")
_INDICATOR_TAG = re.compile(r"([a-z_.]+)/([123])")


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
        """The labels that the indicators and practices refine, in codebook order."""
        found = {name.partition(".")[0] for name in self.severity}
        if self.practices:
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
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            try:
                notes.append(_note(json.loads(line)))
            except (ValueError, KeyError, TypeError) as error:
                problems.append(Problem(path.name, number, f"is not a labelled note ({type(error).__name__})"))
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
            for name in unit.severity.keys() - codebook.indicators.keys():
                yield Problem(where, number, f"unknown indicator {name!r}")
            for name in set(unit.practices) - codebook.practices.keys():
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


def _read_splits(path: Path, problems: list[Problem]) -> dict[str, Split]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return {voice: split for split in SPLITS for voice in data[split]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        problems.append(Problem(path.name, 1, f"must list the voices of train, dev and test ({type(error).__name__})"))
        return {}


def _note(record: Mapping[str, Any]) -> LabelledNote:
    return LabelledNote(
        note_id=record["note_id"],
        voice=record["voice"],
        text=record["text"],
        setting=record.get("setting", ""),
        format=record.get("format", ""),
        sentences=tuple(
            LabelledSentence(
                start=unit["start"],
                end=unit["end"],
                kind=unit["kind"],
                severity=unit["severity"],
                practices=tuple(unit["practices"]),
                look_alike=unit["look_alike"] or "",
                decoy=unit["decoy"],
                annotators=tuple(unit["annotators"]),
            )
            for unit in record["sentences"]
        ),
    )


def parse_marked(text: str, voice: str) -> list[LabelledNote]:
    """Notes from the marked form in which they are written by hand.

    Raises:
        CorpusError: unknown tags, text without a mark, with the line of the note.
    """
    problems: list[Problem] = []
    notes: list[LabelledNote] = []
    header, body, line_number = "", [""], 0
    for number, line in enumerate([*text.splitlines(), "=== "], 1):
        if line.startswith("=== "):
            if header:
                notes.append(_marked_note(header, "\n".join(body).strip("\n"), voice, line_number, problems))
            header, body, line_number = line[4:], [], number
        else:
            body.append(line)
    problems.extend(check_notes(notes))
    if problems:
        raise CorpusError(problems)
    return notes


def _marked_note(header: str, raw: str, voice: str, line: int, problems: list[Problem]) -> LabelledNote:
    note_id, *pairs = (part.strip() for part in header.split("|"))
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
