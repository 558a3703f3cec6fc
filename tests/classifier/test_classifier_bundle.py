"""A bundle comes back as it was saved, and anything else is refused before something is built from it."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import tracemalloc
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from peerdrift_nlp.classifier.bundle import (
    FORMAT,
    OPERATING_POINTS,
    Bundle,
    check_replaceable,
    load_bundle,
    save_bundle,
)
from peerdrift_nlp.classifier.features import Row
from peerdrift_nlp.classifier.linear import LinearModel
from peerdrift_nlp.classifier.training import Examples, Fitted, outputs
from peerdrift_nlp.errors import BundleError, BundleFormatError, BundleIntegrityError, PeerdriftError, UsageError
from peerdrift_nlp.scanner import Scanner
from peerdrift_nlp.taxonomy import LABELS

Manifest = dict[str, Any]
ARRAYS = ("idf", "coef", "intercept", "calibration")
MEMBERS = ("vocabulary.json", "weights.npz", "MODEL_CARD.md")
THRESHOLDS = {point: {label: 0.75 for label in LABELS} for point in OPERATING_POINTS}
TERMS = ("drove", "drove her", "her", "rule=boundary.transport.drove", "stands=lax_boundaries")


def small_model() -> LinearModel:
    """A model of five terms with arbitrary weights and all columns."""
    random = np.random.default_rng(7)
    names = outputs()

    def some(*shape: int) -> np.ndarray:
        return random.normal(size=shape).astype(np.float32)

    return LinearModel(names, TERMS, np.abs(some(5)) + 1, some(5, len(names)), some(len(names)), some(len(names), 2))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A bundle as it is saved."""
    save_bundle(tmp_path / "bundle", small_model(), THRESHOLDS, {"version": "small-1", "packs": {}}, "# Card\n")
    return tmp_path / "bundle"


def rewrite_manifest(folder: Path, change: Callable[[Manifest], object]) -> None:
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    change(manifest)
    path.write_text(json.dumps(manifest), encoding="utf-8")


def replace_member(folder: Path, name: str, data: bytes) -> None:
    """Another member under the right size and hash: what somebody would do who knows the format."""
    (folder / name).write_bytes(data)
    stated = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    rewrite_manifest(folder, lambda manifest: manifest["members"].update({name: stated}))


def npz(arrays: Mapping[str, Any]) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def replace_arrays(folder: Path, **changed: Any) -> None:
    arrays = {name: getattr(small_model(), name) for name in ARRAYS}
    replace_member(folder, "weights.npz", npz({**arrays, **changed}))


# ---------------------------------------------------------------------------------------- there and back


def test_a_saved_model_comes_back_to_the_last_digit(tmp_path: Path, tiny: Examples, trained: Fitted) -> None:
    model, _, thresholds = trained
    save_bundle(tmp_path / "deep" / "bundle", model, thresholds, {"version": "tiny-1", "extra": {"a": [1]}}, "# Tiny\n")
    loaded = load_bundle(tmp_path / "deep" / "bundle")
    for field in fields(LinearModel):
        if field.name in ARRAYS:
            assert np.array_equal(getattr(loaded.model, field.name), getattr(model, field.name)), field.name
            assert getattr(loaded.model, field.name).dtype == np.float32
    assert (loaded.model.terms, loaded.model.outputs) == (model.terms, model.outputs)
    before, after = model.probabilities(tiny.rows), loaded.model.probabilities(tiny.rows)
    assert before.tobytes() == after.tobytes()
    assert loaded.thresholds == thresholds
    assert loaded.version == "tiny-1"
    assert loaded.manifest["extra"] == {"a": [1]}
    assert (tmp_path / "deep" / "bundle" / "MODEL_CARD.md").read_text(encoding="utf-8") == "# Tiny\n"


def test_a_scanner_can_be_made_of_a_bundle(folder: Path) -> None:
    assert Scanner(model=folder).engine.model.split()[0] == "small-1"


def test_a_bundle_is_four_plain_files(folder: Path) -> None:
    assert sorted(item.name for item in folder.iterdir()) == sorted([*MEMBERS, "manifest.json"])
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["format"] == FORMAT
    for name in MEMBERS:
        data = (folder / name).read_bytes()
        assert manifest["members"][name] == {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    with np.load(folder / "weights.npz", allow_pickle=False) as arrays:
        assert sorted(arrays) == sorted(ARRAYS)
    with zipfile.ZipFile(folder / "weights.npz") as archive:
        assert archive.testzip() is None


def test_the_same_model_is_saved_as_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    save_bundle(tmp_path / "again", small_model(), THRESHOLDS, {"version": "small-1", "packs": {}}, "# Card\n")
    for name in (*MEMBERS[:1], "MODEL_CARD.md"):
        assert (folder / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_an_earlier_bundle_is_replaced(folder: Path) -> None:
    save_bundle(folder, small_model(), THRESHOLDS, {"version": "small-2"}, "# Second\n")
    assert load_bundle(folder).version == "small-2"
    assert sorted(item.name for item in folder.parent.iterdir()) == ["bundle"]


def test_an_empty_folder_is_used(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    save_bundle(tmp_path / "new", small_model(), THRESHOLDS, {"version": "a"}, "")
    assert load_bundle(tmp_path / "new").version == "a"


# ---------------------------------------------------------------------------------------- whole or not at all


def contents(folder: Path) -> dict[str, bytes]:
    return {str(item.relative_to(folder)): item.read_bytes() for item in sorted(folder.rglob("*")) if item.is_file()}


def test_a_folder_of_other_things_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "precious.txt").write_text("mine")
    with pytest.raises(UsageError, match="not a model bundle; name a new folder"):
        save_bundle(tmp_path / "notes", small_model(), THRESHOLDS, {"version": "a"}, "")
    assert contents(tmp_path) == {"notes/precious.txt": b"mine"}


@pytest.mark.parametrize("manifest", ['{"manifest_version": 3, "name": "An extension"}', "{", "[]"])
def test_a_folder_with_a_manifest_of_something_else_is_refused_and_left_alone(tmp_path: Path, manifest: str) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "manifest.json").write_text(manifest)
    (tmp_path / "web" / "precious.js").write_text("mine")
    before = contents(tmp_path)
    with pytest.raises(UsageError):
        save_bundle(tmp_path / "web", small_model(), THRESHOLDS, {"version": "a"}, "")
    assert contents(tmp_path) == before


def test_what_somebody_put_beside_a_bundle_is_not_deleted(folder: Path) -> None:
    (folder / "my-remarks.txt").write_text("mine")
    before = contents(folder)
    with pytest.raises(UsageError):
        save_bundle(folder, small_model(), THRESHOLDS, {"version": "small-2"}, "")
    assert contents(folder) == before


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bundle").write_text("mine")
    with pytest.raises(UsageError):
        save_bundle(tmp_path / "bundle", small_model(), THRESHOLDS, {"version": "a"}, "")
    assert contents(tmp_path) == {"bundle": b"mine"}


def test_a_folder_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UsageError, match="cannot be written|cannot write"):
        save_bundle(tmp_path / "file" / "bundle", small_model(), THRESHOLDS, {"version": "a"}, "")
    assert contents(tmp_path) == {"file": b"mine"}


@pytest.mark.parametrize("broken", ["write_bytes", "write_text", "rename"])
@pytest.mark.parametrize("earlier", [False, True], ids=["new", "earlier"])
def test_an_error_while_writing_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str, earlier: bool
) -> None:
    target = tmp_path / "bundle"
    if earlier:
        save_bundle(target, small_model(), THRESHOLDS, {"version": "first"}, "# First\n")
    before = contents(tmp_path)

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    for name in (broken, "replace") if broken == "rename" else (broken,):
        monkeypatch.setattr(Path, name, fail)
    if broken == "rename":
        for name in ("rename", "replace"):
            monkeypatch.setattr(os, name, fail)
    with pytest.raises(UsageError, match="No space left on device"):
        save_bundle(target, small_model(), THRESHOLDS, {"version": "second"}, "# Second\n")
    monkeypatch.undo()
    assert contents(tmp_path) == before
    assert [item.name for item in tmp_path.iterdir()] == (["bundle"] if earlier else [])


# ---------------------------------------------------------------------------------------- no bundle, no manifest


def refused(folder: Path, kind: type[BundleError] = BundleError) -> str:
    with pytest.raises(kind) as caught:
        load_bundle(folder)
    return str(caught.value)


def test_a_folder_that_is_no_bundle(tmp_path: Path) -> None:
    assert "is not a model bundle: it has no manifest.json" in refused(tmp_path, BundleFormatError)
    assert "is not a model bundle" in refused(tmp_path / "nowhere", BundleFormatError)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe{}", b"not json", b"\x00" * 50])
def test_a_manifest_that_is_not_json(folder: Path, content: bytes) -> None:
    (folder / "manifest.json").write_bytes(content)
    assert "manifest.json is not valid JSON" in refused(folder, BundleFormatError)


def test_a_manifest_that_is_nested_beyond_measure(folder: Path) -> None:
    (folder / "manifest.json").write_bytes(b"[" * 200_000)
    refused(folder, BundleFormatError)


def test_a_manifest_that_is_too_big(folder: Path) -> None:
    rewrite_manifest(folder, lambda manifest: manifest.update(filler="x" * (1 << 20)))
    assert "larger than a manifest can be" in refused(folder, BundleFormatError)


@pytest.mark.parametrize("found", ["peerdrift.bundle/3", "peerdrift.bundle/1", 1, None, ["peerdrift.bundle/2"]])
def test_another_format_number_says_what_to_do(folder: Path, found: object) -> None:
    rewrite_manifest(folder, lambda manifest: manifest.update(format=found))
    message = refused(folder, BundleFormatError)
    assert f"says format {found!r}; this version reads {FORMAT!r}" in message
    assert "Update peerdrift-nlp for a newer bundle; train again for an older one." in message


def test_a_bundle_of_an_older_format_can_be_replaced(folder: Path) -> None:
    rewrite_manifest(folder, lambda manifest: manifest.update(format="peerdrift.bundle/1"))
    check_replaceable(folder)
    rewrite_manifest(folder, lambda manifest: manifest.update(format="another.bundle/1"))
    with pytest.raises(UsageError, match="name a new folder"):
        check_replaceable(folder)


@pytest.mark.parametrize("content", ["[]", "3", '"a"', "null"])
def test_a_manifest_that_is_no_object(folder: Path, content: str) -> None:
    (folder / "manifest.json").write_text(content)
    assert "says format None" in refused(folder, BundleFormatError)


# ---------------------------------------------------------------------------------------- damage


@pytest.mark.parametrize("name", MEMBERS)
def test_a_missing_member(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert f"{name} is missing" in refused(folder, BundleIntegrityError)


@pytest.mark.parametrize("name", MEMBERS)
def test_a_member_that_is_a_link(folder: Path, tmp_path: Path, name: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    (folder / name).rename(elsewhere)
    (folder / name).symlink_to(elsewhere)
    assert f"{name} is missing" in refused(folder, BundleIntegrityError)


@pytest.mark.parametrize("name", MEMBERS)
def test_a_member_that_is_a_folder(folder: Path, name: str) -> None:
    (folder / name).unlink()
    (folder / name).mkdir()
    assert f"{name} is missing" in refused(folder, BundleIntegrityError)


@pytest.mark.parametrize("name", MEMBERS)
def test_one_changed_byte(folder: Path, name: str) -> None:
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(bytes(data))
    assert f"{name} does not have the stated SHA-256; it was changed or damaged" in refused(
        folder, BundleIntegrityError
    )


@pytest.mark.parametrize("name", MEMBERS)
@pytest.mark.parametrize("change", ["truncated", "longer", "empty"])
def test_another_size(folder: Path, name: str, change: str) -> None:
    data = (folder / name).read_bytes()
    (folder / name).write_bytes({"truncated": data[:-1], "longer": data + b"\n", "empty": b""}[change])
    assert f"{name} has not the size that the manifest states; it was changed" in refused(folder, BundleIntegrityError)


def renamed(members: Manifest) -> None:
    members["model.pkl"] = members.pop("weights.npz")


def with_outsider(members: Manifest) -> None:
    members["../outside.json"] = members["vocabulary.json"]


@pytest.mark.parametrize(
    "change",
    [
        lambda manifest: manifest["members"].pop("weights.npz"),
        lambda manifest: manifest["members"].update({"model.pkl": {"bytes": 1, "sha256": ""}}),
        lambda manifest: renamed(manifest["members"]),
        lambda manifest: with_outsider(manifest["members"]),
        lambda manifest: manifest.pop("members"),
        lambda manifest: manifest.update(members=list(MEMBERS)),
        lambda manifest: manifest.update(members={}),
    ],
    ids=["one less", "one more", "renamed", "outsider", "no list", "a list of names", "none"],
)
def test_a_manifest_that_lists_other_members(folder: Path, change: Callable[[Manifest], object]) -> None:
    rewrite_manifest(folder, change)
    assert f"the manifest must list exactly {', '.join(MEMBERS)}" in refused(folder, BundleIntegrityError)


@pytest.mark.parametrize("entry", ["abc", None, 3, [], {}, {"bytes": "many"}, {"sha256": ""}])
def test_a_member_that_is_described_wrongly(folder: Path, entry: object) -> None:
    rewrite_manifest(folder, lambda manifest: manifest["members"].update({"weights.npz": entry}))
    assert "weights.npz" in refused(folder, BundleIntegrityError)


# ---------------------------------------------------------------------------------------- forgery: the hashes are right


class Plant:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path(self.path),)


@pytest.mark.parametrize("shape", ["member", "extra", "whole", "pickle"])
def test_a_pickle_in_the_weights_is_never_run(folder: Path, tmp_path: Path, shape: str) -> None:
    sprung = tmp_path / "sprung"
    plant = np.array([Plant(sprung)] * len(TERMS), dtype=object)
    if shape == "member":
        replace_arrays(folder, idf=plant)
    elif shape == "extra":
        replace_arrays(folder, extra=plant)
    elif shape == "whole":
        buffer = io.BytesIO()
        np.save(buffer, plant, allow_pickle=True)
        replace_member(folder, "weights.npz", buffer.getvalue())
    else:
        replace_member(folder, "weights.npz", pickle.dumps(plant))
    try:
        bundle: Bundle | None = load_bundle(folder)
    except BundleIntegrityError:
        bundle = None
    assert not sprung.exists()
    assert bundle is None or shape == "extra"
    pickle.loads(pickle.dumps(plant[0]))
    assert sprung.exists(), "the plant must be a live one, or this test tests nothing"


def in_f64(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float64)


def with_first(value: float) -> Callable[[np.ndarray], np.ndarray]:
    def change(array: np.ndarray) -> np.ndarray:
        changed = array.copy()
        changed.flat[0] = value
        return changed

    return change


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize(
    "change",
    [
        in_f64,
        lambda array: array.astype(np.int32),
        lambda array: array.astype(np.complex64),
        lambda array: array.astype("U8"),
        lambda array: array.astype(">f4"),
        lambda array: array[:-1],
        lambda array: array[None],
        lambda array: array.T if array.ndim == 2 else array[:, None],
        lambda array: array[:0],
        lambda array: np.float32(1),
        with_first(np.nan),
        with_first(np.inf),
        with_first(-np.inf),
    ],
    ids="f64 i32 c64 text big-endian shorter deeper turned empty scalar nan inf -inf".split(),
)
def test_an_array_of_another_kind(folder: Path, name: str, change: Callable[[np.ndarray], np.ndarray]) -> None:
    replace_arrays(folder, **{name: change(getattr(small_model(), name))})
    assert f"{name} must be finite float32 of shape" in refused(folder, BundleIntegrityError)


def test_swapped_arrays(folder: Path) -> None:
    model = small_model()
    replace_arrays(folder, idf=model.intercept, intercept=model.idf)
    assert "must be finite float32 of shape" in refused(folder, BundleIntegrityError)


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_that_is_not_there(folder: Path, name: str) -> None:
    replace_member(
        folder, "weights.npz", npz({other: getattr(small_model(), other) for other in ARRAYS if other != name})
    )
    assert "cannot be read" in refused(folder, BundleIntegrityError)


def damaged_zip() -> bytes:
    data = bytearray(npz({name: getattr(small_model(), name) for name in ARRAYS}))
    data[60:90] = bytes(30)
    return bytes(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a zip",
        b"PK\x03\x04 and then nothing",
        npz({name: getattr(small_model(), name) for name in ARRAYS})[:-40],
        damaged_zip(),
        b"\x93NUMPY",
    ],
    ids=["empty", "text", "zip magic", "cut zip", "damaged zip", "npy magic"],
)
def test_weights_that_are_no_archive(folder: Path, data: bytes) -> None:
    replace_member(folder, "weights.npz", data)
    assert "weights" in refused(folder, BundleIntegrityError) or "cannot be read" in refused(
        folder, BundleIntegrityError
    )


def test_weights_that_are_one_bare_array(folder: Path) -> None:
    buffer = io.BytesIO()
    np.save(buffer, small_model().coef)
    replace_member(folder, "weights.npz", buffer.getvalue())
    assert "cannot be read" in refused(folder, BundleIntegrityError)


def test_weights_that_unpack_to_far_too_much(folder: Path) -> None:
    replace_arrays(folder, idf=np.zeros(20_000_000, dtype=np.float32))
    assert (folder / "weights.npz").stat().st_size < 1_000_000
    tracemalloc.start()
    try:
        refused(folder, BundleIntegrityError)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20_000_000


@pytest.mark.parametrize(
    "vocabulary",
    [
        [*TERMS[:-1], TERMS[0]],
        [*TERMS[:-1], 3],
        [*TERMS[:-1], None],
        [*TERMS[:-1], ["her"]],
        list(TERMS[:-1]),
        [*TERMS, "one more"],
        3,
        None,
        "drove",
        dict.fromkeys(TERMS, 1),
    ],
    ids="twice number null list shorter longer a-number nothing a-string an-object".split(),
)
def test_another_vocabulary(folder: Path, vocabulary: object) -> None:
    replace_member(folder, "vocabulary.json", json.dumps(vocabulary).encode())
    refused(folder, BundleIntegrityError)


@pytest.mark.parametrize("data", [b"", b"[", b"\xff\xff", b"[" * 200_000], ids=["empty", "cut", "no utf-8", "nested"])
def test_a_vocabulary_that_is_no_json(folder: Path, data: bytes) -> None:
    replace_member(folder, "vocabulary.json", data)
    refused(folder, BundleIntegrityError)


NAMES = list(outputs())


@pytest.mark.parametrize(
    "names",
    [
        [NAMES[1], NAMES[0], *NAMES[2:]],
        [*NAMES[6:], *NAMES[:6]],
        ["unknown", *NAMES[1:]],
        [*NAMES[:-1], 3],
        [*NAMES[:-1], NAMES[0]],
        [*NAMES, "clinical.more"],
        [*NAMES[:-1], "clinical.unknown"],
        [*NAMES[:6], NAMES[-1], *NAMES[6:-1]],
        NAMES[:6],
        [],
        "labels",
        None,
        3,
    ],
    ids=(
        "swapped last-first unknown number repeated more unknown-indicator other-order "
        "labels-only none text null a-number"
    ).split(),
)
def test_other_outputs(folder: Path, names: Any) -> None:
    width = len(names) if isinstance(names, list) else len(NAMES)
    ones = np.ones((len(TERMS), width), dtype=np.float32)
    replace_arrays(folder, coef=ones, intercept=ones[0], calibration=np.ones((width, 2), dtype=np.float32))
    rewrite_manifest(folder, lambda manifest: manifest.update(outputs=names))
    refused(folder, BundleIntegrityError)


@pytest.mark.parametrize("value", [1.01, -0.01, float("nan"), float("inf"), "0.5", None, [0.5], {}, True])
def test_a_threshold_that_is_no_probability(folder: Path, value: object) -> None:
    rewrite_manifest(folder, lambda manifest: manifest["thresholds"]["balanced"].update(religious=value))
    refused(folder, BundleIntegrityError)


@pytest.mark.parametrize(
    "change",
    [
        lambda found: found["balanced"].pop("religious"),
        lambda found: found["balanced"].update(unknown=found["balanced"]["religious"]),
        lambda found: found.pop("thorough"),
        lambda found: found.update(careful=[]),
        lambda found: found.update(careful=None),
        lambda found: found.clear(),
    ],
    ids="label-missing label-more point-missing list null none".split(),
)
def test_other_thresholds(folder: Path, change: Callable[[Manifest], object]) -> None:
    rewrite_manifest(folder, lambda manifest: change(manifest["thresholds"]))
    refused(folder, BundleIntegrityError)


@pytest.mark.parametrize("value", [None, [], "0.5"])
def test_thresholds_that_are_no_table(folder: Path, value: object) -> None:
    rewrite_manifest(folder, lambda manifest: manifest.update(thresholds=value))
    refused(folder, BundleIntegrityError)


@pytest.mark.parametrize("key", ["version", "labels", "outputs", "thresholds"])
def test_a_manifest_without_an_entry_that_is_needed(folder: Path, key: str) -> None:
    rewrite_manifest(folder, lambda manifest: manifest.pop(key))
    with pytest.raises(PeerdriftError):
        Scanner(model=folder)


def test_labels_that_contradict_the_outputs(folder: Path) -> None:
    rewrite_manifest(folder, lambda manifest: manifest.update(labels=list(reversed(LABELS))))
    refused(folder, BundleIntegrityError)


# ---------------------------------------------------------------------------------------- the model itself


def test_an_empty_row_gets_zeros_and_an_unknown_one_the_base_rate() -> None:
    model = small_model()
    empty, unknown = model.probabilities([Row((), ()), Row(("xyzzy",), ())])
    assert not empty.any()
    base = 1 / (1 + np.exp(-(model.intercept * model.calibration[:, 0] + model.calibration[:, 1])))
    assert np.allclose(unknown, base, atol=1e-6)
    assert model.probabilities([]).shape == (0, len(model.outputs))


def test_scores_far_out_give_sure_probabilities_without_a_warning() -> None:
    model = small_model()
    wide = LinearModel(
        model.outputs, model.terms, model.idf, model.coef, model.intercept - 500, np.ones_like(model.calibration)
    )
    assert not wide.probabilities([Row(("drove",), ())]).any()


def test_contributions_add_up_to_the_log_odds() -> None:
    model = small_model()
    row = Row(("drove", "her"), ("stands=lax_boundaries",))
    places, parts = model.contributions(row.features())
    assert set(places) == {"drove", "her", "drove her", "stands=lax_boundaries"}
    log_odds = parts.sum(axis=0) + model.intercept * model.calibration[:, 0] + model.calibration[:, 1]
    assert np.allclose(1 / (1 + np.exp(-log_odds)), model.probabilities([row])[0], atol=1e-5)


def test_one_order_of_features_is_as_good_as_another() -> None:
    model = small_model()
    others = ("stands=lax_boundaries", "rule=boundary.transport.drove")
    one, other = model.probabilities([Row(("her",), others), Row(("her",), others[::-1])])
    assert np.array_equal(one, other)
