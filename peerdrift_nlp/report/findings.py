"""Hits, probabilities and the program's policies to findings, strengths and look-alikes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from peerdrift_nlp.classifier.bundle import Bundle, Thresholds
from peerdrift_nlp.classifier.features import is_scored
from peerdrift_nlp.classifier.linear import Floats, LinearModel
from peerdrift_nlp.classifier.scorer import Grams
from peerdrift_nlp.report.profile import Profile
from peerdrift_nlp.rules.normal import NormalBatch
from peerdrift_nlp.rules.pack import Rule
from peerdrift_nlp.taxonomy import LABELS, ROLE_CONSISTENT, Indicator, taxonomy
from peerdrift_nlp.text.fold import fold
from peerdrift_nlp.types import Evidence, Finding, Hit, LookAlike, Origin, Sentence, Span, Strength, Weight

UNSURE = "unsure"
"""The reason of a look-alike that the rules would flag and the model finds unlikely."""

_FLAG_LABELS = tuple(label for label in LABELS if label != ROLE_CONSISTENT)
_WORDS_SHOWN = 3
_FREE = ("policy", "header")
_WORDING = frozenset({"clinical.jargon"})


class Decider:
    """Turns what rules and model say of a note into its report's parts."""

    def __init__(self, bundle: Bundle, rules: Mapping[str, Rule], profile: Profile, operating_point: str) -> None:
        self._bundle = bundle
        self._rules = rules
        self._profile = profile
        self._thresholds = bundle.thresholds[operating_point]
        self._free = ((_as_words(profile.required_phrases), "policy"), (_as_words(profile.program_names), "header"))
        outputs = bundle.model.outputs
        self._bars = np.array([min(t.alone, t.with_rule) for t in (self._thresholds[label] for label in LABELS)])
        self._base_log_odds = bundle.model.intercept * bundle.model.calibration[:, 0] + bundle.model.calibration[:, 1]
        self._column = {name: number for number, name in enumerate(outputs)}
        self._flags = [(label, self._column[label], self._thresholds[label].alone) for label in _FLAG_LABELS]
        self._refined = {label: _columns_of(label, outputs) for label in LABELS}

    def apply_policies(self, hits: Sequence[Hit], folded: str) -> list[Hit]:
        """The hits, those cleared that the profile allows."""
        allowed = self._profile.allowed
        free = [
            (*match.span(), reason) for pattern, reason in self._free if pattern for match in pattern.finditer(folded)
        ]
        if not allowed and not free:
            return list(hits)
        return [self._with_policy(hit, free) for hit in hits]

    def _with_policy(self, hit: Hit, free: Sequence[tuple[int, int, str]]) -> Hit:
        if hit.cleared_by:
            return hit
        if self._rules[hit.rule_id].policy in self._profile.allowed:
            return replace(hit, cleared_by="policy")
        for start, end, reason in free:
            if start < hit.end and hit.start < end:
                return replace(hit, cleared_by=reason, clearing_cue=Span(start, end))
        return hit

    def decide(
        self, batch: NormalBatch, note: int, sentences: Sequence[Sentence], hits: Sequence[Hit],
        others: Sequence[Sequence[str]], scores: Floats, grams: Grams,
    ) -> tuple[tuple[Finding, ...], tuple[Strength, ...], tuple[LookAlike, ...]]:  # fmt: skip
        """Findings, strengths and look-alikes of a note, each in order of place.

        Args:
            batch: the normal form of the notes read together.
            note: which of them.
            sentences: its units.
            hits: policies applied.
            others: for each unit the classifier's features beside its words.
            scores: its probabilities, shape ``(sentences, labels)``.
            grams: what the model knows of the words of the notes read together.
        """
        by_sentence: dict[int, list[Hit]] = {}
        for hit in hits:
            by_sentence.setdefault(hit.sentence, []).append(hit)
        findings: list[Finding] = []
        strengths: list[Strength] = []
        look_alikes: list[LookAlike] = []
        above_a_bar = np.flatnonzero((scores >= self._bars).any(axis=1)).tolist()
        for number in sorted({*above_a_bar, *by_sentence}):
            here = by_sentence.get(number, [])
            if not is_scored(sentences[number]):
                look_alikes.extend(_look_alikes(here, frozenset()))
                continue
            view = _View(
                sentences[number], here, others[number], scores[number].tolist(), self._bundle.model,
                grams, batch.first_sentence[note] + number,
            )  # fmt: skip
            found = [
                finding
                for label, column, alone in self._flags
                if view.scores[column] >= alone or label in view.standing
                for finding in self._label_findings(label, view, batch)
            ]
            findings.extend(found)
            strengths.extend(self._strengths(view))
            look_alikes.extend(_look_alikes(here, frozenset(finding.label for finding in found)))
        return tuple(findings), tuple(strengths), tuple(look_alikes)

    def _label_findings(self, label: str, view: _View, batch: NormalBatch) -> Iterator[Finding]:
        standing = view.standing.get(label, ())
        probability = view.scores[self._column[label]]
        origin = _origin(bool(standing), probability, self._thresholds[label])
        if origin is None:
            return
        here = [hit for hit in view.hits if hit.indicator.startswith(f"{label}.")]
        if not standing and any(hit.cleared_by in _FREE for hit in here):
            return  # what the program allows or calls so stays free, however sure the model is
        names = list(dict.fromkeys(hit.indicator for hit in standing)) or [self._likeliest(label, view)]
        words = self._words(label, view, batch)
        for name in names:
            entry = taxonomy().indicators[name]
            evidence = [hit for hit in standing if hit.indicator == name]
            yield _finding(entry, view.sentence, evidence, probability, origin, words, self._rules)

    def _likeliest(self, label: str, view: _View) -> str:
        """The indicator or practice that the model finds likeliest within a label."""
        columns = self._refined[label]
        log_odds = view.contributions(columns).sum(axis=0) + self._base_log_odds[columns]
        names = self._bundle.model.outputs[columns]
        return names[int(log_odds.argmax())]

    def _words(self, label: str, view: _View, batch: NormalBatch) -> tuple[Weight, ...]:
        """The words that weighed most for a label, in order of place."""
        column = self._column[label]
        parts = view.contributions(slice(column, column + 1))[:, 0].tolist()
        weights = dict(zip(view.columns, parts, strict=True))
        weighed = [(weights[known], first, last) for known, first, last in view.grams if weights[known] > 0]
        shown: list[tuple[float, int, int]] = []
        for weight, first, last in sorted(weighed, reverse=True):
            if all(last < begin or end < first for _, begin, end in shown):
                shown.append((weight, first, last))
                if len(shown) == _WORDS_SHOWN:
                    break
        return tuple(
            Weight(int(batch.starts[first]), int(batch.ends[last]), weight)
            for weight, first, last in sorted(shown, key=lambda item: item[1])
        )

    def _strengths(self, view: _View) -> Iterator[Strength]:
        standing = view.standing.get(ROLE_CONSISTENT, ())
        probability = view.scores[self._column[ROLE_CONSISTENT]]
        if _origin(bool(standing), probability, self._thresholds[ROLE_CONSISTENT]) is None:
            return
        name = standing[0].indicator if standing else self._likeliest(ROLE_CONSISTENT, view)
        yield Strength(name.partition(".")[2], probability, view.sentence.start, view.sentence.end)


@dataclass(frozen=True)
class _View:
    """All that is known of one sentence; ``number`` counts the sentences of the batch."""

    sentence: Sentence
    hits: Sequence[Hit]
    others: Sequence[str]
    scores: list[float]
    model: LinearModel
    of_batch: Grams
    number: int

    @cached_property
    def grams(self) -> list[tuple[int, int, int]]:
        """The words, pairs and triples that the model knows."""
        return self.of_batch.of(self.number)

    @cached_property
    def standing(self) -> dict[str, list[Hit]]:
        """The hits that nothing cleared, by label."""
        standing: dict[str, list[Hit]] = {}
        for hit in self.hits:
            if not hit.cleared_by:
                standing.setdefault(hit.indicator.partition(".")[0], []).append(hit)
        return standing

    @cached_property
    def columns(self) -> list[int]:
        """The features that the model knows, each once."""
        return list(dict.fromkeys([*(column for column, _, _ in self.grams), *self.model.known(self.others).values()]))

    @cached_property
    def weights(self) -> Floats:
        """The weight of each known feature in its sentence."""
        return self.model.weights(self.columns)

    def contributions(self, outputs: slice) -> Floats:
        """What each known feature adds to some of the outputs."""
        return self.model.parts(self.columns, self.weights, outputs)


def _columns_of(label: str, outputs: Sequence[str]) -> slice:
    """The columns of a label's indicators or practices, which stand side by side."""
    places = [number for number, name in enumerate(outputs) if name.startswith(f"{label}.")]
    return slice(places[0], places[-1] + 1)


def _origin(has_rule: bool, probability: float, thresholds: Thresholds) -> Origin | None:
    if probability >= thresholds.alone:
        return "both" if has_rule else "model"
    return "rule" if has_rule and probability >= thresholds.with_rule else None


def _finding(
    entry: Indicator, sentence: Sentence, evidence: Sequence[Hit], probability: float, origin: Origin,
    words: tuple[Weight, ...], rules: Mapping[str, Rule],
) -> Finding:  # fmt: skip
    worst = max(evidence, key=lambda hit: hit.severity, default=None)
    return Finding(
        id=f"{entry.name}@{sentence.start}",
        label=entry.label,
        indicator=entry.name,
        locus=entry.locus,
        severity=worst.severity if worst else 1 if entry.name in _WORDING else 2,
        probability=probability,
        start=min((hit.start for hit in evidence), default=sentence.start),
        end=max((hit.end for hit in evidence), default=sentence.end),
        sentence=Span(sentence.start, sentence.end),
        origin=origin,
        evidence=tuple(Evidence(hit.rule_id, hit.start, hit.end, hit.stance) for hit in evidence),
        words=words,
        reason=rules[worst.rule_id].message if worst else entry.reason,
        guideline=taxonomy().guidelines[entry.guideline],
        question=entry.question,
        clears=entry.clears,
        alternative=entry.alternative,
    )


def _look_alikes(hits: Sequence[Hit], flagged: frozenset[str]) -> Iterator[LookAlike]:
    """Hits that did not become findings, one for each indicator and reason."""
    seen: set[tuple[str, str]] = set()
    for hit in hits:
        label = hit.indicator.partition(".")[0]
        reason = hit.cleared_by or UNSURE
        if label == ROLE_CONSISTENT or label in flagged or (hit.indicator, reason) in seen:
            continue
        seen.add((hit.indicator, reason))
        yield LookAlike(hit.rule_id, hit.indicator, hit.start, hit.end, reason, hit.clearing_cue)


def _as_words(phrases: Sequence[str]) -> re.Pattern[str] | None:
    """A pattern that finds phrases as whole words, however they are cased, quoted or spaced."""
    found = [r"\s+".join(map(re.escape, fold(phrase).split())) for phrase in phrases]
    return re.compile(rf"(?<!\w)(?:{'|'.join(found)})(?!\w)", re.IGNORECASE) if found else None
