"""``peerdrift report``: the pages of a scan made again, with decisions in them, and what the review comes to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from peerdrift_nlp.errors import DecisionsError, UsageError
from peerdrift_nlp.types import Note

if TYPE_CHECKING:
    from peerdrift_nlp.io.readers import Item


def report(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="Results folder of a scan.")],
    source: Annotated[
        Path, typer.Option("--input", metavar="EXPORT", help="The export that was scanned: results hold no note text.")
    ],
    decisions: Annotated[
        list[Path] | None,
        typer.Option("--decisions", metavar="FILE", help="Decisions that a page of the report saved."),
    ] = None,
    sample: Annotated[
        int | None, typer.Option(min=0, help="Notes of the random sample. Default: as in the scan.")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Encoding of a text file, e.g. cp1252.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No summary.")] = False,
) -> None:
    """Make the report of a scan again, without scanning, and sum up its review."""
    from peerdrift_nlp.cli.terminal import lines, notices
    from peerdrift_nlp.io.readers import open_export
    from peerdrift_nlp.io.results import join, open_results
    from peerdrift_nlp.io.seen import Seen
    from peerdrift_nlp.io.writers import PAGE, replace_pages
    from peerdrift_nlp.report.decisions import Decisions, merged, read_decisions
    from peerdrift_nlp.report.html import Review, render_pages
    from peerdrift_nlp.report.shown import SAMPLE, Shown
    from peerdrift_nlp.report.summary import BatchSummary
    from peerdrift_nlp.report.tally import Tally

    opened = open_results(results)
    run, fingerprints = opened.run, opened.fingerprints
    read = {path: read_decisions(path) for path in decisions or ()}
    for path, made in read.items():
        if made.key_id != fingerprints.key_id:
            raise DecisionsError(f"{path.name} belongs to another scan, not to the one in {results}")
    review = merged(read.values()) if read else Decisions(run["started"], fingerprints.key_id)

    summary, tally = BatchSummary(), Tally(review)
    shown = Shown(run.get("sample", SAMPLE) if sample is None else sample)
    scanned = Seen()
    for note in opened.reports():
        scanned.add((note.note_id, note.fingerprint))
        summary.add(note)
        tally.add(note)
        shown.add(note)
    summary.left_out = run["summary"]["left_out"]
    export = open_export(source, **run["reading"] | ({"encoding": encoding} if encoding else {}))

    def items() -> Iterator[Item]:
        """The notes of the export, and how those are worded that were scanned."""
        for item in export:
            if isinstance(item, Note) and (item.note_id, fingerprints.note(item.text)) in scanned:
                summary.add_wording(item.text, item.meta)
            yield item

    found, lost = join(shown.reports(), items(), fingerprints, opened.policies)
    if lost and not any(note.text for note in found):
        raise UsageError(
            f"no note of {results} is in {source.name} as it was scanned: name the export that was scanned"
        )
    outcome = tuple(tally.lines(shown.sample)) if read else ()
    pages = render_pages(
        found, summary, skipped=run["skipped"], profile_name=run["profile"]["title"],
        local_resources=run["profile"]["resources"],
        review=Review(run["started"], review.key_id, shown.sample, review.decisions, review.read, outcome),
    )  # fmt: skip
    replace_pages(results, pages)
    if lost:
        notices("", [f"gone from {source.name}, or changed in it, and so not shown: {lost:,} of the notes"])
    if not quiet:
        lines([*outcome, f"Report: {results / PAGE}"])
