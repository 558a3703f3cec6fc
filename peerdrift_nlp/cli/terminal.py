"""What the terminal shows: progress and notices on stderr, tables on stdout; plain where it is no terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from peerdrift_nlp.report.counts import by_indicator, by_practice
from peerdrift_nlp.report.summary import BatchSummary
from peerdrift_nlp.taxonomy import taxonomy

T = TypeVar("T")


class _Console(Console):
    """A console whose reader may go away (``| head``): that is no error."""

    def on_broken_pipe(self) -> None:
        try:
            super().on_broken_pipe()
        except SystemExit:
            raise SystemExit(0) from None


out = _Console(highlight=False, soft_wrap=False)
err = _Console(stderr=True, highlight=False)


def printable(text: str) -> str:
    """Text that cannot steer a terminal: everything that is not printable becomes a blank."""
    return "".join(char if char.isprintable() else " " for char in text)


def notices(title: str, lines: Sequence[str]) -> None:
    """Say what was assumed, on stderr."""
    if title:
        err.print(title, markup=False)
    for line in lines:
        err.print(f"  {line}", markup=False)


def counting(items: Iterator[T], count: Callable[[], int] | None = None) -> Iterator[T]:
    """Pass items through with their number and the time left on stderr, where that is a terminal.

    Args:
        items: what is counted.
        count: how many there will be; asked only where it is shown.
    """
    if not err.is_terminal:
        yield from items
        return
    columns = (
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=20), MofNCompleteColumn(),
        TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("counting notes" if count else "notes scanned", total=None)
        progress.update(task, description="notes scanned", total=count() if count else None)
        for item in items:
            progress.advance(task)
            yield item


@contextmanager
def steps(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar with the time left on stderr, where that is a terminal; gives what to call with steps done and all."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def plain_table(*columns: tuple[str, str]) -> Table:
    """A borderless table; each column is ``(heading, "left" or "right")``."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading, side in columns:
        table.add_column(heading, justify="right" if side == "right" else "left", overflow="fold")
    return table


def summary_table(
    summary: BatchSummary, skipped: Mapping[str, int], results: Path, problems: Sequence[tuple[str, str]]
) -> None:
    """The run in one screen: strengths first, individual and organizational apart, then what was left out."""
    codebook = taxonomy()
    out.print()
    _counts("What is strong", by_practice(summary.all.practices), codebook.practices)
    titles = {name: indicator.title for name, indicator in codebook.indicators.items()}
    _counts("To talk about", by_indicator(summary.all.findings), titles)
    _counts("About the workplace", by_indicator(summary.all.workplace), titles)
    for hint in summary.hints:
        out.print(
            f"{hint.program}: {titles[hint.indicator]}, {hint.workers} of {hint.of_workers} workers. {hint.text}",
            markup=False,
        )
    total = summary.total + sum(skipped.values())
    out.print(
        f"{total:,} notes read: {summary.scanned:,} scanned, {sum(skipped.values()):,} skipped, "
        f"{len(problems):,} unreadable."
    )
    for why, count in sorted(skipped.items()):
        out.print(f"  skipped {count:,}: {why}", markup=False)
    for where, problem in problems[:10]:
        out.print(f"  unreadable: {where}: {problem}", markup=False)
    if len(problems) > 10:
        out.print(f"  ... and {len(problems) - 10:,} more, all in run.json")
    for line in summary.left_out:
        out.print(printable(line), markup=False)
    out.print(f"Results: {results}", markup=False, soft_wrap=True)
    out.print("For supportive supervision: a flag is a question, and a quiet note is no proof.")


def _counts(title: str, counts: Mapping[str, int], titles: Mapping[str, str]) -> None:
    table = plain_table((title, "left"), ("Sentences", "right"))
    rows = [(titles.get(name, name), count) for name, count in counts.items() if count]
    for name, count in rows or [("nothing found", 0)]:
        table.add_row(name, f"{count:,}")
    out.print(table)
    out.print()


def lines(items: Iterable[str]) -> None:
    """Print plain lines on stdout."""
    for item in items:
        out.print(item, markup=False, soft_wrap=True)
