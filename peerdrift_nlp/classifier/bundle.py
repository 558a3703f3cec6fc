"""Model bundles: a folder of numbers and strings that is audited before anything is built from it.

========================  =========================================================================
``manifest.json``         format, labels, versions, thresholds, metrics, parent, size and SHA-256 of
                          every member
``vocabulary.json``       the terms, in column order
``weights.npz``           ``idf``, ``coef``, ``intercept``, ``calibration`` (``allow_pickle=False``)
``MODEL_CARD.md``         what the model is, how it was made, what it reaches, what it is not for
``MODEL_CARD.html``       the card as a page, for readers; not needed to load the model
``encoder.onnx``          of a cascade: the encoder's graph and weights
``tokenizer.json``        of a cascade: the encoder's tokenizer
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
import zipfile
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard, TypeVar

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from peerdrift_nlp.classifier.cascade import ENCODER, TOKENIZER, Cascade, EncoderFiles, SentenceEncoder
from peerdrift_nlp.classifier.linear import Floats, LinearModel
from peerdrift_nlp.classifier.whole_note import WholeNote
from peerdrift_nlp.errors import BundleFormatError, BundleIntegrityError, UsageError
from peerdrift_nlp.taxonomy import LABELS, ROLE_CONSISTENT, taxonomy

FORMAT = "peerdrift.bundle/2"
OPERATING_POINTS = ("careful", "balanced", "thorough")

_FORMATS = "peerdrift.bundle/"
_MEMBERS = ("vocabulary.json", "weights.npz", "MODEL_CARD.md")
_OF_A_CASCADE = (ENCODER, TOKENIZER)
_MANIFEST = "manifest.json"
_PAGE = "MODEL_CARD.html"
_ARRAYS = ("idf", "coef", "intercept", "calibration")
_MANIFEST_LIMIT = 1 << 20
_MEMBER_LIMIT = 200 << 20

_T = TypeVar("_T")


@dataclass(frozen=True)
class Bundle:
    """A loaded bundle.

    ``thresholds[operating point][label]`` are probabilities; ``manifest`` is the whole manifest;
    ``cascade`` gives the open sentences a second reading, None where there is no encoder; ``whole_note`` weighs
    each sentence with the others of its note, None where the manifest says nothing of it.
    """

    model: LinearModel
    thresholds: Mapping[str, Mapping[str, float]]
    manifest: Mapping[str, Any]
    cascade: Cascade | None = None
    whole_note: WholeNote | None = None

    @property
    def sha256(self) -> str:
        """Hash of the manifest, which holds those of all members."""
        return hashlib.sha256(json.dumps(self.manifest, sort_keys=True).encode()).hexdigest()

    @property
    def version(self) -> str:
        """Name and version, e.g. ``fast-2026.11``."""
        return str(self.manifest["version"])


class _Fault(Exception):
    """What is wrong with a bundle, before its folder and the advice are added."""


def outputs() -> tuple[str, ...]:
    """The columns of a model: labels, indicators, practices."""
    codebook = taxonomy()
    practices = (f"{ROLE_CONSISTENT}.{practice}" for practice in codebook.practices)
    return (*LABELS, *codebook.indicators, *practices)


def save_bundle(
    folder: Path,
    model: LinearModel,
    thresholds: Mapping[str, Mapping[str, float]],
    details: Mapping[str, Any],
    card: str,
    encoder: EncoderFiles | None = None,
    page: str = "",
) -> None:
    """Write a bundle as a whole or not at all.

    Args:
        folder: must not exist, be empty, or be an earlier bundle, which is kept until the new one is complete.
        model: the fitted model.
        thresholds: by operating point and label.
        details: further manifest entries: ``version``, ``packs``, ``metrics``, ``training``, ``parent`` ...;
            ``whole_note``, see ``WholeNote``; with an encoder also ``mixing``, see ``Cascade``.
        card: the model card, Markdown.
        encoder: of a cascade.
        page: the model card, HTML; "" for none.

    Raises:
        UsageError: the folder holds something else, or cannot be written.
    """
    members = {
        "vocabulary.json": json.dumps(model.terms, ensure_ascii=True, indent=0).encode(),
        "weights.npz": _npz(model),
        "MODEL_CARD.md": card.encode(),
    }
    if encoder:
        members |= {ENCODER: encoder.graph, TOKENIZER: encoder.tokenizer}
    manifest = {
        "format": FORMAT,
        **details,
        "labels": list(LABELS),
        "outputs": list(model.outputs),
        "thresholds": {point: dict(by_label) for point, by_label in thresholds.items()},
        "members": {
            name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in members.items()
        },
    }
    try:
        check_replaceable(folder)
        pages = {_PAGE: page.encode()} if page else {}
        _write(folder.resolve(), members | pages, json.dumps(manifest, indent=2) + "\n")
    except OSError as error:
        raise UsageError(f"cannot write the bundle to {folder}: {error.strerror or error}") from error


def load_bundle(folder: Path) -> Bundle:
    """Audit a bundle folder, then build the model from its numbers and strings.

    Raises:
        BundleFormatError: not a bundle, or of another format; the message says what to do.
        BundleIntegrityError: members missing, changed, too large or of the wrong shape.
    """
    manifest = _read_manifest(folder)
    try:
        thresholds = _audit(manifest)
        members = {name: _read_member(folder, name, stated) for name, stated in manifest["members"].items()}
        terms = _parse("vocabulary.json", _terms, members["vocabulary.json"])
        arrays = _parse("weights.npz", lambda data: _arrays(data, len(terms)), members["weights.npz"])
        cascade = _cascade(manifest, members) if ENCODER in members else None
        whole_note = _whole_note(manifest) if "whole_note" in manifest else None
    except (_Fault, OSError) as fault:
        raise BundleIntegrityError(f"{folder}: {fault}; install the model anew, or train it again") from fault
    return Bundle(LinearModel(outputs=outputs(), terms=terms, **arrays), thresholds, manifest, cascade, whole_note)


def check_replaceable(folder: Path) -> None:
    """Refuse a folder that holds anything but a bundle, because ``save_bundle`` would delete it.

    Raises:
        UsageError: with the fix.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    try:
        known = (*_MEMBERS, *_OF_A_CASCADE, _MANIFEST, _PAGE)
        of_any_version = str(_read_any_manifest(folder).get("format")).startswith(_FORMATS)
        ours = of_any_version and all(item.is_file() and item.name in known for item in folder.iterdir())
    except BundleFormatError:
        ours = False
    if not ours:
        raise UsageError(f"{folder} holds something that is not a model bundle; name a new folder")


def _write(folder: Path, members: Mapping[str, bytes], manifest: str) -> None:
    """Write the files beside the folder; only then put them in its place."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    earlier = draft.with_name(f"{draft.name}-earlier")
    try:
        for name, data in members.items():
            (draft / name).write_bytes(data)
        (draft / _MANIFEST).write_text(manifest, encoding="utf-8")
        draft.chmod(0o755)
        if folder.exists():
            folder.rename(earlier)
        try:
            draft.rename(folder)
        except BaseException:
            if earlier.exists():
                earlier.rename(folder)
            raise
        shutil.rmtree(earlier, ignore_errors=True)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _npz(model: LinearModel) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{name: getattr(model, name) for name in _ARRAYS})
    return buffer.getvalue()


def _read_manifest(folder: Path) -> dict[str, Any]:
    manifest = _read_any_manifest(folder)
    if manifest.get("format") != FORMAT:
        raise BundleFormatError(
            f"{folder / _MANIFEST} says format {manifest.get('format')!r}; this version reads {FORMAT!r}. "
            "Update peerdrift-nlp for a newer bundle; train again for an older one. "
            "If you adopted it, `peerdrift adopt --back` goes back."
        )
    return manifest


def _read_any_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a bundle of whatever version."""
    path = folder / _MANIFEST
    if not path.is_file():
        raise BundleFormatError(f"{folder} is not a model bundle: it has no {_MANIFEST}")
    if path.stat().st_size > _MANIFEST_LIMIT:
        raise BundleFormatError(f"{path} is larger than a manifest can be; name the folder of a model bundle")
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BundleFormatError(f"{path} is not valid JSON; install the model anew, or train it again") from error
    return manifest if isinstance(manifest, dict) else {}


def _audit(manifest: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Check the entries that are used; the thresholds among them."""
    if not isinstance(manifest.get("version"), str):
        raise _Fault(f"{_MANIFEST} must state a version")
    if manifest.get("labels") != list(LABELS) or manifest.get("outputs") != list(outputs()):
        raise _Fault(f"its labels and outputs in {_MANIFEST} are not the codebook's")
    members = manifest.get("members")
    if not (_is_table(members, _MEMBERS) or _is_table(members, (*_MEMBERS, *_OF_A_CASCADE))):
        raise _Fault(
            f"the manifest must list exactly {', '.join(_MEMBERS)}, and {' and '.join(_OF_A_CASCADE)} or neither"
        )
    stated = manifest.get("thresholds")
    if not _is_table(stated, OPERATING_POINTS):
        raise _Fault(f"the thresholds in {_MANIFEST} must be those of {', '.join(OPERATING_POINTS)}")
    for point, by_label in stated.items():
        if not (_is_table(by_label, LABELS) and all(map(_is_probability, by_label.values()))):
            raise _Fault(f"the thresholds of {point!r} in {_MANIFEST} must give one probability for each label")
    return {point: dict(by_label) for point, by_label in stated.items()}


def _is_table(value: object, keys: Collection[str]) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict) and value.keys() == set(keys)


def _is_probability(value: object) -> bool:
    return isinstance(value, int | float) and type(value) is not bool and 0 <= value <= 1


def _cascade(manifest: Mapping[str, Any], members: Mapping[str, bytes]) -> Cascade:
    """The encoder, tried on one word, and its mixing."""
    encoder = _parse(ENCODER, lambda data: SentenceEncoder(EncoderFiles(data, members[TOKENIZER])), members[ENCODER])
    tried = _parse(ENCODER, lambda _: encoder("word"), members[ENCODER])
    if tried.shape != (len(outputs()),) or not np.isfinite(tried).all():
        raise _Fault(f"{ENCODER} must give one finite number for each output")
    return Cascade(encoder, _numbers(manifest, "mixing", 2))


def _whole_note(manifest: Mapping[str, Any]) -> WholeNote:
    weights = _numbers(manifest, "whole_note", 4)
    if not (weights[:, 0] > 0).all():
        raise _Fault(f"whole_note in {_MANIFEST} must begin with a share above 0 for each label")
    return WholeNote(weights)


def _numbers(manifest: Mapping[str, Any], name: str, count: int) -> NDArray[np.float64]:
    """A table of the manifest: so many finite numbers for each label."""
    place = f"{name} in {_MANIFEST}"
    numbers = _parse(place, lambda _: np.array(manifest.get(name), dtype=np.float64), b"")
    if numbers.shape != (len(LABELS), count) or not np.isfinite(numbers).all():
        raise _Fault(f"{place} must give {count} numbers for each label")
    return numbers


def _read_member(folder: Path, name: str, stated: object) -> bytes:
    path = folder / name
    if path.is_symlink() or not path.is_file():
        raise _Fault(f"{name} is missing")
    if not _is_table(stated, ("bytes", "sha256")):
        raise _Fault(f"{name} must have its bytes and sha256 in {_MANIFEST}")
    if path.stat().st_size != stated["bytes"] or path.stat().st_size > _MEMBER_LIMIT:
        raise _Fault(f"{name} has not the size that the manifest states; it was changed")
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != stated["sha256"]:
        raise _Fault(f"{name} does not have the stated SHA-256; it was changed or damaged")
    return data


def _parse(name: str, parse: Callable[[bytes], _T], data: bytes) -> _T:
    """What a parser makes of a member; forged bytes can make it raise nearly anything."""
    try:
        return parse(data)
    except _Fault:
        raise
    except Exception as error:
        raise _Fault(f"{name} cannot be read ({type(error).__name__})") from error


def _terms(data: bytes) -> tuple[str, ...]:
    terms = json.loads(data)
    if not isinstance(terms, list) or not all(isinstance(term, str) for term in terms) or len(set(terms)) < len(terms):
        raise _Fault("vocabulary.json must be a list of distinct strings")
    return tuple(terms)


def _arrays(data: bytes, terms: int) -> dict[str, Floats]:
    columns = len(outputs())
    shapes = {"idf": (terms,), "coef": (terms, columns), "intercept": (columns,), "calibration": (columns, 2)}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: _array(archive, name, shapes[name]) for name in _ARRAYS}


def _array(archive: zipfile.ZipFile, name: str, shape: tuple[int, ...]) -> Floats:
    """One array; its header is checked before any more of it is unpacked."""
    with archive.open(f"{name}.npy") as file:
        npy.read_magic(file)
        found, _, dtype = npy.read_array_header_1_0(file)
        if dtype == np.float32 and found == shape:
            file.seek(0)
            array: Floats = npy.read_array(file, allow_pickle=False)
            if np.isfinite(array).all():
                return array
    raise _Fault(f"{name} must be finite float32 of shape {shape} in weights.npz")
