"""Labelled notes: written with marks, kept as JSON lines, and checked before anything learns from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peerdrift_nlp.classifier.corpus import (
    LabelledNote,
    LabelledSentence,
    check_notes,
    parse_marked,
    read_corpus,
)
from peerdrift_nlp.classifier.corpus.inventory import inventory, near_duplicates
from peerdrift_nlp.errors import CorpusError
from peerdrift_nlp.taxonomy import LABELS, ROLE_CONSISTENT, taxonomy

MARKER = "xylorimba"  # stands in note texts and must never stand in a message

MARKED = """\
=== W1-001 | setting: drop-in | format: dap | contact: phone
D:{h} Met Ana at two.{} Counted her pills and told her to stop.{clinical.medication/3, hierarchical.directing/2}

A:{h} "I asked you to," she said.{~quotation}
I'm no doctor, but it sounds like bipolar.{clinical.diagnosis/2 !} I listened.{+listening +mutuality}
=== W1-002
Left out again, I said so and declined the van.{organizational.exclusion/2 +role_clarity ~declined}
"""


# ---------------------------------------------------------------------------------------- marks


def test_marks_become_labels_and_leave_the_text() -> None:
    first, second = parse_marked(MARKED, "W1")
    assert first.text == (
        "D: Met Ana at two. Counted her pills and told her to stop.\n\n"
        'A: "I asked you to," she said.\nI\'m no doctor, but it sounds like bipolar. I listened.'
    )
    assert [first.text[unit.start : unit.end] for unit in first.sentences] == [
        "D:", "Met Ana at two.", "Counted her pills and told her to stop.", "A:", '"I asked you to," she said.',
        "I'm no doctor, but it sounds like bipolar.", "I listened.",
    ]  # fmt: skip
    heading, plain, pills, _, quoted, decoy, listened = first.sentences
    assert (heading.kind, plain.kind) == ("header", "sentence")
    assert (plain.labels, plain.indicators, plain.practices, plain.look_alike) == ((), (), (), "")
    assert pills.severity == {"clinical.medication": 3, "hierarchical.directing": 2}
    assert pills.labels == ("clinical", "hierarchical")
    assert quoted.look_alike == "quotation" and not quoted.labels
    assert decoy.decoy and decoy.severity == {"clinical.diagnosis": 2}
    assert not pills.decoy
    assert listened.practices == ("listening", "mutuality") and listened.labels == (ROLE_CONSISTENT,)
    (declined,) = second.sentences
    assert declined.labels == ("organizational", ROLE_CONSISTENT) and declined.look_alike == "declined"
    assert declined.outputs == {
        "organizational", "organizational.exclusion", "role_consistent", "role_consistent.role_clarity",
    }  # fmt: skip


def test_the_header_line_is_read() -> None:
    first, second = parse_marked(MARKED, "W1")
    assert (first.note_id, first.voice, first.setting, first.format) == ("W1-001", "W1", "drop-in", "dap")
    assert first.meta == {"contact": "phone"}
    assert (second.note_id, second.setting, second.format, second.meta) == ("W1-002", "", "", {})


def test_headers_become_headings_of_the_engine() -> None:
    first, _ = parse_marked(MARKED, "W1")
    assert [span.kind for span in first.spans()][:3] == ["heading", "sentence", "sentence"]
    assert [(span.start, span.end) for span in first.spans()] == [(unit.start, unit.end) for unit in first.sentences]


def test_tags_are_separated_by_blanks_or_commas_in_any_order() -> None:
    tags = ["! clinical.medication/2 +hope", "+hope,clinical.medication/2,!", " +hope ,  clinical.medication/2 !  "]
    found = {parse_marked(f"=== a\nText.{{{tag}}}", "v")[0].sentences[0].to_dict()["practices"][0] for tag in tags}
    assert found == {"hope"}
    assert len({json.dumps(parse_marked(f"=== a\nText.{{{tag}}}", "v")[0].to_json()) for tag in tags}) == 1


def test_nothing_gives_no_notes() -> None:
    assert parse_marked("", "v") == []
    assert parse_marked("\n\n", "v") == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("Text.{nonsense}", "unknown tag 'nonsense'"),
        ("Text.{clinical.medication}", "unknown tag 'clinical.medication'"),
        ("Text.{clinical.medication/4}", "unknown tag 'clinical.medication/4'"),
        ("Text.{clinical.medication/0}", "unknown tag 'clinical.medication/0'"),
        ("Text.{clinical.medicine/2}", "unknown indicator 'clinical.medicine'"),
        ("Text.{+kindness}", "unknown practice 'kindness'"),
        ("Text.{~because}", "unknown look-alike reason 'because'"),
        ("Text.{!}", "a decoy without an indicator"),
        ("Text.{clinical.medication/2 ~declined}", "a look-alike reason beside a drift label"),
        ("{}", "out of order or range"),
        ("Text.{} {}", "out of order or range"),
        (f"{MARKER} has no mark", "text after the last sentence belongs to no sentence"),
        (f"Text.{{}} {MARKER} has no mark", "text after the last sentence belongs to no sentence"),
    ],
)
def test_what_is_wrong_with_marks_is_said(body: str, message: str) -> None:
    with pytest.raises(CorpusError) as caught:
        parse_marked(f"=== a\n{body}", "W9")
    assert message in str(caught.value)
    assert "W9" in str(caught.value) and "nothing was loaded" in str(caught.value)
    assert MARKER not in str(caught.value)


def test_an_unknown_tag_is_told_with_the_line_of_its_note() -> None:
    with pytest.raises(CorpusError) as caught:
        parse_marked("\n\n=== a\nFine.{}\n=== b\nBad.{nonsense} Worse.{nothing}\n", "W9")
    lines = str(caught.value).splitlines()
    assert lines[:2] == ["W9:5: note b: unknown tag 'nonsense'", "W9:5: note b: unknown tag 'nothing'"]


def test_a_note_id_that_stands_twice() -> None:
    with pytest.raises(CorpusError, match="W9/a: this note id stands twice"):
        parse_marked("=== a\nOne.{}\n=== a\nTwo.{}", "W9")


@pytest.mark.parametrize("start", [f"{MARKER} before any header.{{}}\n", f"===a\n{MARKER}.{{}}\n"])
def test_text_before_the_first_header_is_not_dropped_without_a_word(start: str) -> None:
    with pytest.raises(CorpusError) as caught:
        parse_marked(f"{start}=== b\nFine.{{}}", "W9")
    assert "W9:1" in str(caught.value) and MARKER not in str(caught.value)


def test_a_header_without_an_id_is_refused() -> None:
    with pytest.raises(CorpusError):
        parse_marked("=== | setting: clinic\nFine.{}", "W9")


def test_the_voices_of_these_tests_hold_together(voices: dict[str, list[LabelledNote]]) -> None:
    assert {voice: len(found) > 1 for voice, found in voices.items()} == dict.fromkeys(voices, True)
    assert list(check_notes(note for found in voices.values() for note in found)) == []


# ---------------------------------------------------------------------------------------- JSON lines


def corpus_folder(tmp_path: Path, lines: dict[str, list[str]], splits: object) -> Path:
    (tmp_path / "notes").mkdir()
    for voice, of_voice in lines.items():
        (tmp_path / "notes" / f"{voice}.jsonl").write_text("".join(f"{line}\n" for line in of_voice), encoding="utf-8")
    (tmp_path / "splits.json").write_text(json.dumps(splits), encoding="utf-8")
    return tmp_path


def test_notes_come_back_as_they_were_written(tmp_path: Path) -> None:
    notes = parse_marked(MARKED, "W1")
    folder = corpus_folder(
        tmp_path, {"W1": [note.to_json() for note in notes]}, {"train": ["W1"], "dev": [], "test": []}
    )
    corpus = read_corpus(folder)
    assert [note.to_json() for note in corpus.notes] == [note.to_json() for note in notes]
    assert [note.sentences for note in corpus.notes] == [note.sentences for note in notes]
    assert corpus.split_of == {"W1": "train"}


def test_a_line_has_the_keys_of_the_format() -> None:
    record = json.loads(parse_marked(MARKED, "W1")[0].to_json())
    assert list(record) == ["note_id", "voice", "setting", "format", "text", "sentences"]
    assert record["sentences"][2] == {
        "start": 19, "end": 58, "kind": "sentence", "labels": ["clinical", "hierarchical"],
        "indicators": ["clinical.medication", "hierarchical.directing"],
        "severity": {"clinical.medication": 3, "hierarchical.directing": 2}, "practices": [], "look_alike": None,
        "decoy": False, "annotators": ["writer"],
    }  # fmt: skip


INDICATORS, PRACTICES, REASONS = (
    list(names) for names in (taxonomy().indicators, taxonomy().practices, taxonomy().reasons)
)


@st.composite
def labelled_notes(draw: st.DrawFn) -> LabelledNote:
    text, units = "", []
    pieces = draw(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20), max_size=5))
    for piece in filter(str.strip, pieces):
        stripped = piece.strip()
        start = len(text) + 1 if text else 0
        text = f"{text} {stripped}" if text else stripped
        severity = draw(st.dictionaries(st.sampled_from(INDICATORS), st.integers(1, 3), max_size=2))
        drift = [name for name in severity if not name.startswith("organizational")]
        units.append(
            LabelledSentence(
                start,
                start + len(stripped),
                draw(st.sampled_from(["sentence", "header"])),
                severity,
                tuple(draw(st.lists(st.sampled_from(PRACTICES), unique=True, max_size=2))),
                "" if drift else draw(st.sampled_from(["", *REASONS])),
                bool(severity) and draw(st.booleans()),
                ("writer", "second"),
            )
        )
    return LabelledNote(draw(st.text("abc", min_size=1, max_size=3)), "W1", text, tuple(units), "clinic", "dap")


@settings(deadline=None, max_examples=120)
@given(note=labelled_notes())
def test_any_note_survives_the_round_trip(note: LabelledNote, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = corpus_folder(
        tmp_path_factory.mktemp("corpus"), {"W1": [note.to_json()]}, {"train": ["W1"], "dev": [], "test": []}
    )
    assert read_corpus(folder).notes == (note,)


@pytest.mark.parametrize("char", ["\x85", "\u2028", "\u2029", "\x0b", "\x1e", "\r\n", "\r"], ids=repr)
def test_odd_line_breaks_in_a_note_do_not_break_its_line(tmp_path: Path, char: str) -> None:
    text = f"Met Ana.{char}We talked."
    note = LabelledNote("a", "W1", text, (LabelledSentence(0, len(text)),))
    folder = corpus_folder(tmp_path, {"W1": [note.to_json()]}, {"train": ["W1"], "dev": [], "test": []})
    assert read_corpus(folder).notes[0].text == text


# ---------------------------------------------------------------------------------------- what is wrong with a corpus


def problems(folder: Path) -> str:
    with pytest.raises(CorpusError) as caught:
        read_corpus(folder)
    assert MARKER not in str(caught.value)
    return str(caught.value)


def record(**changes: Any) -> str:
    unit = {
        "start": 0, "end": len(MARKER) + 1, "kind": "sentence", "labels": [], "indicators": [], "severity": {},
        "practices": [], "look_alike": None, "decoy": False, "annotators": ["writer"],
    }  # fmt: skip
    text = f"{MARKER}."
    of_unit = {name: value for name, value in changes.items() if name in unit}
    of_note = {name: value for name, value in changes.items() if name not in unit}
    whole = {
        "note_id": "a",
        "voice": "W1",
        "setting": "",
        "format": "",
        "text": text,
        "sentences": [{**unit, **of_unit}],
    }
    return json.dumps({**whole, **of_note})


SPLITS = {"train": ["W1"], "dev": [], "test": []}


def test_the_record_of_these_tests_is_sound(tmp_path: Path) -> None:
    assert read_corpus(corpus_folder(tmp_path, {"W1": [record()]}, SPLITS)).notes[0].note_id == "a"


def test_a_folder_without_notes(tmp_path: Path) -> None:
    found = problems(corpus_folder(tmp_path, {}, {"train": [], "dev": [], "test": []}))
    assert "holds no notes (expected notes/<voice>.jsonl)" in found
    (tmp_path / "splits.json").unlink()
    found = problems(tmp_path)
    assert "splits.json:1: must list the voices of train, dev and test (FileNotFoundError)" in found
    found = problems(tmp_path / "nowhere")
    assert "nowhere: there is no such folder of labelled notes; `peerdrift label import` makes one" in found
    assert "splits.json" not in found


@pytest.mark.parametrize(
    "line",
    [
        f'{{"note_id": "{MARKER}',
        "",
        "[]",
        "7",
        "null",
        f'"{MARKER}"',
        f'{{"text": "{MARKER}"}}',
        record(sentences=None),
        record(sentences=[{}]),
        record(sentences=[7]),
        record(practices=3),
        record(annotators=None),
        record(severity=["clinical.medication"]),
        record(severity=None),
        record(text=7),
        record(text=None),
        record(start="0"),
        record(end=None),
        record(start=0.5),
    ],
)
def test_a_line_that_is_no_labelled_note_is_told_with_file_and_line(tmp_path: Path, line: str) -> None:
    assert "W1.jsonl:2" in problems(corpus_folder(tmp_path, {"W1": [record(note_id="first"), line]}, SPLITS))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"start": -1}, "sentence span -1-10 is out of order or range"),
        ({"end": 99}, "sentence span 0-99 is out of order or range"),
        ({"start": 10}, "sentence span 10-10 is out of order or range"),
        ({"start": 3}, "text before this sentence belongs to no sentence"),
        ({"end": 4}, "text after the last sentence belongs to no sentence"),
        ({"sentences": []}, "text after the last sentence belongs to no sentence"),
        ({"severity": {"clinical.pills": 2}}, "unknown indicator 'clinical.pills'"),
        ({"practices": ["kindness"]}, "unknown practice 'kindness'"),
        ({"look_alike": "because"}, "unknown look-alike reason 'because'"),
        (
            {"look_alike": "declined", "severity": {"religious.promotion": 2}},
            "a look-alike reason beside a drift label",
        ),
        ({"decoy": True}, "a decoy without an indicator"),
        ({"severity": {"religious.promotion": 4}}, "severity"),
        ({"severity": {"religious.promotion": "high"}}, "severity"),
        ({"kind": "paragraph"}, "kind"),
        ({"labels": ["religious"]}, "labels"),
        ({"indicators": ["religious.promotion"]}, "indicators"),
    ],
)
def test_each_kind_of_fault_is_found(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    assert message in problems(corpus_folder(tmp_path, {"W1": [record(**change)]}, SPLITS))


def test_a_look_alike_reason_may_stand_beside_organizational(tmp_path: Path) -> None:
    severity = {"organizational.misassigned_tasks": 2}
    line = record(
        look_alike="declined",
        severity=severity,
        labels=["organizational"],
        indicators=["organizational.misassigned_tasks"],
    )
    assert read_corpus(corpus_folder(tmp_path, {"W1": [line]}, SPLITS)).notes[0].sentences[0].labels == (
        "organizational",
    )


def test_overlapping_and_unordered_sentences() -> None:
    def faults(*spans: tuple[int, int]) -> list[str]:
        note = LabelledNote("a", "W1", "One. Two.", tuple(LabelledSentence(*span) for span in spans))
        return [str(problem) for problem in check_notes([note])]

    assert faults((0, 4), (5, 9)) == []
    assert faults((0, 6), (5, 9)) == ["W1/a:2: sentence span 5-9 is out of order or range"]
    assert "W1/a:2: sentence span 0-4 is out of order or range" in faults((5, 9), (0, 4))


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    lines = [record(severity={"a.b": 1}), record(practices=["c"]), "{"]
    found = problems(corpus_folder(tmp_path, {"W1": lines, "W2": [record(voice="W2", note_id="z")]}, SPLITS))
    for message in (
        "unknown indicator 'a.b'",
        "unknown practice 'c'",
        "W1.jsonl:3",
        "voice 'W2' is in no split",
        "twice",
    ):
        assert message in found
    assert "5 problems; nothing was loaded." in found


@pytest.mark.parametrize("splits", [[], {}, {"train": [], "dev": []}, 3, {"train": 1, "dev": [], "test": []}])
def test_splits_that_name_no_voices(tmp_path: Path, splits: object) -> None:
    found = problems(corpus_folder(tmp_path, {"W1": [record()]}, splits))
    assert "splits.json:1: must list the voices of train, dev and test" in found


@pytest.mark.parametrize("first", ["train", "dev"])
def test_a_voice_in_two_splits_is_refused(tmp_path: Path, first: str) -> None:
    """Or a model is tested on the very notes that it was trained on."""
    splits = {"train": [], "dev": [], "test": ["W1"], **{first: ["W1"]}}
    assert "W1" in problems(corpus_folder(tmp_path, {"W1": [record()]}, splits))


def test_bytes_that_are_no_utf_8(tmp_path: Path) -> None:
    folder = corpus_folder(tmp_path, {"W1": []}, SPLITS)
    (folder / "notes" / "W1.jsonl").write_bytes(record().replace(".", "\u2019").encode("cp1252", "replace") + b"\x92")
    assert "W1.jsonl" in problems(folder)


def test_part_gives_the_notes_of_splits_in_one_order(tmp_path: Path) -> None:
    lines = {voice: [record(note_id=f"{voice}-{n}", voice=voice) for n in (1, 2)] for voice in ("W2", "W1", "D1", "T1")}
    splits = {"train": ["W1", "W2"], "dev": ["D1"], "test": ["T1"]}
    corpus = read_corpus(corpus_folder(tmp_path, lines, splits))
    assert [note.note_id for note in corpus.part("train")] == ["W1-1", "W1-2", "W2-1", "W2-2"]
    assert {note.voice for note in corpus.part("dev", "test")} == {"D1", "T1"}
    assert len(corpus.part()) == 0


# ---------------------------------------------------------------------------------------- inventory


def test_the_inventory_counts(tmp_path: Path) -> None:
    notes = {"W1": parse_marked(MARKED, "W1"), "D1": parse_marked("=== d\nMet Lou.{} Drove him home.{}", "D1")}
    lines = {voice: [note.to_json() for note in found] for voice, found in notes.items()}
    corpus = read_corpus(corpus_folder(tmp_path, lines, {"train": ["W1"], "dev": ["D1"], "test": []}))
    tables = inventory(corpus)
    assert tables["Size"] == {
        "voices": (1, 1, 0, 2), "notes": (2, 1, 0, 3), "notes without drift": (1, 1, 0, 2),
        "sentences": (6, 2, 0, 8), "decoys": (1, 0, 0, 1),
    }  # fmt: skip
    assert list(tables["Label"]) == list(LABELS)
    assert tables["Label"]["clinical"] == (2, 0, 0, 2)
    assert tables["Indicator"]["clinical.medication"] == (1, 0, 0, 1)
    assert tables["Practice"]["listening"] == (1, 0, 0, 1)
    assert tables["Look-alike"]["quotation"] == (1, 0, 0, 1)
    assert tables["Severity"] == {"1": (0, 0, 0, 0), "2": (3, 0, 0, 3), "3": (1, 0, 0, 1)}
    assert tables["Setting"] == {"(none)": (1, 1, 0, 2), "drop-in": (1, 0, 0, 1)}
    assert near_duplicates(corpus) == []


def test_notes_that_are_too_alike_are_found(tmp_path: Path) -> None:
    text = "Met with Lou at the library on Elm Street and we talked about his cat.{}"
    twin = text.replace("cat", "dog")
    lines = [note.to_json() for note in parse_marked(f"=== a\n{text}\n=== b\n{twin}\n=== c\nQuiet day.{{}}", "W1")]
    (pair,) = near_duplicates(read_corpus(corpus_folder(tmp_path, {"W1": lines}, SPLITS)))
    assert pair[:2] == ("W1/a", "W1/b") and pair[2] > 0.8
