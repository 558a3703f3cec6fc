"""spaCy's DocBin: ``doc.cats`` and ``doc.spans``."""

from __future__ import annotations

import zlib
from pathlib import Path

from peerdrift_nlp.errors import InputError
from peerdrift_nlp.io.labels.rows import LabelRow, Reading
from peerdrift_nlp.types import Span

MAX_UNPACKED = 1 << 30
_STANDS = 0.5


def read_docbin(reading: Reading, path: Path) -> None:
    """Read every doc: a category of 0.5 or more stands, a lower one does not, one that is missing was not judged.

    Raises:
        InputError: no DocBin.
    """
    import spacy
    from spacy.tokens import DocBin

    packed = path.read_bytes()
    try:
        unpacker = zlib.decompressobj()
        unpacker.decompress(packed, MAX_UNPACKED)
        if unpacker.unconsumed_tail:
            raise InputError(f"{path.name} unpacks to more than {MAX_UNPACKED >> 20:,} MB: write it in parts")
        docs = list(DocBin().from_bytes(packed).get_docs(spacy.blank("en").vocab))
    except InputError:
        raise
    except Exception:  # whatever a damaged file makes the library stumble over; its message could quote the text
        raise InputError(
            f"{path.name} is no DocBin that this spaCy reads: write it again with DocBin.to_disk"
        ) from None
    for number, doc in enumerate(docs, 1):
        note_id = str(doc.user_data.get("note_id", ""))
        if doc.cats:
            reading.rows.append(
                LabelRow(
                    reading.where(number),
                    reading.name,
                    reading.tags(number, (name for name, score in doc.cats.items() if score >= _STANDS)),
                    reading.tags(number, (name for name, score in doc.cats.items() if score < _STANDS)),
                    False,
                    note_id,
                    doc.text,
                )
            )
        for span in (span for group in doc.spans.values() for span in group):
            tags = reading.tags(number, [span.label_])
            reading.rows.append(
                LabelRow(
                    reading.where(number), reading.name, tags, note_id=note_id, text=doc.text,
                    span=Span(span.start_char, span.end_char), quote=span.text,
                )
            )  # fmt: skip
        if doc.spans:
            reading.rows.append(LabelRow(reading.where(number), reading.name, note_id=note_id, text=doc.text))
        elif not doc.cats:
            reading.left_out["docs without cats and spans"] += 1
