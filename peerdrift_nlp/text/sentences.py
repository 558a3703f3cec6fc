"""Split a note into sentences with rules made for notes, not for prose.

Newlines end a sentence unless the line was wrapped; bullets, headings, header fields and
signatures are units of their own; a full stop ends a sentence whatever case follows it, unless
it belongs to an abbreviation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from peerdrift_nlp.text.structure import Line, lines
from peerdrift_nlp.types import Sentence, SentenceKind

_ABBREVIATIONS = frozenset(
    """
    dr mr mrs ms st jr sr vs etc eg ie e.g i.e approx appt appts min mins hr hrs wk wks mo yr yrs no nos dept
    prog ext tel ave blvd rd apt gov prof rev hon sgt lt capt pt pts ct cl dx tx sx hx rx re ref sched
    jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thurs fri sat sun a.m p.m u.s
    """.split()
)
_BOUNDARY = re.compile(
    r"(?P<mark>[.!?]+)(?P<close>[\"')\]]*)(?=(?P<gap>\s+)(?P<next>\S))|(?P<glued>(?<=[a-z)])[.!?])(?=[A-Z][a-z]+\b)"
)
_WORD_BEFORE = re.compile(r"([A-Za-z][A-Za-z.]*)$")
_SHORTEST_WRAP = 38


def split_sentences(folded: str) -> list[Sentence]:
    """The units of a folded note as ordered, disjoint spans that cover all but white space."""
    rows = lines(folded)
    width = max((row.end - row.start for row in rows), default=0)
    found: list[Sentence] = []
    section = ""
    block_start = -1
    for index, row in enumerate(rows):
        if row.kind == "heading":
            section = row.section
        if row.kind in ("field", "signature", "heading"):
            kind: SentenceKind = "heading" if row.kind == "heading" else row.kind  # type: ignore[assignment]
            stop = row.body if row.kind == "heading" else row.end
            found.extend(_unit(folded, row.start, stop, kind, section))
            block_start = row.body if row.kind == "heading" else -1
        elif row.kind != "blank" and block_start < 0:
            block_start = row.start
        following = rows[index + 1] if index + 1 < len(rows) else None
        if block_start >= 0 and not _continues(folded, row, following, width):
            found.extend(_sentences(folded, block_start, row.end, section))
            block_start = -1
    return found


def _continues(folded: str, row: Line, following: Line | None, width: int) -> bool:
    """Whether a line was wrapped, so that its sentence may go on in the next line."""
    if following is None or following.kind != "plain" or row.kind == "blank":
        return False
    text = folded[row.body : row.end].rstrip()
    if not text or len(text) < _SHORTEST_WRAP:
        return False
    first_word = folded[following.start : following.end].split(maxsplit=1)[0]
    filled = row.end - row.start + 1 + len(first_word) > 0.85 * width
    return filled or (first_word[0].islower() and text[-1] not in ".!?" and any(map(str.isupper, folded)))


def _unit(folded: str, start: int, end: int, kind: SentenceKind, section: str) -> Iterator[Sentence]:
    text = folded[start:end]
    stripped = text.strip()
    if stripped:
        start += len(text) - len(text.lstrip())
        yield Sentence(start, start + len(stripped), kind, section)


def _sentences(folded: str, start: int, end: int, section: str) -> Iterator[Sentence]:
    begin = start
    for match in _BOUNDARY.finditer(folded, start, end):
        if match["glued"] or _ends_sentence(folded, match, begin):
            yield from _unit(folded, begin, match.end(), "sentence", section)
            begin = match.end()
    yield from _unit(folded, begin, end, "sentence", section)


def _ends_sentence(folded: str, match: re.Match[str], begin: int) -> bool:
    following = match["next"]
    if match["close"] and following.islower():
        return False
    if match["mark"] != ".":
        return not (match["mark"].startswith("..") and following.islower())
    word = _WORD_BEFORE.search(folded, max(begin, match.start() - 12), match.start())
    if word is None:
        # "1. Called" is a list number, "at 3. he left" is an end: a bare number opens, never closes.
        return match.start() - begin > 3
    text = word[1].lower()
    if len(text) == 1:
        return text == "i" or not word[1].isupper()
    if text in _ABBREVIATIONS:
        return following.isupper() and text in _MAY_END_SENTENCE
    return True


# Abbreviations that often close a sentence in notes ("met for 45 min. He ..."), unlike "Dr." or "Mrs.".
_MAY_END_SENTENCE = frozenset("etc min mins hr hrs wk wks mo yr yrs appt appts a.m p.m tx sx hx dx rx sun sat fri mon".split())
