"""A model is adopted, replaced and given back; the log only grows, and nothing that changed is trusted."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path

import pytest

from peerdrift_nlp.classifier.adoption import adopt, adopted, go_back
from peerdrift_nlp.classifier.shipped import load_model, shipped_model
from peerdrift_nlp.errors import BundleFormatError, BundleIntegrityError, UsageError
from peerdrift_nlp.scanner import Scanner


@pytest.fixture
def bundles(tmp_path: Path) -> list[Path]:
    """Two bundles with versions of their own."""
    folders = []
    for name in ("one", "two"):
        folder = tmp_path / name
        shutil.copytree(shipped_model("fast"), folder)
        rename(folder, name)
        folders.append(folder)
    return folders


def rename(folder: Path, version: str) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), "version": version}), encoding="utf-8")


def log(home: Path) -> list[str]:
    return (home / "adopted.jsonl").read_text(encoding="utf-8").splitlines()


def test_without_adoption_the_shipped_model_is_in_use(home: Path) -> None:
    assert adopted() is None
    with pytest.raises(UsageError, match="the shipped model is in use; there is none to go back from"):
        go_back()
    with pytest.raises(UsageError, match="no model has been adopted; `peerdrift adopt DIR` does"):
        Scanner(model="adopted")
    assert list(home.iterdir()) == []


def test_there_and_back_again(bundles: list[Path], home: Path) -> None:
    one, two = bundles
    first = adopt(one)
    assert (first.version, first.parent, first.folder) == ("one", "", one)
    second = adopt(two)
    assert second.parent == f"one {first.sha256[:12]}"
    assert adopted() == second and load_model("adopted")[1].version == "two"
    assert go_back() == adopted() == first
    assert load_model("adopted")[1].version == "one"
    before = log(home)
    assert adopt(two).parent == second.parent
    assert log(home)[:3] == before
    assert go_back() == first and go_back() is None and adopted() is None
    assert len(log(home)) == 6
    assert load_model("default")[1].version == load_model(shipped_model("default"))[1].version


def test_the_default_of_the_library_stays_the_shipped_model(bundles: list[Path]) -> None:
    adopt(bundles[0])
    assert load_model()[0] == shipped_model("default")
    assert load_model("default")[0] == shipped_model("default")


def test_a_scanner_keeps_the_model_that_it_was_made_with(bundles: list[Path]) -> None:
    adopt(bundles[0])
    scanner = Scanner(model="adopted")
    adopt(bundles[1])
    assert pickle.loads(pickle.dumps(scanner)).bundle.version == "one"


def test_the_model_in_use_is_not_adopted_twice(bundles: list[Path], home: Path) -> None:
    adopt(bundles[0])
    with pytest.raises(UsageError, match="is the model in use already"):
        adopt(bundles[0])
    assert len(log(home)) == 1


def test_what_is_no_bundle_is_not_adopted(tmp_path: Path, bundles: list[Path], home: Path) -> None:
    with pytest.raises(BundleFormatError, match="is not a model bundle"):
        adopt(tmp_path)
    (bundles[0] / "weights.npz").write_bytes(b"other")
    with pytest.raises(BundleIntegrityError, match="weights.npz"):
        adopt(bundles[0])
    assert not (home / "adopted.jsonl").exists()


def test_a_bundle_that_changed_since_is_refused(bundles: list[Path]) -> None:
    adopt(bundles[0])
    rename(bundles[0], "quietly changed")
    with pytest.raises(BundleIntegrityError, match="was changed since it was adopted as one .* adopt --back"):
        load_model("adopted")
    assert adopt(bundles[0]).version == "quietly changed"


def test_a_bundle_that_is_gone_is_told(bundles: list[Path]) -> None:
    adopt(bundles[0])
    shutil.rmtree(bundles[0])
    with pytest.raises(BundleFormatError, match="one is not a model bundle"):
        load_model("adopted")
    assert go_back() is None


@pytest.mark.parametrize(
    "line", ["", "{", "[]", "7", '{"adopt": 7}', '{"adopt": "x", "version": 1, "sha256": "", "parent": "", "date": ""}', '{"back": "x"}', "\udcff"]
)  # fmt: skip
def test_a_log_that_is_not_ours_is_told_with_its_line(line: str, bundles: list[Path], home: Path) -> None:
    (home / "adopted.jsonl").write_bytes(line.encode("utf-8", "surrogateescape") + b"\n")
    for act in (adopted, go_back, lambda: adopt(bundles[0])):
        with pytest.raises(UsageError, match="adopted.jsonl"):
            act()


def test_a_folder_that_cannot_be_written_is_told(
    bundles: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("PEERDRIFT_HOME", str(tmp_path / "file" / "below"))
    with pytest.raises(UsageError, match="set PEERDRIFT_HOME to a folder of yours"):
        adopt(bundles[0])
