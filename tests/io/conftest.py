from __future__ import annotations

from pathlib import Path

import pytest

from peerdrift_nlp.types import (
    Cue,
    Engine,
    Evidence,
    Finding,
    LookAlike,
    NoteReport,
    Sentence,
    Span,
    Stance,
    Strength,
    Weight,
)

TEXT = "Reminded him to take his meds. \U0001f600 We walked and he chose the group himself. Client denies SI."


@pytest.fixture
def export(tmp_path: Path):
    """Write a file of bytes or text and give its path."""

    def write(name: str, content: str | bytes, encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return write


@pytest.fixture
def report() -> NoteReport:
    """A report by hand with one of everything."""
    stance = Stance(cues=(Cue("initiator", 9, 12),))
    finding = Finding(
        id="f1",
        label="clinical",
        indicator="clinical.medication",
        locus="individual",
        severity=2,
        probability=0.91234,
        start=0,
        end=29,
        sentence=Span(0, 30),
        origin="both",
        evidence=(Evidence("med.remind", 0, 8, stance),),
        words=(Weight(0, 8, 1.23456),),
        reason="=Reminding is for nurses.",
        guideline="respectful",
        question="Had he asked for it?",
        clears="That he asked to be reminded.",
        alternative="Asked how he keeps track.",
    )
    return NoteReport(
        note_id="0042",
        status="complete",
        engine=Engine("0.1.0", "base", "default", {"clinical": "ab12"}),
        meta={"worker": "@wren", "program": "North", "date": "2024-01-05"},
        findings=(finding,),
        strengths=(Strength("self_determination", 0.8, 33, 75),),
        look_alikes=(
            LookAlike("sym.denies", "clinical.symptoms", 76, 93, "safety_duty", Span(83, 89)),
            LookAlike("sym.denies", "clinical.symptoms", 76, 93, "quoted"),
        ),
        sentences=(Sentence(0, 30), Sentence(33, 75), Sentence(76, 93)),
        text=TEXT,
    )
