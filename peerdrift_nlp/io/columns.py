"""Which column of an export is what: a table of the names that systems give their columns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from peerdrift_nlp.errors import InputError, UsageError

ALIASES: Mapping[str, tuple[str, ...]] = {
    "note_id": (
        "note id",
        "note number",
        "note key",
        "document id",
        "doc id",
        "record id",
        "visit id",
        "client visit id",
        "entry id",
        "encounter id",
        "encounter number",
        "encounter no",
        "id",
    ),
    "text": (
        "note text",
        "text",
        "progress note",
        "progress note text",
        "service note",
        "case note",
        "contact note",
        "session note",
        "narrative",
        "note narrative",
        "note body",
        "note content",
        "note",
        "notes",
        "progress notes",
        "documentation",
        "body",
        "content",
        "comments",
        "comment",
    ),
    "worker": (
        "worker",
        "worker id",
        "worker name",
        "author",
        "author id",
        "author name",
        "staff",
        "staff id",
        "staff name",
        "staff member",
        "provider",
        "provider id",
        "provider name",
        "rendering provider",
        "practitioner",
        "employee",
        "employee id",
        "employee name",
        "peer specialist",
        "peer worker",
        "signed by",
        "written by",
        "entered by",
    ),
    "role": (
        "role",
        "author role",
        "staff role",
        "worker role",
        "credential",
        "credentials",
        "provider credentials",
        "staff credentials",
        "job title",
        "position",
        "staff type",
        "provider type",
        "discipline",
    ),
    "program": ("program", "program name", "team", "unit", "department", "site", "clinic", "facility"),
    "date": (
        "date",
        "service date",
        "date of service",
        "dos",
        "visit date",
        "session date",
        "contact date",
        "encounter date",
        "note date",
        "start date",
        "created date",
        "created at",
        "created",
    ),
    "status": ("status", "note status", "document status", "doc status", "signature status", "record status"),
    "service": (
        "service",
        "service code",
        "service type",
        "service name",
        "service title",
        "procedure code",
        "billing code",
        "hcpcs",
        "cpt",
        "cpt code",
        "activity",
    ),
    "client": (
        "client",
        "client id",
        "client name",
        "patient",
        "patient id",
        "patient name",
        "member",
        "member id",
        "participant",
        "participant id",
        "participant name",
        "person served",
        "consumer",
        "consumer id",
        "mrn",
    ),
}
"""Field to the names of its column, the most telling first. ``client`` is known only to be left out."""

FIELDS = tuple(ALIASES)
_DATA_LIKE = re.compile(r"[\d\s./:-]*\d[\d\s./:-]*|.*[\x00-\x1f].*|.{41,}|\S+(\s+\S+){5,}", re.DOTALL)


def normal(name: str) -> str:
    """A column name without case, spaces, underscores and punctuation."""
    return "".join(character for character in name.casefold() if character.isalnum())


_NORMAL = {field: [normal(alias) for alias in aliases] for field, aliases in ALIASES.items()}


def field_of(name: str) -> str:
    """The field that a name stands for: itself, or the one whose column may be called so (``note_text``)."""
    if name in FIELDS:
        return name
    return next((field for field, aliases in _NORMAL.items() if normal(name) in aliases), name)


def find_column(names: Sequence[str], wanted: str) -> str | None:
    """The column that is called ``wanted``, or nearly so."""
    return wanted if wanted in names else next((name for name in names if normal(name) == normal(wanted)), None)


def recognise(names: Sequence[str], overrides: Mapping[str, str] | None = None) -> dict[str, str]:
    """Field to column for every field that has one; never complains.

    An override that names no column is left out.
    """
    by_normal: dict[str, str] = {}
    for name in names:
        by_normal.setdefault(normal(name), name)
    chosen: dict[str, str] = {}
    for field, column in (overrides or {}).items():
        if found := find_column(names, column):
            chosen[field] = found
    for field, aliases in _NORMAL.items():
        if field not in (overrides or {}):
            taken = set(chosen.values())
            found = next((by_normal[alias] for alias in aliases if alias in by_normal), None)
            if found and found not in taken:
                chosen[field] = found
    return {field: chosen[field] for field in FIELDS if field in chosen}


def also_text(names: Sequence[str], mapping: Mapping[str, str]) -> list[str]:
    """Columns that could hold the notes just as well as the one that is read."""
    return [name for name in names if normal(name) in _NORMAL["text"] and name not in mapping.values()]


def map_columns(
    names: Sequence[str], overrides: Mapping[str, str] | None = None, *, source: str = "the export"
) -> dict[str, str]:
    """Say which column holds which field.

    Args:
        names: the column names as the export has them.
        overrides: field to column, for what the aliases do not know, e.g. ``{"text": "Progress Note"}``.
        source: the file's name, for messages.

    Raises:
        UsageError: an override of an unknown field or to an unknown column.
        InputError: no column can be the note text.
    """
    mapping = recognise(names, overrides)
    for field, column in (overrides or {}).items():
        if field not in FIELDS:
            raise UsageError(f"unknown field {field!r} in --map; the fields are {', '.join(FIELDS)}")
        if field not in mapping:
            raise UsageError(f"{source} has no column {column!r} to read as {field}; {listing(names)}")
    if "text" not in mapping:
        raise InputError(
            f"{source}: no column looks like the note text; {listing(names)}. "
            "Say which one it is with --map text=COLUMN"
        )
    return mapping


def is_data_like(names: Sequence[str]) -> bool:
    """Whether one of the names is a number, a sentence or several lines: then they are data."""
    return any(map(_DATA_LIKE.fullmatch, names))


def listing(names: Sequence[str]) -> str:
    """The columns by name, unless the first row holds data: then naming them would quote a note.

    A row is taken for a header if it has a name that is known, or one of a single word.
    """
    if is_data_like(names):
        return (
            f"its first row ({len(names)} cells) seems to be data, not column names: "
            "put a row with the names of the columns on top"
        )
    is_header = bool(recognise(names)) or any(len(re.findall(r"\w+", name)) < 2 for name in names if name)
    shown = [repr(name) if is_header else f"column {place}" for place, name in enumerate(names, 1) if name]
    return "its columns are " + ", ".join(shown)
