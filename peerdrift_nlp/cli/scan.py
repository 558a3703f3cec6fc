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
    from peerdrift_nlp.io.readers import Export, Item, Skipped
    from peerdrift_nlp.io.writers import ResultsFolder
    from peerdrift_nlp.report.summary import BatchSummary
    from peerdrift_nlp.scanner import Scanner

_PROBLEMS_LISTED = 1000


def scan(
    context: typer.Context,
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="An export, or a folder or zip of documents.")],
    out: Annotated[Path | None, typer.Option(help="Results folder. Default: NAME-peerdrift.")] = None,
    map_: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="FIELD=COLUMN", help="Name a column, e.g. text='Progress Note'."),
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Encoding of a text file, e.g. cp1252.")] = None,
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook, by name or number.")] = None,
    join_on: Annotated[str | None, typer.Option(help="Column that the rows of a split note share.")] = None,
    order: Annotated[str | None, typer.Option(help="Column that orders the rows of a split note.")] = None,
    model: Model = "",
    profile: Annotated[
        str | None, typer.Option(help="Policy profile: a name or a TOML file. Default: article.")
    ] = None,
    packs: Annotated[list[Path] | None, typer.Option("--pack", help="A further rule pack (TOML).")] = None,
    suppress: Annotated[
        list[Path] | None, typer.Option("--suppress", help="What to leave out, with reasons (TOML).")
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(help="Show only what is new since the last run with this file; made if absent.")
    ] = None,
    decisions: Annotated[
        list[Path] | None, typer.Option("--decisions", help="Decisions on the last report, noted in the baseline.")
    ] = None,
    point: Annotated[str, typer.Option("--operating-point", help="careful, balanced or thorough.")] = "balanced",
    roles: Annotated[
        list[str] | None, typer.Option("--role", help="A further role whose notes count as peer notes.")
    ] = None,
    statuses: Annotated[
        list[str] | None, typer.Option("--keep-status", help="A status to scan that is usually left out.")
    ] = None,
    once: Annotated[
        bool, typer.Option("--skip-copies", help="Scan a note that was copied word for word once.")
    ] = False,
    sample: Annotated[
        int, typer.Option(min=0, help="Notes without a flag, drawn at random, for review: they show what was missed.")
    ] = 20,
    jobs: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    fail_on: Annotated[
        int | None, typer.Option(min=1, max=3, help="Exit with 1 on findings of this severity or more.")
    ] = None,
    formats: Annotated[
        list[str] | None,
        typer.Option("--format", help="csv, xlsx, html, jsonl (the default), json, sarif; repeatable."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no summary.")] = False,
) -> None:
    """Scan an export of session notes and write a results folder."""
    from peerdrift_nlp.cli.terminal import counting, notices, summary_table
    from peerdrift_nlp.io.copies import skip_copies
    from peerdrift_nlp.io.readers import open_export
    from peerdrift_nlp.io.select import only_new, select
    from peerdrift_nlp.io.settings import find_settings

    settings = find_settings(source)
    reading = settings.reading(mapping(map_ or []), encoding=encoding, sheet=sheet, join_on=join_on, order=order)
    export = open_export(source, **reading)
    told = [*settings.notices, *export.notices]
    if not quiet:
        notices(f"Reading {source.name}", told)

    from peerdrift_nlp.io.journal import input_hash, options_hash
    from peerdrift_nlp.io.results import fingerprinted, key_of
    from peerdrift_nlp.io.writers import DEFAULT_FORMATS, ResultsFolder, default_folder
    from peerdrift_nlp.report import left_out
    from peerdrift_nlp.report.baseline import open_baseline
    from peerdrift_nlp.report.fingerprint import Fingerprints
    from peerdrift_nlp.report.html import Review, render_pages
    from peerdrift_nlp.report.profile import DEFAULT
    from peerdrift_nlp.report.shown import Shown
    from peerdrift_nlp.report.summary import BatchSummary
    from peerdrift_nlp.scanner import Scanner

    started = datetime.now(UTC)
    known = open_baseline(baseline, decisions or (), by_id="note_id" in export.columns)
    scanner = Scanner(
        model=chosen(model, quiet=quiet),
        profile=profile or settings.profile or DEFAULT,
        packs=packs or (),
        suppress=suppress or (),
        operating_point=point,
    )
    folder = out or default_folder(source)
    summary = BatchSummary()
    skipped: list[Skipped] = []
    worst = 0
    shown = Shown(sample)
    made_from = {
        "input": input_hash(source),
        "options": options_hash(context.params, scanner.spec.fingerprint, scanner.engine.version, reading, settings),
    }

    def items() -> Iterator[Item]:
        wanted = select(
            export, roles=[*settings.roles, *(roles or [])], keep_statuses=[*settings.keep_statuses, *(statuses or [])]
        )
        wanted = skip_copies(wanted) if once else wanted
        return only_new(wanted, known.is_known) if known else wanted

    key = known.key if known else key_of(folder)
    with ResultsFolder(folder, formats=formats or DEFAULT_FORMATS, made_from=made_from, key=key) as results:
        if not quiet:
            notices("", results.notices)
            told = [*told, *results.notices]
        fingerprints = Fingerprints(results.key)
        reports = _reports(items(), results, scanner, skipped, jobs)
        for scanned in reports if quiet else counting(reports, lambda: _count(items())):
            report = fingerprinted(known.undecided(scanned) if known else scanned, fingerprints)
            results.write(report)
            summary.add(report)
            shown.add(report)
            worst = max([worst, *(finding.severity for finding in report.findings)])
        counts = Counter(item.why for item in skipped)
        summary.left_out = left_out.lines(
            scanner.profile, scanner.suppressions, summary, scanner.rules.rules.keys(), started.date()
        )
        record = _run_record(source, export, scanner, started, summary, skipped, shown.problems)
        record |= {"reading": reading, "sample": sample, "key": results.key.hex()}
        if "html" in results.formats:
            pages = render_pages(
                shown.reports(), summary, skipped=counts, profile_name=scanner.profile.title,
                local_resources=scanner.profile.resources,
                review=Review(record["started"], fingerprints.key_id, shown.sample),
            )  # fmt: skip
            for name, page in pages.items():
                results.write_text(name, page)
        results.write_run(record)
    if known:
        known.save()
    if not quiet:
        said = [*export.notices, *results.notices, *(known.notices if known else ())]
        notices("", [line for line in said if line not in told])
        summary_table(summary, counts, results.main, shown.problems)
    if shown.problems:
        raise typer.Exit(3)
    if fail_on is not None and worst >= fail_on:
        raise typer.Exit(1)


def mapping(pairs: Iterable[str]) -> dict[str, str]:
    """``FIELD=COLUMN`` pairs as a dictionary."""
    columns: dict[str, str] = {}
    for pair in pairs:
        field, equals, column = pair.partition("=")
        if not equals or not field or not column:
            raise UsageError(f"--map {pair!r}: write it as FIELD=COLUMN, e.g. --map text='Progress Note'")
        columns[field.strip()] = column.strip()
    return columns


def _reports(
    items: Iterable[Item], results: ResultsFolder, scanner: Scanner, skipped: list[Skipped], jobs: int
) -> Iterator[NoteReport]:
    """Reports of all notes: those that an interrupted run had finished are taken from it, the others are made."""
    from peerdrift_nlp.io.journal import with_text

    items = iter(items)
    for report in results.finished():
        for item in items:
            if not isinstance(item, Note | NoteReadError):
                skipped.append(item)
                continue
            if report.note_id != (item.note_id if isinstance(item, Note) else item.where):
                raise results.misfit()
            yield with_text(report, item.text if isinstance(item, Note) else "")
            break
        else:
            raise results.misfit()
    yield from _scanned(items, scanner, skipped, jobs)


def _count(items: Iterable[Item]) -> int:
    return sum(isinstance(item, Note | NoteReadError) for item in items)


def _scanned(items: Iterable[Item], scanner: Scanner, skipped: list[Skipped], jobs: int) -> Iterator[NoteReport]:
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


def _run_record(
    source: Path, export: Export, scanner: Scanner, started: datetime, summary: BatchSummary,
    skipped: list[Skipped], problems: list[tuple[str, str]],
) -> dict[str, Any]:  # fmt: skip
    from peerdrift_nlp.report import left_out

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
        **left_out.record(scanner.profile, scanner.suppressions, summary),
        "skipped": dict(sorted(Counter(item.why for item in skipped).items())),
        "skipped_notes": [{"where": item.where, "why": item.why} for item in skipped[:_PROBLEMS_LISTED]],
        "problems": [{"where": where, "problem": problem} for where, problem in problems[:_PROBLEMS_LISTED]],
        "summary": summary.to_dict(),
    }
