"""Who did it, in whose voice, was it done, whose wish was it: the stance of a hit.

ConText's idea (a cue, its reach, what ends it) extended to the questions of the codebook. The
cues are data, in ``packs/stance.toml``; this module only knows how they reach:

* a *forward* cue reaches from its end to the end of the sentence, or to a *turn* that it names;
* a *backward* cue reaches from its start to the beginning of the sentence, or to such a turn. It
  outranks forward cues: a later clause has the last word ("asked me to hold it, so I am");
* a *sentence* cue reaches both ways, up to such a turn;
* a *here* cue reaches only what it overlaps, an *around* cue only what it holds whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from peerdrift_nlp.rules.matcher import Match, PatternSet
from peerdrift_nlp.rules.normal import NormalBatch
from peerdrift_nlp.rules.pack import StanceCue
from peerdrift_nlp.rules.prefilter import Places
from peerdrift_nlp.types import Cue, Span, Stance

# Where several forward cues reach a hit, the one that says least was done prevails.
_STATUS_ORDER = ("declined", "regretted", "hypothetical", "asked", "planned", "done")


class _Found(NamedTuple):
    """A cue where it was found: units of the batch, both ends included."""

    cue: StanceCue
    first: int
    last: int


class SentenceCues(NamedTuple):
    """The cues of a sentence in order: those that answer a question, and the turns that end a reach."""

    answers: list[_Found]
    turns: list[_Found]


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

    def cues_in(self, batch: NormalBatch, sentences: Places) -> dict[int, SentenceCues]:
        """The cues of each of the given sentences."""
        matches = self._patterns.find(batch, sentences)
        return {sentence: self._sorted(matches.get(sentence, ())) for sentence in sentences.tolist()}

    def _sorted(self, matches: Sequence[Match]) -> SentenceCues:
        found = sorted((_Found(self._cues[owner], first, last) for owner, first, last in matches), key=_place)
        return SentenceCues(
            [item for item in found if "turn" not in item.cue.sets], [item for item in found if "turn" in item.cue.sets]
        )


def read_stance(batch: NormalBatch, sentence: int, cues: SentenceCues, first: int, last: int) -> Reading:
    """The stance of the units ``first`` to ``last`` (included) of a sentence, read from its cues."""
    reaching = [item for item in cues.answers if _reaches(item, first, last, cues.turns)]
    answers = {question: _decide(reaching, question) for question in ("actor", "voice", "status", "initiator")}
    if quote := _quoted(batch, sentence, first):
        speakers = (item for item in cues.answers if item.cue.id == "voice.own")
        if not any(item.last <= quote.first for item in speakers):
            answers["voice"] = ("quoted", quote)
    given = {question: answer for question, answer in answers.items() if answer}
    values: dict[str, Any] = {question: value for question, (value, _) in given.items()}
    found = tuple(_as_cue(batch, item, value) for value, item in given.values())
    clears = {item.cue.sets["clears"]: _span(batch, item) for item in reaching if "clears" in item.cue.sets}
    return Reading(Stance(**values, cues=found), clears)


def _place(item: _Found) -> tuple[int, int]:
    return item.first, item.last


def _reaches(item: _Found, first: int, last: int, turns: Sequence[_Found]) -> bool:
    cue = item.cue
    if cue.scope == "here":
        return item.first <= last and item.last >= first
    if cue.scope == "around":
        return item.first <= first and item.last >= last
    if cue.scope == "sentence":
        after, upto = (item.last, first) if item.first <= first else (last, item.first)
    elif cue.scope == "forward":
        # The hit may begin with its own subject ("I told him to"), but not with what denies it.
        if item.first > first or (item.last >= first and "actor" not in cue.sets):
            return False
        after, upto = item.last, first
    else:
        if item.last < last or item.first < first:
            return False
        after, upto = last, item.first
    return not cue.until or not any(
        turn.cue.id in cue.until and turn.last > after and turn.first <= upto and turn.first != item.first
        for turn in turns
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


def _quoted(batch: NormalBatch, sentence: int, first: int) -> _Found | None:
    """The opening quotation mark before ``first`` that is still open there."""
    begin, _ = batch.units(sentence)
    quote = batch.vocabulary['"']
    quotes = (batch.words[begin:first] == quote).nonzero()[0]
    if len(quotes) % 2:
        at = begin + int(quotes[-1])
        return _Found(StanceCue("quotation", {"voice": "quoted"}, "here", frozenset(), ()), at, at)
    return None


def _span(batch: NormalBatch, item: _Found) -> Span:
    return Span(int(batch.starts[item.first]), int(batch.ends[item.last]))


def _as_cue(batch: NormalBatch, item: _Found, value: str) -> Cue:
    span = _span(batch, item)
    return Cue(value, span.start, span.end)
