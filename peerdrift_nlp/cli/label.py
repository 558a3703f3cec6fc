"""``peerdrift label``: an agency's labels in and out, what to label next, and how far annotators agree."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from peerdrift_nlp.cli.model import Model, chosen
from peerdrift_nlp.errors import UsageError
from peerdrift_nlp.types import Note

if TYPE_CHECKING:
    from peerdrift_nlp.io.labels import Aligned, LabelNames
    from peerdrift_nlp.io.labels.rows import Reading

app = typer.Typer(help="Bring labels in and out, for retraining.", no_args_is_help=True, rich_markup_mode=None)

Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files of labels, of any known kind.")]
Notes = Annotated[Path, typer.Option("--notes", help="The export whose sentences were labelled.")]
Map = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="FIELD=COLUMN", help="Name a column of the labels, e.g. label=Code."),
]
NotesMap = Annotated[
    list[str] | None, typer.Option("--notes-map", metavar="FIELD=COLUMN", help="Name a column of the export.")
]
Names = Annotated[
    list[str] | None,
    typer.Option("--name", metavar="THEIRS=OURS", help="Your name of a label, e.g. meds=clinical.medication."),
]
Run = Annotated[Path | None, typer.Option("--run", help="Results folder of the scan that a review is about.")]
Through = Annotated[
    bool, typer.Option("--read-through", help="Whoever labelled a text read all of it: no label means none applies.")
]

Format = Annotated[str, typer.Option("--format", help="csv, label-studio, doccano or prodigy.")]


@app.command("import")
def import_labels(
    files: Files,
    notes: Notes,
    out: Annotated[Path, typer.Option(help="The corpus folder to make.")],
    map_: Map = None,
    notes_map: NotesMap = None,
    names: Names = None,
    run: Run = None,
    through: Through = False,
    conflicts: Annotated[
        str, typer.Option(help="Where annotators contradict each other: stop, leave-out, or whose labels count.")
    ] = "stop",
    split: Annotated[
        str, typer.Option(help="Put all authors into train, dev or test. Default: each is drawn by name.")
    ] = "",
) -> None:
    """Turn labels into a corpus folder for train, evaluate and corpus check."""
    from peerdrift_nlp.cli.terminal import lines, notices, plain_table
    from peerdrift_nlp.cli.terminal import out as stdout
    from peerdrift_nlp.io.labels import check_target, label_counts, labelled_export, readings, settle, write_corpus

    check_target(out)
    if split not in ("", "train", "dev", "test"):
        raise UsageError(f"--split {split!r}: use train, dev or test")
    read, aligned = _aligned(files, notes, map_, notes_map, names, run, through)
    found = readings(aligned)
    settled, left_out = settle(found, aligned, conflicts)
    labelled = labelled_export(aligned, settled, split or None)  # type: ignore[arg-type]
    told = _told(read, aligned)
    told |= {
        "left out": {
            **told["left out"],
            **({"sentences with contradictory labels": left_out} if left_out else {}),
            **({"sentences of which an annotator was unsure": found.unsure} if found.unsure else {}),
            **{f"not kept: {what}": count for what, count in found.lost.items() if count},
        }
    }
    cautions = labelled.cautions()
    write_corpus(out, labelled, {"files": [file.name for file in files], **told, "cautions": cautions})
    _tell(told, aligned)
    table = plain_table(("Label", "left"), ("stands", "right"), ("does not", "right"))
    for name, (stands, stands_not) in label_counts(labelled).items():
        table.add_row(name, f"{stands:,}", f"{stands_not:,}")
    stdout.print(table)
    splits = Counter(labelled.split_of.values())
    lines(
        [
            f"{len(settled):,} sentences of {len(labelled.notes):,} notes and {len(labelled.split_of):,} authors "
            f"(train {splits['train']}, dev {splits['dev']}, test {splits['test']}): {out}",
        ]
    )
    if len(found.annotators) > 1:
        notices("", [f"{len(found.annotators)} annotators: see `peerdrift label agreement` before you train"])
    notices("", [f"Careful: {caution}" for caution in cautions])
    if aligned.drops:
        raise typer.Exit(3)


@app.command()
def agreement(
    files: Files,
    notes: Notes,
    map_: Map = None,
    notes_map: NotesMap = None,
    names: Names = None,
    run: Run = None,
    through: Through = False,
) -> None:
    """Print how far annotators agree on each label, and what that means for training."""
    from peerdrift_nlp.cli.terminal import lines, out, plain_table
    from peerdrift_nlp.io.labels import readings
    from peerdrift_nlp.io.labels.compare import compare, meaning

    read, aligned = _aligned(files, notes, map_, notes_map, names, run, through)
    found = compare(readings(aligned))
    _tell(_told(read, aligned), aligned)
    for pair in found:
        lines([f"{pair.first} and {pair.second}: {pair.sentences:,} sentences labelled by both"])
        table = plain_table(
            ("Label", "left"), *((name, "right") for name in ("first", "second", "both", "kappa")), ("meaning", "left")
        )
        for label, row in pair.labels.items():
            kappa = "-" if math.isnan(row.kappa) else f"{row.kappa:.2f}"
            table.add_row(label, str(row.writer), str(row.blind), str(row.both), kappa, meaning(row))
        out.print(table)
        out.print()
    lines(["Kappa is agreement beyond chance: 1 is always, 0 is no better than chance. A model cannot be surer than"])
    lines(["the people it learns from: talk over what they saw differently, settle the labels, and then train."])
    if aligned.drops:
        raise typer.Exit(3)


@app.command()
def queue(
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="The export to choose sentences from.")],
    out: Annotated[Path, typer.Option(help="The file to make.")],
    format_: Format = "csv",
    size: Annotated[int, typer.Option(min=3, help="How many sentences.")] = 150,
    model: Model = "",
    done: Annotated[
        list[Path] | None, typer.Option("--done", help="A corpus folder whose sentences are labelled already.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the draw.")] = 0,
    notes_map: NotesMap = None,
) -> None:
    """Choose sentences to label: a third in doubt, a third flagged, a third by chance."""
    from peerdrift_nlp.classifier.corpus import read_corpus
    from peerdrift_nlp.cli.terminal import counting, lines
    from peerdrift_nlp.io.labels.queue import REASONS, as_unlabelled, candidates, choose
    from peerdrift_nlp.io.labels.writers import check_output, sentence_item, write_items
    from peerdrift_nlp.io.select import select

    check_output(format_, out)
    labelled = {
        (note.note_id, unit.start)
        for folder in done or ()
        for note in read_corpus(folder).notes
        for unit in note.sentences
        if unit.kind == "sentence"
    }
    notes = select(read_notes(source, _pairs("--notes-map", notes_map or [])))

    from peerdrift_nlp.scanner import Scanner

    scanner = Scanner(model=chosen(model))
    judged = scanner.judge(as_unlabelled(note) for note in counting(iter(notes)) if isinstance(note, Note))
    found = candidates(judged, scanner.bundle.thresholds[scanner.spec.operating_point])
    picked = choose(found, size, seed=seed, done=labelled)
    if not picked:
        raise UsageError(f"{source.name} has no sentence that is not labelled yet")
    files = write_items([sentence_item(item.note, item.start, item.end) for item, _ in picked], format_, out)
    whys = Counter(why for _, why in picked)
    counts = ", ".join(f"{whys[why]:,} {why}" for why in REASONS)
    lines([f"{len(picked):,} of {len(found):,} sentences: {counts}. {_listed(files)}"])
    lines(["The file does not say which is which, so that nobody is led. It holds note text: treat it like the notes."])


@app.command("export")
def export_labels(
    corpus: Annotated[Path, typer.Argument(help="A corpus folder.")],
    out: Annotated[Path, typer.Option(help="The file to make.")],
    format_: Format = "label-studio",
) -> None:
    """Write a corpus folder's labels for a labelling tool."""
    from peerdrift_nlp.classifier.corpus import read_corpus
    from peerdrift_nlp.cli.terminal import lines, notices
    from peerdrift_nlp.io.labels.writers import check_output, labelled_item, write_items

    check_output(format_, out)
    items = [labelled_item(note) for note in read_corpus(corpus).notes]
    files = write_items([item for item, _ in items], format_, out)
    lines([f"{sum(len(item.labels or ()) for item, _ in items):,} sentences of {len(items):,} notes: {_listed(files)}"])
    partly = sum(count for _, count in items)
    if partly:
        notices("", [f"{partly:,} sentences left out: only some of their labels were judged, which no format can say"])


def _aligned(
    files: Sequence[Path], notes: Path, map_: list[str] | None, notes_map: list[str] | None, names: list[str] | None,
    run: Path | None, through: bool,
) -> tuple[list[Reading], Aligned]:  # fmt: skip
    from peerdrift_nlp.io.labels import align, read_key, read_labels

    synonyms = _label_names(names or [])
    export = read_notes(notes, _pairs("--notes-map", notes_map or []))
    fingerprints = read_key(run) if run else None
    read = read_labels(files, export, names=synonyms, fields=_pairs("--map", map_ or []), fingerprints=fingerprints)
    rows = [row for reading in read for row in reading.rows]
    return read, align(rows, export, read_through=through)


def read_notes(path: Path, columns: Mapping[str, str]) -> list[Note]:
    """All notes of an export, whoever wrote them; says what could not be read."""
    from peerdrift_nlp.cli.terminal import notices
    from peerdrift_nlp.errors import NoteReadError
    from peerdrift_nlp.io.readers import open_export

    export = open_export(path, columns=columns)
    items = list(export)
    notices(f"Reading {path.name}", export.notices)
    unread = [item.where for item in items if isinstance(item, NoteReadError)]
    if unread:
        notices("", [f"{len(unread):,} notes cannot be read: {_some(unread)}"])
    return [item for item in items if isinstance(item, Note)]


def _label_names(pairs: Sequence[str]) -> LabelNames:
    from peerdrift_nlp.io.labels import LabelNames

    try:
        return LabelNames(_pairs("--name", pairs))
    except ValueError as error:
        raise UsageError(f"--name: {error}") from None


def _pairs(option: str, pairs: Iterable[str]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        left, equals, right = pair.partition("=")
        if not equals or not left.strip() or not right.strip():
            raise UsageError(f"{option} {pair!r}: write it as LEFT=RIGHT, e.g. {option} label=Code")
        found[left.strip()] = right.strip()
    return found


def _told(read: Sequence[Reading], aligned: Aligned) -> dict[str, Any]:
    """What was read, repaired and left out, as the record says it."""
    left_out = sum((reading.left_out for reading in read), Counter[str]())
    unread = {"texts whose sentences without a label are unread": aligned.undone} if aligned.undone else {}
    return {
        "rows": sum(not row.is_bare for reading in read for row in reading.rows),
        "repairs": {how: count for how, count in aligned.repairs.items() if count},
        "not found": aligned.drops,
        "left out": {**left_out, **unread},
    }


def _tell(told: Mapping[str, Any], aligned: Aligned) -> None:
    from peerdrift_nlp.cli.terminal import notices

    notices(f"{told['rows']:,} labels read", [])
    notices("", [f"repaired {count:,}: {how}" for how, count in told["repairs"].items()])
    notices("", [f"not used {len(places):,}: {why} ({_some(places)})" for why, places in aligned.drops.items()])
    notices("", [f"{count:,} {what}" for what, count in told["left out"].items()])


def _listed(files: Sequence[Path]) -> str:
    return ", ".join(map(str, files))


def _some(places: Sequence[str]) -> str:
    shown = list(dict.fromkeys(places))
    return ", ".join(shown[:5]) + (f" and {len(shown) - 5:,} more" if len(shown) > 5 else "")
