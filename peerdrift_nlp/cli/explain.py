"""``peerdrift explain``: one sentence or note, with all that led to the verdict."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from peerdrift_nlp.cli.model import Model, chosen
from peerdrift_nlp.errors import UsageError

if TYPE_CHECKING:
    from rich.text import Text

    from peerdrift_nlp.types import Explanation, NoteReport, Sentence


def explain(
    sentence: Annotated[str | None, typer.Argument(help="The sentence, in quotation marks.")] = None,
    note: Annotated[Path | None, typer.Option(help="A text file with one note.")] = None,
    model: Model = "",
    profile: Annotated[str, typer.Option(help="Policy profile: a name or a TOML file.")] = "article",
    packs: Annotated[list[Path] | None, typer.Option("--pack", help="A further rule pack (TOML); repeatable.")] = None,
    point: Annotated[str, typer.Option("--operating-point", help="careful, balanced or thorough.")] = "balanced",
) -> None:
    """Show why a sentence is flagged, or why it is not."""
    if (sentence is None) == (note is None):
        raise UsageError("give a sentence in quotation marks, or --note FILE")
    from peerdrift_nlp.io.folder import read_text
    from peerdrift_nlp.scanner import Scanner

    if note is not None and not note.is_file():
        raise UsageError(f"{note} is not a file")
    text = read_text(note)[0] if note else sentence or ""
    if not text.strip():
        raise UsageError("there is no text to explain")
    scanner = Scanner(model=chosen(model), profile=profile, packs=packs or (), operating_point=point)
    report, explanations = scanner.explain(text)
    for explanation in explanations:
        _show(text, explanation, report)


def _show(text: str, explanation: Explanation, report: NoteReport) -> None:
    from peerdrift_nlp.classifier.features import is_scored
    from peerdrift_nlp.cli.terminal import out, plain_table, printable
    from peerdrift_nlp.taxonomy import taxonomy

    sentence = explanation.sentence
    findings = [item for item in report.findings if item.sentence.start == sentence.start]
    out.print(_highlighted(text, sentence, explanation))
    if not is_scored(sentence):
        out.print(f"  a {sentence.kind}: not scored")
    elif not findings:
        out.print("  no flag")
    for finding in findings:
        title = taxonomy().indicators[finding.indicator].title
        out.print(f"  FLAG {finding.indicator} (severity {finding.severity}, {finding.origin}): {title}", markup=False)
        out.print(f"    why       {finding.reason}", markup=False)
        out.print(f"    ask       {finding.question}", markup=False)
        out.print(f"    clears    {finding.clears}", markup=False)
        out.print(f"    instead   {finding.alternative}", markup=False)
        out.print(f"    guideline {finding.guideline}", markup=False)
    for item in report.look_alikes:
        if sentence.start <= item.start < sentence.end:
            reason = taxonomy().reasons.get(item.reason, item.reason)
            out.print(f"  not flagged: {item.indicator}: {reason}", markup=False)
    for hit in explanation.hits:
        stance = hit.stance
        state = f"cleared: {hit.cleared_by}" if hit.cleared_by else "stands"
        out.print(f"  rule {hit.rule_id} on “{printable(text[hit.start : hit.end])}”: {state}", markup=False)
        cues = ", ".join(f"{cue.kind} “{printable(text[cue.start : cue.end])}”" for cue in stance.cues) or "none"
        out.print(
            f"    actor {stance.actor}, voice {stance.voice}, status {stance.status}, "
            f"wish {stance.initiator}; cues: {cues}",
            markup=False,
        )
    if is_scored(sentence):
        table = plain_table(("  label", "left"), ("probability", "right"), ("weighed most", "left"))
        for label, probability in explanation.probabilities.items():
            heaviest = ", ".join(f"{feature} {weight:+.1f}" for feature, weight in explanation.features[label][:3])
            table.add_row(f"  {label}", f"{probability:.2f}", heaviest)
        out.print(table)
    out.print()


def _highlighted(text: str, sentence: Sentence, explanation: Explanation) -> Text:
    from rich.text import Text

    from peerdrift_nlp.cli.terminal import printable

    shown = Text(printable(text[sentence.start : sentence.end]))
    for hit in explanation.hits:
        style = (
            "green" if hit.indicator.startswith("role_consistent") else "dim" if hit.cleared_by else "bold underline"
        )
        shown.stylize(style, hit.start - sentence.start, hit.end - sentence.start)
    return shown
