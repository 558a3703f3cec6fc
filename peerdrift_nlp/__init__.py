"""Find role drift in peer support session notes.

>>> from peerdrift_nlp import Scanner
>>> report = Scanner().scan("I counted her pills.", note_id="17")

Importing this package loads nothing heavy and changes nothing in the host process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from peerdrift_nlp.errors import PeerdriftError

if TYPE_CHECKING:
    from peerdrift_nlp.classifier.estimator import DriftClassifier
    from peerdrift_nlp.classifier.shipped import load_model
    from peerdrift_nlp.retraining import evaluate, train
    from peerdrift_nlp.scanner import Scanner
    from peerdrift_nlp.types import Finding, Note, NoteReport

__version__ = "0.1.0"
__all__ = [
    "DriftClassifier",
    "Finding",
    "Note",
    "NoteReport",
    "PeerdriftError",
    "Scanner",
    "__version__",
    "evaluate",
    "load_model",
    "train",
]

_HOMES = {
    "DriftClassifier": "classifier.estimator",
    "Finding": "types",
    "Note": "types",
    "NoteReport": "types",
    "Scanner": "scanner",
    "evaluate": "retraining",
    "load_model": "classifier.shipped",
    "train": "retraining",
}


def __getattr__(name: str) -> Any:
    """Load the heavy names when they are first used."""
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
