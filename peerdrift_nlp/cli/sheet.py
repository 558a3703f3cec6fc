"""``peerdrift sheet``: one worker's page for a talk, to print and hand over."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from peerdrift_nlp.errors import UsageError

if TYPE_CHECKING:
    from peerdrift_nlp.types import NoteReport


def sheet(
    results: Annotated[Path, typer.Argument(help="A results folder of `peerdrift scan`.")],
    worker: Annotated[str, typer.Option(help="The worker's name as the export has it.")],
    out: Annotated[Path | None, typer.Option(help="The page. Default: sheet-NAME.html.")] = None,
) -> None:
    """Write a worker's sheet: strengths first, at most three things to talk about, no note text."""
    from peerdrift_nlp.io.results import open_results
    from peerdrift_nlp.report.sheet import render_sheet

    worker = worker.strip()
    name = re.sub(r"[^\w-]+", "-", worker).strip("-") or "worker"
    path = out or Path(f"sheet-{name}.html")
    if path.exists():
        raise UsageError(f"{path} is there already: remove it, or choose another name with --out")
    names: set[str] = set()
    page, notes = render_sheet(worker, _noting(open_results(results).reports(), names))
    if not notes:
        raise UsageError(f"no note of {worker!r} in {results}; {_others(worker, names)}")
    _write(path, page)
    typer.echo(f"{path}: {notes:,} notes")


def _noting(reports: Iterator[NoteReport], names: set[str]) -> Iterator[NoteReport]:
    for report in reports:
        names.add(report.meta.get("worker", "").strip())
        yield report


def _others(worker: str, names: set[str]) -> str:
    import difflib

    near = difflib.get_close_matches(worker, names - {""}, 3, cutoff=0.4)
    if near:
        return f"did you mean {', '.join(map(repr, near))}?"
    return f"it has notes of {len(names - {''}):,} workers by name"


def _write(path: Path, page: str) -> None:
    part = path.with_name(f".{path.name}.part")
    try:
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)
        part.write_text(page, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise UsageError(f"{path} cannot be written: {error.strerror}; choose another place with --out") from None
