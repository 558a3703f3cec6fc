"""Labels find their sentences whatever the tool counted in, and what was repaired or left out is counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peerdrift_nlp.classifier.corpus import LabelledSentence, read_corpus
from peerdrift_nlp.errors import DecisionsError, InputError, LabelsError, UsageError
from peerdrift_nlp.io.labels import (
    Aligned,
    LabelRow,
    align,
    labelled_export,
    read_key,
    read_labels,
    readings,
    settle,
    write_corpus,
)
from peerdrift_nlp.io.labels.compare import compare, meaning
from peerdrift_nlp.io.labels.folder import split_authors
from peerdrift_nlp.io.labels.offsets import CRLF, FUZZY, MOVED, RESPACED, UTF16, Flat, in_note, in_text
from peerdrift_nlp.report.decisions import Decision, Decisions
from peerdrift_nlp.report.fingerprint import Fingerprints
from peerdrift_nlp.types import Note, Span

MARKER = "xylorimba"
TEXT = f"We talked of the {MARKER}. I told him to quit. He chose the park."
NOTES = [Note("n1", TEXT, {"worker": "Kim"}), Note("n2", "I prayed with her. She left.", {"worker": "Lee"})]


def row(*present: str, **changes: Any) -> LabelRow:
    return LabelRow(**{"where": "f:1", "annotator": "kim", "note_id": "n1", "present": present, **changes})


def placed(*rows: LabelRow, notes: list[Note] = NOTES, **options: Any) -> dict[str, tuple[str, ...]]:
    """The labelled words, and their labels, indicators included."""
    aligned = align(rows, notes, **options)
    settled, _ = settle(readings(aligned), aligned)
    return {
        notes[number].text[unit.start : unit.end]: tuple(sorted(unit.outputs))
        for (number, _), unit in sorted(settled.items())
    }


def units(*rows: LabelRow, **options: Any) -> list[LabelledSentence]:
    aligned = align(rows, NOTES, **options)
    return [unit for _, unit in sorted(settle(readings(aligned), aligned)[0].items())]


def drops(*rows: LabelRow, notes: list[Note] = NOTES) -> dict[str, list[str]]:
    return align(rows, notes).drops


# ---------------------------------------------------------------------------------------- offsets


def utf16(text: str, start: int, end: int) -> Span:
    return Span(*(len(text[:place].encode("utf-16-le")) // 2 for place in (start, end)))


EMOJI = "😀 Good day 😀 both. I told him to quit. Bye."


def test_utf16_offsets_are_seen_by_the_words_or_by_their_edges() -> None:
    start = EMOJI.index("I told")
    span = utf16(EMOJI, start, start + 19)
    assert span.start == start + 2
    for quote in ("", "I told him to quit."):
        assert in_text(EMOJI, span, quote) == (Span(start, start + 19), (UTF16,))
        assert in_text(EMOJI, Span(start, start + 19), quote) == (Span(start, start + 19), ())


def test_a_way_of_counting_that_ends_in_white_space_is_not_believed() -> None:
    text = "😀 He came. I go. Bye."
    start = text.index("I go.")
    place = in_text(text, utf16(text, start, start + 5))
    assert place == (Span(start, start + 5), (UTF16,))


@pytest.mark.parametrize(("shown", "counted"), [("\r\n", "\n"), ("\n", "\r\n")])
def test_line_breaks_counted_otherwise(shown: str, counted: str) -> None:
    lines = ["One of it.", "Two of it.", "Three of it.", "I told him.", "Five."]
    text, other = shown.join(lines), counted.join(lines)
    span = Span(other.index("I told"), other.index("I told") + 11)
    place = in_text(text, span, "I told him.")
    assert place and text[place.span.start : place.span.end] == "I told him." and place.repairs == (CRLF,)


def test_wrong_offsets_are_mended_by_the_words() -> None:
    place = in_text(TEXT, Span(0, 4), "I told him to quit.")
    assert place and TEXT[place.span.start : place.span.end] == "I told him to quit." and place.repairs == (MOVED,)
    assert in_text(TEXT, Span(0, 4), "never said") is None
    assert in_text(TEXT, Span(900, 910)) is None


def test_text_with_other_white_space_quotes_and_line_ends() -> None:
    note = Flat("Met “Ana”\r\n\r\n at  two.\r\nI told her –  quit. Bye.")
    shown = 'Met "Ana"\n\nat two.\nI told her - quit. Bye.'
    start = shown.index("I told")
    place = in_note(note, shown, Span(start, start + 18))
    assert place and note.text[place.span.start : place.span.end] == "I told her –  quit."
    assert place.repairs == (RESPACED,)


def test_a_part_of_the_note_that_stands_there_twice_needs_its_place() -> None:
    note = Flat("We walked. He ate. We walked.")
    assert in_note(note, "We walked.", None) is None
    assert in_note(note, "We walked.", None, near=17) == (Span(19, 29), ())
    assert in_note(note, "He ate.", Span(0, 2)) == (Span(11, 13), ())


def test_a_changed_text_gives_the_nearest_words() -> None:
    place = in_note(Flat(TEXT), "He left. I told hym to quit! Bye.", Span(9, 28))
    assert place and "I told him to quit" in TEXT[place.span.start : place.span.end] and place.repairs == (FUZZY,)
    assert in_note(Flat(TEXT), "Nothing of the kind was ever said.", None) is None


@settings(deadline=None, max_examples=200)
@given(
    text=st.text(st.sampled_from("ab 😀\r\n\t“é\u200b\u2028"), min_size=1, max_size=40),
    start=st.integers(0, 45),
    length=st.integers(1, 45),
    shown=st.text(st.sampled_from("ab 😀\n“"), max_size=30),
)
def test_a_place_is_always_within_the_note(text: str, start: int, length: int, shown: str) -> None:
    for place in (
        in_note(Flat(text), text, Span(start, start + length)),
        in_note(Flat(text), shown, Span(start, start + length), near=start),
        in_note(Flat(text), shown, None),
        in_text(text, Span(start, start + length)),
        in_text(text, Span(start, start + length), shown),
    ):
        assert place is None or 0 <= place.span.start < place.span.end <= len(text)


@settings(deadline=None, max_examples=200)
@given(text=st.text(st.sampled_from("ab. 😀\r\n"), min_size=1, max_size=40), data=st.data())
def test_true_offsets_with_the_true_words_are_kept(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    span = Span(start, data.draw(st.integers(start + 1, len(text))))
    place = in_text(text, span, text[span.start : span.end])
    assert place and place.span == span and place.repairs == ()


# ---------------------------------------------------------------------------------------- which sentence


@pytest.mark.parametrize(
    "found",
    [
        {"text": TEXT, "span": Span(28, 47)},
        {"text": TEXT, "span": Span(35, 39)},  # a few words of the sentence
        {"text": TEXT, "span": Span(26, 50)},  # a little over its edges
        {"text": "", "span": Span(28, 47)},
        {"text": "I told him to quit."},
        {"text": TEXT, "quote": "I told him to quit."},
        {"note_id": "", "text": "I told him to quit."},
        {"note_id": "unknown", "text": TEXT, "span": Span(28, 47)},
        {"text": "I told him to quit.", "span": Span(0, 6)},
        {"text": "I told him to quit.", "span": Span(28, 47)},  # offsets into the note
        {"text": TEXT.replace(MARKER, f"{MARKER}s"), "note_id": "", "span": Span(29, 48)},
    ],
)
def test_a_label_finds_its_sentence(found: dict[str, Any]) -> None:
    assert placed(row("hierarchical", **found)) == {"I told him to quit.": ("hierarchical",)}


def test_a_label_over_two_sentences_is_on_both_and_over_more_on_none() -> None:
    span = {"text": TEXT, "span": Span(28, len(TEXT))}
    assert list(placed(row("hierarchical", **span))) == ["I told him to quit.", "He chose the park."]
    assert list(align([row("hierarchical", **span)], NOTES).repairs.values()) == [1]
    long = Note("n9", "One is. Two is. Three is. Four is.")
    assert list(drops(row("clinical", note_id="n9", text=long.text), notes=[long])) == [
        "the label is of a whole note or of many sentences, not of a sentence"
    ]
    assert len(placed(row("none", note_id="n9", text=long.text), notes=[long])) == 4


def test_what_finds_no_place_is_counted_by_why() -> None:
    twice = [*NOTES, Note("n3", "I prayed with her. Bye.")]
    found = drops(
        row("clinical", note_id="n9", where="f:1"),
        row("clinical", text="Words that nobody has written.", where="f:2"),
        row("clinical", note_id="", text="I prayed with her.", where="f:3"),
        row("clinical", text="", span=Span(900, 905), where="f:4"),
        row("clinical", note_id="n4", text="PLAN:", where="f:5"),
        notes=[*twice, Note("n4", "PLAN:\nShe will call.")],
    )
    assert found == {
        "the note is not in the export": ["f:1"],
        "the words are not in the note, or more than once": ["f:2", "f:4"],
        "the text stands in several notes, and no note id says which is meant": ["f:3"],
        "the words are in a heading or signature, which is never scored": ["f:5"],
    }


def test_what_nobody_labelled_is_unread_unless_the_text_was_read_through() -> None:
    said = [row("hierarchical", text=TEXT, span=Span(28, 47)), row(text=TEXT)]
    assert len(placed(*said)) == 1 and align(said, NOTES).undone == 1
    assert [unit.labels for unit in units(*said, read_through=True)] == [(), ("hierarchical",), ()]


# ---------------------------------------------------------------------------------------- what was said


def one(*rows: LabelRow) -> LabelledSentence:
    (unit,) = units(*(row_ for row_ in rows))
    return unit


HIM = {"text": "I told him to quit."}


def test_tags_become_a_labelled_sentence() -> None:
    unit = one(row("clinical.medication/3", "hierarchical", "+hope", "!", **HIM))
    assert unit.severity == {"clinical.medication": 3} and unit.unrefined == ("hierarchical",)
    assert unit.practices == ("hope",) and unit.decoy and unit.unjudged == ()
    assert one(row("clinical.medication", "clinical", **HIM)).unrefined == ()
    assert one(row("role_consistent", "~declined", **HIM)).look_alike == "declined"
    assert one(row("clinical", "~declined", **HIM)).look_alike == ""


def test_only_what_was_judged_is_known() -> None:
    unit = one(row("clinical.testing", absent=("religious",), complete=False, **HIM))
    assert unit.unjudged == ("clinical", "hierarchical", "lax_boundaries", "organizational", "role_consistent")
    assert {"clinical", "clinical.testing", "religious"}.isdisjoint(unit.unknown)
    unit = one(row(absent=("religious.promotion",), complete=False, **HIM))
    assert "religious" not in unit.unjudged  # it has no other indicator
    unit = one(row("clinical", complete=False, **HIM), row("clinical.testing", complete=False, annotator="lee", **HIM))
    assert unit.severity == {"clinical.testing": 2} and "clinical.medication" in unit.unknown
    assert unit.annotators == ("annotator-1", "annotator-2")


def test_unsure_leaves_a_sentence_unread() -> None:
    assert placed(row("unsure", **HIM), row("clinical", **HIM)) == {}


@pytest.mark.parametrize(
    ("present", "absent"),
    [
        (("none", "clinical"), ()),
        (("none", "+hope"), ()),
        (("clinical",), ("clinical",)),
        (("clinical.testing/3",), ("clinical.testing",)),
        (("clinical.testing",), ("clinical",)),
        (("+hope",), ("role_consistent",)),
    ],
)
def test_one_annotator_who_contradicts_himself(present: tuple[str, ...], absent: tuple[str, ...]) -> None:
    with pytest.raises(LabelsError, match="f:1: note n1, sentence 2: .* said to stand and not to stand"):
        readings(align([row(*present, absent=absent, **HIM)], NOTES))


def contradiction() -> Aligned:
    return align(
        [row("clinical", **HIM), row("none", annotator="lee", **HIM), row("none", text="He chose the park.")], NOTES
    )


def test_annotators_who_contradict_each_other() -> None:
    aligned = contradiction()
    found = readings(aligned)
    with pytest.raises(LabelsError) as caught:
        settle(found, aligned)
    assert "note n1, sentence 2: contradictory labels (kim: clinical; lee: nothing)" in str(caught.value)
    assert "--conflicts NAME (kim, lee), or --conflicts leave-out" in str(caught.value)
    assert MARKER not in str(caught.value)
    settled, left_out = settle(found, aligned, "leave-out")
    assert list(settled) == [(0, 2)] and left_out == 1
    settled, left_out = settle(found, aligned, "kim")
    assert settled[0, 1].labels == ("clinical",) and settled[0, 1].annotators == ("annotator-1",) and left_out == 0
    with pytest.raises(LabelsError, match="nobody named 'bo' labelled; there are kim, lee"):
        settle(found, aligned, "bo")


def test_severity_alone_is_no_contradiction() -> None:
    unit = one(row("clinical.testing/1", **HIM), row("clinical.testing/3", annotator="lee", **HIM))
    assert unit.severity == {"clinical.testing": 3}


def test_agreement_of_two_annotators() -> None:
    notes = [Note(f"n{number}", "I told him to quit.") for number in range(40)]
    said = [
        row("clinical" if number % 2 else "none", note_id=f"n{number}", annotator=annotator)
        for number in range(40)
        for annotator in ("kim", "lee")
    ]
    said = [LabelRow(**{**{k: getattr(r, k) for k in r.__slots__}, "text": HIM["text"]}) for r in said]
    (pair,) = compare(readings(align(said, notes)))
    assert (pair.first, pair.second, pair.sentences) == ("kim", "lee", 40)
    assert pair.labels["clinical"].kappa == 1 and meaning(pair.labels["clinical"]) == "good: train on it"
    assert meaning(pair.labels["religious"]) == "not used"
    with pytest.raises(UsageError, match="no sentence was labelled by two annotators"):
        compare(readings(align(said[::2], notes)))


# ---------------------------------------------------------------------------------------- reviews

KEY = Fingerprints(bytes(range(32)))


def review(folder: Path, *decisions: Decision, read: tuple[str, ...] = (), key: Fingerprints = KEY) -> Path:
    path = folder / "decisions.json"
    path.write_text(Decisions("r", key.key_id, "now", decisions, frozenset(read)).to_json(), encoding="utf-8")
    return path


def decision(verdict: Any, indicator: str = "hierarchical.directing", reason: str = "", start: int = 28) -> Decision:
    ends = {0: 27, 28: 47, 48: 66}
    return Decision(KEY.note(TEXT), start, ends[start], indicator, verdict, reason)


def reviewed(folder: Path, *decisions: Decision, read: tuple[str, ...] = ()) -> list[LabelledSentence]:
    (reading,) = read_labels([review(folder, *decisions, read=read)], NOTES, fingerprints=KEY)
    return units(*reading.rows)


def test_accepted_and_missed_flags_stand(tmp_path: Path) -> None:
    told, chose = reviewed(tmp_path, decision("accepted"), decision("missed", "clinical.testing", start=48))
    assert told.severity == {"hierarchical.directing": 2} and "clinical" in told.unjudged
    assert chose.severity == {"clinical.testing": 2}


def test_a_dismissed_flag_does_not_stand_and_keeps_its_reason(tmp_path: Path) -> None:
    (told,) = reviewed(tmp_path, decision("dismissed", reason="reported_speech"))
    assert told.labels == () and told.look_alike == "reported_speech"
    assert "hierarchical" not in told.unknown and "hierarchical.coercion" not in told.unknown
    (told,) = reviewed(tmp_path, decision("dismissed"), decision("accepted", "hierarchical.coercion"))
    assert told.labels == ("hierarchical",)


def test_other_sentences_of_a_note_that_was_read_carry_nothing(tmp_path: Path) -> None:
    found = reviewed(tmp_path, decision("accepted"), read=(KEY.note(TEXT),))
    assert [(unit.labels, unit.unjudged) for unit in found] == [((), ()), (("hierarchical",), ()), ((), ())]
    found = reviewed(tmp_path, decision("missed", "", start=48), read=(KEY.note(TEXT),))
    assert len(found) == 2  # what has no name yet is not clean


def test_decisions_on_other_notes_or_another_scan(tmp_path: Path) -> None:
    path = review(tmp_path, Decision("0" * 32, 0, 4, "clinical.testing", "accepted"), read=("1" * 32,))
    (reading,) = read_labels([path], NOTES, fingerprints=KEY)
    assert list(drops(*reading.rows).values()) == [["decisions.json:1", "decisions.json:read"]]
    with pytest.raises(InputError, match="about another scan"):
        read_labels([path], NOTES, fingerprints=Fingerprints(bytes(32)))
    path.write_text(path.read_text(encoding="utf-8").replace("accepted", "agreed"), encoding="utf-8")
    with pytest.raises(DecisionsError):
        read_labels([path], NOTES, fingerprints=KEY)


def test_the_key_comes_from_the_results_folder(tmp_path: Path) -> None:
    run = tmp_path / "run.json"
    run.write_text(json.dumps({"key": bytes(range(32)).hex()}), encoding="utf-8")
    assert read_key(tmp_path).key_id == read_key(run).key_id == KEY.key_id
    for content, message in (("{}", "holds no key"), ('{"key": "00"}', "holds a damaged key"), ("[", "holds no key")):
        run.write_text(content, encoding="utf-8")
        with pytest.raises(InputError, match=message):
            read_key(run)
    with pytest.raises(InputError, match="cannot be read"):
        read_key(tmp_path / "elsewhere" / "run.json")


# ---------------------------------------------------------------------------------------- the folder


def export_of(*rows: LabelRow, notes: list[Note] = NOTES) -> Any:
    aligned = align(rows, notes)
    return labelled_export(aligned, settle(readings(aligned), aligned)[0])


def test_a_folder_that_training_and_evaluation_read(tmp_path: Path) -> None:
    odd = "\ufeffShe \ud800 left.\u200b\r\nI told her to quit.\u2028"
    notes = [*NOTES, Note("n3", odd, {"worker": "Bo", "program": "Harbor"}), Note("n4", "Not labelled.")]
    said = [row("hierarchical", **HIM), row("religious", note_id="n2", text="I prayed with her."),
            row("hierarchical", note_id="n3", text="I told her to quit.")]  # fmt: skip
    labelled = export_of(*said, notes=notes)
    write_corpus(tmp_path / "ours", labelled, {"rows": 3})
    corpus = read_corpus(tmp_path / "ours")
    assert corpus.notes == labelled.notes and [note.text for note in corpus.notes] == [TEXT, NOTES[1].text, odd]
    assert [note.voice for note in corpus.notes] == ["author-01", "author-02", "author-03"]
    assert corpus.notes[2].setting == "Harbor"
    assert sorted(corpus.split_of.values()) == ["dev", "test", "train"]
    assert [unit.kind for unit in corpus.notes[0].sentences] == ["unread", "sentence", "unread"]
    assert json.loads((tmp_path / "ours" / "import.json").read_text(encoding="utf-8")) == {"rows": 3}
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "ours").rglob("*")} == {0}
    assert "Kim" not in "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "ours").rglob("*.json*"))


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="not empty"):
        write_corpus(tmp_path / "ours", export_of(row("hierarchical", **HIM)), {})
    assert [path.name for path in tmp_path.rglob("*")] == ["ours", "thesis.txt"]


def test_splits_are_by_author_and_stay(tmp_path: Path) -> None:
    many = [f"worker {number}" for number in range(40)]
    split_of = split_authors(many)
    assert [sorted(split_of.values()).count(split) for split in ("train", "dev", "test")] == [28, 6, 6]
    assert split_authors(many[::-1]) == split_of
    assert sorted(split_authors(many[:3]).values()) == ["dev", "test", "train"]
    assert set(split_authors(many[:2]).values()) == {"train"}


def test_what_nothing_can_be_learnt_from_is_said() -> None:
    told = " ".join(export_of(row("hierarchical", **HIM)).cautions())
    assert "labels of 1 author(s): nothing can be judged" in told
    assert "hierarchical: every sentence that was judged carries it" in told
    assert "no sentence was labelled as carrying nothing" in told
    assert "every labelled sentence carries nothing" in " ".join(export_of(row("none", **HIM)).cautions())
    with pytest.raises(UsageError, match="no label found its sentence"):
        export_of(row("clinical", note_id="n9"))
