"""Label rows to sentences of the notes: which note, which sentence; nothing moves or drops without being counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from rapidfuzz import fuzz, process

from peerdrift_nlp.classifier.features import is_scored
from peerdrift_nlp.io.labels.names import NOTHING
from peerdrift_nlp.io.labels.offsets import Flat, Place, flat, in_note
from peerdrift_nlp.io.labels.rows import LabelRow
from peerdrift_nlp.text.fold import fold
from peerdrift_nlp.text.sentences import split_sentences
from peerdrift_nlp.types import Note, Sentence, Span

NO_NOTE = "the note is not in the export"
NO_WORDS = "the words are not in the note, or more than once"
MANY_NOTES = "the text stands in several notes, and no note id says which is meant"
NO_SENTENCE = "the words are in a heading or signature, which is never scored"
WHOLE_NOTE = "the label is of a whole note or of many sentences, not of a sentence"
SEVERAL = "labels over two or three sentences: each of them got the label"

_MOST_SENTENCES = 3
_HALF = 0.5
_ALIKE = 90

Key = tuple[int, int]
"""The number of a note and of a sentence in it."""


@dataclass(slots=True)
class Said:
    """What one annotator said of one sentence, over all of his rows."""

    present: set[str] = field(default_factory=set)
    absent: set[str] = field(default_factory=set)
    complete: bool = False
    where: list[str] = field(default_factory=list)

    def add(self, row: LabelRow) -> None:
        """Take a row in."""
        self.present.update(row.present)
        self.absent.update(row.absent)
        self.complete |= row.complete
        self.where.append(row.where)


@dataclass(slots=True)
class Aligned:
    """Who said what of which sentence, and what had to be repaired or left out to know it.

    Attributes:
        notes: all notes of the export.
        sentences: the units of each note.
        said: for each sentence the annotators with what each said.
        repairs: repaired rows by how.
        drops: places of the rows left out, by why.
        undone: texts that were labelled in part, whose other sentences nobody is known to have read.
    """

    notes: Sequence[Note]
    sentences: list[list[Sentence]]
    said: dict[Key, dict[str, Said]] = field(default_factory=dict)
    repairs: Counter[str] = field(default_factory=Counter)
    drops: dict[str, list[str]] = field(default_factory=dict)
    undone: int = 0

    def drop(self, row: LabelRow, why: str) -> None:
        """Count a row that is left out."""
        self.drops.setdefault(why, []).append(row.where)

    def add(self, number: int, sentences: Iterable[int], row: LabelRow) -> None:
        """Put a row on sentences of a note."""
        for sentence in sentences:
            self.said.setdefault((number, sentence), {}).setdefault(row.annotator, Said()).add(row)


def align(rows: Iterable[LabelRow], notes: Sequence[Note], *, read_through: bool = False) -> Aligned:
    """Find the note and the sentences of every row.

    Args:
        rows: the labels.
        notes: the export that they belong to; ids must differ.
        read_through: whoever was done with a text has read all of it: what carries no label carries nothing.
            Otherwise such sentences are unread.
    """
    index = _Index(notes)
    aligned = Aligned(notes, index.sentences)
    for row in rows:
        number = index.note_of(row)
        if number is None or isinstance(number, str):
            if read_through or row.through or not row.is_bare:
                aligned.drop(row, number or NO_NOTE)
        elif row.is_bare:
            _take_bare(aligned, index, number, row, read_through)
        else:
            _take(aligned, index, number, row)
    return aligned


def _take_bare(aligned: Aligned, index: _Index, number: int, row: LabelRow, read_through: bool) -> None:
    """A text that the annotator was done with."""
    if not (read_through or row.through):
        aligned.undone += 1
        return
    place = in_note(index.flats[number], row.text, None, near=row.near) if row.text else None
    if row.text and place is None:
        aligned.drop(row, NO_WORDS)
        return
    span = place.span if place else Span(0, len(index.notes[number].text))
    aligned.add(number, _covered(aligned.sentences[number], span), row)


def _take(aligned: Aligned, index: _Index, number: int, row: LabelRow) -> None:
    note = index.flats[number]
    place = _place(note, row)
    if place is None:
        aligned.drop(row, NO_WORDS)
        return
    covered = _covered(aligned.sentences[number], place.span)
    if not covered:
        aligned.drop(row, NO_SENTENCE)
    elif len(covered) > _MOST_SENTENCES and not set(row.present) <= {NOTHING}:
        aligned.drop(row, WHOLE_NOTE)
    else:
        aligned.repairs.update(place.repairs)
        aligned.repairs[SEVERAL] += len(covered) > 1 and bool(row.present)
        aligned.add(number, covered, row)


def _place(note: Flat, row: LabelRow) -> Place | None:
    if row.span and row.text and flat(note.text[row.span.start : row.span.end]) == flat(row.text):
        return Place(row.span)  # the text is a part of the note, and the offsets are into the note
    if row.text and (row.span or not row.quote):
        return in_note(note, row.text, row.span, row.quote, row.near)
    if row.quote and not row.span:
        return in_note(note, row.quote, None, near=row.near)
    return in_note(note, note.text, row.span, row.quote)


def _covered(units: Sequence[Sentence], span: Span) -> list[int]:
    """The scored sentences that a stretch is about: those that it covers by half, or the one that holds most of it."""
    shared = {
        number: min(unit.end, span.end) - max(unit.start, span.start)
        for number, unit in enumerate(units)
        if unit.start < span.end and span.start < unit.end and is_scored(unit)
    }
    by_half = [
        number for number, length in shared.items() if length >= _HALF * (units[number].end - units[number].start)
    ]
    return by_half or sorted(shared, key=lambda number: -shared[number])[:1]


class _Index:
    """The notes by id and by text."""

    def __init__(self, notes: Sequence[Note]) -> None:
        self.notes = notes
        self.flats = [Flat(note.text) for note in notes]
        self.sentences = [split_sentences(fold(note.text)) for note in notes]
        self._by_id = {note.note_id: number for number, note in enumerate(notes)}
        self._by_text: dict[str, set[int]] = {}
        for number, (note, units) in enumerate(zip(self.flats, self.sentences, strict=True)):
            for text in (note.words, *(flat(note.text[unit.start : unit.end]) for unit in units)):
                self._by_text.setdefault(text, set()).add(number)
        self._known: dict[str, int | str | None] = {}

    def note_of(self, row: LabelRow) -> int | str | None:
        """The number of the row's note; why there is none, or None where it is simply not there."""
        named = self._by_id.get(row.note_id)
        if named is not None or not (row.text or row.quote):
            return named
        words = flat(row.text or row.quote)
        if words not in self._known:
            self._known[words] = self._by_words(words)
        return self._known[words]

    def _by_words(self, words: str) -> int | str | None:
        exact = self._by_text.get(words) or {number for number, note in enumerate(self.flats) if words in note.words}
        if not words or len(exact) > 1:
            return MANY_NOTES if words else None
        if exact:
            return next(iter(exact))
        alike = process.extractOne(words, [note.words for note in self.flats], scorer=fuzz.ratio, score_cutoff=_ALIKE)
        return alike[2] if alike else None
