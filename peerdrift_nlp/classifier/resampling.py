"""Figures that are ratios of counts, and their intervals from resampling whole voices.

Precision, recall, F1 and the Brier score are all ``numerator / denominator`` of sums over voices. So a
voice is counted once, and a bootstrap round is a weighted sum, for two models at once where they are compared.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from peerdrift_nlp.classifier.evaluation import FLAG_LABELS, Figure, Judged
from peerdrift_nlp.taxonomy import DRIFT_LABELS, LABELS, ROLE_CONSISTENT

Reals = NDArray[np.float64]
Ratio = tuple[float, float]
MEAN_F1 = "mean_f1"
"""The mean F1 of the labels that the notes hold."""


@dataclass(frozen=True)
class Tallies:
    """The counts of judged sentences.

    Attributes:
        names: of the figures: ``any_drift`` and each label with ``_precision``, ``_recall`` and ``_f1``; each
            label with ``_brier`` (the mean squared error of its probability, 0 to 1, lower is better);
            ``look_alikes_flagged``, ``clean_notes_flagged``.
        parts: numerators and denominators, shape ``(voices, figures, 2)``.
    """

    names: tuple[str, ...]
    parts: Reals

    @property
    def voices(self) -> int:
        """How many writers."""
        return len(self.parts)

    def figures(self, weights: Reals) -> dict[str, Reals]:
        """Every figure for each row of weights of the voices, shape ``(rounds,)``; nan where nothing is to measure.

        Args:
            weights: how often each voice counts, shape ``(rounds, voices)``.
        """
        sums = np.tensordot(weights, self.parts, 1)
        below = sums[..., 1]
        ratios = np.divide(sums[..., 0], below, out=np.full(below.shape, np.nan), where=below > 0)
        found = {name: ratios[:, at] for at, name in enumerate(self.names)}
        held = [label for label in FLAG_LABELS if self.parts[:, self.names.index(f"{label}_recall"), 1].any()]
        if held:
            found[MEAN_F1] = np.mean([np.nan_to_num(found[f"{label}_f1"]) for label in held], axis=0)
        return found

    def values(self) -> dict[str, float]:
        """Every figure that can be measured, of all voices, once."""
        found = self.figures(np.ones((1, self.voices)))
        return {name: float(value[0]) for name, value in found.items() if not np.isnan(value[0])}


def tallies(judged: Sequence[Judged]) -> Tallies:
    """Count judged sentences by voice, in alphabetical order of the voices."""
    by_voice: dict[str, list[Judged]] = {}
    for row in judged:
        by_voice.setdefault(row.note.voice, []).append(row)
    counted = [_tally(by_voice[voice]) for voice in sorted(by_voice)]
    names = tuple(counted[0]) if counted else ()
    return Tallies(names, np.array([[of_voice[name] for name in names] for of_voice in counted]))


def draws(voices: int, rounds: int, seed: int) -> Reals:
    """How often each voice is drawn in each bootstrap round, shape ``(rounds, voices)``."""
    return np.random.default_rng(seed).multinomial(voices, np.full(voices, 1 / voices), size=rounds).astype(np.float64)


def interval(value: float, drawn: Reals) -> Figure:
    """A figure with its 95% interval, given its values in the bootstrap rounds."""
    measured = drawn[~np.isnan(drawn)]
    low, high = np.percentile(measured if measured.size else [np.nan], [2.5, 97.5])
    return Figure(value, float(low), float(high))


def with_intervals(judged: Sequence[Judged], *, rounds: int = 2000, seed: int = 0) -> dict[str, Figure]:
    """Every figure that can be measured, with its interval.

    Args:
        judged: at least one sentence; the intervals mean something from some five voices on.
        rounds: bootstrap rounds.
        seed: of the resampling.
    """
    counted = tallies(judged)
    drawn = counted.figures(draws(counted.voices, rounds, seed))
    return {name: interval(value, drawn[name]) for name, value in counted.values().items()}


def _tally(rows: Sequence[Judged]) -> dict[str, Ratio]:
    targets = {"any_drift": DRIFT_LABELS, **{label: (label,) for label in FLAG_LABELS}}
    found: dict[str, Ratio] = {}
    for name, labels in targets.items():
        wanted = [not row.gold_labels.isdisjoint(labels) for row in rows]
        found |= _hits(name, wanted, [not row.flagged.isdisjoint(labels) for row in rows])
    strong = [ROLE_CONSISTENT in row.gold_labels for row in rows]
    found |= _hits(ROLE_CONSISTENT, strong, [row.verdict.role_consistent for row in rows])
    for at, label in enumerate(LABELS):
        errors = [(row.verdict.probabilities[at] - (label in row.gold_labels)) ** 2 for row in rows]
        measured = [error for error in errors if not math.isnan(error)]
        found[f"{label}_brier"] = (sum(measured), len(measured))
    alike = [not row.flagged.isdisjoint(DRIFT_LABELS) for row in rows if row.gold.look_alike]
    found["look_alikes_flagged"] = (sum(alike), len(alike))
    found["clean_notes_flagged"] = _clean_notes(rows)
    return found


def _hits(name: str, wanted: Sequence[bool], flagged: Sequence[bool]) -> Mapping[str, Ratio]:
    right = sum(want and flag for want, flag in zip(wanted, flagged, strict=True))
    return {
        f"{name}_precision": (right, sum(flagged)),
        f"{name}_recall": (right, sum(wanted)),
        f"{name}_f1": (2 * right, sum(flagged) + sum(wanted)),
    }


def _clean_notes(rows: Sequence[Judged]) -> Ratio:
    drifted = {row.note.note_id for row in rows if not row.gold_labels.isdisjoint(FLAG_LABELS)}
    clean = {row.note.note_id for row in rows} - drifted
    flagged = {row.note.note_id for row in rows if row.flagged}
    return len(clean & flagged), len(clean)
