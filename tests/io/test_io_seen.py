"""What came by before, remembered by hash: the same answers as a set of the things themselves."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from peerdrift_nlp.io.copies import skip_copies
from peerdrift_nlp.io.readers import open_export
from peerdrift_nlp.io.seen import Seen
from peerdrift_nlp.types import Note

MANY = 40_000  # more than are kept unsorted


@given(st.lists(st.one_of(st.text(max_size=3), st.tuples(st.text(max_size=2), st.text(max_size=2)))))
def test_it_holds_what_was_added_and_nothing_else(things: list[str | tuple[str, ...]]) -> None:
    seen = Seen()
    for number, thing in enumerate(things):
        assert (thing in seen) == (thing in things[:number])
        seen.add(thing)
    assert all(thing in seen for thing in things) and "another" not in seen


def test_it_holds_many() -> None:
    seen = Seen()
    for number in range(MANY):
        assert str(number) not in seen
        seen.add(str(number))
    assert all(str(number) in seen for number in range(MANY))
    assert not any(str(number) in seen for number in range(MANY, 2 * MANY))


def test_a_repeated_id_is_found_however_long_ago_it_was(tmp_path: Path) -> None:
    path = tmp_path / "notes.csv"
    ids = [*range(MANY), 0, 7, 0]
    path.write_text("id,text\n" + "".join(f"{number},We met.\n" for number in ids), encoding="utf-8")
    named = [item.note_id for item in open_export(path) if isinstance(item, Note)]
    assert named[:MANY] == [str(number) for number in range(MANY)]
    assert named[MANY:] == ["0#2", "7#2", "0#3"]


def test_a_copy_is_found_however_long_ago_it_was() -> None:
    texts = [f"Note {number}: we walked to the market and he told me of his week." for number in range(MANY)]
    items = [Note(str(number), text) for number, text in enumerate([*texts, texts[5], texts[-1]])]
    passed = [isinstance(item, Note) for item in skip_copies(items)]
    assert passed == [True] * MANY + [False, False]
