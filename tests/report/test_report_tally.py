"""Which notes are shown and drawn for reading, and what a review of them comes to."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest
from report_makers import finding, report

from peerdrift_nlp.report.decisions import Decision, Decisions
from peerdrift_nlp.report.fingerprint import Fingerprints
from peerdrift_nlp.report.shown import Shown
from peerdrift_nlp.report.tally import Tally
from peerdrift_nlp.types import NoteReport

PRINTS = Fingerprints(bytes(range(32)))


def note(number: int, *, flagged: bool = False, prints: Fingerprints = PRINTS, text: str = "") -> NoteReport:
    text = text or f"Note {number}. Took her pulse."
    findings = [finding("clinical.nursing", (0, 7))] if flagged else []
    return replace(report(str(number), text, findings=findings), fingerprint=prints.note(text))


def shown(reports: list[NoteReport], sample: int) -> Shown:
    chosen = Shown(sample)
    for item in reports:
        chosen.add(item)
    return chosen


def test_the_sample_is_the_same_in_any_order_and_has_no_flagged_or_failed_note() -> None:
    notes = [note(number, flagged=number % 3 == 0) for number in range(100)]
    failed = report("x", "", status="failed", problems=["too long"])
    one = shown([*notes, failed], 10).sample
    random.Random(1).shuffle(notes)
    assert shown([failed, *notes], 10).sample == one
    assert len(one) == 10 and one <= {item.fingerprint for item in notes if not item.findings}


def test_every_note_is_as_likely_to_be_drawn() -> None:
    drawn = Counter[str]()
    for seed in range(400):
        prints = Fingerprints(random.Random(seed).randbytes(32))
        names = {prints.note(item.text): item.note_id for item in map(note, range(20))}
        drawn.update(names[print_] for print_ in shown([note(n, prints=prints) for n in range(20)], 5).sample)
    assert len(drawn) == 20 and all(60 <= count <= 140 for count in drawn.values())


def test_notes_of_the_same_words_are_drawn_once() -> None:
    assert len(shown([note(number, text="Met at noon.") for number in range(9)], 5).sample) == 1


@pytest.mark.parametrize("size", [0, 1, 3, 50])
def test_the_sample_is_as_large_as_wished_or_as_there_are_notes(size: int) -> None:
    assert len(shown([note(number) for number in range(10)], size).sample) == min(size, 10)


def test_flagged_notes_and_the_sample_are_shown_of_a_large_run_in_its_order() -> None:
    notes = [note(number, flagged=number % 2 == 0) for number in range(2400)]
    chosen = shown(notes, 20)
    names = [int(item.note_id) for item in chosen.reports()]
    assert names == sorted(names) and len(names) == 1220
    assert sum(number % 2 for number in names) == 20


def test_a_small_run_is_shown_whole_and_problems_are_kept() -> None:
    failed = report("x", "", status="failed", problems=["too long", "odd"])
    chosen = shown([note(1), failed, note(2, flagged=True)], 1)
    assert [item.note_id for item in chosen.reports()] == ["1", "x", "2"]
    assert chosen.problems == [("x", "too long; odd")]


# ---------------------------------------------------------------------------------------- what a review comes to


def lines(notes: list[NoteReport], decisions: list[Decision], read: set[str], sample: set[str]) -> list[str]:
    tally = Tally(Decisions("run", PRINTS.key_id, "", tuple(decisions), frozenset(read)))
    for item in notes:
        tally.add(item)
    return list(tally.lines(sample))


def on(item: NoteReport, verdict: str = "accepted") -> Decision:
    return Decision(item.fingerprint, 0, 7, "clinical.nursing", verdict)  # type: ignore[arg-type]


FLAGGED = [note(number, flagged=True) for number in range(10)]
QUIET = [note(number) for number in range(10, 110)]
SAMPLE = [item.fingerprint for item in QUIET[:20]]


def test_nothing_decided_says_what_to_do() -> None:
    assert lines(FLAGGED + QUIET, [], set(), set(SAMPLE)) == [
        "0 of 10 flags decided.",
        "0 of 20 sample notes read, something missed in 0 of them.",
        "What was missed in notes without a flag is unknown: read the sample notes and mark them as read.",
    ]


def test_a_whole_review_gives_an_estimate_with_its_interval() -> None:
    """Of 20 notes read 2 hold something: 10%, by Wilson 2.8 to 30.1%, of 100 notes; 8 flagged notes were right."""
    decided = [on(item) for item in FLAGGED[:8]] + [on(item, "dismissed") for item in FLAGGED[8:]]
    missed = [on(item, "missed") for item in QUIET[:2]]
    assert lines(FLAGGED + QUIET, decided + missed, set(SAMPLE), set(SAMPLE)) == [
        "10 of 10 flags decided: 8 accepted, 80% (49 to 94).",
        "20 of 20 sample notes read, something missed in 2 of them.",
        "Of 100 notes without a flag, an estimated 10 (3 to 30) hold something missed.",
        "So the scan found 44% (21 to 73) of the notes with something to talk about.",
    ]


def test_no_part_is_told_before_all_flags_are_decided() -> None:
    said = lines(FLAGGED + QUIET, [on(FLAGGED[0])], set(SAMPLE[:5]), set(SAMPLE))
    assert said[1] == "5 of 20 sample notes read, something missed in 0 of them."
    assert said[-1] == "Decide all flags to learn what part of it the scan found."


def test_what_was_read_is_known_and_only_the_rest_estimated() -> None:
    few = QUIET[:4]
    prints = {item.fingerprint for item in few}
    said = lines(few, [on(few[0], "missed")], prints, prints)
    assert "Of 4 notes without a flag, an estimated 1 (1 to 1) hold something missed." in said


def test_only_sample_notes_that_were_read_count() -> None:
    outside, unread = on(QUIET[30], "missed"), on(QUIET[19], "missed")
    said = lines(FLAGGED + QUIET, [outside, unread], {QUIET[30].fingerprint, *SAMPLE[:19]}, set(SAMPLE))
    assert said[1] == "19 of 20 sample notes read, something missed in 0 of them."


def test_decisions_that_fit_nothing_are_told() -> None:
    strays = [on(note(500)), on(note(501), "missed"), on(QUIET[0]), replace(on(FLAGGED[0]), start=1)]
    said = lines(FLAGGED + QUIET, [*strays, on(FLAGGED[1])], set(), set(SAMPLE))
    assert said[:2] == [
        "1 of 10 flags decided: 1 accepted, 100% (21 to 100).",
        "4 decisions fit no flag or note of this scan and were left out.",
    ]
