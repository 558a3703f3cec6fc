"""Offsets for languages whose strings are UTF-16: JavaScript, Java, C#.

An emoji is one code point and two UTF-16 units, so ``text.slice(start, end)`` needs offsets of its own.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

from peerdrift_nlp.errors import UsageError
from peerdrift_nlp.types import NoteReport


def to_utf16(report: NoteReport, text: str | None = None) -> dict[str, Any]:
    """``NoteReport.to_dict`` with every ``start`` and ``end`` in UTF-16 units, and ``"offset_unit": "utf-16"``.

    Args:
        report: what ``Scanner`` gave.
        text: the note, where the report does not carry it.

    Raises:
        UsageError: the text is not the one that the report's offsets are into.
    """
    text = report.text if text is None else text
    wide = [place for place, character in enumerate(text) if ord(character) > 0xFFFF]

    def unit(offset: int) -> int:
        if offset > len(text):
            raise UsageError(f"offset {offset} is beyond the text ({len(text)} characters); pass the note's own text")
        return offset + bisect_left(wide, offset)

    def converted(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: unit(item) if key in ("start", "end") and isinstance(item, int) else converted(item)
                for key, item in value.items()
            }
        return [converted(item) for item in value] if isinstance(value, list) else value

    return {**{key: converted(value) for key, value in report.to_dict().items()}, "offset_unit": "utf-16"}
