"""``peerdrift preview``: what an export holds, before anything is scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import typer

from peerdrift_nlp.cli.reading import Columns, Encoding, JoinOn, Order, Roles, Sheet, Source, Statuses, opened

if TYPE_CHECKING:
    from peerdrift_nlp.io.preview import Preview

_SHOWN = 3
_PROBLEMS_SHOWN = 10


def preview(
    source: Source,
    map_: Columns = None,
    encoding: Encoding = None,
    sheet: Sheet = None,
    join_on: JoinOn = None,
    order: Order = None,
    roles: Roles = None,
    statuses: Statuses = None,
) -> None:
    """Show what an export holds, before anything is scored. No note text is shown."""
    from peerdrift_nlp.io.preview import preview as read

    reading = opened(source, map_, encoding=encoding, sheet=sheet, join_on=join_on, order=order)
    found = read(reading.export, **reading.wanted(roles, statuses))
    _say(f"{source.name}: {reading.export.format}, {reading.export.encoding}")
    for notice in reading.notices:
        _say(f"- {notice}")
    _show(found)
    if found.unreadable:
        raise typer.Exit(3)


def _show(found: Preview) -> None:
    shortest, middle, longest = found.lengths
    skipped, unreadable = sum(found.skipped.values()), len(found.unreadable)
    _say(f"\n{found.notes:,} notes to scan, {skipped:,} skipped, {unreadable:,} unreadable.")
    _say(f"Length in characters: {shortest:,} to {longest:,}, half of them up to {middle:,}.")
    for why, count in found.skipped.items():
        _say(f"- skipped {count:,}: {why}")
    for error in found.unreadable[:_PROBLEMS_SHOWN]:
        _say(f"- unreadable: {error}")
    if unreadable > _PROBLEMS_SHOWN:
        _say(f"- ... and {unreadable - _PROBLEMS_SHOWN:,} more")
    _counts("Role", found.roles)
    _counts("Status", found.statuses)
    _suspects(found)


def _say(line: str) -> None:
    from peerdrift_nlp.cli.terminal import out, printable

    out.print(*(printable(part) for part in line.split("\n")), sep="\n", markup=False)


def _counts(title: str, counts: Mapping[str, int]) -> None:
    from peerdrift_nlp.cli.terminal import out, plain_table, printable

    if not counts:
        return
    table = plain_table((title, "left"), ("Notes", "right"))
    for name, count in counts.items():
        table.add_row(printable(name), f"{count:,}")
    out.print()
    out.print(table)


def _suspects(found: Preview) -> None:
    from peerdrift_nlp.cli.terminal import out, plain_table, printable

    rows: list[tuple[str, Sequence[str]]] = [
        *((f"cut off? exactly {length:,} characters", ids) for length, ids in found.truncated.items()),
        ("word for word an earlier note", [f"{copy} = {first}" for copy, first in found.copies]),
        ("nearly an earlier note", [f"{copy} ~ {first}" for copy, first in found.near_copies]),
        ("text and nothing else: spilled over?", found.spilled),
        ("perhaps not in English", found.foreign),
    ]
    table = plain_table(("To look at", "left"), ("Notes", "right"), ("Such as", "left"))
    for what, ids in rows:
        if ids:
            more = ", ..." if len(ids) > _SHOWN else ""
            table.add_row(what, f"{len(ids):,}", printable(", ".join(ids[:_SHOWN]) + more))
    out.print()
    out.print(table if table.row_count else "Nothing looks cut off, copied, spilled over or foreign.")
