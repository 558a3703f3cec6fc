"""What a corpus holds: counts by split, and notes that are too alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import combinations

from peerdrift_nlp.classifier.corpus.files import SPLITS, Corpus
from peerdrift_nlp.classifier.corpus.notes import LabelledNote
from peerdrift_nlp.classifier.corpus.pairs import DIFFERENCES, ContrastPair
from peerdrift_nlp.taxonomy import LABELS, taxonomy

Counts = tuple[int, ...]
_SHINGLE = 4
_TOO_ALIKE = 0.25
_STOCK_PHRASE = 50
"""A run of words that so many notes hold says nothing of any two."""


def inventory(corpus: Corpus) -> dict[str, dict[str, Counts]]:
    """Tables of counts; each row is train, dev, test, all."""
    codebook = taxonomy()
    sentences = _by_split(corpus, lambda note: (unit for unit in note.sentences if unit.kind == "sentence"))
    # The look-alike `header` stands on headings, so here they count.
    units = _by_split(corpus, lambda note: note.sentences)
    return {
        "Size": {
            "voices": _row(corpus, lambda notes: len({note.voice for note in notes})),
            "notes": _row(corpus, len),
            "notes without drift": _row(corpus, lambda notes: sum(not note.drifts for note in notes)),
            "sentences": tuple(len(part) for part in sentences),
            "decoys": tuple(sum(unit.decoy for unit in part) for part in sentences),
        },
        "Label": {name: tuple(sum(name in unit.labels for unit in part) for part in sentences) for name in LABELS},
        "Indicator": {
            name: tuple(sum(name in unit.severity for unit in part) for part in sentences)
            for name in codebook.indicators
        },
        "Practice": {
            name: tuple(sum(name in unit.practices for unit in part) for part in sentences)
            for name in codebook.practices
        },
        "Look-alike": {
            name: tuple(sum(name == unit.look_alike for unit in part) for part in units) for name in codebook.reasons
        },
        "Severity": {
            str(level): tuple(sum(level in unit.severity.values() for unit in part) for part in sentences)
            for level in (1, 2, 3)
        },
        "Pairs": {"all": _pair_row(corpus, len)}
        | {
            f"differ in {name}": _pair_row(corpus, lambda pairs, name=name: sum(pair.differs == name for pair in pairs))  # type: ignore[misc]
            for name in DIFFERENCES
        }
        | {"with a decoy": _pair_row(corpus, lambda pairs: sum(_holds_decoy(pair) for pair in pairs))},
        "Setting": _grouped(corpus, lambda note: note.setting),
        "Format": _grouped(corpus, lambda note: note.format),
    }


def near_duplicates(corpus: Corpus) -> list[tuple[str, str, float]]:
    """Notes, and pairs as a whole, that share more than a quarter of their runs of four words."""
    shingles = {f"{note.voice}/{note.note_id}": _shingles(note.text) for note in corpus.notes}
    for pair in corpus.pairs:
        shingles[f"{pair.voice}/{pair.pair_id}"] = set().union(*(_shingles(member.text) for member in pair.members))
    holders: dict[tuple[str, ...], list[str]] = {}
    for name, runs in shingles.items():
        for run in runs:
            holders.setdefault(run, []).append(name)
    shared: Counter[tuple[str, str]] = Counter()
    for names in holders.values():
        if len(names) <= _STOCK_PHRASE:
            shared.update(combinations(names, 2))
    alike = []
    for (first, second), count in shared.items():
        similarity = count / min(len(shingles[first]), len(shingles[second]))
        if count > 3 and similarity > _TOO_ALIKE:
            alike.append((first, second, similarity))
    return sorted(alike, key=lambda pair: (-pair[2], pair))


def _shingles(text: str) -> set[tuple[str, ...]]:
    words = text.lower().split()
    return {tuple(words[at : at + _SHINGLE]) for at in range(len(words) - _SHINGLE + 1)}


def _by_split(corpus: Corpus, units: Callable[[LabelledNote], Iterable]) -> list[list]:  # type: ignore[type-arg]
    parts = [[unit for note in corpus.part(split) for unit in units(note)] for split in SPLITS]
    return [*parts, [unit for part in parts for unit in part]]


def _row(corpus: Corpus, count: Callable[[list[LabelledNote]], int]) -> Counts:
    return tuple(count(corpus.part(*splits)) for splits in (*((split,) for split in SPLITS), SPLITS))


def _pair_row(corpus: Corpus, count: Callable[[list[ContrastPair]], int]) -> Counts:
    return tuple(count(corpus.pairs_of(*splits)) for splits in (*((split,) for split in SPLITS), SPLITS))


def _holds_decoy(pair: ContrastPair) -> bool:
    return any(unit.decoy for member in pair.members for unit in member.sentences)


def _grouped(corpus: Corpus, key: Callable[[LabelledNote], str]) -> dict[str, Counts]:
    names = sorted({key(note) for note in corpus.notes})
    return {
        name or "(none)": _row(corpus, lambda notes, name=name: sum(key(note) == name for note in notes))  # type: ignore[misc]
        for name in names
    }
