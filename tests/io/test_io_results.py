"""A results folder read again: reports as they were, texts put back only where they fit, and plain words otherwise."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from peerdrift_nlp.errors import InputError, UsageError
from peerdrift_nlp.io.results import fingerprinted, join, key_of, open_results
from peerdrift_nlp.io.writers import ResultsFolder, replace_pages
from peerdrift_nlp.report.fingerprint import Fingerprints
from peerdrift_nlp.report.policies import Policies
from peerdrift_nlp.report.profile import read_profile
from peerdrift_nlp.scanner import Scanner
from peerdrift_nlp.types import Note, NoteReport

KEY = bytes(range(32))
PRINTS = Fingerprints(KEY)
POLICIES = Policies(read_profile(), {})
RUN = {
    "schema": "peerdrift.run/1",
    "started": "2026-03-02T10:00:00+00:00",
    "reading": {"columns": {"text": "text"}, "sheet": None},
    "skipped": {},
    "profile": {"title": "x", "resources": []},
    "summary": {"left_out": []},
    "key": KEY.hex(),
}
TEXTS = [
    "I drove her to Walmart and back.\r\n\r\nCounted her pills, told her to take them. 😀",
    "We sat on the porch.",
    "",
]


def write(folder: Path, reports: list[NoteReport], run: dict[str, Any] | None = None) -> Path:
    with ResultsFolder(folder) as results:
        for report in reports:
            results.write(report)
        results.write_text("report.html", "page")
        results.write_run(RUN if run is None else run)
    return folder


@pytest.fixture(scope="module")
def scanned() -> list[NoteReport]:
    scanner = Scanner(model="fast")
    notes = [Note(str(place), text, {"worker": "Ana", "date": "2026-03-02"}) for place, text in enumerate(TEXTS)]
    return [fingerprinted(report, PRINTS) for report in scanner.scan_many(notes)]


def bare(report: NoteReport) -> NoteReport:
    return NoteReport.from_dict(json.loads(report.to_json()))


def test_a_report_read_again_is_the_report(report: NoteReport, scanned: list[NoteReport]) -> None:
    failed = NoteReport("1", "failed", report.engine, ("no text",))
    assert scanned[0].findings and scanned[0].look_alikes is not None
    for item in (report, failed, *scanned):
        again = replace(bare(item), sentences=item.sentences)
        assert again.to_dict() == item.to_dict() and again.text == ""


def test_reports_come_back_from_their_folder(tmp_path: Path, scanned: list[NoteReport]) -> None:
    opened = open_results(write(tmp_path / "r", scanned))
    assert list(opened.reports()) == list(map(bare, scanned))
    assert opened.fingerprints.key_id == PRINTS.key_id and opened.run["started"] == RUN["started"]


def test_texts_are_put_back_in_whatever_order_the_export_is(scanned: list[NoteReport]) -> None:
    items = [Note(f"other-{place}", text) for place, text in reversed(list(enumerate(TEXTS)))]
    joined, lost = join(map(bare, scanned), items, PRINTS, POLICIES)
    assert lost == 0
    assert [(item.text, item.sentences) for item in joined] == [(item.text, item.sentences) for item in scanned]
    assert [item.to_dict() for item in joined] == [item.to_dict() for item in scanned]


def test_a_note_that_changed_or_is_gone_is_counted_and_not_shown(scanned: list[NoteReport]) -> None:
    changed = Note("0", TEXTS[0].replace("Walmart", "Target"))
    joined, lost = join(map(bare, scanned), [changed, Note("1", TEXTS[1])], PRINTS, POLICIES)
    assert [item.note_id for item in joined] == ["1"] and lost == 2


def test_the_same_words_with_other_white_space_are_not_marked_in_wrong_places(scanned: list[NoteReport]) -> None:
    shifted = Note("0", "  " + TEXTS[0])
    assert PRINTS.note(shifted.text) == scanned[0].fingerprint
    assert join([bare(scanned[0])], [shifted], PRINTS, POLICIES) == ([], 1)
    joined, lost = join([bare(scanned[0])], [shifted, Note("0", TEXTS[0])], PRINTS, POLICIES)
    assert (joined[0].text, lost) == (TEXTS[0], 0)


def test_a_failed_note_stays_without_text(report: NoteReport) -> None:
    failed = fingerprinted(NoteReport("9", "failed", report.engine, ("too long",)), PRINTS)
    assert join([failed], [], PRINTS, POLICIES) == ([failed], 0) and failed.fingerprint == ""


@pytest.mark.parametrize(
    "prepare",
    [
        lambda folder: None,
        lambda folder: folder.mkdir(),
        lambda folder: (folder.mkdir(), (folder / "run.json").write_text("{")),
        lambda folder: (folder.mkdir(), (folder / "run.json").write_text("[" * 100_000)),
        lambda folder: (folder.mkdir(), (folder / "run.json").write_bytes(b"\xff")),
        lambda folder: folder.write_text("file"),
    ],
)
def test_what_is_no_results_folder_is_refused(tmp_path: Path, prepare: Callable[[Path], Any]) -> None:
    prepare(tmp_path / "r")
    with pytest.raises(UsageError, match=r"r holds no results .*: name the folder that a scan wrote"):
        open_results(tmp_path / "r")


@pytest.mark.parametrize(
    "change",
    [{"key": "ab"}, {"key": None}, {"reading": []}, {"reading": {"path": "x"}}, {"profile": {}}, {"sample": -1}],
)
def test_results_of_another_version_are_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    write(tmp_path / "r", [], RUN | change)
    with pytest.raises(UsageError, match="are of another version: scan again"):
        open_results(tmp_path / "r")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(line=st.binary(max_size=60).filter(lambda line: b"\n" not in line and b"\r" not in line))
def test_a_damaged_line_is_named(tmp_path: Path, line: bytes, report: NoteReport) -> None:
    folder = write(tmp_path / "r", [report])
    with (folder / "reports.jsonl").open("ab") as file:
        file.write(line + b"\n")
    with pytest.raises(InputError, match=r"reports\.jsonl(:2)? (is no note report|cannot be read)"):
        list(open_results(folder).reports())


def test_missing_reports_are_told(tmp_path: Path) -> None:
    (write(tmp_path / "r", []) / "reports.jsonl").unlink()
    with pytest.raises(InputError, match=r"reports\.jsonl cannot be read .*: scan again"):
        list(open_results(tmp_path / "r").reports())


def test_a_new_scan_into_the_same_folder_keeps_its_key(tmp_path: Path) -> None:
    assert key_of(write(tmp_path / "r", [])) == KEY
    assert len(key_of(tmp_path / "none")) == 32 != key_of(tmp_path / "none")
    for key in ("zz" * 32, None, 5):
        assert key_of(write(tmp_path / "r", [], RUN | {"key": key})) != KEY


# ---------------------------------------------------------------------------------------- the pages


def names(folder: Path) -> list[str]:
    return sorted(item.name for item in folder.iterdir())


def test_further_pages_of_an_earlier_scan_go(tmp_path: Path) -> None:
    with ResultsFolder(tmp_path / "r") as results:
        for name in ("report.html", "report-2.html", "report-3.html"):
            results.write_text(name, name)
        results.write_run(RUN)
    with ResultsFolder(tmp_path / "r") as results:
        results.write_text("report.html", "new")
        results.write_text("report-2.html", "new")
        results.write_run(RUN)
    assert names(tmp_path / "r") == [
        "findings.csv", "findings.xlsx", "report-2.html", "report.html", "reports.jsonl", "run.json",
    ]  # fmt: skip


def test_pages_are_replaced_and_the_rest_stays(tmp_path: Path, report: NoteReport) -> None:
    folder = write(tmp_path / "r", [report])
    before = {name: (folder / name).read_bytes() for name in names(folder)}
    replace_pages(folder, [("report.html", "one"), ("report-2.html", "two")])
    replace_pages(folder, [("report.html", "\ud800 one")])
    assert {name: (folder / name).read_bytes() for name in names(folder)} == before | {"report.html": b"\\ud800 one"}
    assert (folder / "report.html").stat().st_mode & 0o077 == 0


def test_each_page_is_written_before_the_next_is_taken(tmp_path: Path, report: NoteReport) -> None:
    folder = write(tmp_path / "r", [report])

    def pages() -> Iterator[tuple[str, str]]:
        yield "report.html", "one"
        assert (folder / ".report.html.part").read_text() == "one"
        yield "report-2.html", "two"
        assert (folder / ".report-2.html.part").read_text() == "two" and not (folder / "report-2.html").exists()

    replace_pages(folder, pages())
    assert [(folder / name).read_text() for name in ("report.html", "report-2.html")] == ["one", "two"]


def test_pages_that_are_not_made_to_the_end_leave_the_earlier_ones(tmp_path: Path, report: NoteReport) -> None:
    folder = write(tmp_path / "r", [report])
    before = {name: (folder / name).read_bytes() for name in names(folder)}

    def pages() -> Iterator[tuple[str, str]]:
        yield "report.html", "one"
        raise MemoryError

    with pytest.raises(MemoryError):
        replace_pages(folder, pages())
    assert {name: (folder / name).read_bytes() for name in names(folder)} == before


def test_pages_that_cannot_be_written_leave_the_earlier_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path / "r", [])
    original = Path.open

    def full(self: Path, *arguments: Any, **options: Any) -> Any:
        if self.name == ".report-2.html.part":
            raise OSError(28, "No space left on device", str(self))
        return original(self, *arguments, **options)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(UsageError, match=r"\(report-2\.html\): No space left on device; .*free some space"):
        replace_pages(folder, [("report.html", "one"), ("report-2.html", "two")])
    assert names(folder) == ["findings.csv", "findings.xlsx", "report.html", "reports.jsonl", "run.json"]
    assert (folder / "report.html").read_text() == "page"


@pytest.mark.parametrize("name", ["report-x.html", "report-2.html.bak", "my-report-2.html", ".secret.part"])
def test_other_peoples_pages_are_not_touched(tmp_path: Path, name: str) -> None:
    folder = write(tmp_path / "r", [])
    (folder / name).write_text("mine")
    with pytest.raises(UsageError, match="which is not from an earlier run"):
        ResultsFolder(folder).__enter__()
    replace_pages(folder, [("report.html", "one")])
    assert (folder / name).read_text() == "mine"
