"""Texts and labels in the formats of the labelling tools, ready to be loaded there."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from peerdrift_nlp.classifier.corpus import LabelledNote, LabelledSentence
from peerdrift_nlp.errors import UsageError
from peerdrift_nlp.io.labels.names import DECOY, NOTHING, UNSURE
from peerdrift_nlp.io.labels.rows import NEAR
from peerdrift_nlp.io.tables import excel_safe
from peerdrift_nlp.taxonomy import LABELS, taxonomy
from peerdrift_nlp.types import Span

_CONTEXT = 300
_TO_CHOOSE = (*LABELS, *taxonomy().indicators, NOTHING, UNSURE)


@dataclass(frozen=True, slots=True)
class Item:
    """A text to label, or one with its labels.

    Attributes:
        note_id: the note.
        text: the note, or a sentence of it.
        near: where in the note the text begins.
        labels: stretches with their tags; None for a text that is to be labelled.
        before, after: what stands around the text in the note.
    """

    note_id: str
    text: str = field(repr=False)
    near: int = 0
    labels: Sequence[tuple[Span, Sequence[str]]] | None = None
    before: str = field(default="", repr=False)
    after: str = field(default="", repr=False)


def sentence_item(note: LabelledNote, start: int, end: int) -> Item:
    """A sentence of a note, to be labelled, with what stands around it."""
    before, after = note.text[max(0, start - _CONTEXT) : start], note.text[end : end + _CONTEXT]
    return Item(note.note_id, note.text[start:end], start, None, before.strip(), after.strip())


def labelled_item(note: LabelledNote) -> tuple[Item, int]:
    """A note with its labels, and how many sentences were left out because they were judged in part only.

    A sentence that carries nothing says so; one without a label was not read.
    """
    read = [unit for unit in note.sentences if unit.kind == "sentence"]
    whole = [unit for unit in read if not unit.unjudged]
    labels = [(Span(unit.start, unit.end), tags(unit)) for unit in whole]
    return Item(note.note_id, note.text, 0, labels), len(read) - len(whole)


def tags(unit: LabelledSentence) -> tuple[str, ...]:
    """What stands in a sentence, in the names that ``peerdrift label import`` reads."""
    found = [
        *(f"{name}/{level}" for name, level in unit.severity.items()),
        *unit.unrefined,
        *(f"+{practice}" for practice in unit.practices),
        *([f"~{unit.look_alike}"] if unit.look_alike else []),
        *([DECOY] if unit.decoy else []),
    ]
    return tuple(found) if unit.labels else (*found, NOTHING)


def label_studio(items: Iterable[Item]) -> str:
    """Tasks for import; a text that is labelled carries an annotation. Label Studio counts in UTF-16 units."""
    return json.dumps([_studio_task(item) for item in items], ensure_ascii=False, indent=1) + "\n"


def label_studio_config(items: Sequence[Item]) -> str:
    """The labelling interface that these tasks need, to be pasted into the project's settings.

    Sentences to label get a list of names to choose from; labelled notes the names that they use.
    """
    used = sorted({tag for item in items for _, names in item.labels or () for tag in names})
    control, part, more = ("Labels", "Label", "") if used else ("Choices", "Choice", ' choice="multiple"')
    names = [f"    <{part} value={quoteattr(name)}/>" for name in used or _TO_CHOOSE]
    head = f'  <{control} name="label" toName="text"{more}>'
    return "\n".join(["<View>", '  <Text name="text" value="$text"/>', head, *names, f"  </{control}>", "</View>", ""])


def doccano(items: Iterable[Item]) -> str:
    """JSONL: spans for notes, an empty list of categories for sentences to label."""
    return _lines(
        {
            "text": item.text,
            "label": [[span.start, span.end, tag] for span, names in item.labels or () for tag in names],
            **_origin(item),
        }
        for item in items
    )


def prodigy(items: Iterable[Item]) -> str:
    """JSONL: spans for notes, options for sentences to label."""
    return _lines(_prodigy_task(item) for item in items)


def table(items: Iterable[Item]) -> str:
    """CSV to label in a spreadsheet: a row a sentence, the columns of label and annotator empty.

    Only of sentences; a labelled note becomes a row for each label that it carries.
    """
    file = io.StringIO()
    rows = csv.writer(file)
    rows.writerow(("note_id", NEAR, "sentence", "label", "annotator", "before", "after"))
    for item in items:
        if item.labels is None:
            rows.writerow((*_cells(item.note_id, item.near, item.text), "", "", *_cells(item.before, item.after)))
        for span, names in item.labels or ():
            said = "; ".join(names)
            rows.writerow((*_cells(item.note_id, span.start, item.text[span.start : span.end]), said, "", "", ""))
    return "\ufeff" + file.getvalue()


FORMATS: Mapping[str, tuple[Callable[[Iterable[Item]], str], str]] = {
    "csv": (table, ".csv"),
    "label-studio": (label_studio, ".json"),
    "doccano": (doccano, ".jsonl"),
    "prodigy": (prodigy, ".jsonl"),
}
"""Format to its writer and the ending that its files must have to be read again."""


def check_output(name: str, out: Path) -> None:
    """Refuse a file that a format cannot go into.

    Raises:
        UsageError: an unknown format, a wrong ending, or a file that is there.
    """
    if name not in FORMATS:
        raise UsageError(f"format {name!r}; use one of {', '.join(FORMATS)}")
    _, suffix = FORMATS[name]
    if out.suffix.lower() != suffix:
        raise UsageError(f"{out.name}: a file for {name} must end in {suffix}")
    if out.exists():
        raise UsageError(f"{out} is there and may hold labels: choose another name with --out")


def write_items(items: Sequence[Item], name: str, out: Path) -> list[Path]:
    """Write texts in a format, for Label Studio with its labelling interface (``.xml``) beside them.

    Returns:
        The files written.

    Raises:
        UsageError: what ``check_output`` raises, or a file that cannot be written.
    """
    check_output(name, out)
    write_private(out, FORMATS[name][0](items))
    if name != "label-studio":
        return [out]
    config = out.with_suffix(".xml")
    write_private(config, label_studio_config(items))
    return [out, config]


def write_private(out: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all.

    Raises:
        UsageError: it cannot be written.
    """
    part = out.with_name(f".{out.name}.part")
    try:
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)
        part.write_text(text, encoding="utf-8", errors="backslashreplace", newline="")
        part.replace(out)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise UsageError(f"{out} cannot be written ({error.strerror}): choose another place") from None


def _studio_task(item: Item) -> dict[str, Any]:
    context = {key: text for key, text in (("before", item.before), ("after", item.after)) if text}
    task: dict[str, Any] = {"data": {"text": item.text, **_origin(item), **context}}
    if item.labels is not None:
        regions = [
            {
                "id": f"{place}", "from_name": "label", "to_name": "text", "type": "labels",
                "value": {
                    "start": _utf16(item.text[: span.start]), "end": _utf16(item.text[: span.end]),
                    "text": item.text[span.start : span.end], "labels": list(names),
                },
            }
            for place, (span, names) in enumerate(item.labels, 1)
        ]  # fmt: skip
        task["annotations"] = [{"result": regions}]
    return task


def _prodigy_task(item: Item) -> dict[str, Any]:
    task: dict[str, Any] = {"text": item.text, "meta": _origin(item)}
    if item.labels is None:
        return {**task, "options": [{"id": name, "text": name} for name in _TO_CHOOSE]}
    spans = [{"start": span.start, "end": span.end, "label": tag} for span, names in item.labels for tag in names]
    return {**task, "spans": spans, "answer": "accept"}


def _origin(item: Item) -> dict[str, Any]:
    return {"note_id": item.note_id, NEAR: item.near}


def _cells(*cells: object) -> list[str]:
    return [excel_safe(str(cell)) for cell in cells]


def _utf16(text: str) -> int:
    return len(text) + sum(ord(char) > 0xFFFF for char in text)


def _lines(records: Iterable[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
