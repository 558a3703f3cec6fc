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
from typing import Any, NamedTuple

import numpy as np

from peerdrift_nlp.rules.automata import Places
from peerdrift_nlp.rules.matcher import Match, PatternSet
from peerdrift_nlp.rules.normal import NormalBatch
from peerdrift_nlp.rules.pack import StanceCue
from peerdrift_nlp.text.tokens import Bools
from peerdrift_nlp.types import Cue, Span, Stance

_QUESTIONS = ("actor", "voice", "status", "initiator")
# Where several forward cues reach a hit, the one that says least was done prevails.
_STATUS_ORDER = ("declined", "regretted", "hypothetical", "asked", "planned", "done")


class _Found(NamedTuple):
    """A cue where it was found: units of the batch, both ends included."""

    cue: StanceCue
    first: int
    last: int


class SentenceCues(NamedTuple):
    """The cues of a sentence in order.

    Attributes:
        answers: those that answer a question.
        turns: those that end a reach.
        quotes: its quotation marks, as units, each with whether it can open a quotation.
    """

    answers: list[_Found]
    turns: list[_Found]
    quotes: list[tuple[int, bool]]


class Reading(NamedTuple):
    """The stance of one hit and the circumstances that could clear it, by look-alike reason."""

    stance: Stance
    clears: Mapping[str, Span]


_SILENT = Reading(Stance(), {})


class StanceReader:
    """Reads the stance of hits with compiled cues."""

    def __init__(self, cues: Sequence[StanceCue], patterns: PatternSet) -> None:
        self._cues = [(cue, "turn" in cue.sets) for cue in cues]
        self._patterns = patterns

    def cues_in(self, batch: NormalBatch, sentences: Places) -> dict[int, SentenceCues]:
        """The cues of each of the given sentences."""
        matches = self._patterns.find(batch, sentences)
        quotes = np.flatnonzero(batch.words == batch.vocabulary['"'])
        marks = list(zip(quotes.tolist(), _can_open(batch, quotes).tolist(), strict=True))
        firsts = np.searchsorted(quotes, batch.first_unit[sentences]).tolist()
        stops = np.searchsorted(quotes, batch.first_unit[sentences + 1]).tolist()
        return {
            sentence: self._sorted(matches.get(sentence, ()), marks[first:stop])
            for sentence, first, stop in zip(sentences.tolist(), firsts, stops, strict=True)
        }

    def _sorted(self, matches: Sequence[Match], quotes: list[tuple[int, bool]]) -> SentenceCues:
        answers: list[_Found] = []
        turns: list[_Found] = []
        for owner, first, last in matches:
            cue, is_turn = self._cues[owner]
            (turns if is_turn else answers).append(_Found(cue, first, last))
        return SentenceCues(answers, turns, quotes)


def read_stance(batch: NormalBatch, cues: SentenceCues, first: int, last: int) -> Reading:
    """The stance of the units ``first`` to ``last`` (included) of a sentence, read from its cues."""
    speaking: dict[str, list[_Found]] = {}
    for item in cues.answers:
        if _reaches(item, first, last, cues.turns):
            for question in item.cue.sets:
                speaking.setdefault(question, []).append(item)
    if quote := _quoted(cues, first):
        speaking["voice"] = [quote]
    if not speaking:
        return _SILENT
    answers = {question: _decide(speaking[question], question) for question in _QUESTIONS if question in speaking}
    values: dict[str, Any] = {question: item.cue.sets[question] for question, item in answers.items()}
    found = tuple(Cue(values[question], *_offsets(batch, item)) for question, item in answers.items())
    clears = {item.cue.sets["clears"]: Span(*_offsets(batch, item)) for item in speaking.get("clears", ())}
    return Reading(Stance(**values, cues=found), clears)


def _reaches(item: _Found, first: int, last: int, turns: Sequence[_Found]) -> bool:
    cue, begin, end = item
    scope = cue.scope
    if scope == "here":
        return begin <= last and end >= first
    if scope == "around":
        return begin <= first and end >= last
    if scope == "sentence":
        after, upto = (end, first) if begin <= first else (last, begin)
    elif scope == "forward":
        # The hit may begin with its own subject ("I told him to"), but not with what denies it.
        if begin > first or (end >= first and "actor" not in cue.sets):
            return False
        after, upto = end, first
    else:
        if end < last or begin < first:
            return False
        after, upto = last, begin
    if cue.until:
        for turn in turns:
            if turn.first > upto:
                break
            if turn.last > after and turn.cue.id in cue.until and turn.first != begin:
                return False
    return True


def _decide(speaking: Sequence[_Found], question: str) -> _Found:
    """The cue, of those that reach and speak to a question, that answers it."""
    if len(speaking) == 1:
        return speaking[0]
    later = [item for item in speaking if item.cue.scope == "backward"]
    here = [item for item in speaking if item.cue.scope == "here"]
    # What the writer says is the writer's act, whatever the subject of the clause that is said.
    telling = [item for item in speaking if question == "actor" and item.cue.sets.get("voice") == "own"]
    if question == "status" and not later and not here:
        return min(speaking, key=lambda item: _STATUS_ORDER.index(item.cue.sets["status"]))
    return (later or here or telling or speaking)[-1]


def _can_open(batch: NormalBatch, quotes: Places) -> Bools:
    """Whether each mark can open a quotation: not one that clings to the word before it only, as an inch mark does."""
    before, after = np.maximum(quotes - 1, 0), np.minimum(quotes + 1, len(batch.words) - 1)
    opens_sentence, closes_sentence = np.isin(quotes, batch.first_unit), np.isin(quotes + 1, batch.first_unit)
    clings_before = (batch.ends[before] == batch.starts[quotes]) & ~opens_sentence
    clings_after = (batch.ends[quotes] == batch.starts[after]) & ~closes_sentence
    can_open: Bools = clings_after | ~clings_before
    return can_open


def _quoted(cues: SentenceCues, first: int) -> _Found | None:
    """The opening quotation mark before ``first`` that is still open there, unless the writer is quoted."""
    at: int | None = None
    for mark, can_open in cues.quotes:
        if mark >= first:
            break
        at = mark if at is None and can_open else None
    if at is None or any(item.cue.id == "voice.own" and item.last <= at for item in cues.answers):
        return None
    return _Found(StanceCue("quotation", {"voice": "quoted"}, "here", frozenset(), ()), at, at)


def _offsets(batch: NormalBatch, item: _Found) -> tuple[int, int]:
    return int(batch.starts[item.first]), int(batch.ends[item.last])
