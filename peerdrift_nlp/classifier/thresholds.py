"""Thresholds from what a supervisor decides, on her own notes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from scipy.special import expit, logit

from peerdrift_nlp.classifier.bundle import OPERATING_POINTS
from peerdrift_nlp.classifier.prior import Labels, Reals
from peerdrift_nlp.classifier.training import (
    CERTAINTY,
    PRECISION_TARGETS,
    choose_thresholds,
    lowest_threshold,
    surely_misses,
)
from peerdrift_nlp.errors import UsageError
from peerdrift_nlp.taxonomy import LABELS, ROLE_CONSISTENT

_FLAGS_TO_BE_SURE = 29
"""So many that are all right show, with a certainty of 95%, that nine in ten are."""

Points = Mapping[str, Mapping[str, float]]


def precision_for(false_share: float) -> dict[str, float]:
    """The share of flags that shall be right at each point, where so many may be false at the balanced one.

    Args:
        false_share: above 0, below 1; 0.2 is "at most one false flag in five".

    Raises:
        UsageError: out of range.
    """
    if not 0 < false_share < 1:
        raise UsageError(f"a share of false flags of {false_share:g}; name one between 0 and 1, e.g. 1/5")
    wanted = 1 - false_share
    return {
        "careful": max(PRECISION_TARGETS["careful"], wanted),
        "balanced": wanted,
        "thorough": min(PRECISION_TARGETS["thorough"], wanted),
    }


def within_reach(thresholds: Points, probabilities: Reals, most: float) -> Points:
    """The thresholds, raised at the balanced and the careful point until the flags are no more than can be read.

    All labels get the same bar, because a calibrated probability means the same for each: the surest flags stay.

    Args:
        thresholds: to go on from.
        probabilities: of held-out writers, shape ``(sentences, labels)``.
        most: how many flags of these sentences.
    """
    flagged: list[float] = []
    for at, label in enumerate(LABELS):
        if label != ROLE_CONSISTENT:
            said = probabilities[:, at]
            flagged += said[said >= thresholds["balanced"][label]].tolist()
    levels = sorted((math.floor(probability * 10_000) / 10_000 for probability in flagged), reverse=True)
    kept = int(most)
    if len(levels) <= kept:
        return thresholds
    # Just above the first flag too many, so that its equals go with it.
    least = min(1.0, levels[kept] + 0.0001)
    return {
        point: by_label
        if point == "thorough"
        else {label: bar if label == ROLE_CONSISTENT else max(bar, least) for label, bar in by_label.items()}
        for point, by_label in thresholds.items()
    }


def own_thresholds(
    base: Points, probabilities: Reals, targets: Labels, enough: Sequence[str], precision: Mapping[str, float]
) -> Points:
    """Thresholds set anew where there is enough to set them on, those given elsewhere.

    Args:
        base: the thresholds to go on from.
        probabilities: of held-out writers, shape ``(sentences, labels)``.
        targets: 0/1, -1 where nobody has judged, same shape.
        enough: the labels that stand often enough.
        precision: the share of flags that shall be right, by operating point.
    """
    chosen: dict[str, dict[str, float]] = {point: dict(base[point]) for point in OPERATING_POINTS}
    best = choose_thresholds(probabilities, targets)
    for at, label in enumerate(LABELS):
        if label not in enough:
            continue
        judged = targets[:, at] >= 0
        said, so = probabilities[judged, at], targets[judged, at]
        looser = 0.0
        for point in reversed(OPERATING_POINTS):
            before = base[point][label]
            if label == ROLE_CONSISTENT:
                chosen[point][label] = _settled(best[point][label], before, said, so)
                continue
            found = lowest_threshold(said, so, precision[point])
            if found and _only_speaks(found, before, said, so, precision[point], PRECISION_TARGETS[point]):
                found = _drawn(found, before, int((said >= min(found, before)).sum()))
            bar = _settled(found, before, said, so)
            chosen[point][label] = looser = max(bar, looser)
    return chosen


def _only_speaks(found: float, before: float, said: Reals, so: Labels, wanted: float, aimed_at: float) -> bool:
    """Whether the notes only speak for another bar, so that the one before keeps its weight.

    They decide where more or fewer of the flags shall be right than was aimed at, where surely too few are right above
    the bar before, and where surely enough are above a lower one.

    Args:
        found: the bar that these notes speak for.
        before: the one before.
        said: probabilities.
        so: whether it was so.
        wanted: the share of flags that shall be right.
        aimed_at: the share that the bar before aims at.
    """
    if found < before:
        return wanted >= aimed_at and lowest_threshold(said, so, wanted, certainty=CERTAINTY) != found
    return wanted <= aimed_at and not surely_misses(so[said >= before], wanted)


def _drawn(found: float, before: float, flags: int) -> float:
    """A bar as near to the one before as it is set on few flags: that one was set on many notes."""
    far = flags / (flags + _FLAGS_TO_BE_SURE)
    return math.floor(10_000 * expit((1 - far) * logit(before) + far * logit(found))) / 10_000


def _settled(found: float | None, before: float, said: Reals, so: Labels) -> float:
    """The new threshold, or the one before where the notes give no reason to change it.

    It rises where there is a sentence between the two, and falls where most of the sentences between them are right:
    the one before was set on more notes.
    """
    if found is None:
        return before
    between = (said >= min(found, before)) & (said < max(found, before))
    if found < before:
        return found if between.any() and so[between].mean() > 0.5 else before
    return found if between.any() else before
