"""One command for all of it: both models, their stages, memory, two processes, cold start, and the peers.

    python tests/benchmarks/bench.py --peers PYTHON [--notes 8000] [--most 200000]

writes ``speed.md`` and ``speed.svg`` beside this file. All read the same notes of about 180 words (``bench_scan.py``),
some hundreds of them before the clock runs, and keep no result. Speeds are of processor time, those of two processes
of wall time. The peers need an older spaCy, so they live in an environment of their own, whose interpreter PYTHON is:
``pip install "setuptools<81" spacy medspacy edsnlp negspacy presidio-analyzer``.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import wraps
from itertools import islice, pairwise
from pathlib import Path
from pkgutil import resolve_name
from typing import Any
from unittest.mock import patch

from bench_scan import megabytes, notes, seconds
from matplotlib.figure import Figure
from peers import WARM, peers

from peerdrift_nlp.scanner import Scanner
from peerdrift_nlp.types import Note

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MODELS = ("fast", "default")
TOKENIZER = "spaCy tokenizer alone"
STAGES = {
    "fold and sentences": ("scanner.fold", "scanner.split_sentences"),
    "tokens and words": ("scanner.RuleEngine.normalise",),
    "rules and stance": ("scanner.RuleEngine.find", "scanner.Policies.apply"),
    "first reading": ("scanner.other_features", "scanner.Scorer.score"),
    "second reading": ("classifier.cascade.Cascade.__call__",),
    "rest of the note": ("classifier.whole_note.WholeNote.__call__",),
    "report": ("scanner.Scanner._reports",),
}
"""What is timed for each stage, in the order of the scan; all that is left is "other"."""


def scan_seconds(scanner: Scanner, given: list[Note]) -> float:
    """Processor time of a scan, after some notes that are not counted."""
    deque(scanner.scan_many(given[:WARM]), maxlen=0)
    return seconds(scanner.scan_many(given[WARM:]))


def stages(scanner: Scanner, given: list[Note]) -> dict[str, float]:
    """The share of each stage in the time of a scan."""
    spent: Counter[str] = Counter()

    def timed(stage: str, work: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(work)
        def timing(*arguments: Any, **named: Any) -> Any:
            begin = time.process_time()
            try:
                return work(*arguments, **named)
            finally:
                spent[stage] += time.process_time() - begin

        return timing

    with ExitStack() as patches:
        for stage, places in STAGES.items():
            for place in places:
                target = f"peerdrift_nlp.{place}"
                patches.enter_context(patch(target, timed(stage, resolve_name(target))))
        deque(scanner.scan_many(given[:WARM]), maxlen=0)
        spent.clear()
        whole = seconds(scanner.scan_many(given[WARM:]))
    shares = {stage: spent[stage] / whole for stage in STAGES}
    return shares | {"other": 1 - sum(shares.values())}


def wall_seconds(scanner: Scanner, given: Iterable[Note], jobs: int) -> float:
    """Wall time of a scan by a number of processes that have started."""
    stream = iter(given)
    deque(scanner.scan_many(islice(stream, 2048), jobs=jobs), maxlen=0)
    rest = list(stream)
    begin = time.monotonic()
    deque(scanner.scan_many(rest, jobs=jobs), maxlen=0)
    return time.monotonic() - begin


def memory(model: str, counts: list[int]) -> list[float]:
    """Peak memory in MB of a process of its own after so many notes, each read once and dropped.

    The corpus of which the notes are made is in it: what is to be seen is whether memory grows.
    """
    command = [sys.executable, __file__, "--memory", model, *map(str, counts)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    return [float(line) for line in done.stdout.split()]


def measure_memory(model: str, counts: list[int]) -> None:
    """In that process."""
    scanner, stream = Scanner(model=model), notes(counts[-1])
    for before, count in pairwise([0, *counts]):
        deque(scanner.scan_many(islice(stream, count - before)), maxlen=0)
        print(megabytes())


def cold_start(model: str) -> float:
    """Seconds of processor time from nothing to the report on one note."""
    code = f"from peerdrift_nlp import Scanner; Scanner(model={model!r}).scan('I counted her pills.')"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def table(heads: list[str], rows: Iterable[Iterable[object]]) -> str:
    """A table in Markdown."""
    lines = [heads, ["---"] + ["---:"] * (len(heads) - 1), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def plot(speeds: dict[str, float], counts: list[int], used: dict[str, list[float]], path: Path) -> None:
    """Bars of the speeds on a logarithmic scale, and memory against the number of notes."""
    figure = Figure(figsize=(9, 3), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    names = sorted(speeds, key=speeds.__getitem__)
    bars = left.barh(
        names, [speeds[name] for name in names], color=["C0" if "model" in name else "0.7" for name in names]
    )
    left.bar_label(bars, fmt="{:,.0f}", padding=2, fontsize=8)
    left.set(xscale="log", xlabel="notes of 180 words a second, one process")
    left.margins(x=0.15)
    for model, peaks in used.items():
        right.plot(counts[: len(peaks)], peaks, "o-", label=f"{model} model")
    right.set(xscale="log", ylim=(0, None), xlabel="notes read", ylabel="peak memory, MB")
    right.legend()
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """Measure, write the table and draw."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--peers", default=sys.executable, help="the interpreter of the environment with the peers")
    parser.add_argument("--notes", type=int, default=8000)
    parser.add_argument("--most", type=int, default=200_000, help="notes of the longest run")
    parser.add_argument("--memory", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.chdir(ROOT)
    if options.memory:
        measure_memory(options.memory[0], [*map(int, options.memory[1:])])
        return
    # First, while this process is small: a child's peak is never below its parent's size at the fork.
    counts = [count for count in (1000, 10_000, 50_000) if count < options.most] + [options.most]
    used = {model: memory(model, counts if model == "fast" else counts[:2]) for model in MODELS}

    given = list(notes(options.notes + WARM))
    scanners = {model: Scanner(model=model) for model in MODELS}
    speeds = peers(options.peers, [note.text for note in given])
    for model, scanner in scanners.items():
        speeds[f"{model} model"] = options.notes / scan_seconds(scanner, given)
    base = speeds.get(TOKENIZER, float("nan"))
    rows = sorted(speeds.items(), key=lambda item: -item[1])
    parts = [table(["", "notes/s", "beside the tokenizer"], [(n, f"{v:,.0f}", f"{v / base:.2f}") for n, v in rows])]

    shares = {model: stages(scanner, given) for model, scanner in scanners.items()}
    rows = [(stage, *(f"{shares[model][stage]:.0%}" for model in MODELS)) for stage in [*STAGES, "other"]]
    parts.append(table(["share of the time", *MODELS], rows))

    rows = [
        (f"{count:,} notes", *(f"{m[n]:,.0f}" if n < len(m) else "" for m in used.values()))
        for n, count in enumerate(counts)
    ]
    parts.append(table(["peak memory, MB", *MODELS], rows))

    longer = [note for turn in range(2) for note in notes(options.notes, seed=10 + turn)]
    rows = []
    for model, scanner in scanners.items():
        alone, both = (wall_seconds(scanner, longer, jobs) for jobs in (1, 2))
        rows.append((model, f"{cold_start(model):.1f}", f"{alone / both:.2f}"))
    parts.append(table(["", "cold start, s", "two processes, times as fast"], rows))

    said = "\n\n".join(parts)
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    (HERE / "speed.md").write_text(
        f"Notes: {options.notes:,}; {machine}. Peak memory holds the corpus, too, of which the notes are made. "
        f"Presidio is its recognizer of patterns alone, without a language model.\n\n{said}\n",
        encoding="utf-8",
    )
    plot(speeds, counts, used, HERE / "speed.svg")
    print(said)


if __name__ == "__main__":
    main()
