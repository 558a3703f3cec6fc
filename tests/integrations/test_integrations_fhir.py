"""FHIR R4 resources and CDS Hooks cards: valid, complete, of the note and never of the patient."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.detectedissue import DetectedIssue
from fhir.resources.R4B.observation import Observation
from hypothesis import given, settings
from hypothesis import strategies as st

from peerdrift_nlp.errors import UsageError
from peerdrift_nlp.integrations.fhir import to_bundle, to_cds_card
from peerdrift_nlp.scanner import MAX_NOTE_CHARS, Scanner
from peerdrift_nlp.taxonomy import LABELS, taxonomy
from peerdrift_nlp.types import NoteReport

MARKER = "xylorimba"
TEXT = (
    f"I listened while she told of the {MARKER}, and I asked what she wants to do next. She chose the library. I drove her to Walmart and back. Counted her pills.\n"
    "I told him he has to go to church with me. Front desk had me do the filing."
)
NOTE = "DocumentReference/17"
WHEN = datetime(2026, 3, 2, 15, 30, tzinfo=timezone(timedelta(hours=-6)))


@pytest.fixture(scope="module")
def fast() -> Scanner:
    return Scanner(model="fast")


@pytest.fixture(scope="module")
def report(fast: Scanner) -> NoteReport:
    return fast.scan(TEXT, note_id="17", worker="Sam Pell")


@pytest.fixture(scope="module")
def failed(fast: Scanner) -> NoteReport:
    return fast.scan("x" * (MAX_NOTE_CHARS + 1), note_id="17")


def resources(bundle: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [item["resource"] for item in bundle["entry"] if item["resource"]["resourceType"] == kind]


def check(bundle: dict[str, Any]) -> None:
    """Valid by the definitions, with the required codes; every reference within the bundle leads somewhere."""
    parsed = Bundle.model_validate(bundle)
    assert json.loads(parsed.model_dump_json()) == bundle
    addresses = [item["fullUrl"] for item in bundle["entry"]]
    assert len(set(addresses)) == len(addresses)
    named = {part.split('"')[0] for part in json.dumps(bundle).split('"reference": "')[1:]}
    assert named <= {NOTE, *addresses}
    for item in parsed.entry:
        resource = item.resource
        if isinstance(resource, Observation | DetectedIssue):
            assert resource.status == "preliminary"
        if isinstance(resource, DetectedIssue):
            assert resource.severity in ("low", "moderate", "high")


def test_a_bundle_is_valid_and_whole(report: NoteReport) -> None:
    assert {finding.locus for finding in report.findings} == {"individual", "organizational"} and report.strengths
    bundle = to_bundle(report, NOTE, recorded=WHEN)
    check(bundle)
    kinds = Counter(item["resource"]["resourceType"] for item in bundle["entry"])
    assert kinds == {
        "Device": 1, "Observation": len(LABELS), "DetectedIssue": len(report.findings), "Provenance": 1,
    }  # fmt: skip
    assert to_bundle(report, NOTE, recorded=WHEN) == bundle


def test_there_is_an_observation_for_each_label_with_its_places(report: NoteReport) -> None:
    bundle = to_bundle(report, NOTE, recorded=WHEN)
    by_label = {item["code"]["coding"][0]["code"]: item for item in resources(bundle, "Observation")}
    assert tuple(by_label) == LABELS
    for label, item in by_label.items():
        found = report.strengths if label == "role_consistent" else [f for f in report.findings if f.label == label]
        assert item["valueInteger"] == len(found) == len(item.get("component", ()))
        assert item["derivedFrom"] == [{"reference": NOTE}]
        for part, source in zip(item.get("component", ()), found, strict=True):
            (span,) = part["extension"]
            assert [value["valueUnsignedInt"] for value in span["extension"]] == [source.start, source.end]
            assert part["valueQuantity"]["value"] == pytest.approx(source.probability, abs=1e-4)


def test_there_is_an_issue_for_each_finding(report: NoteReport) -> None:
    issues = resources(to_bundle(report, NOTE, recorded=WHEN), "DetectedIssue")
    for issue, finding in zip(issues, report.findings, strict=True):
        assert issue["identifier"][0]["value"] == finding.id
        assert issue["code"]["coding"][0]["code"] == finding.indicator
        assert issue["severity"] == ("low", "moderate", "high")[finding.severity - 1]
        assert all(words in issue["detail"] for words in (finding.reason, finding.question, finding.clears))
        assert issue["implicated"] == [{"reference": NOTE}]


def test_the_provenance_names_model_packs_and_profile(report: NoteReport) -> None:
    bundle = to_bundle(report, NOTE, recorded=WHEN)
    (device,), (provenance,) = resources(bundle, "Device"), resources(bundle, "Provenance")
    versions = {item["type"]["text"]: item["value"] for item in device["version"]}
    assert versions == {
        "package": report.engine.version, "model": report.engine.model, "profile": report.engine.profile,
        **{f"pack {name}": digest for name, digest in report.engine.packs.items()},
    }  # fmt: skip
    assert provenance["recorded"] == "2026-03-02T15:30:00-06:00"
    assert len(provenance["target"]) == len(LABELS) + len(report.findings)
    assert provenance["entity"] == [{"role": "source", "what": {"reference": NOTE}}]


def test_nothing_is_said_of_the_patient_the_worker_or_in_the_notes_words(report: NoteReport) -> None:
    told = json.dumps([to_bundle(report, NOTE), to_cds_card(report)])
    for word in ("subject", 'patient"', "Sam Pell", MARKER, "Walmart"):
        assert word not in told


def test_a_note_that_failed_is_told_as_an_outcome(failed: NoteReport) -> None:
    bundle = to_bundle(failed, NOTE, recorded=WHEN)
    check(bundle)
    assert [item["resource"]["resourceType"] for item in bundle["entry"]] == ["Device", "OperationOutcome"]
    (issue,) = resources(bundle, "OperationOutcome")[0]["issue"]
    assert (issue["severity"], issue["diagnostics"]) == ("error", failed.problems[0])
    card = to_cds_card(failed)
    assert (card["indicator"], card["detail"]) == ("warning", failed.problems[0])


def test_an_incomplete_report_has_both(report: NoteReport) -> None:
    partly = replace(report, status="incomplete", problems=("the end was cut off",))
    bundle = to_bundle(partly, NOTE, recorded=WHEN)
    check(bundle)
    assert resources(bundle, "OperationOutcome")[0]["issue"][0]["severity"] == "warning"
    assert len(resources(bundle, "DetectedIssue")) == len(report.findings)
    assert "the end was cut off" in to_cds_card(partly)["detail"]


def test_now_is_when_it_was_recorded(report: NoteReport) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    told = datetime.fromisoformat(to_bundle(report, NOTE)["timestamp"])
    assert before <= told <= datetime.now(UTC)


def test_a_time_without_a_zone_and_no_reference_are_refused(report: NoteReport) -> None:
    with pytest.raises(UsageError, match="no time zone"):
        to_bundle(report, NOTE, recorded=datetime(2026, 3, 2))
    with pytest.raises(UsageError, match="no reference to the note"):
        to_bundle(report, " ")


def test_a_card_says_strengths_first_then_every_question(report: NoteReport) -> None:
    card = to_cds_card(report)
    assert set(card) == {"source", "indicator", "summary", "detail"}  # all that CDS Hooks requires of a card
    assert card["indicator"] == "info" and len(card["summary"]) < 140
    assert card["summary"].endswith(f"{len(report.findings)} places to talk over in supervision")
    assert all(finding.question in card["detail"] for finding in report.findings)
    named = [taxonomy().practices[item.practice] for item in report.strengths if item.practice]
    assert all(card["detail"].index(title) < card["detail"].index("**") for title in named)


def test_a_quiet_note_has_a_card_too(fast: Scanner) -> None:
    card = to_cds_card(fast.scan("Quiet day."))
    assert card["summary"].startswith("0 strengths, 0 places") and "no proof" in card["detail"]


@settings(deadline=None, max_examples=40)
@given(
    text=st.lists(st.sampled_from([*TEXT.split(". "), "\U0001f600", "\x00", "\ud800", "D:", "\n"])).map(". ".join),
    note=st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1),
)
def test_any_note_makes_a_valid_bundle(fast: Scanner, text: str, note: str) -> None:
    Bundle.model_validate(to_bundle(fast.scan(text), note))
