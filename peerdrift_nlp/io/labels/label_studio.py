"""Label Studio: JSON, JSON-MIN, and the cells of its CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from peerdrift_nlp.io.labels.rows import LabelRow, Reading, Shown, shown, span_of
from peerdrift_nlp.types import Span

LABEL_KEYS = ("labels", "hypertextlabels", "paragraphlabels", "choices")
OWN_COLUMNS = ("annotation_id", "lead_time", "annotator", "created_at", "updated_at")
_CANCELLED = "tasks that the annotator skipped"
_UNLABELLED = "tasks without an annotation"


def is_full(item: Mapping[str, Any]) -> bool:
    """Whether an object is a task, as in the full JSON export."""
    return isinstance(item.get("data"), dict)


def read_task(reading: Reading, place: int, task: Mapping[str, Any]) -> None:
    """Read one task of the full JSON export, all of its annotations."""
    text = shown(task["data"], reading.fields, own_id=True)
    annotations = task.get("annotations", task.get("completions", []))
    if not isinstance(annotations, list):
        raise ValueError("'annotations' must be a list")
    for annotation in annotations:
        if not isinstance(annotation, dict) or not isinstance(annotation.get("result"), list):
            raise ValueError("an annotation must have a 'result' list")
        if annotation.get("was_cancelled") or annotation.get("skipped"):
            reading.left_out[_CANCELLED] += 1
            continue
        by = _annotator(annotation.get("completed_by"))
        for item in annotation["result"]:
            value = item.get("value") if isinstance(item, dict) else None
            if isinstance(value, dict):
                reading.rows.extend(_of_value(reading, place, value, text, by))
        reading.rows.append(_row(reading, place, text, by))
    if not annotations:
        reading.left_out[_UNLABELLED] += 1


def read_min(reading: Reading, place: int, item: Mapping[str, Any]) -> None:
    """Read one object of JSON-MIN, or one row of the CSV: the values of all controls stand beside the text."""
    text = shown(item, reading.fields)
    by = _annotator(item.get("annotator"))
    for key, value in item.items():
        value = _unpacked(value)
        if isinstance(value, list | dict):
            regions = value if isinstance(value, list) else [value]
            for region in regions:
                if isinstance(region, dict) and any(name in region for name in LABEL_KEYS):
                    reading.rows.extend(_of_value(reading, place, region, text, by))
        elif isinstance(value, str) and value.strip() and _is_choice(reading, key, value):
            reading.rows.append(_row(reading, place, text, by, reading.tags(place, [value])))
    reading.rows.append(_row(reading, place, text, by))


def _of_value(reading: Reading, place: int, value: Mapping[str, Any], text: Shown, by: str) -> Iterator[LabelRow]:
    said = next((value[key] for key in LABEL_KEYS if key in value), None)
    if said is None:
        reading.left_out["values that are neither labels nor choices"] += 1
        return
    names = said if isinstance(said, list) else [said]
    tags = reading.tags(place, names)
    offsets = value.get("globalOffsets") if isinstance(value.get("globalOffsets"), dict) else value
    span = span_of(offsets.get("start"), offsets.get("end")) if "start" in value else None  # type: ignore[union-attr]
    quote = value.get("text") if span else ""
    if tags:
        yield _row(reading, place, text, by, tags, span, quote if isinstance(quote, str) else "")


def _row(
    reading: Reading, place: int, text: Shown, by: str, tags: tuple[str, ...] = (), span: Span | None = None,
    quote: str = "",
) -> LabelRow:  # fmt: skip
    return LabelRow(
        reading.where(place), by or reading.name, tags, note_id=text.note_id, text=text.text, span=span, quote=quote,
        near=text.near,
    )  # fmt: skip


def _annotator(by: object) -> str:
    if isinstance(by, dict):
        by = by.get("email") or by.get("username") or by.get("id")
    return str(by) if isinstance(by, str | int) else ""


def _unpacked(value: object) -> object:
    """A cell of the CSV holds lists and objects as JSON."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _is_choice(reading: Reading, key: str, value: str) -> bool:
    """A single choice is a plain text under the name of its control, which only the configuration tells."""
    named = reading.fields.get("label")
    return key == named if named else key in ("label", "labels", "choice", "choices") or reading.names.marks(value)
