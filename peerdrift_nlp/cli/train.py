"""``peerdrift train``: a model from a labelled corpus, or one taught further."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from peerdrift_nlp.cli.retrain import Wishes, retrain
from peerdrift_nlp.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from peerdrift_nlp.classifier.corpus import Corpus
    from peerdrift_nlp.classifier.evaluation import Figure, Judged


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
    _train_anew(corpus or Path("data/corpus"), out, name, jobs, encoder)


def _train_anew(corpus: Path, out: Path, name: str, jobs: int, encoder: Path | None) -> None:
    from peerdrift_nlp.classifier.bundle import check_replaceable, save_bundle
    from peerdrift_nlp.classifier.cascade import SentenceEncoder, read_encoder
    from peerdrift_nlp.classifier.corpus import read_corpus
    from peerdrift_nlp.classifier.training import PRECISION_TARGETS, add_encoder, examples
    from peerdrift_nlp.classifier.training import train as fit
    from peerdrift_nlp.cli.terminal import counting, err
    from peerdrift_nlp.rules.engine import RuleEngine

    check_replaceable(out)
    files = read_encoder(encoder) if encoder else None
    labelled = read_corpus(corpus)
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

    from peerdrift_nlp.classifier.cascade import OPEN

    source = resources.files("peerdrift_nlp.classifier").joinpath("card.md.jinja").read_text(encoding="utf-8")
    template = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True).from_string(source)
    return template.render(
        name=name,
        made=datetime.now(UTC).date().isoformat(),
        details=details,
        open=OPEN,
        dev_voices=len({n.voice for n in corpus.part("dev")}),
    )
