"""The decisions of a review: accepted and missed flags stand, dismissed ones do not."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from peerdrift_nlp.errors import InputError
from peerdrift_nlp.io.labels.names import UNSURE
from peerdrift_nlp.io.labels.rows import LabelRow, Reading
from peerdrift_nlp.report.decisions import Decision, read_decisions
from peerdrift_nlp.report.fingerprint import KEY_BYTES, Fingerprints
from peerdrift_nlp.types import Note, Span


def read_key(run: Path) -> Fingerprints:
    """The key of a scan, from its ``run.json`` or the results folder that holds it.

    Raises:
        InputError: there is none.
    """
    path = run / "run.json" if run.is_dir() else run
    try:
        key = bytes.fromhex(json.loads(path.read_bytes().decode("utf-8"))["key"])
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}): name the results folder of the scan") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InputError(f"{path} holds no key: name the results folder of the scan that was reviewed") from None
    if len(key) != KEY_BYTES:
        raise InputError(f"{path} holds a damaged key: name the results folder of the scan that was reviewed")
    return Fingerprints(key)


def read_review(reading: Reading, path: Path, notes: Sequence[Note], fingerprints: Fingerprints) -> None:
    """Read a decisions file; what was said of notes that are not there becomes a row that finds no place.

    Raises:
        DecisionsError: it is none.
        InputError: it belongs to another scan.
    """
    review = read_decisions(path)
    if review.key_id != fingerprints.key_id:
        raise InputError(f"{path.name} is about another scan than the run.json given: take that scan's results folder")
    known: Mapping[str, str] = {fingerprints.note(note.text): note.note_id for note in notes}
    standing = {
        (item.note, item.start, item.end, item.indicator.partition(".")[0])
        for item in review.decisions
        if item.verdict != "dismissed"
    }
    for number, item in enumerate(review.decisions, 1):
        present, absent = _said(item, (item.note, item.start, item.end, item.indicator.partition(".")[0]) in standing)
        if UNSURE in present:
            reading.left_out["sentences where something was missed that has no name yet"] += 1
        reading.rows.append(
            LabelRow(
                reading.where(number), "review", present, absent, False, known.get(item.note, item.note),
                span=Span(item.start, item.end),
            )
        )  # fmt: skip
    for fingerprint in sorted(review.read):
        note_id = known.get(fingerprint, fingerprint)
        reading.rows.append(LabelRow(f"{reading.name}:read", "review", note_id=note_id, through=True))


def _said(item: Decision, label_stands: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Tags that stand and names that do not; a dismissed flag clears its label unless another flag of it stands."""
    if item.verdict != "dismissed":
        return (item.indicator or UNSURE,), ()
    reason = (f"~{item.reason}",) if item.reason else ()
    return reason, (item.indicator if label_stands else item.indicator.partition(".")[0],)
