"""The codebook as data: labels, indicators, practices, look-alike reasons, guidelines, next steps.

Everything is read from ``taxonomy.toml`` beside this file, so that a reader of the package and a
reader of a report see the same words.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

DRIFT_LABELS = ("clinical", "hierarchical", "lax_boundaries", "religious")
LABELS = (*DRIFT_LABELS, "organizational", "role_consistent")
ROLE_CONSISTENT = "role_consistent"
POLICIES = (
    "transport", "coach_title", "faith", "gifts", "touch", "medication_reminders_on_request", "twelve_step",
    "contact_hours", "naloxone", "required_phrases", "program_names",
)  # fmt: skip
"""What programs settle differently; a profile switches them."""


@dataclass(frozen=True, slots=True)
class Indicator:
    """One drift indicator and what a report says about it.

    ``cleared_by`` are the circumstances that clear it beyond the tests which clear every
    indicator; ``person_reason`` is the look-alike reason where the person does it; ``any_actor``
    says that the drift is in how the writer frames somebody, whoever the sentence's subject is; ``negated_too``
    that a negative finding ("no tremor noted") is one of its forms.
    """

    name: str
    title: str
    reason: str
    guideline: str
    question: str
    clears: str
    alternative: str
    cleared_by: frozenset[str]
    person_reason: str = "other_actor"
    any_actor: bool = False
    negated_too: bool = False

    @property
    def label(self) -> str:
        """The label that the indicator refines, e.g. ``clinical``."""
        return self.name.partition(".")[0]

    @property
    def locus(self) -> Literal["individual", "organizational"]:
        """Whether the finding is about the workplace or about the worker's practice."""
        return "organizational" if self.label == "organizational" else "individual"


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """All names of the codebook, with their titles in plain words."""

    labels: dict[str, str]
    indicators: dict[str, Indicator]
    practices: dict[str, str]
    reasons: dict[str, str]
    guidelines: dict[str, str]
    next_steps: tuple[str, ...]


@cache
def taxonomy() -> Taxonomy:
    """The codebook, read once."""
    with Path(__file__).with_name("taxonomy.toml").open("rb") as file:
        data = tomllib.load(file)
    indicators = {
        name: Indicator(name=name, **{**entry, "cleared_by": frozenset(entry["cleared_by"])})
        for name, entry in data["indicators"].items()
    }
    return Taxonomy(
        labels=data["labels"],
        indicators=indicators,
        practices=data["practices"],
        reasons=data["reasons"],
        guidelines=data["guidelines"],
        next_steps=tuple(data["next_steps"]),
    )
