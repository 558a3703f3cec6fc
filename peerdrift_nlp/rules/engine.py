"""Compile packs into an engine that finds hits with their stance in a note."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Mapping, Sequence, Set
from operator import itemgetter

import numpy as np

from peerdrift_nlp.errors import Problem, RulePackError
from peerdrift_nlp.rules.matcher import Match, PatternSet
from peerdrift_nlp.rules.normal import NormalBatch, Normaliser, common_words, shipped_lexicons
from peerdrift_nlp.rules.pack import Rule, RulePack, default_clearing, default_when, read_packs
from peerdrift_nlp.rules.patterns import Pattern, PatternCompiler, PatternError
from peerdrift_nlp.rules.stance import Reading, StanceReader, read_stance
from peerdrift_nlp.taxonomy import taxonomy
from peerdrift_nlp.text.fold import fold
from peerdrift_nlp.text.sentences import split_sentences
from peerdrift_nlp.text.tokens import Tokenizer
from peerdrift_nlp.types import Hit, Sentence, Span, Stance

# Circumstances that clear any indicator; others clear only those that the taxonomy or the rule names.
ALWAYS_CLEAR = ("header", "idiom", "history", "reflection")

_STATUS_REASON = {
    "declined": "declined",
    "hypothetical": "hypothetical",
    "asked": "reported_speech",
    "regretted": "reflection",
}


class RuleEngine:
    """Tokenizer, lexicons, rules and stance, ready to read notes. Keep one for each thread.

    Args:
        packs: rule packs, the shipped ones by default.
    """

    def __init__(self, packs: Sequence[RulePack] | None = None) -> None:
        self.packs = tuple(read_packs() if packs is None else packs)
        self.rules: dict[str, Rule] = {rule.id: rule for pack in self.packs for rule in pack.rules}
        self._rules = list(self.rules.values())
        self._cues = [cue for pack in self.packs for cue in pack.cues]
        self._classes = {name: phrases for pack in self.packs for name, phrases in pack.classes.items()}
        self._start()

    def _start(self) -> None:
        self.tokenizer = Tokenizer()
        verbs = frozenset(self._classes.get("verb", ()))
        frequency = common_words()
        self._normalise = Normaliser(shipped_lexicons(), frequency, verbs, self.tokenizer)
        compiled = self._compile(frequency)
        vocabulary = self.tokenizer.vocabulary
        self._patterns = PatternSet([compiled[rule.id] for rule in self._rules], vocabulary)
        self._stance = StanceReader(self._cues, PatternSet([compiled[cue.id] for cue in self._cues], vocabulary))

    def _compile(self, frequency: Mapping[str, float]) -> dict[str, list[Pattern]]:
        problems: list[Problem] = []
        compiled: dict[str, list[Pattern]] = {}
        compiler = PatternCompiler(self._classes, self._norms, frequency)
        for pack in self.packs:
            owned = [*((rule.id, rule.patterns) for rule in pack.rules), *((cue.id, cue.patterns) for cue in pack.cues)]
            for name, patterns in owned:
                compiled[name] = []
                for pattern in patterns:
                    try:
                        compiled[name].append(compiler.compile(pattern))
                    except PatternError as error:
                        problems.append(Problem(f"{pack.name}.toml", 0, f"{name}: pattern {pattern!r}: {error}"))
        if problems:
            raise RulePackError(problems)
        return compiled

    def _norms(self, phrase: str) -> list[str]:
        return self.tokenizer.norms(fold(phrase))

    def normalise(self, folded: Sequence[str], sentences: Sequence[Sequence[Sentence]]) -> NormalBatch:
        """The normal form of a batch of folded notes, which ``find`` and the classifier read."""
        if self.tokenizer.is_worn:
            self._start()
        return self._normalise(folded, sentences)

    def find(self, batch: NormalBatch, sentences: Sequence[Sequence[Sentence]]) -> list[list[Hit]]:
        """The hits of each note of a batch, cleared ones included, in order of their place."""
        matches = self._patterns.find(batch, np.arange(batch.first_sentence[-1]))
        cues = self._stance.cues_in(batch, np.array(sorted(matches), dtype=np.int64))
        hits: list[list[Hit]] = []
        for note, units in enumerate(sentences):
            begin = batch.first_sentence[note]
            hits.append(
                [
                    self._hit(
                        batch,
                        match,
                        read_stance(batch, cues[number], match.first, match.last),
                        number - begin,
                        unit,
                    )
                    for number, unit in enumerate(units, begin)
                    if number in matches
                    for match in _longest(matches[number])
                ]
            )
        return hits

    def judge(self, text: str, start: int, end: int, indicator: str) -> tuple[Stance, str, Span | None]:
        """The stance of any stretch of a note, and what would clear ``indicator`` there ("" if nothing)."""
        folded = fold(text)
        sentences = split_sentences(folded)
        batch = self.normalise([folded], [sentences])
        first = int(np.searchsorted(batch.ends, start, side="right"))
        last = int(np.searchsorted(batch.starts, end)) - 1
        number = int(np.searchsorted(batch.first_unit, first, side="right")) - 1
        cues = self._stance.cues_in(batch, np.array([number]))
        reading = read_stance(batch, cues[number], first, last)
        when, clearing = default_when(indicator), default_clearing(indicator)
        return reading.stance, *cleared(indicator, when, clearing, reading, sentences[number])

    def _hit(self, batch: NormalBatch, match: Match, reading: Reading, number: int, sentence: Sentence) -> Hit:
        rule = self._rules[match.owner]
        reason, cue = cleared(rule.indicator, rule.when, rule.cleared_by, reading, sentence)
        return Hit(
            rule_id=rule.id,
            indicator=rule.indicator,
            severity=rule.severity,
            start=int(batch.starts[match.first]),
            end=int(batch.ends[match.last]),
            sentence=number,
            stance=reading.stance,
            cleared_by=reason,
            clearing_cue=cue,
        )


def _longest(matches: Sequence[Match]) -> Sequence[Match]:
    """Matches, which come in order of place; of an owner's overlapping ones the longest."""
    if len(matches) == 1 or len({match.owner for match in matches}) == len(matches):
        return matches
    kept: dict[int, list[Match]] = {}
    for match in sorted(matches, key=lambda item: (item.first - item.last, item.first)):
        # An owner's are disjoint and in order of place, so only the neighbours can overlap.
        of_owner = kept.setdefault(match.owner, [])
        place = bisect(of_owner, match)
        is_free_before = not place or of_owner[place - 1].last < match.first
        if is_free_before and (place == len(of_owner) or match.last < of_owner[place].first):
            of_owner.insert(place, match)
    return sorted((match for of_owner in kept.values() for match in of_owner), key=itemgetter(1, 2, 0))


def cleared(
    indicator: str, when: Mapping[str, frozenset[str]], clearing: Set[str], reading: Reading, sentence: Sentence
) -> tuple[str, Span | None]:
    """The look-alike reason that clears a hit ("" where it stands) and the words that did."""
    if sentence.kind in ("heading", "signature", "field"):
        return "header", Span(sentence.start, sentence.end)
    stance = reading.stance
    if stance.voice not in when["voice"]:
        reason = "quotation" if stance.voice == "quoted" else "reported_speech"
        return reason, _cue_span(reading, stance.voice)
    if stance.status not in when["status"]:
        return _STATUS_REASON[stance.status], _cue_span(reading, stance.status)
    entry = taxonomy().indicators.get(indicator)
    if entry and reading.clears:
        for reason in (*ALWAYS_CLEAR, *sorted(clearing)):
            if reason in reading.clears:
                return reason, reading.clears[reason]
    if stance.actor not in when["actor"]:
        by_person = entry is not None and stance.actor == "person"
        return entry.person_reason if entry and by_person else "other_actor", _cue_span(reading, stance.actor)
    if stance.initiator not in when["initiator"]:
        return "linking", _cue_span(reading, stance.initiator)
    return "", None


def _cue_span(reading: Reading, kind: str) -> Span | None:
    return next((Span(cue.start, cue.end) for cue in reading.stance.cues if cue.kind == kind), None)
