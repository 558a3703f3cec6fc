"""Split a note into sentences with rules made for notes, not for prose.

Newlines end a sentence unless the line was wrapped; bullets, headings, header fields and
signatures are units of their own; a full stop ends a sentence whatever case follows it, unless
it belongs to an abbreviation.
"""

from __future__ import annotations

import re
import string
from collections.abc import Sequence

from peerdrift_nlp.text.structure import Line, lines
from peerdrift_nlp.types import Sentence, SentenceKind

_ABBREVIATIONS = frozenset(
    """
    dr mr mrs ms st jr sr vs etc eg ie e.g i.e approx appt appts min mins hr hrs wk wks mo yr yrs no nos dept
    prog ext tel ave blvd rd apt gov prof rev hon sgt lt capt pt pts ct cl dx tx sx hx rx re ref sched
    jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thurs fri sat sun a.m p.m u.s
    """.split()
)
# A run of marks is read once, from its first mark, so that long runs take linear time.
_BOUNDARY = re.compile(
    r"(?P<mark>[.!?](?<![.!?][.!?])[.!?]*+)"
    r"(?:(?P<close>[\"')\]]*+)(?=\s++(?P<next>\S))|(?P<glued>(?<=[a-z)][.!?])(?=[A-Z][a-z]+\b)))"
)
_OF_WORDS = string.ascii_letters + "."
# What goes on longer without an end is no sentence; every later stage may then take its time over a sentence.
_LONGEST = 1500
_SHORTEST_WRAP = 38
_MARGIN = 0.88
_FULL_LINES = 0.75
_NEVER_WRAPPED = ("blank", "field", "title")


def split_sentences(folded: str) -> list[Sentence]:
    """The units of a folded note as ordered, disjoint spans that cover all but white space."""
    rows = lines(folded)
    found: list[Sentence] = []
    section = ""
    block_start = -1
    for row, goes_on in zip(rows, _wrapped(folded, rows), strict=True):
        if row.kind == "heading":
            section = row.section
        if row.kind in ("field", "title", "signature", "heading"):
            stop = row.body if row.kind == "heading" else row.end
            _add(found, folded, row.start, stop, section, "heading" if row.kind == "title" else row.kind)
            block_start = row.body if row.kind == "heading" else -1
        elif row.kind != "blank" and block_start < 0:
            block_start = row.start
        if block_start >= 0 and not goes_on:
            _add_sentences(found, folded, block_start, row.end, section)
            block_start = -1
    return found


def _wrapped(folded: str, rows: Sequence[Line]) -> list[bool]:
    """For each line whether it was wrapped, so that its sentence may go on in the next line.

    A wrapped paragraph shows itself by its right margin: (nearly) every line but its last has no
    room for the next line's first word.
    """
    width = max((row.end - row.start for row in rows), default=0)
    goes_on = [False] * len(rows)
    first = 0
    while first < len(rows):
        last = first
        while last + 1 < len(rows) and rows[last + 1].kind == "plain" and rows[last].kind not in _NEVER_WRAPPED:
            last += 1
        joints = range(first, last)
        full = [_is_full(folded, rows[at], rows[at + 1], width) for at in joints]
        if full and sum(full) >= _FULL_LINES * len(full):
            for at, is_full in zip(joints, full, strict=True):
                goes_on[at] = is_full or rows[at].end - rows[at].start >= _SHORTEST_WRAP
        else:
            for at in joints:
                goes_on[at] = _breaks_off(folded, rows[at], rows[at + 1])
        first = last + 1
    return goes_on


def _is_full(folded: str, row: Line, following: Line, width: int) -> bool:
    first_word = folded[following.start : following.end].split(maxsplit=1)[0]
    length = row.end - row.start
    return length >= _SHORTEST_WRAP and length + 1 + len(first_word) > _MARGIN * width


def _breaks_off(folded: str, row: Line, following: Line) -> bool:
    """A long line without an end before one that starts small, in a note that uses capitals."""
    text = folded[row.body : row.end].rstrip()
    starts_small = folded[following.start : following.end].lstrip()[:1].islower()
    return len(text) >= _SHORTEST_WRAP and starts_small and text[-1] not in ".!?:;" and text[:1].isupper()


def _add(
    found: list[Sentence], folded: str, start: int, end: int, section: str, kind: SentenceKind = "sentence"
) -> None:
    """Add a unit without the white space around it, if anything is left of it."""
    text = folded[start:end].rstrip()
    stop = start + len(text)
    start = stop - len(text.lstrip())
    while stop - start > _LONGEST:
        cut = folded.rfind(" ", start, start + _LONGEST)
        cut = cut if cut > start else start + _LONGEST
        _add(found, folded, start, cut, section, kind)
        start = cut
        while folded[start].isspace():
            start += 1
    if stop > start:
        found.append(Sentence(start, stop, kind, section))


def _add_sentences(found: list[Sentence], folded: str, start: int, end: int, section: str) -> None:
    for match in _BOUNDARY.finditer(folded, start, end):
        if _ends_sentence(folded, match, start):
            stop = match.end()
            _add(found, folded, start, stop, section)
            start = stop
    _add(found, folded, start, end, section)


def _ends_sentence(folded: str, match: re.Match[str], begin: int) -> bool:
    mark, close, following, glued = match.groups()
    if glued is not None:
        return True
    if close and following.islower():
        return False
    if mark != ".":
        return not (mark.startswith("..") and following.islower())
    stop = match.start()
    before = folded[max(begin, stop - 12) : stop]
    word = before[len(before.rstrip(_OF_WORDS)) :].lstrip(".")
    word_start = stop - len(word)
    if not word or (word_start > begin and folded[word_start - 1].isdigit()):
        # "1. Called" is a list number, "on the 3rd. He left" is an end: a bare number opens, never closes.
        return stop - begin > 3
    text = word.lower()
    if len(text) == 1 and word.isupper() and text != "i":
        return _next_word(folded, match) in _OPENERS
    if text in _TITLES:
        return False
    if text in _ABBREVIATIONS:
        return following.isupper() and (text in _MAY_END_SENTENCE or _next_word(folded, match) in _OPENERS)
    return True


def _next_word(folded: str, match: re.Match[str]) -> str:
    found = _NEXT_WORD.match(folded, match.end())
    return found[1] if found else ""


_TITLES = frozenset("dr mr mrs ms e.g i.e vs".split())
_NEXT_WORD = re.compile(r"\s+([A-Za-z']+)")
# Words that seldom follow an abbreviation or an initial within a sentence, but often open one.
_OPENERS = frozenset(
    """
    He She They I We It The This That His Her Their My Our You There Then When After Before Also Said Told Asked Met
    Talked Read Will Went Gave Walked Listened Shared No Not Client Ct Member Peer Writer Staff Nursing Next Plan
    """.split()
)
# Abbreviations that often close a sentence in notes ("met for 45 min. He ..."), unlike "Dr." or "Mrs.".
_MAY_END_SENTENCE = frozenset(
    "etc min mins hr hrs wk wks mo yr yrs appt appts a.m p.m tx sx hx dx rx sun sat fri mon".split()
)
