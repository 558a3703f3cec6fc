"""The scan beside its peers on the same notes: notes a second of processor time, one process each.

    python tests/benchmarks/bench_peers.py --peers PYTHON [--notes 2000] [--plot peers.png]

The peers need an older spaCy, so they live in an environment of their own, whose interpreter PYTHON is:
``pip install "setuptools<81" spacy medspacy edsnlp negspacy presidio-analyzer``. Each looks for the same drug and diagnosis names of the
shipped lexicons, with its negation where it has one. That is less than the scan does: it also splits notes, decides
stance, scores and explains. Notes are those of ``bench_scan.py``; cold start is that of a process that scans one note.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
LEXICONS = ROOT / "peerdrift_nlp" / "rules" / "lexicons"
TERMS = 300
WARM = 300
"""Notes read before the clock runs, and not again."""
Read = Callable[[str], object]


def tokenizer(terms: list[str]) -> Read:
    """SpaCy's blank tokenizer, which finds nothing."""
    import spacy

    return spacy.blank("en").make_doc


def negspacy(terms: list[str]) -> Read:
    """SpaCy's entity ruler and sentences, with NegEx."""
    import spacy
    from negspacy.negation import Negex  # noqa: F401

    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "TERM", "pattern": term} for term in terms])
    nlp.add_pipe("negex", config={"ent_types": ["TERM"]})
    return nlp


def medspacy(terms: list[str]) -> Read:
    """medspaCy: its sentences, target matcher and ConText."""
    import medspacy as library
    from medspacy.ner import TargetRule

    nlp = library.load()
    nlp.get_pipe("medspacy_target_matcher").add([TargetRule(term, "TERM") for term in terms])
    return nlp


def edsnlp(terms: list[str]) -> Read:
    """EDS-NLP: its tokenizer, sentences, matcher and negation (of French, which costs the same)."""
    import edsnlp as library

    nlp = library.blank("eds")
    nlp.add_pipe("eds.sentences")
    nlp.add_pipe("eds.matcher", config={"terms": {"TERM": terms}, "attr": "LOWER"})
    nlp.add_pipe("eds.negation")
    return nlp


def presidio(terms: list[str]) -> Read:
    """Presidio: one recognizer with a list, no model."""
    from presidio_analyzer import PatternRecognizer

    recognizer = PatternRecognizer(supported_entity="TERM", deny_list=terms)
    return lambda text: recognizer.analyze(text, ["TERM"])


PEERS = {"spaCy tokenizer alone": tokenizer, "negspacy": negspacy, "EDS-NLP": edsnlp, "Presidio": presidio, "medspaCy": medspacy}  # fmt: skip


def measure(name: str, place: Path) -> None:
    """In the peers' interpreter: print how many notes a second one of them reads."""
    given = json.loads(place.read_text("utf-8"))
    read = PEERS[name](given["terms"])
    for text in given["notes"][:WARM]:
        read(text)
    texts = given["notes"][WARM : WARM + 200 if name == "medspaCy" else None]
    begin = time.process_time()
    for text in texts:
        read(text)
    print(len(texts) / (time.process_time() - begin))


def peers(python: str, texts: list[str]) -> dict[str, float]:
    """Notes a second of each peer that runs; the others are named."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "notes.json"
        place.write_text(json.dumps({"terms": terms(), "notes": texts}), encoding="utf-8")
        for name in PEERS:
            command = [python, __file__, "--measure", name, "--given", str(place)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                print(f"{name}: left out ({done.stderr.strip().splitlines()[-1]})", file=sys.stderr)
            else:
                found[name] = float(done.stdout.split()[-1])
    return found


def terms() -> list[str]:
    """The first column of the drug and diagnosis lexicons."""
    rows = [row for name in ("medications", "diagnoses") for row in _rows(LEXICONS / f"{name}.csv")]
    return list(dict.fromkeys(row[0] for row in rows))[:TERMS]


def _rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        lines = (line for line in file if line.strip() and not line.startswith("#"))
        return list(csv.reader(lines))[1:]


def ours(texts: list[str]) -> dict[str, float]:
    """Notes a second of both shipped models."""
    from peerdrift_nlp.scanner import Scanner

    found = {}
    for model in ("fast", "default"):
        scanner = Scanner(model=model)
        pairs = [("", text) for text in texts]
        list(scanner.scan_many(pairs[:WARM]))
        begin = time.process_time()
        list(scanner.scan_many(pairs[WARM:]))
        found[f"peerdrift_nlp, {model} model"] = len(pairs[WARM:]) / (time.process_time() - begin)
    return found


def cold_start(model: str) -> float:
    """Seconds of processor time from nothing to the report on one note."""
    code = f"from peerdrift_nlp import Scanner; Scanner(model={model!r}).scan('I counted her pills.')"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def plot(speeds: dict[str, float], path: Path) -> None:
    """A bar for each, on a logarithmic scale."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.5), layout="constrained")
    axes = figure.subplots()
    names = sorted(speeds, key=speeds.__getitem__)
    colors = ["tab:blue" if name.startswith("peerdrift") else "tab:gray" for name in names]
    axes.barh(names, [speeds[name] for name in names], color=colors)
    axes.set(xscale="log", xlabel="notes of 180 words a second, one process")
    figure.savefig(path, dpi=150)


def main() -> None:
    """Measure all, print a table, and draw it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--peers", default=sys.executable, help="the interpreter of the environment with the peers")
    parser.add_argument("--notes", type=int, default=2000)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--given", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure, options.given)
        return
    os.chdir(ROOT)
    from bench_scan import notes

    texts = [note.text for note in notes(options.notes + WARM)]
    speeds = peers(options.peers, texts) | ours(texts)
    base = speeds.get("spaCy tokenizer alone", float("nan"))
    print("| | notes/s | beside the tokenizer |\n|---|---|---|")
    for name, speed in sorted(speeds.items(), key=lambda item: -item[1]):
        print(f"| {name} | {speed:,.0f} | {speed / base:.2f} |")
    for model in ("fast", "default"):
        print(f"cold start, {model} model: {cold_start(model):.1f} s of processor time")
    if options.plot:
        plot(speeds, options.plot)


if __name__ == "__main__":
    main()
