"""``peerdrift corpus``: bring written notes into the corpus, check it, count it."""

from __future__ import annotations

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
) -> None:
    """Turn marked notes into a voice's JSONL file."""
    from peerdrift_nlp.classifier.corpus import parse_marked

    if not marked.is_file():
        raise UsageError(f"{marked} is not a file")
    notes = parse_marked(marked.read_text(encoding="utf-8"), marked.stem)
    target = folder / "notes" / f"{marked.stem}.jsonl"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("".join(note.to_json() + "\n" for note in notes), encoding="utf-8")
    typer.echo(f"{target}: {len(notes)} notes, {sum(len(note.sentences) for note in notes)} units")


@app.command()
def check(folder: Folder = Path("data/corpus")) -> None:
    """Check offsets, names, splits and near-duplicates; count what is there."""
    from peerdrift_nlp.classifier.corpus import read_corpus
    from peerdrift_nlp.classifier.inventory import inventory, near_duplicates
    from peerdrift_nlp.cli.terminal import lines, out, plain_table

    corpus = read_corpus(folder)
    twins = near_duplicates(corpus)
    for heading, rows in inventory(corpus).items():
        table = plain_table(
            (heading, "left"), *((split, "right") for split in ("train", "dev", "test")), ("all", "right")
        )
        for name, counts in rows.items():
            table.add_row(name, *(f"{count:,}" for count in counts))
        out.print(table)
        out.print()
    lines(f"near-duplicate notes: {first} ~ {second} ({similarity:.2f})" for first, second, similarity in twins)
    out.print(f"{len(corpus.notes):,} notes hold together; {len(twins)} near-duplicate pairs")
    if twins:
        raise typer.Exit(2)
