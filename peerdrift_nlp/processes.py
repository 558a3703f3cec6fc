"""Work spread over processes, which end with the one that started them."""

from __future__ import annotations

import os
import pickle
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from threading import Event, Thread
from typing import Any, TypeVar

from joblib import Parallel, delayed

from peerdrift_nlp.errors import WorkerError
from peerdrift_nlp.garbage import collector_at_rest

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_NOTICED = 5
"""Seconds in which joblib finds out itself that a process was killed, if it can."""
_NO_THREAD = ("can't start new thread", "cannot join thread before it is started")
"""What Python says where the system gives it no thread."""


def spread(parallel: Parallel, work: Callable[[_Item], _Result], items: Iterable[_Item]) -> Iterator[_Result]:
    """What ``work`` makes of each item, in order, once all are done.

    Raises:
        WorkerError: a process was killed, or the system gave none, or no thread.
    """
    pool: Any = getattr(parallel._backend, "_workers", None)
    finished = Event()
    try:
        Thread(target=_end_broken_pool, args=(pool, finished), daemon=True).start()
        results: list[bytes] = parallel(delayed(_work_for)(os.getpid(), work, item) for item in items)
    except BrokenProcessPool:
        raise WorkerError(
            "a worker process was killed, mostly because memory ran out: use fewer jobs, or close other programs"
        ) from None
    except RuntimeError as error:
        if str(error) not in _NO_THREAD:
            raise
        _end_processes(pool)
        pool.shutdown(wait=False)  # joblib would keep it, and wait for its thread
        raise WorkerError(
            "the system gave no thread, mostly because memory ran out: use fewer jobs, or close other programs"
        ) from None
    finally:
        finished.set()
    return map(_unpacked, results)


def _end_broken_pool(pool: Any, finished: Event) -> None:
    """Let joblib see that a pool is broken, where it does not by itself, and would wait for ever.

    A process that is killed halfway through its answer leaves joblib reading a message that never ends, because
    the pipe's other end stays open in the other processes and in this one. A pool whose own thread has died, as it
    does where the system gives it no other thread, has nobody who would read an answer.
    """
    while pool and not finished.wait(1):
        manager = pool._executor_manager_thread
        if manager and not manager.is_alive():
            _end_processes(pool)
            for item in list(pool._pending_work_items.values()):
                item.future.set_exception(BrokenProcessPool())
            return
        if any(process.exitcode for process in pool._processes.values()) and not finished.wait(_NOTICED):
            _end_processes(pool)
            return


def _end_processes(pool: Any) -> None:
    for process in list(pool._processes.values()):
        process.terminate()
    pool._result_queue._writer.close()


def _work_for(starter: int, work: Callable[[_Item], _Result], item: _Item) -> bytes:
    if os.getpid() != starter:
        _end_with(starter)
    result = work(item)
    # Here and not by joblib, beside which the collector would search all that a scanner holds, once for each result.
    with collector_at_rest():
        return pickle.dumps(result, pickle.HIGHEST_PROTOCOL)


def _unpacked(packed: bytes) -> Any:
    with collector_at_rest():
        return pickle.loads(packed)


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
