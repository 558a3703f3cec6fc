"""Labels of every tool, in the form in which the tool writes them, become one stream."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from spacy.tokens import Doc, DocBin

from peerdrift_nlp.errors import InputError, LabelsError, PeerdriftError, UsageError
from peerdrift_nlp.io.labels import LabelNames, LabelRow, read_labels
from peerdrift_nlp.taxonomy import taxonomy
from peerdrift_nlp.types import Span

TEXT = "We talked a while. I told him to quit. He chose the park."
TOLD = Span(19, 38)
MARKER = "xylorimba was played in the yard"


def write(folder: Path, name: str, *items: Any) -> Path:
    path = folder / name
    if path.suffix == ".json":
        path.write_text(json.dumps(items[0] if len(items) == 1 else list(items)), encoding="utf-8")
    else:
        path.write_text("".join(f"{json.dumps(item)}\n" for item in items), encoding="utf-8")
    return path


def rows(path: Path, **options: Any) -> list[LabelRow]:
    """All that was said, without the rows that only say that a text was done."""
    return [row for row in all_rows(path, **options) if not row.is_bare]


def all_rows(path: Path, **options: Any) -> list[LabelRow]:
    (reading,) = read_labels([path], [], **options)
    return reading.rows


def left_out(path: Path) -> dict[str, int]:
    (reading,) = read_labels([path], [])
    return dict(reading.left_out)


def fault(path: Path, **options: Any) -> str:
    with pytest.raises((LabelsError, InputError)) as caught:
        read_labels([path], [], **options)
    assert MARKER not in str(caught.value) and "xylorimba" not in str(caught.value)
    return str(caught.value)


# ---------------------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("said", "tag"),
    [
        ("clinical", "clinical"),
        (" Lax boundaries ", "lax_boundaries"),
        ("lax-boundaries", "lax_boundaries"),
        ("Clinical.Medication", "clinical.medication"),
        ("clinical.medication/3", "clinical.medication/3"),
        ("role consistent", "role_consistent"),
        ("hope", "+hope"),
        ("+linking", "+linking"),
        ("role_consistent.reflection", "+reflection"),
        ("declined", "~declined"),
        ("~linking", "~linking"),
        ("None", "none"),
        ("no drift", "none"),
        ("unclear", "unsure"),
        ("!", "!"),
        ("meds", "clinical.medication"),
    ],
)
def test_names_as_people_write_them(said: str, tag: str) -> None:
    assert LabelNames({"Meds": "clinical.medication"}).tag(said) == tag


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("clinicl", "unknown label 'clinicl'; did you mean 'clinical'?"),
        ("medication", "unknown label 'medication'; did you mean 'clinical.medication'?"),
        ("medicaton", "did you mean 'clinical.medication'?"),
        ("PERSON", "unknown label 'PERSON'; say what it is with --name THEIRS=OURS"),
        ("linking", "is a practice and a look-alike reason: write '+linking' or '~linking'"),
        ("clinical/2", "only an indicator has a severity, not 'clinical'"),
        ("clinical.medication/4", "unknown label"),
        (MARKER, "not shown: it could be text of a note"),
        ("", "none of the codebook's names"),
        (7, "none of the codebook's names"),
        (None, "none of the codebook's names"),
    ],
)
def test_unknown_names_are_told_with_the_nearest(said: object, message: str) -> None:
    with pytest.raises(ValueError, match="label|severity") as caught:
        LabelNames().tag(said)
    assert message in str(caught.value) and "xylorimba" not in str(caught.value)


def test_every_name_of_the_codebook_is_known() -> None:
    names = LabelNames()
    for name in (*taxonomy().labels, *taxonomy().indicators):
        assert names.tag(name) == name
    assert [names.tag(f"+{name}") for name in taxonomy().practices] == [f"+{name}" for name in taxonomy().practices]
    assert [names.tag(f"~{name}") for name in taxonomy().reasons] == [f"~{name}" for name in taxonomy().reasons]


# ---------------------------------------------------------------------------------------- Label Studio


def studio_task(**changes: Any) -> dict[str, Any]:
    region = {
        "value": {"start": 19, "end": 38, "text": TEXT[19:38], "labels": ["clinical.medication"]},
        "id": "aB3", "from_name": "label", "to_name": "text", "type": "labels", "origin": "manual",
    }  # fmt: skip
    annotation = {
        "id": 11, "completed_by": 3, "result": [region], "was_cancelled": False, "ground_truth": False,
        "created_at": "2026-03-01T10:00:00.000000Z", "lead_time": 12.5, "prediction": {}, "result_count": 1,
    }  # fmt: skip
    task = {
        "id": 1, "annotations": [annotation], "drafts": [], "predictions": [], "file_upload": "notes.csv",
        "data": {"text": TEXT, "note_id": "n7"}, "meta": {}, "project": 4, "total_annotations": 1,
    }  # fmt: skip
    return {**task, **changes}


def test_label_studio_json_regions(tmp_path: Path) -> None:
    span, done = all_rows(write(tmp_path, "project-4.json", [studio_task()]))
    assert span == LabelRow(
        "project-4.json:1", "3", ("clinical.medication",), note_id="n7", text=TEXT, span=TOLD, quote=TEXT[19:38]
    )
    assert done.is_bare and done.text == TEXT


def test_label_studio_json_choices_for_the_text_and_for_a_region(tmp_path: Path) -> None:
    task = studio_task()
    task["annotations"][0]["completed_by"] = {"id": 5, "email": "kim@agency.example"}
    task["annotations"][0]["result"] = [
        {"value": {"choices": ["clinical", "religious"]}, "from_name": "c", "to_name": "text", "type": "choices"},
        {"value": {"start": 19, "end": 38, "choices": ["hierarchical"]}, "type": "choices"},
        {"value": {"text": ["a remark"]}, "from_name": "why", "to_name": "text", "type": "textarea"},
        {"from_id": "a", "to_id": "b", "type": "relation", "direction": "right"},
    ]
    path = write(tmp_path, "t.json", [task])
    assert [(row.annotator, row.present, row.span) for row in rows(path)] == [
        ("kim@agency.example", ("clinical", "religious"), None),
        ("kim@agency.example", ("hierarchical",), TOLD),
    ]
    assert left_out(path) == {"values that are neither labels nor choices": 1}


def test_label_studio_tasks_that_were_skipped_or_never_done(tmp_path: Path) -> None:
    skipped = studio_task()
    skipped["annotations"][0]["was_cancelled"] = True
    path = write(tmp_path, "t.json", [skipped, studio_task(annotations=[]), studio_task()])
    assert len(rows(path)) == 1
    assert left_out(path) == {"tasks that the annotator skipped": 1, "tasks without an annotation": 1}


def test_label_studio_old_completions(tmp_path: Path) -> None:
    task = studio_task()
    task["completions"] = task.pop("annotations")
    assert [row.present for row in rows(write(tmp_path, "t.json", [task]))] == [("clinical.medication",)]


def test_label_studio_json_min(tmp_path: Path) -> None:
    region = {"start": 19, "end": 38, "text": TEXT[19:38], "labels": ["clinical.medication", "hierarchical"]}
    base = {"text": TEXT, "id": 8, "annotator": 2, "annotation_id": 3, "lead_time": 1.5, "created_at": "2026-03-01"}
    path = write(
        tmp_path, "min.json",
        [
            {**base, "label": [region]},
            {**base, "drift": "religious", "program": "Hope", "mood": "clean"},
            {**base, "drift": {"choices": ["clinical", "religious"]}},
            base,
        ],
    )  # fmt: skip
    assert [(row.where, row.present, row.span, row.note_id, row.annotator) for row in rows(path)] == [
        ("min.json:1", ("clinical.medication", "hierarchical"), TOLD, "", "2"),
        ("min.json:2", ("religious",), None, "", "2"),
        ("min.json:3", ("clinical", "religious"), None, "", "2"),
    ]


def test_label_studio_csv(tmp_path: Path) -> None:
    path = tmp_path / "project.csv"
    region = json.dumps([{"start": 19, "end": 38, "text": TEXT[19:38], "labels": ["hierarchical"]}]).replace('"', '""')
    path.write_text(
        "annotation_id,annotator,created_at,id,label,lead_time,text,updated_at,note_id\r\n"
        f'1,4,2026-03-01,9,"{region}",1.0,{TEXT},2026-03-01,n1\r\n'
        f"2,4,2026-03-01,9,religious,1.0,I prayed with him.,2026-03-01,n2\r\n"
        f'3,4,2026-03-01,9,"{{""choices"": [""clinical"", ""religious""]}}",1.0,I prayed.,2026-03-01,n3\r\n',
        encoding="utf-8",
    )
    assert [(row.note_id, row.present, row.span, row.annotator) for row in rows(path)] == [
        ("n1", ("hierarchical",), TOLD, "4"),
        ("n2", ("religious",), None, "4"),
        ("n3", ("clinical", "religious"), None, "4"),
    ]


# ---------------------------------------------------------------------------------------- doccano


def test_doccano_spans_entities_and_categories(tmp_path: Path) -> None:
    entity = {"id": 3, "label": "hierarchical", "start_offset": 19, "end_offset": 38}
    path = write(
        tmp_path, "admin.jsonl",
        {"id": 1, "text": TEXT, "label": [[19, 38, "clinical.medication"], [0, 18, "none"]], "Comments": []},
        {"id": 2, "text": TEXT, "entities": [entity], "relations": [], "Comments": [], "note_id": "n2"},
        {"id": 3, "text": "I prayed with him.", "label": ["religious", "clinical"]},
        {"id": 4, "text": TEXT, "labels": [[19, 38, "religious"]], "meta": {"note_id": "n4", "note_start": 12}},
        {"id": 5, "text": TEXT, "label": []},
    )  # fmt: skip
    assert [(row.where, row.note_id, row.present, row.span, row.annotator) for row in rows(path)] == [
        ("admin.jsonl:1", "", ("clinical.medication",), TOLD, "admin.jsonl"),
        ("admin.jsonl:1", "", ("none",), Span(0, 18), "admin.jsonl"),
        ("admin.jsonl:2", "n2", ("hierarchical",), TOLD, "admin.jsonl"),
        ("admin.jsonl:3", "", ("religious",), None, "admin.jsonl"),
        ("admin.jsonl:3", "", ("clinical",), None, "admin.jsonl"),
        ("admin.jsonl:4", "n4", ("religious",), TOLD, "admin.jsonl"),
    ]
    assert [row.near for row in rows(path)][-1] == 12
    assert sum(row.is_bare for row in all_rows(path)) == 5


# ---------------------------------------------------------------------------------------- Prodigy


def prodigy(**fields: Any) -> dict[str, Any]:
    hashes = {"_input_hash": 12, "_task_hash": -34, "_timestamp": 1772000000, "_annotator_id": "set-kim"}
    return {"text": TEXT, **hashes, "answer": "accept", **fields}


def test_prodigy_reject_is_a_label_and_ignore_is_not(tmp_path: Path) -> None:
    spans = [{"start": 19, "end": 38, "token_start": 5, "token_end": 9, "label": "hierarchical"}]
    path = write(
        tmp_path, "db.jsonl",
        prodigy(spans=spans, _view_id="spans_manual"),
        prodigy(spans=spans, _view_id="ner", answer="accept"),
        prodigy(spans=spans, _view_id="ner", answer="reject"),
        prodigy(label="clinical", _view_id="classification"),
        prodigy(label="clinical", _view_id="classification", answer="reject"),
        prodigy(label="clinical", _view_id="classification", answer="ignore"),
        prodigy(spans=spans, _view_id="spans_manual", answer="ignore"),
    )  # fmt: skip
    assert [(row.where[-1], row.present, row.absent, row.complete, row.span) for row in rows(path)] == [
        ("1", ("hierarchical",), (), True, TOLD),
        ("2", ("hierarchical",), (), False, TOLD),
        ("3", (), ("hierarchical",), False, TOLD),
        ("4", ("clinical",), (), False, None),
        ("5", (), ("clinical",), False, None),
    ]
    assert left_out(path) == {"answers that are neither accept nor reject (ignore is no label)": 2}
    assert {row.annotator for row in all_rows(path)} == {"set-kim"}


def test_prodigy_choices_judge_the_options_that_were_shown(tmp_path: Path) -> None:
    options = [{"id": "clinical", "text": "Clinical"}, {"id": "religious", "text": "Religious"}]
    choice = {"options": options, "_view_id": "choice", "config": {"choice_style": "multiple"}}
    path = write(tmp_path, "db.jsonl", prodigy(accept=["clinical"], **choice), prodigy(accept=[], **choice))
    found = [(row.where[-1], row.present, row.absent, row.complete) for row in rows(path) if row.present or row.absent]
    assert found == [
        ("1", ("clinical",), (), False),
        ("1", (), ("religious",), False),
        ("2", (), ("clinical", "religious"), False),
    ]
    assert not any(row.is_bare for row in all_rows(path))


# ---------------------------------------------------------------------------------------- spaCy


def test_docbin_cats_and_spans(tmp_path: Path) -> None:
    blank = spacy.blank("en")
    with_spans: Doc = blank(TEXT)
    with_spans.spans["sc"] = [with_spans.char_span(19, 38, label="hierarchical")]
    with_spans.user_data["note_id"] = "n7"
    with_cats: Doc = blank("I prayed with him.")
    with_cats.cats = {"religious": 1.0, "clinical": 0.0}
    path = tmp_path / "train.spacy"
    DocBin(docs=[with_spans, with_cats, blank("Nothing.")], store_user_data=True).to_disk(path)
    first, second = rows(path)
    assert (first.present, first.span, first.note_id, first.complete) == (("hierarchical",), TOLD, "n7", True)
    assert (second.present, second.absent, second.complete) == (("religious",), ("clinical",), False)
    assert left_out(path) == {"docs without cats and spans": 1}


@pytest.mark.parametrize("content", [b"x", b"x\x9c" + b"\0" * 50, b"PK\x03\x04 zip"])
def test_what_is_no_docbin(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "train.spacy"
    path.write_bytes(content)
    assert "is no DocBin" in fault(path)


# ---------------------------------------------------------------------------------------- tables


def table(folder: Path, *lines: str, name: str = "labels.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_one_column_of_labels_where_blank_is_not_negative(tmp_path: Path) -> None:
    path = table(
        tmp_path, "Note ID,Sentence,Label,Annotator", "n1,I told him to quit.,clinical; hierarchical/,kim",
    )  # fmt: skip
    assert "unknown label ' hierarchical/'" in fault(path)
    path = table(
        tmp_path, "Note ID,Sentence,Label,Annotator", "n1,I told him.,clinical; hierarchical,kim", "n1,He left.,,kim",
        "n2,We walked.,none,",
    )  # fmt: skip
    assert [(row.note_id, row.text, row.present, row.complete, row.annotator) for row in rows(path)] == [
        ("n1", "I told him.", ("clinical", "hierarchical"), True, "kim"),
        ("n2", "We walked.", ("none",), True, "labels.csv"),
    ]
    assert left_out(path) == {"rows without a label (blank is not 'no')": 1}


def test_a_column_a_label(tmp_path: Path) -> None:
    path = table(tmp_path, "Text,Clinical,religious,Lax Boundaries", "I told him.,1,0,", "He left.,no,,x", "Bye.,,,")
    assert [(row.text, row.present, row.absent, row.complete) for row in rows(path)] == [
        ("I told him.", ("clinical",), ("religious",), False),
        ("He left.", ("lax_boundaries",), ("clinical",), False),
    ]
    path = table(tmp_path, "Text,Clinical", f"I told him.,{MARKER}")
    assert "labels.csv:2: the cell of 'clinical' must be one of yes, no" in fault(path)


def test_columns_that_only_sound_like_labels_are_left_alone(tmp_path: Path) -> None:
    path = table(tmp_path, "Text,Policy,History,+hope,Clinical", f"I told him.,{MARKER},{MARKER},x,1")
    assert [row.present for row in rows(path)] == [("+hope", "clinical")]


def test_a_workbook_with_offsets_into_the_note(tmp_path: Path) -> None:
    book = Workbook()
    for line in (["Note ID", "Start", "End", "Label"], [17, 19, 38, "hierarchical"], [18, 38, 19, "hierarchical"]):
        book.active.append(line)
    book.save(tmp_path / "labels.xlsx")
    assert fault(tmp_path / "labels.xlsx").startswith("labels.xlsx:3: start and end of a label must be whole numbers")
    book.active.delete_rows(3)
    book.save(tmp_path / "labels.xlsx")
    (row,) = rows(tmp_path / "labels.xlsx")
    assert (row.note_id, row.text, row.span) == ("17", "", TOLD)


def test_columns_that_nobody_can_guess_are_named(tmp_path: Path) -> None:
    path = table(tmp_path, "Satz,Urteil", "I told him to quit.,hierarchical")
    assert "no column of labels" in fault(path)
    assert "nothing says which sentences" in fault(path, fields={"label": "Urteil"})
    assert "has no column 'Verdict' to read as label" in fault(path, fields={"label": "Verdict"})
    assert rows(path, fields={"label": "Urteil", "text": "Satz"})[0].present == ("hierarchical",)
    with pytest.raises(UsageError, match="unknown field 'satz'; the fields of labels are"):
        read_labels([path], [], fields={"satz": "Satz"})


# ---------------------------------------------------------------------------------------- bad input


def test_all_faults_are_told_at_once_each_kind_once(tmp_path: Path) -> None:
    path = write(
        tmp_path, "a.jsonl",
        {"text": MARKER, "label": ["clinicl"]}, {"text": MARKER, "label": ["clinicl"]},
        {"text": MARKER, "label": [[9, 3, "clinical"]]}, {"label": ["clinical"]}, {"text": MARKER, "label": [{}]}, [],
    )  # fmt: skip
    assert fault(path).splitlines() == [
        "a.jsonl:1: unknown label 'clinicl'; did you mean 'clinical'? (and 1 more of it)",
        "a.jsonl:3: start and end of a label must be whole numbers, start before end",
        "a.jsonl:4: no entry looks like the text (looked for note text, text, progress note, progress note text, ...)",
        "a.jsonl:5: a label must be a text, [start, end, label] or an object with start_offset and end_offset",
        "a.jsonl:6: is not a JSON object",
        "5 problems; nothing was loaded.",
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", b"", "a.jsonl is empty"),
        ("a.jsonl", b"\xff\xfe{", "a.jsonl is not UTF-8 (byte 0)"),
        ("a.jsonl", b"{cut", "a.jsonl:1: is not JSON"),
        ("a.jsonl", b"\n\n", "no labels in it"),
        ("a.json", b"[" * 100_000, "is not JSON"),
        ("a.json", b"[]", "no labels in it"),
        ("a.json", b'[{"data": {"text": "x"}, "annotations": 7}]', "'annotations' must be a list"),
        ("a.json", b'[{"data": {"text": "x"}, "annotations": [{}]}]', "must have a 'result' list"),
        ("a.json", b'{"decisions": []}', "name the scan's results folder with --run"),
        ("a.docx", b"x", "of no known kind (.docx)"),
        ("a.csv", b"\n\n", "no row with column names"),
    ],
)
def test_files_that_are_none(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert message in fault(tmp_path / name)


def test_two_files_of_one_name_are_two_annotators(tmp_path: Path) -> None:
    for name in ("kim", "lee"):
        (tmp_path / name).mkdir()
        write(tmp_path / name, "all.jsonl", {"text": TEXT, "label": ["clinical"]})
    found = read_labels([tmp_path / "kim" / "all.jsonl", tmp_path / "lee" / "all.jsonl"], [])
    assert len({row.annotator for reading in found for row in reading.rows}) == 2


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert "does not exist" in fault(tmp_path / "none.json")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 70) | st.sampled_from(["clinical", TEXT, "accept", "x", "\ud800"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["text", "label", "labels", "spans", "start", "end", "answer", "options", "accept", "data", "annotations",
             "result", "value", "choices", "id", "meta", "entities", "start_offset", "end_offset", "globalOffsets"]
        ),
        inner,
        max_size=5,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(deadline=None, max_examples=150)
@given(items=st.lists(VALUES, max_size=3), suffix=st.sampled_from([".json", ".jsonl"]))
def test_any_json_gives_rows_or_an_error_of_ours(
    items: list[Any], suffix: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = write(tmp_path_factory.mktemp("labels"), f"a{suffix}", *(items if suffix == ".jsonl" else [items]))
    try:
        found = all_rows(path)
    except PeerdriftError as error:
        assert TEXT not in str(error)
    else:
        assert all(row.span is None or row.span.start < row.span.end for row in found)


@settings(deadline=None, max_examples=60)
@given(
    content=st.binary(min_size=1, max_size=200), suffix=st.sampled_from([".json", ".jsonl", ".csv", ".spacy", ".xlsx"])
)
def test_any_bytes_give_rows_or_an_error_of_ours(
    content: bytes, suffix: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("labels") / f"a{suffix}"
    path.write_bytes(content)
    try:
        all_rows(path)
    except PeerdriftError as error:
        assert str(error)
