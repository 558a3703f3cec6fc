"""The peers of ``bench.py``: each reads the same notes in a process of its own, in an environment of their own.

Each looks for the same drug and diagnosis names of the shipped lexicons, with its negation where it has one. That is
less than the scan does: it also splits notes, decides stance, scores and explains.

    python tests/benchmarks/peers.py NAME FILE

prints notes a second; FILE holds terms and notes, as ``peers`` writes them.
"""

from __future__ import annotations

import csv
import json
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
    """Notes a second of each peer that runs; the others are named.

    Args:
        python: the interpreter of the environment that has them.
        texts: notes, of which the first ``WARM`` are read before the clock runs.
    """
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "notes.json"
        place.write_text(json.dumps({"terms": terms(), "notes": texts}), encoding="utf-8")
        for name in PEERS:
            command = [python, __file__, name, str(place)]
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


if __name__ == "__main__":
    measure(sys.argv[1], Path(sys.argv[2]))
