"""TOML files that an agency writes, read with all their problems at once, each with line and fix."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from peerdrift_nlp.errors import Problem, ProfileError

MAX_BYTES = 1_000_000


@dataclass(slots=True)
class Settings:
    """A settings file as read; ``problems`` collects what is wrong in it."""

    path: str
    lines: list[str]
    data: dict[str, Any]
    problems: list[Problem] = field(default_factory=list)

    def line_of(self, key: str, start: int = 1) -> int:
        """The line of a key or table, from line ``start`` on; ``start`` itself where it is not found."""
        found = (number for number, line in enumerate(self.lines, 1) if line.lstrip(" \t[").startswith(key))
        return next((number for number in found if number >= start), start)

    def report(self, line: int, what: str) -> None:
        """Note one problem."""
        self.problems.append(Problem(self.path, line, what))

    def check_keys(self, table: Mapping[str, Any], allowed: Set[str], where: str, start: int = 1) -> None:
        """Note keys that the table must not have."""
        for key in sorted(table.keys() - allowed):
            near = difflib.get_close_matches(key, allowed, 1)
            hint = f" Did you mean {near[0]!r}?" if near else f" Allowed: {', '.join(sorted(allowed))}."
            self.report(self.line_of(key, start), f"unknown key {key!r} in {where}.{hint}")

    def strings(self, table: Mapping[str, Any], key: str) -> tuple[str, ...]:
        """A list of non-empty strings, () where there is none."""
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
            self.report(self.line_of(key), f"{key!r} must be a list of non-empty strings.")
            return ()
        return tuple(value)

    def finish(self) -> None:
        """Raise what was found.

        Raises:
            ProfileError: all problems of the file.
        """
        if self.problems:
            raise ProfileError(self.problems)


def read_settings(path: Path) -> Settings:
    """Read a TOML file.

    Raises:
        ProfileError: it cannot be read, is too big or no TOML.
    """
    try:
        if path.is_file() and path.stat().st_size > MAX_BYTES:
            raise ProfileError([Problem(path.name, 0, f"is larger than {MAX_BYTES:,} bytes; is it the right file?")])
        text = path.read_text(encoding="utf-8")
        return Settings(path.name, text.splitlines(), tomllib.loads(text))
    except OSError as error:
        raise ProfileError([Problem(path.name, 0, f"cannot be read ({error.strerror})")]) from error
    except (ValueError, RecursionError) as error:
        raise ProfileError([Problem(path.name, _line_of_error(error), f"is not valid TOML: {error}")]) from error


def _line_of_error(error: Exception) -> int:
    if isinstance(error, UnicodeDecodeError):
        return error.object.count(b"\n", 0, error.start) + 1
    at = re.search(r"at line (\d+)", str(error))
    return int(at[1]) if at else 1
