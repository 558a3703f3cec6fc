"""How far two readings of the same sentences agree, before anybody reconciled them.

``readings/<voice>.jsonl`` keeps both, a note a line, in the tags of the marked form; a sentence that is not
named carries nothing::

    {"note_id": "...", "writer": {"3": "clinical.medication/2 !"}, "blind": {"3": "clinical.medication/1"}}
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from sklearn.metrics import cohen_kappa_score

from peerdrift_nlp.classifier.corpus.files import Corpus
from peerdrift_nlp.classifier.corpus.marked import parse_tags
from peerdrift_nlp.classifier.corpus.notes import LabelledNote, LabelledSentence
from peerdrift_nlp.errors import CorpusError, Problem
from peerdrift_nlp.taxonomy import LABELS, taxonomy

READERS = ("writer", "blind")


@dataclass(frozen=True, slots=True)
class DoubleReading:
    """One sentence as the writer and as the blind annotator labelled it."""

    writer: LabelledSentence
    blind: LabelledSentence


class Agreement(NamedTuple):
    """How two readers use one name.

    Attributes:
        writer, blind: how many sentences each gave it to.
        both: how many both did.
        kappa: Cohen's kappa over the sentences that both judged; nan where both gave it to none or to all of them.
    """

    writer: int
    blind: int
    both: int
    kappa: float

    @property
    def f1(self) -> float:
        """Of one reading measured against the other; nan where neither used it."""
        used = self.writer + self.blind
        return 2 * self.both / used if used else float("nan")


def read_double_readings(folder: Path, corpus: Corpus) -> list[DoubleReading]:
    """Both readings of every sentence that was read twice; headings are left out.

    Raises:
        CorpusError: readings of notes or sentences that are not in the corpus, or unknown tags.
    """
    notes = {note.note_id: note for note in (*corpus.notes, *(m for pair in corpus.pairs for m in pair.members))}
    problems: list[Problem] = []
    found: list[DoubleReading] = []
    for path in sorted((folder / "readings").glob("*.jsonl")):
        for number, line in enumerate(path.read_text(encoding="utf-8").split("\n")[:-1], 1):
            try:
                found.extend(_readings(json.loads(line), notes))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                problems.append(Problem(path.name, number, f"is not a double reading: {error}"))
    if problems:
        raise CorpusError(problems)
    return found


def agreement(readings: Iterable[DoubleReading]) -> dict[str, dict[str, Agreement]]:
    """Agreement by label, indicator, practice and look-alike reason, and on decoys."""
    readings = list(readings)
    codebook = taxonomy()
    return {
        "Label": _table(readings, LABELS, lambda unit: unit.labels),
        "Indicator": _table(readings, codebook.indicators, lambda unit: unit.severity),
        "Practice": _table(readings, codebook.practices, lambda unit: unit.practices),
        "Look-alike": _table(readings, codebook.reasons, lambda unit: (unit.look_alike,)),
        "Other": _table(readings, ("any drift", "decoy"), _other),
    }


def _readings(record: Mapping[str, Any], notes: Mapping[str, LabelledNote]) -> list[DoubleReading]:
    note = notes.get(record["note_id"])
    if note is None:
        raise ValueError(f"no note {record['note_id']!r} in the corpus")
    known = {str(number) for number in range(1, len(note.sentences) + 1)}
    for reader in READERS:
        if stray := sorted(record[reader].keys() - known):
            raise ValueError(f"note {note.note_id!r} has no sentence {', '.join(stray)}")
    pairs = []
    for number, unit in enumerate(note.sentences, 1):
        writer, blind = (parse_tags(record[reader].get(str(number), ""), unit.start, unit.end) for reader in READERS)
        if unit.kind == "sentence":
            pairs.append(DoubleReading(writer, blind))
    return pairs


def _table(
    readings: list[DoubleReading], names: Iterable[str], of: Callable[[LabelledSentence], Iterable[str]]
) -> dict[str, Agreement]:
    sides = [(set(of(pair.writer)), set(of(pair.blind)), pair.writer.unknown | pair.blind.unknown) for pair in readings]
    return {
        name: _agreement([(name in writer, name in blind) for writer, blind, unknown in sides if name not in unknown])
        for name in names
    }


def _agreement(pairs: list[tuple[bool, bool]]) -> Agreement:
    writer, blind = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    differ = len({*writer, *blind}) > 1
    kappa = float(cohen_kappa_score(writer, blind, labels=[False, True])) if differ else float("nan")
    return Agreement(sum(writer), sum(blind), sum(map(all, pairs)), kappa)


def _other(unit: LabelledSentence) -> list[str]:
    return ["any drift"] * unit.drifts + ["decoy"] * unit.decoy
