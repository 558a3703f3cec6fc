"""A folder or zip of documents, one note in each."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from io import StringIO
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from peerdrift_nlp.errors import InputError, NoteReadError
from peerdrift_nlp.io.archive import DAMAGE
from peerdrift_nlp.io.ccda import HEAD, ccda_row, is_ccda
from peerdrift_nlp.io.document import MAX_BYTES, MAX_TEXT_BYTES, READERS, decode, document_text
from peerdrift_nlp.io.hl7 import NO_NOTES, PassedOver, hl7_rows, is_hl7
from peerdrift_nlp.io.table import NOTE_NAMES, Record, Row, Table

MAX_UNPACKED = 4 << 30
_HL7_HEAD = 200
_KINDS = ".txt, .docx, .rtf, .pdf, .hl7 or .xml of C-CDA"


class _Member(NamedTuple):
    """A document: its path inside the folder or zip, and its first bytes, as many as asked for."""

    name: str
    read: Callable[[int], bytes]


def read_folder(path: Path, encoding: str | None) -> Table:
    """Open the documents of a folder and its subfolders; a note's id is the name of its file.

    C-CDA documents and HL7 v2 messages bring ids of their own, authors and more.

    Raises:
        InputError: there are none.
    """
    try:
        names = sorted(file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file())
    except OSError as error:
        raise InputError(f"{path} cannot be opened: {error.strerror}") from None
    members = [_Member(name, partial(_read_file, path / name)) for name in names]
    return _table("folder", f"the folder {path}", members, encoding)


def read_zip(path: Path, encoding: str | None) -> Table:
    """Open the documents of a zip archive, as ``read_folder`` does.

    Raises:
        InputError: there are none, or the archive is damaged.
    """
    try:
        archive = zipfile.ZipFile(path)
    except DAMAGE:
        raise InputError(
            f"{path.name} is a damaged zip archive: make it again, or unpack it and name the folder"
        ) from None
    infos = sorted((info for info in archive.infolist() if not info.is_dir()), key=lambda info: info.filename)
    # What a member says of its size bounds what is read of it.
    if sum(min(info.file_size, MAX_BYTES) for info in infos) > MAX_UNPACKED:
        raise InputError(f"{path.name} unpacks to more than {MAX_UNPACKED >> 30} GB: make several archives of it")
    members = [_Member(info.filename, partial(_read_member, archive, info)) for info in infos]
    return _table("zip", path.name, members, encoding)


def read_text(path: Path, encoding: str | None = None) -> tuple[str, str]:
    """The text of a document, line ends untouched, and a notice on its encoding ("" for UTF-8).

    Raises:
        NoteReadError: it cannot be opened, is too long, or is no text.
        UsageError: no such encoding.
    """
    return _text(_Member(path.name, partial(_read_file, path)), encoding)


def _table(kind: str, source: str, members: Sequence[_Member], encoding: str | None) -> Table:
    visible = [member for member in members if not _is_hidden(member.name)]
    documents = [member for member in visible if _is_document(member)]
    if not documents:
        raise InputError(
            f"{source} holds no {_KINDS} files: name the export itself (.csv, .xlsx, .jsonl), "
            "or save each note as a document of its own"
        )
    notices: list[str] = []
    if len(documents) < len(visible):
        notices.append(
            f"not read, because they are not {_KINDS}: {len(visible) - len(documents)} of {len(visible)} files"
        )
    found: list[str] = []
    # What only they have is no column elsewhere.
    names = NOTE_NAMES if any(_suffix(member.name) in (".xml", ".hl7") for member in documents) else NOTE_NAMES[:2]

    def rows() -> Iterator[Record]:
        assumed: Counter[str] = Counter()
        passed_over = PassedOver()
        for member in documents:
            where = _printable(member.name)
            try:
                records, notice = _records(where, member, encoding, names, passed_over)
            except NoteReadError as error:
                yield NoteReadError(where, error.problem)
                continue
            assumed.update([notice] if notice else [])
            yield from records
        found.extend(f"{notice}: {count} of {len(documents)} files" for notice, count in assumed.items())
        found.extend(passed_over.notices())

    if next(rows(), None) is None:
        raise InputError(f"{source} {NO_NOTES}")
    found.clear()
    return Table(kind, encoding or "utf-8", names, rows, notices, found)


def _records(
    where: str, member: _Member, encoding: str | None, names: Sequence[str], passed_over: PassedOver
) -> tuple[Iterable[Record], str]:
    """The notes of a document as rows, and what was assumed in reading it."""
    name, suffix = PurePosixPath(where).stem, _suffix(member.name)
    if suffix == ".xml":
        return [ccda_row(where, name, member.read(MAX_BYTES + 1))], ""
    if suffix == ".hl7":
        data = member.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise NoteReadError(where, f"is larger than {MAX_BYTES >> 20} MB: export it in parts, or name it itself")
        text, notice = decode(where, data, encoding, MAX_BYTES)
        if not is_hl7(text[:_HL7_HEAD].encode(errors="replace")):
            raise NoteReadError(where, "is no file of HL7 v2 messages: export it again")
        return _messages(where, text, passed_over), notice
    text, notice = _text(member, encoding)
    if is_hl7(text[:_HL7_HEAD].encode(errors="replace")):
        raise NoteReadError(where, "is a message of HL7 v2, and says who the person is: rename it to .hl7")
    return [Row(where, [{"note_id": name, "text": text}.get(column, "") for column in names])], notice


def _messages(where: str, text: str, passed_over: PassedOver) -> Iterator[Record]:
    """The notes of a file of messages, each named by its place in it."""
    before, found = passed_over.kinds.total(), False
    for row in hl7_rows(StringIO(text, newline=None), passed_over):
        found = True
        place = f"{where}, {row.where}"
        yield row._replace(where=place) if isinstance(row, Row) else NoteReadError(place, row.problem)
    if not found and passed_over.kinds.total() == before:
        yield NoteReadError(where, "holds no message (a line that begins with MSH): export it again")


def _text(member: _Member, encoding: str | None) -> tuple[str, str]:
    most = MAX_BYTES if _suffix(member.name) in READERS else MAX_TEXT_BYTES
    return document_text(member.name, member.read(most + 1), encoding)


def _read_file(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(most)
    except OSError as error:
        raise NoteReadError(path.name, f"cannot be opened: {error.strerror}") from None


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, most: int) -> bytes:
    if info.flag_bits & 1:
        raise NoteReadError(info.filename, "has a password: unpack the archive and name the folder")
    try:
        with archive.open(info) as stream:
            return stream.read(most)
    except DAMAGE:
        raise NoteReadError(info.filename, "is damaged: make the archive again") from None


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _is_document(member: _Member) -> bool:
    """Whether it is of a kind that is read; XML is where it is C-CDA, or will be told that it cannot be opened."""
    if _suffix(member.name) != ".xml":
        return _suffix(member.name) in (".txt", ".hl7", *READERS)
    try:
        return is_ccda(member.read(HEAD))
    except NoteReadError:
        return True


def _is_hidden(name: str) -> bool:
    if name == "peerdrift.toml":
        return True
    return any(part.startswith((".", "__MACOSX", "~$")) for part in PurePosixPath(name).parts)


def _printable(name: str) -> str:
    return "".join(character if character.isprintable() else "_" for character in name)
