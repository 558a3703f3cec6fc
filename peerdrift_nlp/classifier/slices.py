"""Parts of labelled notes to be judged apart: whom does the tool serve badly."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from peerdrift_nlp.classifier.baseline import judge_by_keywords
from peerdrift_nlp.classifier.corpus import LabelledNote
from peerdrift_nlp.rules.engine import RuleEngine

_SHORT, _LONG = 60, 150


def slicers(engine: RuleEngine) -> Mapping[str, Callable[[LabelledNote], str]]:
    """By name, what says to which part a note belongs.

    ``voice``, ``setting`` and ``format`` are the note's own; ``length`` counts words; ``mention`` sets notes apart
    that speak of medication, diagnosis and the like without clinical drift: a word list would flag them.

    Args:
        engine: brings words to their normal form.
    """
    return {
        "voice": lambda note: note.voice,
        "setting": lambda note: note.setting or "(none)",
        "format": lambda note: note.format or "(none)",
        "length": _length,
        "mention": lambda note: "clinical words, no clinical drift" if _mentions(note, engine) else "other",
    }


def _length(note: LabelledNote) -> str:
    words = len(note.text.split())
    return f"under {_SHORT} words" if words < _SHORT else f"{_LONG} words and more" if words >= _LONG else "between"


def _mentions(note: LabelledNote, engine: RuleEngine) -> bool:
    judged = list(judge_by_keywords([note], engine))
    return any("clinical" in row.flagged for row in judged) and not any("clinical" in row.gold_labels for row in judged)
