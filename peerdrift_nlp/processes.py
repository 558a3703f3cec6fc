"""Work spread over processes, which end with the one that started them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from threading import Thread
from typing import TypeVar

from joblib import Parallel, delayed

from peerdrift_nlp.errors import WorkerError

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def spread(parallel: Parallel, work: Callable[[_Item], _Result], items: Iterable[_Item]) -> list[_Result]:
    """What ``work`` makes of each item, in order.

    Raises:
        WorkerError: a process was killed.
    """
    try:
        results: list[_Result] = parallel(delayed(_work_for)(os.getpid(), work, item) for item in items)
    except BrokenProcessPool:
        raise WorkerError(
            "a worker process was killed, mostly because memory ran out: use fewer jobs, or close other programs"
        ) from None
    return results


def _work_for(starter: int, work: Callable[[_Item], _Result], item: _Item) -> _Result:
    if os.getpid() != starter:
        _end_with(starter)
    return work(item)


@cache
def _end_with(starter: int) -> None:
    """Let this process end when its starter is gone.

    joblib's processes wait for more work for minutes, with notes in their memory. On Windows they notice by themselves.
    """

    def watch() -> None:
        while os.getppid() == starter:
            time.sleep(1)
        os._exit(1)

    Thread(target=watch, daemon=True).start()
