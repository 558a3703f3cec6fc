"""doccano and Prodigy: one JSON object a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from peerdrift_nlp.io.labels.rows import LabelRow, Reading, Shown, shown, span_of
from peerdrift_nlp.types import Span

_PRODIGY_KEYS = ("answer", "options", "spans", "tokens", "_task_hash", "_input_hash", "_view_id")
_BINARY_VIEWS = ("ner", "spans", "classification", "text", "html")


def is_prodigy(item: Mapping[str, Any]) -> bool:
    """Whether an object is an answer of Prodigy rather than an example of doccano."""
    return any(key in item for key in _PRODIGY_KEYS)


def read_doccano(reading: Reading, place: int, item: Mapping[str, Any]) -> None:
    """Read one example: spans as ``[start, end, label]`` or as entities, or the labels of the text as a whole."""
    text = shown(item, reading.fields)
    by = next((str(item[key]) for key in ("username", "user", "annotator") if item.get(key)), reading.name)
    found = [item[key] for key in ("label", "labels", "entities", "annotations", "cats") if item.get(key)]
    for said in (one for many in found for one in (many if isinstance(many, list) else [many])):
        if isinstance(said, str):
            reading.rows.append(_row(reading, place, text, by, [said]))
        elif isinstance(said, list) and len(said) == 3:
            reading.rows.append(_row(reading, place, text, by, [said[2]], span_of(said[0], said[1])))
        elif isinstance(said, dict) and "start_offset" in said:
            span = span_of(said["start_offset"], said.get("end_offset"))
            reading.rows.append(_row(reading, place, text, by, [said.get("label")], span))
        else:
            raise ValueError(
                "a label must be a text, [start, end, label] or an object with start_offset and end_offset"
            )
    reading.rows.append(_row(reading, place, text, by))


def read_prodigy(reading: Reading, place: int, item: Mapping[str, Any]) -> None:
    """Read one answer: ``accept`` and ``reject`` are labels, ``ignore`` is none."""
    answer = item.get("answer")
    if answer not in ("accept", "reject"):
        reading.left_out["answers that are neither accept nor reject (ignore is no label)"] += 1
        return
    text = shown(item, reading.fields)
    by = str(item.get("_annotator_id") or item.get("_session_id") or reading.name)
    accepted = answer == "accept"
    manual = item.get("_view_id") not in _BINARY_VIEWS and "label" not in item
    for said in _dicts(item.get("spans"), "spans"):
        span = span_of(said.get("start"), said.get("end"))
        reading.rows.append(_answer(reading, place, text, by, [said.get("label")], accepted, manual, span))
    if isinstance(item.get("label"), str) and not item.get("spans"):
        reading.rows.append(_answer(reading, place, text, by, [item["label"]], accepted, False))
    elif "options" in item or "accept" in item:
        options = [option.get("id") for option in _dicts(item.get("options"), "options")]
        chosen = item.get("accept") or []
        if not isinstance(chosen, list):
            raise ValueError("'accept' must be a list")
        others = [option for option in options if option not in chosen]
        if accepted:
            reading.rows.append(_answer(reading, place, text, by, chosen, True, False))
            reading.rows.append(_answer(reading, place, text, by, others, False, False))
        else:
            reading.rows.append(_answer(reading, place, text, by, chosen, False, False))
    elif accepted and manual:
        reading.rows.append(_row(reading, place, text, by))


def _answer(
    reading: Reading, place: int, text: Shown, by: str, said: Iterable[object], stands: bool, complete: bool,
    span: Span | None = None,
) -> LabelRow:  # fmt: skip
    tags = reading.tags(place, said)
    present, absent = (tags, ()) if stands else ((), tuple(tag.partition("/")[0] for tag in tags))
    return LabelRow(
        reading.where(place), by, present, absent, complete and stands, text.note_id, text.text, span, near=text.near
    )


def _row(
    reading: Reading, place: int, text: Shown, by: str, said: Iterable[object] = (), span: Span | None = None
) -> LabelRow:
    tags = reading.tags(place, said)
    return LabelRow(reading.where(place), by, tags, note_id=text.note_id, text=text.text, span=span, near=text.near)


def _dicts(value: object, key: str) -> Iterator[Mapping[str, Any]]:
    if value is None:
        return
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise ValueError(f"{key!r} must be a list of objects")
    yield from value
