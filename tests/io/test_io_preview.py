"""What an export holds before anything is scored, and copied text."""

from __future__ import annotations

import csv
import io
import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peerdrift_nlp.errors import NoteReadError
from peerdrift_nlp.io import Skipped, open_export
from peerdrift_nlp.io.copies import CopyFinder, skip_copies
from peerdrift_nlp.io.preview import is_english, preview
from peerdrift_nlp.types import Note

WALK = (
    "Met with Ana at the drop-in for an hour. She talked about the housing list and what she wants to ask the office. "
    "I listened and shared how long I waited for my own place. She chose to call on Monday and wrote the number down."
)
SPANISH = (
    "Hoy me reuní con Ana en el centro. Hablamos de su vivienda y de cómo se siente en el grupo. Ella eligió ir a la "
    "reunión del jueves. No hubo problemas y voy a llamarla el lunes por la mañana."
)


def unlike(seed: int, words: int = 40) -> str:
    picked = random.Random(seed).choices(
        "we met and then she told me that her week was good at the park with".split(), k=words
    )
    return " ".join(picked)


def table(rows: list[tuple[str, ...]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerows([("Note ID", "Staff", "Role", "Status", "Note"), *rows])
    return buffer.getvalue()


def test_what_is_counted(export) -> None:
    rows = [
        ("1", "Wren", "CRSS", "Signed", WALK),
        ("2", "Lee", "LCSW", "Signed", unlike(1)),
        ("3", "Wren", "CRSS", "Draft", unlike(2)),
        ("4", "Wren", "Case Manager", "Signed", unlike(3)),
        ("5", "Wren", "CRSS", "Signed", ""),
        ("6", "Wren", "CRSS", "Signed", WALK.upper().replace(".", " !")),
        ("7", "Wren", "CRSS", "Signed", WALK.replace("Monday", "Tuesday")),
        ("", "", "", "", "and then we went home"),
        ("9", "Wren", "CRSS", "Signed", SPANISH),
        ("10", "Wren", "CRSS", "Signed", unlike(4, 200)[:254] + "x"),
    ]
    path = export("a.csv", table(rows) + "11,short\n")
    found = preview(open_export(path))
    assert found.notes == 6
    assert found.skipped == {
        "not a peer role: lcsw": 1,
        "status: draft": 1,
        "not a peer role: case manager": 1,
        "no text": 1,
    }
    assert [error.where for error in found.unreadable] == ["row 12"]
    assert found.roles == {"CRSS": 6, "LCSW": 1, "Case Manager": 1}
    assert found.statuses == {"Signed": 7, "Draft": 1}
    assert (found.lengths[0], found.lengths[2]) == (len("and then we went home"), 255)
    assert found.truncated == {255: ["10"]}
    assert (found.copies, found.near_copies) == ([("6", "1")], [("7", "1")])
    assert (found.spilled, found.foreign) == (["row 9"], ["9"])
    kept = preview(open_export(path), roles=["Case Manager"], keep_statuses=["draft"])
    assert (kept.notes, sum(kept.skipped.values())) == (8, 2)


@pytest.mark.parametrize("length", [255, 4000, 32_767])
def test_lengths_at_which_systems_cut(export, length: int) -> None:
    text = unlike(1, 40_000)
    rows = [
        ("1", "W", "CRSS", "Signed", text[: length - 1] + "x"),
        ("2", "W", "CRSS", "Signed", text[: length + 1] + "x"),
    ]
    assert preview(open_export(export("a.csv", table(rows)))).truncated == {length: ["1"]}


@pytest.mark.parametrize("start", ["<p>Met <b>Ana</b> &amp; sat.</p>", "{\\rtf1\\ansi Met \\b Ana\\b0 .\\par "])
def test_a_cell_is_cut_with_its_markup(export, start: str) -> None:
    cell = (start + unlike(1, 2000))[:3999].strip() + "x"
    cell += "y" * (4000 - len(cell))
    found = preview(open_export(export("a.csv", table([("1", "W", "CRSS", "Signed", cell)]))))
    assert found.truncated == {4000: ["1"]} and found.lengths[2] < 4000


def test_the_cells_of_sections_are_cut_one_by_one(export) -> None:
    rows = [
        ("id", "Data", "Assessment", "Plan"),
        ("1", "We met.", (unlike(1) * 9)[:254] + "x", "Walk."),
        ("2", "a", "b", "c"),
    ]
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    assert preview(open_export(export("a.csv", buffer.getvalue()))).truncated == {255: ["1"]}


def test_a_longest_length_that_several_notes_have(export) -> None:
    rows = [(str(n), "W", "CRSS", "Signed", unlike(n, 500)[:1499] + "x") for n in range(3)]
    assert preview(open_export(export("a.csv", table(rows)))).truncated == {1500: ["0", "1", "2"]}
    assert preview(open_export(export("a.csv", table(rows[:2])))).truncated == {}


def test_an_export_without_ids_has_no_spilled_rows(export) -> None:
    assert preview(open_export(export("a.csv", "text,staff\na,\nb,\n"))).spilled == []


def test_nothing_to_scan(export) -> None:
    found = preview(open_export(export("a.csv", table([("1", "W", "RN", "", "a")]))))
    assert (found.notes, found.lengths) == (0, (0, 0, 0))


def test_near_copies_are_found_among_many_notes() -> None:
    finder, changed = CopyFinder(), random.Random(7)
    notes = [unlike(seed, 150) for seed in range(300)]
    assert not any(finder.add(str(number), text) for number, text in enumerate(notes))
    for number, text in enumerate(notes):
        words = text.split()
        words[changed.randrange(150)] = "changed"
        assert finder.add(f"copy {number}", " ".join([*words, "and a last line"])) == (str(number), False)


def test_a_copied_note_is_scanned_once_and_counted() -> None:
    unread = NoteReadError("row 5", "broken")
    items = [Note("1", WALK), Note("2", "No show."), Note("3", f" {WALK.upper()} "), Note("4", "No show."), unread]
    items.append(Note("6", WALK.replace("Monday", "Friday")))
    assert list(skip_copies(items)) == [
        items[0], items[1], Skipped("3", "3", "word for word an earlier note"), items[3], unread, items[5],
    ]  # fmt: skip


@given(st.text(), st.text())
def test_short_notes_are_no_copies_and_any_text_will_do(first: str, second: str) -> None:
    finder = CopyFinder()
    assert finder.add("1", first) is None
    for text in (first, second):
        found = finder.add("2", text)
        assert found in (None, ("1", True), ("1", False))
    assert finder.add("3", "No show, left a message.") is finder.add("4", "No show, left a message.") is None


def test_the_language_of_labelled_notes_and_of_others() -> None:
    corpus = Path(__file__).parents[2] / "data" / "corpus" / "notes"
    texts = [
        json.loads(line)["text"] for path in corpus.glob("*.jsonl") for line in path.read_text("utf-8").splitlines()
    ]
    assert texts and all(map(is_english, texts))
    others = [
        SPANISH,
        "Nou te rankontre jodi a nan sant lan. Li di m li pi byen e li vle tounen nan travay. Mwen te koute l e nou te fè plan.",
        "Dzisiaj spotkałam się z Aną w ośrodku. Rozmawiałyśmy o jej mieszkaniu i o tym co czuje w grupie. Zadzwoni w poniedziałek.",
        "Mình gặp chị Ana hôm nay ở trung tâm và nói chuyện về chỗ ở của chị. Chị nói chị thấy khá hơn và muốn đi nhóm.",
        "Сегодня мы встретились с Аней в центре. Мы говорили о её жилье и о том что она чувствует в группе. Она позвонит в понедельник утром.",
    ]
    assert not any(map(is_english, others))
