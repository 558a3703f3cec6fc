"""Speed and memory of the whole scan beside spaCy's blank tokenizer, in one process.

    python tests/benchmarks/bench_scan.py [--notes 20000] [--jobs 1]

The notes are the corpus's own, joined to about 180 words and repeated to the number asked for, each
with a few made-up words, so that caches meet new words as they would in an export.
"""

from __future__ import annotations

import argparse
import random
import resource
import time
from collections.abc import Iterator
from pathlib import Path

import spacy

from peerdrift_nlp.classifier.corpus import read_corpus
from peerdrift_nlp.scanner import Scanner
from peerdrift_nlp.types import Note

WORDS = 180


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


def megabytes() -> float:
    """Peak resident memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Print notes a second of processor time, the ratio to the tokenizer, and memory as the run grows."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--notes", type=int, default=20_000)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()

    scanner = Scanner()
    tokenize = spacy.blank("en").make_doc
    warm = list(notes(300, seed=1))
    list(scanner.scan_many(warm))
    for note in warm:
        tokenize(note.text)

    begin = time.process_time()
    for _ in notes(options.notes):
        pass
    making = time.process_time() - begin

    begin = time.process_time()
    for note in notes(options.notes):
        tokenize(note.text)
    tokenizing = time.process_time() - begin - making

    findings = 0
    begin = time.process_time()
    for number, report in enumerate(scanner.scan_many(notes(options.notes), jobs=options.jobs), 1):
        findings += len(report.findings)
        if number % (options.notes // 4) == 0:
            print(f"  after {number:>7,} notes: peak memory {megabytes():.0f} MB")
    scanning = time.process_time() - begin - making

    print(f"spaCy blank tokenizer: {options.notes / tokenizing:,.0f} notes/s")
    print(f"whole scan:            {options.notes / scanning:,.0f} notes/s, {findings:,} findings, jobs {options.jobs}")
    print(f"scan / tokenizer:      {tokenizing / scanning:.2f}")


if __name__ == "__main__":
    main()
