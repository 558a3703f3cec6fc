"""A model's card as a page: what it learnt from, and how it compares. One offline file that holds no note text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from peerdrift_nlp.report.html import environment


def render_model_card(
    name: str,
    base: str,
    verdict: str,
    comparison: Mapping[str, Any] | None,
    training: Mapping[str, Any] | None = None,
    warnings: Sequence[str] = (),
) -> str:
    """The card of a model beside the one it would replace.

    Args:
        name: of the model.
        base: of the other.
        verdict: in plain words.
        comparison: as ``Comparison.to_dict`` gives it; None where there were too few writers.
        training: the entry of the manifest; None where the model is only compared.
        warnings: what the reader should know, in plain words.
    """
    return environment().get_template("model_card.html").render(
        name=name, base=base, verdict=verdict, comparison=comparison, training=training, warnings=warnings,
        made=datetime.now(UTC).date().isoformat(),
    )  # fmt: skip
