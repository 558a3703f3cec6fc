"""``peerdrift train --add``: a model taught further with an agency's own labelled notes."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from peerdrift_nlp.cli.model import chosen
from peerdrift_nlp.errors import UsageError

if TYPE_CHECKING:
    from peerdrift_nlp.classifier.corpus import LabelledNote
    from peerdrift_nlp.classifier.suspects import Suspect


def retrain(folders: Sequence[Path], base: str, out: Path, name: str, suspects: Path | None) -> None:
    """Teach, compare, write, and say what came of it."""
    from peerdrift_nlp.cli.compare import show
    from peerdrift_nlp.cli.terminal import err, notices, plain_table, steps
    from peerdrift_nlp.cli.terminal import out as screen
    from peerdrift_nlp.retraining import train
    from peerdrift_nlp.scanner import load_model

    taught, unseen = _notes(folders)
    model = chosen(base)
    version = load_model(model)[1].version
    err.print(f"Teaching {version} with {len(taught)} notes", markup=False)
    with steps("steps") as progress:
        found = train(taught, out, base=model, unseen=unseen, name=name, progress=progress)
    if suspects:
        _write(suspects, found.suspects)
    table = plain_table(("Label", "left"), ("found", "right"), ("what was done", "left"))
    for label, level in found.adapted.levels.items():
        table.add_row(label, str(found.adapted.positives[label]), str(level))
    screen.print(table)
    screen.print()
    notices("", [f"Take care: {warning}" for warning in found.adapted.warnings])
    if found.comparison:
        show(found.comparison, version, name)
    else:
        screen.print(f"Verdict: {found.verdict}", markup=False)
    doubtful = f", listed in {suspects}" if suspects else "; --suspects FILE lists them"
    screen.print(f"{len(found.suspects)} labels deserve another look{doubtful}", markup=False)
    err.print(f"Model written to {out}. To use it: peerdrift adopt {out}", markup=False)


def _notes(folders: Sequence[Path]) -> tuple[list[LabelledNote], list[LabelledNote]]:
    """The notes to teach with and those of writers kept apart (dev), of all folders."""
    from peerdrift_nlp.classifier.corpus import read_corpus

    taught: list[LabelledNote] = []
    unseen: list[LabelledNote] = []
    for folder in folders:
        corpus = read_corpus(folder)
        taught += corpus.part("train")
        unseen += corpus.part("dev")
    places = [(note.voice, note.note_id) for note in (*taught, *unseen)]
    if len(set(places)) < len(places):
        raise UsageError("a note stands in more than one of the folders; give each writer's notes once")
    shared = {note.voice for note in taught} & {note.voice for note in unseen}
    if shared:
        raise UsageError(
            f"{len(shared)} writer(s) are train in one folder and dev in another; a writer is one or the other"
        )
    if not taught:
        raise UsageError("no train voices in the labelled notes; name them in splits.json")
    return taught, unseen


def _write(path: Path, suspects: Sequence[Suspect]) -> None:
    from peerdrift_nlp.classifier.suspects import Suspect

    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(Suspect._fields)
            writer.writerows(suspects)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from None
