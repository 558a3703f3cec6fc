"""Baselines: known notes and decided flags are not shown again, edits are; no text, and no file that is not understood."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from report_makers import finding, report, spans

from peerdrift_nlp.errors import BaselineError, DecisionsError, UsageError
from peerdrift_nlp.report.baseline import DECIDED, Baseline, open_baseline
from peerdrift_nlp.report.decisions import Decision, Decisions, Verdict
from peerdrift_nlp.report.fingerprint import Fingerprints
from peerdrift_nlp.types import Note, NoteReport

PILLS, RIDE = "Counted her pills.", "Drove her to the bank."
TEXT = f"Met Ana. {PILLS} {RIDE}"
MEDICATION, TRANSPORT = "clinical.medication", "lax_boundaries.transport"


def scanned(text: str = TEXT, note_id: str = "n1") -> NoteReport:
    """A report that flags what the text holds of the two sentences."""
    flags = [(PILLS, MEDICATION), (RIDE, TRANSPORT)]
    found = [finding(name, spans(text, words), name=words) for words, name in flags if words in text]
    return report(note_id, text, findings=found)


def shown(baseline: Baseline, *reports: NoteReport) -> list[list[str]]:
    """What a run with this baseline would show of the notes, the known ones left out."""
    new = [item for item in reports if not baseline.is_known(Note(item.note_id, item.text))]
    found = [[flag.indicator for flag in baseline.undecided(item).findings] for item in new]
    baseline.save()
    return found


def decided(baseline: Baseline, *verdicts: tuple[str, str, Verdict], text: str = TEXT) -> Decisions:
    """Decisions as the page makes them: sentences by their offsets, the note by its fingerprint."""
    note = Fingerprints(baseline.key).note(text)
    made = [Decision(note, *spans(text, words), name, verdict) for words, name, verdict in verdicts]
    return Decisions("2026-03-01T09:00:00+00:00", baseline.key_id, "2026-03-02T09:00:00Z", tuple(made))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "seen.json"


def test_a_known_note_is_not_shown_again_and_an_edit_is(path: Path) -> None:
    assert shown(Baseline(path), scanned()) == [[MEDICATION, TRANSPORT]]
    assert shown(Baseline(path), scanned(), scanned(f"{TEXT} She laughed.")) == [[MEDICATION, TRANSPORT]]
    assert shown(Baseline(path), scanned(), scanned(f"{TEXT} She laughed.")) == []


def test_white_space_and_curly_quotes_are_no_edit(path: Path) -> None:
    shown(Baseline(path), scanned("Didn't meet.\n\nCounted her pills."))
    assert Baseline(path).is_known(Note("n1", "  Didn’t meet. Counted  her pills.\r\n"))


def test_the_same_words_in_another_note_are_new(path: Path) -> None:
    shown(Baseline(path), scanned())
    assert shown(Baseline(path), scanned(note_id="n2")) == [[MEDICATION, TRANSPORT]]


@pytest.mark.parametrize("verdict", ["accepted", "dismissed"])
def test_what_was_decided_is_not_asked_again_when_the_note_is_edited(path: Path, verdict: Verdict) -> None:
    shown(first := Baseline(path), scanned())
    second = Baseline(path)
    second.learn(decided(first, (PILLS, MEDICATION, verdict)))
    edited = f"Corrected: {TEXT}"
    found = second.undecided(scanned(edited))
    assert [item.indicator for item in found.findings] == [TRANSPORT]
    assert found.suppressed == {DECIDED: 1} and second.notices == []
    second.save()
    assert shown(Baseline(path), scanned(edited)) == []
    assert shown(Baseline(path), scanned(f"{edited} Again.")) == [[TRANSPORT]], "the verdict goes on to the next edit"


def test_a_verdict_is_on_one_sentence_of_one_note(path: Path) -> None:
    shown(first := Baseline(path), scanned(), scanned(note_id="n2"))
    again = Baseline(path)
    again.learn(decided(first, (PILLS, MEDICATION, "dismissed")))
    other = scanned(f"New. {TEXT}", note_id="n3")
    assert shown(again, other) == [[MEDICATION, TRANSPORT]], "the same sentence in a note that nobody has seen"
    changed = TEXT.replace("Counted her", "Counted out her")
    two = report("n1", changed, findings=[finding(MEDICATION, spans(changed, "Counted out her pills."))])
    assert shown(Baseline(path), two) == [[MEDICATION]]


def test_a_verdict_is_on_one_indicator(path: Path) -> None:
    shown(first := Baseline(path), scanned())
    again = Baseline(path)
    again.learn(decided(first, (PILLS, MEDICATION, "dismissed")))
    other = report("n1", f"{TEXT} X", findings=[finding("clinical.nursing", spans(TEXT, PILLS))])
    assert shown(again, other) == [["clinical.nursing"]]


def test_verdicts_on_what_was_never_shown_are_told_and_missed_ones_are_no_flags(path: Path) -> None:
    shown(first := Baseline(path), scanned())
    again = Baseline(path)
    again.learn(decided(first, (RIDE, MEDICATION, "accepted"), ("Met Ana.", "", "missed")))
    assert again.notices == ["1 decisions are on flags that the baseline does not know"]


def test_the_last_verdict_counts(path: Path) -> None:
    shown(first := Baseline(path), scanned())
    again = Baseline(path)
    again.learn(decided(first, (PILLS, MEDICATION, "accepted"), (PILLS, MEDICATION, "dismissed")))
    again.save()
    assert [flag["verdict"] for flag in stored(path)["notes"][0]["findings"]] == ["dismissed", ""]


def test_without_ids_the_text_alone_is_known(path: Path) -> None:
    baseline = Baseline(path, by_id=False)
    assert "no note ids" in baseline.notices[0]
    shown(baseline, scanned(note_id="row 2"))
    again = Baseline(path, by_id=False)
    assert again.is_known(Note("row 17", TEXT))
    again.learn(decided(baseline, (PILLS, MEDICATION, "accepted")))
    assert shown(again, scanned(f"{TEXT} More.", note_id="row 2")) == [[MEDICATION, TRANSPORT]]


def test_a_note_that_failed_is_tried_again(path: Path) -> None:
    failed = replace(report("n1", status="failed", problems=["too long"]), text="")
    baseline = Baseline(path)
    assert baseline.undecided(failed) == failed
    baseline.save()
    assert not Baseline(path).is_known(Note("n1", ""))


def test_a_filtered_report_that_comes_again_forgets_no_verdict(path: Path) -> None:
    """As when an interrupted run goes on with what it had written."""
    shown(first := Baseline(path), scanned())
    second = Baseline(path)
    second.learn(decided(first, (PILLS, MEDICATION, "accepted")))
    filtered = second.undecided(scanned(f"{TEXT} More."))
    assert second.undecided(filtered) == filtered
    second.save()
    assert shown(Baseline(path), scanned(f"{TEXT} More and more.")) == [[TRANSPORT]]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.text(max_size=20)), max_size=6))
def test_whatever_was_shown_is_known(tmp_path: Path, notes: list[tuple[str, str]]) -> None:
    path = tmp_path / f"{len(list(tmp_path.iterdir()))}.json"
    shown(Baseline(path), *(report(note_id, text) for note_id, text in notes))
    again = Baseline(path)
    assert all(again.is_known(Note(note_id, text)) for note_id, text in notes)
    assert not again.is_known(Note("d", "text"))


# ---------------------------------------------------------------------------------------- the files


def stored(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def test_no_text_no_ids_no_names_and_nobody_else_reads_it(path: Path) -> None:
    shown(Baseline(path), scanned(note_id="Vermillion-7"))
    key = path.with_name("seen.json.key")
    held = path.read_text() + key.read_text()
    for word in {"Vermillion-7", *TEXT.replace(".", "").split(), "North", "2026-03-02"}:
        assert f'"{word}' not in held and f" {word}" not in held and "Vermillion" not in held
    strings = {
        value for value in _strings(stored(path)) if value not in (MEDICATION, TRANSPORT, "peerdrift.baseline/1", "")
    }
    assert all(set(value) <= set("0123456789abcdef") and len(value) in (8, 32) for value in strings)
    assert sorted(item.name for item in path.parent.iterdir()) == ["seen.json", "seen.json.key"]
    if sys.platform != "win32":
        assert {stat.S_IMODE(item.stat().st_mode) for item in (path, key)} == {0o600}


def _strings(value: Any) -> list[str]:
    if isinstance(value, dict | list):
        inside = value.values() if isinstance(value, dict) else value
        return [found for item in inside for found in _strings(item)]
    return [value] if isinstance(value, str) else []


def test_the_same_note_has_another_fingerprint_under_another_key(tmp_path: Path) -> None:
    paths = [tmp_path / "a.json", tmp_path / "b.json"]
    for each in paths:
        shown(Baseline(each), scanned())
    assert not set(_strings(stored(paths[0])["notes"])) & set(_strings(stored(paths[1])["notes"])) - {
        "",
        MEDICATION,
        TRANSPORT,
    }


def test_nothing_is_written_before_it_is_saved(path: Path) -> None:
    baseline = Baseline(path)
    baseline.undecided(scanned())
    assert list(path.parent.iterdir()) == []


def test_a_write_that_fails_leaves_the_old_one(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown(Baseline(path), scanned())
    before = path.read_bytes()
    baseline = Baseline(path)
    baseline.undecided(scanned(note_id="n2"))

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(
        BaselineError, match=r"cannot be written: No space left .* the next run will show its notes again"
    ):
        baseline.save()
    assert path.read_bytes() == before
    assert sorted(item.name for item in path.parent.iterdir()) == ["seen.json", "seen.json.key"]


def test_only_a_new_baseline_takes_the_key_of_an_interrupted_run(tmp_path: Path) -> None:
    key = bytes(range(32))
    fresh = Baseline(tmp_path / "seen.json")
    fresh.take_key(key)
    assert fresh.key == key and fresh.key_id == Fingerprints(key).key_id
    fresh.save()
    again = Baseline(tmp_path / "seen.json")
    again.take_key(bytes(32))
    assert again.key == key


def test_a_key_that_is_there_already_is_used(path: Path) -> None:
    path.with_name("seen.json.key").write_text("ab" * 32 + "\n")
    assert Baseline(path).key == b"\xab" * 32


BAD = [
    (b"", "it is not JSON"),
    (b"\xff\xfe", "it is not JSON"),
    (b"[" * 100_000, "it is not JSON"),
    (b"[]", "is no baseline of the form peerdrift.baseline/1"),
    (b'{"schema": "peerdrift.baseline/2"}', "is no baseline of the form peerdrift.baseline/1"),
]


@pytest.mark.parametrize(("content", "message"), BAD)
def test_a_file_that_is_no_baseline(path: Path, content: bytes, message: str) -> None:
    shown(Baseline(path), scanned())
    path.write_bytes(content)
    with pytest.raises(BaselineError, match=f"seen.json {message}|seen.json .*{message}"):
        Baseline(path)


ENTRY = {"note": "a" * 32, "id": "b" * 32, "findings": []}
FLAG = {"sentence": "c" * 32, "start": 0, "end": 4, "indicator": MEDICATION, "verdict": ""}


@pytest.mark.parametrize(
    ("notes", "place"),
    [
        (None, "$.notes"),
        ({}, "$.notes"),
        ("ab", "$.notes"),
        ([3], "$.notes[0]"),
        ([ENTRY, {**ENTRY, "note": "a" * 31}], "$.notes[1]"),
        ([{**ENTRY, "note": ""}], "$.notes[0]"),
        ([{**ENTRY, "note": "Counted her pills, she was glad."}], "$.notes[0]"),
        ([{**ENTRY, "id": 3}], "$.notes[0]"),
        ([{"note": "a" * 32, "id": ""}], "$.notes[0]"),
        ([{**ENTRY, "findings": {}}], "$.notes[0]"),
        ([{**ENTRY, "findings": [FLAG, 3]}], "$.notes[0]"),
        ([{**ENTRY, "findings": [{**FLAG, "start": -1}]}], "$.notes[0]"),
        ([{**ENTRY, "findings": [{**FLAG, "start": True}]}], "$.notes[0]"),
        ([{**ENTRY, "findings": [{**FLAG, "end": 0}]}], "$.notes[0]"),
        ([{**ENTRY, "findings": [{**FLAG, "verdict": "perhaps"}]}], "$.notes[0]"),
        ([{**ENTRY, "findings": [{**FLAG, "verdict": []}]}], "$.notes[0]"),
        ([{**ENTRY, "findings": [{**FLAG, "indicator": "clinical.other"}]}], "$.notes[0]"),
        ([{**ENTRY, "findings": [{**FLAG, "indicator": []}]}], "$.notes[0]"),
    ],
)
def test_a_damaged_baseline_is_told_with_its_place_and_no_content(path: Path, notes: Any, place: str) -> None:
    baseline = Baseline(path)
    baseline.save()
    path.write_text(json.dumps({"schema": "peerdrift.baseline/1", "key_id": baseline.key_id, "notes": notes}))
    with pytest.raises(BaselineError) as caught:
        Baseline(path)
    assert f"seen.json is damaged at {place}; put back a whole copy of it" in str(caught.value)
    assert "pills" not in str(caught.value)


def test_keys_that_do_not_fit(path: Path) -> None:
    shown(Baseline(path), scanned())
    key = path.with_name("seen.json.key")
    right = key.read_text()
    key.write_text("0" * 64)
    with pytest.raises(BaselineError, match=r"was made with another key than seen\.json\.key holds"):
        Baseline(path)
    for wrong in ("", "0" * 63, "0" * 66, "xylorimba", "é"):
        key.write_text(wrong, encoding="utf-8")
        with pytest.raises(BaselineError, match=r"seen\.json\.key holds no key of 64 hex digits") as caught:
            Baseline(path)
        assert "xylorimba" not in str(caught.value)
    key.unlink()
    with pytest.raises(BaselineError, match=r"seen\.json has lost its key: seen\.json\.key must lie beside it"):
        Baseline(path)
    key.write_text(right)
    assert Baseline(path).is_known(Note("n1", TEXT))


def test_places_that_will_not_do(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match="is no folder; make it"):
        Baseline(tmp_path / "no" / "seen.json")
    (tmp_path / "dir").mkdir()
    (tmp_path / "dir.key").write_text("00" * 32)
    with pytest.raises(BaselineError, match="dir cannot be read"):
        Baseline(tmp_path / "dir")


def test_decisions_on_another_scan_and_without_a_baseline(path: Path, tmp_path: Path) -> None:
    baseline = Baseline(path)
    other = replace(decided(baseline, (PILLS, MEDICATION, "accepted")), key_id="00000000")
    with pytest.raises(DecisionsError, match=r"on a scan without this baseline \(key 00000000, not "):
        baseline.learn(other)
    with pytest.raises(UsageError, match="name it with --baseline"):
        open_baseline(None, [path], by_id=True)
    assert open_baseline(None, by_id=True) is None


def test_decisions_of_several_pages_are_taken_together(path: Path, tmp_path: Path) -> None:
    shown(first := Baseline(path), scanned())
    files: Sequence[Path] = [tmp_path / "one.json", tmp_path / "two.json"]
    for file, (words, name) in zip(files, ((PILLS, MEDICATION), (RIDE, TRANSPORT)), strict=True):
        file.write_text(decided(first, (words, name, "accepted")).to_json(), encoding="utf-8")
    baseline = open_baseline(path, files, by_id=True)
    assert baseline is not None and shown(baseline, scanned(f"{TEXT} More.")) == [[]]
