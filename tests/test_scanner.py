"""The whole pipeline from outside: the same report however a note comes in, and no note that breaks it."""

from __future__ import annotations

import gc
import itertools
import json
import logging
import os
import pickle
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from peerdrift_nlp.classifier.bundle import OPERATING_POINTS, save_bundle
from peerdrift_nlp.classifier.linear import LinearModel
from peerdrift_nlp.classifier.training import outputs
from peerdrift_nlp.errors import BundleError, PeerdriftError, ProfileError, RulePackError, UsageError
from peerdrift_nlp.io import schema
from peerdrift_nlp.io.readers import open_export
from peerdrift_nlp.scanner import Scanner
from peerdrift_nlp.taxonomy import DRIFT_LABELS, LABELS, ROLE_CONSISTENT, taxonomy
from peerdrift_nlp.types import MAX_NOTE_CHARS, Note, NoteReport

ROOT = Path(__file__).parents[1]
MARKER = "xylorimba"  # a word that no rule, no message and no log line holds
DRIVE = "I drove her to Walmart and back."
NOTE = f"D: {DRIVE} He said the {MARKER} was loud.\nI listened to her. Counted her pills.\nFront desk had me do the filing."
VALIDATOR = Draft202012Validator(schema())


@pytest.fixture(scope="module")
def notes(sample: Path) -> list[Note]:
    """The notes of the sample export, under ids of their own."""
    found = [item for item in open_export(sample) if isinstance(item, Note)]
    assert len(found) > 100
    return [replace(note, note_id=f"n{number}") for number, note in enumerate(found)]


@pytest.fixture(scope="module")
def alone(scanner: Scanner, notes: list[Note]) -> list[NoteReport]:
    """Every note scanned by itself."""
    return [scanner.scan(note.text, note_id=note.note_id, **note.meta) for note in notes]


def check(report: NoteReport, text: str) -> None:
    """What holds for any complete report: spans in their sentence, sentences in the text, a valid line."""
    assert (report.status, report.problems) == ("complete", ())
    assert report.text == text
    spans = {(unit.start, unit.end): unit.kind for unit in report.sentences}
    reached = 0
    for start, end in spans:
        assert reached <= start < end <= len(text)
        reached = end
    for finding in report.findings:
        first, last = finding.sentence.start, finding.sentence.end
        assert spans[first, last] in ("sentence", "field")
        assert first <= finding.start < finding.end <= last
        for part in (*finding.evidence, *finding.words):
            assert first <= part.start < part.end <= last
        for cue in (cue for part in finding.evidence for cue in part.stance.cues):
            assert first <= cue.start < cue.end <= last
        assert finding.evidence or finding.origin == "model"
        assert finding.indicator in taxonomy().indicators and finding.indicator.startswith(f"{finding.label}.")
        assert (finding.locus == "organizational") == (finding.label == "organizational")
        assert 0 <= finding.probability <= 1 and finding.severity in (1, 2, 3)
        assert finding.reason and finding.question and finding.clears and finding.alternative and finding.guideline
    assert len({finding.id for finding in report.findings}) == len(report.findings)
    for strength in report.strengths:
        assert (strength.start, strength.end) in spans
        assert strength.practice in ("", *taxonomy().practices)
    for look_alike in report.look_alikes:
        around = [(first, last) for first, last in spans if first <= look_alike.start < look_alike.end <= last]
        assert len(around) == 1
        if look_alike.cue is not None:
            assert 0 <= look_alike.cue.start < look_alike.cue.end <= len(text)
    assert report.summary["findings"] + report.summary["organizational"] == len(report.findings)
    VALIDATOR.validate(report.to_dict())


# ---------------------------------------------------------------------------------------- one way is as good as another


def test_every_note_of_the_sample_holds_together(notes: list[Note], alone: list[NoteReport]) -> None:
    for note, report in zip(notes, alone, strict=True):
        check(report, note.text)
        assert (report.note_id, dict(report.meta)) == (note.note_id, dict(note.meta))
    found = {finding.label for report in alone for finding in report.findings}
    assert found == {*DRIFT_LABELS, "organizational"}
    assert any(report.strengths for report in alone) and any(report.look_alikes for report in alone)


def test_many_is_one_by_one(scanner: Scanner, notes: list[Note], alone: list[NoteReport]) -> None:
    assert list(scanner.scan_many(notes)) == alone


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_company_of_other_notes_changes_nothing(
    scanner: Scanner, notes: list[Note], alone: list[NoteReport], seed: int
) -> None:
    places = list(range(len(notes)))
    random.Random(seed).shuffle(places)
    chosen = [*places[: random.Random(seed).randrange(20, len(places))], places[0]]
    assert list(scanner.scan_many(notes[place] for place in chosen)) == [alone[place] for place in chosen]


def test_two_processes_give_the_same_in_the_same_order(
    scanner: Scanner, notes: list[Note], alone: list[NoteReport]
) -> None:
    times = 1 + 600 // len(notes)  # enough for two chunks
    many = list(scanner.scan_many(notes * times, jobs=2))
    assert many == alone * times


def test_threads_share_one_scanner(scanner: Scanner, notes: list[Note], alone: list[NoteReport]) -> None:
    def one_by_one() -> list[NoteReport]:
        return [scanner.scan(note.text, note_id=note.note_id, **note.meta) for note in notes]

    with ThreadPoolExecutor(1) as pool:
        singly = pool.submit(one_by_one)
        batches = pool.submit(lambda: [list(scanner.scan_many(part)) for part in (notes[:40], notes[40:])])
        for _ in range(3):
            assert one_by_one() == alone
        assert singly.result() == alone
        assert [report for batch in batches.result() for report in batch] == alone


def test_pairs_are_notes(scanner: Scanner) -> None:
    assert list(scanner.scan_many([("a", NOTE)])) == list(scanner.scan_many([Note("a", NOTE)]))


@pytest.mark.parametrize("item", [NOTE, ("a", NOTE, {}), None, 7])
def test_what_is_no_note_is_refused_without_its_text(scanner: Scanner, item: Any) -> None:
    with pytest.raises(UsageError, match=r"must be a Note or a pair \(note_id, text\), not ") as caught:
        list(scanner.scan_many([item]))
    assert NOTE not in str(caught.value)


@pytest.mark.parametrize(
    ("item", "said"),
    [
        (("b", None), """note 'b': its text must be a str, not NoneType; "" stands for none"""),
        (("b", float("nan")), "note 'b': its text must be a str, not float"),
        (("b", NOTE.encode()), "note 'b': its text must be a str, not bytes"),
        ((17, NOTE), "the id of a note must be a str, not int"),
    ],
)
def test_a_note_of_wrong_types_is_refused_by_its_id(scanner: Scanner, item: Any, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        list(scanner.scan_many([("a", NOTE), item]))
    with pytest.raises(UsageError, match=re.escape(said)):
        scanner.scan(item[1], note_id=item[0])


def test_meta_that_no_report_could_hold_is_refused(scanner: Scanner) -> None:
    for meta in (None, {"date": date(2026, 3, 1)}, {1: "x"}):
        with pytest.raises(UsageError, match="^note 'a': its meta must be a mapping of str to str$"):
            Note("a", NOTE, meta)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="its text must be a str, not NoneType"):
        scanner.explain(None)  # type: ignore[arg-type]


@pytest.mark.parametrize("jobs", [0, -1, 1.5, "2", None])
def test_a_number_of_jobs_that_is_none_is_refused(scanner: Scanner, jobs: Any) -> None:
    with pytest.raises(UsageError, match="^jobs is .*; give a number of processes from 1 on$"):
        list(scanner.scan_many([("a", NOTE)], jobs=jobs))


def test_one_path_where_a_list_belongs_is_refused() -> None:
    for name in ("packs", "suppress"):
        with pytest.raises(UsageError, match=f"^{name} is one path; give a list of paths$"):
            Scanner(model="fast", **{name: "own.toml"})  # type: ignore[arg-type]


def test_a_second_scan_remembers_nothing_of_the_first(scanner: Scanner) -> None:
    first = scanner.scan(NOTE, note_id="a")
    scanner.scan("Counted his pills. " * 50)
    assert scanner.scan(NOTE, note_id="a") == first


def test_a_flood_of_new_words_changes_nothing(scanner: Scanner) -> None:
    """The engine forgets words now and then, so that memory stays flat; reports must not notice."""
    first = scanner.scan(NOTE, note_id="a")
    letters = "bcdfghjklmnpqrst"
    words = ("".join(word) for word in itertools.product(letters, repeat=5))
    for _ in range(4):
        flood = " ".join(itertools.islice(words, 60_000))
        assert scanner.scan(flood).status == "complete"
        assert scanner.scan(NOTE, note_id="a") == first


# ---------------------------------------------------------------------------------------- lazy, in order


def endless(taken: list[int], text: str = DRIVE) -> Iterator[Note]:
    for number in itertools.count():
        taken.append(number)
        yield Note(str(number), text)


def test_notes_are_read_as_they_are_needed(scanner: Scanner) -> None:
    taken: list[int] = []
    reports = scanner.scan_many(endless(taken))
    assert not taken
    assert next(reports).note_id == "0"
    assert len(taken) < 2_000
    assert [report.note_id for report in itertools.islice(reports, 3_000)] == [str(n) for n in range(1, 3_001)]
    assert len(taken) < 5_000


def test_two_processes_are_fed_as_needed(scanner: Scanner) -> None:
    """Whoever takes reports slowly must not find the whole export in memory."""
    total = 30_000
    taken: list[int] = []
    reports = scanner.scan_many(itertools.islice(endless(taken, text=""), total), jobs=2)
    assert not taken
    assert [next(reports).note_id for _ in range(3)] == ["0", "1", "2"]
    for _ in range(12):  # time enough to read everything ahead; empty notes take next to none
        if len(taken) < total:
            time.sleep(0.5)
    ahead = len(taken)
    assert [report.note_id for report in reports] == [str(number) for number in range(3, total)]
    assert ahead < total


def test_no_notes_give_no_reports(scanner: Scanner) -> None:
    assert list(scanner.scan_many([])) == []
    assert list(scanner.scan_many(iter([]), jobs=2)) == []


def test_an_error_of_the_source_comes_through(scanner: Scanner) -> None:
    def source() -> Iterator[Note]:
        yield from (Note(str(number), DRIVE) for number in range(1_000))
        raise OSError("the share is gone")

    seen = []
    with pytest.raises(OSError, match="the share is gone"):
        seen.extend(report.note_id for report in scanner.scan_many(source()))
    reports = scanner.scan_many(source())
    assert next(reports).note_id == "0"


# ---------------------------------------------------------------------------------------- odd notes


@pytest.mark.parametrize("text", ["", " ", "\n", " \t\r\n  \u00a0\u2003\u200b ", "\ufeff", "\x00\x01"], ids=repr)
def test_nothing_to_read(scanner: Scanner, text: str) -> None:
    report = scanner.scan(text, note_id="a")
    check(report, text)
    assert not (report.findings or report.strengths or report.look_alikes)
    assert report.summary["sentences"] == 0 or text.strip()


@pytest.mark.parametrize(
    "text", ["a", ".", "?", "I", "7", "\u00e9", "\U0001f600", "\u0301", '"', "-", "\u202e", "\x85", "="], ids=repr
)
def test_one_character(scanner: Scanner, text: str) -> None:
    check(scanner.scan(text, note_id="a"), text)


def test_a_note_that_is_too_long_fails_without_its_text(scanner: Scanner) -> None:
    long = f"{MARKER} " * (1 + MAX_NOTE_CHARS // len(MARKER))
    first, failed, last = scanner.scan_many([Note("a", DRIVE), Note("b", long, {"worker": "w"}), Note("c", DRIVE)])
    assert (first.note_id, first.status, last.note_id, last.status) == ("a", "complete", "c", "complete")
    assert (failed.note_id, failed.status, dict(failed.meta)) == ("b", "failed", {"worker": "w"})
    assert f"{MAX_NOTE_CHARS:,}" in failed.problems[0]
    assert failed.text == "" and not failed.sentences
    assert MARKER not in failed.to_json() + repr(failed)
    VALIDATOR.validate(failed.to_dict())


def test_a_note_just_within_the_limit_is_scanned(scanner: Scanner) -> None:
    text = f"{DRIVE} {DRIVE}".rjust(MAX_NOTE_CHARS)
    report = scanner.scan(text, note_id="a")
    assert report.status == "complete" and len(text) == MAX_NOTE_CHARS
    assert report.findings[-1].sentence.end == MAX_NOTE_CHARS


@pytest.mark.parametrize(
    "text",
    [
        "a. " * 50_000,
        "\n" * 20_000,
        "w" * 200_000,
        ". " * 50_000,
        "- " * 30_000,
        '"' * 2_000,
        "A:" * 3_000,
        "a\n\n" * 20_000,
        "drove her to " * 1_500,
        "\u0301" * 50_000,
        f"{DRIVE} " * 1_000,
        ("He said that she said that " * 3_000) + DRIVE,
    ],
    ids=lambda text: repr(text[:12]),
)
def test_much_of_the_same(scanner: Scanner, text: str) -> None:
    report = scanner.scan(text, note_id="a")
    assert report.status == "complete"
    assert all(unit.end <= len(text) for unit in report.sentences)


HOSTILE = [
    "I drove\x00her to\x07 Walmart.\x1b[31m Counted her pills.\x7f",
    "\u202eI drove her to Walmart.\u202c \u0627\u0644\u0633\u0644\u0627\u0645 \u05e9\u05dc\u05d5\u05dd Counted her pills.",
    "\U0001f600 I drove her \U0001f468\u200d\U0001f469\u200d\U0001f467 to Walmart. \U0001f1fa\U0001f1f8",
    "I d\u0332r\u0332ove her to Walmart\u200b and ba\u00adck.",
    "I\u00a0drove\u2003her\u3000to\u2028Walmart.\u2029Counted\x85her pills.",
    "\ufeffI drove her to Walmart.\r\nCounted her pills.\rDone.\x0b\x0c",
    "\uff29 \uff44\uff52\uff4f\uff56\uff45 her to \uff37almart. \ufb01led the papers. \u0130stanbul. STRA\u1e9eE. \u01c5",
    "<script>alert('I drove her')</script> {{ 7*7 }} %s %(x)s ${jndi:ldap://x} ' OR 1=1 --",
    "=cmd|' /C calc'!A0. \\\\server\\share C:\\drove\\her",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_notes(scanner: Scanner, text: str) -> None:
    check(scanner.scan(text, note_id="a"), text)


@pytest.mark.parametrize(
    "text",
    [f"{DRIVE} \ud800 Counted her pills.", "\udc80", "a\udfffb", "\ud83d I listened.", "\ude00\ud83d"],
    ids=["between", "alone", "inside a word", "half an emoji", "turned"],
)
def test_lone_surrogates(scanner: Scanner, text: str) -> None:
    """What a broken export leaves of an emoji; one such note must not stop the other notes of its batch."""
    before, odd, after = scanner.scan_many([Note("a", DRIVE), Note("b", text), Note("c", DRIVE)])
    assert (before.status, after.status) == ("complete", "complete")
    check(odd, text)


PIECES = st.sampled_from(
    [
        DRIVE, "Counted her pills.", "I listened", "D:", "A: ", "Plan -", "\n", "\n\n", "\r\n", "- ", "\u2022 ", '"', "\u201c", "\u201d",
        "he said", "not", "Prayed over him.", "told her she should", "Lent him $20", "Front desk had me do the filing.",
        "Program: Harbor House\n", "Jordan P., CPS", "\u2019", "...", "!?", "\u00a0", "\U0001f600", "\u202e", "\x00", "\ufeff",
        "if she asks,", "the nurse", "Dr. Lee", "12:30 p.m.", "F33.1", "@", "#", "I declined to",
    ]
)  # fmt: skip
SAFE_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
TEXTS = st.lists(st.one_of(PIECES, SAFE_TEXT), max_size=25).map(" ".join) | st.text(
    st.characters(exclude_categories=["Cs"])
)


@settings(deadline=None, max_examples=250)
@given(text=TEXTS)
def test_any_text(scanner: Scanner, text: str) -> None:
    check(scanner.scan(text, note_id="a"), text)


@settings(deadline=None, max_examples=40)
@given(texts=st.lists(TEXTS, min_size=2, max_size=6))
def test_any_batch(scanner: Scanner, texts: list[str]) -> None:
    reports = list(scanner.scan_many([(str(number), text) for number, text in enumerate(texts)]))
    assert reports == [scanner.scan(text, note_id=str(number)) for number, text in enumerate(texts)]


@settings(deadline=None, max_examples=60)
@given(text=st.text())
def test_any_text_with_surrogates(scanner: Scanner, text: str) -> None:
    check(scanner.scan(text, note_id="a"), text)


# ---------------------------------------------------------------------------------------- the contract


def test_a_report_without_an_id_is_a_valid_line_too(scanner: Scanner) -> None:
    VALIDATOR.validate(scanner.scan(NOTE).to_dict())


def test_offsets_are_code_points_of_the_text_as_given(scanner: Scanner) -> None:
    text = f"\U0001f600\U0001f600 \u201cHi\u201d \u2014 ok.\r\n{DRIVE}"
    (finding,) = [item for item in scanner.scan(text).findings if item.indicator == "lax_boundaries.transport"]
    assert text[finding.sentence.start : finding.sentence.end] == DRIVE
    assert text[finding.start : finding.end] in DRIVE


def test_a_line_holds_no_note_text(scanner: Scanner) -> None:
    report = scanner.scan(NOTE, note_id="a")
    assert report.findings
    assert MARKER not in report.to_json() and "Walmart" not in report.to_json()
    assert MARKER not in repr(report) + str(report)


def test_a_report_cannot_be_changed(scanner: Scanner) -> None:
    report = scanner.scan(NOTE)
    for thing, name in ((report, "status"), (report.findings[0], "severity"), (report.engine, "model")):
        with pytest.raises(AttributeError):
            setattr(thing, name, "other")


# ---------------------------------------------------------------------------------------- explain


def test_explain_tells_of_each_sentence_what_the_report_rests_on(scanner: Scanner) -> None:
    report, explanations = scanner.explain(NOTE)
    assert replace(report, note_id="a") == scanner.scan(NOTE, note_id="a")
    assert tuple(item.sentence for item in explanations) == report.sentences
    by_start = {item.sentence.start: item for item in explanations}
    assert report.findings
    for finding in report.findings:
        item = by_start[finding.sentence.start]
        assert item.probabilities[finding.label] == pytest.approx(finding.probability, abs=1e-9)
        standing = {hit.rule_id for hit in item.hits if not hit.cleared_by}
        assert {part.rule_id for part in finding.evidence} <= standing
    for item in explanations:
        assert list(item.probabilities) == list(item.features) == list(LABELS)
        for weights in item.features.values():
            assert [abs(weight) for _, weight in weights] == sorted(
                (abs(weight) for _, weight in weights), reverse=True
            )


def test_explain_refuses_what_is_too_long_without_quoting_it(scanner: Scanner) -> None:
    with pytest.raises(UsageError, match="longer than") as caught:
        scanner.explain(f"{MARKER} " * MAX_NOTE_CHARS)
    assert MARKER not in str(caught.value)
    assert scanner.explain("")[1] == []


# ---------------------------------------------------------------------------------------- frames


COLUMNS = [
    "note_id", "label", "indicator", "locus", "severity", "probability", "start", "end", "origin", "reason", "question",
    "problem",
]  # fmt: skip


def test_a_frame_gives_a_row_a_finding(scanner: Scanner) -> None:
    frame = pd.DataFrame({"id": ["x1", "x2", "x3"], "note": [DRIVE, "Quiet day.", f"{DRIVE} Counted her pills."]})
    table = scanner.scan_frame(frame, text="note", id="id")
    assert list(table.columns) == COLUMNS
    expected = [
        [key, *(getattr(item, name) for name in COLUMNS[1:-1])]
        for key, text in zip(frame["id"], frame["note"], strict=True)
        for item in scanner.scan(text).findings
    ]
    assert table[COLUMNS[:-1]].to_numpy().tolist() == expected and {"x1", "x3"} <= set(table["note_id"])
    assert list(frame.columns) == ["id", "note"]


def test_a_note_of_a_frame_that_cannot_be_scanned_has_a_row_that_says_so(scanner: Scanner) -> None:
    table = scanner.scan_frame(pd.DataFrame({"note": [DRIVE, "x" * (MAX_NOTE_CHARS + 1)]}), text="note")
    (row,) = table[table["note_id"] == "1"].to_dict("records")
    assert f"{MAX_NOTE_CHARS:,}" in row.pop("problem")
    assert row.pop("note_id") == "1" and all(map(pd.isna, row.values()))
    assert table[table["note_id"] == "0"]["problem"].isna().all()


def test_a_frame_without_ids_uses_its_index(scanner: Scanner) -> None:
    frame = pd.DataFrame({"note": [DRIVE, DRIVE]}, index=["left", "right"])
    assert set(scanner.scan_frame(frame, text="note")["note_id"]) == {"left", "right"}
    assert set(scanner.scan_frame(frame.reset_index(drop=True), text="note")["note_id"]) == {"0", "1"}


@pytest.mark.parametrize(
    "values",
    [
        [DRIVE, None],
        [None, DRIVE],
        [DRIVE, np.nan],
        [pd.NA, DRIVE, pd.NaT, 3, 2.5],
        pd.array([DRIVE, pd.NA], dtype="string"),
        pd.Categorical([DRIVE, None]),
        pd.Series([DRIVE, None], dtype=object),
    ],
    ids="none first nan mixed string categorical object".split(),
)
def test_missing_values_are_empty_notes(scanner: Scanner, values: Any) -> None:
    table = scanner.scan_frame(pd.DataFrame({"note": values}), text="note")
    assert len(set(table["note_id"])) == 1
    assert set(table["indicator"]) == {item.indicator for item in scanner.scan(DRIVE).findings}


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"note": []}),
        pd.DataFrame({"note": [np.nan, np.nan]}),
        pd.DataFrame({"note": [None, None]}),
        pd.DataFrame({"note": ["", "  "]}),
        pd.DataFrame({"note": [1, 2]}),
    ],
    ids="no-rows nan none blank numbers".split(),
)
def test_a_frame_without_anything_to_find(scanner: Scanner, frame: pd.DataFrame) -> None:
    table = scanner.scan_frame(frame, text="note")
    assert list(table.columns) == COLUMNS and len(table) == 0


def test_an_unknown_column_is_told_with_the_columns_there_are(scanner: Scanner) -> None:
    frame = pd.DataFrame({"id": ["1"], "note": [MARKER]})
    for options in ({"text": "body"}, {"text": "note", "id": "body"}):
        with pytest.raises(UsageError, match=r"no column 'body'; the frame has id, note") as caught:
            scanner.scan_frame(frame, **options)
        assert MARKER not in str(caught.value)


def test_two_columns_of_one_name_are_refused_in_plain_words(scanner: Scanner) -> None:
    frame = pd.DataFrame([[DRIVE, "b"]], columns=["note", "note"])
    with pytest.raises(UsageError, match="note"):
        scanner.scan_frame(frame, text="note")


# ---------------------------------------------------------------------------------------- how a scanner is set up


def test_an_unknown_operating_point_is_told_with_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"operating point 'strict'; use one of careful, balanced, thorough"):
        Scanner(operating_point="strict")


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="is not a model bundle"):
        Scanner(model=tmp_path)


def test_a_pack_that_is_not_there_or_broken(tmp_path: Path) -> None:
    with pytest.raises(RulePackError, match=r"none\.toml"):
        Scanner(packs=[tmp_path / "none.toml"])
    (tmp_path / "own.toml").write_text("[pack]\nname = 3\n")
    with pytest.raises(RulePackError, match=r"^own\.toml:"):
        Scanner(packs=[tmp_path / "own.toml"])


def test_a_pickled_scanner_is_its_spec_and_scans_the_same(scanner: Scanner, notes: list[Note]) -> None:
    """And what is flagged at the careful point is flagged at the balanced one, too."""
    careful = Scanner(operating_point="careful")
    data = pickle.dumps(careful)
    assert len(data) < 2_000
    twin = pickle.loads(data)
    assert (twin.spec, twin.engine, twin.profile) == (careful.spec, careful.engine, careful.profile)
    for note in notes[:60]:
        few, many = ({finding.id for finding in each.scan(note.text).findings} for each in (twin, scanner))
        assert few <= many


def test_a_scanner_whose_files_have_changed_does_not_go_to_another_process(tmp_path: Path) -> None:
    """It would find something else there than here."""
    own = tmp_path / "own.toml"
    own.write_text(PACK)
    made = Scanner(model="fast", packs=[own])
    data = pickle.dumps(made)
    own.write_text(PACK.replace("xylorimba]", "marimba]"))
    with pytest.raises(UsageError, match="is not what it was when this scanner was made"):
        pickle.loads(data)
    with pytest.raises(UsageError, match="is not what it was when this scanner was made"):
        list(made.scan_many([("a", NOTE)], jobs=2))


def test_a_scanner_with_another_model_stays_here_and_leaves_the_first_as_it_was() -> None:
    made = Scanner(model="fast")
    other = Scanner(model="default").bundle
    twin = made.with_bundle(other)
    assert pickle.loads(pickle.dumps(made)).engine == made.engine != twin.engine
    with pytest.raises(UsageError, match="a scanner that with_bundle made cannot go to another process"):
        pickle.loads(pickle.dumps(twin))


PACK = """
[pack]
name = "agency"
version = "1"
language = "en"

[[rule]]
id = "agency.xylorimba"
matcher = "boundary"
indicator = "lax_boundaries.money"
severity = 3
patterns = ["sold {them} (a|the|my) xylorimba"]
message = "The house forbids selling instruments."
source = "house rule 4"
fires = ["I [[sold her my xylorimba]].", "[[sold him a xylorimba]] again"]
silent = ["Her aunt sold her a xylorimba."]
"""


# ---------------------------------------------------------------------------------------- profiles


def profile(folder: Path, policies: str = "", **entries: str) -> Path:
    lines = {"name": '"ours"', "title": '"Our program"', **entries}
    path = folder / "ours.toml"
    text = "".join(f"{key} = {value}\n" for key, value in lines.items() if value)
    path.write_text(f"{text}\n[policies]\n{policies}", encoding="utf-8")
    return path


def sure_model(folder: Path) -> Path:
    """A bundle that finds a ride, pills and a loan to be drift by one word alone, whatever the rules say."""
    names, terms = outputs(), ("drove", "pills", "lent")
    coef = np.zeros((len(terms), len(names)), dtype=np.float32)
    for term, wanted in enumerate(("lax_boundaries", "clinical", "lax_boundaries")):
        coef[term, names.index(wanted)] = 8
    flat = np.full(len(names), -3, dtype=np.float32)
    calibration = np.tile(np.array([[1, 0]], dtype=np.float32), (len(names), 1))
    model = LinearModel(names, terms, np.ones(len(terms), dtype=np.float32), coef, flat, calibration)
    thresholds = {point: {label: 0.5 for label in LABELS} for point in OPERATING_POINTS}
    save_bundle(folder / "sure", model, thresholds, {"version": "sure-1", "packs": {}}, "# Sure\n")
    return folder / "sure"


PILLS, LOAN = "Counted her pills.", "Lent her twenty dollars."


@pytest.fixture(scope="module")
def kind(tmp_path_factory: pytest.TempPathFactory) -> Scanner:
    """A scanner with a pack of its own for a program that allows rides; its model is sure that they are drift."""
    folder = tmp_path_factory.mktemp("kind")
    policies = 'transport = true\nrequired_phrases = ["Counted HER pills"]\nprogram_names = ["lent her"]\n'
    (folder / "agency.toml").write_text(PACK, encoding="utf-8")
    return Scanner(model=sure_model(folder), profile=profile(folder, policies), packs=[folder / "agency.toml"])


@pytest.mark.parametrize(
    ("text", "indicator", "reason"),
    [
        (DRIVE, "lax_boundaries.transport", "policy"),
        (PILLS, "clinical.medication", "policy"),
        ("Counted  her pills.", "clinical.medication", "policy"),
        (LOAN, "lax_boundaries.money", "header"),
    ],
    ids=["switch", "required phrase", "spaced", "program name"],
)
def test_what_the_program_allows_is_a_look_alike_however_sure_the_model_is(
    scanner: Scanner, kind: Scanner, text: str, indicator: str, reason: str
) -> None:
    assert indicator in {finding.indicator for finding in scanner.scan(text).findings}
    report = kind.scan(text)
    assert report.engine.profile == "ours"
    (item,) = [item for item in report.look_alikes if item.indicator == indicator]
    assert item.reason == reason
    if text != DRIVE:
        assert item.cue is not None
        assert " ".join(text[item.cue.start : item.cue.end].lower().split()) in ("counted her pills", "lent her")
    assert not report.findings


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Counted his pills.", "clinical"),
        ("Recounted her pills.", "clinical"),
        ("Lent herself a hand; lent Herman twenty dollars.", "lax_boundaries"),
        ("Lent him twenty dollars.", "lax_boundaries"),
        (f"{DRIVE} Counted his pills.", "clinical"),
        ("I drove her to the bank and lent him twenty dollars.", "lax_boundaries"),
    ],
)
def test_a_profile_clears_nothing_else(kind: Scanner, text: str, label: str) -> None:
    assert label in {finding.label for finding in kind.scan(text).findings}


def test_a_sentence_that_is_nothing_but_such_a_phrase_is_not_scored(tmp_path: Path) -> None:
    """The model is sure of it, and no rule sees it; two phrases may make up a sentence together."""
    phrases = ["Client drove to a", "goal", "Pills & Prayers"]
    model, allowing = sure_model(tmp_path), f"required_phrases = {json.dumps(phrases)}\n"
    strict, spared = Scanner(model=model), Scanner(model=model, profile=profile(tmp_path, allowing))
    for text in ("Pills & Prayers.", "- pills  &\tprayers", "Client drove to a goal."):
        assert {finding.origin for finding in strict.scan(text).findings} == {"model"}
        assert not spared.scan(text).findings
        assert spared.scan(f"{text} Later his pills came.").findings
        assert spared.scan(f"{text.rstrip('.')} with pills.").findings


def test_an_agency_pack_is_used(kind: Scanner, scanner: Scanner) -> None:
    assert set(kind.engine.packs) - set(scanner.engine.packs) == {"agency"}
    text = "I sold her my xylorimba. Her aunt sold her a xylorimba."
    report, explanations = kind.explain(text)
    hits = [hit for item in explanations for hit in item.hits if hit.rule_id == "agency.xylorimba"]
    assert [text[hit.start : hit.end] for hit in hits] == ["sold her my xylorimba", "sold her a xylorimba"]
    assert [bool(hit.cleared_by) for hit in hits] == [False, True]
    told = [part.rule_id for finding in report.findings for part in finding.evidence]
    told += [item.rule_id for item in report.look_alikes]
    assert "agency.xylorimba" in told
    assert not [hit for item in scanner.explain(text)[1] for hit in item.hits if hit.rule_id == "agency.xylorimba"]


def test_profiles_hold_in_batches_and_pickles(kind: Scanner, notes: list[Note]) -> None:
    expected = [kind.scan(note.text, note_id=note.note_id, **note.meta) for note in notes[:40]]
    assert list(kind.scan_many(notes[:40])) == expected
    assert pickle.loads(pickle.dumps(kind)).profile == kind.profile


def test_a_spec_is_the_same_in_every_process() -> None:
    """Whoever goes on with an interrupted run compares it."""
    code = "from peerdrift_nlp import Scanner; print(Scanner(model='fast', profile='crisis-team').spec.fingerprint)"
    told = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, cwd=ROOT, capture_output=True,
            check=True,
        ).stdout
        for seed in "123"
    }  # fmt: skip
    assert len(told) == 1


@pytest.mark.parametrize(
    ("policies", "entries", "message"),
    [
        ("transprt = true\n", {}, "ours.toml:5: unknown key 'transprt' in [policies]. Did you mean 'transport'?"),
        (
            "xyz = true\n",
            {},
            "ours.toml:5: unknown key 'xyz' in [policies]. Allowed: coach_title, contact_hours, faith,",
        ),
        ('transport = "yes"\n', {}, "ours.toml:5: 'transport' must be true (allowed here) or false."),
        ("faith = 1\n", {}, "ours.toml:5: 'faith' must be true (allowed here) or false."),
        ('required_phrases = "x"\n', {}, "ours.toml:5: 'required_phrases' must be a list of non-empty strings."),
        ("program_names = [3]\n", {}, "ours.toml:5: 'program_names' must be a list of non-empty strings."),
        ('program_names = [" "]\n', {}, "ours.toml:5: 'program_names' must be a list of non-empty strings."),
        ("", {"resources": "[3]"}, "ours.toml:3: 'resources' must be a list of non-empty strings."),
        ("", {"name": ""}, "ours.toml:1: 'name' is missing."),
        ("", {"title": "3"}, "'title'"),
        ("", {"tittle": '"x"'}, "ours.toml:3: unknown key 'tittle' in the file. Did you mean 'title'?"),
    ],
)
def test_a_bad_profile_is_told_with_file_line_and_fix(
    tmp_path: Path, policies: str, entries: dict[str, str], message: str
) -> None:
    with pytest.raises(ProfileError) as caught:
        Scanner(profile=profile(tmp_path, policies, **entries))
    assert message in str(caught.value)
    assert str(caught.value).endswith("1 problem; nothing was loaded.")


def test_all_problems_of_a_profile_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ProfileError) as caught:
        Scanner(profile=profile(tmp_path, 'transprt = true\nfaith = 3\nprogram_names = "x"\n', name=""))
    assert len(caught.value.problems) == 4


@pytest.mark.parametrize("value", ["3", "true", '"transport"', '["transport"]'])
def test_policies_that_are_no_table(tmp_path: Path, value: str) -> None:
    (tmp_path / "ours.toml").write_text(f'name = "a"\ntitle = "b"\npolicies = {value}\n')
    with pytest.raises(ProfileError, match=r"ours\.toml:3: .*policies"):
        Scanner(profile=tmp_path / "ours.toml")


def test_a_profile_that_is_no_toml_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "ours.toml").write_text('name = "a"\n\n\ntitle =\n')
    with pytest.raises(ProfileError, match=r"^ours\.toml:4: is not valid TOML"):
        Scanner(profile=tmp_path / "ours.toml")


def test_a_profile_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=r"no such profile; shipped: .*article"):
        Scanner(profile="nowhere")
    with pytest.raises(ProfileError, match=r"none\.toml: cannot be read"):
        Scanner(profile=tmp_path / "none.toml")


# ---------------------------------------------------------------------------------------- what gets out


def test_ids_and_counts_are_logged_and_nothing_is_printed(
    scanner: Scanner, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        first, _ = scanner.scan_many([Note("a", NOTE), Note("b\nc", MARKER * MAX_NOTE_CHARS)])
        scanner.scan(NOTE)
        scanner.explain(NOTE)
        scanner.scan_frame(pd.DataFrame({"note": [NOTE]}), text="note")
    found = len(first.findings)
    assert [(record.name, record.levelname, record.getMessage()) for record in caplog.records] == [
        (
            "peerdrift_nlp.scanner",
            "INFO",
            "note 'b\\nc' is failed: longer than 1,000,000 characters; split it into its notes",
        ),
        ("peerdrift_nlp.scanner", "DEBUG", f"notes: 2, findings: {found}"),
        ("peerdrift_nlp.scanner", "DEBUG", f"notes: 1, findings: {found}"),
        ("peerdrift_nlp.scanner", "DEBUG", f"notes: 1, findings: {found}"),
    ]
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""


@pytest.mark.parametrize("broken", [None, 3, b"xylorimba", ["xylorimba"], {"xylorimba": 1}])
def test_no_exception_quotes_a_note(scanner: Scanner, broken: Any) -> None:
    with pytest.raises(Exception) as caught:
        list(scanner.scan_many([Note("a", NOTE), Note("b", broken)]))
    error: BaseException | None = caught.value
    while error is not None:
        assert not re.search(MARKER, f"{error} {error!r} {vars(error)}")
        error = error.__cause__ or error.__context__


def test_no_known_error_quotes_a_note(scanner: Scanner, tmp_path: Path) -> None:
    frame = pd.DataFrame({"note": [NOTE]})
    for attempt in (
        lambda: scanner.scan_frame(frame, text="nope"),
        lambda: scanner.explain(NOTE * (1 + MAX_NOTE_CHARS // len(NOTE))),
    ):
        with pytest.raises(PeerdriftError) as caught:
            attempt()
        assert MARKER not in f"{caught.value} {caught.value!r}"


def test_role_consistent_practice_is_a_strength_and_never_a_finding(alone: list[NoteReport]) -> None:
    assert not [item for report in alone for item in report.findings if item.label == ROLE_CONSISTENT]


# ---------------------------------------------------------------- Python's garbage collector


@pytest.mark.parametrize("is_on", [True, False])
def test_the_garbage_collector_is_left_as_it_was(
    scanner: Scanner, monkeypatch: pytest.MonkeyPatch, is_on: bool
) -> None:
    def fail(*_: object) -> None:
        assert not gc.isenabled()
        raise ZeroDivisionError

    (gc.enable if is_on else gc.disable)()
    try:
        scanner.scan("I counted her pills.")
        assert gc.isenabled() == is_on
        monkeypatch.setattr(scanner, "_read", fail)
        with pytest.raises(ZeroDivisionError):
            scanner.scan("I counted her pills.")
        assert gc.isenabled() == is_on
    finally:
        gc.enable()


def test_the_garbage_collector_runs_between_the_reports_of_a_stream(scanner: Scanner) -> None:
    assert all(gc.isenabled() for _ in scanner.scan_many([("1", "I counted her pills.")] * 3))
