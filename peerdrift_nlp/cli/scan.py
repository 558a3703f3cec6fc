"""``peerdrift scan``: an export in, a results folder and a summary out."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from peerdrift_nlp.cli.model import Model, chosen
from peerdrift_nlp.cli.reading import Columns, Encoding, JoinOn, Opened, Order, Roles, Sheet, Source, Statuses, opened
from peerdrift_nlp.errors import NoteReadError
from peerdrift_nlp.types import Note, NoteReport

if TYPE_CHECKING:
    from peerdrift_nlp.io.readers import Item, Skipped
    from peerdrift_nlp.io.writers import ResultsFolder
    from peerdrift_nlp.report.fingerprint import Fingerprints
    from peerdrift_nlp.report.shown import Shown
    from peerdrift_nlp.report.summary import BatchSummary
    from peerdrift_nlp.scanner import Scanner

_PROBLEMS_LISTED = 1000


def scan(
    context: typer.Context,
    source: Source,
    out: Annotated[Path | None, typer.Option(help="Results folder. Default: NAME-peerdrift.")] = None,
    map_: Columns = None,
    encoding: Encoding = None,
    sheet: Sheet = None,
    join_on: JoinOn = None,
    order: Order = None,
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
    roles: Roles = None,
    statuses: Statuses = None,
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
    from peerdrift_nlp.cli.terminal import counting, summary_table

    say = _Notices(quiet)
    reading = opened(source, map_, encoding=encoding, sheet=sheet, join_on=join_on, order=order)
    say(reading.notices, f"Reading {source.name}")

    from peerdrift_nlp.io.copies import skip_copies
    from peerdrift_nlp.io.journal import files_hash, input_hash, options_hash
    from peerdrift_nlp.io.results import fingerprinted, key_of
    from peerdrift_nlp.io.select import only_new
    from peerdrift_nlp.io.writers import DEFAULT_FORMATS, ResultsFolder, default_folder
    from peerdrift_nlp.report.baseline import key_path, open_baseline
    from peerdrift_nlp.report.fingerprint import Fingerprints
    from peerdrift_nlp.report.profile import DEFAULT
    from peerdrift_nlp.report.shown import Shown
    from peerdrift_nlp.report.summary import BatchSummary
    from peerdrift_nlp.scanner import Scanner

    scanner = Scanner(
        model=chosen(model, quiet=quiet),
        profile=profile or reading.settings.profile or DEFAULT,
        packs=packs or (),
        suppress=suppress or (),
        operating_point=point,
    )
    folder = out or default_folder(source)
    engine = (scanner.spec.fingerprint, scanner.engine.version, reading.arguments, reading.settings)
    made_from = {
        "input": input_hash(source),
        "options": options_hash(context.params, *engine),
        "baseline or decisions": files_hash(baseline, baseline and key_path(baseline), *(decisions or ())),
    }
    known = open_baseline(baseline, decisions or (), by_id="note_id" in reading.export.columns)
    key = known.key if known else key_of(folder)

    def items() -> Iterator[Item]:
        wanted = reading.selected(roles, statuses)
        wanted = skip_copies(wanted) if once else wanted
        return only_new(wanted, known.is_known) if known else wanted

    run = _Run(source, reading, scanner, BatchSummary(), Shown(sample), sample)
    with ResultsFolder(folder, formats=formats or DEFAULT_FORMATS, made_from=made_from, key=key) as results:
        say(results.notices)
        if known:
            known.take_key(results.key)
        fingerprints = Fingerprints(results.key)
        reports = _reports(items(), results, scanner, run.skip, jobs)
        for scanned in reports if quiet else counting(reports, lambda: _count(items())):
            report = fingerprinted(known.undecided(scanned) if known else scanned, fingerprints)
            results.write(report)
            run.add(report)
        run.finish(results, fingerprints)
    if known:
        known.save()
    say([*reading.export.notices, *results.notices, *(known.notices if known else ())])
    if not quiet:
        summary_table(run.summary, run.skipped_by_reason, results.main, run.shown.problems)
    if run.shown.problems:
        raise typer.Exit(3)
    if fail_on is not None and run.worst >= fail_on:
        raise typer.Exit(1)


class _Notices:
    """Says each notice once, on stderr."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._told: set[str] = set()

    def __call__(self, lines: Iterable[str], title: str = "") -> None:
        from peerdrift_nlp.cli.terminal import notices

        if not self._quiet:
            new = [line for line in lines if line not in self._told]
            self._told.update(new)
            notices(title, new)


@dataclass
class _Run:
    """What a scan has counted so far, and what it writes at its end."""

    source: Path
    reading: Opened
    scanner: Scanner
    summary: BatchSummary
    shown: Shown
    sample: int
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    skipped: list[Skipped] = field(default_factory=list)
    skipped_by_reason: Counter[str] = field(default_factory=Counter)
    worst: int = 0

    def add(self, report: NoteReport) -> None:
        """Count a report."""
        self.summary.add(report)
        self.shown.add(report)
        self.worst = max([self.worst, *(finding.severity for finding in report.findings)])

    def skip(self, item: Skipped) -> None:
        """Count a note that is left out, and keep the first ones for ``run.json``."""
        self.skipped_by_reason[item.why] += 1
        if len(self.skipped) < _PROBLEMS_LISTED:
            self.skipped.append(item)

    def finish(self, results: ResultsFolder, fingerprints: Fingerprints) -> None:
        """Write what is written as a whole: the pages and ``run.json``."""
        from peerdrift_nlp.report import left_out
        from peerdrift_nlp.report.html import Review, render_pages

        scanner, summary = self.scanner, self.summary
        rules = scanner.rules.rules.keys()
        summary.left_out = left_out.lines(scanner.profile, scanner.suppressions, summary, rules, self.started.date())
        record = self._record() | {
            "reading": self.reading.arguments, "sample": self.sample, "key": results.key.hex(),
        }  # fmt: skip
        if "html" in results.formats:
            pages = render_pages(
                self.shown.reports(), summary, skipped=self.skipped_by_reason, profile_name=scanner.profile.title,
                local_resources=scanner.profile.resources,
                review=Review(record["started"], fingerprints.key_id, self.shown.sample),
            )  # fmt: skip
            for name, page in pages:
                results.write_text(name, page)
        results.write_run(record)

    def _record(self) -> dict[str, Any]:
        from peerdrift_nlp.report import left_out

        export, scanner, summary, problems = self.reading.export, self.scanner, self.summary, self.shown.problems
        return {
            "schema": "peerdrift.run/1",
            "input": self.source.name,
            "started": self.started.isoformat(timespec="seconds"),
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "format": export.format,
            "encoding": export.encoding,
            "columns": export.columns,
            "notices": export.notices,
            "engine": scanner.engine.to_dict(),
            "operating_point": scanner.spec.operating_point,
            "counts": {
                "read": summary.total + self.skipped_by_reason.total(),
                "scanned": summary.scanned,
                "skipped": self.skipped_by_reason.total(),
                "unreadable": len(problems),
            },
            **left_out.record(scanner.profile, scanner.suppressions, summary),
            "skipped": dict(sorted(self.skipped_by_reason.items())),
            "skipped_notes": [{"where": item.where, "why": item.why} for item in self.skipped],
            "problems": [{"where": where, "problem": problem} for where, problem in problems[:_PROBLEMS_LISTED]],
            "summary": summary.to_dict(),
        }


def _reports(
    items: Iterable[Item], results: ResultsFolder, scanner: Scanner, skip: Callable[[Skipped], None], jobs: int
) -> Iterator[NoteReport]:
    """Reports of all notes: those that an interrupted run had finished are taken from it, the others are made."""
    from peerdrift_nlp.io.journal import with_text
    from peerdrift_nlp.report.policies import Policies

    policies = Policies(scanner.profile, scanner.rules.rules)
    items = iter(items)
    for report in results.finished():
        for item in items:
            if not isinstance(item, Note | NoteReadError):
                skip(item)
                continue
            if report.note_id != (item.note_id if isinstance(item, Note) else item.where):
                raise results.misfit()
            yield with_text(report, item.text if isinstance(item, Note) else "", policies)
            break
        else:
            raise results.misfit()
    yield from _scanned(items, scanner, skip, jobs)


def _count(items: Iterable[Item]) -> int:
    return sum(isinstance(item, Note | NoteReadError) for item in items)


def _scanned(
    items: Iterable[Item], scanner: Scanner, skip: Callable[[Skipped], None], jobs: int
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
                skip(item)

    for given, report in enumerate(scanner.scan_many(notes(), jobs=jobs)):
        while unread and unread[0][0] <= given:
            yield unread.popleft()[1]
        yield report
    yield from (report for _, report in unread)
