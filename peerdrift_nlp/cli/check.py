"""``peerdrift check``: a worker reads their own notes first; on the terminal only, nothing is written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from peerdrift_nlp.cli.model import Model, chosen
from peerdrift_nlp.types import Note, NoteReport

if TYPE_CHECKING:
    from peerdrift_nlp.io.readers import Item


def check(
    notes: Annotated[Path, typer.Argument(help="One note as .txt, or an export like for `scan`.")],
    model: Model = "",
    profile: Annotated[str, typer.Option(help="Policy profile: a name or a TOML file.")] = "article",
    point: Annotated[str, typer.Option("--operating-point", help="careful, balanced or thorough.")] = "balanced",
) -> None:
    """Read your own notes before anybody else does. Shown here only; no file is written."""
    from peerdrift_nlp.cli.terminal import out
    from peerdrift_nlp.scanner import Scanner

    items = list(_items(notes))
    scanner = Scanner(model=chosen(model), profile=profile, operating_point=point)
    own = [item for item in items if isinstance(item, Note)]
    for report in scanner.scan_many(own):
        _show(report)
    left_out = len(items) - len(own)
    if left_out:
        out.print(f"{left_out:,} left out: of another role, voided, a draft, or not readable.")
    out.print("A flag is a question to yourself, not a verdict. Nothing was written; this screen is all there is.")


def _items(path: Path) -> Iterator[Item]:
    from peerdrift_nlp.io.folder import read_text
    from peerdrift_nlp.io.readers import open_export
    from peerdrift_nlp.io.select import select

    if path.is_file() and path.suffix.lower() == ".txt":
        yield Note(path.stem, read_text(path)[0])
    else:
        yield from select(open_export(path))


def _show(report: NoteReport) -> None:
    from peerdrift_nlp.cli.terminal import out, printable
    from peerdrift_nlp.taxonomy import taxonomy

    def quote(start: int, end: int) -> str:
        return printable(" ".join(report.text[start:end].split()))

    names = taxonomy()
    out.print(f"Note {printable(report.note_id)}", markup=False, style="bold")
    for problem in report.problems:
        out.print(f"  not read: {problem}", markup=False)
    for strength in report.strengths:
        title = names.practices.get(strength.practice, "Peer practice")
        out.print(f"  + {title}: “{quote(strength.start, strength.end)}”", markup=False)
    for finding in sorted(report.findings, key=lambda item: (item.locus != "individual", item.start)):
        whose = "" if finding.locus == "individual" else " (the workplace's, not yours)"
        title = names.indicators[finding.indicator].title
        out.print(f"  ? {title}{whose}: “{quote(finding.sentence.start, finding.sentence.end)}”", markup=False)
        out.print(f"      {finding.question}", markup=False)
        out.print(f"      Instead: {finding.alternative}", markup=False)
    if report.status != "failed" and not report.findings:
        out.print("  nothing flagged", markup=False)
    out.print()
