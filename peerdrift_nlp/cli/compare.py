"""``peerdrift compare``: is another model better than the one in use, and by how much."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from peerdrift_nlp.cli.model import chosen
from peerdrift_nlp.errors import UsageError

if TYPE_CHECKING:
    from peerdrift_nlp.classifier.comparison import Comparison


def compare(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The candidate: a model bundle folder.")],
    with_: Annotated[
        str, typer.Option("--with", metavar="MODEL", help="The other model. Default: the one in use.")
    ] = "",
    corpus: Annotated[Path, typer.Option(help="Labelled notes: folder with notes/ and splits.json.")] = Path(
        "data/corpus"
    ),
    split: Annotated[str, typer.Option(help="Voices that neither model has learnt from: dev or test.")] = "dev",
    point: Annotated[str, typer.Option("--operating-point", help="careful, balanced or thorough.")] = "balanced",
    rounds: Annotated[int, typer.Option(min=100, help="Bootstrap rounds.")] = 2000,
    html: Annotated[Path | None, typer.Option(help="Write the comparison as a page to this file.")] = None,
) -> None:
    """Compare two models on the same notes, and say in plain words which one to keep."""
    from peerdrift_nlp.classifier.corpus import read_corpus
    from peerdrift_nlp.classifier.shipped import load_model
    from peerdrift_nlp.cli.evaluate import notes_of
    from peerdrift_nlp.report.model_card import render_model_card
    from peerdrift_nlp.retraining import compare_models
    from peerdrift_nlp.scanner import Scanner

    notes = notes_of(read_corpus(corpus), split)
    current = Scanner(model=chosen(with_), operating_point=point)
    candidate = current.with_bundle(load_model(model)[1])
    found = compare_models(current, candidate, notes, rounds=rounds)
    before, after = current.bundle.version, candidate.bundle.version
    show(found, before, after)
    if html:
        page = render_model_card(after, before, found.verdict(before, after), found.to_dict())
        try:
            html.write_text(page, encoding="utf-8")
        except OSError as error:
            raise UsageError(f"cannot write {html}: {error.strerror}; name another file") from None


def show(found: Comparison, current: str, candidate: str) -> None:
    """Print a comparison: the figures, the tests, and last the verdict."""
    from peerdrift_nlp.cli.terminal import out, plain_table

    headings = ("in use", "candidate", "difference (95% interval)")
    table = plain_table(
        (f"{found.voices} writers, {found.sentences:,} sentences", "left"), *((h, "right") for h in headings)
    )
    for name, change in found.changes.items():
        gain = change.difference
        table.add_row(
            name, f"{change.current:.3f}", f"{change.candidate:.3f}",
            f"{gain.value:+.3f} ({gain.low:+.3f} to {gain.high:+.3f})",
        )  # fmt: skip
    out.print(table)
    out.print()
    out.print(
        f"Sentences that only one model labels rightly: {found.only_current} in use, {found.only_candidate} candidate "
        f"(McNemar's exact test: p {'< 0.001' if found.p_value < 0.001 else f'= {found.p_value:.3f}'})"
    )
    if found.gate:
        out.print(
            f"Harmless contrast texts flagged, of {found.gate.members}: {found.gate.current} in use, "
            f"{found.gate.candidate} candidate"
        )
    out.print(f"Verdict: {found.verdict(current, candidate)}", markup=False)
