"""A sentence is weighed with the others of its note, and with nothing else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from peerdrift_nlp.classifier.bundle import load_bundle
from peerdrift_nlp.classifier.linear import Floats
from peerdrift_nlp.classifier.shipped import shipped_model
from peerdrift_nlp.classifier.training import fit_whole_note
from peerdrift_nlp.classifier.whole_note import WholeNote
from peerdrift_nlp.errors import BundleIntegrityError
from peerdrift_nlp.scanner import Scanner
from peerdrift_nlp.taxonomy import LABELS
from peerdrift_nlp.types import Note

SHARE = 0.05
COMPANY = WholeNote(np.tile([SHARE, 1.0, 1.0, 0.0], (len(LABELS), 1)))


def rows(*clinical: float) -> Floats:
    """Probabilities of sentences that differ in the first label only."""
    found = np.full((len(clinical), len(LABELS)), SHARE, dtype=np.float32)
    found[:, 0] = clinical
    return found


def weighed(*clinical: float) -> list[float]:
    """The first label's probabilities of one note."""
    return COMPANY(rows(*clinical), np.zeros(len(clinical), dtype=np.int64))[:, 0].tolist()


def test_drift_elsewhere_makes_a_doubtful_sentence_likelier() -> None:
    assert weighed(0.3, 0.9)[0] > 0.3 > weighed(0.3, 0.001)[0]


def test_a_sentence_alone_is_as_in_a_usual_note() -> None:
    assert weighed(0.3) == pytest.approx([0.3])
    assert weighed(0.3, SHARE, SHARE)[0] == pytest.approx(0.3)


def test_other_labels_and_other_notes_say_nothing() -> None:
    two_notes = np.array([0, 0, 1, 1])
    before = rows(0.3, SHARE, 0.9, 0.9)
    before[1, 1] = 0.9
    assert COMPANY(before, two_notes)[0, 0] == pytest.approx(0.3)


def test_headings_are_no_sentences_of_the_note() -> None:
    with_heading = rows(0.3, 0.001, 0.0)
    with_heading[2] = 0.0
    after = COMPANY(with_heading, np.zeros(3, dtype=np.int64))
    assert after[2].tolist() == [0.0] * len(LABELS)
    assert after[0, 0] == pytest.approx(weighed(0.3, 0.001)[0])


def test_no_sentences_at_all() -> None:
    assert COMPANY(rows(), np.zeros(0, dtype=np.int64)).shape == (0, len(LABELS))


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=20), st.randoms())
def test_probabilities_stay_probabilities_in_any_order(clinical: list[float], chance: object) -> None:
    order = np.argsort(clinical[::-1], kind="stable")
    after = np.array(weighed(*clinical))
    assert ((after >= 0) & (after <= 1)).all()
    assert np.array(weighed(*np.array(clinical)[order].tolist())) == pytest.approx(after[order], abs=1e-5)


def test_what_is_fitted_is_the_company_that_drift_keeps() -> None:
    """Drift comes in half of the notes, and there in half of the sentences; by itself a sentence says little."""
    chance = np.random.default_rng(0)
    notes = np.repeat(np.arange(200), 8)
    drifts = (chance.random(200) < 0.5)[notes] & (chance.random(1600) < 0.5)
    before = rows(*np.clip(0.25 + 0.3 * drifts + 0.15 * chance.standard_normal(1600), 0.01, 0.99))
    targets = np.zeros((1600, len(LABELS)), dtype=np.int8)
    targets[:, 0] = drifts
    fitted = fit_whole_note(before, targets, notes)
    assert fitted.weights[0, 2] > 0
    after = fitted(before, notes)[:, 0]
    assert ((after > 0.5) != drifts).sum() < ((before[:, 0] > 0.5) != drifts).sum()


def test_a_label_that_nobody_found_is_left_as_it_is() -> None:
    before, notes = rows(0.3, 0.9), np.zeros(2, dtype=np.int64)
    nowhere = np.zeros((2, len(LABELS)), dtype=np.int8)
    assert fit_whole_note(before, nowhere, notes)(before, notes) == pytest.approx(before)


def test_a_scan_weighs_each_note_by_itself() -> None:
    scanner = Scanner(model="fast")
    assert scanner.bundle.whole_note
    doubtful, drift = "We talked about the pills for a while.", "I counted her pills and told her to take two."
    notes = [Note("a", doubtful), Note("b", f"{doubtful} {drift}"), Note("c", ""), Note("d", doubtful)]
    together = [report.to_json() for report in scanner.scan_many(notes)]
    assert together == [scanner.scan(note.text, note_id=note.note_id).to_json() for note in notes]
    quiet, beside = (scanner.explain(f"{doubtful} {other}")[1] for other in ("We sat by the pond.", drift))
    assert beside[0].probabilities["clinical"] > quiet[0].probabilities["clinical"]


@pytest.mark.parametrize("stated", [None, [], [[1, 1, 0]], [["a"] * 4] * len(LABELS), [[0.0, 1, 0, 0]] * len(LABELS)])
def test_a_bundle_states_it_in_numbers(tmp_path: Path, stated: object) -> None:
    shutil.copytree(shipped_model("fast"), tmp_path / "bundle")
    manifest = json.loads((tmp_path / "bundle" / "manifest.json").read_text())
    manifest["whole_note"] = stated
    (tmp_path / "bundle" / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleIntegrityError, match="whole_note"):
        load_bundle(tmp_path / "bundle")


def test_a_bundle_without_it_is_read(tmp_path: Path) -> None:
    shutil.copytree(shipped_model("fast"), tmp_path / "bundle")
    manifest = json.loads((tmp_path / "bundle" / "manifest.json").read_text())
    del manifest["whole_note"]
    (tmp_path / "bundle" / "manifest.json").write_text(json.dumps(manifest))
    assert load_bundle(tmp_path / "bundle").whole_note is None
    assert Scanner(model=tmp_path / "bundle").scan("I counted her pills.").findings
