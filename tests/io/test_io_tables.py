"""The tables that people open in Excel."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as Sarif

from peerdrift_nlp.errors import UsageError
from peerdrift_nlp.io import ResultsFolder, tables
from peerdrift_nlp.io.tables import FINDINGS_COLUMNS, MAX_CELL
from peerdrift_nlp.io.writers import FORMATS
from peerdrift_nlp.taxonomy import taxonomy
from peerdrift_nlp.types import Engine, NoteReport, Span


def sheet_rows(path: Path, sheet: int = 0) -> list[dict[str, openpyxl.cell.Cell]]:
    rows = list(openpyxl.load_workbook(path).worksheets[sheet].iter_rows())
    return [dict(zip((str(cell.value) for cell in rows[0]), row, strict=True)) for row in rows[1:]]


def test_numbers_and_dates_are_such_and_ids_stay_text(tmp_path: Path, report: NoteReport) -> None:
    with ResultsFolder(tmp_path) as results:
        results.write(report)
    (row,) = sheet_rows(tmp_path / "findings.xlsx")
    assert tuple(row) == FINDINGS_COLUMNS
    assert (row["note_id"].value, row["severity"].value, row["start"].value, row["end"].value) == ("0042", 2, 0, 29)
    assert row["probability"].value == 0.9123 and row["probability"].number_format == "0.00"
    assert row["date"].value == datetime(2024, 1, 5) and row["date"].number_format == "yyyy-mm-dd"
    assert row["sentence"].value == "Reminded him to take his meds."


def test_the_header_is_frozen_and_the_filter_covers_all_rows(tmp_path: Path, report: NoteReport) -> None:
    with ResultsFolder(tmp_path) as results:
        results.write(report)
        results.write(report)
    (sheet,) = openpyxl.load_workbook(tmp_path / "findings.xlsx").worksheets
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", "A1:R3")
    assert sheet["A1"].font.bold and sheet.column_dimensions["M"].width > 50


@pytest.mark.parametrize("words", ["=1+1", "@SUM(A1)", "+1", "-1", "{=1}", "http://example.org/x", "00417", "1e5"])
def test_text_in_a_sheet_stays_text(tmp_path: Path, report: NoteReport, words: str) -> None:
    with ResultsFolder(tmp_path) as results:
        results.write(replace(report, note_id=words, text=words, meta={"worker": words, "date": words}))
    (row,) = sheet_rows(tmp_path / "findings.xlsx")
    for name in ("note_id", "worker", "date", "sentence"):
        assert (row[name].value, row[name].data_type, row[name].hyperlink) == (words, "s", None)


@pytest.mark.parametrize("date", ["1899-12-31", "1900-01-01", "last week", "2026-02-30", "9999-99-99"])
def test_what_is_no_date_for_excel_stays_text(tmp_path: Path, report: NoteReport, date: str) -> None:
    with ResultsFolder(tmp_path) as results:
        results.write(replace(report, meta={"date": date}))
    assert sheet_rows(tmp_path / "findings.xlsx")[0]["date"].value == date


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(st.characters(), max_size=30), min_size=1, max_size=3))
def test_any_text_makes_tables_that_open(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    folder = tmp_path_factory.mktemp("any")
    with ResultsFolder(folder, formats=["csv", "xlsx", "sarif", "json"]) as results:
        for text in texts:
            results.write(hostile(text))
    assert len(sheet_rows(folder / "findings.xlsx")) == len(texts)
    with (folder / "findings.csv").open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.DictReader(file))) == len(texts)
    assert len(json.loads((folder / "findings.sarif").read_text("utf-8"))["runs"][0]["results"]) == len(texts)
    assert [item["note_id"] for item in json.loads((folder / "reports.json").read_text("utf-8"))] == texts


def hostile(text: str) -> NoteReport:
    """A report in which everything that can be is ``text``."""
    made = taxonomy().indicators["clinical.nursing"]
    from peerdrift_nlp.types import Finding

    finding = Finding(
        id=text, label="clinical", indicator="clinical.nursing", locus="individual", severity=2, probability=0.5,
        start=0, end=len(text), sentence=Span(0, len(text)), origin="model", evidence=(), words=(), reason=text,
        guideline=text, question=made.question, clears=text, alternative=text,
    )  # fmt: skip
    return NoteReport(text, "complete", Engine("1", "m", "p", {}), (), {"worker": text}, (finding,), text=text)


def test_a_cell_is_never_longer_than_excel_takes(tmp_path: Path, report: NoteReport) -> None:
    text = "\U0001f600" * 40_000
    finding = replace(report.findings[0], sentence=Span(0, len(text)))
    with ResultsFolder(tmp_path) as results:
        results.write(replace(report, text=text, findings=(finding,)))
    value = sheet_rows(tmp_path / "findings.xlsx")[0]["sentence"].value
    assert isinstance(value, str) and value.endswith("[cut: 40,000 characters]")
    assert len(value.encode("utf-16-le")) // 2 <= MAX_CELL


def test_more_rows_than_a_sheet_holds_go_on_in_another_and_are_said(
    tmp_path: Path, report: NoteReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "MAX_ROWS", 4)
    with ResultsFolder(tmp_path) as results:
        for number in range(3):
            results.write(replace(report, note_id=str(number)))
        assert results.notices == []
        for number in range(3, 7):
            results.write(replace(report, note_id=str(number)))
        assert "findings.xlsx has 3 sheets" in results.notices[0]
    found = [[row["note_id"].value for row in sheet_rows(tmp_path / "findings.xlsx", sheet)] for sheet in range(3)]
    assert found == [["0", "1", "2"], ["3", "4", "5"], ["6"]]


def test_nothing_of_the_making_is_left(tmp_path: Path, report: NoteReport) -> None:
    with ResultsFolder(tmp_path, formats=FORMATS) as results:
        results.write(report)
        assert (tmp_path / ".findings.xlsx.rows").stat().st_mode & 0o077 == 0
        results.write_text("report.html", "<p>")
    assert sorted(item.name for item in tmp_path.iterdir()) == sorted(FORMATS.values())


def test_only_what_was_chosen_is_there_at_the_end(tmp_path: Path, report: NoteReport) -> None:
    with ResultsFolder(tmp_path) as results:
        results.write(report)
    with ResultsFolder(tmp_path, formats=["csv"]) as results:
        results.write(report)
        assert (tmp_path / "findings.xlsx").exists()
    assert [item.name for item in tmp_path.iterdir()] == ["findings.csv"]


def test_an_unknown_format_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="format 'pdf'; use one or more of csv, xlsx, sarif, json, html, jsonl"):
        ResultsFolder(tmp_path, formats=["csv", "pdf"])


def test_a_workbook_on_a_full_disk(tmp_path: Path, report: NoteReport, monkeypatch: pytest.MonkeyPatch) -> None:
    from xlsxwriter import Workbook
    from xlsxwriter.exceptions import FileCreateError

    def full(self: Workbook) -> None:
        raise FileCreateError(OSError(28, "No space left on device"))

    monkeypatch.setattr(Workbook, "close", full)
    with pytest.raises(UsageError, match=r"No space left on device; .*free some space"), ResultsFolder(tmp_path) as out:
        out.write(report)
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------------------------------- SARIF


def test_sarif_has_rules_with_help_and_results_with_regions(tmp_path: Path, report: NoteReport) -> None:
    with ResultsFolder(tmp_path, formats=["sarif"]) as results:
        results.write(replace(report, note_id="a b/7"))
        results.write(replace(report, findings=()))
    found = json.loads((tmp_path / "findings.sarif").read_text("utf-8"))
    (run,) = found["runs"]
    assert (found["version"], run["columnKind"]) == ("2.1.0", "unicodeCodePoints")
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(taxonomy().indicators)
    assert all(rule["help"]["text"].startswith("Ask: ") and rule["shortDescription"]["text"] for rule in rules)
    (result,) = run["results"]
    assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == "clinical.medication"
    assert (result["level"], result["rank"]) == ("warning", 91.23)
    (place,) = result["locations"]
    assert place["physicalLocation"] == {
        "artifactLocation": {"uri": "note/a%20b%2F7"},
        "region": {"charOffset": 0, "charLength": 29},
    }
    assert place["logicalLocations"][0]["name"] == "a b/7"


@pytest.mark.parametrize("note_ids", [[], ["7"], ["a b/7", "%", "ü😀", "", "../x?y#z"]])
def test_sarif_keeps_to_the_schema(tmp_path: Path, report: NoteReport, note_ids: list[str]) -> None:
    """The models are made from the official schema of version 2.1.0, and take no key that it does not have."""
    with ResultsFolder(tmp_path, formats=["sarif"]) as results:
        for note_id in note_ids:
            results.write(replace(report, note_id=note_id))
    text = (tmp_path / "findings.sarif").read_text("utf-8")
    checked = Sarif.model_validate_json(text)
    (run,) = checked.runs
    assert len(run.results) == len(note_ids) * len(report.findings)
    with pytest.raises(ValidationError):
        Sarif.model_validate_json(text.replace('"ruleId"', '"rule"').replace('"driver"', '"engine"'))


def test_sarif_holds_no_note_text_and_no_worker(tmp_path: Path, report: NoteReport) -> None:
    with ResultsFolder(tmp_path, formats=["sarif"]) as results:
        results.write(report)
    text = (tmp_path / "findings.sarif").read_text("utf-8")
    assert "his meds" not in text and "@wren" not in text


def test_sarif_of_nothing_is_whole(tmp_path: Path) -> None:
    with ResultsFolder(tmp_path, formats=["sarif", "json"]):
        pass
    assert json.loads((tmp_path / "findings.sarif").read_text("utf-8"))["runs"][0]["results"] == []
    assert json.loads((tmp_path / "reports.json").read_text("utf-8")) == []
