"""``peerdrift.toml``: how an agency's exports are read, said once instead of with every command."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from peerdrift_nlp.errors import Problem, SettingsError
from peerdrift_nlp.io.columns import FIELDS, field_of

NAME = "peerdrift.toml"
_TEXTS = ("encoding", "sheet", "join_on", "order", "profile")
_LISTS = ("roles", "keep_statuses")
_KEYS = (*_TEXTS, *_LISTS, "columns")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a ``peerdrift.toml`` says; ``None`` and empty where it says nothing.

    ``columns``, ``encoding``, ``sheet``, ``join_on`` and ``order`` are those of ``open_export``, ``roles`` and
    ``keep_statuses`` those of ``select``; ``profile`` is a shipped profile's name or a path.
    """

    path: Path | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None
    sheet: str | None = None
    join_on: str | None = None
    order: str | None = None
    profile: str | None = None
    roles: tuple[str, ...] = ()
    keep_statuses: tuple[str, ...] = ()

    def reading(self, columns: Mapping[str, str], **given: str | None) -> dict[str, Any]:
        """The arguments of ``open_export``: those that are given, else what the file says."""
        named = {name: getattr(self, name) if value is None else value for name, value in given.items()}
        return {"columns": {**self.columns, **columns}, **named}

    @property
    def notices(self) -> list[str]:
        """Where the settings come from."""
        return [f"settings from {self.path}"] if self.path else []


def find_settings(source: Path) -> Settings:
    """The settings beside an export (in it, where it is a folder), else those of the working folder, else none.

    Raises:
        SettingsError: everything that is wrong in the file, with line and fix.
    """
    beside = source if source.is_dir() else source.parent
    found = next((path for path in (beside / NAME, Path(NAME)) if path.is_file()), None)
    return read_settings(found) if found else Settings()


def read_settings(path: Path) -> Settings:
    """Read a ``peerdrift.toml``.

    Raises:
        SettingsError: everything that is wrong in the file, with line and fix.
    """
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except OSError as error:
        raise SettingsError([Problem(path.name, 0, f"cannot be read ({error.strerror})")]) from None
    except (ValueError, RecursionError) as error:
        raise SettingsError([Problem(path.name, _line_of_error(error), f"is not valid TOML: {error}")]) from None
    problems = [Problem(path.name, _line_of(text, key), what) for key, what in _problems(data)]
    if problems:
        raise SettingsError(problems)
    profile = data.get("profile")
    if profile and profile.endswith(".toml"):
        data["profile"] = str(path.parent / profile)
    lists = {key: tuple(data[key]) for key in _LISTS if key in data}
    return Settings(**{**data, **lists, "path": path})


def _problems(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Every key that is wrong, with what is wrong about it."""
    found = [(key, _unknown(key, _KEYS, "the file")) for key in data if key not in _KEYS]
    found += [
        (key, f'{key!r} must be a text, e.g. {key} = "...".') for key in _TEXTS if not _is_text(data.get(key, "-"))
    ]
    for key in _LISTS:
        value = data.get(key, [])
        if not isinstance(value, list) or not all(map(_is_text, value)):
            found.append((key, f'{key!r} must be a list of texts, e.g. {key} = ["..."].'))
    columns = data.get("columns", {})
    if not isinstance(columns, dict):
        return [*found, ("columns", "'columns' must be a table: [columns], then FIELD = \"COLUMN\".")]
    found += [(key, _unknown(key, FIELDS, "[columns]")) for key in columns if field_of(key) not in FIELDS]
    found += [(key, f"{key!r} must be the name of a column.") for key, value in columns.items() if not _is_text(value)]
    if "order" in data and "join_on" not in data:
        found.append(("order", "'order' needs 'join_on': the column that the rows of a note share."))
    return found


def _unknown(key: str, allowed: tuple[str, ...], where: str) -> str:
    near = difflib.get_close_matches(key, allowed, 1)
    return f"unknown key {key!r} in {where}. " + (
        f"Did you mean {near[0]!r}?" if near else f"Allowed: {', '.join(allowed)}."
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _line_of_error(error: Exception) -> int:
    if isinstance(error, UnicodeDecodeError):
        return error.object.count(b"\n", 0, error.start) + 1
    at = re.search(r"at line (\d+)", str(error))
    return int(at[1]) if at else 1


def _line_of(text: str, key: str) -> int:
    lines = enumerate(text.splitlines(), start=1)
    return next((number for number, line in lines if line.lstrip(" \t[\"'").startswith(key)), 1)
