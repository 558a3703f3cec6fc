"""``peerdrift evaluate``: every figure on voices that a model has not seen."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from peerdrift_nlp.cli.model import Model, chosen
from peerdrift_nlp.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from peerdrift_nlp.classifier.corpus import ContrastPair, Corpus, LabelledNote
    from peerdrift_nlp.classifier.evaluation import Figure, Judged
    from peerdrift_nlp.scanner import Scanner

CorpusFolder = Annotated[Path, typer.Option("--corpus", help="Folder with notes/ and splits.json.")]


def evaluate(
    corpus: CorpusFolder = Path("data/corpus"),
    model: Model = "",
    split: Annotated[str, typer.Option(help="dev, or test for the final figures of a release.")] = "dev",
    point: Annotated[str, typer.Option("--operating-point", help="careful, balanced or thorough.")] = "balanced",
    rounds: Annotated[int, typer.Option(min=1, help="Bootstrap rounds.")] = 1000,
    by: Annotated[str, typer.Option(help="Figures for each voice, setting, format, length or mention.")] = "",
    worst: Annotated[int, typer.Option(min=0, help="Write that many of the worst probabilities to --out.")] = 0,
    out_file: Annotated[Path | None, typer.Option("--out", help="With --worst: a CSV, by note and place.")] = None,
    stable: Annotated[bool, typer.Option("--stability", help="What other names, spelling or case change.")] = False,
) -> None:
    """Print every figure on voices that the model has not seen, beside rules alone and a keyword list."""
    from peerdrift_nlp.classifier.corpus import read_corpus
    from peerdrift_nlp.cli.terminal import out
    from peerdrift_nlp.scanner import Scanner

    if bool(worst) != bool(out_file):
        raise UsageError("give --worst and --out together: how many, and the CSV to write")
    labelled = read_corpus(corpus)
    notes, pairs = notes_of(labelled, split), labelled.pairs_of(split)  # type: ignore[arg-type]
    scanner = Scanner(model=chosen(model), operating_point=point)
    if out_file:
        _write_worst(scanner, notes, worst, out_file)
    elif by:
        _print_slices(scanner, notes, by)
    elif stable:
        _print_stability(scanner, notes)
    else:
        judged = list(scanner.judge(notes))
        out.print(
            f"{split}: {len({note.voice for note in notes})} voices, {len(notes)} notes, {len(judged):,} sentences, "
            f"{len(pairs)} pairs"
        )
        _print_figures(scanner, notes, pairs, judged, rounds)
        _print_labels(judged, rounds)
        _print_indicators(judged)
        _print_reliability(judged)


def _write_worst(scanner: Scanner, notes: Sequence[LabelledNote], most: int, path: Path) -> None:
    """The labels whose probabilities were worst, as a CSV."""
    from peerdrift_nlp.classifier.suspects import worst
    from peerdrift_nlp.cli.terminal import err
    from peerdrift_nlp.io.suspects import write_suspects

    found = worst(scanner.judge(notes), most)
    write_suspects(path, found)
    err.print(f"{len(found)} labels written to {path}", markup=False)


def _print_figures(
    scanner: Scanner,
    notes: Sequence[LabelledNote],
    pairs: Sequence[ContrastPair],
    judged: Sequence[Judged],
    rounds: int,
) -> None:
    """All figures of the model, beside those of keywords and of rules alone."""
    from peerdrift_nlp.classifier.baseline import judge_by_keywords, judge_by_rules
    from peerdrift_nlp.classifier.evaluation import figures, pairs_right
    from peerdrift_nlp.cli.terminal import out, plain_table

    model = scanner.bundle.version
    judges: Mapping[str, Callable[[Sequence[LabelledNote]], Iterator[Judged]]] = {
        "keywords": lambda notes: judge_by_keywords(notes, scanner.rules),
        "rules": lambda notes: judge_by_rules(notes, scanner.rules, scanner.profile.allowed),
        model: scanner.judge,
    }
    members = [member for pair in pairs for member in pair.members]
    columns: dict[str, dict[str, Figure]] = {}
    for name, judge in judges.items():
        columns[name] = figures(judged if name == model else list(judge(notes)), rounds=rounds)
        if pairs:
            columns[name]["pairs_right"] = pairs_right(pairs, list(judge(members)), rounds=rounds)
    table = plain_table(("Figure (95% interval over voices)", "left"), *((heading, "right") for heading in columns))
    for figure in next(iter(columns.values())):
        table.add_row(figure, *(str(found[figure]) for found in columns.values()))
    out.print(table)
    out.print()


def _print_labels(judged: Sequence[Judged], rounds: int) -> None:
    """Each label with its intervals."""
    from peerdrift_nlp.classifier.resampling import with_intervals
    from peerdrift_nlp.cli.terminal import out, plain_table
    from peerdrift_nlp.taxonomy import LABELS

    spread = with_intervals(judged, rounds=rounds)
    table = plain_table(("Label", "left"), *((h, "right") for h in ("precision", "recall", "F1", "Brier")))
    for label in LABELS:
        cells = (spread.get(f"{label}_{name}") for name in ("precision", "recall", "f1"))
        brier = spread.get(f"{label}_brier")
        shown = ("-" if cell is None else str(cell) for cell in cells)
        table.add_row(label, *shown, "-" if brier is None else f"{brier.value:.3f}")
    out.print(table)
    out.print()


def _print_indicators(judged: Sequence[Judged]) -> None:
    """Each label and indicator with its share right and found."""
    from peerdrift_nlp.classifier.evaluation import label_scores
    from peerdrift_nlp.cli.terminal import out, plain_table

    table = plain_table(("Label, indicator", "left"), *((h, "right") for h in ("gold", "precision", "recall", "F1")))
    for name, (precision, recall, f1, gold) in label_scores(judged).items():
        table.add_row(name, str(gold), f"{precision:.2f}", f"{recall:.2f}", f"{f1:.2f}")
    out.print(table)
    out.print()


def _print_reliability(judged: Sequence[Judged]) -> None:
    """What was so, by what the probabilities said."""
    from peerdrift_nlp.classifier.evaluation import reliability
    from peerdrift_nlp.cli.terminal import out, plain_table

    table = plain_table(("Probability of a flag", "left"), *((h, "right") for h in ("mean", "was so", "count")))
    for said, so, count in reliability(judged):
        table.add_row(
            f"{int(said * 10) / 10:.1f} to {int(said * 10) / 10 + 0.1:.1f}", f"{said:.2f}", f"{so:.2f}", f"{count:,}"
        )
    out.print(table)


def _print_slices(scanner: Scanner, notes: Sequence[LabelledNote], by: str) -> None:
    """The figures of each part, the most falsely flagged first."""
    import numpy as np

    from peerdrift_nlp.classifier.evaluation import measures
    from peerdrift_nlp.classifier.slices import slicers
    from peerdrift_nlp.cli.terminal import out, plain_table

    known = slicers(scanner.rules)
    if by not in known:
        raise UsageError(f"--by {by!r}: use {', '.join(known)}")
    part_of = {(note.voice, note.note_id): known[by](note) for note in notes}
    slices: dict[str, list[Judged]] = {}
    for row in scanner.judge(notes):
        slices.setdefault(part_of[row.note.voice, row.note.note_id], []).append(row)
    shown = ("clean_notes_flagged", "any_drift_precision", "any_drift_recall", "any_drift_f1")
    found = {
        name: (len({row.note.note_id for row in rows}), *(measures()[measure](rows) for measure in shown))
        for name, rows in slices.items()
    }
    table = plain_table((by, "left"), *((h, "right") for h in ("notes", "clean flagged", "precision", "recall", "F1")))
    for name, (count, *values) in sorted(
        found.items(), key=lambda item: (-np.nan_to_num(item[1][1], nan=-1.0), item[0])
    ):
        table.add_row(name, str(count), *("-" if math.isnan(value) else f"{value:.2f}" for value in values))
    out.print(table)


def _print_stability(scanner: Scanner, notes: Sequence[LabelledNote]) -> None:
    """What variations that must not matter change."""
    from peerdrift_nlp.classifier.stability import stability, variations, vary
    from peerdrift_nlp.cli.terminal import out, plain_table

    before = list(scanner.judge(notes))
    headings = ("sentences", "verdict changed", "flag kept", "flag appeared")
    table = plain_table(("Variation", "left"), *((heading, "right") for heading in headings))
    for name, variation in variations(scanner.rules).items():
        found = stability(before, list(scanner.judge(vary(notes, variation))))
        shares = (found.changed, found.kept, found.appeared)
        table.add_row(name, str(found.sentences), *("-" if math.isnan(v) else f"{v:.1%}" for v in shares))
    out.print(table)


def notes_of(corpus: Corpus, split: str) -> list[LabelledNote]:
    """The notes of a split that the user named."""
    if split not in ("train", "dev", "test"):
        raise UsageError(f"--split {split!r}: use dev or test")
    notes = corpus.part(split)  # type: ignore[arg-type]
    if not notes:
        raise UsageError(f"the corpus has no {split} voices")
    return notes
