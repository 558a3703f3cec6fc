"""What a Spark job takes: speed of a core, memory and start of a worker, and the cores that 50 million notes need.

    python tests/benchmarks/bench_spark.py [--model fast] [--notes 20000] [--rounds 3]

Needs Java, Linux and ``pip install ".[dev,spark]"``. The notes are those of ``bench_scan.py``, others in each round, and
in Spark's memory before the clock runs; in a first round, which does not count, the workers warm up. Speeds are of
wall time in the best round, on one core and on two if they are there. An estimate holds for notes of that length on
cores of that kind; reading the notes, writing the findings and failed tasks come on top.
"""

from __future__ import annotations

import argparse
import math
import os
import pickle
import platform
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from statistics import mean
from typing import TYPE_CHECKING

from bench import MODELS, ROOT, table
from bench_scan import notes
from pyspark.sql import DataFrame, SparkSession

from peerdrift_nlp.integrations.spark import scan
from peerdrift_nlp.scanner import Scanner
from peerdrift_nlp.types import Note

if TYPE_CHECKING:
    import pyarrow as pa

NOTES = {"fast": 20_000, "default": 4_000}
ALL, NIGHT = 50_000_000, 8
"""Notes of the estimate, and hours of a night."""
HEADS = [
    "model", "cores", "notes", "characters a note", "notes/s a core", "worker starts, s", "worker's peak, MB",
    "core-hours", f"cores for {NIGHT} hours",
]  # fmt: skip
Batches = Iterable["pa.RecordBatch"]


def spark(cores: int) -> SparkSession:
    """A session of its own, whose Python workers are new."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    return (
        SparkSession.builder.master(f"local[{cores}]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.log.level", "ERROR")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .getOrCreate()
    )


def on_each_worker(session: SparkSession, cores: int, measure: Callable[[], float]) -> list[float]:
    """What is measured in each worker; as many tasks as cores run at once, and each takes a worker."""

    def run(batches: Batches) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        for _ in batches:
            yield pa.RecordBatch.from_pydict({"measured": [measure()]})

    rows = session.range(cores, numPartitions=cores).mapInArrow(run, "measured double").collect()
    return [row["measured"] for row in rows]


def engine_seconds(pickled: bytes) -> float:
    """Wall time in which a new worker imports the package, makes its engine, which it keeps, and reads one note."""
    begin = time.monotonic()
    pickle.loads(pickled).scan("I counted her pills.")
    return time.monotonic() - begin


def peak_megabytes() -> float:
    """Peak resident memory of a worker; Linux counts it from the fork."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def frame(session: SparkSession, given: list[Note], cores: int) -> DataFrame:
    """Notes in Spark's memory, a part for each core."""
    rows = [(note.note_id, note.text) for note in given]
    df = session.createDataFrame(rows, "id string, note string").repartition(cores).cache()
    df.count()
    return df


def measure(model: str, rounds: list[list[Note]], cores: int) -> list[str]:
    """A row of the table; the first round is the warm-up."""
    session, scanner = spark(cores), Scanner(model=model)
    pickled = pickle.dumps(scanner)
    starts = on_each_worker(session, cores, lambda: engine_seconds(pickled))
    frames = [frame(session, given, cores) for given in rounds]
    times = [wall_seconds(scan(df, text="note", id="id", scanner=scanner).count) for df in frames]
    peak = max(on_each_worker(session, cores, peak_megabytes))
    session.stop()
    speed = len(rounds[0]) / min(times[1:]) / cores
    hours = ALL / speed / 3600
    length = mean(len(note.text) for given in rounds for note in given)
    return [
        model, str(cores), f"{len(rounds[0]):,}", f"{length:,.0f}", f"{speed:,.0f}", f"{max(starts):.1f}",
        f"{peak:,.0f}", f"{hours:,.1f}", f"{math.ceil(hours / NIGHT)}",
    ]  # fmt: skip


def wall_seconds(work: Callable[[], object]) -> float:
    """The wall time that a call takes."""
    begin = time.monotonic()
    work()
    return time.monotonic() - begin


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", choices=MODELS, help="only this one")
    parser.add_argument("--notes", type=int, help=f"{NOTES['fast']:,} for fast, {NOTES['default']:,} for default")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    os.chdir(ROOT)
    cores = [count for count in (1, 2) if count <= len(os.sched_getaffinity(0))]
    rows = []
    for model in [options.model] if options.model else MODELS:
        rounds = [list(notes(options.notes or NOTES[model], seed)) for seed in range(options.rounds + 1)]
        rows += [measure(model, rounds, count) for count in cores]
    print(f"{ALL:,} notes of that length, from the best of {options.rounds} rounds; ", end="")
    print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}.\n")
    print(table(HEADS, rows))


if __name__ == "__main__":
    main()
