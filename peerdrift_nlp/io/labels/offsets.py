"""Where a labelled stretch really is: offsets verified against the words, and repaired.

Tools count in code points or in UTF-16 units, take a CRLF for one character or for two, trim texts and change their
white space. A stretch is found again by its words; what had to be done to find it is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rapidfuzz import fuzz

from peerdrift_nlp.text.fold import fold
from peerdrift_nlp.types import Span

UTF16 = "offsets were UTF-16 units"
CRLF = "offsets counted line breaks otherwise"
MOVED = "the words stood elsewhere in the text"
RESPACED = "the text had other white space, quotation marks or dashes"
FUZZY = "the text was changed; the nearest words were taken"

_ALIKE = 88
_ENOUGH_TO_TELL = 12
_TOO_LONG_TO_COMPARE = 20_000


class Place(NamedTuple):
    """A stretch of a note, and the repairs that led to it."""

    span: Span
    repairs: tuple[str, ...] = ()


class Flat:
    """A text with plain characters and every run of white space as one blank, and the way back.

    Attributes:
        text: the original.
        words: the flat text.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._at: list[int] = []
        self._flat_of: list[int] = []
        words: list[str] = []
        for place, char in enumerate(fold(text)):
            blank = char.isspace()
            if blank and (not words or words[-1] == " "):
                self._flat_of.append(len(words))
                continue
            self._flat_of.append(len(words))
            words.append(" " if blank else char)
            self._at.append(place)
        self._flat_of.append(len(words))
        self.words = "".join(words).rstrip()

    def to_flat(self, span: Span) -> Span:
        """A stretch of the original as one of the flat text."""
        return Span(min(self._flat_of[span.start], len(self.words)), min(self._flat_of[span.end], len(self.words)))

    def to_text(self, span: Span) -> Span:
        """A stretch of the flat text, not empty, as one of the original."""
        return Span(self._at[span.start], self._at[span.end - 1] + 1)


def flat(text: str) -> str:
    """Plain characters, white space runs as one blank, trimmed."""
    return " ".join(fold(text).split())


def in_text(text: str, span: Span, quote: str = "") -> Place | None:
    """Where a stretch that a tool names by offsets stands in the text that the tool showed.

    Args:
        text: that text.
        span: in whatever the tool counts.
        quote: the words that the tool says stand there, if it does.

    Returns:
        The stretch in code points; None where no way of counting leads into the text.
    """
    if quote and span.end <= len(text) and text[span.start : span.end] == quote:
        return Place(span)
    fitting = [Place(found, (how,) if how else ()) for how, found in _countings(text, span) if found.end <= len(text)]
    wanted = flat(quote)
    if wanted:
        for place in fitting:
            if flat(text[place.span.start : place.span.end]) == wanted:
                return place
        whole = Flat(text)
        near = whole.to_flat(fitting[0].span).start if fitting else len(whole.words)
        found = nearest(whole.words, wanted, near)
        return Place(whole.to_text(found), (MOVED,)) if found else None
    return min(fitting, key=lambda place: _raggedness(text, place.span), default=None)


def in_note(note: Flat, text: str, span: Span | None, quote: str = "", near: int = -1) -> Place | None:
    """Where a stretch of the text that a tool showed stands in the note.

    Args:
        note: the note.
        text: what was shown: the note, or a part of it.
        span: the stretch of ``text``; None for all of it.
        quote: the words that the tool says stand there.
        near: where in the note the text began, for a text that stands there more than once; -1 if not known.

    Returns:
        None where the words are not in the note, or so often that nobody can say which are meant.
    """
    found = in_text(text, span, quote) if span else Place(Span(0, len(text)))
    if found is None:
        return _alike(note, flat(quote))
    shown = Flat(text)
    inner = shown.to_flat(found.span)
    if inner.start >= inner.end:
        return None
    respaced = () if text == note.text or text in note.text else (RESPACED,)
    if shown.words == note.words:
        return Place(note.to_text(inner), (*found.repairs, *respaced))
    base = nearest(note.words, shown.words, note.to_flat(Span(near, near)).start if 0 <= near <= len(note.text) else -1)
    if base:
        outer = note.to_text(Span(base.start + inner.start, base.start + inner.end))
        return Place(outer, (*found.repairs, *respaced))
    if shown.words in note.words:
        return None
    words = shown.words[inner.start : inner.end]
    exact = nearest(note.words, words, -1) if len(words) >= _ENOUGH_TO_TELL else None
    if exact:
        return Place(note.to_text(exact), (*found.repairs, MOVED))
    return _alike(note, words)


def nearest(words: str, wanted: str, near: int) -> Span | None:
    """Where ``wanted`` stands in ``words``: the place nearest to ``near``, or the only one where that is negative."""
    places = list(_places(words, wanted)) if wanted else []
    if not places or (near < 0 and len(places) > 1):
        return None
    start = min(places, key=lambda place: abs(place - near))
    return Span(start, start + len(wanted))


def _places(words: str, wanted: str) -> Iterator[int]:
    place = words.find(wanted)
    while place >= 0:
        yield place
        place = words.find(wanted, place + 1)


def _alike(note: Flat, words: str) -> Place | None:
    """The stretch of the note that is most like some words, where it is like enough."""
    if not _ENOUGH_TO_TELL <= len(words) <= len(note.words) or len(note.words) > _TOO_LONG_TO_COMPARE:
        return None
    found = fuzz.partial_ratio_alignment(words, note.words, score_cutoff=_ALIKE)
    if found is None or found.dest_start >= found.dest_end:
        return None
    return Place(note.to_text(Span(found.dest_start, found.dest_end)), (FUZZY,))


def _countings(text: str, span: Span) -> Iterator[tuple[str, Span]]:
    """The ways in which a tool may have counted, the plain one first; only those that can differ in this text."""
    yield "", span
    if any(ord(char) > 0xFFFF for char in text):
        yield UTF16, _recounted(span, [2 if ord(char) > 0xFFFF else 1 for char in text])
    if "\r\n" in text:
        yield CRLF, _recounted(span, [0 if text[at : at + 2] == "\r\n" else 1 for at in range(len(text))])
    elif "\n" in text:
        yield CRLF, _recounted(span, [2 if char == "\n" else 1 for char in text])


def _recounted(span: Span, widths: list[int]) -> Span:
    """A span counted with these widths of characters, in characters; beyond the text where it ends there."""
    start = end = len(widths) + 1
    counted = 0
    for place, width in enumerate([*widths, 1]):
        if counted <= span.start:
            start = place
        if counted >= span.end:
            end = place
            break
        counted += width
    return Span(start, end)


def _raggedness(text: str, span: Span) -> int:
    """How little a stretch looks like one that somebody marked: cut words weigh more than white space at its ends."""
    cut = sum(text[at - 1 : at].isalnum() and text[at : at + 1].isalnum() for at in (span.start, span.end))
    words = text[span.start : span.end]
    return 2 * cut + (len(words) - len(words.strip()) > 0)
