"""A spaCy component; importing this module registers its factory, ``peerdrift``.

>>> import spacy
>>> import peerdrift_nlp.integrations.spacy
>>> nlp = spacy.blank("en")
>>> component = nlp.add_pipe("peerdrift", config={"model": "fast"})
>>> [span.label_ for span in nlp("I counted her pills.").spans["peerdrift"]]
['clinical']

No extension attribute is set: the report is in ``doc.user_data``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import cast

from spacy.language import Language
from spacy.tokens import Doc, Span

from peerdrift_nlp.report.profile import DEFAULT
from peerdrift_nlp.scanner import Scanner
from peerdrift_nlp.types import MAX_NOTE_CHARS, NoteReport


@Language.factory(
    "peerdrift",
    default_config={
        "model": "default",
        "profile": DEFAULT,
        "packs": [],
        "suppress": [],
        "operating_point": "balanced",
        "max_chars": MAX_NOTE_CHARS,
        "max_seconds": None,
        "spans_key": "peerdrift",
    },
)
def make_component(
    nlp: Language,
    name: str,
    model: str,
    profile: str,
    packs: list[str],
    suppress: list[str],
    operating_point: str,
    max_chars: int,
    max_seconds: float | None,
    spans_key: str,
) -> PeerdriftComponent:
    """The component; its settings are those of ``Scanner``, and the key that it writes under.

    Raises:
        UsageError, RulePackError, ProfileError, BundleError: as ``Scanner`` does.
    """
    scanner = Scanner(
        model=model,
        profile=profile,
        packs=packs,
        suppress=suppress,
        operating_point=operating_point,
        max_chars=max_chars,
        max_seconds=max_seconds,
    )
    return PeerdriftComponent(scanner, spans_key)


class PeerdriftComponent:
    """Scans each document's text and writes what was found into the document.

    ``doc.spans[spans_key]`` gets one span a finding: ``label_`` is the label, ``kb_id_`` the indicator, ``id_``
    the finding's id. Spans are widened to whole tokens of the pipeline's tokenizer;
    ``doc.user_data[spans_key]`` holds the report as ``NoteReport.to_dict`` gives it, with exact offsets into
    ``doc.text``. A text that cannot be scanned has no spans, and a report whose status is "failed".

    Args:
        scanner: what scans.
        spans_key: the key in ``doc.spans`` and ``doc.user_data``.
    """

    def __init__(self, scanner: Scanner, spans_key: str = "peerdrift") -> None:
        self.scanner = scanner
        self.spans_key = spans_key

    def __call__(self, doc: Doc) -> Doc:
        """Scan one document."""
        return self._write(doc, self.scanner.scan(doc.text))

    def pipe(self, stream: Iterable[Doc], batch_size: int = 128) -> Iterator[Doc]:
        """Scan a stream of documents, ``batch_size`` at a time."""
        docs = iter(stream)
        while batch := list(islice(docs, batch_size)):
            reports = self.scanner.scan_many(("", doc.text) for doc in batch)
            yield from map(self._write, batch, reports)

    def _write(self, doc: Doc, report: NoteReport) -> Doc:
        spans = [
            doc.char_span(
                finding.start,
                finding.end,
                label=finding.label,
                kb_id=finding.indicator,
                span_id=finding.id,
                alignment_mode="expand",
            )
            for finding in report.findings
        ]
        doc.spans[self.spans_key] = cast("list[Span]", spans)  # None is for offsets outside of the text
        doc.user_data[self.spans_key] = report.to_dict()
        return doc
