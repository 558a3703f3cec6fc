"""A report as FHIR R4 resources, and as a CDS Hooks card: plain dictionaries, ready for JSON, without note text.

The resources speak of a note and of the practice that it shows, never of the patient: they have no subject.
Nobody has judged them yet, so their status is "preliminary". See ``to_bundle`` and ``to_cds_card``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from peerdrift_nlp.errors import UsageError
from peerdrift_nlp.taxonomy import LABELS, ROLE_CONSISTENT, taxonomy
from peerdrift_nlp.types import Engine, Finding, NoteReport, Strength

SYSTEM = "urn:peerdrift"
"""What code systems, identifiers and extensions begin with: ``urn:peerdrift:label`` and so on."""

_SEVERITIES = {1: "low", 2: "moderate", 3: "high"}
_Json = dict[str, Any]


def to_bundle(report: NoteReport, note: str, *, recorded: datetime | None = None) -> _Json:
    """The report as a Bundle of type "collection".

    It holds an Observation for each label (how often it was found; a component for each place), a
    DetectedIssue for each finding, the Device that found them (versions of package, model, profile and packs)
    and the Provenance of all. Places are extensions with code-point offsets. A report with problems has an
    OperationOutcome; one that failed has nothing else but the Device.

    Args:
        report: what ``Scanner`` gave.
        note: the reference to the note, e.g. "DocumentReference/17".
        recorded: when it was scanned, with a time zone; now, without it.

    Raises:
        UsageError: ``recorded`` has no time zone, or ``note`` is empty.
    """
    recorded = recorded or datetime.now(UTC)
    if recorded.tzinfo is None:
        raise UsageError("recorded has no time zone; FHIR needs one, e.g. datetime.now(timezone.utc)")
    if not note.strip():
        raise UsageError('no reference to the note; give one, e.g. "DocumentReference/17"')
    entries = list(_entries(report, note, recorded.isoformat(timespec="seconds")))
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": recorded.isoformat(timespec="seconds"),
        "entry": [{"fullUrl": url, "resource": resource} for url, resource in entries],
    }


def to_cds_card(report: NoteReport) -> _Json:
    """The report as one card of CDS Hooks 2.0: strengths first, then what to talk about.

    Its indicator is "info", as nothing here is urgent; "warning" where the note could not be scanned.
    """
    names, titles = taxonomy().practices, taxonomy().indicators
    card = {"source": {"label": f"peerdrift_nlp {report.engine.version}"}, "indicator": "info"}
    if report.status == "failed":
        return {**card, "indicator": "warning", "summary": "Note not scanned", "detail": "; ".join(report.problems)}
    practices = {strength.practice: names[strength.practice] for strength in report.strengths if strength.practice}
    lines = [f"- {title}" for title in practices.values()]
    lines += [
        f"- **{titles[item.indicator].title}** (characters {item.start}-{item.end}): {item.reason} *{item.question}*"
        for item in report.findings
    ]
    lines += [f"- Not complete: {problem}" for problem in report.problems]
    summary = f"{_count(report.strengths, 'strength')}, {_count(report.findings, 'place')} to talk over in supervision"
    return {**card, "summary": summary, "detail": "\n".join(lines) or "A quiet note is no proof of anything."}


def _count(items: tuple[object, ...], noun: str) -> str:
    return f"{len(items)} {noun}{'' if len(items) == 1 else 's'}"


def _entries(report: NoteReport, note: str, recorded: str) -> Iterator[tuple[str, _Json]]:
    """The resources with their addresses, which are the same each time."""

    def url(kind: str, key: str = "") -> str:
        return uuid5(NAMESPACE_URL, f"{SYSTEM}:{kind}:{key}:{note}").urn

    device = url("Device")
    yield device, _device(report.engine)
    if report.problems:
        yield url("OperationOutcome"), _outcome(report)
    if report.status == "failed":
        return
    targets = []
    for label in LABELS:
        observation = {**_observation(report, label), **_of_note(note), "issued": recorded, "device": _to(device)}
        targets.append(url("Observation", label))
        yield targets[-1], observation
    for finding in report.findings:
        evidence = [{"detail": [_to(url("Observation", finding.label))]}]
        times = {"identifiedDateTime": recorded, "author": _to(device)}
        targets.append(url("DetectedIssue", finding.id))
        yield targets[-1], {**_issue(finding), **times, "implicated": [_to(note)], "evidence": evidence}
    yield (
        url("Provenance"),
        {
            "resourceType": "Provenance",
            "target": [_to(target) for target in targets],
            "recorded": recorded,
            "activity": {"text": "Automatic search for role drift"},
            "agent": [{"who": _to(device)}],
            "entity": [{"role": "source", "what": _to(note)}],
        },
    )


def _observation(report: NoteReport, label: str) -> _Json:
    """How often a label was found in a note, and where."""
    title = taxonomy().labels[label]
    if label == ROLE_CONSISTENT:
        components = [_component(strength, _practice(strength)) for strength in report.strengths]
    else:
        found = [finding for finding in report.findings if finding.label == label]
        components = [_component(finding, _indicator(finding.indicator)) for finding in found]
    return {
        "resourceType": "Observation",
        "status": "preliminary",
        "code": _concept("label", label, title),
        "valueInteger": len(components),
        **({"component": components} if components else {}),
    }


def _of_note(note: str) -> _Json:
    return {"focus": [_to(note)], "derivedFrom": [_to(note)]}


def _component(item: Finding | Strength, code: _Json) -> _Json:
    probability = {
        "value": round(item.probability, 4),
        "unit": "probability",
        "system": "http://unitsofmeasure.org",
        "code": "1",
    }
    return {"extension": [_span(item)], "code": code, "valueQuantity": probability}


def _issue(finding: Finding) -> _Json:
    return {
        "resourceType": "DetectedIssue",
        "extension": [_span(finding)],
        "identifier": [{"system": f"{SYSTEM}:finding", "value": finding.id}],
        "status": "preliminary",
        "code": _indicator(finding.indicator),
        "severity": _SEVERITIES[finding.severity],
        "detail": f"{finding.reason} Ask: {finding.question} It clears if: {finding.clears}",
    }


def _device(engine: Engine) -> _Json:
    versions = {"package": engine.version, "model": engine.model, "profile": engine.profile}
    versions |= {f"pack {name}": version for name, version in engine.packs.items()}
    return {
        "resourceType": "Device",
        "deviceName": [{"name": "peerdrift_nlp", "type": "model-name"}],
        "version": [{"type": {"text": what}, "value": version} for what, version in versions.items()],
    }


def _outcome(report: NoteReport) -> _Json:
    severity = "error" if report.status == "failed" else "warning"
    issues = [{"severity": severity, "code": "processing", "diagnostics": problem} for problem in report.problems]
    return {"resourceType": "OperationOutcome", "issue": issues}


def _indicator(name: str) -> _Json:
    return _concept("indicator", name, taxonomy().indicators[name].title)


def _practice(strength: Strength) -> _Json:
    """The practice, or the label where only that is sure."""
    if strength.practice:
        return _concept("practice", strength.practice, taxonomy().practices[strength.practice])
    return _concept("label", ROLE_CONSISTENT, taxonomy().labels[ROLE_CONSISTENT])


def _concept(system: str, code: str, title: str) -> _Json:
    return {"coding": [{"system": f"{SYSTEM}:{system}", "code": code, "display": title}], "text": title}


def _span(item: Finding | Strength) -> _Json:
    parts = [{"url": "start", "valueUnsignedInt": item.start}, {"url": "end", "valueUnsignedInt": item.end}]
    return {"url": f"{SYSTEM}:span", "extension": parts}


def _to(reference: str) -> _Json:
    return {"reference": reference}
