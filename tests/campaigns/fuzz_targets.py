"""What is fuzzed: functions of bytes that may raise the package's own errors and nothing else."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

from peerdrift_nlp.classifier.bundle import load_bundle
from peerdrift_nlp.classifier.shipped import shipped_model
from peerdrift_nlp.errors import PeerdriftError
from peerdrift_nlp.io.readers import open_export
from peerdrift_nlp.io.results import open_results
from peerdrift_nlp.io.settings import find_settings
from peerdrift_nlp.report.baseline import open_baseline
from peerdrift_nlp.report.decisions import read_decisions
from peerdrift_nlp.report.profile import read_profile
from peerdrift_nlp.report.suppress import read_suppressions
from peerdrift_nlp.rules.pack import read_packs, shipped_packs
from peerdrift_nlp.scanner import Scanner
from peerdrift_nlp.text.fold import fold
from peerdrift_nlp.text.sentences import split_sentences
from peerdrift_nlp.types import NoteReport

NOTE = "D: Met Ana. I counted her pills.\n- Drove him to Walmart \u2014 \u201cfine\u201d.\nP: She chose the library."


@cache
def folder() -> Path:
    """A folder for the files that are made, one after the other."""
    return Path(tempfile.mkdtemp(prefix="fuzz-"))


@cache
def scanner() -> Scanner:
    """One for all."""
    return Scanner(model="fast")


def _file(name: str, data: bytes) -> Path:
    path = folder() / name
    path.write_bytes(data)
    return path


def text(data: bytes) -> None:
    """Folding keeps the length; sentences lie within the note, in order and apart; a scan's offsets too."""
    note = data.decode("utf-8", "surrogateescape")
    folded = fold(note)
    assert len(folded) == len(note) and fold(folded) == folded
    sentences = split_sentences(folded)
    edges = [edge for item in sentences for edge in (item.start, item.end)]
    assert edges == sorted(edges) and all(0 <= edge <= len(note) for edge in edges)
    report = scanner().scan(note)
    assert all(0 <= item.start < item.end <= len(note) for item in report.findings)
    assert NoteReport.from_dict(json.loads(report.to_json())).to_dict() == json.loads(report.to_json())


def _reader(kind: str) -> Callable[[bytes], None]:
    def read(data: bytes) -> None:
        with suppress(PeerdriftError):
            list(open_export(_file(f"export.{kind}", data)))

    return read


def pack(data: bytes) -> None:
    """A rule pack."""
    with suppress(PeerdriftError):
        read_packs([_file("pack.toml", data)])


def profile(data: bytes) -> None:
    """A policy profile, a file of suppressions and the settings beside an export."""
    with suppress(PeerdriftError):
        read_profile(_file("profile.toml", data))
    with suppress(PeerdriftError):
        read_suppressions(_file("suppress.toml", data))
    with suppress(PeerdriftError):
        _file("peerdrift.toml", data)
        find_settings(folder() / "notes.csv")
    (folder() / "peerdrift.toml").unlink()


def review(data: bytes) -> None:
    """Decisions, a baseline with its key, and the record of a run."""
    with suppress(PeerdriftError):
        read_decisions(_file("decisions.json", data))
    _file("seen.json.key", b"00" * 32)
    with suppress(PeerdriftError):
        open_baseline(_file("seen.json", data), by_id=True)
    results = folder() / "results"
    results.mkdir(exist_ok=True)
    (results / "run.json").write_bytes(data)
    (results / "reports.jsonl").write_bytes(data)
    with suppress(PeerdriftError):
        list(open_results(results).reports())


def report(data: bytes) -> None:
    """A line of ``reports.jsonl``."""
    try:
        loaded = json.loads(data)
    except (ValueError, RecursionError):
        return
    with suppress(PeerdriftError):
        NoteReport.from_dict(loaded).to_json()


def bundle(data: bytes) -> None:
    """The members of a model bundle in turn; which one is chosen by the first byte."""
    names = ("manifest.json", "vocabulary.json", "weights.npz")
    made = folder() / "bundle"
    if not made.exists():
        shutil.copytree(shipped_model("fast"), made)
    name = names[data[0] % 3] if data else names[0]
    whole = (shipped_model("fast") / name).read_bytes()
    (made / name).write_bytes(data[1:])
    try:
        with suppress(PeerdriftError):
            load_bundle(made)
    finally:
        (made / name).write_bytes(whole)


READERS = ("csv", "tsv", "json", "jsonl", "ndjson", "html", "xml", "xls", "xlsx", "txt", "rtf", "zip", "parquet", "hl7")
TARGETS: dict[str, Callable[[bytes], None]] = {
    "text": text, "pack": pack, "profile": profile, "review": review, "report": report, "bundle": bundle,
    **{f"reader_{kind}": _reader(kind) for kind in READERS},
}  # fmt: skip


def seeds(target: str) -> list[bytes]:
    """Whole inputs to begin from."""
    line = scanner().scan(NOTE, note_id="1", worker="Ana").to_json().encode()
    rows = [
        {"Note ID": "1", "Staff": "Ana", "Progress Note": NOTE},
        {"Note ID": "2", "Staff": "Bo", "Progress Note": "Met."},
    ]
    attachment = [{"attachment": {"contentType": "text/plain", "data": "TWV0IEFuYS4="}}]
    resource = {"resourceType": "DocumentReference", "id": "1", "status": "current", "content": attachment}
    composition = {"resourceType": "Composition", "id": "2", "section": [{"title": "Visit", "text": {"div": "<p>Met"}}]}
    known: dict[str, list[bytes]] = {
        "text": [NOTE.encode()],
        "pack": [path.read_bytes()[:3000].rsplit(b"[[", 1)[0] for path in shipped_packs()],
        "profile": [
            b'title = "Ours"\n[policies]\nrides = true\n',
            b'[[suppress]]\nphrase = "drove"\nreason = "Fine."\ndate = 2026-03-01\n', b'sheet = "1"\n[columns]\ntext = "Note"\n',
        ],
        "review": [
            b'{"schema":"peerdrift.decisions/1","run":"a","key_id":"00000000","made":"b","decisions":[],"read":[]}',
            b'{"schema":"peerdrift.baseline/1","key_id":"00000000","notes":[]}', line,
        ],
        "report": [line],
        "bundle": [bytes([n]) + (shipped_model("fast") / name).read_bytes()[:20_000] for n, name in enumerate(
            ("manifest.json", "vocabulary.json", "weights.npz"))],
        "reader_csv": [b"Note ID,Staff,Progress Note\n1,Ana,\"Met Ana, counted pills.\"\n2,Bo,Met.\n"],
        "reader_tsv": ["Note ID\tProgress Note\n1\tMet Ana.\n".encode("utf-16")],
        "reader_json": [json.dumps(rows).encode()],
        "reader_jsonl": ["\n".join(map(json.dumps, rows)).encode()],
        "reader_ndjson": [json.dumps(resource).encode(), json.dumps(composition).encode()],
        "reader_html": [b"<table><tr><th>Note ID<th>Progress Note<tr><td>1<td>Met Ana.</table>"],
        "reader_xml": [
            b'<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3"><component><structuredBody><component><section>'
            b"<title>Visit</title><text><paragraph>Met Ana.</paragraph></text></section></component></structuredBody>"
            b"</component></ClinicalDocument>", b"",
        ],
        "reader_hl7": [
            rb"MSH|^~\&|EHR|House|||20240308||MDM^T02|1|P|2.5" b"\rTXA|1|PN|TX|20240307\rOBX|1|TX|||Met Ana.~Walked.\\.br\\Left."
        ],
        "reader_rtf": [rb"{\rtf1\ansi{\fonttbl\f0 Arial;}\f0 Met Ana.\par\'e9\u8212?}"],
    }  # fmt: skip
    return known.get(target, [b"", b"PK\x03\x04", b"PAR1", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"])
