"""Which model an agency has adopted: a log in a folder of its user, to which lines are only ever added.

The folder is ``PEERDRIFT_HOME`` where that is set, else the user's data folder (``platformdirs``). A line of
``adopted.jsonl`` adopts a bundle, ``{"adopt", "version", "sha256", "parent", "date"}``, or goes back by one,
``{"back", "date"}``. Bundles stay where they are; one that has changed since it was adopted is refused.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

from peerdrift_nlp.classifier.bundle import Bundle, load_bundle
from peerdrift_nlp.errors import BundleIntegrityError, UsageError

ADOPTED = "adopted"
"""The name that a model option understands as "the one that was adopted"."""

_LOG = "adopted.jsonl"


@dataclass(frozen=True)
class Adoption:
    """One adopted bundle.

    Attributes:
        folder: where it lies, absolute.
        version: its name and version.
        sha256: of its manifest, which holds the hashes of its members.
        parent: version and hash of the model in use before, "" where that was the shipped one.
        date: of the adoption, ISO.
    """

    folder: Path
    version: str
    sha256: str
    parent: str
    date: str


def home() -> Path:
    """The folder of the log; it need not exist."""
    named = os.environ.get("PEERDRIFT_HOME")
    return Path(named) if named else user_data_path("peerdrift", appauthor=False)


def adopted() -> Adoption | None:
    """The model in use; None where it is the shipped one.

    Raises:
        UsageError: the log cannot be read.
    """
    in_use = _replayed()
    return in_use[-1] if in_use else None


def adopt(folder: Path) -> Adoption:
    """Make a bundle the model in use, and record the one before it.

    Args:
        folder: a bundle; it is read in full, and stays where it is.

    Raises:
        BundleError: it will not do as a bundle; nothing changes.
        UsageError: it is in use already, or the log cannot be written.
    """
    bundle = load_bundle(folder)
    before = adopted()
    if before and before.sha256 == bundle.sha256 and before.folder == folder.resolve():
        raise UsageError(f"{folder} is the model in use already")
    parent = f"{before.version} {before.sha256[:12]}" if before else ""
    chosen = Adoption(folder.resolve(), bundle.version, bundle.sha256, parent, _today())
    _append(
        {"adopt": str(chosen.folder), **{key: getattr(chosen, key) for key in ("version", "sha256", "parent", "date")}}
    )
    return chosen


def go_back() -> Adoption | None:
    """Return to the model that was in use before; None where that is the shipped one.

    Raises:
        UsageError: the shipped model is in use, so there is nothing to go back from.
    """
    in_use = _replayed()
    if not in_use:
        raise UsageError("the shipped model is in use; there is none to go back from")
    _append({"back": in_use[-1].version, "date": _today()})
    return in_use[-2] if len(in_use) > 1 else None


def load_adopted() -> tuple[Path, Bundle]:
    """The folder and the bundle of the model in use.

    Raises:
        UsageError: none was adopted.
        BundleError: it is gone, or is not what was adopted.
    """
    chosen = adopted()
    if chosen is None:
        raise UsageError("no model has been adopted; `peerdrift adopt DIR` does, and 'default' is the shipped one")
    bundle = load_bundle(chosen.folder)
    if bundle.sha256 != chosen.sha256:
        raise BundleIntegrityError(
            f"{chosen.folder} was changed since it was adopted as {chosen.version} {chosen.sha256[:12]}. "
            "Run `peerdrift adopt` on it anew, or `peerdrift adopt --back`"
        )
    return chosen.folder, bundle


def _replayed() -> list[Adoption]:
    """The adoptions that were not gone back on, the one in use last."""
    path = home() / _LOG
    in_use: list[Adoption] = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read ({type(error).__name__}); mend or remove it") from None
    for number, line in enumerate(lines, 1):
        try:
            record = json.loads(line)
            if "back" in record:
                in_use.pop()
            else:
                in_use.append(_adoption(record))
        except (ValueError, TypeError, LookupError, RecursionError):
            raise UsageError(f"{path}, line {number}, is not what `peerdrift adopt` writes; remove the line") from None
    return in_use


def _adoption(record: dict[str, Any]) -> Adoption:
    texts = [record[key] for key in ("adopt", "version", "sha256", "parent", "date")]
    if not all(isinstance(text, str) for text in texts):
        raise TypeError
    folder, *others = texts
    return Adoption(Path(folder), *others)


def _append(record: dict[str, str]) -> None:
    path = home() / _LOG
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # One write of one line: an interruption leaves all of it or nothing.
        with path.open("ab") as file:
            file.write(json.dumps(record).encode() + b"\n")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}; set PEERDRIFT_HOME to a folder of yours") from None


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
