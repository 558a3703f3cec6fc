"""The notebooks run from top to bottom, are stored without outputs, and write nothing into the checkout."""

from __future__ import annotations

import json
import os
import re
import socket
import warnings
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
_CONNECT = socket.socket.connect


@pytest.fixture
def local_sockets(no_network: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel is talked to through sockets of this machine; others stay refused."""

    def connect(self: socket.socket, address: object) -> None:
        assert isinstance(address, tuple) and address[0] == "127.0.0.1", "the package must not open sockets"
        _CONNECT(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)


def files() -> set[Path]:
    return {path for path in (ROOT / "notebooks").rglob("*") if "__pycache__" not in path.parts}


@pytest.mark.filterwarnings("default")  # of the kernel's libraries
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path, local_sockets: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    before = files()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
        NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(path.parent)}}).execute()
    said = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []))
    assert said
    assert files() == before
    if path.stem == "label_retrain_compare":
        before, after = map(float, re.findall(r"F1 on any drift: (\S+) before, (\S+) after", said)[0])
        assert after > before


def test_the_three_notebooks_are_there_and_named_in_the_readme() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["label_retrain_compare", "scan_and_explore", "write_a_rule_pack"]
    named = set(re.findall(r"notebooks/(\w+)\.ipynb", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert named == {path.stem for path in NOTEBOOKS}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_stored_without_outputs_and_explain_every_step(path: Path) -> None:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    assert not [cell for cell in cells if cell.get("outputs") or cell.get("execution_count")]
    assert cells[0]["cell_type"] == "markdown"
    assert sum(cell["cell_type"] == "markdown" for cell in cells) >= sum(cell["cell_type"] == "code" for cell in cells)
