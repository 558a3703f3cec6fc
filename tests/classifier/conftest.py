"""A tiny corpus of five voices, and what is learned from it once for all tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from peerdrift_nlp.classifier.corpus import LabelledNote, parse_marked
from peerdrift_nlp.classifier.linear import LinearModel
from peerdrift_nlp.classifier.training import Examples, Fitted, examples, train
from peerdrift_nlp.rules.engine import RuleEngine

VOICES = Path(__file__).with_name("voices")


@pytest.fixture(scope="session")
def marked() -> dict[str, str]:
    """The marked notes by voice, as they are written by hand."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(VOICES.glob("*.txt"))}


@pytest.fixture(scope="session")
def voices(marked: dict[str, str]) -> dict[str, list[LabelledNote]]:
    return {voice: parse_marked(text, voice) for voice, text in marked.items()}


@pytest.fixture(scope="session")
def notes(voices: dict[str, list[LabelledNote]]) -> list[LabelledNote]:
    """All notes of all voices."""
    return [note for of_voice in voices.values() for note in of_voice]


@pytest.fixture(scope="session")
def tiny(voices: dict[str, list[LabelledNote]], engine: RuleEngine) -> Examples:
    """The examples of three voices to train on."""
    return examples([note for voice in ("V1", "V2", "V3") for note in voices[voice]], engine)


@pytest.fixture(scope="session")
def trained(tiny: Examples) -> Iterator[Fitted]:
    yield train(tiny)


@pytest.fixture(scope="session")
def model(trained: Fitted) -> LinearModel:
    return trained.model
