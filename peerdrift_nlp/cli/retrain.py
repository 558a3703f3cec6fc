"""``peerdrift train --add``: a model taught further with an agency's own labelled notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from peerdrift_nlp.cli.model import chosen
from peerdrift_nlp.errors import UsageError

if TYPE_CHECKING:
    from peerdrift_nlp.classifier.corpus import LabelledNote


class Wishes(NamedTuple):
    """What a supervisor decided, as she typed it."""

    at_most_false: str
    per_week: int | None
    notes_per_week: int | None
    new_words: bool = True

    @property
    def false_share(self) -> float | None:
        """The share of flags that may be false; None where she named none."""
        try:
            return float(Fraction(self.at_most_false)) if self.at_most_false else None
        except (ValueError, ZeroDivisionError):
            raise UsageError(f"--at-most-false {self.at_most_false!r}: write a share, e.g. 1/5 or 0.2") from None

    @property
    def flags_per_note(self) -> float | None:
        """How many flags of a note can be read."""
        if (self.per_week is None) != (self.notes_per_week is None):
            raise UsageError("give --per-week and --notes-per-week together")
        return self.per_week / self.notes_per_week if self.per_week and self.notes_per_week else None


def retrain(folders: Sequence[Path], base: str, out: Path, name: str, suspects: Path | None, wishes: Wishes) -> None:
    """Teach, compare, write, and say what came of it."""
    from peerdrift_nlp.classifier.shipped import load_model
    from peerdrift_nlp.classifier.thresholds import precision_for
    from peerdrift_nlp.classifier.training import PRECISION_TARGETS
    from peerdrift_nlp.cli.compare import show
    from peerdrift_nlp.cli.terminal import err, notices, plain_table, steps
    from peerdrift_nlp.cli.terminal import out as screen
    from peerdrift_nlp.io.suspects import write_suspects
    from peerdrift_nlp.retraining import train

    precision = PRECISION_TARGETS if wishes.false_share is None else precision_for(wishes.false_share)
    flags_per_note = wishes.flags_per_note
    taught, unseen = _notes(folders)
    model = chosen(base)
    version = load_model(model)[1].version
    err.print(f"Teaching {version} with {len(taught)} notes", markup=False)
    with steps("steps") as progress:
        found = train(
            taught, out, base=model, unseen=unseen, name=name, precision=precision, flags_per_note=flags_per_note,
            vocabulary=wishes.new_words, progress=progress,
        )  # fmt: skip
    if suspects:
        write_suspects(suspects, found.suspects)
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

    if len({folder.resolve() for folder in folders}) < len(folders):
        raise UsageError("a folder of labelled notes is named twice; name each once")
    taught: list[LabelledNote] = []
    unseen: list[LabelledNote] = []
    for folder in folders:
        corpus = read_corpus(folder)
        taught += _renamed(corpus.part("train"), folder, folders)
        unseen += _renamed(corpus.part("dev"), folder, folders)
    texts = [(note.note_id, note.text) for note in (*taught, *unseen)]
    if len(set(texts)) < len(texts):
        raise UsageError("a note stands in more than one of the folders; give each writer's notes once")
    shared = {note.voice for note in taught} & {note.voice for note in unseen}
    if shared:
        raise UsageError(
            f"{len(shared)} writer(s) are train in one folder and dev in another; a writer is one or the other"
        )
    if not taught:
        raise UsageError("no train voices in the labelled notes; name them in splits.json")
    return taught, unseen


def _renamed(notes: Sequence[LabelledNote], folder: Path, folders: Sequence[Path]) -> list[LabelledNote]:
    """The notes with the folder in the names of numbered authors: author 1 of one folder is not author 1 of another."""
    from peerdrift_nlp.io.labels.folder import NUMBERED

    if len(folders) == 1:
        return list(notes)
    place = folders.index(folder) + 1
    return [
        replace(note, voice=f"{place}-{folder.name}-{note.voice}") if note.voice.startswith(NUMBERED) else note
        for note in notes
    ]
