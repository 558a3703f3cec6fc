"""A training from labelled notes to a bundle: compared, written whole or not at all, and told plainly."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from peerdrift_nlp.classifier.bundle import load_bundle
from peerdrift_nlp.classifier.corpus import challenge_pairs, parse_marked
from peerdrift_nlp.classifier.shipped import shipped_model
from peerdrift_nlp.errors import BundleFormatError, TrainingDataError, UsageError
from peerdrift_nlp.retraining import Retrained, evaluate, train
from peerdrift_nlp.scanner import Scanner

sys.path.insert(0, str(Path(__file__).with_name("classifier")))
from classifier_makers import agency

SECRETS = ("zebediah", "48213977", "xylorimba", "w3-7", "grandmother")


@pytest.fixture(scope="module", autouse=True)
def few_pairs() -> Iterator[None]:
    """A few of the contrast pairs do for tests of everything else."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("peerdrift_nlp.retraining.challenge_pairs", lambda: challenge_pairs()[:30])
        yield


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("retraining")


@pytest.fixture(scope="module")
def calls() -> list[tuple[int, int]]:
    return []


@pytest.fixture(scope="module")
def found(place: Path, calls: list[tuple[int, int]]) -> Retrained:
    secret = agency(2, extra="Zebediah of chart 48213977 plays the xylorimba.{}")
    notes = [*secret, *(note for note in agency(extra="He frumbled.{}") if note.voice not in ("w0", "w1"))]
    return train(notes, place / "ours", base="fast", name="ours-1", progress=lambda *done: calls.append(done))


def test_the_bundle_says_where_it_comes_from(place: Path, found: Retrained) -> None:
    bundle, base = load_bundle(place / "ours"), load_bundle(shipped_model("fast"))
    assert bundle.version == "ours-1"
    assert bundle.manifest["parent"] == {"version": base.version, "sha256": base.sha256}
    assert bundle.manifest["training"]["voices"] == 6 and bundle.manifest["training"]["notes"] == 60
    assert bundle.manifest["training"]["levels"]["clinical"] == "retrained"
    assert found.comparison and bundle.manifest["comparison"] == json.loads(json.dumps(found.comparison.to_dict()))
    assert Scanner(model=place / "ours").scan("I counted her pills.").findings


def test_every_writer_was_judged_by_a_model_without_them(found: Retrained) -> None:
    assert found.comparison is not None
    assert found.comparison.voices == 6
    assert found.comparison.gate and found.comparison.gate.members > 20
    assert found.verdict == found.comparison.verdict(load_bundle(shipped_model("fast")).version, "ours-1")


def test_the_card_tells_it_to_a_reader(place: Path, found: Retrained) -> None:
    card = (place / "ours" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert card.startswith("# Model card: ours-1\n")
    assert found.verdict in card
    assert "| clinical | 60 | retrained |" in card and "| religious | 6 | recalibrated |" in card
    assert "Take care: notes of 6 writers only" in card
    assert "{{" not in card and "nan" not in card


def test_no_word_of_few_writers_is_in_the_bundle(place: Path, found: Retrained) -> None:
    known = json.loads((shipped_model("fast") / "vocabulary.json").read_text(encoding="utf-8"))
    terms = json.loads((place / "ours" / "vocabulary.json").read_text(encoding="utf-8"))
    assert terms[: len(known)] == known and "frumbled" in terms[len(known) :]
    assert not [term for term in terms[len(known) :] for secret in SECRETS[:4] if secret in term]
    for name in ("manifest.json", "MODEL_CARD.md", "MODEL_CARD.html"):
        text = (place / "ours" / name).read_text(encoding="utf-8").lower()
        assert not [secret for secret in SECRETS if secret in text]


def test_the_card_is_also_a_page_that_loads_nothing(place: Path, found: Retrained) -> None:
    page = (place / "ours" / "MODEL_CARD.html").read_text(encoding="utf-8")
    assert "<title>Model card: ours-1</title>" in page and found.verdict in page
    assert "default-src 'none'" in page and "http" not in page.replace("http-equiv", "")
    assert "60" in page and "any drift f1" in page and "Read them before you hand the model on" in page
    assert "<script" not in page and "{{" not in page


def test_new_words_are_listed_for_whoever_must_look_at_them(place: Path, found: Retrained) -> None:
    words = load_bundle(place / "ours").manifest["training"]["new_words"]
    phrases = load_bundle(place / "ours").manifest["training"]["new_phrases"]
    assert "frumbled" in words and not [word for word in words if " " in word]
    assert "he frumbled" in phrases and not [phrase for phrase in phrases if " " not in phrase]
    known = load_bundle(shipped_model("fast")).model.column_of
    terms = load_bundle(place / "ours").model.terms
    assert sorted([*words, *phrases]) == sorted(term for term in terms if term not in known)
    for name in ("MODEL_CARD.md", "MODEL_CARD.html"):
        card = (place / "ours" / name).read_text(encoding="utf-8")
        assert ", ".join(words) in card and "he frumbled, " in card


def test_pairs_of_known_words_are_no_empty_vocabulary(place: Path) -> None:
    train(agency(3, 8, extra="The porch laundry piano.{}"), place / "pairs", base="fast")
    training = load_bundle(place / "pairs").manifest["training"]
    assert "porch laundry" in training["new_phrases"]
    for name in ("MODEL_CARD.md", "MODEL_CARD.html"):
        card = (place / "pairs" / name).read_text(encoding="utf-8")
        assert "porch laundry" in card
        assert "word of the added notes is in this model" not in card and "No word of the notes" not in card


def test_without_new_words_the_vocabulary_is_the_bases(place: Path) -> None:
    train(agency(3, 8, extra="He frumbled.{}"), place / "known", base="fast", vocabulary=False)
    base = shipped_model("fast")
    assert (place / "known" / "vocabulary.json").read_bytes() == (base / "vocabulary.json").read_bytes()
    assert load_bundle(place / "known").manifest["training"]["new_words"] == []
    card = (place / "known" / "MODEL_CARD.md").read_text("utf-8")
    assert "no word of the added notes is in this model" in card
    assert "| clinical | 24 | thresholds set" in card and ", new words learnt" not in card


def test_progress_is_told_to_the_end(found: Retrained, calls: list[tuple[int, int]]) -> None:
    total = calls[0][1]
    assert calls == [(done, total) for done in range(1, total + 1)]


def test_writers_kept_apart_are_the_ones_to_compare_on(place: Path) -> None:
    notes = agency(8, 6)
    taught, unseen = [n for n in notes if n.voice < "w3"], [n for n in notes if n.voice >= "w3"]
    found = train(taught, place / "apart", base="fast", unseen=unseen)
    assert found.comparison and found.comparison.voices == 5
    assert load_bundle(place / "apart").manifest["training"]["voices"] == 3


def test_beside_few_writers_kept_apart_the_others_are_compared_in_folds(place: Path) -> None:
    notes = agency(7, 4)
    taught, unseen = [n for n in notes if n.voice < "w5"], [n for n in notes if n.voice >= "w5"]
    found = train(taught, place / "beside", base="fast", unseen=unseen)
    assert (
        found.comparison
        and found.comparison.voices == 7
        and found.comparison.sentences == len([unit for note in notes for unit in note.sentences])
    )


def test_few_writers_are_not_compared_and_the_verdict_says_so(place: Path) -> None:
    found = train(agency(4), place / "few", base="fast", name="few")
    assert found.comparison is None
    assert "too few to tell the two apart" in found.verdict
    assert "There were too few writers to compare the two." in (place / "few" / "MODEL_CARD.md").read_text()


def test_the_encoder_of_the_base_comes_along_unchanged(place: Path) -> None:
    train(agency(3, 8), place / "twice", base="default")
    ours, base = load_bundle(place / "twice"), load_bundle(shipped_model("default"))
    assert ours.cascade is not None and ours.manifest["kind"] == "cascade"
    assert (place / "twice" / "encoder.onnx").read_bytes() == (shipped_model("default") / "encoder.onnx").read_bytes()
    assert ours.cascade.mixing.shape == base.cascade.mixing.shape if base.cascade else False


def test_a_model_is_evaluated_with_intervals(place: Path, found: Retrained) -> None:
    figures = evaluate(agency(5, 4), place / "ours", rounds=50)
    assert figures["any_drift_f1"].low <= figures["any_drift_f1"].value <= figures["any_drift_f1"].high
    assert {"mean_f1", "clinical_precision", "clinical_brier"} <= set(figures)
    assert evaluate(agency(5, 4), place / "ours", rounds=50) == figures
    with pytest.raises(UsageError, match="no labelled sentences"):
        evaluate([], "fast")


def test_an_interrupted_training_leaves_nothing(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(agency(3), tmp_path / "ours", base="fast", progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_model_outlives_an_interrupted_training(place: Path, found: Retrained) -> None:
    before = load_bundle(place / "ours").sha256

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(agency(3), place / "ours", base="fast", progress=stop)
    assert load_bundle(place / "ours").sha256 == before


def test_the_base_is_never_written_over(place: Path, found: Retrained) -> None:
    with pytest.raises(UsageError, match="is the base model, which is kept; name another folder"):
        train(agency(3), place / "ours", base=place / "ours")


def test_a_base_of_a_newer_version_is_refused(place: Path, found: Retrained, tmp_path: Path) -> None:
    (tmp_path / "newer").mkdir()
    (tmp_path / "newer" / "manifest.json").write_text('{"format": "peerdrift.bundle/3"}', encoding="utf-8")
    with pytest.raises(BundleFormatError, match="Update peerdrift-nlp for a newer bundle"):
        train(agency(3), tmp_path / "out", base=tmp_path / "newer")
    assert not (tmp_path / "out").exists()


def test_notes_that_cannot_carry_it_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(TrainingDataError, match=r"notes of 1 writer\(s\)"):
        train(agency(1), tmp_path / "ours", base="fast")
    clean = [note for v in "abc" for note in parse_marked(f"=== n{v}\nWe sat by the lake {v}.{{}}", f"v{v}")]
    with pytest.raises(TrainingDataError, match="none carries a label"):
        train(clean, tmp_path / "ours", base="fast")
    with pytest.raises(TrainingDataError, match=r"notes of 0 writer\(s\)"):
        train([], tmp_path / "ours", base="fast")
    assert list(tmp_path.iterdir()) == []
