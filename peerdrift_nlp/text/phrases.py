"""Phrases found as whole words in folded text, however they are cased, quoted or spaced."""

from __future__ import annotations

import re
from collections.abc import Sequence

from peerdrift_nlp.text.fold import fold
from peerdrift_nlp.types import Span

_WORD = re.compile(r"\w")


class Phrases:
    """A set of phrases to look for.

    Args:
        phrases: as written; white space in them stands for any.
    """

    def __init__(self, phrases: Sequence[str]) -> None:
        longest_first = sorted((words for phrase in phrases if (words := fold(phrase).split())), key=len, reverse=True)
        found = [r"\s+".join(map(re.escape, words)) for words in longest_first]
        self._pattern = re.compile(rf"(?<!\w)(?=((?:{'|'.join(found)})(?!\w)))", re.IGNORECASE) if found else None

    def find(self, folded: str, start: int = 0, end: int | None = None) -> list[Span]:
        """The places of phrases that overlap ``folded[start:end]``, in order; they may overlap each other."""
        if self._pattern is None:
            return []
        stop = len(folded) if end is None else end
        found = (Span(*match.span(1)) for match in self._pattern.finditer(folded))
        return [span for span in found if start < span.end and span.start < stop]

    def cover(self, folded: str, start: int, end: int) -> bool:
        """Whether ``folded[start:end]`` holds phrases and no word outside them."""
        left, reached = "", start
        spans = self.find(folded, start, end)
        for span in spans:
            left += folded[reached : max(reached, span.start)]
            reached = max(reached, span.end)
        return bool(spans) and not _WORD.search(left + folded[reached:end])
