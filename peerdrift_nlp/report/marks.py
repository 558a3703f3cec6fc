"""Marks on a note's text: the text cut into pieces wherever a mark begins or ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from peerdrift_nlp.types import Finding, Span

Kind = Literal["flag", "exact", "strong", "alike", "sentence"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a note in which every mark is the same, and the marks that end where it ends.

    ``flags`` are the findings whose sentence it belongs to, ``exact`` those whose very words it belongs to, both
    numbered from 1; ``severity`` is the highest of them, and ``workplace`` is true where all are organizational.
    ``sentence`` is the number of the sentence that it belongs to, 0 for none.
    """

    text: str
    flags: tuple[int, ...] = ()
    exact: tuple[int, ...] = ()
    strong: tuple[int, ...] = ()
    alike: tuple[int, ...] = ()
    severity: int = 0
    workplace: bool = False
    sentence: int = 0
    ends: tuple[tuple[Kind, int], ...] = ()

    @property
    def classes(self) -> str:
        """The piece's CSS classes."""
        names = {
            "flag": bool(self.flags),
            f"s{self.severity}": bool(self.flags),
            "org": self.workplace,
            "exact": bool(self.exact),
            "strong": bool(self.strong),
            "alike": bool(self.alike),
        }
        return " ".join(name for name, on in names.items() if on)


def cut(
    text: str,
    *,
    findings: Sequence[Finding],
    strengths: Sequence[Span],
    alikes: Sequence[Span],
    sentences: Sequence[Span] = (),
) -> Iterator[Piece]:
    """Cut a text at its marks, and at ``sentences``, which are disjoint; joined again, the pieces are the text.

    Marks are numbered from 1 in the order given. They may nest, overlap, or reach past the end of the text.
    """
    spans: dict[Kind, list[Span]] = {
        "flag": [finding.sentence for finding in findings],
        "exact": [Span(finding.start, finding.end) for finding in findings],
        "strong": list(strengths),
        "alike": list(alikes),
        "sentence": list(sentences),
    }
    starts: dict[int, list[tuple[Kind, int]]] = {}
    ends: dict[int, list[tuple[Kind, int]]] = {}
    for kind, marks in spans.items():
        for number, span in enumerate(marks, start=1):
            start, end = max(0, span.start), min(len(text), span.end)
            if start < end and not (kind == "exact" and span == spans["flag"][number - 1]):
                starts.setdefault(start, []).append((kind, number))
                ends.setdefault(end, []).append((kind, number))
    on: dict[Kind, set[int]] = {kind: set() for kind in spans}
    cuts = sorted({0, len(text), *starts, *ends})
    for start, end in pairwise(cuts):
        for kind, number in ends.get(start, ()):
            on[kind].discard(number)
        for kind, number in starts.get(start, ()):
            on[kind].add(number)
        flagged = [findings[number - 1] for number in sorted(on["flag"])]
        yield Piece(
            text[start:end],
            flags=tuple(sorted(on["flag"])),
            exact=tuple(sorted(on["exact"])),
            strong=tuple(sorted(on["strong"])),
            alike=tuple(sorted(on["alike"])),
            severity=max((min(3, max(1, finding.severity)) for finding in flagged), default=0),
            workplace=bool(flagged) and all(finding.locus == "organizational" for finding in flagged),
            sentence=max(on["sentence"], default=0),
            ends=tuple(mark for mark in ends.get(end, ()) if mark[0] not in ("exact", "sentence")),
        )
