"""The model in use, as the command line tells and changes it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from cli_runs import peerdrift

from peerdrift_nlp.classifier.shipped import shipped_model


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a bundle named ``ours`` and an export of one note."""
    shutil.copytree(shipped_model("fast"), tmp_path / "ours")
    path = tmp_path / "ours" / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), "version": "ours-1"}), encoding="utf-8")
    (tmp_path / "notes.csv").write_text("id,note\n1,I drove her to the bank.\n", encoding="utf-8")
    return tmp_path


def model_of(place: Path) -> str:
    return str(json.loads((place / "out" / "run.json").read_text(encoding="utf-8"))["engine"]["model"]).split()[0]


def test_scans_use_the_adopted_model_and_say_so(place: Path) -> None:
    assert peerdrift("adopt", folder=place).out == "The shipped model is in use.\n"
    run = peerdrift("adopt", "ours", folder=place)
    assert (run.code, run.err) == (0, "")
    assert run.out.startswith("ours-1 is in use (") and run.out.endswith("Before it: the shipped model.\n")
    scan = peerdrift("scan", "notes.csv", "--out", "out", folder=place)
    assert (scan.code, model_of(place)) == (0, "ours-1")
    assert "Model: ours-1, adopted " in scan.err and "--model default is the shipped one" in scan.err
    quiet = peerdrift("scan", "notes.csv", "--out", "out", "--quiet", folder=place)
    assert (quiet.code, quiet.err) == (0, "")
    shipped = peerdrift("scan", "notes.csv", "--out", "out", "--model", "default", folder=place)
    assert shipped.code == 0 and model_of(place) != "ours-1" and "Model:" not in shipped.err
    assert peerdrift("adopt", "--back", folder=place).out == "The shipped model is in use.\n"


def test_what_cannot_be_adopted_is_told(place: Path) -> None:
    for arguments, message in (
        (("notes.csv",), "notes.csv is not a model bundle"),
        (("--back",), "the shipped model is in use; there is none to go back from"),
        (("ours", "--back"), "name a bundle, or give --back, not both"),
    ):
        run = peerdrift("adopt", *arguments, folder=place)
        assert (run.code, run.out) == (2, "") and message in run.err


def test_a_changed_model_stops_a_scan(place: Path) -> None:
    assert peerdrift("adopt", "ours", folder=place).code == 0
    path = place / "ours" / "manifest.json"
    path.write_text(path.read_text(encoding="utf-8").replace("ours-1", "ours-2"), encoding="utf-8")
    run = peerdrift("scan", "notes.csv", "--out", "out", folder=place)
    assert run.code == 2 and "was changed since it was adopted" in run.err
    assert not (place / "out").exists()
