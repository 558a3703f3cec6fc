"""``peerdrift train`` and ``peerdrift evaluate``."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from peerdrift_nlp.cli.model import Model, chosen
from peerdrift_nlp.cli.retrain import Wishes, retrain
from peerdrift_nlp.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from peerdrift_nlp.classifier.corpus import Corpus, LabelledNote
    from peerdrift_nlp.classifier.evaluation import Figure, Judged
    from peerdrift_nlp.scanner import Scanner

CorpusFolder = Annotated[Path, typer.Option("--corpus", help="Folder with notes/ and splits.json.")]


def train(
    corpus: Annotated[
        Path | None, typer.Option(help="Train anew on this folder. Default: data/corpus; none with --add.")
    ] = None,
    add: Annotated[
        list[Path] | None, typer.Option(help="Teach --base further with this folder of labelled notes; repeatable.")
    ] = None,
    base: Annotated[str, typer.Option(help="With --add: the model to go on from. Default: the one in use.")] = "",
    suspects: Annotated[
        Path | None, typer.Option(help="With --add: write labels that deserve another look to this CSV.")
    ] = None,
    at_most_false: Annotated[
        str, typer.Option(metavar="SHARE", help="With --add: at most this share of flags false, e.g. 1/5.")
    ] = "",
    per_week: Annotated[
        int | None, typer.Option(min=1, help="With --add: how many flags you can read in a week.")
    ] = None,
    notes_per_week: Annotated[
        int | None, typer.Option(min=1, help="With --per-week: how many notes a week has.")
    ] = None,
    new_words: Annotated[
        bool, typer.Option("--new-words/--no-new-words", help="With --add: whether words of three writers may enter.")
    ] = True,
    out: Annotated[Path, typer.Option(help="Where the model bundle goes.")] = Path("models/local"),
    name: Annotated[str, typer.Option(help="Name and version of the model.")] = "local",
    jobs: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    encoder: Annotated[
        Path | None, typer.Option(help="Folder of an encoder for a second reading, e.g. models/default.")
    ] = None,
) -> None:
    """Train on the train voices and judge on the dev voices; with --add, teach a model further."""
    if add:
        if corpus or encoder:
            raise UsageError("with --add the base brings corpus and encoder along; leave --corpus and --encoder out")
        return retrain(add, base, out, name, suspects, Wishes(at_most_false, per_week, notes_per_week, new_words))
    if base or suspects or at_most_false or per_week or notes_per_week or not new_words:
        raise UsageError(
            "--base, --suspects, --at-most-false, --per-week, --notes-per-week and --no-new-words go with --add"
        )
    from peerdrift_nlp.classifier.bundle import check_replaceable, save_bundle
    from peerdrift_nlp.classifier.cascade import SentenceEncoder, read_encoder
    from peerdrift_nlp.classifier.corpus import read_corpus
    from peerdrift_nlp.classifier.training import PRECISION_TARGETS, add_encoder, examples
    from peerdrift_nlp.classifier.training import train as fit
    from peerdrift_nlp.cli.terminal import counting, err
    from peerdrift_nlp.rules.engine import RuleEngine

    check_replaceable(out)
    files = read_encoder(encoder) if encoder else None
    labelled = read_corpus(corpus or Path("data/corpus"))
    engine = RuleEngine()
    err.print("Reading the labelled notes")
    data = examples(list(counting(iter(labelled.part("train")))), engine)
    err.print(f"Fitting on {len(data.rows):,} sentences of {len(set(data.voices))} voices")
    unseen = examples(labelled.part("dev"), engine)
    pairs = examples([member for pair in labelled.pairs_of("train") for member in pair.members], engine)
    model, whole_note, thresholds = fit(data, unseen, pairs, n_jobs=jobs)
    details: dict[str, Any] = {
        "version": name,
        "kind": "cascade" if files else "fast",
        "parent": None,
        "packs": {pack.name: pack.sha256 for pack in engine.packs},
        "training": {
            "voices": len(set(data.voices)),
            "notes": len(labelled.part("train")),
            "sentences": len(data.rows),
            "pairs": len(labelled.pairs_of("train")),
            "precision_targets": dict(PRECISION_TARGETS),
        },
        "metrics": {},
    }
    if files:
        err.print("Weighing the encoder on the dev voices")
        cascade, whole_note, thresholds = add_encoder(model, SentenceEncoder(files), unseen)
        details["mixing"] = cascade.mixing.tolist()
    details["whole_note"] = whole_note.weights.tolist()
    save_bundle(out, model, thresholds, details, "", files)
    details["metrics"] = {"dev": _metrics(out, labelled)}
    save_bundle(out, model, thresholds, details, _card(name, details, labelled), files)
    err.print(f"Model written to {out}. Judge it on unseen voices: peerdrift evaluate --model {out}")


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
    from peerdrift_nlp.classifier.baseline import judge_by_keywords, judge_by_rules
    from peerdrift_nlp.classifier.corpus import read_corpus
    from peerdrift_nlp.classifier.evaluation import figures, label_scores, pairs_right, reliability
    from peerdrift_nlp.classifier.resampling import with_intervals
    from peerdrift_nlp.cli.terminal import err, out, plain_table
    from peerdrift_nlp.scanner import Scanner
    from peerdrift_nlp.taxonomy import LABELS

    if bool(worst) != bool(out_file):
        raise UsageError("give --worst and --out together: how many, and the CSV to write")
    labelled = read_corpus(corpus)
    notes, pairs = notes_of(labelled, split), labelled.pairs_of(split)  # type: ignore[arg-type]
    scanner = Scanner(model=chosen(model), operating_point=point)
    if out_file:
        from peerdrift_nlp.classifier.suspects import worst as worst_of
        from peerdrift_nlp.io.suspects import write_suspects

        found = worst_of(scanner.judge(notes), worst)
        write_suspects(out_file, found)
        err.print(f"{len(found)} labels written to {out_file}", markup=False)
        return
    if by or stable:
        _print_slices(scanner, notes, by) if by else _print_stability(scanner, notes)
        return
    judges: dict[str, Callable[[Sequence[LabelledNote]], Iterator[Judged]]] = {
        "keywords": lambda notes: judge_by_keywords(notes, scanner.rules),
        "rules": lambda notes: judge_by_rules(notes, scanner.rules, scanner.profile.allowed),
        scanner.bundle.version: scanner.judge,
    }
    judged_by = {name: list(judge(notes)) for name, judge in judges.items()}
    judged = judged_by[scanner.bundle.version]
    columns = {name: figures(rows, rounds=rounds) for name, rows in judged_by.items()}
    if pairs:
        members = [member for pair in pairs for member in pair.members]
        for name, judge in judges.items():
            columns[name]["pairs_right"] = pairs_right(pairs, list(judge(members)), rounds=rounds)
    out.print(
        f"{split}: {len({note.voice for note in notes})} voices, {len(notes)} notes, {len(judged):,} sentences, "
        f"{len(pairs)} pairs"
    )
    table = plain_table(("Figure (95% interval over voices)", "left"), *((heading, "right") for heading in columns))
    for figure in next(iter(columns.values())):
        table.add_row(figure, *(str(found[figure]) for found in columns.values()))
    out.print(table)
    out.print()
    spread = with_intervals(judged, rounds=rounds)
    table = plain_table(("Label", "left"), *((h, "right") for h in ("precision", "recall", "F1", "Brier")))
    for label in LABELS:
        cells = (spread.get(f"{label}_{name}") for name in ("precision", "recall", "f1"))
        brier = spread.get(f"{label}_brier")
        shown = ("-" if cell is None else str(cell) for cell in cells)
        table.add_row(label, *shown, "-" if brier is None else f"{brier.value:.3f}")
    out.print(table)
    out.print()
    table = plain_table(("Label, indicator", "left"), *((h, "right") for h in ("gold", "precision", "recall", "F1")))
    for name, (precision, recall, f1, gold) in label_scores(judged).items():
        table.add_row(name, str(gold), f"{precision:.2f}", f"{recall:.2f}", f"{f1:.2f}")
    out.print(table)
    out.print()
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


def _metrics(folder: Path, corpus: Corpus) -> dict[str, Any]:
    from peerdrift_nlp.classifier.evaluation import figures
    from peerdrift_nlp.scanner import Scanner

    notes = corpus.part("dev")
    if not notes:
        return {}
    judged: Sequence[Judged] = list(Scanner(model=folder).judge(notes))
    found: dict[str, Figure] = figures(judged)
    return {name: figure.to_dict() for name, figure in found.items() if not math.isnan(figure.value)}


def _card(name: str, details: dict[str, Any], corpus: Corpus) -> str:
    from importlib import resources

    from jinja2 import Environment, StrictUndefined

    source = resources.files("peerdrift_nlp.classifier").joinpath("card.md.jinja").read_text(encoding="utf-8")
    template = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True).from_string(source)
    return template.render(
        name=name,
        made=datetime.now(UTC).date().isoformat(),
        details=details,
        dev_voices=len({n.voice for n in corpus.part("dev")}),
    )
