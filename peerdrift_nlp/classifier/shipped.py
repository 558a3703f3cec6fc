"""Which model a name means: a shipped one, the adopted one, or a bundle of one's own."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from peerdrift_nlp.classifier.adoption import ADOPTED, load_adopted
from peerdrift_nlp.classifier.bundle import Bundle, load_bundle

SHIPPED = ("default", "fast")


def shipped_model(name: str) -> Path:
    """The folder of a shipped model: in the wheel, or in a checkout's ``models``."""
    package = Path(str(resources.files("peerdrift_nlp")))
    packaged = package / "models" / name
    return packaged if packaged.is_dir() else package.parent / "models" / name


def load_model(model: str | Path = "default") -> tuple[Path, Bundle]:
    """The folder of a model and its bundle, audited before anything is built from it.

    Args:
        model: a bundle folder, "default", "fast" or "adopted".

    Raises:
        UsageError: no model has been adopted.
        BundleError: it is missing, of another format, or changed; the message says what to do.
    """
    if model == ADOPTED:
        return load_adopted()
    folder = shipped_model(str(model)) if model in SHIPPED else Path(model)
    return folder, load_bundle(folder)
