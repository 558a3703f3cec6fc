"""``peerdrift scan``: an export in, a results folder and a summary out."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from peerdrift_nlp.cli.model import Model, chosen
from peerdrift_nlp.errors import NoteReadError, UsageError
from peerdrift_nlp.types import Note, NoteReport

if TYPE_CHECKING:
    from peerdrift_nlp.io.readers import Export, Skipped
    from peerdrift_nlp.report.summary import BatchSummary
    from peerdrift_nlp.scanner import Scanner

_SHOWN_IN_HTML = 1000
_PROBLEMS_LISTED = 1000


def scan(
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="CSV, TSV, XLSX, JSON, JSONL or a folder of TXT.")],
    out: Annotated[Path | None, typer.Option(help="Results folder. Default: NAME-peerdrift.")] = None,
    map_: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="FIELD=COLUMN", help="Name a column, e.g. text='Progress Note'."),
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Encoding of a text file, e.g. cp1252.")] = None,
    model: Model = "",
    profile: Annotated[str, typer.Option(help="Policy profile: a name or a TOML file.")] = "article",
    packs: Annotated[list[Path] | None, typer.Option("--pack", help="A further rule pack (TOML).")] = None,
    point: Annotated[str, typer.Option("--operating-point", help="careful, balanced or thorough.")] = "balanced",
    roles: Annotated[
        list[str] | None, typer.Option("--role", help="A further role whose notes count as peer notes.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    fail_on: Annotated[
        int | None, typer.Option(min=1, max=3, help="Exit with 1 on findings of this severity or more.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no summary.")] = False,
) -> None:
    """Scan an export of session notes and write a results folder."""
    from peerdrift_nlp.cli.terminal import notices, summary_table
    from peerdrift_nlp.io.readers import open_export
    from peerdrift_nlp.io.select import select

    export = open_export(source, columns=_mapping(map_ or []), encoding=encoding)
    told = export.notices
    if not quiet:
        notices(f"Reading {source.name}", told)

    from peerdrift_nlp.io.writers import ResultsFolder
    from peerdrift_nlp.report.html import render_html
    from peerdrift_nlp.report.summary import BatchSummary
    from peerdrift_nlp.scanner import Scanner

    started = datetime.now(UTC)
    scanner = Scanner(model=chosen(model, quiet=quiet), profile=profile, packs=packs or (), operating_point=point)
    folder = out or Path(f"{source.resolve().stem}-peerdrift")
    summary = BatchSummary()
    skipped: list[Skipped] = []
    worst = 0
    shown = _Shown(_SHOWN_IN_HTML)
    with ResultsFolder(folder) as results:
        items = select(export, roles=roles)
        for report in _progress(_scanned(items, scanner, skipped, jobs), quiet=quiet):
            results.write(report)
            summary.add(report)
            shown.add(report)
            worst = max([worst, *(finding.severity for finding in report.findings)])
        counts = Counter(item.why for item in skipped)
        page, _ = render_html(
            shown.reports(), summary, skipped=counts, profile_name=scanner.profile.title,
            local_resources=scanner.profile.resources, max_notes=_SHOWN_IN_HTML,
        )  # fmt: skip
        results.write_text("report.html", page)
        results.write_run(_run_record(source, export, scanner, started, summary, skipped, shown.problems))
    if not quiet:
        notices("", [line for line in export.notices if line not in told])
        summary_table(summary, counts, folder, shown.problems)
    if shown.problems:
        raise typer.Exit(3)
    if fail_on is not None and worst >= fail_on:
        raise typer.Exit(1)


class _Shown:
    """The notes that the HTML report shows: those with something to talk about before the others."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._with: list[tuple[int, NoteReport]] = []
        self._without: list[tuple[int, NoteReport]] = []
        self._count = 0
        self.problems: list[tuple[str, str]] = []

    def add(self, report: NoteReport) -> None:
        self._count += 1
        if report.status != "complete":
            self.problems.append((report.note_id, "; ".join(report.problems)))
        kept = self._with if report.findings else self._without
        if len(kept) < self._most:
            kept.append((self._count, report))

    def reports(self) -> Iterator[NoteReport]:
        chosen = [*self._with, *self._without][: self._most]
        return (report for _, report in sorted(chosen, key=lambda item: item[0]))


def _mapping(pairs: Iterable[str]) -> dict[str, str]:
    mapping: dict[str, str] = {}
    for pair in pairs:
        field, equals, column = pair.partition("=")
        if not equals or not field or not column:
            raise UsageError(f"--map {pair!r}: write it as FIELD=COLUMN, e.g. --map text='Progress Note'")
        mapping[field.strip()] = column.strip()
    return mapping


def _scanned(
    items: Iterable[Note | NoteReadError | Skipped], scanner: Scanner, skipped: list[Skipped], jobs: int
) -> Iterator[NoteReport]:
    """Reports of all notes; one that could not be read becomes a failed report, in its place."""
    unread: deque[tuple[int, NoteReport]] = deque()

    def notes() -> Iterator[Note]:
        read = 0
        for item in items:
            if isinstance(item, Note):
                read += 1
                yield item
            elif isinstance(item, NoteReadError):
                unread.append((read, NoteReport(item.where, "failed", scanner.engine, (item.problem,))))
            else:
                skipped.append(item)

    for given, report in enumerate(scanner.scan_many(notes(), jobs=jobs)):
        while unread and unread[0][0] <= given:
            yield unread.popleft()[1]
        yield report
    yield from (report for _, report in unread)


def _progress(reports: Iterator[NoteReport], *, quiet: bool) -> Iterator[NoteReport]:
    from peerdrift_nlp.cli.terminal import counting

    return reports if quiet else counting(reports)


def _run_record(
    source: Path, export: Export, scanner: Scanner, started: datetime, summary: BatchSummary,
    skipped: list[Skipped], problems: list[tuple[str, str]],
) -> dict[str, Any]:  # fmt: skip
    return {
        "schema": "peerdrift.run/1",
        "input": source.name,
        "started": started.isoformat(timespec="seconds"),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "format": export.format,
        "encoding": export.encoding,
        "columns": export.columns,
        "notices": export.notices,
        "engine": scanner.engine.to_dict(),
        "operating_point": scanner.spec.operating_point,
        "counts": {
            "read": summary.total + len(skipped),
            "scanned": summary.scanned,
            "skipped": len(skipped),
            "unreadable": len(problems),
        },
        "skipped": dict(sorted(Counter(item.why for item in skipped).items())),
        "skipped_notes": [{"where": item.where, "why": item.why} for item in skipped[:_PROBLEMS_LISTED]],
        "problems": [{"where": where, "problem": problem} for where, problem in problems[:_PROBLEMS_LISTED]],
        "summary": summary.to_dict(),
    }
