"""The encoder reads what the fast model leaves open, and nothing else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from peerdrift_nlp.classifier.bundle import load_bundle, outputs, save_bundle
from peerdrift_nlp.classifier.cascade import (
    ENCODER,
    TOKENIZER,
    Cascade,
    SentenceEncoder,
    mean_log_odds,
    open_sentences,
    read_encoder,
)
from peerdrift_nlp.classifier.linear import Floats
from peerdrift_nlp.classifier.shipped import shipped_model
from peerdrift_nlp.classifier.training import Examples, add_encoder
from peerdrift_nlp.errors import BundleIntegrityError, TrainingDataError, UsageError
from peerdrift_nlp.scanner import Scanner
from peerdrift_nlp.taxonomy import LABELS

DEFAULT = shipped_model("default")
AS_THEY_ARE = np.tile([1.0, 0.0], (len(LABELS), 1))


class Fake:
    """Says the same log-odds of every label, and remembers what it was asked."""

    def __init__(self, log_odds: float) -> None:
        self.log_odds = log_odds
        self.read: list[str] = []

    def __call__(self, text: str) -> Floats:
        self.read.append(text)
        return np.full(len(outputs()), self.log_odds, dtype=np.float32)


def cascade(fake: Fake, mixing: object = AS_THEY_ARE) -> Cascade:
    return Cascade(cast(SentenceEncoder, fake), np.array(mixing, dtype=np.float64))


def rows(*clinical: float, strength: float = 0.05) -> Floats:
    """Probabilities of sentences that only differ in the first label."""
    found = np.zeros((len(clinical), len(LABELS)), dtype=np.float32)
    found[:, 0], found[:, -1] = clinical, strength
    return found


def test_open_is_what_may_be_a_flag_and_is_not_sure() -> None:
    assert open_sentences(rows(0.0, 0.02, 0.04, 0.5, 0.96, 0.98, 1.0)).tolist() == [2, 3, 4]


@pytest.mark.parametrize(("strength", "is_open"), [(0.09, False), (0.11, True), (0.89, True), (0.91, False)])
def test_open_is_what_may_or_may_not_be_a_strength(strength: float, is_open: bool) -> None:
    assert open_sentences(rows(0.0, strength=strength)).tolist() == [0] * is_open


def test_only_open_sentences_are_read_and_each_once() -> None:
    fake, texts = Fake(2.0), ["sure", "open", "free", "open"]
    before = rows(0.99, 0.5, 0.01, 0.5)
    after = cascade(fake)(before, texts.__getitem__)
    assert fake.read == ["open"]
    assert after[[0, 2]].tolist() == before[[0, 2]].tolist()
    assert after[1, 0] == after[3, 0] == pytest.approx(1 / (1 + np.exp(-1.0)))  # the mean of 0 and 2


def test_nothing_open_is_nothing_read() -> None:
    fake = Fake(2.0)
    assert cascade(fake)(rows(0.99, 0.0), str) is not None
    assert fake.read == []


def test_the_mean_is_weighed_for_each_label() -> None:
    mixing = AS_THEY_ARE.copy()
    mixing[0] = (2.0, -1.0)
    after = cascade(Fake(2.0), mixing)(rows(0.5), str)
    assert after[0, 0] == pytest.approx(1 / (1 + np.exp(-(2.0 * 1.0 - 1.0))))


def test_the_ends_are_no_infinities() -> None:
    mean = mean_log_odds(cast(SentenceEncoder, Fake(0.0)), rows(0.0, 1.0), ["a", "b"])
    assert np.isfinite(mean).all()


def test_an_encoder_is_weighed_on_unseen_voices_only() -> None:
    model = load_bundle(DEFAULT).model
    with pytest.raises(TrainingDataError, match="no dev voices"):
        add_encoder(model, cast(SentenceEncoder, Fake(0.0)), Examples([], [], []))


def test_word_order_is_seen() -> None:
    encoder = SentenceEncoder(read_encoder(DEFAULT))
    one, other = encoder("I told her doctor to call."), encoder("Her doctor told I to call.")
    assert one.shape == (len(outputs()),) and not np.allclose(one, other)
    assert encoder("I told her doctor to call.").tolist() == one.tolist()


def test_a_long_sentence_is_read_from_its_beginning() -> None:
    encoder = SentenceEncoder(read_encoder(DEFAULT))
    words = "she said " * 300
    assert encoder(words).tolist() == encoder(words + "and then more").tolist()


# ------------------------------------------------------------------------------------------- bundles


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    shutil.copytree(DEFAULT, tmp_path / "bundle")
    return tmp_path / "bundle"


def test_a_bundle_with_an_encoder_is_written_and_read(tmp_path: Path) -> None:
    shipped = load_bundle(DEFAULT)
    assert shipped.cascade is not None
    details = {"version": "copy-1", "mixing": shipped.cascade.mixing.tolist()}
    save_bundle(tmp_path / "copy", shipped.model, shipped.thresholds, details, "# Card", read_encoder(DEFAULT))
    copy = load_bundle(tmp_path / "copy")
    assert copy.cascade is not None
    assert copy.cascade.mixing.tolist() == shipped.cascade.mixing.tolist()
    assert copy.cascade.encoder("word").tolist() == shipped.cascade.encoder("word").tolist()


def test_the_fast_model_has_none() -> None:
    assert load_bundle(shipped_model("fast")).cascade is None
    assert Scanner(model="fast").spec.model == "fast"


@pytest.mark.parametrize("name", [ENCODER, TOKENIZER])
def test_a_changed_encoder_is_found(bundle: Path, name: str) -> None:
    data = bytearray((bundle / name).read_bytes())
    data[len(data) // 2] ^= 1
    (bundle / name).write_bytes(bytes(data))
    with pytest.raises(BundleIntegrityError, match=name):
        load_bundle(bundle)


@pytest.mark.parametrize("mixing", [None, [], [[1, 0]], [["a", 0]] * len(LABELS), [[float("nan"), 0]] * len(LABELS)])
def test_mixing_must_be_numbers(bundle: Path, mixing: object) -> None:
    manifest = json.loads((bundle / "manifest.json").read_text())
    manifest["mixing"] = mixing
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleIntegrityError, match=r"mixing|manifest\.json"):
        load_bundle(bundle)


def test_an_encoder_without_its_tokenizer_is_refused(bundle: Path) -> None:
    manifest = json.loads((bundle / "manifest.json").read_text())
    del manifest["members"][TOKENIZER]
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleIntegrityError, match="or neither"):
        load_bundle(bundle)


def test_what_is_no_graph_is_refused(tmp_path: Path) -> None:
    shipped = load_bundle(DEFAULT)
    details = {"version": "odd-1", "mixing": AS_THEY_ARE.tolist()}
    files = read_encoder(DEFAULT)._replace(graph=b"no graph")
    save_bundle(tmp_path / "odd", shipped.model, shipped.thresholds, details, "", files)
    with pytest.raises(BundleIntegrityError, match=ENCODER):
        load_bundle(tmp_path / "odd")


def test_a_folder_without_an_encoder_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"holds no encoder .*{ENCODER}"):
        read_encoder(tmp_path)
