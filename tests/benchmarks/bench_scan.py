"""Speed and memory of the whole scan beside spaCy's blank tokenizer, in one process.

    python tests/benchmarks/bench_scan.py [--notes 20000] [--jobs 1] [--model fast] [--hostile]

The notes are the corpus's own, joined to about 180 words and repeated to the number asked for, each
with a few made-up words, so that caches meet new words as they would in an export. They are made some
hundreds at a time, outside the clock; tokenizer and scan then take the same ones in turn, so that both
meet the same load of the machine. The time of hostile notes must grow as their length does.
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import spacy

from peerdrift_nlp.classifier.corpus import read_corpus
from peerdrift_nlp.scanner import Scanner
from peerdrift_nlp.types import Note

WORDS = 180
CHUNK = 512
HOSTILE = ('"', "A:", ".", "! ", "- ", "told her to ", "I told her to take her pills and ", '"I told her to stop" ')


def notes(count: int, seed: int = 0) -> Iterator[Note]:
    """``count`` notes of about 180 words."""
    chance = random.Random(seed)
    texts = [note.text for note in read_corpus(Path("data/corpus")).notes]
    for number in range(count):
        parts: list[str] = []
        while sum(len(part.split()) for part in parts) < WORDS:
            parts.append(chance.choice(texts))
        words = "\n".join(parts).split(" ")
        for _ in range(3):
            words[chance.randrange(len(words))] = "".join(chance.choices("abcdefghijklmnoprstuvw", k=7))
        yield Note(str(number), " ".join(words[:WORDS]))


def seconds(work: Iterable[object]) -> float:
    """The processor time that it takes to go through ``work``."""
    begin = time.process_time()
    deque(work, maxlen=0)
    return time.process_time() - begin


def megabytes() -> float:
    """Peak resident memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1 << 20)


def compare(scanner: Scanner, count: int, jobs: int) -> None:
    """Print notes a second, the ratio to the tokenizer, and memory as the run grows."""
    tokenize = spacy.blank("en").make_doc
    for note in notes(300, seed=1):
        tokenize(note.text)
        scanner.scan(note.text)

    tokenizing = scanning = 0.0
    done = findings = 0
    stream = notes(count)
    while chunk := list(islice(stream, CHUNK)):
        tokenizing += seconds(tokenize(note.text) for note in chunk)
        reports = []
        scanning += seconds(reports.append(report) for report in scanner.scan_many(chunk, jobs=jobs))
        findings += sum(len(report.findings) for report in reports)
        if (done + len(chunk)) * 4 // count > done * 4 // count:
            print(f"  after {done + len(chunk):>7,} notes: peak memory {megabytes():.0f} MB")
        done += len(chunk)
    print(f"spaCy blank tokenizer: {count / tokenizing:,.0f} notes/s")
    print(f"whole scan:            {count / scanning:,.0f} notes/s, {findings:,} findings, jobs {jobs}")
    print(f"scan / tokenizer:      {tokenizing / scanning:.2f}")


def grow(scanner: Scanner, length: int = 12_000) -> None:
    """Print how much longer a hostile note takes that is four times as long."""
    for piece in HOSTILE:
        short, long = (seconds(scanner.scan_many([("", (piece * size)[:size])])) for size in (length, 4 * length))
        print(f"  {piece!r:40} {short:6.2f} s, four times as long {long:6.2f} s")


def main() -> None:
    """Compare with the tokenizer, then try hostile notes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--notes", type=int, default=20_000)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--model", default="fast")
    parser.add_argument("--hostile", action="store_true", help="hostile notes, too")
    options = parser.parse_args()
    scanner = Scanner(model=options.model)
    compare(scanner, options.notes, options.jobs)
    if options.hostile:
        grow(scanner)


if __name__ == "__main__":
    main()
