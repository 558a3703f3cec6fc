"""Hand-made verdicts."""

from __future__ import annotations

from peerdrift_nlp.classifier.corpus import LabelledNote, LabelledSentence
from peerdrift_nlp.classifier.evaluation import Judged, Verdict

MEDS, RIDE, FILING = "clinical.medication", "lax_boundaries.transport", "organizational.misassigned_tasks"


def judged(
    gold: tuple[str, ...] = (), flags: tuple[str, ...] = (), *, voice: str = "v", note: str = "n", at: int = 0,
    practices: tuple[str, ...] = (), strong: bool = False, look_alike: str = "", probability: float = 0.0,
) -> Judged:  # fmt: skip
    """A sentence with its gold indicators and the verdict on it; ``probability`` is that of ``clinical``."""
    unit = LabelledSentence(at, at + 1, "sentence", dict.fromkeys(gold, 2), practices, look_alike)
    verdict = Verdict(frozenset(flags), strong, (probability, 0.0, 0.0, 0.0, 0.0, 0.0))
    return Judged(LabelledNote(note, voice, "." * (at + 1), (unit,)), unit, verdict)
