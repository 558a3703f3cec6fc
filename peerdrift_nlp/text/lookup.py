"""Look up whole arrays of numbers at once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Longs = NDArray[np.int64]

_MIXER = np.uint64(0x9E3779B97F4A7C15)
_FREE = -1
_SMALLEST = 8


class LookUp:
    """Values by key, both of them whole numbers from 0 on.

    An open hash table: a key lies in its slot or, where others came first, in the next free one. So a look-up
    takes a few steps for all keys together, and is several times faster than a binary search.

    Args:
        values: by their keys.
    """

    def __init__(self, values: Mapping[int, int]) -> None:
        self._count = 0
        self._clear(_SMALLEST)
        self.add(np.array(list(values), dtype=np.int64), np.array(list(values.values()), dtype=np.int64))

    def find(self, keys: Longs) -> Longs:
        """The value of each key, or -1."""
        slots = self._slots(keys)
        held = self._keys.take(slots)
        found: Longs = self._values.take(slots)
        left = ((held != keys) & (held != _FREE)).nonzero()[0]
        while len(left):
            slots[left] = here = (slots[left] + 1) & self._mask
            held = self._keys.take(here)
            found[left] = self._values.take(here)
            left = left[(held != keys[left]) & (held != _FREE)]
        return found

    def add(self, keys: Longs, values: Longs) -> None:
        """Add keys, each once, that are not there yet."""
        self._count += len(keys)
        if 4 * self._count > len(self._keys):
            held = self._keys != _FREE
            keys, values = np.append(self._keys[held], keys), np.append(self._values[held], values)
            self._clear((4 * self._count).bit_length())
        slots = self._slots(keys)
        while len(keys):
            free = self._keys[slots] == _FREE
            self._keys[slots[free]] = keys[free]  # of those that want the same slot, the last has it
            has_it = self._keys[slots] == keys
            self._values[slots[has_it]] = values[has_it]
            keys, values, slots = keys[~has_it], values[~has_it], (slots[~has_it] + 1) & self._mask

    def _clear(self, bits: int) -> None:
        self._shift = np.uint64(64 - bits)
        self._mask = (1 << bits) - 1
        self._keys = np.full(1 << bits, _FREE, dtype=np.int64)
        self._values = np.full(1 << bits, _FREE, dtype=np.int64)

    def _slots(self, keys: Longs) -> Longs:
        """Where each key belongs: multiplied by a large odd number, the highest bits are well mixed."""
        return ((keys.view(np.uint64) * _MIXER) >> self._shift).view(np.int64)
