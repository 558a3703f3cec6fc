"""FHIR R4: notes out of DocumentReference resources."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import docx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from peerdrift_nlp.errors import InputError, NoteReadError, PeerdriftError
from peerdrift_nlp.io import Skipped, objects, open_export, select
from peerdrift_nlp.types import Note

MARKER = "zebra marmalade"
HTML, PLAIN, RTF = (
    "<div><p>Met <b>Ana</b>.</p><p>Walked.</p></div>",
    "Met Ana.\n\nWalked.",
    r"{\rtf1\ansi Met \b Ana\b0 .\par}",
)


def attachment(kind: str | None, data: str | bytes = "", **more: str) -> dict[str, object]:
    raw = data.encode() if isinstance(data, str) else data
    found = {"contentType": kind, "data": base64.b64encode(raw).decode() or None, **more}
    return {"attachment": {key: value for key, value in found.items() if value}}


def reference(id: str, *content: dict[str, object], **more: object) -> dict[str, object]:
    return {"resourceType": "DocumentReference", "id": id, "status": "current", "content": list(content), **more}


FULL = reference(
    "d1",
    attachment("application/pdf", b"%PDF-1.7 broken"),
    attachment("text/html; charset=utf-8", HTML),
    attachment("text/plain; charset=utf-8", PLAIN),
    docStatus="final",
    date="2024-03-07T14:15:00-05:00",
    author=[{"reference": "Practitioner/9", "display": "Wren Lee, CRSS"}],
    type={"coding": [{"code": "11506-3", "display": "Progress note"}]},
    custodian={"display": "Harbor House"},
)
RESOURCES = [
    {"resourceType": "Patient", "id": "p"},
    FULL,
    reference("d2", attachment("text/html", HTML), author=[{"reference": "Practitioner/9"}]),
    reference("d3", attachment("application/rtf", RTF)),
    reference("d4", attachment("text/plain", url="Binary/77")),
    reference("d5", attachment("text/plain", MARKER), status="entered-in-error"),
    reference("d6", attachment("text/plain", url="Binary/78"), docStatus="entered-in-error"),
    reference("d7", attachment("text/plain", "draft"), docStatus="preliminary"),
    reference("d8", attachment("image/png", b"\x89PNG")),
    reference("d9", attachment("text/plain", "\u00e9t\u00e9".encode("cp1252"))),
    {"resourceType": "DocumentReference", "status": "current", "content": [attachment(None, "no id")]},
]
META = {
    "worker": "Wren Lee, CRSS",
    "date": "2024-03-07",
    "status": "final",
    "service": "Progress note",
    "program": "Harbor House",
}


def bundle(resources: list[dict[str, object]]) -> dict[str, object]:
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"fullUrl": "x", "resource": one} for one in resources],
    }


@pytest.mark.parametrize(
    ("name", "text", "where"),
    [
        ("a.json", json.dumps(bundle(RESOURCES)), "line 1, entry {}"),
        ("a.json", json.dumps(bundle(RESOURCES), indent=1), "item 1, entry {}"),
        ("a.ndjson", "\n".join(map(json.dumps, RESOURCES)), "line {}"),
        ("a.jsonl", json.dumps(bundle(RESOURCES)), "line 1, entry {}"),
    ],
)
def test_bundles_and_lines(export, name: str, text: str, where: str) -> None:
    opened = open_export(export(name, text))
    items = list(select(opened))
    assert items[:3] == [
        Note("d1", PLAIN, META),
        Note("d2", "Met Ana.\n\nWalked.", {"worker": "Practitioner/9", "status": "current"}),
        Note("d3", "Met Ana.", {"status": "current"}),
    ]
    assert [str(item) for item in items if isinstance(item, NoteReadError)] == [
        f"{where.format(5)}: its text is not in the file, only its address (url): export with inline text",
        f"{where.format(9)}: is of a type that cannot be read; these can: {', '.join(TYPES)}",
    ]
    assert [(item.note_id, item.why) for item in items if isinstance(item, Skipped)] == [
        ("d5", "status: entered in error"),
        ("d6", "status: entered in error"),
        ("d7", "status: preliminary"),
    ]
    assert [(item.note_id, item.text) for item in items[-2:]] == [("d9", "\u00e9t\u00e9"), (where.format(11), "no id")]
    assert opened.format == "fhir"
    assert "not read, because they are no DocumentReference or Composition: 1 Patient" in opened.notices
    assert "1 notes in HTML read as plain text; offsets of reports are into that text" in opened.notices


TYPES = (
    "text/plain", "text/html", "application/xhtml+xml", "text/rtf", "application/rtf",
    "application/hl7-v3+xml", "application/xml", "text/xml",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "application/pdf",
)  # fmt: skip


@pytest.mark.parametrize(
    "url",
    ["Binary/77", "urn:uuid:77", "https://ehr.example/fhir/Binary/77", "https://ehr.example/fhir/Binary/77/_history/2"],
)
def test_a_binary_of_the_same_bundle_is_read(export, url: str) -> None:
    full = url.partition("/_history")[0]
    binary = {
        "resourceType": "Binary",
        "id": "77",
        "contentType": "text/html",
        "data": attachment(None, HTML)["attachment"]["data"],
    }
    made = {
        "resourceType": "Bundle",
        "entry": [
            {"resource": reference("a", attachment("text/html", url=url))},
            {"resource": reference("b", attachment(None, url=url))},
            {"resource": reference("c", attachment("text/plain", "inline", url=url))},
            {"resource": reference("d", attachment("text/html", url="Binary/78"))},
            {"resource": {"resourceType": "Patient"}},
            {"fullUrl": full, "resource": binary},
        ],
    }
    opened = open_export(export("a.json", json.dumps(made)))
    *notes, lost = opened
    assert [(note.note_id, note.text) for note in notes] == [("a", PLAIN), ("b", PLAIN), ("c", "inline")]
    assert isinstance(lost, NoteReadError) and "only its address (url)" in lost.problem
    assert "not read, because they are no DocumentReference or Composition: 1 Patient" in opened.notices


def test_a_binary_that_nothing_names_is_told(export) -> None:
    def binary(id: str) -> dict[str, object]:
        return {"resource": {"resourceType": "Binary", "id": id, "data": attachment(None, HTML)["attachment"]["data"]}}

    made = {
        "resourceType": "Bundle",
        "entry": [
            {"resource": reference("a", attachment("text/html", url="Binary/1"))},
            {"resource": reference("b", attachment("text/plain", "void", url="Binary/2"), status="entered-in-error")},
            *(binary(id) for id in ("1", "2", "3", "4")),
        ],
    }
    opened = open_export(export("a.json", json.dumps(made)))
    assert len(list(opened)) == 2
    told = "not read, because no DocumentReference of the same Bundle names them: 2 Binary"
    assert [notice for notice in opened.notices if "Binary" in notice] == [told]


@pytest.mark.parametrize("full", ["https://ours.example/fhir/Binary/1", ""])
def test_a_binary_of_another_server_is_another(export, full: str) -> None:
    binary = {"resourceType": "Binary", "id": "1", "data": attachment(None, MARKER)["attachment"]["data"]}
    made = {
        "resourceType": "Bundle",
        "entry": [
            {"resource": reference("a", attachment("text/plain", url="https://theirs.example/fhir/Binary/1"))},
            {"resource": reference("b", attachment("text/plain", "Met Ana."))},
            {"fullUrl": full, "resource": binary},
        ],
    }
    opened = open_export(export("a.json", json.dumps(made)))
    lost, note = opened
    assert isinstance(lost, NoteReadError) and "only its address (url)" in lost.problem
    assert isinstance(note, Note)
    assert any(notice.endswith("names them: 1 Binary") for notice in opened.notices)


def test_documents_inside(export) -> None:
    made = docx.Document()
    made.add_paragraph("Met Ana.")
    buffer = io.BytesIO()
    made.save(buffer)
    lines = [
        reference("a", attachment(TYPES[8], buffer.getvalue())),
        reference("b", attachment("application/pdf", b"%PDF-1.7 " + MARKER.encode())),
        reference("c", {"attachment": {"contentType": "text/plain", "data": "*" + MARKER}}),
        reference("d"),
        reference("e", attachment("text/plain", MARKER * 100_000)),
        reference("f", attachment("text/plain; charset=utf-99", "odd charset")),
        reference("g", attachment("text/plain; charset=us-ascii", "\u00e9")),
    ]
    items = list(open_export(export("a.ndjson", "\n".join(map(json.dumps, lines)))))
    assert [item.text for item in items if isinstance(item, Note)] == ["Met Ana.", "odd charset", "\u00e9"]
    said = [str(item) for item in items if isinstance(item, NoteReadError)]
    assert [line.partition(" (")[0] for line in said] == [
        "line 2: is a damaged or unknown PDF",
        "line 3: its text is not valid base64: export it again",
        "line 4: has no attachment with text: export with inline text",
        "line 5: the note has 1,500,000 characters, more than 1,000,000: split it, or look for a quotation mark that is never closed",
    ]
    assert not any(word in "".join(said) for word in MARKER.split())


def test_broken_lines_do_not_end_the_run(export) -> None:
    lines = [json.dumps(FULL), '{"resourceType": "Docu', "7", json.dumps(FULL)]
    first, cut, number, last = open_export(export("a.ndjson", "\n".join(lines)))
    assert (first.note_id, last.note_id) == ("d1", "d1#2")
    assert (cut.where, number.where) == ("line 2", "line 3")


def test_without_notes(export) -> None:
    for text in (
        bundle([{"resourceType": "Patient"}]),
        {"resourceType": "Bundle"},
        {"resourceType": "Bundle", "entry": [7, {}]},
    ):
        with pytest.raises(
            InputError,
            match="a.json holds no DocumentReference and no Composition: export the notes as DocumentReference with",
        ):
            open_export(export("a.json", json.dumps(text)))


def test_a_large_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "MAX_CELL_CHARS", 100_000)
    path = tmp_path / "a.json"
    path.write_text(json.dumps(bundle([FULL] * 500), indent=1))
    assert sum(isinstance(item, Note) for item in open_export(path)) == 500


VALUES = st.recursive(
    st.none()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from(["text/plain", "current", "YQ==", "a; charset*=x''%ff"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["content", "attachment", "data", "contentType", "author", "display", "id"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.dictionaries(st.sampled_from(["content", "status", "author", "id", "date", "context", "type"]), VALUES))
def test_any_shape_is_read_or_refused_in_words(tmp_path: Path, fields: dict[str, object]) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text(json.dumps({"resourceType": "DocumentReference", **fields}))
    try:
        (item,) = open_export(path)
    except PeerdriftError:
        return
    assert isinstance(item, Note | NoteReadError | Skipped)


def div(text: str) -> dict[str, str]:
    return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{text}</div>'}


COMPOSITION = {
    "resourceType": "Composition",
    "id": "c1",
    "status": "final",
    "type": {"text": "Progress note"},
    "title": "Peer visit",
    "date": "2024-03-07T10:00:00Z",
    "author": [{"display": "Wren Lee, CRSS"}],
    "custodian": {"display": "Harbor House"},
    "text": div("<p>A summary that no section needs.</p>"),
    "section": [
        {"title": "Visit", "text": div("<p>Met <b>Ana</b>.</p><ul><li>Walked.</li></ul>")},
        {"title": "Medications"},
        {"title": "Plan", "section": [{"title": "Next", "text": div("She chose the library.")}]},
    ],
}


def composition(**other: object) -> dict[str, object]:
    return {**COMPOSITION, **other}


def test_a_composition_is_the_narrative_of_its_sections(export) -> None:
    opened = open_export(export("a.json", json.dumps(COMPOSITION)))
    text = "Visit:\nMet Ana.\n\n- Walked.\n\nPlan:\n\nNext:\nShe chose the library."
    meta = {**META, "date": "2024-03-07", "service": "Peer visit"}
    assert list(opened) == [Note("c1", text, meta)]


def test_compositions_stand_beside_documents(export) -> None:
    resources = [
        composition(id="a", section=[]),
        composition(id="b", status="entered-in-error", section=[], text=None),
        composition(id="c", section=[{"title": "Visit", "text": {"div": ""}}], text={"div": None}),
        composition(id="d", section="Visit", text={"div": "<div><p>Met Ana.</p>"}),
        reference("e", attachment("text/plain", "Walked.")),
        {"resourceType": "Patient"},
    ]
    opened = open_export(export("a.ndjson", "\n".join(map(json.dumps, resources))))
    items = list(select(opened))
    assert [(item.note_id, item.text) for item in items if isinstance(item, Note)] == [
        ("a", "A summary that no section needs."), ("d", "Met Ana."), ("e", "Walked."),
    ]  # fmt: skip
    assert [item.why for item in items if isinstance(item, Skipped)] == ["status: entered in error"]
    assert [str(item) for item in items if isinstance(item, NoteReadError)] == [
        "line 3: has no narrative (section.text.div or text.div): export with narrative"
    ]


def test_sections_may_lie_deep_in_each_other(export) -> None:
    inner: dict[str, object] = {"title": "Last", "text": div("Met Ana.")}
    for _ in range(300):
        inner = {"section": [inner]}
    (note,) = open_export(export("a.json", json.dumps(composition(section=[inner]))))
    assert isinstance(note, Note) and note.text == "Last:\nMet Ana."


def test_the_author_is_a_worker(export) -> None:
    others = (
        {"reference": "Device/d", "display": "EHR"},
        {"reference": "https://ehr.example/fhir/Patient/p/_history/1", "display": MARKER},
        {"reference": "urn:uuid:5", "type": "RelatedPerson", "display": MARKER},
        {"reference": "urn:uuid:6", "type": "http://hl7.org/fhir/StructureDefinition/Patient", "display": MARKER},
        {"reference": "Patient?identifier=urn:mrn|12345"},
        {"reference": "urn:uuid:7", "display": MARKER},
    )
    authors = [*others, {"display": "Wren Lee"}]
    (note,) = open_export(
        export("a.json", json.dumps(composition(author=authors, subject={"reference": "urn:uuid:7"})))
    )
    assert isinstance(note, Note) and note.meta["worker"] == "Wren Lee"
    (note,) = open_export(export("b.json", json.dumps(composition(author=others, subject={"reference": "urn:uuid:7"}))))
    assert isinstance(note, Note) and "worker" not in note.meta


NAMED = {"given": ["Wren", "A."], "family": "Lee", "suffix": ["CRSS"]}


@pytest.mark.parametrize(
    ("author", "more", "worker"),
    [
        ("urn:uuid:1", {"resourceType": "Practitioner", "name": [NAMED]}, "Wren A. Lee, CRSS"),
        ("urn:uuid:1", {"resourceType": "Practitioner", "name": [{"text": "Wren Lee", "family": "Lee"}]}, "Wren Lee"),
        ("Practitioner/9/_history/2", {"resourceType": "Practitioner", "name": [{"family": "Lee"}]}, "Lee"),
        ("Practitioner/8", {"resourceType": "Practitioner", "name": [NAMED]}, "Practitioner/8"),
        ("urn:uuid:1", {"resourceType": "PractitionerRole", "practitioner": {"display": "Wren Lee"}}, "Wren Lee"),
        ("urn:uuid:1", {"resourceType": "PractitionerRole", "practitioner": {"reference": "Practitioner/2"}}, "Ash"),
        ("urn:uuid:1", {"resourceType": "Patient", "name": [{"text": MARKER}]}, None),
        ("Device/9", {"resourceType": "Device"}, None),
        ("urn:uuid:1", {"resourceType": "Practitioner", "name": [{"given": [{}], "family": None}]}, "urn:uuid:1"),
        ("#in", {"resourceType": "Practitioner"}, "Bo"),
        ("Practitioner?identifier=1", {"resourceType": "Practitioner"}, None),
        ("urn:uuid:1", {"resourceType": "PractitionerRole", "practitioner": {"reference": "#in"}}, "urn:uuid:1"),
        ("urn:uuid:1", {"resourceType": "PractitionerRole", "practitioner": {"reference": "Patient/3"}}, "urn:uuid:1"),
        (
            "urn:uuid:1",
            {
                "resourceType": "PractitionerRole",
                "practitioner": {"reference": "#in"},
                "contained": [{"resourceType": "Practitioner", "id": "in", "name": [{"text": "Kit"}]}],
            },
            "Kit",
        ),
        (
            "urn:uuid:1",
            {
                "resourceType": "Practitioner",
                "name": [{"use": "old", "text": "Old"}, {"use": "usual"}, {"text": "New"}],
            },
            "New",
        ),
        ("Practitioner/4", {"resourceType": "Practitioner"}, "Practitioner/4"),
    ],
)
def test_names_are_found_in_the_same_bundle(export, author: str, more: dict[str, object], worker: str | None) -> None:
    other: dict[str, object] = {"resourceType": "Practitioner", "id": "4"}
    note = composition(
        author=[{"reference": author, "display": " "}],
        custodian={"reference": "Organization/o"},
        contained=[{"resourceType": "Practitioner", "id": "in", "name": [{"text": "Bo"}]}],
    )
    resources = [
        {"resource": note},
        {"fullUrl": "urn:uuid:1", "resource": {"id": "9", **more}},
        {"resource": {"resourceType": "Practitioner", "id": "2", "name": [{"text": "Ash"}]}},
        {"resource": {"resourceType": "Patient", "id": "3", "name": [{"text": MARKER}]}},
        {"fullUrl": "https://a.example/Practitioner/4", "resource": other | {"name": [{"text": "One"}]}},
        {"fullUrl": "https://b.example/Practitioner/4", "resource": other | {"name": [{"text": "Another"}]}},
        {"resource": {"resourceType": "Organization", "id": "o", "name": "Harbor House"}},
    ]
    made = {"resourceType": "Bundle", "type": "document", "entry": resources}
    (read,) = open_export(export("a.json", json.dumps(made)))
    assert isinstance(read, Note) and (read.meta.get("worker"), read.meta["program"]) == (worker, "Harbor House")
