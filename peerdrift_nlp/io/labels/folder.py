"""Settled labels as a corpus folder: one file an author, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peerdrift_nlp.classifier.corpus import SPLITS, LabelledNote, LabelledSentence, Split, check_notes
from peerdrift_nlp.classifier.features import is_scored
from peerdrift_nlp.errors import CorpusError, UsageError
from peerdrift_nlp.io.labels.align import Aligned, Key
from peerdrift_nlp.taxonomy import LABELS
from peerdrift_nlp.types import Note, Sentence

FEWEST_AUTHORS = 3
NUMBERED = "author-"
"""So begin the names of authors, which every import numbers from one."""
_HELD_OUT = 0.15
_RECORD = "import.json"


@dataclass(frozen=True, slots=True)
class LabelledExport:
    """Notes with at least one labelled sentence, by author, and the split of each author."""

    notes: tuple[LabelledNote, ...]
    split_of: Mapping[str, Split]

    def cautions(self) -> list[str]:
        """What a model cannot learn from these notes, or nobody judge on them."""
        found = []
        read = [unit for note in self.notes for unit in note.sentences if unit.kind == "sentence"]
        if len(self.split_of) < FEWEST_AUTHORS:
            found.append(
                f"labels of {len(self.split_of)} author(s): nothing can be judged on authors that training has not "
                f"seen, so all of it is for training; label notes of at least {FEWEST_AUTHORS} authors"
            )
        counts = Counter(label for unit in read for label in unit.labels)
        if not counts:
            found.append("every labelled sentence carries nothing: a model learns only from both kinds")
        for label in LABELS:
            judged = sum(label not in unit.unknown for unit in read)
            if judged and counts[label] == judged:
                found.append(f"{label}: every sentence that was judged carries it; label some that do not")
        if counts and all(unit.labels for unit in read):
            found.append("no sentence was labelled as carrying nothing: say so with 'none', or --read-through")
        return found


def labelled_export(
    aligned: Aligned, settled: Mapping[Key, LabelledSentence], split: Split | None = None
) -> LabelledExport:
    """The labelled notes as a corpus; authors and annotators get numbers in place of their names.

    Args:
        aligned: the labels at their sentences.
        settled: what stands, by sentence.
        split: of all authors; None draws one for each.

    Raises:
        UsageError: no sentence is labelled.
    """
    numbers = sorted({number for number, _ in settled})
    if not numbers:
        raise UsageError("no label found its sentence in the notes; is it the export that was labelled?")
    workers = list(dict.fromkeys(_worker(aligned.notes[number]) for number in numbers))
    voice_of = {worker: f"{NUMBERED}{place:02}" for place, worker in enumerate(workers, 1)}
    notes = tuple(
        LabelledNote(
            aligned.notes[number].note_id,
            voice_of[_worker(aligned.notes[number])],
            aligned.notes[number].text,
            tuple(
                settled.get((number, place)) or _not_labelled(unit)
                for place, unit in enumerate(aligned.sentences[number])
            ),
            setting=aligned.notes[number].meta.get("program", ""),
        )
        for number in numbers
    )
    if problems := list(check_notes(notes)):
        raise CorpusError(problems)
    split_of = dict.fromkeys(workers, split) if split else split_authors(workers)
    return LabelledExport(notes, {voice_of[worker]: of_worker for worker, of_worker in split_of.items()})


def split_authors(workers: Sequence[str]) -> dict[str, Split]:
    """A split for each author, drawn by a hash of the name, so that it stays when others join.

    About 15% go to dev and 15% to test, at least one each; all to train where there are fewer than three.
    """
    drawn = sorted(workers, key=lambda worker: hashlib.sha256(worker.encode("utf-8", "replace")).digest())
    if len(drawn) < FEWEST_AUTHORS:
        return dict.fromkeys(workers, "train")
    held_out = max(1, round(_HELD_OUT * len(drawn)))
    split_of: dict[str, Split] = dict.fromkeys(workers, "train")
    for place, worker in enumerate(drawn[: 2 * held_out]):
        split_of[worker] = "test" if place < held_out else "dev"
    return split_of


def check_target(folder: Path) -> None:
    """Refuse a folder that holds something.

    Raises:
        UsageError: it does.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there and not empty: choose a new folder with --out")


def write_corpus(folder: Path, labelled: LabelledExport, record: Mapping[str, Any]) -> None:
    """Write ``notes/``, ``splits.json`` and ``import.json`` (what was repaired and left out), for the owner alone.

    Raises:
        UsageError: the folder holds something, or cannot be written.
    """
    check_target(folder)
    part = folder.with_name(f".{folder.name}.part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        (part / "notes").mkdir(parents=True, mode=0o700)
        part.chmod(0o700)
        for voice in labelled.split_of:
            lines = [note.to_json() + "\n" for note in labelled.notes if note.voice == voice]
            _write(part / "notes" / f"{voice}.jsonl", "".join(lines))
        splits = {split: sorted(v for v, of in labelled.split_of.items() if of == split) for split in SPLITS}
        _write(part / "splits.json", json.dumps(splits, indent=1) + "\n")
        _write(part / _RECORD, json.dumps(record, ensure_ascii=False, indent=1) + "\n")
        if folder.exists():
            folder.rmdir()
        part.rename(folder)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise UsageError(f"{folder} cannot be written ({error.strerror}): choose another folder with --out") from None


def label_counts(labelled: LabelledExport) -> dict[str, tuple[int, int]]:
    """For each label in how many sentences it stands, and in how many it does not."""
    read = [unit for note in labelled.notes for unit in note.sentences if unit.kind == "sentence"]
    return {
        label: (
            sum(label in unit.labels for unit in read),
            sum(label not in unit.labels and label not in unit.unknown for unit in read),
        )
        for label in LABELS
    }


def _worker(note: Note) -> str:
    return note.meta.get("worker", "")


def _not_labelled(unit: Sentence) -> LabelledSentence:
    return LabelledSentence(unit.start, unit.end, "unread" if is_scored(unit) else "header", annotators=())


def _write(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    # A lone surrogate has no UTF-8; its escape is what JSON writes for it anyway.
    path.write_text(text, encoding="utf-8", errors="backslashreplace")
