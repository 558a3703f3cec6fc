"""What a file really is, whatever its name says, and in which encoding its text is."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from peerdrift_nlp.errors import InputError, UsageError

CHUNK = 1 << 20
_HEAD = 4096
_SAVE_AS = "open it in Excel and save it as .xlsx or .csv"
_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"PK\x03\x04", "a zip archive or Excel workbook", "if it is a workbook, rename it to .xlsx"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls) or one with a password", f"{_SAVE_AS}, without a password"),
    (b"%PDF-", "a PDF", "export the notes as .csv or .xlsx, or put single notes into a folder and name the folder"),
    (b"{\\rtf", "an RTF document", "name it .rtf and put it into a folder, or export the notes as .csv"),
    (b"\x89PNG", "a picture", "export the notes as .csv or .xlsx"),
    (b"\xff\xd8\xff", "a picture", "export the notes as .csv or .xlsx"),
    (b"GIF8", "a picture", "export the notes as .csv or .xlsx"),
    (b"\x1f\x8b", "a gzip archive", "unpack it first"),
    (b"7z\xbc\xaf", "a 7z archive", "unpack it first"),
    (b"PAR1", "a Parquet file", "save it as .csv"),
    (b"SQLite format 3", "a database", "export the notes as .csv"),
)
_HTML = re.compile(rb"\s*<(!doctype\s+html|html|head|body|table|meta|style|div)\b", re.IGNORECASE)
_XML = re.compile(rb"\s*<\?xml\b", re.IGNORECASE)
_BOMS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NOT_CP1252 = b"\x81\x8d\x8f\x90\x9d"
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r"))


@dataclass(frozen=True, slots=True)
class Decoding:
    """How to decode a file; ``notice`` says what was assumed, or is "" where nothing was."""

    encoding: str
    errors: str = "strict"
    notice: str = ""


def head(path: Path, most: int = _HEAD) -> bytes:
    """The first bytes of a file.

    Raises:
        InputError: the file cannot be opened.
    """
    try:
        with path.open("rb") as file:
            return file.read(most)
    except OSError as error:
        raise InputError(f"{path} cannot be opened: {error.strerror}") from None


def disguise(start: bytes) -> tuple[str, str] | None:
    """What the first bytes say a file is, with the fix; ``None`` for anything that may be text."""
    for magic, what, fix in _MAGIC:
        if start.startswith(magic):
            return what, fix
    plain = start.removeprefix(codecs.BOM_UTF8).replace(b"\0", b"").removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff")
    if _HTML.match(plain):
        return "an HTML page", _SAVE_AS
    if _XML.match(plain):
        return ("an HTML page" if b"<html" in plain.lower() else "an XML file"), _SAVE_AS
    return None


def sniff_file(path: Path, encoding: str | None = None) -> Decoding:
    """Find out how to decode a text file: BOM, strict UTF-8, then cp1252 with a notice.

    Raises:
        InputError: the file is no text, or not in the ``encoding`` that was asked for.
        UsageError: no such encoding.
    """

    def chunks() -> Iterator[bytes]:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk

    return sniff(path.name, head(path), chunks(), encoding)


def sniff(name: str, start: bytes, chunks: Iterable[bytes], encoding: str | None = None) -> Decoding:
    """As ``sniff_file``, for bytes from anywhere; ``name`` is for messages."""
    if encoding:
        return _asked_for(name, chunks, encoding)
    for bom, with_bom in _BOMS:
        if start.startswith(bom):
            damage = "" if _decodes(chunks, with_bom) else f"{with_bom} with damaged characters, shown as \ufffd"
            return Decoding(with_bom, "replace", damage)
    if len(start) >= 8 and 0 not in start[:8:2] and not any(start[1:8:2]):
        return Decoding("utf-16-le", "replace", "read as utf-16-le")
    return _survey(name, chunks)


def _asked_for(name: str, chunks: Iterable[bytes], encoding: str) -> Decoding:
    try:
        with suppress(UnicodeError):
            b" ".decode(encoding)
    except (LookupError, ValueError):
        raise UsageError(f"unknown encoding {encoding!r}; try utf-8, cp1252 or utf-16") from None
    if not _decodes(chunks, encoding):
        raise InputError(f"{name} is not in the encoding {encoding}; leave --encoding out to have it recognised")
    return Decoding(encoding)


def _decodes(chunks: Iterable[bytes], encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for chunk in chain(chunks, [b""]):
            decoder.decode(chunk, final=not chunk)
    except UnicodeError:
        return False
    return True


def _survey(name: str, chunks: Iterable[bytes]) -> Decoding:
    """Count what would be damaged as UTF-8 and as cp1252, and take the lesser loss."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    size = damaged = wide = not_cp1252 = controls = 0
    for chunk in chain(chunks, [b""]):
        text = decoder.decode(chunk, final=not chunk)
        damaged += text.count("\ufffd") - chunk.count(b"\xef\xbf\xbd")
        wide += len(text) - len(text.encode("ascii", "ignore"))
        not_cp1252 += len(chunk) - len(chunk.translate(None, _NOT_CP1252))
        controls += len(chunk) - len(chunk.translate(None, _CONTROLS))
        size += len(chunk)
    if damaged <= 0:
        return Decoding("utf-8")
    if wide - damaged >= damaged:
        return Decoding("utf-8", "replace", f"read as utf-8; {damaged} damaged characters are shown as \ufffd")
    if controls * 20 > size:
        raise InputError(f"{name} is not text (binary data): export the notes as .csv, .xlsx or .jsonl")
    if not_cp1252:
        return Decoding(
            "cp1252",
            "replace",
            f"read as cp1252; {not_cp1252} unknown bytes are shown as \ufffd (name the encoding with --encoding)",
        )
    return Decoding("cp1252", "strict", "read as cp1252")
