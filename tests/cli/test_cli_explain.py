"""``peerdrift explain``: everything that led to a verdict, on any terminal."""

from __future__ import annotations

from pathlib import Path

from cli_runs import Run, peerdrift

SENTENCE = "\u201cI drove her to Walmart\u201d and back \U0001f600 \u2192 \u05e9\u05dc\u05d5\u05dd \x1b[31mred."
NOTE = """\
Program: Harbor House
D: I drove her to Walmart and back.
The nurse counted her pills. Counted her pills and told her that she should stop taking them and see another doctor.
Jordan P., CPS
"""


def test_a_sentence_on_a_terminal_of_another_encoding(tmp_path: Path) -> None:
    run = peerdrift("explain", SENTENCE, folder=tmp_path, encoding="cp1252", PYTHONIOENCODING="cp1252")
    assert (run.code, run.err) == (0, "")
    assert "\u201cI drove her to Walmart\u201d" in run.lines[0]
    assert "rule boundary.transport.drove on \u201cdrove her\u201d" in run.out
    for label in ("clinical", "hierarchical", "lax_boundaries", "religious", "organizational", "role_consistent"):
        assert [line for line in run.lines if line.split()[:1] == [label]], label
    assert "weighed most" in run.out
    no_wider_than_the_terminal(run)
    assert "\x1b" not in run.out.replace(run.lines[0], "")


def no_wider_than_the_terminal(run: Run) -> None:
    assert [line for line in run.lines if len(line) > 80] == []


def test_a_note_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text(NOTE, encoding="utf-8")
    run = peerdrift("explain", "--note", "note.txt", folder=tmp_path)
    assert (run.code, run.err) == (0, "")
    assert "FLAG lax_boundaries.transport" in run.out and "FLAG clinical.medication" in run.out
    for part in ("why ", "ask ", "clears ", "instead ", "guideline "):
        assert part in run.out
    assert "cleared: other_actor" in run.out  # the nurse
    assert "a heading: not scored" in run.out and "a signature: not scored" in run.out
    no_wider_than_the_terminal(run)
    assert [item.name for item in tmp_path.iterdir()] == ["note.txt"]
    # A field is scored, so it must not be said that it is not.
    field = run.out.partition("Program: Harbor House")[2].partition("D:")[0]
    assert "weighed most" in field
    assert "not scored" not in field


def test_control_characters_of_a_note_do_not_reach_the_terminal(tmp_path: Path) -> None:
    run = peerdrift("explain", "I drove\x1b[31m her.\x1b]0;title\x07", folder=tmp_path)
    assert run.code == 0
    assert "\x1b" not in run.out and "\x07" not in run.out


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_bytes(b"%PDF-1.7\n\x00\x01\x02xylorimba")
    run = peerdrift("explain", "--note", "note.txt", folder=tmp_path)
    assert (run.code, run.out) == (2, "")
    assert "note.txt" in run.err and "xylorimba" not in run.err


def test_options_that_name_nothing(tmp_path: Path) -> None:
    for options, message in (
        (("--profile", "nowhere"), "no such profile"),
        (("--model", "nowhere"), "is not a model bundle"),
        (("--operating-point", "strict"), "use one of careful, balanced, thorough"),
    ):
        run = peerdrift("explain", "xylorimba", *options, folder=tmp_path)
        assert (run.code, run.out) == (2, "")
        assert message in run.err and "xylorimba" not in run.err
