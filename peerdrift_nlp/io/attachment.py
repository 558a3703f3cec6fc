"""Text that a resource or document of another format holds inline, as bytes of a media type."""

from __future__ import annotations

import base64
from email.message import Message

from peerdrift_nlp.errors import NoteReadError, UsageError
from peerdrift_nlp.io.document import decode, document_text

TEXTS = ("text/plain", "text/html", "application/xhtml+xml", "text/rtf", "application/rtf")
"""The types that are text, the plainest first; their markup is taken out where all notes' is."""

DOCUMENTS = {
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/pdf": ".pdf",
}
"""The types that are documents, and their extension."""


def media_type(declared: str) -> tuple[str, str | None]:
    """The media type that is declared, text where none is, and its charset."""
    message = Message()
    message["content-type"] = " ".join(declared.split()) or "text/plain"
    return message.get_content_type(), message.get_content_charset()


def from_base64(where: str, encoded: str) -> bytes:
    """The bytes of an attachment.

    Raises:
        NoteReadError: it is no base64.
    """
    try:
        return base64.b64decode("".join(encoded.split()), validate=True)
    except ValueError:
        raise NoteReadError(where, "its text is not valid base64: export it again") from None


def attachment_text(where: str, declared: str, data: bytes) -> str:
    """The text of an attachment of a declared type; HTML and RTF as they are.

    Raises:
        NoteReadError: its type is unknown, or it cannot be read.
    """
    kind, charset = media_type(declared)
    if kind not in (*TEXTS, *DOCUMENTS):
        raise unknown_type(where, (*TEXTS, *DOCUMENTS))
    try:
        return document_text(where + DOCUMENTS[kind], data)[0] if kind in DOCUMENTS else _decode(where, data, charset)
    except NoteReadError as error:
        raise NoteReadError(where, error.problem) from None


def unknown_type(where: str, known: tuple[str, ...]) -> NoteReadError:
    """What to say of an attachment whose type is not among those that are known."""
    return NoteReadError(where, f"is of a type that cannot be read; these can: {', '.join(known)}")


def _decode(where: str, data: bytes, charset: str | None) -> str:
    """Bytes in the charset that is declared; where that is wrong, in the one that is recognised."""
    try:
        return decode(where, data, charset)[0]
    except (UsageError, NoteReadError):
        return decode(where, data, None)[0]
