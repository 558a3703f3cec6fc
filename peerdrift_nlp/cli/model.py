"""``peerdrift adopt``: which model is in use; and the ``--model`` option of the other commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from peerdrift_nlp.errors import UsageError

Model = Annotated[
    str, typer.Option(help="Bundle folder, 'default' or 'fast'. Without: the adopted one, else 'default'.")
]


def adopt(
    folder: Annotated[Path | None, typer.Argument(metavar="DIR", help="The bundle to adopt.")] = None,
    back: Annotated[bool, typer.Option("--back", help="Return to the model in use before.")] = False,
) -> None:
    """Make a model the one that scans use, or go back; without either, say which one it is."""
    from peerdrift_nlp.classifier import adoption

    if folder and back:
        raise UsageError("name a bundle, or give --back, not both")
    found = adoption.adopt(folder) if folder else adoption.go_back() if back else adoption.adopted()
    if found is None:
        typer.echo("The shipped model is in use.")
        return
    before = found.parent or "the shipped model"
    typer.echo(f"{found.version} is in use ({found.folder}), adopted {found.date}. Before it: {before}.")


def chosen(model: str, *, quiet: bool = False) -> str:
    """The model that a command shall use; an adopted one that the user did not name is told on stderr."""
    from peerdrift_nlp.classifier.adoption import ADOPTED, adopted

    if model:
        return model
    found = adopted()
    if found is None:
        return "default"
    if not quiet:
        typer.echo(f"Model: {found.version}, adopted {found.date}; --model default is the shipped one", err=True)
    return ADOPTED
