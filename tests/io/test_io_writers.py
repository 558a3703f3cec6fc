from __future__ import annotations

import csv
import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from peerdrift_nlp.errors import UsageError
from peerdrift_nlp.io import ResultsFolder, writers
from peerdrift_nlp.io.tables import FINDINGS_COLUMNS, MAX_CELL, excel_safe
from peerdrift_nlp.io.writers import default_folder
from peerdrift_nlp.types import NoteReport, Span


def contents(folder: Path) -> dict[str, bytes]:
    return {item.name: item.read_bytes() for item in folder.iterdir()}


def test_results(tmp_path: Path, report: NoteReport) -> None:
    folder = tmp_path / "deep" / "results"
    with ResultsFolder(folder) as results:
        results.write(report)
        results.write(replace(report, note_id="=cmd|' /C calc'!A0", findings=()))
        results.write_run({"read": 2, "note": "\u201cNA\u201d"})
        results.write_text("report.html", "<p>")
        assert not (folder / "reports.jsonl").exists()
    assert sorted(contents(folder)) == [
        "findings.csv", "findings.xlsx", "report.html", "reports.jsonl", "run.json",
    ]  # fmt: skip
    assert stat.S_IMODE(folder.stat().st_mode) & 0o077 == 0
    lines = (folder / "reports.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["note_id"] for line in lines] == ["0042", "=cmd|' /C calc'!A0"]
    assert json.loads(lines[0]) == report.to_dict()
    assert json.loads((folder / "run.json").read_text("utf-8")) == {"read": 2, "note": "\u201cNA\u201d"}
    raw = (folder / "findings.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    (row,) = csv.DictReader(raw.decode("utf-8-sig").splitlines())
    assert tuple(row) == FINDINGS_COLUMNS
    assert row["sentence"] == "Reminded him to take his meds."
    assert (row["note_id"], row["worker"], row["reason"]) == ("0042", "'@wren", "'=Reminding is for nurses.")
    assert (row["severity"], row["probability"], row["start"], row["end"]) == ("2", "0.9123", "0", "29")


def test_a_sentence_is_written_on_one_line(tmp_path: Path, report: NoteReport) -> None:
    text = "- told her\r\n\tto go\0\ud800"
    finding = replace(report.findings[0], sentence=Span(0, len(text)))
    with ResultsFolder(tmp_path) as results:
        results.write(replace(report, text=text, note_id="a\ud800", findings=(finding,)))
    (row,) = csv.DictReader((tmp_path / "findings.csv").read_text("utf-8-sig").splitlines())
    assert row["sentence"] == "'- told her to go\ufffd\\ud800"
    assert json.loads((tmp_path / "reports.jsonl").read_text("utf-8"))["note_id"] == "a\ud800"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\uff1d"])
def test_no_cell_is_a_formula(start: str) -> None:
    assert excel_safe(f"{start}1+1") == f"'{start}1+1"
    assert excel_safe(f"a{start}1+1") == f"a{start}1+1"


@pytest.mark.parametrize("letter", ["a", "\u201c", "\U0001f600"])
def test_no_cell_is_too_long_for_excel(letter: str) -> None:
    whole = letter * (MAX_CELL if letter != "\U0001f600" else MAX_CELL // 2)
    assert excel_safe(whole) == whole
    cut = excel_safe(letter * 40_000)
    assert cut.endswith(" [cut: 40,000 characters]")
    assert MAX_CELL - 2 < len(cut.encode("utf-16-le")) // 2 <= MAX_CELL


def test_an_error_leaves_no_trace(tmp_path: Path, report: NoteReport) -> None:
    with pytest.raises(KeyboardInterrupt), ResultsFolder(tmp_path / "new") as results:
        results.write(report)
        raise KeyboardInterrupt
    assert not (tmp_path / "new").exists()


def test_an_error_leaves_earlier_results_as_they_were(tmp_path: Path, report: NoteReport) -> None:
    with ResultsFolder(tmp_path) as results:
        results.write(report)
    before = contents(tmp_path)
    with pytest.raises(ZeroDivisionError), ResultsFolder(tmp_path) as results:
        results.write(report)
        results.write_run({"read": 1})
        raise ZeroDivisionError
    assert contents(tmp_path) == before


def test_earlier_results_and_leftovers_are_replaced(tmp_path: Path, report: NoteReport) -> None:
    for name in ("reports.jsonl", "report.html", ".findings.csv.part", ".DS_Store", "~$findings.csv"):
        (tmp_path / name).write_text("old")
    with ResultsFolder(tmp_path) as results:
        results.write(report)
    assert (tmp_path / "reports.jsonl").read_text("utf-8") == report.to_json() + "\n"
    assert not (tmp_path / ".findings.csv.part").exists()


def test_other_peoples_files_are_not_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_text("mine")
    with pytest.raises(UsageError, match=r"holds 'thesis\.docx'.*choose a new or empty folder with --out"):
        ResultsFolder(tmp_path).__enter__()
    assert list(contents(tmp_path)) == ["thesis.docx"]
    with pytest.raises(UsageError, match="is a file: choose a folder"):
        ResultsFolder(tmp_path / "thesis.docx").__enter__()
    with pytest.raises(UsageError, match=r"cannot be written to .*choose another folder"):
        ResultsFolder(tmp_path / "thesis.docx" / "results").__enter__()


def deny(monkeypatch: pytest.MonkeyPatch, method: str, name: str) -> None:
    original = getattr(Path, method)

    def guarded(self: Path, *args: object, **options: object) -> object:
        if self.name == name:
            raise PermissionError(13, "Permission denied", str(self))
        return original(self, *args, **options)

    monkeypatch.setattr(Path, method, guarded)


def test_a_result_open_in_excel_is_found_before_the_scan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "findings.csv").write_text("old")
    deny(monkeypatch, "open", "findings.csv")
    with pytest.raises(UsageError, match=r"\(findings\.csv\): Permission denied; close it in Excel"):
        ResultsFolder(tmp_path).__enter__()
    assert [item.name for item in tmp_path.iterdir()] == ["findings.csv"]


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deny(monkeypatch, "mkdir", "results")
    with pytest.raises(UsageError, match=r"results: Permission denied; .*choose another folder"):
        ResultsFolder(tmp_path / "results").__enter__()


def test_a_result_locked_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, report: NoteReport) -> None:
    deny(monkeypatch, "replace", ".findings.csv.part")
    with pytest.raises(UsageError, match=r"\(findings\.csv\)"), ResultsFolder(tmp_path) as results:
        results.write(report)
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, report: NoteReport) -> None:
    monkeypatch.setattr(writers, "_part", lambda path: Path("/dev/full"))
    monkeypatch.setattr(Path, "unlink", lambda self, missing_ok=False: None)
    with pytest.raises(UsageError, match=r"No space left on device; .*free some space"), ResultsFolder(tmp_path) as out:
        for _ in range(1000):
            out.write(report)


def test_only_results_are_written_as_text(tmp_path: Path) -> None:
    with ResultsFolder(tmp_path) as results, pytest.raises(ValueError, match="is not one of the results"):
        results.write_text("../other.html", "")


def test_exports_of_one_name_get_a_folder_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    table, book = tmp_path / "a.csv", tmp_path / "a.xlsx"
    assert default_folder(table) == default_folder(book) == Path("a-peerdrift")
    with ResultsFolder(default_folder(table)) as results:
        results.write_run({"input": "a.csv"})
    assert (default_folder(table), default_folder(book)) == (Path("a-peerdrift"), Path("a.xlsx-peerdrift"))
    for damaged in ("", "[]", "{}", "\xff"):
        (tmp_path / "a-peerdrift" / "run.json").write_bytes(damaged.encode("latin-1"))
        assert default_folder(book) == Path("a-peerdrift")
