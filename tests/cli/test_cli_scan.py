"""``peerdrift scan``: an export in, a results folder out, and a plain word where something is wrong."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import openpyxl
import pytest
from cli_runs import COMMAND, Run, environment, golden, peerdrift
from jsonschema import Draft202012Validator

from peerdrift_nlp.io import schema
from peerdrift_nlp.io.readers import Skipped, open_export
from peerdrift_nlp.io.select import select
from peerdrift_nlp.types import Note

RESULTS = ["findings.csv", "findings.xlsx", "report.html", "reports.jsonl", "run.json"]
MARKER = "xylorimba"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scan")


@pytest.fixture(scope="module")
def run(place: Path, sample: Path) -> Run:
    """The README's first command, in a folder of its own."""
    return peerdrift("scan", sample, folder=place)


@pytest.fixture
def results(place: Path, run: Run) -> Path:
    assert run.code == 0, run.err
    return place / "notes-peerdrift"


# ---------------------------------------------------------------------------------------- the sample


def test_the_sample_is_scanned(results: Path, run: Run) -> None:
    assert run.code == 0
    assert sorted(item.name for item in results.iterdir()) == RESULTS


def test_every_note_of_the_sample_is_accounted_for(results: Path, sample: Path) -> None:
    record = json.loads((results / "run.json").read_text(encoding="utf-8"))
    counts = record["counts"]
    items = list(select(open_export(sample)))
    left_out = [item for item in items if isinstance(item, Skipped)]
    assert counts["read"] == counts["scanned"] + counts["skipped"] + counts["unreadable"] == len(items)
    assert counts["skipped"] == sum(record["skipped"].values()) == len(left_out)
    assert record["skipped_notes"] == [{"where": item.where, "why": item.why} for item in left_out]
    assert all(item["why"] for item in record["skipped_notes"])
    assert {"no text", "status: voided"} <= set(record["skipped"])
    assert any(why.startswith("not a peer role: ") for why in record["skipped"])
    assert (counts["unreadable"], record["problems"]) == (0, [])
    assert (record["encoding"], record["operating_point"], record["input"]) == ("cp1252", "balanced", "notes.csv")


def test_skipped_notes_are_all_counted_and_the_first_thousand_listed(tmp_path: Path) -> None:
    rows = "".join(f"{number},peer,\n{number}b,nurse,We met.\n" for number in range(600))
    (tmp_path / "a.csv").write_text(f"id,role,text\n{rows}z,peer,We met.\n")
    run = peerdrift("scan", "a.csv", "--model", "fast", "--format", "jsonl", folder=tmp_path)
    record = json.loads((tmp_path / "a-peerdrift" / "run.json").read_text(encoding="utf-8"))
    assert record["counts"] == {"read": 1201, "scanned": 1, "skipped": 1200, "unreadable": 0}
    assert record["skipped"] == {"no text": 600, "not a peer role: nurse": 600}
    assert len(record["skipped_notes"]) == 1000 and record["skipped_notes"][0] == {"where": "row 2", "why": "no text"}
    assert "1,201 notes read: 1 scanned, 1,200 skipped, 0 unreadable." in run.lines


def test_reports_are_in_the_order_of_the_export_and_keep_the_contract(results: Path, sample: Path) -> None:
    validator = Draft202012Validator(schema())
    reports = [json.loads(line) for line in (results / "reports.jsonl").read_text(encoding="utf-8").splitlines()]
    notes = [item for item in select(open_export(sample)) if isinstance(item, Note)]
    assert [report["note_id"] for report in reports] == [note.note_id for note in notes]
    assert any(report["note_id"].startswith("0") for report in reports)
    for report, note in zip(reports, notes, strict=True):
        validator.validate(report)
        assert report["meta"] == dict(note.meta)
        assert all(finding["end"] <= len(note.text) for finding in report["findings"])


def test_the_table_of_findings_has_a_row_for_each(results: Path) -> None:
    reports = [json.loads(line) for line in (results / "reports.jsonl").read_text(encoding="utf-8").splitlines()]
    with (results / "findings.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    wanted = [(report["note_id"], item["indicator"]) for report in reports for item in report["findings"]]
    assert [(row["note_id"], row["indicator"]) for row in rows] == wanted and rows


def test_the_page_works_offline(results: Path) -> None:
    page = (results / "report.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>") or page.lower().startswith("<!doctype html>")
    assert not re.findall(r"(?:src|href)\s*=\s*[\"']?(?:https?:)?//", page)


def test_the_summary_is_on_stdout_and_the_notices_on_stderr(results: Path, run: Run) -> None:
    record = json.loads((results / "run.json").read_text(encoding="utf-8"))
    counts = record["counts"]
    total = (
        f"{counts['read']:,} notes read: {counts['scanned']:,} scanned, {counts['skipped']:,} skipped, "
        f"{counts['unreadable']:,} unreadable."
    )
    assert total in run.lines
    assert "Results: notes-peerdrift/report.html" in run.lines
    assert "For supportive supervision: a flag is a question, and a quiet note is no proof." in run.lines
    headings = [run.out.index(heading) for heading in ("What is strong", "To talk about", "About the workplace")]
    assert headings == sorted(headings)
    for why, count in record["skipped"].items():
        assert f"  skipped {count:,}: {why}" in run.lines
    assert run.err.splitlines()[0] == "Reading notes.csv"
    assert "  read as cp1252" in run.err.splitlines() and "column 'Progress Note' read as text" in run.err
    for part in ("notes read", "Results:", "What is strong", "skipped"):
        assert part not in run.err


def test_no_line_is_wider_than_the_terminal_and_none_has_codes(run: Run) -> None:
    assert [line for line in (run.out + run.err).splitlines() if len(line) > 80] == []
    assert "\x1b" not in run.out + run.err and "\r" not in run.out + run.err


def test_neither_stream_quotes_a_note(run: Run, sample: Path) -> None:
    notes = [item for item in open_export(sample) if isinstance(item, Note)]
    said = " ".join((run.out + run.err).split())
    for note in notes:
        words = note.text.split()
        assert " ".join(words[:6]) not in said and " ".join(words[-6:]) not in said


def test_nobody_is_ranked(results: Path, run: Run) -> None:
    record = json.loads((results / "run.json").read_text(encoding="utf-8"))
    reports = [json.loads(line) for line in (results / "reports.jsonl").read_text(encoding="utf-8").splitlines()]
    workers = {report["meta"]["worker"] for report in reports}
    assert len(workers) >= 6
    assert not [worker for worker in workers if worker in run.out]
    assert "summary" in record


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_second_run_on_a_terminal_replaces_the_first(results: Path, sample: Path, tmp_path: Path) -> None:
    """Progress on a terminal, no colours where NO_COLOR is set, code 1 with --fail-on; what a killed run left is no hindrance."""
    import pty

    shutil.copytree(results, tmp_path / "notes-peerdrift")
    (tmp_path / "notes-peerdrift" / "findings.csv").write_text("old")
    for name in (".reports.jsonl.part", ".findings.csv.part"):  # what a run leaves that was killed
        (tmp_path / "notes-peerdrift" / name).write_text("half")
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "scan", str(sample), "--fail-on", "1"], cwd=tmp_path, env=environment(NO_COLOR="1"),
        stdin=subprocess.DEVNULL, stdout=follower, stderr=follower,
    )  # fmt: skip
    os.close(follower)
    said = b""
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:  # Linux says so when the other end is closed
            break
        if not part:
            break
        said += part
    os.close(leader)
    assert process.wait(timeout=60) == 1
    text = said.decode("utf-8", "replace")
    assert "notes scanned" in text and "notes read" in text
    assert not re.findall(r"\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;\d+)*m", text)
    again = tmp_path / "notes-peerdrift"
    assert sorted(item.name for item in again.iterdir()) == RESULTS
    assert (again / "reports.jsonl").read_bytes() == (results / "reports.jsonl").read_bytes()
    assert (again / "findings.csv").read_bytes() == (results / "findings.csv").read_bytes()


# ---------------------------------------------------------------------------------------- interrupted


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_ctrl_c_leaves_the_results_of_the_last_run_and_no_word_of_a_note(results: Path, tmp_path: Path) -> None:
    shutil.copytree(results, tmp_path / "results")
    before = {item.name: item.read_bytes() for item in (tmp_path / "results").iterdir()}
    rows = "".join(f"{number},I drove her to Walmart and back. Met {MARKER} {number}.\n" for number in range(60_000))
    (tmp_path / "big.csv").write_text("id,text\n" + rows)
    process = subprocess.Popen(
        [*COMMAND, "scan", "big.csv", "--out", "results"], cwd=tmp_path, env=environment(),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    growing = tmp_path / "results" / ".reports.jsonl.part"
    while process.poll() is None and not (growing.is_file() and growing.stat().st_size):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode not in (0, 1, 3)
    assert b"Traceback" not in err and b"internal error" not in err and MARKER.encode() not in out + err
    after = {item.name: item.read_bytes() for item in (tmp_path / "results").iterdir()}
    kept = {name: after.pop(name) for name in (".progress.json", ".reports.jsonl.part")}  # to go on after: offsets only
    assert after == before
    assert not [name for name, content in kept.items() if MARKER.encode() in content or b"Walmart" in content]
    assert all(stat.S_IMODE((tmp_path / "results" / name).stat().st_mode) == 0o600 for name in kept)


# ---------------------------------------------------------------------------------------- where results may go


GOOD = "id,text\n1,I met Ana.\n"


def test_a_folder_of_other_things_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(GOOD)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("mine")
    run = peerdrift("scan", "a.csv", "--out", "mine", folder=tmp_path)
    assert (run.code, run.out) == (2, "")
    assert "mine holds 'letter.txt', which is not from an earlier run" in run.err
    assert [item.name for item in (tmp_path / "mine").iterdir()] == ["letter.txt"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(GOOD)
    run = peerdrift("scan", "a.csv", "--out", "a.csv", folder=tmp_path)
    assert (run.code, run.out) == (2, "")
    assert "a.csv is a file: choose a folder for the results with --out" in run.err
    assert (tmp_path / "a.csv").read_text() == GOOD


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX permissions")
def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    wrapper: list[str] = []
    if os.geteuid() == 0:  # root may write anywhere, unless that right is given up
        if not shutil.which("setpriv"):
            pytest.skip("run by root, and there is no setpriv")
        given_up = "-dac_override,-dac_read_search"
        wrapper = ["setpriv", f"--bounding-set={given_up}", f"--inh-caps={given_up}"]
        if subprocess.run([*wrapper, "true"], capture_output=True).returncode:
            pytest.skip("run by root, who may not give up the right to write anywhere")
    (tmp_path / "a.csv").write_text(GOOD)
    (tmp_path / "locked").mkdir(mode=0o500)
    try:
        run = peerdrift("scan", "a.csv", "--out", "locked", folder=tmp_path, wrapper=wrapper)
        assert (run.code, run.out) == (2, "")
        assert "the results cannot be written to locked" in run.err and "choose another folder with --out" in run.err
        assert list((tmp_path / "locked").iterdir()) == []
    finally:
        (tmp_path / "locked").chmod(0o700)


# ---------------------------------------------------------------------------------------- bad files, exact words


def bad_files(folder: Path) -> None:
    (folder / "empty.csv").write_bytes(b"")
    (folder / "header.csv").write_text("id,text\n")
    (folder / "columns.csv").write_text("when,who,how long\n1/2/26,Ana,30\n")
    (folder / "notes.docx").write_bytes(b"PK\x03\x04 nothing")
    (folder / "single.txt").write_text(f"I met {MARKER}.\n")
    (folder / "old.xls").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512))
    (folder / "page.xlsx").write_text(f"<html><body><table><tr><td>{MARKER}</td></tr></table></body></html>")
    (folder / "picture.csv").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    (folder / "latin.csv").write_bytes(f"id,text\n1,caf\xe9 {MARKER}\n".encode("latin-1"))
    (folder / "good.csv").write_text(GOOD)
    (folder / "texts").mkdir()
    openpyxl.Workbook().save(folder / "blank.xlsx")


CASES = [
    ("nowhere.csv",), ("empty.csv",), ("header.csv",), ("columns.csv",), ("notes.docx",), ("single.txt",), ("old.xls",),
    ("page.xlsx",), ("picture.csv",), ("blank.xlsx",), ("texts",), ("latin.csv", "--encoding", "utf-8"),
    ("good.csv", "--encoding", "utf-99"), ("good.csv", "--map", "text"), ("good.csv", "--map", "text=body"),
    ("good.csv", "--map", "txt=text"), ("good.csv", "--profile", "nowhere"), ("good.csv", "--operating-point", "strict"), ]  # fmt: skip


def test_messages_about_bad_files_and_options(tmp_path: Path) -> None:
    """Each with code 2, nothing on stdout, nothing written, no word of a note: ``golden/scan_messages.txt``."""
    bad_files(tmp_path)
    before = sorted(item.name for item in tmp_path.iterdir())
    told = []
    for case in CASES:
        run = peerdrift("scan", *case, "--quiet", folder=tmp_path)
        assert (run.code, run.out) == (2, ""), case
        assert MARKER not in run.err
        told.append(f"$ peerdrift scan {' '.join(case)}\n{run.err}")
    assert sorted(item.name for item in tmp_path.iterdir()) == before
    golden("scan_messages", "\n".join(told))
