"""``peerdrift corpus``: bring written notes into the corpus, check it, count it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from peerdrift_nlp.errors import UsageError

app = typer.Typer(help="Import, check and count labelled notes.", no_args_is_help=True, rich_markup_mode=None)

Folder = Annotated[Path, typer.Argument(help="The corpus folder (holds notes/ and splits.json).")]


@app.command("import")
def import_marked(
    marked: Annotated[
        Path, typer.Argument(help="Notes with a mark after every sentence; the file's name is the voice.")
    ],
    folder: Folder = Path("data/corpus"),
    pairs: Annotated[bool, typer.Option("--pairs", help="The file holds contrast pairs, not notes.")] = False,
) -> None:
    """Turn marked notes or contrast pairs into a voice's JSONL file."""
    from peerdrift_nlp.classifier.corpus import parse_marked, parse_marked_pairs

    if not marked.is_file():
        raise UsageError(f"{marked} is not a file")
    parse = parse_marked_pairs if pairs else parse_marked
    items = parse(marked.read_text(encoding="utf-8"), marked.stem)
    target = folder / ("pairs" if pairs else "notes") / f"{marked.stem}.jsonl"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("".join(item.to_json() + "\n" for item in items), encoding="utf-8")
    typer.echo(f"{target}: {len(items)} {'pairs' if pairs else 'notes'}")


@app.command()
def check(folder: Folder = Path("data/corpus")) -> None:
    """Check offsets, names, splits, near-duplicates and pairs; count what is there."""
    from peerdrift_nlp.classifier.corpus import SPLITS, read_corpus
    from peerdrift_nlp.classifier.corpus.inventory import inventory, near_duplicates
    from peerdrift_nlp.classifier.corpus.pairs import balance
    from peerdrift_nlp.cli.terminal import lines, out

    corpus = read_corpus(folder)
    twins = near_duplicates(corpus)
    for heading, rows in inventory(corpus).items():
        _print_table(
            (heading, *SPLITS, "all"), [(name, *(f"{count:,}" for count in counts)) for name, counts in rows.items()]
        )
    found = balance(corpus.pairs)
    out.print(
        f"Of {found.pairs:,} pairs, the flagged member is longer in {found.longer:.0%}, first in {found.first:.0%}"
    )
    lines(f"near-duplicates: {first} ~ {second} ({similarity:.2f})" for first, second, similarity in twins)
    out.print(
        f"{len(corpus.notes):,} notes and {len(corpus.pairs):,} pairs hold together; {len(twins)} near-duplicates"
    )
    if twins:
        raise typer.Exit(2)


@app.command()
def agreement(folder: Folder = Path("data/corpus")) -> None:
    """Print how far the writer and a blind second reader agreed, before they were reconciled."""
    from peerdrift_nlp.classifier.corpus import read_corpus
    from peerdrift_nlp.classifier.corpus.agreement import agreement as compare
    from peerdrift_nlp.classifier.corpus.agreement import read_double_readings
    from peerdrift_nlp.cli.terminal import out

    readings = read_double_readings(folder, read_corpus(folder))
    if not readings:
        raise UsageError(f"{folder} holds no double readings (expected readings/<voice>.jsonl)")
    out.print(f"{len(readings):,} sentences read twice")
    for heading, rows in compare(readings).items():
        _print_table(
            (heading, "writer", "blind", "both", "F1", "kappa"),
            [
                (name, str(row.writer), str(row.blind), str(row.both), f"{row.f1:.2f}", f"{row.kappa:.2f}")
                for name, row in rows.items()
            ],
        )


@app.command()
def card(folder: Folder = Path("data/corpus")) -> None:
    """Make the tables of the corpus card (CARD.md) anew."""
    from peerdrift_nlp.classifier.corpus import read_corpus
    from peerdrift_nlp.classifier.corpus.agreement import read_double_readings
    from peerdrift_nlp.classifier.corpus.card import with_tables

    path = folder / "CARD.md"
    if not path.is_file():
        raise UsageError(f"{path} is not a file")
    corpus = read_corpus(folder)
    text = with_tables(path.read_text(encoding="utf-8"), corpus, read_double_readings(folder, corpus))
    path.write_text(text, encoding="utf-8")
    typer.echo(f"{path}: tables made anew")


def _print_table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    from peerdrift_nlp.cli.terminal import out, plain_table

    first, *others = heading
    table = plain_table((first, "left"), *((name, "right") for name in others))
    for row in rows:
        table.add_row(*row)
    out.print(table)
    out.print()
