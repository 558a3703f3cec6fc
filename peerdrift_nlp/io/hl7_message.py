"""HL7 v2: a file as messages, and a message as segments, fields and components."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_FRAMING = "\v\x1c\ufeff"
_HEADER = re.compile(r"MSH([^\w\s])[^\w\s]+\1")
_SEGMENT = re.compile(
    "Z[A-Z0-9]{2}|ACC|AL1|ARV|BHS|BTS|CON|CTD|CTI|DB1|DG1|DSC|ERR|EVN|FHS|FT1|FTS|GT1|IAM|IN[1-3]|MRG|MSA|NK1|NTE|OBR|OBX"
    "|OH[1-4]|ORC|PD1|PDA|PID|PRT|PV1|PV2|ROL|SFT|SPM|TQ1|TQ2|TXA|UAC|UB1|UB2"
)
"""The segments that stand in such messages; any other line is one of a note."""
_ESCAPED = r"F|S|T|R|E|H|N|\.br|\.ce|\.fi|\.nf|\.(?:sp|in|ti|sk) ?[+-]?\d*|(?:X(?:[0-9A-Fa-f]{2})+)"


class Marks(NamedTuple):
    """The separators that a message declares."""

    field: str
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"


class Message(NamedTuple):
    """A message: where it begins, its separators, and its segments as fields, numbered as HL7 numbers them."""

    where: str
    marks: Marks
    segments: list[list[str]]

    def field(self, segment: str, number: int, component: int = 1) -> str:
        """A component of a field of the first such segment that has it; "" if none does."""
        found = (self.part(at(fields, number), component) for fields in self.all(segment))
        return next(filter(None, found), "")

    def all(self, segment: str) -> Iterator[list[str]]:
        """All segments of a name."""
        return (fields for fields in self.segments if fields[0] == segment)

    def part(self, field: str, component: int) -> str:
        """A component of the first repetition of a field."""
        parts = field.split(self.marks.repetition)[0].split(self.marks.component)
        return self.plain(at(parts, component - 1)).strip().removeprefix('""')  # HL7's word for nothing

    def plain(self, text: str) -> str:
        """Text without escapes and with line breaks; what is no known escape stays as it is."""
        field, component, repetition, escape, subcomponent = self.marks
        signs = {"F": field, "S": component, "T": subcomponent, "R": repetition, "E": escape}

        def meant(found: re.Match[str]) -> str:
            code = found[1]
            if code.startswith("X"):
                return bytes.fromhex(code[1:]).decode("cp1252", "replace").replace("\r\n", "\n").replace("\r", "\n")
            if code.startswith((".br", ".sp", ".ce")):
                return "\n"
            return signs.get(code, " " if code.startswith((".in", ".ti", ".sk")) else "")

        edge = re.escape(escape)
        return re.sub(f"{edge}({_ESCAPED}){edge}", meant, text)


def messages(lines: Iterable[str]) -> Iterator[Message]:
    """The messages of a file; what stands before the first is its batch's header."""
    where, segments, number = "", list[list[str]](), 0
    for place, line in enumerate(lines, start=1):
        text = line.rstrip("\n").strip(_FRAMING)
        header = text.lstrip(" \t\0")
        if _HEADER.match(header):
            if segments:
                yield _message(where, segments)
            number += 1
            where, segments = f"message {number}, line {place}", [[header]]
        elif segments and _SEGMENT.match(text) and text[3:4] == segments[0][0][3]:
            segments.append([text])
        elif segments and text.startswith(f"ADD{segments[0][0][3]}"):
            segments[-1].append(text[4:])
        elif segments:
            # A line that begins no segment goes on with the one before: a note's own line break stayed.
            segments[-1].append(f"\n{text}")
    if segments:
        yield _message(where, segments)


def _message(where: str, segments: list[list[str]]) -> Message:
    """A message of segments, which are given in pieces."""
    separator = segments[0][0][3]
    header, *others = ("".join(pieces).split(separator) for pieces in segments)
    return Message(where, Marks(separator, *header[1][:4]), [["MSH", separator, *header[1:]], *others])


def at(parts: list[str], number: int) -> str:
    """A part by its number; "" where there is none."""
    return parts[number] if number < len(parts) else ""
