"""A folder of plain text files, one note in each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from peerdrift_nlp.errors import InputError, NoteReadError, UsageError
from peerdrift_nlp.io.sniff import disguise, sniff
from peerdrift_nlp.io.table import Record, Row, Table
from peerdrift_nlp.types import MAX_NOTE_CHARS

_MOST_BYTES = 4 * MAX_NOTE_CHARS + 4


def read_folder(path: Path, encoding: str | None) -> Table:
    """Open the ``.txt`` files of a folder; a note's id is the name of its file.

    Raises:
        InputError: there are none.
    """
    try:
        files = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))
    except OSError as error:
        raise InputError(f"{path} cannot be opened: {error.strerror}") from None
    texts = [file for file in files if file.suffix.lower() == ".txt"]
    if not texts:
        raise InputError(
            f"the folder {path} holds no .txt files: name the export itself (.csv, .xlsx, .jsonl), "
            "or save each note as a .txt file"
        )
    notices: list[str] = []
    if len(texts) < len(files):
        notices.append(f"not read, because they are not .txt: {len(files) - len(texts)} of {len(files)} files")
    static = len(notices)

    def rows() -> Iterator[Record]:
        odd = 0
        for file in texts:
            try:
                text, notice = read_text(file, encoding)
            except NoteReadError as error:
                yield error
                continue
            odd += bool(notice)
            yield Row(file.name, [file.stem, text])
        notices[static:] = (
            [f"not UTF-8, so read as cp1252 or with damage shown as \ufffd: {odd} of {len(texts)} files"] if odd else []
        )

    return Table("txt", encoding or "utf-8", ["note_id", "text"], rows, notices)


def read_text(path: Path, encoding: str | None = None) -> tuple[str, str]:
    """The text of a file, line ends untouched, and a notice on its encoding ("" for UTF-8).

    Raises:
        NoteReadError: it cannot be opened, is too long, or is no text.
        UsageError: no such encoding.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise NoteReadError(path.name, f"cannot be opened: {error.strerror}") from None
    if len(data) > _MOST_BYTES:
        raise NoteReadError(path.name, f"is longer than {MAX_NOTE_CHARS:,} characters: split it into notes")
    if found := disguise(data):
        raise NoteReadError(path.name, f"is {found[0]} named .txt: {found[1]}")
    try:
        decoding = sniff(path.name, data[:4096], [data], encoding)
        return data.decode(decoding.encoding, decoding.errors), decoding.notice
    except UsageError:
        raise
    except InputError as error:
        raise NoteReadError(path.name, str(error).removeprefix(f"{path.name} ")) from None
