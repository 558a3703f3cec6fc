"""How an export is read: the options that ``scan`` and ``preview`` share, and what they come to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from peerdrift_nlp.errors import UsageError

if TYPE_CHECKING:
    from peerdrift_nlp.io.readers import Export, Item
    from peerdrift_nlp.io.settings import Settings

Source = Annotated[Path, typer.Argument(metavar="INPUT", help="An export, or a folder or zip of documents.")]
Columns = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="FIELD=COLUMN", help="Name a column, e.g. text='Progress Note'."),
]
Encoding = Annotated[str | None, typer.Option(help="Encoding of a text file, e.g. cp1252.")]
Sheet = Annotated[str | None, typer.Option(help="Sheet of a workbook, by name or number.")]
JoinOn = Annotated[str | None, typer.Option(help="Column that the rows of a split note share.")]
Order = Annotated[str | None, typer.Option(help="Column that orders the rows of a split note.")]
Roles = Annotated[list[str] | None, typer.Option("--role", help="A further role whose notes count as peer notes.")]
Statuses = Annotated[list[str] | None, typer.Option("--keep-status", help="A status to scan that is usually left out.")]


@dataclass(frozen=True, slots=True)
class Opened:
    """An opened export, the settings beside it, and the arguments that it was opened with."""

    export: Export
    settings: Settings
    arguments: dict[str, Any]

    @property
    def notices(self) -> list[str]:
        """What was assumed so far."""
        return [*self.settings.notices, *self.export.notices]

    def wanted(self, roles: Iterable[str] | None, statuses: Iterable[str] | None) -> dict[str, list[str]]:
        """The further roles and statuses of options and settings, as ``select`` takes them."""
        return {
            "roles": [*self.settings.roles, *(roles or ())],
            "keep_statuses": [*self.settings.keep_statuses, *(statuses or ())],
        }

    def selected(self, roles: Iterable[str] | None, statuses: Iterable[str] | None) -> Iterator[Item]:
        """The notes from the top, those that are not to be scanned as ``Skipped``."""
        from peerdrift_nlp.io.select import select

        return select(self.export, **self.wanted(roles, statuses))


def opened(source: Path, columns: Iterable[str] | None, **given: str | None) -> Opened:
    """Open an export as the options say; what they leave open, its ``peerdrift.toml`` says.

    Args:
        source: the export.
        columns: ``FIELD=COLUMN`` pairs.
        **given: ``encoding``, ``sheet``, ``join_on`` and ``order``.

    Raises:
        UsageError, InputError, SettingsError: it cannot be read so; the message says what to mend.
    """
    from peerdrift_nlp.io.readers import open_export
    from peerdrift_nlp.io.settings import find_settings

    settings = find_settings(source)
    arguments = settings.reading(_mapping(columns or ()), **given)
    return Opened(open_export(source, **arguments), settings, arguments)


def _mapping(pairs: Iterable[str]) -> dict[str, str]:
    """``FIELD=COLUMN`` pairs as a dictionary."""
    columns: dict[str, str] = {}
    for pair in pairs:
        field, equals, column = pair.partition("=")
        if not equals or not field or not column:
            raise UsageError(f"--map {pair!r}: write it as FIELD=COLUMN, e.g. --map text='Progress Note'")
        columns[field.strip()] = column.strip()
    return columns
