"""``peerdrift explain``: everything that led to a verdict, on any terminal."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_runs import Run, peerdrift

SENTENCE = "\u201cI drove her to Walmart\u201d and back \U0001f600 \u2192 \u05e9\u05dc\u05d5\u05dd \x1b[31mred \x1b]0;title\x07."
NOTE = """\
Unit: Harbor House
D: I drove her to Walmart and back.
The nurse counted her pills. Counted her pills and told her that she should stop taking them and see another doctor.
Jordan P., CPS
"""


@pytest.fixture(scope="module")
def sentence(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A sentence with more than letters, on a terminal of another encoding."""
    folder = tmp_path_factory.mktemp("explain")
    return peerdrift("explain", SENTENCE, folder=folder, encoding="cp1252", PYTHONIOENCODING="cp1252")


@pytest.fixture(scope="module")
def note(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A note from a file."""
    folder = tmp_path_factory.mktemp("explain")
    (folder / "note.txt").write_text(NOTE, encoding="utf-8")
    run = peerdrift("explain", "--note", "note.txt", folder=folder)
    assert [item.name for item in folder.iterdir()] == ["note.txt"]
    return run


def test_a_sentence(sentence: Run) -> None:
    assert (sentence.code, sentence.err) == (0, "")
    assert "\u201cI drove her to Walmart\u201d" in sentence.lines[0]
    assert "rule boundary.transport.drove on \u201cdrove her\u201d" in sentence.out
    for label in ("clinical", "hierarchical", "lax_boundaries", "religious", "organizational", "role_consistent"):
        assert [line for line in sentence.lines if line.split()[:1] == [label]], label
    assert "weighed most" in sentence.out


def test_control_characters_of_a_note_do_not_reach_the_terminal(sentence: Run) -> None:
    assert "\x1b" not in sentence.out and "\x07" not in sentence.out


def test_a_note(note: Run) -> None:
    assert (note.code, note.err) == (0, "")
    assert "FLAG lax_boundaries.transport" in note.out and "FLAG clinical.medication" in note.out
    for part in ("why ", "ask ", "clears ", "instead ", "guideline "):
        assert part in note.out
    assert "cleared: other_actor" in note.out  # the nurse
    assert "a heading: not scored" in note.out and "a signature: not scored" in note.out


def test_a_field_is_scored_and_not_said_not_to_be(note: Run) -> None:
    field = note.out.partition("Unit: Harbor House")[2].partition("D:")[0]
    assert "weighed most" in field
    assert "not scored" not in field


def test_no_line_is_wider_than_the_terminal(sentence: Run, note: Run) -> None:
    assert [line for line in (*sentence.lines[1:], *note.lines) if len(line) > 80] == []


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_bytes(b"%PDF-1.7\n\x00\x01\x02xylorimba")
    run = peerdrift("explain", "--note", "note.txt", folder=tmp_path)
    assert (run.code, run.out) == (2, "")
    assert "note.txt" in run.err and "xylorimba" not in run.err


def test_a_sentence_without_a_flag_says_so(tmp_path: Path) -> None:
    run = peerdrift("explain", "We walked to the library and she told me about her week.", folder=tmp_path)
    assert (run.code, run.err) == (0, "")
    assert "  no flag" in run.lines and "FLAG" not in run.out


def test_nothing_to_explain(tmp_path: Path) -> None:
    run = peerdrift("explain", " ", folder=tmp_path)
    assert (run.code, run.out) == (2, "") and "no text to explain" in run.err


def test_an_agency_pack_is_used(tmp_path: Path) -> None:
    run = peerdrift("explain", SENTENCE, "--pack", "nowhere.toml", folder=tmp_path)
    assert (run.code, run.out) == (2, "") and "nowhere.toml" in run.err
