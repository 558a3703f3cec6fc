"""C-CDA documents: alone, in a folder or zip, and attached to FHIR resources. All of them are invented."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from pathlib import Path

import docx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reportlab.pdfgen.canvas import Canvas

from peerdrift_nlp.errors import InputError, NoteReadError, PeerdriftError, UsageError
from peerdrift_nlp.io import Skipped, open_export, select
from peerdrift_nlp.types import Note

MARKER = "zebra marmalade"
HEADER = """
 <id root="2.16.840.1.113883.19.5" extension="N-7"/>
 <code code="11506-3" displayName="Progress note"/>
 <title>Peer support note</title>
 <effectiveTime value="20240307141500.000-0500"/>
 <author><assignedAuthor><assignedAuthoringDevice><softwareName>Ours</softwareName></assignedAuthoringDevice></assignedAuthor></author>
 <author><assignedAuthor><assignedPerson>
  <name><given>Wren</given><family>Lee</family><suffix>CRSS</suffix></name>
 </assignedPerson></assignedAuthor></author>
 <custodian><assignedCustodian><representedCustodianOrganization><name>Harbor House</name>
 </representedCustodianOrganization></assignedCustodian></custodian>
"""
META = {"worker": "Wren Lee, CRSS", "date": "2024-03-07", "service": "Peer support note", "program": "Harbor House"}
LAUGHS = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else MARKER}">' for n in range(10))


def section(text: str = "", title: str = "", inner: str = "") -> str:
    titled = f"<title>{title}</title>" if title else ""
    return f"<component><section>{titled}{text and f'<text>{text}</text>'}{inner}</section></component>"


def clinical(body: str, header: str = HEADER, doctype: str = "") -> str:
    return (
        f'<?xml version="1.0"?><?xml-stylesheet href="CDA.xsl"?><!-- made by hand -->{doctype}'
        f'<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:sdtc="urn:hl7-org:sdtc">{header}<component>{body}</component></ClinicalDocument>'
    )


def structured(*sections: str, **more: str) -> str:
    return clinical(f"<structuredBody>{''.join(sections)}</structuredBody>", **more)


def other(data: str | bytes, **attributes: str) -> str:
    """A document with something else in the place of sections."""
    text = base64.encodebytes(data).decode() if isinstance(data, bytes) else data
    given = {"representation": "B64"} | attributes if isinstance(data, bytes) else attributes
    named = "".join(f' {name}="{value}"' for name, value in given.items())
    return clinical(f"<nonXMLBody><text{named}>{text}</text></nonXMLBody>")


def text_of(path: Path) -> str:
    (note,) = open_export(path)
    assert isinstance(note, Note)
    return note.text


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        open_export(path)
    assert not any(word in f"{caught.value} {caught.value.__cause__}" for word in MARKER.split())
    return str(caught.value)


def test_a_single_document(export) -> None:
    made = structured(
        section(
            "<paragraph>Met <content styleCode='Bold'>Ana</content>.</paragraph>\n <paragraph>Walked.</paragraph>",
            "Visit",
        ),
        section(title="Medications"),
        section("<!-- nothing --> ", "Allergies"),
        section(title="Next", inner=section("She chose the library.", "Goal:") + section("", "Means")),
    )
    opened = open_export(export("a.xml", made))
    note = Note(
        "2.16.840.1.113883.19.5^N-7",
        "Visit:\nMet Ana.\n\nWalked.\n\nNext:\n\nGoal:\nShe chose the library.",
        META,
    )
    assert list(opened) == [note]
    assert list(opened) == [note], "again"
    assert opened.format == "ccda"
    assert "column 'author' read as worker" in opened.notices


@pytest.mark.parametrize(
    ("narrative", "text"),
    [
        ("\n  Met Ana.\n  Walked <content>home</content>.\n", "Met Ana.\nWalked home."),
        ("Met Ana.<br/>Walked\n home.", "Met Ana.\nWalked home."),
        ("Saw her. <list><item>One</item><item><paragraph>Two</paragraph></item></list>", "Saw her.\n\n- One\n- Two"),
        ("<list><item><caption>Goal</caption> walk more</item></list>", "- Goal\nwalk more"),
        ("<list><item>Goal: <paragraph>walk</paragraph> more</item></list>", "- Goal:\nwalk\n\nmore"),
        ("<list><item>a<list><item>b</item></list></item><item>c</item></list>", "- a\n\n- b\n\n- c"),
        (
            "<table><caption>Steps</caption><thead><tr><th>Goal</th><th>Step</th></tr></thead>"
            "<tbody><tr><td>Walk</td><td><paragraph>more</paragraph></td></tr></tbody></table>",
            "Steps\n\nGoal\tStep\n\nWalk\tmore",
        ),
        ("Met <content revised='delete'>no <content>one</content></content>Ana<sup>2</sup> &lt;3 &#233;", "Met Ana2 <3 \u00e9"),
        ("<paragraph>a<?pi b?><!-- c -->d</paragraph><![CDATA[<3 e]]>", "ad\n\n<3 e"),
    ],
)  # fmt: skip
def test_narrative(export, narrative: str, text: str) -> None:
    assert text_of(export("a.xml", structured(section(narrative)))) == text


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", Note("a", "Met.", {})),
        ('<id nullFlavor="NI"/><effectiveTime value="202403"/>', Note("a", "Met.", {"date": "2024-03"})),
        ('<id root="1.2.3"/><effectiveTime value="2024"/>', Note("1.2.3", "Met.", {"date": "2024"})),
        ('<id extension="9"/><effectiveTime value="20240307"/>', Note("9", "Met.", {"date": "2024-03-07"})),
        ('<effectiveTime value="last week"/>', Note("a", "Met.", {"date": "last week"})),
        ('<code displayName="Progress note"/><title/>', Note("a", "Met.", {"service": "Progress note"})),
        (
            "<author><assignedAuthor><assignedPerson><name>\n Dana\n Roe </name></assignedPerson></assignedAuthor></author>",
            Note("a", "Met.", {"worker": "Dana Roe"}),
        ),
    ],
)
def test_header(export, header: str, expected: Note) -> None:
    assert list(open_export(export("a.xml", structured(section("Met."), header=header)))) == [expected]


def test_credentials_and_status_leave_out(export) -> None:
    clinician = structured(section("Met."), header=HEADER.replace("CRSS", "LCSW"))
    (skipped,) = select(open_export(export("a.xml", clinician)))
    assert isinstance(skipped, Skipped) and skipped.why == "not a peer role: lcsw"
    void = structured(section("Met."), header=HEADER + '<sdtc:statusCode code="nullified"/>')
    (skipped,) = select(open_export(export("b.xml", void)))
    assert isinstance(skipped, Skipped) and skipped.why == "status: nullified"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_encodings_and_prefixes(export, encoding: str) -> None:
    made = f"""<?xml version="1.0" encoding="{encoding}"?><!-- {"long " * 2000} -->
    <h:ClinicalDocument xmlns:h="urn:hl7-org:v3"><h:component><h:structuredBody><h:component><h:section><h:text>
    <h:paragraph>\u00e9t\u00e9</h:paragraph>walked</h:text></h:section></h:component></h:structuredBody></h:component></h:ClinicalDocument>"""
    assert text_of(export("a.XML", made, encoding)) == "\u00e9t\u00e9\n\nwalked"


def word() -> bytes:
    made, buffer = docx.Document(), io.BytesIO()
    made.add_paragraph("Met Ana.")
    made.save(buffer)
    return buffer.getvalue()


def pdf() -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer)
    canvas.drawString(72, 700, "Met Ana.")
    canvas.save()
    return buffer.getvalue()


@pytest.mark.parametrize(
    "made",
    [
        other(b"Met Ana.", mediaType="text/plain"),
        other(b"Met Ana."),
        other("Met Ana.", mediaType="text/plain"),
        other("<![CDATA[<!DOCTYPE html><p>Met <b>Ana</b>.</p>]]>", mediaType="text/html"),
        other(b"<p>Met <b>Ana</b>.</p>", mediaType="text/html"),
        other(rb"{\rtf1\ansi Met \b Ana\b0 .\par}", mediaType="text/rtf"),
        other(word(), mediaType="application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        other(pdf(), mediaType="application/pdf"),
    ],
)
def test_a_document_without_sections(export, made: str) -> None:
    assert text_of(export("a.xml", made)) == "Met Ana."


BROKEN = {
    "is damaged XML, or a part of it is far too large (line 1): export it again": [
        structured(section(MARKER))[:-9].replace("\n", ""),
        structured(section(f"{MARKER} &nbsp;"), header=""),
        structured(section("<x>" * 5000 + MARKER + "</x>" * 5000), header=""),
        structured(section(MARKER * 800_000), header=""),
        structured(section(MARKER), header="").replace("<?xml-", "<?xml-\0"),
        structured(section(MARKER), header="").replace('"1.0"', '"1.0" encoding="none-such"'),
    ],
    "has a DOCTYPE, which no C-CDA document needs: export it without": [
        structured(section("&e9;"), doctype=f"<!DOCTYPE a [{LAUGHS}]>"),
        structured(section("<x ID='&e9;'/>"), doctype=f"<!DOCTYPE a [{LAUGHS}]>"),
        structured(section("&e;"), doctype=f"<!DOCTYPE a [<!ENTITY e SYSTEM '{Path(__file__).as_uri()}'>]>"),
        structured(section("Met."), doctype="<!DOCTYPE a SYSTEM 'http://127.0.0.1/a.dtd'>"),
        structured(section("Met."), doctype="<!DOCTYPE a [<!ENTITY e '<ClinicalDocument >'>]>"),
    ],
    "is no C-CDA document (ClinicalDocument of urn:hl7-org:v3): export it as one": [
        f"<ClinicalDocument >{MARKER}</ClinicalDocument>",
        f"<a><ClinicalDocument xmlns='urn:hl7-org:v3'>{MARKER}</ClinicalDocument></a>",
    ],
    "has no narrative (text of its sections): export it with narrative": [
        "<ClinicalDocument xmlns='urn:hl7-org:v3'/>",
        clinical(""),
        structured(),
        structured(section(title=MARKER), section("<table><tr><td/></tr></table>", MARKER, section(title=MARKER))),
        other("", mediaType="text/plain"),
        other(b" \n", mediaType="text/plain"),
    ],
    "its text is not in the file, only its address (reference): export with inline text": [
        other("<reference value='a.pdf'/>", mediaType="application/pdf"),
    ],
    "its text is not valid base64: export it again": [
        other(f"*{MARKER}", representation="B64", mediaType="text/plain"),
        other("TWV0I", representation="B64", mediaType="application/pdf"),
    ],
    "is of a type that cannot be read; these can: text/plain, text/html,": [
        other(MARKER.encode(), mediaType="image/png"),
        other(MARKER.encode(), mediaType="application/xml"),
    ],
    "is a damaged or unknown PDF (": [other(b"%PDF-1.7 " + MARKER.encode(), mediaType="application/pdf")],
}  # fmt: skip


@pytest.mark.parametrize(("said", "made"), [(said, one) for said, all_ in BROKEN.items() for one in all_])
def test_what_cannot_be_read_is_refused_in_words(export, said: str, made: str) -> None:
    assert refusal(export("a.xml", made)).startswith(f"a.xml: {said}")


def test_a_doctype_in_a_rare_encoding(export) -> None:
    made = structured(section("Met &e;"), doctype="+ADwAIQ-DOCTYPE a [+ADwAIQ-ENTITY e 'x'+AD4AXQA+-")
    assert refusal(export("a.xml", made.replace('"1.0"', '"1.0" encoding="UTF-7"'))) == (
        "a.xml: has a DOCTYPE, which no C-CDA document needs: export it without"
    )


def test_a_sheet_of_a_document(export, monkeypatch: pytest.MonkeyPatch) -> None:
    path = export("a.xml", structured(section("Met.")))
    with pytest.raises(UsageError, match="only workbooks have sheets, and this is ccda"):
        open_export(path, sheet="1")
    monkeypatch.setattr("peerdrift_nlp.io.ccda.MAX_BYTES", 100)
    assert refusal(path) == "a.xml: is larger than 0 MB: export it in parts"


FILES = {
    "IHE_XDM/METADATA.XML": "<?xml version='1.0'?><SubmitObjectsRequest/>",
    "a.xml": structured(section("Met Ana.", "Visit")),
    "b.xml": structured(section("Walked."), header=HEADER.replace("N-7", "N-8")),
    "c.txt": "Called Ana.",
    "d.xml": structured(section(MARKER))[:-9],
    "e.xml": structured(section("Met Bo.", "Visit")),
    "f.xml": other("", mediaType="text/plain"),
    "g.xml": "",
    "h.xsl": "<x/>",
}  # fmt: skip


def test_a_folder_and_a_zip(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for name, content in FILES.items():
            archive.writestr(name, content)
            (tmp_path / "all" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "all" / name).write_text(content)
    for name in ("all", "all.zip"):
        opened = open_export(tmp_path / name)
        first, second, plain, broken, again, empty = opened
        assert first == Note("2.16.840.1.113883.19.5^N-7", "Visit:\nMet Ana.", META)
        assert second == Note("2.16.840.1.113883.19.5^N-8", "Walked.", META)
        assert plain == Note("c", "Called Ana.")
        assert again == Note("2.16.840.1.113883.19.5^N-7#2", "Visit:\nMet Bo.", META)
        assert str(broken).startswith("d.xml: is damaged XML") and MARKER not in str(broken)
        assert str(empty) == "f.xml: has no narrative (text of its sections): export it with narrative"
        assert opened.notices == [
            "not read, because they are not .txt, .docx, .rtf, .pdf, .hl7 or .xml of C-CDA: 3 of 9 files",
            "1 notes had the id of an earlier one and were named ID#2, ID#3, ...",
        ]


def test_a_damaged_member_of_a_zip(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.xml", structured(section(MARKER)))
        archive.writestr("b.xml", structured(section("Met.")))
    path.write_bytes(path.read_bytes().replace(MARKER.encode(), MARKER[::-1].encode(), 1))
    lost, note = open_export(path)
    assert str(lost) == "a.xml: is damaged: make the archive again"
    assert isinstance(note, Note)


def test_only_other_xml_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text("<Workbook/>")
    with pytest.raises(InputError, match="holds no .txt, .docx, .rtf, .pdf, .hl7 or .xml of C-CDA files"):
        open_export(tmp_path)


@pytest.mark.parametrize("kind", ["text/xml", "application/xml; charset=utf-8", "application/hl7-v3+xml"])
def test_attached_to_a_document_reference(export, kind: str) -> None:
    def attachment(type_: str, data: str) -> dict[str, object]:
        return {"attachment": {"contentType": type_, "data": base64.b64encode(data.encode()).decode()}}

    def reference(*content: dict[str, object]) -> str:
        return json.dumps({"resourceType": "DocumentReference", "status": "current", "content": content})

    lines = [
        reference(attachment("application/pdf", "%PDF"), attachment(kind, structured(section("Met Ana.", "Visit")))),
        reference(attachment(kind, structured(section("Met Ana."))), attachment("text/plain", "Plain.")),
        reference(attachment(kind, f"<x>{MARKER}</x>")),
        reference(attachment(kind, f"<x>{MARKER}")),
    ]
    first, second, other_xml, broken = open_export(export("a.ndjson", "\n".join(lines)))
    assert (first.text, second.text) == ("Visit:\nMet Ana.", "Plain.")
    assert str(other_xml) == "line 3: is no C-CDA document (ClinicalDocument of urn:hl7-org:v3): export it as one"
    assert str(broken) == "line 4: is damaged XML, or a part of it is far too large (line 1): export it again"


PARTS = st.recursive(
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="<&>\ufffe\uffff"), max_size=8),
    lambda inner: st.builds(
        lambda tag, children: f"<{tag}>{''.join(children)}</{tag}>",
        st.sampled_from(["component", "section", "title", "text", "paragraph", "list", "item", "caption", "table", "tr", "td"]),
        st.lists(inner, max_size=4),
    ),
    max_leaves=20,
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(PARTS, max_size=4), st.booleans())
def test_any_shape_is_read_or_refused_in_words(tmp_path: Path, parts: list[str], in_text: bool) -> None:
    body = section("".join(parts)) if in_text else "".join(parts)
    path = tmp_path / "a.xml"
    path.write_text(structured(body), encoding="utf-8")
    try:
        (item,) = open_export(path)
    except PeerdriftError as error:
        assert str(error).startswith("a.xml")
        return
    assert isinstance(item, Note | NoteReadError | Skipped)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.text("abc", min_size=1, max_size=4), min_size=1, max_size=6))
def test_no_word_of_a_narrative_is_lost(tmp_path: Path, words: list[str]) -> None:
    tags = ("paragraph", "item", "td", "content", "caption", "list")
    narrative = words[0] + "".join(f"<{tag}>{word}</{tag}>{word}" for tag, word in zip(tags, words, strict=False))
    path = tmp_path / "a.xml"
    path.write_text(structured(section(narrative)), encoding="utf-8")
    found = "".join(text_of(path).replace("- ", "").split())
    assert found == words[0] + "".join(word * 2 for word in words)
