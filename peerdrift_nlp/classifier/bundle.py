"""Model bundles: a folder of numbers and strings that is audited before anything is built from it.

========================  =========================================================================
``manifest.json``         format, labels, versions, thresholds, metrics, parent, size and SHA-256 of
                          every member
``vocabulary.json``       the terms, in column order
``weights.npz``           ``idf``, ``coef``, ``intercept``, ``calibration`` (``allow_pickle=False``)
``MODEL_CARD.md``         what the model is, how it was made, what it reaches, what it is not for
========================  =========================================================================

Loading runs no code from the bundle. The hashes find damage, not forgery: take bundles only from
people you trust.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from peerdrift_nlp.classifier.linear import LinearModel
from peerdrift_nlp.errors import BundleFormatError, BundleIntegrityError, UsageError
from peerdrift_nlp.taxonomy import LABELS

FORMAT = "peerdrift.bundle/1"
OPERATING_POINTS = ("careful", "balanced", "thorough")

_MEMBERS = ("vocabulary.json", "weights.npz", "MODEL_CARD.md")
_ARRAYS = ("idf", "coef", "intercept", "calibration")
_MANIFEST_LIMIT = 1 << 20
_MEMBER_LIMIT = 200 << 20


@dataclass(frozen=True)
class Thresholds:
    """From which probability a label is flagged: by the model alone, and where a rule agrees."""

    alone: float
    with_rule: float


@dataclass(frozen=True)
class Bundle:
    """A loaded bundle.

    ``thresholds[operating point][label]`` are probabilities; ``manifest`` is the whole manifest.
    """

    model: LinearModel
    thresholds: Mapping[str, Mapping[str, Thresholds]]
    manifest: Mapping[str, Any]

    @property
    def version(self) -> str:
        """Name and version, e.g. ``fast-2026.11``."""
        return str(self.manifest["version"])


def save_bundle(
    folder: Path,
    model: LinearModel,
    thresholds: Mapping[str, Mapping[str, Thresholds]],
    details: Mapping[str, Any],
    card: str,
) -> None:
    """Write a bundle as a whole or not at all.

    Args:
        folder: must not exist, or be an earlier bundle.
        model: the fitted model.
        thresholds: by operating point and label.
        details: further manifest entries: ``version``, ``packs``, ``metrics``, ``training``, ``parent`` ...
        card: the model card, Markdown.

    Raises:
        UsageError: the folder holds something else, or cannot be written.
    """
    if folder.exists() and not (folder / "manifest.json").is_file() and any(folder.iterdir()):
        raise UsageError(f"{folder} holds something that is not a model bundle; name a new folder")
    members = {
        "vocabulary.json": json.dumps(model.terms, ensure_ascii=True, indent=0).encode(),
        "weights.npz": _npz(model),
        "MODEL_CARD.md": card.encode(),
    }
    manifest = {
        "format": FORMAT,
        **details,
        "labels": list(LABELS),
        "outputs": list(model.outputs),
        "thresholds": {
            point: {label: {"alone": t.alone, "with_rule": t.with_rule} for label, t in by_label.items()}
            for point, by_label in thresholds.items()
        },
        "members": {
            name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in members.items()
        },
    }
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        for name, data in members.items():
            (draft / name).write_bytes(data)
        (draft / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
        draft.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        draft.rename(folder)
    except OSError as error:
        raise UsageError(f"cannot write the bundle to {folder}: {error.strerror}") from error


def load_bundle(folder: Path) -> Bundle:
    """Audit a bundle folder, then build the model from its numbers and strings.

    Raises:
        BundleFormatError: not a bundle, or of another format; the message says what to do.
        BundleIntegrityError: members missing, changed, too large or of the wrong shape.
    """
    manifest = _read_manifest(folder)
    members = {name: _read_member(folder, name, manifest) for name in _MEMBERS}
    try:
        terms = tuple(json.loads(members["vocabulary.json"]))
        with np.load(io.BytesIO(members["weights.npz"]), allow_pickle=False) as arrays:
            loaded = {name: arrays[name] for name in _ARRAYS}
        outputs = tuple(manifest["outputs"])
        thresholds = {
            point: {label: Thresholds(**values) for label, values in manifest["thresholds"][point].items()}
            for point in OPERATING_POINTS
        }
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise BundleIntegrityError(f"{folder}: cannot be read ({type(error).__name__}); install it anew") from error
    _check_shapes(folder, terms, outputs, loaded)
    for point, by_label in thresholds.items():
        if set(by_label) != set(LABELS) or not all(
            0 <= value <= 1 for t in by_label.values() for value in (t.alone, t.with_rule)
        ):
            raise BundleIntegrityError(f"{folder}: thresholds of {point!r} must give a probability for each label")
    return Bundle(LinearModel(outputs=outputs, terms=terms, **loaded), thresholds, manifest)


def _npz(model: LinearModel) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{name: getattr(model, name) for name in _ARRAYS})
    return buffer.getvalue()


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / "manifest.json"
    if not path.is_file():
        raise BundleFormatError(f"{folder} is not a model bundle: it has no manifest.json")
    if path.stat().st_size > _MANIFEST_LIMIT:
        raise BundleFormatError(f"{path} is larger than a manifest can be")
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BundleFormatError(f"{path} is not valid JSON") from error
    found = manifest.get("format") if isinstance(manifest, dict) else None
    if found != FORMAT:
        raise BundleFormatError(
            f"{path} says format {found!r}; this version reads {FORMAT!r}. "
            "Update peerdrift-nlp for a newer bundle; train again for an older one."
        )
    return dict(manifest)


def _read_member(folder: Path, name: str, manifest: Mapping[str, Any]) -> bytes:
    listed = manifest.get("members", {})
    if not isinstance(listed, dict) or set(listed) != set(_MEMBERS):
        raise BundleIntegrityError(f"{folder}: the manifest must list exactly {', '.join(_MEMBERS)}")
    path = folder / name
    if path.is_symlink() or not path.is_file():
        raise BundleIntegrityError(f"{folder}: {name} is missing")
    if path.stat().st_size != listed[name].get("bytes") or path.stat().st_size > _MEMBER_LIMIT:
        raise BundleIntegrityError(f"{folder}: {name} has not the size that the manifest states; it was changed")
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != listed[name].get("sha256"):
        raise BundleIntegrityError(f"{folder}: {name} does not have the stated SHA-256; it was changed or damaged")
    return data


def _check_shapes(folder: Path, terms: tuple[Any, ...], outputs: tuple[Any, ...], arrays: Mapping[str, Any]) -> None:
    if not all(isinstance(name, str) for name in (*terms, *outputs)) or len(set(terms)) != len(terms):
        raise BundleIntegrityError(f"{folder}: the vocabulary must be distinct strings")
    if outputs[: len(LABELS)] != LABELS:
        raise BundleIntegrityError(f"{folder}: its labels are not the codebook's")
    expected = {
        "idf": (len(terms),),
        "coef": (len(terms), len(outputs)),
        "intercept": (len(outputs),),
        "calibration": (len(outputs), 2),
    }
    for name, shape in expected.items():
        array = arrays[name]
        if array.dtype != np.float32 or array.shape != shape or not np.isfinite(array).all():
            raise BundleIntegrityError(f"{folder}: {name} must be finite float32 of shape {shape}")
