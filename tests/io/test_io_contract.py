from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from peerdrift_nlp import types
from peerdrift_nlp.errors import ReportError
from peerdrift_nlp.io import schema
from peerdrift_nlp.taxonomy import LABELS, ROLE_CONSISTENT
from peerdrift_nlp.types import NoteReport


@pytest.fixture
def validator() -> Draft202012Validator:
    Draft202012Validator.check_schema(schema())
    return Draft202012Validator(schema())


def test_a_full_and_an_empty_report_are_valid(validator: Draft202012Validator, report: NoteReport) -> None:
    validator.validate(report.to_dict())
    validator.validate(NoteReport("1", "failed", report.engine, ("no text",)).to_dict())


def objects(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    inside = [found for key, child in children for found in objects(child, (*path, key))]
    return [path, *inside] if isinstance(value, dict) else inside


def test_the_schema_is_strict_everywhere(validator: Draft202012Validator, report: NoteReport) -> None:
    whole = report.to_dict()
    for path in objects(whole):
        if path in (("meta",), ("engine", "packs")):
            continue
        for name in ("surprise", *_at(whole, path)):
            changed = deepcopy(whole)
            target = _at(changed, path)
            if name == "surprise":
                target[name] = 1
            elif path == ("summary", "by_label"):
                target[name] = "many"
            else:
                del target[name]
            assert not validator.is_valid(changed), (*path, name)


def _at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def test_the_schema_and_the_types_name_the_same_values() -> None:
    definitions = schema()["$defs"]
    stance, finding = definitions["stance"]["properties"], definitions["finding"]["properties"]
    for name, literal in (("actor", types.Actor), ("voice", types.Voice), ("status", types.Status)):
        assert tuple(stance[name]["enum"]) == get_args(literal)
    assert tuple(stance["initiator"]["enum"]) == get_args(types.Initiator)
    assert tuple(finding["origin"]["enum"]) == get_args(types.Origin)
    assert tuple(schema()["properties"]["status"]["enum"]) == get_args(types.NoteStatus)
    assert schema()["properties"]["schema"]["const"] == types.SCHEMA
    assert [*definitions["label"]["enum"], ROLE_CONSISTENT] == list(LABELS)


def test_each_caller_gets_a_schema_of_his_own() -> None:
    schema()["properties"].clear()
    assert schema()["properties"]


def test_a_fingerprint_may_be_there_and_is_32_hex_digits(validator: Draft202012Validator, report: NoteReport) -> None:
    validator.validate(replace(report, fingerprint="0123456789abcdef" * 2).to_dict())
    assert "fingerprint" not in report.to_dict()
    for wrong in ("0123", "Z" * 32, "0" * 33):
        assert not validator.is_valid(replace(report, fingerprint=wrong).to_dict())


# ---------------------------------------------------------------------------------------- read again


def test_a_report_comes_back_whole_but_for_its_text(report: NoteReport) -> None:
    given = json.loads(replace(report, fingerprint="0" * 32, switched_off={"rides": 2}).to_json())
    back = NoteReport.from_dict(given)
    assert back.to_dict() == given and back.summary["sentences"] > 0
    assert (back.text, back.sentences) == ("", ())
    assert back.findings[0] == replace(
        report.findings[0], probability=0.9123, words=(replace(report.findings[0].words[0], weight=1.235),)
    )
    with pytest.raises(AttributeError):
        back.findings[0].start = 1  # type: ignore[misc]


def test_keys_of_a_later_version_1_are_passed_over(report: NoteReport) -> None:
    whole = report.to_dict()
    later = deepcopy(whole)
    for path in objects(whole):
        if path not in (("meta",), ("engine", "packs")):
            _at(later, path)["surprise"] = {"a": 1}
    assert NoteReport.from_dict(later).to_dict() == whole


@pytest.mark.parametrize(
    "data", [{}, [], None, "x", {"schema": "peerdrift.note-report/2"}, {"schema": ["peerdrift.note-report/1"]}]
)
def test_what_is_no_report_of_this_version_is_refused(data: Any) -> None:
    with pytest.raises(
        ReportError, match=r"no note report of the form peerdrift\.note-report/1: read it with the version"
    ):
        NoteReport.from_dict(data)


def test_offsets_in_other_units_are_refused(report: NoteReport) -> None:
    with pytest.raises(ReportError, match="offsets count UTF-16 units"):
        NoteReport.from_dict({**report.to_dict(), "offset_unit": "utf-16"})


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        (("status",), "xylorimba", r"\$\.status"),
        (("note_id",), 5, r"\$\.note_id"),
        (("meta",), {"worker": ["xylorimba"]}, r"\$\.meta\.worker"),
        (("findings", 0, "start"), "xylorimba", r"\$\.findings\[0\]\.start"),
        (
            ("findings", 0, "evidence", 0, "stance", "cues", 0),
            {},
            r"\$\.findings\[0\]\.evidence\[0\]\.stance\.cues\[0\]",
        ),
        (("findings", 0, "start"), -5, r"\$\.findings\[0\]\.start"),
        (("findings", 0, "severity"), 99, r"\$\.findings\[0\]\.severity"),
        (("findings", 0, "probability"), float("nan"), r"\$\.findings\[0\]\.probability"),
        (("summary", "sentences"), "many", r"\$\.summary\.sentences: \w+; scan the note again"),
        (("look_alikes",), {}, r"\$\.look_alikes"),
        (("summary",), {}, r"\$\.summary\.sentences"),
        (("summary",), None, r"\$\.summary\.sentences"),
    ],
)
def test_damage_is_located_and_not_quoted(report: NoteReport, path: tuple[Any, ...], value: object, place: str) -> None:
    data = report.to_dict()
    _at(data, path[:-1])[path[-1]] = value
    with pytest.raises(ReportError, match=f"a damaged note report: {place}") as caught:
        NoteReport.from_dict(data)
    assert "xylorimba" not in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
MADE = NoteReport("1", "complete", types.Engine("1", "m", "article", {}), ("p",)).to_dict()


@given(key=st.sampled_from(sorted(MADE)), value=JSON)
def test_any_value_anywhere_is_read_or_refused(key: str, value: object) -> None:
    try:
        back = NoteReport.from_dict({**MADE, key: value})
    except ReportError:
        return
    assert json.loads(back.to_json())["note_id"] == back.note_id
