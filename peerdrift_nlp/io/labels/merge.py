"""What annotators said, as labelled sentences; contradictions come out into the open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from peerdrift_nlp.classifier.corpus import LabelledSentence
from peerdrift_nlp.errors import LabelsError, Problem
from peerdrift_nlp.io.labels.align import Aligned, Key, Said
from peerdrift_nlp.io.labels.names import DECOY, NOTHING, UNSURE
from peerdrift_nlp.taxonomy import LABELS, ROLE_CONSISTENT, taxonomy
from peerdrift_nlp.types import Sentence

STOP, LEAVE_OUT = "stop", "leave-out"
PRACTICE_SEVERITY = 2
"""The severity of a label that was given without one: what most drift in practice has."""
_TOLD = 30


@dataclass(slots=True)
class Readings:
    """The sentences as each annotator labelled them."""

    of: dict[Key, dict[str, LabelledSentence]] = field(default_factory=dict)
    unsure: int = 0
    lost: Counter[str] = field(default_factory=Counter)

    @property
    def annotators(self) -> list[str]:
        """Everybody who labelled a sentence."""
        return sorted({name for said in self.of.values() for name in said})


def readings(aligned: Aligned) -> Readings:
    """Each annotator's labels of each sentence.

    Raises:
        LabelsError: one annotator said of one sentence that a label stands and that it does not.
    """
    found = Readings()
    problems: list[Problem] = []
    for (number, sentence), by in aligned.said.items():
        unit = aligned.sentences[number][sentence]
        for annotator, said in by.items():
            if UNSURE in said.present:
                found.unsure += 1
                continue
            if clash := _clash(said):
                where = f"note {aligned.notes[number].note_id}, sentence {sentence + 1}"
                what = (
                    f"{where}: {', '.join(clash)} said to stand and not to stand by one annotator; correct the labels"
                )
                problems.append(Problem(*_place(said.where[0]), what))
                continue
            labelled = _labelled(said, unit, found.lost)
            found.of.setdefault((number, sentence), {})[annotator] = labelled
    if problems:
        raise LabelsError(problems)
    return found


def settle(found: Readings, aligned: Aligned, conflicts: str = STOP) -> tuple[dict[Key, LabelledSentence], int]:
    """One labelled sentence of all that was said of it.

    Args:
        found: the readings.
        aligned: where they belong, for messages.
        conflicts: what to do where annotators contradict each other: ``STOP``, ``LEAVE_OUT`` (the sentence stays
            unread), or the name of the annotator whose labels count.

    Returns:
        The settled sentences, and how many were left out.

    Raises:
        LabelsError: contradictions, or an annotator who labelled nothing.
    """
    if conflicts not in (STOP, LEAVE_OUT, *found.annotators):
        raise LabelsError(
            [Problem("labels", 0, f"nobody named {conflicts!r} labelled; there are {', '.join(found.annotators)}")]
        )
    settled: dict[Key, LabelledSentence] = {}
    problems: list[Problem] = []
    left_out = 0
    numbers = {name: f"annotator-{place}" for place, name in enumerate(found.annotators, 1)}
    for (number, sentence), by in found.of.items():
        units = {numbers[name]: unit for name, unit in sorted(by.items())}
        names = conflicting(list(units.values()))
        if not names:
            settled[number, sentence] = _merged(units)
        elif conflicts == STOP:
            where = f"note {aligned.notes[number].note_id}, sentence {sentence + 1}"
            said = "; ".join(f"{name}: {', '.join(unit.labels) or 'nothing'}" for name, unit in sorted(by.items()))
            problems.append(Problem("labels", 0, f"{where}: contradictory labels ({said})"))
        elif conflicts in by:
            settled[number, sentence] = _merged({numbers[conflicts]: by[conflicts]})
        else:
            left_out += 1
    if problems:
        fix = (
            f"{len(problems):,} sentences with contradictory labels. Settle them, or name the annotator whose labels "
            f"count with --conflicts NAME ({', '.join(found.annotators)}), or --conflicts {LEAVE_OUT}"
        )
        raise LabelsError([*problems[:_TOLD], Problem("labels", 0, fix)])
    return settled, left_out


def conflicting(units: Sequence[LabelledSentence]) -> frozenset[str]:
    """The outputs that one annotator says stand and another says do not."""
    yes = frozenset[str]().union(*(unit.outputs for unit in units))
    return frozenset(name for name in yes if any(name not in unit.outputs | unit.unknown for unit in units))


def _clash(said: Said) -> list[str]:
    """Names that stand and do not stand at once."""
    absent = said.absent | (set(LABELS) if NOTHING in said.present else set())
    absent = {name.replace("+", f"{ROLE_CONSISTENT}.") for name in absent}
    present = {_output(tag) for tag in said.present} - {""}
    return sorted(name for name in present if name in absent or name.partition(".")[0] in absent)


def _output(tag: str) -> str:
    """The label, indicator or practice that a tag names; "" for other tags."""
    if tag in (NOTHING, UNSURE, DECOY) or tag.startswith("~"):
        return ""
    return tag.partition("/")[0].replace("+", f"{ROLE_CONSISTENT}.")


def _labelled(said: Said, unit: Sentence, lost: Counter[str]) -> LabelledSentence:
    codebook = taxonomy()
    severity: dict[str, int] = {}
    for tag in sorted(said.present):
        name, _, level = tag.partition("/")
        if name in codebook.indicators:
            severity[name] = max(severity.get(name, 0), int(level or PRACTICE_SEVERITY))
    practices = tuple(name for name in codebook.practices if f"+{name}" in said.present)
    refined = {name.partition(".")[0] for name in severity} | ({ROLE_CONSISTENT} if practices else set())
    unrefined = tuple(name for name in LABELS if name in said.present and name not in refined)
    labelled = LabelledSentence(unit.start, unit.end, "sentence", severity, practices, unrefined=unrefined)
    reasons = sorted(tag[1:] for tag in said.present if tag.startswith("~"))
    if reasons and labelled.drifts:
        lost["look-alike reasons beside a drift label"] += 1
    elif reasons:
        labelled = replace(labelled, look_alike=reasons[0])
    if DECOY in said.present and severity:
        labelled = replace(labelled, decoy=True)
    elif DECOY in said.present:
        lost["decoy marks without an indicator"] += 1
    if said.complete or NOTHING in said.present:
        return labelled
    unjudged = tuple(label for label in LABELS if not _is_judged_absent(label, said.absent))
    unjudged = tuple(label for label in unjudged if label not in unrefined)
    parts = {name for name in said.absent if "." in name or name.startswith("+")}
    lost["single indicators said not to stand, where their label is open"] += sum(
        _output(name).partition(".")[0] in {*unjudged, *unrefined} for name in parts
    )
    return replace(labelled, unjudged=unjudged)


def _is_judged_absent(label: str, absent: set[str]) -> bool:
    """Whether a label, or each of its indicators or practices, was said not to stand."""
    codebook = taxonomy()
    parts = (
        {f"+{practice}" for practice in codebook.practices}
        if label == ROLE_CONSISTENT
        else {name for name in codebook.indicators if name.startswith(f"{label}.")}
    )
    return label in absent or parts <= absent


def _merged(units: Mapping[str, LabelledSentence]) -> LabelledSentence:
    """Readings that do not contradict each other as one."""
    every = list(units.values())
    severity: dict[str, int] = {}
    for name, level in (item for unit in every for item in unit.severity.items()):
        severity[name] = max(level, severity.get(name, 0))
    practices = {name for unit in every for name in unit.practices}
    refined = {name.partition(".")[0] for name in severity} | ({ROLE_CONSISTENT} if practices else set())
    merged = replace(
        every[0],
        severity=severity,
        practices=tuple(name for name in taxonomy().practices if name in practices),
        unrefined=_in_order({name for unit in every for name in unit.unrefined} - refined),
        unjudged=(),
        look_alike="",
        decoy=any(unit.decoy for unit in every),
        annotators=tuple(units),
    )
    reasons = [unit.look_alike for unit in every if unit.look_alike and not merged.drifts]
    open_to_all = every[0].unknown.intersection(*(unit.unknown for unit in every)) - merged.outputs
    unjudged = {name.partition(".")[0] for name in open_to_all} - {*merged.unrefined}
    return replace(merged, look_alike=reasons[0] if reasons else "", unjudged=_in_order(unjudged))


def _in_order(labels: Iterable[str]) -> tuple[str, ...]:
    return tuple(label for label in LABELS if label in set(labels))


def _place(where: str) -> tuple[str, int]:
    path, _, number = where.rpartition(":")
    return (path, int(number)) if number.isdecimal() else (where, 0)
