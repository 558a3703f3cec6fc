"""The corpus on disk, read strictly.

One JSON object a line, one file a voice. A note, in ``notes/<voice>.jsonl``::

    {"note_id", "voice", "setting", "format", "text",
     "sentences": [{"start", "end", "kind", "labels", "indicators", "severity", "practices",
                    "look_alike", "decoy", "annotators", "unrefined"?, "unjudged"?}]}

A pair, in ``pairs/<voice>.jsonl``: two such notes that differ in the one thing that decides::

    {"pair_id", "voice", "differs", "members": [note, note]}

``splits.json`` beside the folders says which voices are train, dev and test.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

from peerdrift_nlp.classifier.corpus.notes import LabelledNote, LabelledSentence, check_notes
from peerdrift_nlp.classifier.corpus.pairs import ContrastPair, check_balance, check_pairs
from peerdrift_nlp.errors import CorpusError, Problem

Split = Literal["train", "dev", "test"]
SPLITS: tuple[Split, ...] = ("train", "dev", "test")

_UNREADABLE = (OSError, ValueError, RecursionError)
_PLAIN = {str: "text", int: "a whole number", bool: "true or false", list: "a list", dict: "an object"}

_T = TypeVar("_T")


_NO_FOLDER = "there is no such folder of labelled notes; `peerdrift label import` makes one, --corpus names one"


@dataclass(frozen=True, slots=True)
class Corpus:
    """All labelled notes and pairs, and the split of each voice."""

    notes: tuple[LabelledNote, ...]
    pairs: tuple[ContrastPair, ...]
    split_of: Mapping[str, Split]

    def part(self, *splits: Split) -> list[LabelledNote]:
        """The notes of some splits, in a fixed order."""
        return [note for note in self.notes if self.split_of[note.voice] in splits]

    def pairs_of(self, *splits: Split) -> list[ContrastPair]:
        """The contrast pairs of some splits, in a fixed order."""
        return [pair for pair in self.pairs if self.split_of[pair.voice] in splits]


def read_corpus(folder: Path) -> Corpus:
    """Read ``folder/notes/*.jsonl``, ``folder/pairs/*.jsonl`` and ``folder/splits.json``.

    Raises:
        CorpusError: there is no such folder, or everything that does not hold together, with file and line.
    """
    if not folder.is_dir():
        raise CorpusError([Problem(str(folder), 0, _NO_FOLDER)])
    problems: list[Problem] = []
    notes = list(_read_folder(folder / "notes", _note, _contradictions, problems))
    pairs = list(_read_folder(folder / "pairs", _pair, _pair_contradictions, problems))
    split_of = _read_splits(folder / "splits.json", problems)
    voices = {note.voice for note in notes} | {pair.voice for pair in pairs}
    for voice in sorted(voices - split_of.keys()):
        problems.append(Problem("splits.json", 1, f"voice {voice!r} is in no split"))
    problems.extend(check_notes(notes))
    problems.extend(check_pairs(pairs))
    problems.extend(check_balance(pairs))
    if not notes:
        problems.append(Problem(str(folder), 0, "holds no notes (expected notes/<voice>.jsonl)"))
    if problems:
        raise CorpusError(problems)
    return Corpus(tuple(notes), tuple(pairs), split_of)


def challenge_pairs() -> list[ContrastPair]:
    """The shipped contrast pairs of the test voices: from the package, or from a checkout's corpus.

    Raises:
        CorpusError: they do not hold together, or are not there.
    """
    packaged = Path(str(resources.files("peerdrift_nlp"))) / "challenge"
    folder = packaged if packaged.is_dir() else Path(__file__).parents[3] / "data" / "corpus"
    problems: list[Problem] = []
    pairs = list(_read_folder(folder / "pairs", _pair, _pair_contradictions, problems))
    split_of = _read_splits(folder / "splits.json", problems)
    if problems or not pairs:
        raise CorpusError(problems or [Problem(str(folder), 0, "holds no contrast pairs; install the package anew")])
    return [pair for pair in pairs if split_of.get(pair.voice) == "test"]


def _read_folder(
    folder: Path,
    parse: Callable[[object], _T],
    contradictions: Callable[[Any, _T], Iterator[str]],
    problems: list[Problem],
) -> Iterator[_T]:
    """What ``parse`` makes of each line of the folder's files; what does not hold goes to ``problems``."""
    for path in sorted(folder.glob("*.jsonl")):
        try:
            # As bytes, because a line ends at "\n" alone: a note may hold any other line break.
            with path.open("rb") as file:
                lines = file.readlines()
        except OSError as error:
            problems.append(Problem(path.name, 0, f"cannot be read ({error.strerror})"))
            continue
        for number, line in enumerate(lines, 1):
            try:
                record = json.loads(line.decode("utf-8"))
                item = parse(record)
            except _UNREADABLE as error:
                problems.append(Problem(path.name, number, f"is not as the corpus format says: {error}"))
            else:
                problems.extend(Problem(path.name, number, what) for what in contradictions(record, item))
                yield item


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


def _pair(record: object) -> ContrastPair:
    members = [_note(member) for member in _get(record, "members", list)]
    if len(members) != 2:
        raise ValueError(f"'members' must be two notes, not {len(members)}")
    return ContrastPair(
        pair_id=_get(record, "pair_id", str),
        voice=_get(record, "voice", str),
        differs=_get(record, "differs", str),
        members=(members[0], members[1]),
    )


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
        unrefined=_strings(unit, "unrefined", []),
        unjudged=_strings(unit, "unjudged", []),
    )


def _get(record: object, key: str, kind: type[_T], default: _T | None = None) -> _T:
    """An entry of a JSON object, of exactly that type; ``default`` where it is missing or null."""
    found = record.get(key) if isinstance(record, dict) else None
    value = default if found is None else found
    if type(value) is not kind:
        raise ValueError(f"{key!r} must be {_PLAIN[kind]}")
    return value


def _strings(record: object, key: str, default: list[str] | None = None) -> tuple[str, ...]:
    values = _get(record, key, list, default)
    if not all(isinstance(value, str) for value in values):
        raise ValueError(f"{key!r} must be a list of texts")
    return tuple(values)


def _contradictions(record: Mapping[str, Any], note: LabelledNote) -> Iterator[str]:
    """Where labels and indicators are not those that severity and practices say."""
    for number, (unit, sentence) in enumerate(zip(record["sentences"], note.sentences, strict=True), 1):
        for key, derived in (("labels", sentence.labels), ("indicators", sentence.indicators)):
            if unit.get(key) != list(derived):
                yield f"{key!r} of sentence {number} must be {list(derived)}, by all that it names"


def _pair_contradictions(record: Mapping[str, Any], pair: ContrastPair) -> Iterator[str]:
    for member, note in zip(record["members"], pair.members, strict=True):
        yield from (f"{note.note_id}: {what}" for what in _contradictions(member, note))
        if note.voice != pair.voice:
            yield f"{note.note_id}: its voice is not that of the pair"
