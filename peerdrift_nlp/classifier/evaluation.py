"""How good is it on writers that it has never seen: figures with intervals, beside a keyword baseline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from peerdrift_nlp.classifier.corpus import ContrastPair, LabelledNote, LabelledSentence
from peerdrift_nlp.taxonomy import DRIFT_LABELS, LABELS, ROLE_CONSISTENT

FLAG_LABELS = (*DRIFT_LABELS, "organizational")
_FLAGGED = frozenset(FLAG_LABELS)


@dataclass(frozen=True)
class Verdict:
    """What a tool said of one sentence: indicators flagged, practices seen, probabilities of labels."""

    indicators: frozenset[str]
    role_consistent: bool
    probabilities: tuple[float, ...]

    @property
    def labels(self) -> frozenset[str]:
        """The labels of the flagged indicators."""
        return frozenset(name.partition(".")[0] for name in self.indicators)

    def where_judged(self, gold: LabelledSentence) -> Verdict:
        """The verdict without the labels that nobody judged in the sentence: there it is neither right nor wrong.

        Their probabilities become nan.
        """
        if gold.unknown.isdisjoint(LABELS):
            return self
        return Verdict(
            frozenset(name for name in self.indicators if name.partition(".")[0] not in gold.unknown),
            self.role_consistent and ROLE_CONSISTENT not in gold.unknown,
            tuple(
                float("nan") if label in gold.unknown else probability
                for label, probability in zip(LABELS, self.probabilities, strict=True)
            ),
        )


@dataclass(frozen=True)
class Judged:
    """One labelled sentence with the verdict on it, as far as the sentence was judged."""

    note: LabelledNote
    gold: LabelledSentence
    verdict: Verdict

    def __post_init__(self) -> None:
        """Leave out of the verdict what nobody can say is right or wrong."""
        object.__setattr__(self, "verdict", self.verdict.where_judged(self.gold))

    @cached_property
    def gold_labels(self) -> frozenset[str]:
        """The labels that the sentence should get."""
        return frozenset(self.gold.labels)

    @cached_property
    def flagged(self) -> frozenset[str]:
        """The labels that it got."""
        return self.verdict.labels


@dataclass(frozen=True)
class Figure:
    """A figure with its 95% bootstrap interval over voices; nan where there is nothing to measure."""

    value: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float]:
        """Rounded to three places."""
        return {"value": round(self.value, 3), "low": round(self.low, 3), "high": round(self.high, 3)}

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f}-{self.high:.2f})"


Measure = Callable[[Sequence[Judged]], float]


def figures(judged: Sequence[Judged], *, rounds: int = 1000, seed: int = 0) -> dict[str, Figure]:
    """All measures of a set of judged sentences, with intervals from resampling whole voices.

    Args:
        judged: sentences of at least two voices.
        rounds: bootstrap rounds.
        seed: of the resampling; the same seed gives the same digits.
    """
    return {name: _with_interval(judged, measure, rounds, seed) for name, measure in measures().items()}


def pairs_right(
    pairs: Sequence[ContrastPair], judged: Sequence[Judged], *, rounds: int = 1000, seed: int = 0
) -> Figure:
    """The share of contrast pairs whose members both got exactly the labels that they should.

    Args:
        pairs: the pairs.
        judged: the sentences of their members.
        rounds: bootstrap rounds.
        seed: of the resampling.
    """
    pair_of = {member.note_id: pair.pair_id for pair in pairs for member in pair.members}

    def measure(rows: Sequence[Judged]) -> float:
        right: dict[tuple[str, str], bool] = {}
        given: dict[tuple[str, str], set[str]] = {}
        wanted: dict[tuple[str, str], set[str]] = {}
        for row in rows:
            member = (row.note.voice, row.note.note_id)
            given.setdefault(member, set()).update(row.flagged & _FLAGGED)
            wanted.setdefault(member, set()).update(row.gold_labels & _FLAGGED)
        for member, labels in given.items():
            pair = (member[0], pair_of[member[1]])
            right[pair] = right.get(pair, True) and labels == wanted[member]
        return _share(list(right.values()))

    return _with_interval(judged, measure, rounds, seed)


def measures() -> dict[str, Measure]:
    """Every figure by name."""
    found: dict[str, Measure] = {
        "any_drift_precision": lambda rows: _scores(rows, _any_gold, _any_flag)[0],
        "any_drift_recall": lambda rows: _scores(rows, _any_gold, _any_flag)[1],
        "any_drift_f1": lambda rows: _scores(rows, _any_gold, _any_flag)[2],
        "macro_f1": lambda rows: float(np.mean([_label_f1(rows, label) for label in FLAG_LABELS])),
        "role_consistent_f1": lambda rows: _scores(
            rows, lambda row: ROLE_CONSISTENT in row.gold_labels, lambda row: row.verdict.role_consistent
        )[2],
        "indicator_right": _indicator_right,
        "clean_notes_flagged": _clean_notes_flagged,
        "look_alikes_flagged": lambda rows: _share(
            [bool(row.flagged & set(DRIFT_LABELS)) for row in rows if row.gold.look_alike]
        ),
        "decoys_found": lambda rows: _share([bool(row.flagged & row.gold_labels) for row in rows if row.gold.decoy]),
    }
    for label in FLAG_LABELS:
        found[f"{label}_f1"] = lambda rows, label=label: _label_f1(rows, label)  # type: ignore[misc]
    for number, label in enumerate(LABELS):
        found[f"{label}_ece"] = lambda rows, number=number, label=label: _ece(  # type: ignore[misc]
            np.array([row.verdict.probabilities[number] for row in rows]),
            np.array([label in row.gold_labels for row in rows]),
        )
    return found


def label_scores(judged: Sequence[Judged]) -> dict[str, tuple[float, float, float, int]]:
    """Precision, recall, F1 and gold count of each label and each indicator."""
    names = {*FLAG_LABELS, *(name for row in judged for name in (*row.gold.indicators, *row.verdict.indicators))}
    table: dict[str, tuple[float, float, float, int]] = {}
    for name in sorted(names):
        found = _scores(
            [row for row in judged if name not in row.gold.unknown],
            lambda row, name=name: name in row.gold.outputs,  # type: ignore[misc]
            lambda row, name=name: name in row.verdict.indicators or name in row.flagged,  # type: ignore[misc]
        )
        table[name] = (*found, sum(name in row.gold.outputs for row in judged))
    return table


def reliability(judged: Sequence[Judged], labels: Sequence[str] = FLAG_LABELS) -> list[tuple[float, float, int]]:
    """Whether probabilities mean what they say: what was said, and how often it was so.

    Args:
        judged: the sentences.
        labels: whose probabilities are taken together.

    Returns:
        For each tenth of the probabilities that occurs: mean probability, share that was right, and how many.
    """
    columns = [LABELS.index(label) for label in labels]
    said = np.array([[row.verdict.probabilities[column] for column in columns] for row in judged]).ravel()
    so = np.array([[label in row.gold_labels for label in labels] for row in judged]).ravel()
    said, so = said[~np.isnan(said)], so[~np.isnan(said)]
    at = _tenths(said)
    return [
        (float(said[at == tenth].mean()), float(so[at == tenth].mean()), int((at == tenth).sum()))
        for tenth in np.unique(at)
    ]


def _with_interval(judged: Sequence[Judged], measure: Measure, rounds: int, seed: int) -> Figure:
    by_voice: dict[str, list[Judged]] = {}
    for row in judged:
        by_voice.setdefault(row.note.voice, []).append(row)
    voices = sorted(by_voice)
    random = np.random.default_rng(seed)
    values = [
        measure([row for voice in random.choice(voices, len(voices)) for row in by_voice[voice]]) for _ in range(rounds)
    ]
    measured = [value for value in values if not np.isnan(value)] or [np.nan]
    low, high = np.percentile(measured, [2.5, 97.5])
    return Figure(measure(judged), float(low), float(high))


def _any_gold(row: Judged) -> bool:
    return not row.gold_labels.isdisjoint(DRIFT_LABELS)


def _any_flag(row: Judged) -> bool:
    return not row.flagged.isdisjoint(DRIFT_LABELS)


def _label_f1(rows: Sequence[Judged], label: str) -> float:
    return _scores(rows, lambda row: label in row.gold_labels, lambda row: label in row.flagged)[2]


def _scores(
    rows: Sequence[Judged], gold: Callable[[Judged], bool], flagged: Callable[[Judged], bool]
) -> tuple[float, float, float]:
    """Precision, recall and F1 (0 where there is nothing to divide by)."""
    right = sum(gold(row) and flagged(row) for row in rows)
    precision = right / max(1, sum(map(flagged, rows)))
    recall = right / max(1, sum(map(gold, rows)))
    return precision, recall, 2 * precision * recall / max(1e-9, precision + recall)


def _indicator_right(rows: Sequence[Judged]) -> float:
    """Of the labels flagged rightly, the share in which a flagged indicator is right, too."""
    right = []
    for row in rows:
        for label in (row.flagged & row.gold_labels).difference(row.gold.unrefined):
            right.append(
                any(name in row.gold.severity for name in row.verdict.indicators if name.startswith(label + "."))
            )
    return _share(right)


def _clean_notes_flagged(rows: Sequence[Judged]) -> float:
    drifted: dict[tuple[str, str], bool] = {}
    flagged: dict[tuple[str, str], bool] = {}
    for row in rows:
        key = (row.note.voice, row.note.note_id)
        drifted[key] = drifted.get(key, False) or not row.gold_labels.isdisjoint(FLAG_LABELS)
        flagged[key] = flagged.get(key, False) or bool(row.verdict.indicators)
    return _share([flagged[key] for key, drift in drifted.items() if not drift])


def _share(values: Sequence[bool]) -> float:
    return float(np.mean(values)) if values else float("nan")


def _ece(probabilities: NDArray[np.float64], target: NDArray[np.bool_]) -> float:
    """Expected calibration error over ten equally wide bins."""
    probabilities, target = probabilities[~np.isnan(probabilities)], target[~np.isnan(probabilities)]
    at = _tenths(probabilities)
    gaps = [
        abs(probabilities[at == tenth].mean() - target[at == tenth].mean()) * (at == tenth).mean()
        for tenth in np.unique(at)
    ]
    return float(sum(gaps))


def _tenths(probabilities: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.minimum((probabilities * 10).astype(np.int64), 9)


__all__ = [
    "FLAG_LABELS",
    "ROLE_CONSISTENT",
    "Figure",
    "Judged",
    "Verdict",
    "figures",
    "label_scores",
    "measures",
    "pairs_right",
    "reliability",
]
