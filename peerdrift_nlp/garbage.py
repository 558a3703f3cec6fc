"""When Python's search for garbage rests."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """Python's search for garbage rests while rules compile or notes are read or sent, and goes on as it was after it.

    All make many objects and no cycles, so searching them finds nothing and took a fifth of the time or more.
    Where several threads scan, the first to begin ends the rest: it never outlasts one batch.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
