"""The ``peerdrift`` command: its sub-commands, exit codes and how errors are told.

Exit codes: 0 finished; 1 findings, only with ``--fail-on``; 2 usage or configuration; 3 finished,
but some notes could not be read.
"""

from __future__ import annotations

import os
import sys
import threading
import traceback
from pathlib import Path
from typing import Annotated

import typer

from peerdrift_nlp import __version__
from peerdrift_nlp.cli import (
    check,
    compare,
    corpus,
    evaluate,
    explain,
    label,
    model,
    preview,
    report,
    rules,
    scan,
    sheet,
    train,
)
from peerdrift_nlp.errors import PeerdriftError

app = typer.Typer(
    name="peerdrift",
    help="Find role drift in peer support session notes, for supportive supervision. Offline.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("scan")(scan.scan)
app.command("preview")(preview.preview)
app.command("report")(report.report)
app.command("check")(check.check)
app.command("sheet")(sheet.sheet)
app.command("explain")(explain.explain)
app.command("train")(train.train)
app.command("evaluate")(evaluate.evaluate)
app.command("compare")(compare.compare)
app.command("adopt")(model.adopt)
app.add_typer(rules.app, name="rules")
app.add_typer(corpus.app, name="corpus")
app.add_typer(label.app, name="label")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"peerdrift {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Find role drift in peer support session notes, for supportive supervision. Offline."""


def run() -> None:
    """Run the command line and exit with its code. Errors are told without note text."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    threading.excepthook = lambda _: None  # it would print a library's message; who waits for the thread tells
    try:
        app()
    except PeerdriftError as error:
        typer.echo(f"peerdrift: {error}", err=True)
        sys.exit(2)
    except BrokenPipeError:
        sys.exit(0)
    except MemoryError:
        typer.echo("peerdrift: memory ran out: close other programs, use --jobs 1, or split the export", err=True)
        sys.exit(2)
    except Exception as error:  # an error message of a library could quote a note
        if isinstance(error, OSError) and error.errno and error.filename:
            typer.echo(f"peerdrift: {error.filename}: {os.strerror(error.errno)}", err=True)
            sys.exit(2)
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(place.filename).name}:{place.lineno}"
        typer.echo(f"peerdrift: internal error: {type(error).__name__} at {where}. Please report it.", err=True)
        sys.exit(2)
