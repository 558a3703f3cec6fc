from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator

from peerdrift_nlp import types
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
