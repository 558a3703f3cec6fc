"""Policy profiles: what a program allows, as TOML. A profile switches; it never edits code."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from peerdrift_nlp.errors import Problem, ProfileError

PROFILE_FOLDER = Path(__file__).parent / "profiles"
DEFAULT = "article"
POLICIES = (
    "transport", "coach_title", "faith", "gifts", "touch", "medication_reminders_on_request", "twelve_step",
    "contact_hours", "naloxone", "required_phrases", "program_names",
)  # fmt: skip
_SWITCHES = frozenset(POLICIES) - {"required_phrases", "program_names"}


@dataclass(frozen=True, slots=True)
class Profile:
    """What a program allows and where its people find help.

    ``allowed`` are the policies switched on; ``required_phrases`` (wording that the payer demands)
    and ``program_names`` (groups, titles) are never held against a worker; ``resources`` are local
    places to turn to.
    """

    name: str
    title: str
    allowed: frozenset[str] = frozenset()
    required_phrases: tuple[str, ...] = ()
    program_names: tuple[str, ...] = ()
    resources: tuple[str, ...] = field(default=())


def read_profile(name_or_path: str | Path = DEFAULT) -> Profile:
    """Read a shipped profile by name, or a TOML file.

    Raises:
        ProfileError: everything that is wrong in the file, with line and fix.
    """
    path = Path(name_or_path)
    if path.suffix != ".toml":
        shipped = sorted(item.stem for item in PROFILE_FOLDER.glob("*.toml"))
        path = PROFILE_FOLDER / f"{name_or_path}.toml"
        if not path.is_file():
            raise ProfileError([Problem(str(name_or_path), 0, f"no such profile; shipped: {', '.join(shipped)}")])
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except OSError as error:
        raise ProfileError([Problem(path.name, 0, f"cannot be read ({error.strerror})")]) from error
    except (ValueError, RecursionError) as error:
        raise ProfileError([Problem(path.name, _line_of_error(error), f"is not valid TOML: {error}")]) from error
    return _profile(path.name, text, data)


def _line_of_error(error: Exception) -> int:
    if isinstance(error, UnicodeDecodeError):
        return error.object.count(b"\n", 0, error.start) + 1
    at = re.search(r"at line (\d+)", str(error))
    return int(at[1]) if at else 1


def _profile(path: str, text: str, data: Mapping[str, Any]) -> Profile:
    problems: list[Problem] = []
    lines = text.splitlines()

    def line_of(key: str) -> int:
        return next((number for number, line in enumerate(lines, 1) if line.lstrip(" \t[").startswith(key)), 1)

    def unknown(table: Mapping[str, Any], allowed: set[str], where: str) -> None:
        for key in sorted(table.keys() - allowed):
            near = difflib.get_close_matches(key, allowed, 1)
            hint = f" Did you mean {near[0]!r}?" if near else f" Allowed: {', '.join(sorted(allowed))}."
            problems.append(Problem(path, line_of(key), f"unknown key {key!r} in {where}.{hint}"))

    def strings(table: Mapping[str, Any], key: str) -> tuple[str, ...]:
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
            problems.append(Problem(path, line_of(key), f"{key!r} must be a list of non-empty strings."))
            return ()
        return tuple(value)

    unknown(data, {"name", "title", "policies", "resources"}, "the file")
    policies = data.get("policies", {})
    if not isinstance(policies, dict):
        problems.append(Problem(path, line_of("policies"), "'policies' must be a table: [policies], then switches."))
        policies = {}
    unknown(policies, set(POLICIES), "[policies]")
    for key in ("name", "title"):
        if not isinstance(data.get(key), str):
            problems.append(Problem(path, 1, f"{key!r} is missing."))
    for key in sorted(policies.keys() & _SWITCHES):
        if not isinstance(policies[key], bool):
            problems.append(Problem(path, line_of(key), f"{key!r} must be true (allowed here) or false."))
    profile = Profile(
        name=str(data.get("name")),
        title=str(data.get("title")),
        allowed=frozenset(key for key in _SWITCHES if policies.get(key) is True),
        required_phrases=strings(policies, "required_phrases"),
        program_names=strings(policies, "program_names"),
        resources=strings(data, "resources"),
    )
    if problems:
        raise ProfileError(problems)
    return profile
