"""Find all patterns of a set of rules or cues in one pass."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import re2


class PatternSet:
    """Many RE2 expressions searched as one; then only those that matched are located."""

    def __init__(self, expressions: Sequence[str]) -> None:
        options = re2.Options()
        options.never_capture = True
        options.log_errors = False
        options.longest_match = True
        options.encoding = re2.Options.Encoding.LATIN1
        options.max_mem = 64 << 20
        self._set = re2.Set.SearchSet(options)
        self._located = []
        for expression in expressions:
            bounded = f"(?:{expression})[ \n]".encode("latin-1")
            self._set.Add(bounded)
            self._located.append(re2.compile(bounded, options))
        if expressions:
            self._set.Compile()
        self._empty = not expressions

    def find(self, text: bytes) -> Iterable[tuple[int, int, int]]:
        """``(expression number, begin, stop)`` of every match, the closing blank left out."""
        if self._empty:
            return
        for number in self._set.Match(text) or ():
            for match in self._located[number].finditer(text):
                begin, stop = match.span()
                yield number, begin, stop - 1
