"""Who did it, in whose voice, was it done, whose wish was it: the stance of a hit.

ConText's idea (a cue, its reach, what ends it) extended to the questions of the codebook. The
cues are data, in ``packs/stance.toml``; this module only knows how they reach:

* a *forward* cue reaches from its end to the end of the sentence, or to a *turn* that it names;
* a *backward* cue reaches from its start to the beginning of the sentence, or to such a turn. It
  outranks forward cues: a later clause has the last word ("asked me to hold it, so I am");
* a *sentence* cue reaches both ways, up to such a turn; a *here* cue only what it overlaps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from peerdrift_nlp.rules.matcher import PatternSet
from peerdrift_nlp.rules.normal import NormalText
from peerdrift_nlp.rules.pack import StanceCue
from peerdrift_nlp.types import Cue, Span, Stance

# Where several forward cues reach a hit, the one that says least was done prevails.
_STATUS_ORDER = ("declined", "regretted", "hypothetical", "asked", "planned", "done")


@dataclass(frozen=True, slots=True)
class _Found:
    """A cue where it was found: units of the note, both ends included."""

    cue: StanceCue
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Reading:
    """The stance of one hit and the circumstances that could clear it, by look-alike reason."""

    stance: Stance
    clears: Mapping[str, Span]


class StanceReader:
    """Reads the stance of hits with compiled cues."""

    def __init__(self, cues: Sequence[StanceCue], patterns: PatternSet) -> None:
        self._cues = list(cues)
        self._patterns = patterns

    def cues_of(self, note: NormalText, sentence: int) -> list[_Found]:
        """All cues of a sentence, in order."""
        found = [_Found(self._cues[owner], first, last) for owner, first, last in self._patterns.find(note, sentence)]
        found.sort(key=lambda item: (item.first, item.last))
        return found

    def read(self, note: NormalText, sentence: int, found: Sequence[_Found], first: int, last: int) -> Reading:
        """The stance of the units ``first`` to ``last`` (included) of a sentence.

        ``found`` is what ``cues_of`` gave for the sentence.
        """
        reaching = [item for item in found if "turn" not in item.cue.sets and _reaches(item, first, last, found)]
        answers = {question: _decide(reaching, question) for question in ("actor", "voice", "status", "initiator")}
        if quote := _quoted(note, sentence, first):
            speakers = (item for item in found if item.cue.id == "voice.own")
            if not any(item.last <= quote.first for item in speakers):
                answers["voice"] = ("quoted", quote)
        values: dict[str, Any] = {question: answer[0] for question, answer in answers.items() if answer}
        cues = tuple(_as_cue(note, item, question) for question, answer in answers.items() if answer for item in [answer[1]])
        clears = {
            item.cue.sets["clears"]: _span(note, item) for item in reaching if "clears" in item.cue.sets
        }
        return Reading(Stance(**values, cues=cues), clears)


def _reaches(item: _Found, first: int, last: int, found: Sequence[_Found]) -> bool:
    scope = item.cue.scope
    if scope == "sentence":
        return not _turned(item, found, *((item.last, first) if item.first <= first else (last, item.first)))
    if scope == "here":
        return item.first <= last and item.last >= first
    if scope == "forward":
        # The hit may begin with its own subject ("I told him to"), but not with what denies it.
        if item.first > first or (item.last >= first and "actor" not in item.cue.sets):
            return False
        return not _turned(item, found, item.last, first)
    if item.last < last or item.first < first:
        return False
    return not _turned(item, found, last, item.first)


def _turned(item: _Found, found: Iterable[_Found], after: int, upto: int) -> bool:
    """Whether a turn that ends the cue's reach begins between two units."""
    until = item.cue.until
    return bool(until) and any(
        other.cue.sets.get("turn") in until and other.last > after and other.first <= upto and other.first != item.first
        for other in found
    )


def _decide(reaching: Sequence[_Found], question: str) -> tuple[str, _Found] | None:
    """The answer to one question and the cue that gave it; None leaves the default."""
    speaking = [item for item in reaching if question in item.cue.sets]
    if not speaking:
        return None
    later = [item for item in speaking if item.cue.scope == "backward"]
    here = [item for item in speaking if item.cue.scope == "here"]
    # What the writer says is the writer's act, whatever the subject of the clause that is said.
    telling = [item for item in speaking if question == "actor" and item.cue.sets.get("voice") == "own"]
    chosen = (later or here or telling or speaking)[-1]
    if question == "status" and not later and not here:
        chosen = min(speaking, key=lambda item: _STATUS_ORDER.index(item.cue.sets["status"]))
    return chosen.cue.sets[question], chosen


def _quoted(note: NormalText, sentence: int, first: int) -> _Found | None:
    begin = note.first_unit[sentence]
    quotes = [unit for unit in range(begin, first) if note.words[unit] == '"']
    if len(quotes) % 2:
        return _Found(StanceCue("quotation", {"voice": "quoted"}, "here", frozenset(), ()), quotes[-1], quotes[-1])
    return None


def _span(note: NormalText, item: _Found) -> Span:
    return Span(note.starts[item.first], note.ends[item.last])


def _as_cue(note: NormalText, item: _Found, question: str) -> Cue:
    span = _span(note, item)
    return Cue(cast(str, item.cue.sets[question]), span.start, span.end)
