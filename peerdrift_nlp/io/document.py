"""The text of one document: TXT, DOCX, RTF, or a PDF that holds text."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import PurePath

from peerdrift_nlp.errors import InputError, NoteReadError, UsageError
from peerdrift_nlp.io.archive import DAMAGE, fits
from peerdrift_nlp.io.markup import rtf_text, tidy
from peerdrift_nlp.io.sniff import disguise, sniff
from peerdrift_nlp.types import MAX_NOTE_CHARS

MAX_BYTES = 64 << 20
MAX_UNPACKED = 256 << 20
MAX_TEXT_BYTES = 4 * MAX_NOTE_CHARS + 4
NOT_UTF8 = "not UTF-8, so read as cp1252 or with damage shown as \ufffd"
BLANK_PAGES = "with pages that hold no text (pictures?), which were not read"

_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_SHOWN = {f"{_WORD}tab": "\t", f"{_WORD}br": "\n", f"{_WORD}cr": "\n", f"{_WORD}noBreakHyphen": "-"}


def document_text(name: str, data: bytes, encoding: str | None = None) -> tuple[str, str]:
    """The text of a document, and what was assumed in reading it ("" for nothing).

    Args:
        name: its file name; the extension says what it is, and is text where it says nothing known.
        data: its bytes.
        encoding: of a TXT; recognised if left out.

    Raises:
        NoteReadError: it is too long, damaged, protected or without text.
        UsageError: no such encoding.
    """
    kind = PurePath(name).suffix.lower()
    if kind not in READERS:
        return _plain(name, data, encoding)
    if len(data) > MAX_BYTES:
        raise NoteReadError(name, f"is larger than {MAX_BYTES >> 20} MB: save its text as .txt")
    return READERS[kind](name, data)


def decode(name: str, data: bytes, encoding: str | None, most: int = MAX_TEXT_BYTES) -> tuple[str, str]:
    """Bytes as text, as ``document_text`` does for a TXT, but whatever markup they hold; ``most`` bytes at most.

    Raises:
        NoteReadError: too long, or no text.
        UsageError: no such encoding.
    """
    if len(data) > most:
        raise NoteReadError(name, f"is longer than {MAX_NOTE_CHARS:,} characters: split it into notes")
    try:
        decoding = sniff(name, data[:4096], [data], encoding)
        return data.decode(decoding.encoding, decoding.errors), NOT_UTF8 if decoding.notice else ""
    except UsageError:
        raise
    except InputError as error:
        raise NoteReadError(name, str(error).removeprefix(f"{name} ")) from None


def _plain(name: str, data: bytes, encoding: str | None) -> tuple[str, str]:
    if found := disguise(data):
        raise NoteReadError(name, f"is {found[0]} named {PurePath(name).suffix or name}: {found[1]}")
    return decode(name, data, encoding)


def _rtf(name: str, data: bytes) -> tuple[str, str]:
    if not data.lstrip().startswith(b"{\\rtf"):
        raise NoteReadError(name, "is no RTF document: save it as .docx or .txt")
    return rtf_text(name, data.decode("cp1252", "replace")), ""


def _docx(name: str, data: bytes) -> tuple[str, str]:
    """All text in its order: tables, content controls and insertions too, deletions not."""
    from docx import Document

    damaged = NoteReadError(name, "is damaged, protected or no Word document: save it again as .docx or .txt")
    try:
        if not fits(io.BytesIO(data), MAX_UNPACKED):
            raise NoteReadError(name, f"unpacks to more than {MAX_UNPACKED >> 20} MB: save its text as .txt")
    except DAMAGE:
        raise damaged from None
    try:
        body = Document(io.BytesIO(data)).element.body
    except Exception:  # the library passes on whatever a damaged part makes its parsers raise
        raise damaged from None
    parts: list[str] = []
    for element in body.iter():
        if next(element.iterancestors(_FALLBACK), None) is not None:  # says again what stands before it
            continue
        if element.tag == f"{_WORD}t":
            parts.append(element.text or "")
        elif element.tag == f"{_WORD}p":
            parts.append("\n")
        else:
            parts.append(_SHOWN.get(element.tag, ""))
    return tidy("".join(parts)), ""


def _pdf(name: str, data: bytes) -> tuple[str, str]:
    from pypdf import PdfReader

    try:
        with _hushed("pypdf"):
            reader = PdfReader(io.BytesIO(data))
            if reader.is_encrypted and not reader.decrypt(""):
                raise NoteReadError(name, "has a password: save it without one")
            pages = [page.extract_text() for page in reader.pages]
    except NoteReadError:
        raise
    except Exception as error:  # the library passes on whatever a damaged file makes it stumble over
        raise NoteReadError(
            name, f"is a damaged or unknown PDF ({type(error).__name__}): save its text as .txt"
        ) from None
    filled = [page for page in pages if page.strip()]
    if not filled:
        raise NoteReadError(name, "is a PDF without text (a scan?): export its notes as text")
    return tidy("\n".join(filled)), BLANK_PAGES if len(filled) < len(pages) else ""


@contextmanager
def _hushed(name: str) -> Iterator[None]:
    """Keep a library's warnings to itself meanwhile: they may quote the file."""
    logger, silent = logging.getLogger(name), logging.NullHandler()
    before, logger.propagate = logger.propagate, False
    logger.addHandler(silent)
    try:
        yield
    finally:
        logger.removeHandler(silent)
        logger.propagate = before


READERS: dict[str, Callable[[str, bytes], tuple[str, str]]] = {".docx": _docx, ".rtf": _rtf, ".doc": _rtf, ".pdf": _pdf}
"""What reads a document of some extension, beside ``.txt``."""
