"""Hits and probabilities to findings, strengths and look-alikes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from operator import attrgetter
from typing import NamedTuple

import numpy as np

from peerdrift_nlp.classifier.bundle import Bundle
from peerdrift_nlp.classifier.features import is_scored
from peerdrift_nlp.classifier.linear import Floats
from peerdrift_nlp.classifier.scorer import Features, Ints, rows_of
from peerdrift_nlp.rules.normal import NormalBatch
from peerdrift_nlp.rules.pack import Rule
from peerdrift_nlp.taxonomy import LABELS, ROLE_CONSISTENT, taxonomy
from peerdrift_nlp.text.tokens import Ints as Offsets
from peerdrift_nlp.types import Evidence, Finding, Hit, LookAlike, Origin, Sentence, Span, Strength, Weight

UNSURE = "unsure"
"""The reason of a look-alike that the rules would flag and the model finds unlikely."""

_WORDS_SHOWN = 3
_FREE = ("policy", "header")
_WISHED, _VERY_SURE = "own_pathway", 0.9
_WORDING = frozenset({"clinical.jargon"})


class Decision(NamedTuple):
    """What is to be reported of a note, each list in order of place."""

    findings: list[Finding]
    strengths: list[Strength]
    look_alikes: list[LookAlike]


class Decider:
    """Turns what rules and model say of a note into its report's parts.

    Args:
        bundle: the model.
        rules: all rules by id.
        operating_point: whose thresholds hold.
        withheld: policies that the program does not have; the corpus takes them as allowed.
    """

    def __init__(
        self, bundle: Bundle, rules: Mapping[str, Rule], operating_point: str, withheld: Set[str] = frozenset()
    ) -> None:
        self._bundle = bundle
        self._rules = rules
        self._thresholds = bundle.thresholds[operating_point]
        outputs = bundle.model.outputs
        learnt = bundle.model.column_of
        self._unlearnt = {
            name for name, rule in rules.items() if f"rule={name}" not in learnt or rule.policy in withheld
        }
        self._bars = np.array([self._thresholds[label] for label in LABELS])
        self._refined = {label: _columns_of(label, outputs) for label in LABELS}

    def decide(
        self, batch: NormalBatch, sentences: Sequence[Sequence[Sentence]], hits: Sequence[Sequence[Hit]],
        scores: Floats, features: Features,
    ) -> list[Decision]:  # fmt: skip
        """What is to be reported of each note of a batch.

        Args:
            batch: the normal form of the notes.
            sentences: the units of each.
            hits: those of each, policies applied.
            scores: the classifier's probabilities, shape ``(sentences, labels)``.
            features: what the model knows of the sentences.
        """
        decisions = [Decision([], [], []) for _ in sentences]
        verdicts: list[_Verdict] = []
        for view in self._views(batch, sentences, hits, scores):
            found = list(self._verdicts(view)) if is_scored(view.sentence) else []
            verdicts.extend(found)
            flagged = {verdict.label for verdict in found}
            decisions[view.note].look_alikes.extend(_look_alikes(view.hits, flagged))
        drift = [verdict for verdict in verdicts if verdict.label != ROLE_CONSISTENT]
        words = self._words(drift, batch, features)
        for verdict, names in zip(verdicts, self._names(verdicts, features), strict=True):
            decision = decisions[verdict.view.note]
            if verdict.label == ROLE_CONSISTENT:
                decision.strengths.append(_strength(verdict, names[0]))
            else:
                weighed = next(words)
                decision.findings.extend(_finding(verdict, name, weighed, self._rules) for name in names)
        return decisions

    def _views(
        self, batch: NormalBatch, sentences: Sequence[Sequence[Sentence]], hits: Sequence[Sequence[Hit]], scores: Floats
    ) -> Iterator[_View]:
        """The sentences of which something may be said, in order."""
        here: dict[int, list[Hit]] = {}
        for begin, of_note in zip(batch.first_sentence, hits, strict=False):
            for hit in of_note:
                here.setdefault(begin + hit.sentence, []).append(hit)
        likely: dict[int, list[int]] = {}
        for number, column in np.argwhere(scores >= self._bars).tolist():
            likely.setdefault(number, []).append(column)
        numbers = sorted(likely.keys() | here.keys())
        notes = np.searchsorted(batch.first_sentence, numbers, side="right") - 1
        for number, note, row in zip(numbers, notes.tolist(), scores[numbers].tolist(), strict=True):
            sentence = sentences[note][number - batch.first_sentence[note]]
            yield _View(note, number, sentence, here.get(number, ()), row, likely.get(number, ()))

    def _verdicts(self, view: _View) -> Iterator[_Verdict]:
        """The labels that a sentence is given."""
        standing: dict[str, list[Hit]] = {}
        free: set[str] = set()
        wished: set[str] = set()
        for hit in view.hits:
            label = hit.indicator.partition(".")[0]
            if not hit.cleared_by:
                standing.setdefault(label, []).append(hit)
            elif hit.cleared_by in _FREE:
                # What the program allows or calls so stays free, however sure the model is.
                free.add(label)
            elif hit.cleared_by == _WISHED:
                # Against a wish of the person's own that the rules have read, the model must be very sure.
                wished.add(label)
        for column in sorted({*view.likely, *map(LABELS.index, standing)}):
            label = LABELS[column]
            evidence = standing.get(label, ())
            probability = view.scores[column]
            if label in wished and not evidence and probability < _VERY_SURE:
                continue
            origin = self._origin(evidence, probability, self._thresholds[label])
            if origin and (evidence or label == ROLE_CONSISTENT or label not in free):
                yield _Verdict(view, label, column, probability, origin, evidence)

    def _origin(self, evidence: Sequence[Hit], probability: float, bar: float) -> Origin | None:
        """Who speaks: the model, rules, or both; None where neither is sure enough.

        Of an agency's own rules, of some rare ones, and of those whose policy the program withholds, the model has
        learnt nothing, or something else: they speak for themselves.
        """
        if probability >= bar:
            return "both" if evidence else "model"
        return "rule" if any(hit.rule_id in self._unlearnt for hit in evidence) else None

    def _names(self, verdicts: Sequence[_Verdict], features: Features) -> list[list[str]]:
        """The indicators or practices of each verdict: of its hits, or the one that the model finds likeliest."""
        names = [list(dict.fromkeys(hit.indicator for hit in verdict.evidence)) for verdict in verdicts]
        unnamed: dict[str, list[int]] = {}
        for number, verdict in enumerate(verdicts):
            if not names[number]:
                unnamed.setdefault(verdict.label, []).append(number)
        model = self._bundle.model
        for label, numbers in unnamed.items():
            columns = self._refined[label]
            rows, counts = rows_of(features.first, np.array([verdicts[number].view.number for number in numbers]))
            slope, offset = model.calibration[columns].T
            log_odds = model.scores(features.columns[rows], counts, columns) * slope + offset
            for number, best in zip(numbers, log_odds.argmax(axis=1).tolist(), strict=True):
                names[number] = [model.outputs[columns][best]]
        return names

    def _words(
        self, verdicts: Sequence[_Verdict], batch: NormalBatch, features: Features
    ) -> Iterator[tuple[Weight, ...]]:
        """The words that weighed most for each verdict, in order of place."""
        model, grams = self._bundle.model, features.grams
        sentences = np.array([verdict.view.number for verdict in verdicts], dtype=np.int64)
        labels = np.array([verdict.column for verdict in verdicts], dtype=np.int64)
        rows, counts = rows_of(grams.first, sentences)
        columns, label = grams.columns[rows], np.repeat(labels, counts)
        weights = model.idf[columns] / np.repeat(self._norms(sentences, features), counts)
        parts = model.coef[columns, label] * weights * model.calibration[label, 0]
        spoke = parts > 0
        parts, rows, verdict = parts[spoke], rows[spoke], np.repeat(np.arange(len(verdicts)), counts)[spoke]
        starts, ends = batch.starts[grams.begins[rows]], batch.ends[grams.lasts[rows]]
        shown: list[list[Weight]] = [[] for _ in verdicts]
        for _ in range(_WORDS_SHOWN):
            at, place_of = _heaviest(verdict, parts, starts, ends)
            chosen = (column[at].tolist() for column in (verdict, starts, ends, parts))
            for number, start, end, weight in zip(*chosen, strict=True):
                shown[number].append(Weight(start, end, round(weight, 3)))
            apart = (ends <= starts[at][place_of]) | (ends[at][place_of] <= starts)
            verdict, parts, starts, ends = (column[apart] for column in (verdict, parts, starts, ends))
        return (tuple(sorted(words, key=attrgetter("start"))) for words in shown)

    def _norms(self, sentences: Ints, features: Features) -> Floats:
        """By what the weights of each sentence are divided."""
        rows, counts = rows_of(features.first, sentences)
        squares = self._bundle.model.idf[features.columns[rows]] ** 2
        sums = np.bincount(np.repeat(np.arange(len(sentences)), counts), squares, minlength=len(sentences))
        return np.sqrt(sums).astype(np.float32)


class _View(NamedTuple):
    """What is known of one sentence; ``number`` counts the sentences of the batch.

    ``likely`` are the columns of the labels that the model alone would give.
    """

    note: int
    number: int
    sentence: Sentence
    hits: Sequence[Hit]
    scores: Sequence[float]
    likely: Sequence[int]


class _Verdict(NamedTuple):
    """A label that a sentence is given, and the hits that stand for it."""

    view: _View
    label: str
    column: int
    probability: float
    origin: Origin
    evidence: Sequence[Hit]


def _heaviest(verdict: Ints, parts: Floats, starts: Offsets, ends: Offsets) -> tuple[Ints, Ints]:
    """For each verdict the row with the largest part, the last in place of several; for each row its verdict's place.

    Args:
        verdict: of each row, in order.
        parts: what the words of each row add.
        starts: where the words of each row start.
        ends: where they end.
    """
    firsts = np.append(True, verdict[1:] != verdict[:-1])[: len(verdict)]
    heads, place_of = firsts.nonzero()[0], np.cumsum(firsts) - 1
    candidates = (parts == np.maximum.reduceat(parts, heads)[place_of]).nonzero()[0]
    order = candidates[np.lexsort((ends[candidates], starts[candidates], verdict[candidates]))]
    lasts = np.append(verdict[order][1:] != verdict[order][:-1], True)[: len(order)]
    return order[lasts], place_of


def _columns_of(label: str, outputs: Sequence[str]) -> slice:
    """The columns of a label's indicators or practices, which stand side by side."""
    places = [number for number, name in enumerate(outputs) if name.startswith(f"{label}.")]
    return slice(places[0], places[-1] + 1)


def _strength(verdict: _Verdict, name: str) -> Strength:
    sentence = verdict.view.sentence
    return Strength(name.partition(".")[2], round(verdict.probability, 4), sentence.start, sentence.end)


def _finding(verdict: _Verdict, name: str, words: tuple[Weight, ...], rules: Mapping[str, Rule]) -> Finding:
    codebook, sentence = taxonomy(), verdict.view.sentence
    entry = codebook.indicators[name]
    evidence = [hit for hit in verdict.evidence if hit.indicator == name]
    worst = max(evidence, key=lambda hit: hit.severity, default=None)
    return Finding(
        id=f"{entry.name}@{sentence.start}",
        label=entry.label,
        indicator=entry.name,
        locus=entry.locus,
        severity=worst.severity if worst else 1 if entry.name in _WORDING else 2,
        probability=round(verdict.probability, 4),  # as it is written, so that a report read back is the same
        start=min(hit.start for hit in evidence) if worst else sentence.start,
        end=max(hit.end for hit in evidence) if worst else sentence.end,
        sentence=Span(sentence.start, sentence.end),
        origin=verdict.origin,
        evidence=tuple(Evidence(hit.rule_id, hit.start, hit.end, hit.stance) for hit in evidence),
        words=words,
        reason=rules[worst.rule_id].message if worst else entry.reason,
        guideline=codebook.guidelines[entry.guideline],
        question=entry.question,
        clears=entry.clears,
        alternative=entry.alternative,
    )


def _look_alikes(hits: Sequence[Hit], flagged: Set[str]) -> Iterator[LookAlike]:
    """Hits that did not become findings, one for each indicator and reason."""
    seen: set[tuple[str, str]] = set()
    for hit in hits:
        label = hit.indicator.partition(".")[0]
        reason = hit.cleared_by or UNSURE
        if label == ROLE_CONSISTENT or label in flagged or (hit.indicator, reason) in seen:
            continue
        seen.add((hit.indicator, reason))
        yield LookAlike(hit.rule_id, hit.indicator, hit.start, hit.end, reason, hit.clearing_cue)
