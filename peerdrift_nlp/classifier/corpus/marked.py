"""The marked form in which notes are written by hand: a mark after every sentence.

::

    === W01a-001 | setting: clubhouse | format: dap
    D:{h} Met for 40 min.{} Reminded her to take her pills.{clinical.medication/2}
    He asked to stop, and I told him he might.{clinical.medication/3 !} "No," he said.{~quotation +listening}

``name/1`` to ``name/3`` is an indicator with its severity, ``+`` a practice, ``~`` a look-alike reason, ``!`` a
decoy, ``h`` a heading. A pair is two notes whose ids differ in a last ``a`` and ``b``, with a ``differs:`` field.
"""

from __future__ import annotations

import re
from itertools import pairwise, zip_longest
from typing import Any, cast

from peerdrift_nlp.classifier.corpus.notes import LabelledNote, LabelledSentence, check_notes
from peerdrift_nlp.classifier.corpus.pairs import ContrastPair, check_pairs
from peerdrift_nlp.errors import CorpusError, Problem

_HEADER = "=== "
_LIKE_A_HEADER = re.compile(r"===(?!=)")
_MARK = re.compile(r"\{([^{}]*)\}")
_INDICATOR_TAG = re.compile(r"([a-z_.]+)/([123])")


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


def parse_marked_pairs(text: str, voice: str) -> list[ContrastPair]:
    """Contrast pairs from the marked form: each two notes in a row, whose ids end in ``a`` and ``b``.

    Raises:
        CorpusError: what ``parse_marked`` raises, and members that do not belong together.
    """
    notes = parse_marked(text, voice)
    problems: list[Problem] = []
    pairs: list[ContrastPair] = []
    for first, second in zip_longest(notes[::2], notes[1::2]):
        pair_id, differs = first.note_id[:-1], first.meta.get("differs", "")
        if second is None or (second.note_id[:-1], first.note_id[-1:], second.note_id[-1:]) != (pair_id, "a", "b"):
            problems.append(Problem(voice, 0, f"{first.note_id} must end in 'a', and its partner in 'b' must follow"))
        elif second.meta.get("differs", "") != differs:
            problems.append(Problem(voice, 0, f"{pair_id}: both headers must say the same 'differs:'"))
        else:
            pairs.append(ContrastPair(pair_id, voice, differs, (first, second)))
    problems.extend(check_pairs(pairs))
    if problems:
        raise CorpusError(problems)
    return pairs


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
            units.append(parse_tags(mark[1], start, len(text.rstrip())))
        except ValueError as error:
            problems.append(Problem(voice, line, f"note {note_id}: {error}"))
    text += raw[position:]
    return LabelledNote(
        note_id, voice, text.rstrip(), tuple(units), meta.pop("setting", ""), meta.pop("format", ""), meta
    )


def parse_tags(tags: str, start: int, end: int) -> LabelledSentence:
    """The labelled unit that the tags of one mark say.

    Raises:
        ValueError: an unknown tag.
    """
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
