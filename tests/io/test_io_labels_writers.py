"""What to label next, and labels as the tools take them: what goes out comes back the same."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peerdrift_nlp.classifier.corpus import LabelledNote, LabelledSentence
from peerdrift_nlp.classifier.evaluation import FLAG_LABELS, Judged, Verdict
from peerdrift_nlp.errors import InputError, UsageError
from peerdrift_nlp.io.labels import align, read_labels, readings, settle
from peerdrift_nlp.io.labels.offsets import UTF16
from peerdrift_nlp.io.labels.queue import REASONS, as_unlabelled, candidates, choose
from peerdrift_nlp.io.labels.writers import FORMATS, Item, labelled_item, sentence_item, write_items, write_private
from peerdrift_nlp.taxonomy import LABELS, taxonomy
from peerdrift_nlp.types import Note, Span

TEXT = "=We talked 😀 both.\r\nI told him to quit. “He chose” the park.\nI told him to quit."


def units(text: str) -> tuple[LabelledSentence, ...]:
    return as_unlabelled(Note("n1", text)).sentences


def again(folder: Path, format_: str, items: list[Item], texts: dict[str, str]) -> dict[tuple[str, int], Any]:
    """What comes back of a file: note id and start to the labelled sentence."""
    write, suffix = FORMATS[format_]
    path = folder / f"a{suffix}"
    path.unlink(missing_ok=True)
    write_private(path, write(items))
    assert path.stat().st_mode & 0o077 == 0
    notes = [Note(name, text) for name, text in texts.items()]
    (reading,) = read_labels([path], notes)
    aligned = align(reading.rows, notes)
    assert aligned.drops == {} and set(+aligned.repairs) <= ({UTF16} if format_ == "label-studio" else set())
    settled, _ = settle(readings(aligned), aligned)
    return {(notes[number].note_id, unit.start): unit for (number, _), unit in settled.items()}


@st.composite
def labelled(draw: st.DrawFn) -> LabelledNote:
    found = []
    for number, unit in enumerate(units(TEXT)):
        severity = draw(st.dictionaries(st.sampled_from(list(taxonomy().indicators)), st.integers(1, 3), max_size=2))
        free = [label for label in LABELS[:-1] if label not in {name.partition(".")[0] for name in severity}]
        drifts = any(not name.startswith("organizational") for name in severity)
        practices = draw(st.sets(st.sampled_from(list(taxonomy().practices)), max_size=2))
        look_alike = "" if drifts else draw(st.sampled_from(["", *taxonomy().reasons]))
        unrefined = () if look_alike else tuple(draw(st.lists(st.sampled_from(free), max_size=1)))
        found.append(
            LabelledSentence(
                unit.start, unit.end, "sentence", severity,
                tuple(name for name in taxonomy().practices if name in practices), look_alike,
                bool(severity) and draw(st.booleans()), ("annotator-1",), unrefined,
            )
            if draw(st.booleans())
            else LabelledSentence(unit.start, unit.end, "unread" if number else "sentence", annotators=("annotator-1",))
        )  # fmt: skip
    return LabelledNote("n1", "author-01", TEXT, tuple(found))


@settings(deadline=None, max_examples=40)
@given(note=labelled(), format_=st.sampled_from(sorted(FORMATS)))
def test_labels_come_back_as_they_went_out(
    note: LabelledNote, format_: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    item, partly = labelled_item(note)
    assert partly == 0
    found = again(tmp_path_factory.mktemp("out"), format_, [item], {"n1": TEXT})
    assert found == {("n1", unit.start): unit for unit in note.sentences if unit.kind == "sentence"}


def test_what_was_judged_in_part_stays_at_home() -> None:
    first, *others = units(TEXT)
    note = LabelledNote("n1", "v", TEXT, (LabelledSentence(first.start, first.end, unjudged=("clinical",)), *others))
    item, partly = labelled_item(note)
    assert partly == 1 and len(item.labels or ()) == len(others)


# ---------------------------------------------------------------------------------------- to label, and back


def to_label() -> list[Item]:
    note = as_unlabelled(Note("n1", TEXT))
    return [sentence_item(note, unit.start, unit.end) for unit in note.sentences]


def test_a_sentence_that_stands_twice_comes_back_to_its_place(tmp_path: Path) -> None:
    last = to_label()[-1]
    write, _ = FORMATS["label-studio"]
    (task,) = json.loads(write([last]))
    assert task["data"]["text"] == "I told him to quit." and task["data"]["before"].endswith("the park.")
    task["annotations"] = [{"completed_by": 1, "result": [{"value": {"choices": ["hierarchical"]}}]}]
    (tmp_path / "a.json").write_text(json.dumps([task]), encoding="utf-8")
    (reading,) = read_labels([tmp_path / "a.json"], [])
    aligned = align(reading.rows, [Note("n1", TEXT)])
    assert [key for key in aligned.said] == [(0, len(units(TEXT)) - 1)]


@pytest.mark.parametrize("format_", ["csv", "doccano", "prodigy"])
def test_sentences_filled_in_by_a_tool_or_by_hand(format_: str, tmp_path: Path) -> None:
    text = FORMATS[format_][0](to_label())
    path = tmp_path / f"a{FORMATS[format_][1]}"
    if format_ == "csv":
        rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
        assert rows[0]["sentence"].startswith("'=We") and {row["label"] for row in rows} == {""}
        for row in rows:
            row["label"] = "hierarchical"
        with path.open("w", encoding="utf-8", newline="") as file:
            lines = csv.DictWriter(file, list(rows[0]))
            lines.writeheader()
            lines.writerows(rows)
    else:
        tasks = [json.loads(line) for line in text.splitlines()]
        for task in tasks:
            task |= (
                {"label": ["hierarchical"]}
                if format_ == "doccano"
                else {"accept": ["hierarchical"], "answer": "accept"}
            )
        path.write_text("".join(f"{json.dumps(task)}\n" for task in tasks), encoding="utf-8")
    notes = [Note("n1", TEXT)]
    (reading,) = read_labels([path], notes)
    aligned = align(reading.rows, notes)
    settled, _ = settle(readings(aligned), aligned)
    assert [unit.labels for _, unit in sorted(settled.items())] == [("hierarchical",)] * len(units(TEXT))
    assert aligned.drops == {} and set(+aligned.repairs) == set()


@pytest.mark.parametrize("format_", FORMATS)
def test_an_untouched_queue_labels_nothing(format_: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{FORMATS[format_][1]}"
    path.write_text(FORMATS[format_][0](to_label()), encoding="utf-8")
    try:
        (reading,) = read_labels([path], [])
    except InputError as error:
        assert "no labels in it" in str(error)
    else:  # doccano does not say whether somebody was there
        assert format_ == "doccano" and align(reading.rows, [Note("n1", TEXT)]).said == {}


def test_label_studio_gets_its_labelling_interface(tmp_path: Path) -> None:
    queue, config = write_items(to_label(), "label-studio", tmp_path / "queue.json")
    control = ElementTree.parse(config).getroot().find("Choices")
    assert control is not None and control.get("choice") == "multiple"
    assert [choice.get("value") for choice in control] == [*LABELS, *taxonomy().indicators, "none", "unsure"]
    first, *_ = units(TEXT)
    item = Item("n1", TEXT, 0, [(Span(first.start, first.end), ("clinical.testing/2", "+hope"))])
    _, config = write_items([item], "label-studio", tmp_path / "notes.json")
    assert [label.get("value") for label in ElementTree.parse(config).iter("Label")] == ["+hope", "clinical.testing/2"]
    assert "data" in json.loads(queue.read_text(encoding="utf-8"))[0]


# ---------------------------------------------------------------------------------------- the queue


def judged(number: int, probability: float, *indicators: str) -> Judged:
    text = f"Sentence {number}."
    note = LabelledNote(f"n{number}", "v", text, (LabelledSentence(0, len(text)),))
    probabilities = tuple(probability if label == "clinical" else 0.001 for label in LABELS)
    return Judged(note, note.sentences[0], Verdict(frozenset(indicators), False, probabilities))


BARS = {label: 0.5 for label in FLAG_LABELS}
MANY = candidates(
    [
        *(judged(number, 0.01) for number in range(60)),
        *(judged(number, 0.45 + number / 10_000) for number in range(60, 70)),
        *(judged(number, 0.99, "clinical.testing") for number in range(70, 90)),
        *(judged(number, 0.01, "religious.promotion") for number in range(90, 92)),
    ],
    BARS,
)  # fmt: skip


def test_the_queue_mixes_doubt_flags_and_chance() -> None:
    chosen = choose(MANY, 12)
    by_why = {why: {item.note.note_id for item, reason in chosen if reason == why} for why in REASONS}
    assert {why: len(ids) for why, ids in by_why.items()} == dict.fromkeys(REASONS, 4)
    assert by_why["in doubt"] == {"n69", "n68", "n67", "n66"}
    flagged = Counter(label for item, why in chosen if why == "flagged" for label in item.flagged)
    assert flagged == {"clinical": 2, "religious": 2}
    assert len({item.note.note_id for item, _ in chosen}) == 12


def test_the_queue_is_drawn_by_its_seed_and_leaves_out_what_is_done() -> None:
    def ids(**options: Any) -> list[str]:
        return [item.note.note_id for item, _ in choose(MANY, 12, **options)]

    assert ids(seed=1) == ids(seed=1) != ids(seed=2)
    assert set(ids(seed=1)).isdisjoint(ids(seed=1, done={(name, 0) for name in ids(seed=1)}))
    assert len(choose(MANY, 1000)) == len(MANY)
    assert choose(MANY, 9, done={(item.note.note_id, 0) for item in MANY}) == []
    assert len(choose(MANY[:60], 12)) == 12  # nothing flagged: chance fills up


# ---------------------------------------------------------------------------------------- files


def test_a_file_that_is_there_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="is there and may hold labels"):
        write_items([], "csv", tmp_path / "a.csv")
    with pytest.raises(UsageError, match="a file for prodigy must end in .jsonl"):
        write_items([], "prodigy", tmp_path / "b.csv")
    with pytest.raises(UsageError, match="format 'brat'; use one of csv, label-studio, doccano, prodigy"):
        write_items([], "brat", tmp_path / "b.csv")
    with pytest.raises(UsageError, match="cannot be written"):
        write_private(tmp_path / "none" / "b.csv", "x")
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
