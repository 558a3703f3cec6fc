"""Notes in pieces: split over rows, or with a column for each section."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from peerdrift_nlp.errors import InputError, NoteReadError, UsageError
from peerdrift_nlp.io import open_export
from peerdrift_nlp.text.sentences import split_sentences
from peerdrift_nlp.types import Note


def test_rows_are_joined_in_their_order(export) -> None:
    path = export(
        "a.csv",
        "Visit ID,Line,Staff,Note Text\n7,10,Wren,third\n8,1,Lee,alone\n7,2,Wren,second\n7,1,Wren,first\n,1,Kim,no id\n",
    )
    opened = open_export(path, join_on="visit id", order="LINE")
    assert list(opened) == [
        Note("7", "first\nsecond\nthird", {"worker": "Wren"}),
        Note("8", "alone", {"worker": "Lee"}),
        Note("row 6", "no id", {"worker": "Kim"}),
    ]
    assert "4 rows joined into 2 notes on 'Visit ID'" in opened.notices
    assert next(item.text for item in open_export(path, join_on="Visit ID")) == "third\nsecond\nfirst"
    list(opened)
    assert sum("rows joined" in notice for notice in opened.notices) == 1, "said once, however often it is read"


def test_the_key_names_the_note_where_no_column_does(export) -> None:
    path = export("a.csv", "Form,Part,Text\nF9,b,two\nF9,a,one\n")
    assert list(open_export(path, join_on="Form", order="Part")) == [Note("F9", "one\ntwo")]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(
    texts=st.lists(st.text("ab cd\n", min_size=300, max_size=900), min_size=2, max_size=4),
    width=st.sampled_from([100, 255, 4000]),
)
def test_text_that_was_cut_at_a_width_comes_back(tmp_path: Path, texts: list[str], width: int) -> None:
    rows = [
        (f"n{number}", at, text[at : at + width])
        for number, text in enumerate(texts)
        for at in range(0, len(text), width)
    ]
    path = tmp_path / "a.csv"
    pd.DataFrame(rows, columns=["note_id", "line", "text"]).to_csv(path, index=False)
    items = list(open_export(path, join_on="note_id", order="line"))
    assert [item.text for item in items if isinstance(item, Note)] == [text for text in texts if text.strip()]


def test_a_piece_that_cannot_be_read_takes_its_note_along(export) -> None:
    lines = [{"id": "1", "text": "zebra"}, {"id": "1"}, {"id": "2", "text": "whole"}]
    first, second = open_export(export("a.jsonl", "\n".join(map(json.dumps, lines))), join_on="id")
    assert str(first) == "line 2: is a piece of a note and holds no text; the note was not read"
    assert second == Note("2", "whole")


def test_markup_that_is_split_over_rows(export) -> None:
    path = export("a.csv", 'id,text\n1,"<p>Met <b>A"\n1,na</b>.</p>\n')
    assert list(open_export(path, join_on="id")) == [Note("1", "Met A na.")]


def test_wrong_names_to_join_on(export) -> None:
    path = export("a.csv", "id,text\n1,a\n")
    with pytest.raises(UsageError, match="--join-on 'visit': a.csv has no such column; its columns are 'id', 'text'"):
        open_export(path, join_on="visit")
    with pytest.raises(UsageError, match="--order 'line': a.csv has no such column; its columns are 'id', 'text'"):
        open_export(path, join_on="id", order="line")
    with pytest.raises(UsageError, match="say with --join-on what they share"):
        open_export(path, order="line")


@pytest.mark.parametrize(
    ("names", "sections"),
    [
        ("Behavior,Intervention,Response,Plan", ["behavior", "intervention", "response", "plan"]),
        ("B,I,R,P", ["behavior", "intervention", "response", "plan"]),
        ("d,a,p", ["data", "assessment", "plan"]),
        ("S,O,A,P", ["subjective", "objective", "assessment", "plan"]),
        ("Goals,Interventions,Response,Plan", ["goal", "intervention", "response", "plan"]),
        ("Problem,Intervention,Evaluation", ["problem", "intervention", "evaluation"]),
    ],
)
def test_a_column_for_each_section(export, names: str, sections: list[str]) -> None:
    texts = [f"We did thing {place} today." for place in range(len(sections))]
    opened = open_export(
        export("a.csv", f"Monthly export\n\nNote ID,{names}\n1,{','.join(texts)}\n2,{',' * (len(texts) - 1)}only\n")
    )
    first, second = opened
    units = [unit for unit in split_sentences(first.text) if unit.kind == "sentence"]
    assert [unit.section for unit in units] == sections
    assert [first.text[unit.start : unit.end] for unit in units] == texts
    assert second.text.endswith(":\nonly") and second.text.count(":") == 1
    whole = " + ".join(names.split(","))
    assert f"column {whole!r} read as text" in opened.notices
    assert "skipped above the header: 1 title rows" in opened.notices


def test_sections_in_markup(export) -> None:
    opened = open_export(
        export(
            "a.csv", 'Data,Assessment,Plan\n<p>Met.</p>,{\\rtf1 Calm.\\par},""\n{\\rtf1 \\u99999999999999999999 },b,c\n'
        )
    )
    first, second = opened
    assert first == Note("row 2", "Data:\nMet.\nAssessment:\nCalm.")
    assert isinstance(second, NoteReadError)
    assert "1 notes in RTF read as plain text; offsets of reports are into that text" in opened.notices


def test_columns_can_be_joined_by_name(export) -> None:
    path = export("a.csv", "id,What we did,What is next,Notes\n1,Walked.,Call.,x\n")
    assert list(open_export(path, columns={"text": "what we did+What is next"})) == [
        Note("1", "What we did:\nWalked.\nWhat is next:\nCall.")
    ]
    with pytest.raises(UsageError, match=r"no column 'What we did\+No' to read as text"):
        open_export(path, columns={"text": "What we did+No"})


def test_one_column_with_the_whole_note_goes_before_sections(export) -> None:
    opened = open_export(export("a.csv", "Data,Assessment,Plan,Note\na,b,c,whole\n"))
    assert [item.text for item in opened] == ["whole"]
    assert "not read as text: 'Data', 'Assessment', 'Plan' (join with --map text=COLUMN+COLUMN)" in opened.notices
    with pytest.raises(InputError, match="no column looks like the note text"):
        open_export(export("b.csv", "id,Plan,Response\n1,a,b\n"))
