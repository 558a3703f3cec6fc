"""Thresholds from what a supervisor decides, on her own notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from peerdrift_nlp.classifier.bundle import OPERATING_POINTS, Thresholds
from peerdrift_nlp.classifier.prior import Labels, Reals
from peerdrift_nlp.classifier.training import choose_thresholds, lowest_threshold
from peerdrift_nlp.taxonomy import LABELS, ROLE_CONSISTENT

Points = Mapping[str, Mapping[str, Thresholds]]


def own_thresholds(
    base: Points,
    probabilities: Reals,
    targets: Labels,
    standing: Sequence[frozenset[str]],
    enough: Sequence[str],
    precision: Mapping[str, float],
) -> Points:
    """Thresholds set anew where there is enough to set them on, those given elsewhere.

    Args:
        base: the thresholds to go on from.
        probabilities: of held-out writers, shape ``(sentences, labels)``.
        targets: 0/1, -1 where nobody has judged, same shape.
        standing: for each sentence the labels for which a rule stands.
        enough: the labels that stand often enough.
        precision: the share of flags that shall be right, by operating point.
    """
    chosen: dict[str, dict[str, Thresholds]] = {point: dict(base[point]) for point in OPERATING_POINTS}
    for at, label in enumerate(LABELS):
        if label not in enough:
            continue
        judged = targets[:, at] >= 0
        by_rule = np.array([label in labels for labels in standing], dtype=bool)
        said, so = probabilities[:, at], targets[:, at]
        for point in OPERATING_POINTS:
            before = base[point][label]
            if label == ROLE_CONSISTENT:
                best = choose_thresholds(probabilities, np.maximum(targets, 0), standing)[point][label].alone
                bar = _settled(best, before.alone, said[judged])
                chosen[point][label] = Thresholds(bar, bar)
                continue
            alone, with_rule = (
                _settled(lowest_threshold(said[mask], so[mask], precision[point]), bar, said[mask])
                for mask, bar in ((judged & ~by_rule, before.alone), (judged & by_rule, before.with_rule))
            )
            chosen[point][label] = Thresholds(max(alone, with_rule), with_rule)
        for stricter, looser in (("balanced", "thorough"), ("careful", "balanced")):
            own, least = chosen[stricter][label], chosen[looser][label]
            chosen[stricter][label] = Thresholds(max(own.alone, least.alone), max(own.with_rule, least.with_rule))
    return chosen


def _settled(found: float | None, before: float, said: Reals) -> float:
    """The new threshold, or the one before where the notes give no reason to raise it.

    Where no sentence lies between the two they flag the same ones here, and the one before was set on more notes.
    """
    if found is None:
        return before
    return found if found < before or ((said >= before) & (said < found)).any() else before
