"""A model of one's own: taught further with labelled notes, and judged beside the one in use.

Both are judged on writers whom neither has seen. Where too few were kept apart for that, the notes are taught in
folds: each writer is judged by a model that was taught with the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, StrictUndefined

from peerdrift_nlp.classifier.adaptation import FEWEST_WRITERS, Adapted, adapt, steps
from peerdrift_nlp.classifier.bundle import Bundle, check_replaceable, save_bundle
from peerdrift_nlp.classifier.cascade import EncoderFiles, read_encoder
from peerdrift_nlp.classifier.comparison import FEWEST_VOICES, Comparison, FalseAlarms, compare, false_alarms
from peerdrift_nlp.classifier.corpus import ContrastPair, LabelledNote, challenge_pairs
from peerdrift_nlp.classifier.evaluation import Figure, Judged
from peerdrift_nlp.classifier.groups import held_out_folds, writer_groups
from peerdrift_nlp.classifier.resampling import with_intervals
from peerdrift_nlp.classifier.shipped import load_model
from peerdrift_nlp.classifier.suspects import Suspect, suspects
from peerdrift_nlp.classifier.training import PRECISION_TARGETS, Examples, examples
from peerdrift_nlp.classifier.vocabulary import new_terms
from peerdrift_nlp.errors import UsageError
from peerdrift_nlp.report.model_card import render_model_card
from peerdrift_nlp.scanner import Scanner

Progress = Callable[[int, int], object]


@dataclass(frozen=True)
class Retrained:
    """What a training came to.

    Attributes:
        adapted: the new model's parts, what was done to each label, and warnings.
        comparison: with the base; None where there were too few writers to compare.
        suspects: labels that deserve another look, the most doubtful first.
        verdict: in plain words.
    """

    adapted: Adapted
    comparison: Comparison | None
    suspects: tuple[Suspect, ...]
    verdict: str


def train(
    notes: Sequence[LabelledNote],
    out: Path,
    *,
    base: str | Path = "default",
    unseen: Sequence[LabelledNote] = (),
    name: str = "local",
    precision: Mapping[str, float] = PRECISION_TARGETS,
    flags_per_note: float | None = None,
    vocabulary: bool = True,
    progress: Progress | None = None,
) -> Retrained:
    """Teach a model further with labelled notes, compare it with its base, and write it as a bundle.

    The same notes give the same model. Until it is complete nothing is written.

    Args:
        notes: labelled notes of at least three writers.
        out: folder of the new bundle; new, empty or an earlier bundle, and not the base's.
        base: a bundle folder, "default", "fast" or "adopted".
        unseen: labelled notes of other writers, to compare on; of fewer than five writers, the notes to learn from
            are compared in folds beside them.
        name: name and version of the new model.
        precision: the share of flags that shall be right, by operating point; see ``precision_for``.
        flags_per_note: how many flags a note can be read at the balanced point; None is no limit.
        vocabulary: whether words that three writers used may enter the model.
        progress: called with the steps done and all steps.

    Raises:
        TrainingDataError: the notes cannot carry it: too few writers, or no labels.
        UsageError: a folder that will not do.
        BundleError: the base is no bundle, was changed, or is newer than this version.
    """
    folder, bundle = load_model(base)
    check_replaceable(out)
    if out.resolve() == folder.resolve():
        raise UsageError(f"{out} is the base model, which is kept; name another folder")
    current = Scanner(model=folder)
    data = examples(notes, current.rules)
    unread = examples(notes, current.rules, kind="unread")
    parts = [] if len({note.voice for note in unseen}) >= FEWEST_VOICES else _parts(data)
    advance = _counted(progress, steps(data) + sum(steps(taught) for taught, _ in parts))

    def taught_on(part: Examples) -> Adapted:
        return adapt(
            bundle,
            part,
            precision=precision,
            flags_per_note=flags_per_note,
            vocabulary=vocabulary,
            unread=unread,
            advance=advance,
        )

    adapted = taught_on(data)
    files = read_encoder(folder) if bundle.cascade else None
    candidate = current.with_bundle(_bundle(adapted, bundle, name))
    gate = release_gate(challenge_pairs(), current, candidate)
    judged: list[Judged] = list(candidate.judge(unseen))
    for taught, held in parts:
        judged += current.with_bundle(_bundle(taught_on(taught), bundle, name)).judge(held)
    compared_on = [*unseen, *(note for _, held in parts for note in held)]
    comparison = compare(list(current.judge(compared_on)), judged, gate) if judged else None
    verdict = _verdict(comparison, gate, bundle.version, name)
    found = Retrained(adapted, comparison, tuple(suspects(data, adapted.held_out)), verdict)
    details = _details(found, data, bundle, name, precision, flags_per_note, current)
    page = render_model_card(
        name, bundle.version, verdict, details["comparison"], details["training"], adapted.warnings
    )
    _save(out, adapted, bundle, details, _card(details, found, bundle), page, files)
    return found


def compare_models(
    current: Scanner, candidate: Scanner, notes: Sequence[LabelledNote], *, rounds: int = 2000, seed: int = 0
) -> Comparison:
    """Compare a candidate with the model in use, and hold it to the shipped contrast pairs.

    Args:
        current: with the model in use.
        candidate: with the other, at the same operating point.
        notes: labelled notes of writers from whom neither has learnt.
        rounds: bootstrap rounds.
        seed: of the resampling.

    Raises:
        UsageError: there are no labelled sentences.
    """
    gate = release_gate(challenge_pairs(), current, candidate)
    return compare(list(current.judge(notes)), list(candidate.judge(notes)), gate, rounds=rounds, seed=seed)


def evaluate(
    notes: Sequence[LabelledNote],
    model: str | Path = "default",
    *,
    operating_point: str = "balanced",
    rounds: int = 2000,
    seed: int = 0,
) -> dict[str, Figure]:
    """Every figure of a model on labelled notes, with its 95% interval from resampling whole writers.

    Args:
        notes: labelled notes of writers from whom the model has not learnt, better five or more.
        model: a bundle folder, "default", "fast" or "adopted".
        operating_point: "careful", "balanced" or "thorough".
        rounds: bootstrap rounds.
        seed: of the resampling; the same seed gives the same digits.

    Returns:
        By name, ``any_drift``, ``clinical`` and the other labels, each with ``_precision``, ``_recall`` and ``_f1``
        (shares, 0 to 1, higher is better) and ``_brier`` (0 to 1, lower is better); ``mean_f1``; and the shares
        ``look_alikes_flagged`` and ``clean_notes_flagged``. What there is nothing to measure for is left out.

    Raises:
        UsageError: there are no labelled sentences, or no such operating point.
        BundleError: the model is no bundle, was changed, or is newer than this version.
    """
    judged = list(Scanner(model=model, operating_point=operating_point).judge(notes))
    if not judged:
        raise UsageError("there are no labelled sentences to evaluate on")
    return with_intervals(judged, rounds=rounds, seed=seed)


def release_gate(pairs: Sequence[ContrastPair], current: Scanner, candidate: Scanner) -> FalseAlarms:
    """How many harmless members of contrast pairs each of two models flags."""
    members = [member for pair in pairs for member in pair.members]
    return false_alarms(pairs, list(current.judge(members)), list(candidate.judge(members)))


def _parts(data: Examples) -> list[tuple[Examples, list[LabelledNote]]]:
    """What to teach and whom to judge in each fold; nothing where the writers are too few to conclude anything."""
    if len(set(data.voices)) < FEWEST_VOICES:
        return []
    drifts = np.array([sentence.drifts for sentence in data.sentences], dtype=bool)
    found = []
    for taught, held in held_out_folds(drifts, writer_groups(data.notes)):
        notes = {(data.notes[row].voice, data.notes[row].note_id): data.notes[row] for row in held.tolist()}
        found.append((data.part(taught.tolist()), list(notes.values())))
    return found if all(len(set(taught.voices)) >= FEWEST_WRITERS for taught, _ in found) else []


def _counted(progress: Progress | None, total: int) -> Callable[[], None]:
    done = 0

    def advance() -> None:
        nonlocal done
        done += 1
        if progress:
            progress(done, total)

    return advance


def _verdict(comparison: Comparison | None, gate: FalseAlarms, base: str, name: str) -> str:
    compared = comparison or Comparison({}, 0, 0, 0, 0, 1.0, gate)
    return compared.verdict(base, name)


def _bundle(adapted: Adapted, base: Bundle, name: str) -> Bundle:
    """The new model before it has a folder."""
    manifest = {**base.manifest, "version": name}
    return Bundle(adapted.model, adapted.thresholds, manifest, adapted.cascade, base.whole_note)


def _save(
    folder: Path,
    adapted: Adapted,
    base: Bundle,
    details: Mapping[str, Any],
    card: str,
    page: str,
    files: EncoderFiles | None,
) -> None:
    mixing = {"mixing": adapted.cascade.mixing.tolist()} if adapted.cascade else {}
    if base.whole_note:
        mixing["whole_note"] = base.whole_note.weights.tolist()
    details = {"kind": base.manifest.get("kind"), **details, **mixing}
    save_bundle(folder, adapted.model, adapted.thresholds, details, card, files, page)


def _details(
    found: Retrained,
    data: Examples,
    base: Bundle,
    name: str,
    precision: Mapping[str, float],
    flags_per_note: float | None,
    scanner: Scanner,
) -> dict[str, Any]:
    words, phrases = new_terms(found.adapted.model.terms, base.model.column_of)
    return {
        "version": name,
        "parent": {"version": base.version, "sha256": base.sha256},
        "packs": {pack.name: pack.sha256 for pack in scanner.rules.packs},
        "training": {
            "voices": len(set(data.voices)),
            "notes": len({(note.voice, note.note_id) for note in data.notes}),
            "sentences": len(data.rows),
            "precision_targets": dict(precision),
            "flags_per_note": flags_per_note,
            "positives": dict(found.adapted.positives),
            "levels": {label: str(level) for label, level in found.adapted.levels.items()},
            "new_words": words,
            "new_phrases": phrases,
        },
        "metrics": {},
        "comparison": found.comparison.to_dict() if found.comparison else None,
    }


def _card(details: Mapping[str, Any], found: Retrained, base: Bundle) -> str:
    source = resources.files("peerdrift_nlp.classifier").joinpath("card_adapted.md.jinja").read_text(encoding="utf-8")
    template = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True).from_string(source)
    return template.render(
        name=details["version"],
        base=base.version,
        made=datetime.now(UTC).date().isoformat(),
        encoder=base.cascade is not None,
        verdict=found.verdict,
        warnings=found.adapted.warnings,
        training=details["training"],
        comparison=details["comparison"],
    )
