"""HL7 v2: MDM and ORU messages as notes."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from peerdrift_nlp.errors import InputError, NoteReadError, PeerdriftError, UsageError
from peerdrift_nlp.io.readers import Skipped, open_export
from peerdrift_nlp.io.select import select
from peerdrift_nlp.types import Note

MARKER = "xylorimba"
MSH = r"MSH|^~\&|EHR|Harbor House|OURS|US|20240308090000||{}|M-1|P|2.5.1"
PID = f"PID|1||99^^^H||{MARKER}^Ana"
TXA = r"TXA|1|PN^Progress Note|TX|20240307141500-0500||||20240307|7^Lee^Wren^^^^CRSS|||D-7|||||LA||AV"
OBR = "OBR|1|P-1|F-1|PN^Peer note|||20240307" + "|" * 18 + "F"
RTF = rb"{\rtf1\ansi Met Ana.\par Walked.}"


def message(*segments: str, kind: str = "MDM^T02^MDM_T02", end: str = "\r") -> str:
    return end.join([MSH.format(kind), "EVN||20240308", PID, *segments]) + end


def mdm(*texts: str, kind: str = "TX") -> str:
    return message(TXA, *(f"OBX|{number}|{kind}|PN^Note||{text}||||||F" for number, text in enumerate(texts, 1)))


def ed(data: bytes, subtype: str = "", kind: str = "AP", encoding: str = "Base64") -> str:
    text = base64.b64encode(data).decode() if encoding == "Base64" else data.decode()
    return mdm(f"^{kind}^{subtype}^{encoding}^{text}", kind="ED")


META = {
    "worker": "Wren Lee, CRSS",
    "program": "Harbor House",
    "date": "2024-03-07",
    "status": "legally authenticated",
    "service": "Progress Note",
}


@pytest.mark.parametrize("name", ["a.hl7", "a.txt", "a.dat", "a"])
@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_a_document_message_is_a_note(export, name: str, end: str) -> None:
    opened = open_export(export(name, mdm("Met Ana.", "", "Walked.").replace("\r", end)))
    assert (opened.format, list(opened)) == ("hl7", [Note("D-7", "Met Ana.\n\nWalked.", META)])


def test_a_result_message_is_a_note(export) -> None:
    made = message(OBR, "OBX|1|FT|PN||Met Ana.||||||F|||||7^Lee^Wren", kind="ORU^R01")
    meta = META | {"worker": "Wren Lee", "status": "final", "service": "Peer note"}
    assert list(open_export(export("a.hl7", made))) == [Note("F-1", "Met Ana.", meta)]


@pytest.mark.parametrize(
    ("field", "text"),
    [
        (r"Met Ana.\.br\Walked.\.sp\Called.\X0D0A\Left.\X0A\Fine.", "Met Ana.\nWalked.\nCalled.\nLeft.\nFine."),
        ("Met Ana.~Walked.~~Called.", "Met Ana.\nWalked.\n\nCalled."),
        (r"1\F\2\S\3\T\4\R\5\E\6", "1|2^3&4~5\\6"),
        (r"\H\Met\N\ Ana\XE9\.", "Met Ana\u00e9."),
        (r"C:\notes\Ana \Zzz\ \X0\ \.sp99999999999\end", "C:\\notes\\Ana \\Zzz\\ \\X0\\ \nend"),
        ("Met Ana ^ Bo & co.", "Met Ana ^ Bo & co."),
        ("Met Ana.\rPHQ-9 was on the desk.\rMSH said so.\rOK\r", "Met Ana.\nPHQ-9 was on the desk.\nMSH said so.\nOK"),
        ("Met Ana.\r\r\rWalked.", "Met Ana.\n\n\nWalked."),
    ],
    ids=range(8),
)
def test_text(export, field: str, text: str) -> None:
    (note,) = open_export(export("a.hl7", mdm(field)))
    assert isinstance(note, Note) and note.text == text
    assert note.meta["worker"] == "Wren Lee, CRSS"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "cp1252"])
def test_encodings(export, encoding: str) -> None:
    start = "\ufeff" if encoding == "utf-16-be" else ""
    (note,) = open_export(export("a.hl7", (start + mdm("Met Ren\u00e9.")).encode(encoding)))
    assert isinstance(note, Note) and note.text == "Met Ren\u00e9."


def test_other_separators(export) -> None:
    made = mdm(r"Met Ana.\.br\Walked.~Left.").translate(str.maketrans({"|": "#", "^": "!", "~": "%", "\\": "*"}))
    assert list(open_export(export("a.hl7", made))) == [Note("D-7", "Met Ana.\nWalked.\nLeft.", META)]


def test_frames_batches_and_other_messages(export) -> None:
    adt = message("PV1|1|O", kind="ADT^A08")
    made = "FHS|^~\\&|EHR\rBHS|^~\\&|EHR\r" + "".join(
        f"\v{one}\x1c\r" for one in (adt, mdm("Met Ana."), adt, mdm(f"{MARKER}", kind="NM"), mdm("Walked."))
    )
    opened = open_export(export("a.hl7", made + "BTS|5\rFTS|1\r"))
    first, lost, last = opened
    assert isinstance(first, Note) and isinstance(last, Note) and (first.text, last.text) == ("Met Ana.", "Walked.")
    assert str(lost) == ("message 4, line 19: has no text (OBX of TX, FT, ST or ED): export the notes with their text")
    assert "not read, because they are no MDM or ORU message: 2 ADT" in opened.notices


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (ed(RTF, "RTF"), "Met Ana.\nWalked."),
        (ed(RTF), "Met Ana.\nWalked."),
        (ed(b"<p>Met Ana.</p><p>Walked.</p>", "HTML"), "Met Ana.\n\nWalked."),
        (ed("Met Ana. \u00e9".encode(), kind="TEXT"), "Met Ana. \u00e9"),
        (ed(b"Met Ana.", "PLAIN", encoding="A"), "Met Ana."),
        (message(TXA, "NTE|1||Met Ana.", "NTE|2||Walked."), "Met Ana.\nWalked."),
        (message(TXA, "NTE|1||Called.", "OBX|1|ST|||Met Ana."), "Met Ana."),
    ],
    ids=range(7),
)
def test_documents_and_comments(export, made: str, text: str) -> None:
    (note,) = open_export(export("a.hl7", made))
    assert isinstance(note, Note) and note.text == text


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (ed(b"PK", "ZIP"), "is of a type that cannot be read; these can: "),
        (ed(MARKER.encode(), "RTF", encoding="Hex"), "holds a document that is neither text nor base64"),
        (mdm(f"^AP^PDF^Base64^{MARKER}!", kind="ED"), "its text is not valid base64: export it again"),
        (message(TXA), "has no text (OBX of TX, FT, ST or ED): export the notes with their text"),
        (mdm("x" * 1_000_001), "is longer than 1,000,000 characters: split it into notes"),
    ],
    ids=range(5),
)
def test_what_cannot_be_read_is_told_with_its_place(export, made: str, said: str) -> None:
    (lost,) = open_export(export("a.hl7", made))
    assert isinstance(lost, NoteReadError) and (lost.where, MARKER in str(lost)) == ("message 1, line 1", False)
    assert lost.problem.startswith(said)


@pytest.mark.parametrize(
    ("place", "status", "why"),
    [("19", "CA", "deleted"), ("19", "OB", "superseded"), ("17", "IP", "draft"), ("17", "IN", "draft")],
)
def test_what_is_not_valid_is_left_out(export, place: str, status: str, why: str) -> None:
    fields = TXA.split("|")
    fields[int(place)] = status
    (item,) = select(open_export(export("a.hl7", message("|".join(fields)))))
    assert isinstance(item, Skipped) and item.why == f"status: {why}"


def test_a_file_without_notes(export) -> None:
    with pytest.raises(InputError, match="^a.hl7 holds no MDM and no ORU message: export the notes as MDM"):
        open_export(export("a.hl7", message(kind="ADT^A01")))
    with pytest.raises(UsageError, match="only workbooks have sheets, and this is hl7"):
        open_export(export("a.hl7", mdm("Met Ana.")), sheet="1")
    with pytest.raises(InputError, match=r"^b.hl7 is not what its name says \(\.hl7\)"):
        open_export(export("b.hl7", "Met Ana."))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(
        st.sampled_from([*MSH, "\r", "\\", "|", "^", "OBX|1|TX|||", "TXA|", "ED", "MSH|", MARKER, "\v"]), max_size=60
    )
)
def test_any_message_is_read_or_refused_in_words(tmp_path: Path, parts: list[str]) -> None:
    path = tmp_path / "a.hl7"
    path.write_text(MSH.format("MDM") + "\r" + "".join(parts), encoding="utf-8")
    try:
        items = list(open_export(path))
    except PeerdriftError as error:
        assert MARKER not in str(error)
        return
    assert all(isinstance(item, Note | NoteReadError | Skipped) for item in items)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(st.text("ab ", min_size=1, max_size=4), min_size=1, max_size=6), st.sampled_from(["\r", "~", r"\.br\ "])
)
def test_no_word_of_a_note_is_lost(tmp_path: Path, words: list[str], between: str) -> None:
    path = tmp_path / "a.hl7"
    path.write_text(mdm("x", between.join(words), "y"), encoding="utf-8")
    (note,) = open_export(path)
    assert isinstance(note, Note) and note.text.split() == " ".join(["x", *words, "y"]).split()


def test_several_notes_in_one_message_are_not_mixed(export) -> None:
    """Neither the text of two people nor the status of one note with that of another."""
    for more in ((OBR, "OBX|2|TX|||Walked."), (PID, "OBX|2|TX|||Walked.")):
        made = message(OBR, "OBX|1|TX|||Met Ana.", *more, kind="ORU^R01")
        (lost,) = open_export(export("a.hl7", made))
        assert isinstance(lost, NoteReadError)
        assert lost.problem == "holds several notes (PID, TXA or OBR): export each in a message of its own"


def test_what_is_wrong_or_about_the_person_is_no_text(export) -> None:
    made = message(TXA, "OBX|1|TX|||Wrong.||||||W", "OBX|2|TX|||Met Ana.||||||F", 'OBX|3|TX|||""')
    (note,) = open_export(export("a.hl7", made))
    assert isinstance(note, Note) and note.text == "Met Ana."
    (lost,) = open_export(export("b.hl7", message(f"NTE|1||{MARKER}", TXA)))
    assert isinstance(lost, NoteReadError) and lost.problem.startswith("has no text")


def test_lines_that_only_look_like_segments_are_text(export) -> None:
    (note,) = open_export(export("a.hl7", message(TXA, "OBX|1|TX|||Met Ana.", "BMI 32", "ADD x", "ZZ|Fine.||||||F")))
    assert isinstance(note, NoteReadError)
    (note,) = open_export(export("b.hl7", message(TXA, "OBX|1|TX|||Met Ana.", "BMI 32", "ADD x||||||F")))
    assert isinstance(note, Note) and note.text == "Met Ana.\nBMI 32\nADD x"


@pytest.mark.parametrize(
    "observation",
    [
        "OBX|1|TX|||Met Ana | Bo||||||F",
        "OBX|1|TX|||Met Ana. | Bo",
        "OBX|1|FT|||Met Ana.||||||F\rBMI|32",
        "OBX|1|ST|||Met Ana | Bo||||||F",
        "OBX|1||||Met Ana || Bo||||||F",
        "OBX|1|TX|||Met Ana.||||||F\rWalked.",
        "OBX|1|TX|||Met Ana.||||||F|||20240307\rWalked.",
        "OBX|1|TX|||Met Ana. ||| Walked ||||||F",
        "OBX|1|TX|||Goal|||Step|||",
        "OBX|1|ST|||Met Ana | Bo",
        "OBX|1|ED|||^TEXT^PLAIN^A^Met Ana | Bo||||||F",
        "NTE|1||Met Ana | Bo",
    ],
)
def test_a_text_that_runs_into_other_fields_is_told_not_cut(export, observation: str) -> None:
    (lost,) = open_export(export("a.hl7", message(TXA, observation)))
    assert isinstance(lost, NoteReadError)
    said = "has a text that runs into other fields: export | in it as \\F\\, line breaks as \\.br\\"
    assert lost.problem == said


@pytest.mark.parametrize(
    "observation",
    [
        "OBX|1|TX|||Met Ana.||||||F|||20240307||7^Lee",
        "OBX|1|ST|||Met Ana.|kg|1-2|N|||F",
        "OBX|1|TX|||Met Ana.|||||",
        "OBX|1|TX|||Met Ana.|||N|||F",
        "OBX|1|TX|||Met \rADD|Ana.||||||F",
        'OBX|1|TX|||Met Ana.|""|""|""|""||f',
        "OBX|1|TX|||Met Ana.|||||F||||20240307",
        "OBX|1|TX|||Met Ana.||||||F^Final\rIAM|1|x",
        "OBX|1|TX|||Met Ana.\rBHS|^~\\&|E",
    ],
)
def test_what_may_stand_behind_a_text(export, observation: str) -> None:
    (note,) = open_export(export("a.hl7", message(TXA, observation)))
    assert isinstance(note, Note) and note.text == "Met Ana."


@pytest.mark.parametrize("cut", [8, 13, 30])
def test_a_document_that_goes_on_in_the_next_segment(export, cut: int) -> None:
    data = base64.b64encode(RTF).decode()
    pieces = (data[:cut], data[cut:])
    made = message(TXA, *(f"OBX|{number}|ED|||^AP^RTF^Base64^{piece}" for number, piece in enumerate(pieces, 1)))
    assert [item.text for item in open_export(export("a.hl7", made)) if isinstance(item, Note)] == ["Met Ana.\nWalked."]
    bare = message(TXA, f"OBX|1|ED|||^AP^RTF^Base64^{pieces[0]}", f"OBX|2|ED|||{pieces[1]}")
    assert [item.text for item in open_export(export("c.hl7", bare)) if isinstance(item, Note)] == ["Met Ana.\nWalked."]
    two = message(TXA, *(f"OBX|{number}|ED|||^AP^RTF^Base64^{data}" for number in (1, 2)))
    (note,) = open_export(export("b.hl7", two))
    assert isinstance(note, Note) and note.text.split("\n") == ["Met Ana.", "Walked."] * 2


def test_messages_in_a_folder(tmp_path: Path) -> None:
    adt = message("PV1|1|O", kind="ADT^A08")
    files = {
        "1.hl7": mdm("Met Ana."),
        "2.HL7": adt + mdm("Walked.").replace("D-7", "D-8"),
        "3.txt": f"{MARKER}",
        "4.txt": mdm(MARKER),
        "5.hl7": MARKER,
        "6.hl7": mdm(MARKER, kind="NM"),
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, newline="")
    opened = open_export(tmp_path)
    first, second, third, *lost = opened
    assert (first, third) == (Note("D-7", "Met Ana.", META), Note("3", MARKER))
    assert isinstance(second, Note) and (second.note_id, second.text) == ("D-8", "Walked.")
    assert list(map(str, lost)) == [
        "4.txt: is a message of HL7 v2, and says who the person is: rename it to .hl7",
        "5.hl7: is no file of HL7 v2 messages: export it again",
        "6.hl7, message 1, line 1: has no text (OBX of TX, FT, ST or ED): export the notes with their text",
    ]
    assert "not read, because they are no MDM or ORU message: 1 ADT" in opened.notices


def test_a_folder_of_other_messages(tmp_path: Path) -> None:
    (tmp_path / "1.hl7").write_text(message("PV1|1|O", kind="ADT^A08"), newline="")
    with pytest.raises(InputError, match="holds no MDM and no ORU message: export the notes as MDM"):
        open_export(tmp_path)


def test_a_document_beside_text_is_told(export) -> None:
    made = message(TXA, "OBX|1|TX|||Met Ana.", f"OBX|2|ED|||^AP^RTF^Base64^{base64.b64encode(RTF).decode()}")
    opened = open_export(export("a.hl7", made))
    assert [item.text for item in opened if isinstance(item, Note)] == ["Met Ana."]
    assert "1 messages hold a document beside their text; only the text was read" in opened.notices


@pytest.mark.parametrize("second", ["^^^^{}", "^AP^RTF^Base64^{}"])
def test_pieces_that_do_not_fit_are_told(export, second: str) -> None:
    """Each encoded for itself: what follows the first would be read as it is."""
    first, last = (base64.b64encode(piece).decode() for piece in (RTF[:20], RTF[20:]))
    assert first.endswith("=")
    made = message(TXA, f"OBX|1|ED|||^AP^RTF^Base64^{first}", "OBX|2|ED|||" + second.format(last))
    (lost,) = open_export(export("a.hl7", made))
    assert isinstance(lost, NoteReadError)
    assert lost.problem == "holds a document in pieces that do not fit: export it as one"


@pytest.mark.parametrize("encoding", ["A", "Base64"])
def test_a_ccda_document_is_read_as_one(export, encoding: str) -> None:
    """Its head says who the person is."""
    body = "<structuredBody><component><section><text>Met Ana.</text></section></component></structuredBody>"
    head = f"<recordTarget>{MARKER}</recordTarget>"
    ccda = f'<ClinicalDocument xmlns="urn:hl7-org:v3">{head}<component>{body}</component></ClinicalDocument>'
    for subtype in ("XML", ""):
        (note,) = open_export(export("a.hl7", ed(ccda.encode(), subtype, "TEXT", encoding)))
        assert isinstance(note, Note) and note.text == "Met Ana."
    (lost,) = open_export(export("b.hl7", ed(f"<?xml version='1.0'?><a>{MARKER}</a>".encode(), "", "TEXT", encoding)))
    assert isinstance(lost, NoteReadError) and lost.problem.startswith("is no C-CDA document")


def test_comments_beside_text_are_told(export) -> None:
    made = message(TXA, "OBX|1|TX|||Wrong.||||||W", "OBX|2|ED|||^TEXT^PLAIN^A^Met Ana.", "NTE|1||Called.")
    opened = open_export(export("a.hl7", made))
    assert [item.text for item in opened if isinstance(item, Note)] == ["Met Ana."]
    beside = [notice for notice in opened.notices if "beside" in notice]
    assert beside == ["1 messages hold comments (NTE) beside their text; only the text was read"]


def test_a_file_in_a_folder_is_never_lost(tmp_path: Path) -> None:
    starts = {"1": " ", "2": "\v ", "3": "\0", "4": "FHS|^~\\&|A\r\t"}
    for name, start in starts.items():
        (tmp_path / f"{name}.hl7").write_text(start + mdm("Met Ana."), newline="")
    (tmp_path / "5.hl7").write_text("FHS|^~\\&|A\rBTS|0\r", newline="")
    (tmp_path / "6.hl7").write_bytes(mdm("Met Ana.").encode("utf-16-be"))
    *notes, fifth, sixth = open_export(tmp_path)
    assert [note.text for note in notes if isinstance(note, Note)] == ["Met Ana."] * 4
    said = "holds no message (a line that begins with MSH): export it again"
    assert isinstance(fifth, NoteReadError) and fifth.problem == said
    assert isinstance(sixth, NoteReadError) and sixth.where.startswith("6.hl7")
