"""HTML and RTF in cells: what a reader would have seen, and nothing else touched."""

from __future__ import annotations

import html
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peerdrift_nlp.errors import NoteReadError
from peerdrift_nlp.io import open_export
from peerdrift_nlp.io.markup import plain_text
from peerdrift_nlp.types import Note


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (
            "<p>Met w/ <b>Ana</b>.&nbsp;She&#39;s ok.</p><p>Plan:<br>call  her\n soon</p>",
            "Met w/ Ana.\xa0She's ok.\n\nPlan:\ncall her soon",
        ),
        ("<div>a</div><div>b</div>", "a\n\nb"),
        ("<ul><li>walked<li>talked</ul>", "- walked\n- talked"),
        ("<pre>a\n  b</pre>", "a\nb"),
        ("line 1\nline 2 with <b>bold</b>\nline 3", "line 1\nline 2 with bold\nline 3"),
        ("&lt;p&gt;twice &amp;amp; escaped&lt;/p&gt;", "twice & escaped"),
        ("Ana &amp; Sam &lt;3", "Ana & Sam <3"),
        (
            "<p>a<!-- <b>no</b> --><style>p {}</style><script>x()</script><title>t</title><![if !x]>b<?xml:ns o /></p>",
            "ab",
        ),
        ("<p>he said <3 and 2 < 3</p>", "he said <3 and 2 < 3"),
        ("<table><tr><td>in</td><td>side</td></tr></table>", "in\tside"),
    ],
)
def test_html(text: str, plain: str) -> None:
    assert plain_text("row 1", text) == (plain, "HTML")


def test_rtf() -> None:
    text = (
        r"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0 Arial;}}{\colortbl;\red1\green2\blue3;}{\*\generator x;}"
        r"\pard\f0\fs20 Met \b Ana\b0 .\par She\'92s \u8220?ok\u8221?.\line Plan: caf\'e9\par{\pict\wmetafile8 0102}}"
    )
    assert plain_text("row 1", text) == ("Met Ana.\nShe\u2019s \u201cok\u201d.\nPlan: caf\xe9", "RTF")
    with pytest.raises(NoteReadError, match="^row 1: holds RTF that cannot be read; export the note as plain text$"):
        plain_text("row 1", r"{\rtf1 zebra \u99999999999999999999 }")


@given(st.text())
def test_text_without_tags_and_entities_is_untouched(text: str) -> None:
    text = text.replace("<", "< ").replace("&", "& ").replace("{", "")
    assert plain_text("row 1", text) == (text, "")


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1))
def test_escaped_text_comes_back(text: str) -> None:
    assert plain_text("row 1", f"<p>{html.escape(text)}</p>")[0] == text


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["<p>", "</p", "<!--", "-->", "<", ">", "&", "&lt;", "<pre>", "<td x='", "</b>", "<!", "\n", "a"]
        )
    ).map("".join)
)
def test_broken_html_is_read_somehow(text: str) -> None:
    plain_text("row 1", text)


@pytest.mark.parametrize("piece", ["<", "<!--", "</", "<a ", "<!", "&lt", "<p>", "<script>", "<td x='"])
def test_long_runs_of_broken_html_take_no_long_time(piece: str) -> None:
    plain_text("row 1", "<b>" + piece * (900_000 // len(piece)))


def test_notes_in_markup_are_counted_and_said(export) -> None:
    texts = ["<p>He chose.</p>", "plain <3", r"{\rtf1 Walked.\par}", "<p> </p>", r"{\rtf1 \u99999999999999999999 }"]
    opened = open_export(
        export("a.jsonl", "\n".join(json.dumps({"id": str(n), "text": text}) for n, text in enumerate(texts)))
    )
    items = list(opened)
    assert items[:3] == [Note("0", "He chose."), Note("1", "plain <3"), Note("2", "Walked.")]
    assert [str(getattr(item, "why", item)) for item in items[3:]] == [
        "no text",
        "line 5: holds RTF that cannot be read; export the note as plain text",
    ]
    assert "2 notes in HTML read as plain text; offsets of reports are into that text" in opened.notices
    assert "1 notes in RTF read as plain text; offsets of reports are into that text" in opened.notices
