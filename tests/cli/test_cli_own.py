"""``peerdrift sheet`` and ``peerdrift check``."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest
from cli_runs import Run, peerdrift

NOTES = (
    "id,worker,role,date,text\n"
    "1,Ana Ruiz,Peer,2026-03-02,I counted her pills.\n"
    "2,Ana Ruiz,Peer,2026-03-03,Front desk had me file charts.\n"
    "3,Bao,Peer,2026-03-03,She chose the library and I listened to her.\n"
    "4,Dee,LCSW,2026-03-03,Processed trauma.\n"
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("own")
    (place / "notes.csv").write_text(NOTES)
    run = peerdrift("scan", "notes.csv", "--model", "fast", "--format", "jsonl", folder=place)
    assert run.code == 0 and "Results: notes-peerdrift/reports.jsonl" in run.out, run.err
    return place


def test_a_sheet_is_written_for_its_owner_only(place: Path) -> None:
    run = peerdrift("sheet", "notes-peerdrift", "--worker", "Ana Ruiz", folder=place)
    assert (run.code, run.out, run.err) == (0, "sheet-Ana-Ruiz.html: 2 notes\n", "")
    page = place / "sheet-Ana-Ruiz.html"
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    text = page.read_text("utf-8")
    assert "Medication oversight" in text and "pills" not in text and "Bao" not in text
    again = peerdrift("sheet", "notes-peerdrift", "--worker", "Ana Ruiz", folder=place)
    assert again.code == 2 and "is there already: remove it, or choose another name with --out" in again.err


@pytest.mark.parametrize(
    ("folder", "worker", "message"),
    [
        ("notes-peerdrift", "Anna Ruiz", "did you mean 'Ana Ruiz'?"),
        ("notes-peerdrift", "Xyz", "it has notes of 2 workers by name"),
        (
            "nowhere",
            "Ana Ruiz",
            "nowhere holds no results (run.json is missing or damaged): name the folder that a scan wrote",
        ),
    ],
)
def test_what_cannot_be_made_into_a_sheet_is_said(place: Path, folder: str, worker: str, message: str) -> None:
    run = peerdrift("sheet", folder, "--worker", worker, "--out", "x.html", folder=place)
    assert (run.code, run.out) == (2, "") and message in run.err
    assert not (place / "x.html").exists()


def test_a_damaged_line_is_named_and_not_quoted(place: Path, tmp_path: Path) -> None:
    shutil.copytree(place / "notes-peerdrift", tmp_path / "r")
    (tmp_path / "r" / "reports.jsonl").write_text('{"secret": 1}\n')
    run = peerdrift("sheet", "r", "--worker", "Ana", folder=tmp_path)
    assert run.code == 2 and "reports.jsonl:1 is no note report" in run.err and "secret" not in run.err


def checked(name: str, content: str, folder: Path) -> Run:
    (folder / name).write_text(content)
    run = peerdrift("check", name, "--model", "fast", folder=folder, HOME=str(folder))
    assert [item.name for item in folder.iterdir()] == [name], "nothing is written"
    return run


def test_own_notes_are_read_on_the_terminal_and_nothing_is_kept(tmp_path: Path) -> None:
    run = checked("notes.csv", NOTES, tmp_path)
    said = " ".join(run.out.split())
    assert (run.code, run.err) == (0, "")
    assert "? Medication oversight or advice: “I counted her pills.” How did medication come up" in said
    assert "? Other people's work (the workplace's, not yours): “Front desk had me file charts.”" in said
    assert "1 left out" in said and "Processed trauma" not in said
    assert said.endswith("Nothing was written; this screen is all there is.")


def test_one_note_may_be_a_text_file(tmp_path: Path) -> None:
    run = checked("mine.txt", "Walked to the park.\x1b[31m She waved.", tmp_path)
    assert run.code == 0 and "Note mine" in run.out and "nothing flagged" in run.out and "\x1b" not in run.out


def test_notes_that_are_not_there(tmp_path: Path) -> None:
    run = peerdrift("check", "nowhere.csv", folder=tmp_path)
    assert run.code == 2 and "nowhere.csv does not exist" in run.err
