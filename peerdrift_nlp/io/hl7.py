r"""HL7 v2: the text of MDM and ORU messages, one note in each. No segment about the person (PID) is looked at.

Line breaks come in three ways, often mixed: a segment OBX for each line, ``~`` between repetitions, and escapes like
``\.br\``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from peerdrift_nlp.errors import InputError, NoteReadError
from peerdrift_nlp.io.attachment import attachment_text, from_base64
from peerdrift_nlp.io.ccda import MEDIA_TYPES, ccda_text
from peerdrift_nlp.io.dates import hl7_date
from peerdrift_nlp.io.hl7_message import Message, at, messages
from peerdrift_nlp.io.markup import plain_text
from peerdrift_nlp.io.sniff import sniff_file
from peerdrift_nlp.io.table import NOTE_NAMES, Record, Row, Table
from peerdrift_nlp.types import MAX_NOTE_CHARS

NO_NOTES = "holds no MDM and no ORU message: export the notes as MDM^T02 or ORU^R01"
"""What to say of a source without notes."""

_READ = ("MDM", "ORU")
_TEXTS = ("TX", "FT", "ST", "")
_SUBTYPES = {"XML": "text/xml", "RTF": "text/rtf", "PDF": "application/pdf", "HTML": "text/html", "PLAIN": "text/plain"}
_STATUSES = {"CA": "deleted", "OB": "superseded", "IN": "draft", "IP": "draft", "P": "preliminary", "X": "voided",
             "F": "final", "AU": "authenticated", "LA": "legally authenticated", "DO": "documented"}  # fmt: skip
_NOT_VALID = ("D", "W", "X")
_RESULT_STATUS = re.compile(r"([BCDFINOPRSUVWX](\W.*)?)?", re.IGNORECASE)
_XML_STARTS = (b"<?xml", b"<ClinicalDocument")
_NO_TEXT = re.compile(r"[A-Z]{0,2}|\d.*")
_COMMENT_TYPE = re.compile("[A-Z0-9]{0,4}")
_DOCUMENT_STARTS = ("JVBERi", "e1xydG")
"""How PDF and RTF begin in base64."""
_LEFT_OUT = ("deleted", "superseded", "draft", "preliminary", "voided")
_START = re.compile(rb"[\s\v\xef\xbb\xbf\xfe\xff]*(?:FHS|BHS|MSH)[^\w\s\x80-\xff][^\w\s]{4}")


@dataclass(slots=True)
class PassedOver:
    """What of messages is not read: documents and comments beside text, and messages by their type."""

    beside: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)

    def notices(self) -> list[str]:
        """That in words, a sentence each."""
        said = [
            f"{count:,} messages hold {what} beside their text; only the text was read"
            for what, count in sorted(self.beside.items())
        ]
        if self.kinds:
            kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(self.kinds.items()))
            said.append(f"not read, because they are no MDM or ORU message: {kinds}")
        return said


def is_hl7(start: bytes) -> bool:
    """Whether a file with these first bytes holds messages of HL7 v2."""
    return _START.match(start.replace(b"\0", b"")) is not None


def read_hl7(path: Path, encoding: str | None) -> Table:
    """Open a file of messages, bare, framed or in a batch.

    Raises:
        InputError: no MDM and no ORU message.
    """
    decoding = sniff_file(path, encoding)
    notices = [decoding.notice] if decoding.notice else []
    found: list[str] = []

    def rows() -> Iterator[Record]:
        passed_over = PassedOver()
        with path.open(encoding=decoding.encoding, errors=decoding.errors) as lines:
            yield from hl7_rows(lines, passed_over)
        found.extend(passed_over.notices())

    if next(rows(), None) is None:
        raise InputError(f"{path.name} {NO_NOTES}")
    found.clear()
    return Table("hl7", decoding.encoding, NOTE_NAMES, rows, notices, found)


def hl7_rows(lines: Iterable[str], passed_over: PassedOver) -> Iterator[Row | NoteReadError]:
    """The notes of messages as rows of ``NOTE_NAMES``; what is not read is counted in ``passed_over``."""
    for message in messages(lines):
        kind = message.field("MSH", 9)
        if kind in _READ:
            passed_over.beside.update(_beside(message))
            yield _row(message)
        else:
            passed_over.kinds[kind if re.fullmatch("[A-Z]{3}", kind) else "of no known type"] += 1


def _row(message: Message) -> Row | NoteReadError:
    status = message.field("TXA", 19) if message.field("TXA", 19) in ("CA", "OB") else message.field("TXA", 17)
    status = status or message.field("OBR", 25)
    status = _STATUSES.get(status, status)
    try:
        text = _note(message)
    except NoteReadError as error:
        # What is to be left out need not be readable.
        if status not in _LEFT_OUT:
            return error
        text = "-"
    return Row(
        message.where,
        (
            _first(message, ("TXA", 12), ("OBR", 3), ("OBR", 2), ("MSH", 10)),
            text,
            _name(message, "TXA", 9) or _name(message, "OBX", 16),
            hl7_date(_first(message, ("TXA", 4), ("OBR", 7), ("MSH", 7))),
            status,
            message.field("TXA", 2, 2) or message.field("OBR", 4, 2) or _first(message, ("TXA", 2), ("OBR", 4)),
            message.field("MSH", 4),
        ),
    )


def _note(message: Message) -> str:
    """The text of a message: that of its observations, or of the document in them, or of its comments.

    Raises:
        NoteReadError: there is none, or it cannot be read.
    """
    names = [fields[0] for fields in message.segments]
    if max(names.count(name) for name in ("PID", "TXA", "OBR")) > 1:
        raise NoteReadError(message.where, "holds several notes (PID, TXA or OBR): export each in a message of its own")
    observations = _observations(message)
    if any(map(_runs_over, observations)):
        raise _cut(message)
    text = _observed(message, observations) or _attached(message, observations) or _commented(message)
    if not text:
        raise NoteReadError(message.where, "has no text (OBX of TX, FT, ST or ED): export the notes with their text")
    if len(text) > MAX_NOTE_CHARS:
        raise NoteReadError(message.where, f"is longer than {MAX_NOTE_CHARS:,} characters: split it into notes")
    return text


def _observed(message: Message, observations: list[list[str]]) -> str:
    """The text that stands in observations."""
    return "\n".join(_lines(message, at(fields, 5)) for fields in observations if _type(fields) in _TEXTS).strip()


def _attached(message: Message, observations: list[list[str]]) -> str:
    """The text of the documents in observations."""
    documents = _documents(message, observations)
    texts = [_document(message, parts) for parts in documents]
    if len(texts) > 1:
        rtf = (text for parts, text in zip(documents, texts, strict=True) if parts[2].upper() == "RTF")
        if not all(text.lstrip().startswith("{\\rtf") for text in rtf):
            raise NoteReadError(message.where, "holds a document in pieces that do not fit: export it as one")
        # Where markup is taken out of all notes, only the first would be seen.
        texts = [plain_text(message.where, text)[0] for text in texts]
    return "\n".join(texts).strip()


def _commented(message: Message) -> str:
    """The text of comments."""
    comments = _comments(message)
    if not all(_COMMENT_TYPE.fullmatch(message.part(at(fields, 4), 1)) for fields in comments):
        raise _cut(message)
    return "\n".join(_lines(message, at(fields, 3)) for fields in comments).strip()


def _cut(message: Message) -> NoteReadError:
    bar, escape = message.marks.field, message.marks.escape
    return NoteReadError(
        message.where,
        f"has a text that runs into other fields: export {bar} in it as {escape}F{escape}, line breaks as "
        f"{escape}.br{escape}",
    )


def _observations(message: Message) -> list[list[str]]:
    """The texts and documents that were not taken back."""
    return [
        fields
        for fields in message.all("OBX")
        if _type(fields) in (*_TEXTS, "ED") and at(fields, 11).strip()[:1].upper() not in _NOT_VALID
    ]


def _type(fields: list[str]) -> str:
    return at(fields, 2).strip()


def _comments(message: Message) -> list[list[str]]:
    """The comments that are not about the person, who comes first."""
    names = [fields[0] for fields in message.segments]
    begin = min((names.index(name) for name in ("TXA", "OBR") if name in names), default=len(names))
    return [fields for fields in message.segments[begin:] if fields[0] == "NTE"]


def _beside(message: Message) -> list[str]:
    """What a message holds beside what is read: mostly a document is its text in another form."""
    types = {_type(fields) for fields in _observations(message) if at(fields, 5).strip()}
    has_text, has_document = not types.isdisjoint(_TEXTS), "ED" in types
    commented = any(at(fields, 3).strip() for fields in _comments(message))
    return ["a document"] * (has_text and has_document) + ["comments (NTE)"] * (
        commented and (has_text or has_document)
    )


def _lines(message: Message, field: str) -> str:
    """A field of text, its repetitions as lines."""
    return "\n".join(map(message.plain, field.removeprefix('""').split(message.marks.repetition)))


def _runs_over(fields: list[str]) -> bool:
    """Whether a bar, or a line that begins no segment, cuts an observation's text: its fields hold what they cannot.

    A text has no units, reference range or probability; only a short value (ST) may. An observation should have a
    status; where it has none, nothing but a code or a number stands before its place.
    """
    after = [field.strip().removeprefix('""') for field in fields[6:]]
    status = at(after, 5)
    if not _RESULT_STATUS.fullmatch(status) or re.match("[A-Za-z]", at(after, 6)) or any("\n" in one for one in after):
        return True
    if not status and not all(map(_NO_TEXT.fullmatch, after[:5])):
        return True
    return _type(fields) != "ST" and any(at(after, number) for number in (0, 1, 3))


def _documents(message: Message, observations: list[list[str]]) -> list[list[str]]:
    """The documents of observations as source, type, subtype, encoding and the pieces of their data.

    A long one goes on in the next observation.
    """
    found: list[list[str]] = []
    for fields in observations:
        if _type(fields) != "ED":
            continue
        parts = [message.plain(part).strip() for part in at(fields, 5).split(message.marks.component, 4)]
        parts += [""] * (5 - len(parts))
        if found and not any(parts[1:4]):
            parts = [*found[-1][:4], parts[4] or parts[0]]
        if found and _goes_on(found[-1], parts):
            found[-1].append(parts[4])
        else:
            found.append(parts)
    return found


def _goes_on(document: list[str], parts: list[str]) -> bool:
    """Whether parts hold the next piece of a document: base64 without its end, of the same type."""
    begun = document[4].startswith(_DOCUMENT_STARTS) and not document[-1].endswith("=")
    return begun and document[:4] == parts[:4] and not parts[4].startswith(_DOCUMENT_STARTS)


def _document(message: Message, parts: list[str]) -> str:
    """The text of a document, given as ``_documents`` does."""
    _, kind, subtype, encoding, *pieces = parts
    data = "".join(pieces)
    if encoding.upper() not in ("BASE64", "A", ""):
        raise NoteReadError(message.where, "holds a document that is neither text nor base64: export it as one of them")
    content = from_base64(message.where, data) if encoding.upper() == "BASE64" else data.encode("utf-8", "replace")
    declared = _SUBTYPES.get(subtype.upper()) or _recognised(content, kind, subtype)
    if declared in MEDIA_TYPES or content.lstrip().startswith(_XML_STARTS):
        return ccda_text(message.where, content)
    return attachment_text(message.where, declared, content)


def _recognised(content: bytes, kind: str, subtype: str) -> str:
    """The media type of a document whose subtype says none that is known."""
    if content.startswith(b"%PDF-"):
        return "application/pdf"
    if content.lstrip().startswith(b"{\\rtf"):
        return "text/rtf"
    return "text/plain" if kind.upper() in ("", "TX", "TEXT") else f"{kind}/{subtype}"


def _name(message: Message, segment: str, number: int) -> str:
    """The name of the person in a field (XCN): given name, family name, degree."""
    family, given, degree = (message.field(segment, number, component) for component in (2, 3, 7))
    family = family.split(message.marks.subcomponent)[0]
    name = " ".join(filter(None, (given, family))) or message.field(segment, number)
    return f"{name}, {degree}" if degree and name else name


def _first(message: Message, *places: tuple[str, int]) -> str:
    return next(filter(None, (message.field(*place) for place in places)), "")
