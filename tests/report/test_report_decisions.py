"""The file of decisions: what is read comes back as it was, and what is wrong is told whole, without a comment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from peerdrift_nlp.errors import DecisionsError
from peerdrift_nlp.report.decisions import MAX_BYTES, Decision, Decisions, merged, read_decisions, schema
from peerdrift_nlp.taxonomy import taxonomy

A, B = "a" * 32, "b" * 32
ACCEPTED = Decision(A, 0, 9, "clinical.medication", "accepted", comment="Talked on Monday – bien.")
DISMISSED = Decision(A, 0, 9, "clinical.nursing", "dismissed", "reported_speech")
MISSED = Decision(B, 3, 8, "", "missed")
WHOLE = Decisions(
    "2026-03-02T10:00:00+00:00",
    "0123abcd",
    "2026-03-03T10:00:00+00:00",
    (ACCEPTED, DISMISSED, MISSED),
    frozenset({A, B}),
)


def write(path: Path, data: Any) -> Path:
    path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    return path


def test_what_is_written_is_read_again_and_keeps_the_schema(tmp_path: Path) -> None:
    Draft202012Validator.check_schema(schema())
    Draft202012Validator(schema()).validate(WHOLE.to_dict())
    assert read_decisions(write(tmp_path / "d.json", WHOLE.to_json())) == WHOLE


decisions = st.builds(
    Decision,
    note=st.sampled_from([A, B]),
    start=st.integers(0, 50),
    end=st.integers(51, 99),
    indicator=st.sampled_from(sorted(taxonomy().indicators)),
    verdict=st.sampled_from(["accepted", "missed"]),
    comment=st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
)


@given(st.lists(decisions, max_size=5))
def test_any_decisions_come_back(tmp_path_factory: pytest.TempPathFactory, items: list[Decision]) -> None:
    whole = Decisions("r", "0123abcd", "m", tuple(items), frozenset())
    path = tmp_path_factory.getbasetemp() / "any.json"
    assert read_decisions(write(path, whole.to_json())) == whole


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(json_values)
def test_any_other_json_is_refused_in_words(tmp_path_factory: pytest.TempPathFactory, value: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "other.json"
    with pytest.raises(DecisionsError, match="other.json is no decisions file; take the file as the"):
        read_decisions(write(path, json.dumps(value)))


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 200_000, b"9" * 10_000, b"<html></html>"])
def test_what_is_not_json_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "d.json").write_bytes(content)
    with pytest.raises(DecisionsError, match=r"d\.json is (not JSON|no decisions file); take the file"):
        read_decisions(tmp_path / "d.json")


def test_a_missing_and_a_huge_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DecisionsError, match=r"nowhere\.json cannot be read: .*; check the path"):
        read_decisions(tmp_path / "nowhere.json")
    with (tmp_path / "huge.json").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(DecisionsError, match="larger than 20,000,000 bytes"):
        read_decisions(tmp_path / "huge.json")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"end": 0}, r"\$\.decisions\[0\]\.end: the least is 1"),
        ({"start": 9}, r"\$\.decisions\[0\]\.end: must be greater than start"),
        ({"start": True}, r"\.start: must be of type integer"),
        ({"note": "Ana"}, r"\.note: must match \^\[0-9a-f\]\{32\}\$"),
        ({"indicator": "clinical.magic"}, r"\.indicator: not in the codebook"),
        ({"indicator": ""}, r"\.indicator: not in the codebook"),
        ({"verdict": "maybe"}, r"\.verdict: must be one of accepted, dismissed, missed"),
        ({"reason": "policy"}, r"\.reason: only a dismissed flag has one"),
        ({"verdict": "dismissed", "reason": "mood"}, r"\.reason: must be one of reported_speech, .*, or empty"),
        ({"comment": "x" * 2001}, r"\.comment: is too long; the most is 2000"),
        ({"text": "She said."}, r"\$\.decisions\[0\]: unknown 'text'"),
    ],
)
def test_a_wrong_decision_is_told_with_its_place(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    data = WHOLE.to_dict()
    data["decisions"][0] |= change
    with pytest.raises(DecisionsError, match=told):
        read_decisions(write(tmp_path / "d.json", data))


def test_all_that_is_wrong_is_told_at_once_and_no_comment_is_quoted(tmp_path: Path) -> None:
    data = WHOLE.to_dict() | {"schema": "peerdrift.decisions/2", "key": "secret"}
    del data["run"]
    data["decisions"][0]["comment"] = ["She told me about xylorimba"]
    with pytest.raises(DecisionsError) as told:
        read_decisions(write(tmp_path / "d.json", data))
    for words in (
        "$: lacks 'run'",
        "$: unknown 'key'",
        "$.schema: must be peerdrift.decisions/1",
        "[0].comment: must be of type",
    ):
        assert words in str(told.value)
    assert "xylorimba" not in str(told.value) and "secret" not in str(told.value)


def test_of_a_thousand_wrong_ones_twenty_are_told(tmp_path: Path) -> None:
    data = WHOLE.to_dict() | {"read": ["x"] * 1000}
    with pytest.raises(DecisionsError, match=r"\.\.\. and 980 more"):
        read_decisions(write(tmp_path / "d.json", data))


def test_parts_are_merged_and_the_later_decision_counts() -> None:
    later = Decisions(
        WHOLE.run,
        WHOLE.key_id,
        "2026-03-04T10:00:00+00:00",
        (Decision(A, 0, 9, "clinical.nursing", "accepted"),),
        frozenset({"c" * 32}),
    )
    for parts in ([WHOLE, later], [later, WHOLE]):
        both = merged(parts)
        assert {item.about: item.verdict for item in both.decisions} == {
            ACCEPTED.about: "accepted",
            DISMISSED.about: "accepted",
            MISSED.about: "missed",
        }
        assert both.read == {A, B, "c" * 32} and both.made == later.made


def test_decisions_on_another_scan_are_not_merged() -> None:
    with pytest.raises(DecisionsError, match="take those of one scan's pages"):
        merged([WHOLE, Decisions("r", "ffffffff")])
    with pytest.raises(DecisionsError, match="different scans"):
        merged([])


def test_decisions_and_notes_make_labelled_sentences() -> None:
    """What retraining needs: the text of each note by its fingerprint, and a label for each sentence decided on."""
    text = "Took her pulse. She chose the library."
    whole = Decisions("r", "0123abcd", "m", (Decision(A, 0, 15, "clinical.nursing", "accepted"),))
    texts = {A: text}
    assert [(texts[item.note][item.start : item.end], item.indicator) for item in whole.decisions] == [
        ("Took her pulse.", "clinical.nursing")
    ]
