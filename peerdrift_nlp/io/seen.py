"""What came by before, remembered as eight bytes each."""

from __future__ import annotations

import numpy as np

_FRESH = 1 << 14


class Seen:
    """A growing set of words or rows of words that can be asked what is in it: of each it keeps a hash of 64 bits.

    That two of a million have the same one happens by chance in one export of 30 million.
    """

    def __init__(self) -> None:
        self._sorted = np.empty(0, dtype=np.int64)
        self._fresh: set[int] = set()

    def add(self, thing: str | tuple[str, ...]) -> None:
        """Remember a thing."""
        self._fresh.add(hash(thing))
        if len(self._fresh) == _FRESH:
            fresh = np.fromiter(self._fresh, dtype=np.int64, count=_FRESH)
            self._sorted = np.sort(np.concatenate([self._sorted, fresh]))
            self._fresh.clear()

    def __contains__(self, thing: str | tuple[str, ...]) -> bool:
        value = hash(thing)
        place = int(np.searchsorted(self._sorted, value))
        return value in self._fresh or (place < len(self._sorted) and int(self._sorted[place]) == value)
