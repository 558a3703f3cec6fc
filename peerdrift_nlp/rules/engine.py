"""Compile packs into an engine that finds hits with their stance in a note."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from peerdrift_nlp.errors import Problem, RulePackError
from peerdrift_nlp.rules.matcher import PatternSet
from peerdrift_nlp.rules.normal import Normaliser, NormalText, common_words, shipped_lexicons
from peerdrift_nlp.rules.pack import Rule, RulePack, default_when, read_packs
from peerdrift_nlp.rules.patterns import Pattern, PatternCompiler, PatternError
from peerdrift_nlp.rules.stance import Reading, StanceReader
from peerdrift_nlp.taxonomy import taxonomy
from peerdrift_nlp.text.fold import fold
from peerdrift_nlp.text.tokens import Tokenizer
from peerdrift_nlp.types import Hit, Sentence, Span, Stance

# Circumstances that clear any indicator; others clear only those that the taxonomy names.
ALWAYS_CLEAR = ("header", "idiom", "history", "reflection", "own_experience")

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
        off: policy switches of the profile: rules of these policies are cleared.
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
        self._patterns = PatternSet([compiled[rule.id] for rule in self._rules], frequency)
        self._stance = StanceReader(self._cues, PatternSet([compiled[cue.id] for cue in self._cues], frequency))

    def _compile(self, frequency: Mapping[str, float]) -> dict[str, list[Pattern]]:
        problems: list[Problem] = []
        compiled: dict[str, list[Pattern]] = {}
        compiler = PatternCompiler(self._classes, self._norms, frequency)
        for pack in self.packs:
            for item in (*pack.rules, *pack.cues):
                compiled[item.id] = []
                for pattern in item.patterns:
                    try:
                        compiled[item.id].append(compiler.compile(pattern))
                    except PatternError as error:
                        problems.append(Problem(f"{pack.name}.toml", 0, f"{item.id}: pattern {pattern!r}: {error}"))
        if problems:
            raise RulePackError(problems)
        return compiled

    def _norms(self, phrase: str) -> list[str]:
        return self.tokenizer.norms(fold(phrase))

    def normalise(self, folded: str, sentences: Sequence[Sentence]) -> NormalText:
        """The normal form of a folded note, which ``find`` and the classifier read."""
        if self.tokenizer.is_worn:
            self._start()
        return self._normalise(folded, self.tokenizer(folded), sentences)

    def judge(
        self, note: NormalText, sentences: Sequence[Sentence], start: int, end: int, indicator: str
    ) -> tuple[Stance, str, Span | None]:
        """The stance of any stretch of a note, and what would clear ``indicator`` there ("" if nothing)."""
        first = bisect_right(note.ends, start)
        last = bisect_left(note.starts, end) - 1
        number = bisect_right(note.first_unit, first) - 1
        reading = self._stance.read(note, number, self._stance.cues_of(note, number), first, last)
        return reading.stance, *cleared(indicator, default_when(indicator), reading, sentences[number])

    def find(self, note: NormalText, sentences: Sequence[Sentence]) -> list[Hit]:
        """All hits of a note, cleared ones included, in order of their place."""
        hits: list[Hit] = []
        for number, sentence in enumerate(sentences):
            matches = _longest(self._patterns.find(note, number))
            if matches:
                cues = self._stance.cues_of(note, number)
                for first, last, owner in matches:
                    reading = self._stance.read(note, number, cues, first, last)
                    hits.append(_hit(self._rules[owner], reading, note, number, sentence, first, last))
        return hits


def _longest(matches: Iterable[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """``(first, last, owner)`` in order of place; of an owner's overlapping matches the longest."""
    kept: list[tuple[int, int, int]] = []
    for owner, first, last in sorted(matches, key=lambda item: (item[1] - item[2], item[1])):
        if not any(other == owner and first <= stop and begin <= last for begin, stop, other in kept):
            kept.append((first, last, owner))
    return sorted(kept)


def _hit(
    rule: Rule, reading: Reading, note: NormalText, number: int, sentence: Sentence, first: int, last: int
) -> Hit:
    reason, cue = cleared(rule.indicator, rule.when, reading, sentence)
    return Hit(
        rule_id=rule.id,
        indicator=rule.indicator,
        severity=rule.severity,
        start=note.starts[first],
        end=note.ends[last],
        sentence=number,
        stance=reading.stance,
        cleared_by=reason,
        clearing_cue=cue,
    )


def cleared(
    indicator: str, when: Mapping[str, frozenset[str]], reading: Reading, sentence: Sentence
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
    clearing = (*ALWAYS_CLEAR, *sorted(entry.cleared_by)) if entry else ()
    for reason in clearing:
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


def engine_from(paths: Iterable[Path] | None = None) -> RuleEngine:
    """An engine on the given pack files, or on the shipped ones."""
    return RuleEngine(read_packs(paths))
