"""What an application gets when it imports the package: little, quickly, and with no effect on anything else."""

from __future__ import annotations

import importlib
import inspect
import json
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest

import peerdrift_nlp
from peerdrift_nlp import errors

HOME = Path(peerdrift_nlp.__file__).parents[1]
HEAVY = ("spacy", "sklearn", "pandas", "numpy", "scipy", "joblib", "rich", "typer", "jinja2")


def python(code: str, *options: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a piece of code in a fresh interpreter, in a folder that is no checkout."""
    environment = {**os.environ, "PYTHONPATH": str(HOME), **variables}
    environment.pop("PYTHONWARNINGS", None)
    return subprocess.run(
        [sys.executable, *options, "-c", code], env=environment, cwd=folder, capture_output=True, text=True, timeout=120
    )


def told(run: subprocess.CompletedProcess[str]) -> str:
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    return run.stdout


def test_importing_the_package_imports_nothing_heavy(tmp_path: Path) -> None:
    loaded = told(python("import sys, peerdrift_nlp; print(*sys.modules)", folder=tmp_path)).split()
    assert "peerdrift_nlp" in loaded
    assert not [name for name in HEAVY if name in loaded]


LIGHT = "types errors taxonomy text.fold text.sentences io.contract integrations integrations.fhir integrations.utf16"


@pytest.mark.parametrize("module", LIGHT.split())
def test_light_rooms_import_nothing_heavy(module: str, tmp_path: Path) -> None:
    code = f"import sys, peerdrift_nlp.{module}; print(*sys.modules)"
    loaded = told(python(code, folder=tmp_path)).split()
    assert not [name for name in ("spacy", "sklearn", "pandas", "typer", "rich") if name in loaded]


def test_the_command_line_loads_nothing_heavy_before_it_is_needed(tmp_path: Path) -> None:
    code = "import sys, peerdrift_nlp.cli.main; print(*sys.modules)"
    loaded = told(python(code, folder=tmp_path)).split()
    assert not [name for name in ("spacy", "sklearn", "pandas", "scipy") if name in loaded]


STATE = """
import builtins, json, locale, logging, os, random, signal, sys, threading, warnings

def state():
    return {
        "filters": repr(warnings.filters),
        "showwarning": warnings.showwarning is original,
        "root": [logging.root.level, repr(logging.root.handlers), logging.root.disabled, logging.root.manager.disable],
        "logging class": logging.getLoggerClass().__name__,
        "locale": locale.setlocale(locale.LC_ALL),
        "environment": dict(os.environ),
        "path": list(sys.path),
        "folder": os.getcwd(),
        "hooks": [repr(sys.excepthook), repr(sys.displayhook), repr(threading.excepthook)],
        "signals": [repr(signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM)],
        "random": hash(random.getstate()),
        "recursion": sys.getrecursionlimit(),
        "streams": [sys.stdout.encoding, sys.stdout.errors, sys.stderr.errors],
        "builtins": sorted(vars(builtins)),
        "threads": threading.active_count(),
    }

original = warnings.showwarning
before = state()
%s
after = state()
print(json.dumps([name for name in before if before[name] != after[name]]))
"""


def test_importing_changes_nothing_global(tmp_path: Path) -> None:
    assert json.loads(told(python(STATE % "import peerdrift_nlp", folder=tmp_path))) == []


def test_importing_gives_no_warning(tmp_path: Path) -> None:
    assert told(python("import peerdrift_nlp, peerdrift_nlp.scanner", "-W", "error", folder=tmp_path)) == ""


NO_NETWORK = """
import socket, sys

class Refused(OSError):
    pass

def refuse(*_, **__):
    raise Refused("no network")

socket.socket.connect = refuse
socket.socket.connect_ex = refuse
socket.socket.bind = refuse
socket.getaddrinfo = socket.create_connection = socket.gethostbyname = refuse
sys.addaudithook(lambda event, _: refuse() if event.startswith("socket.") and event != "socket.__new__" else None)

from peerdrift_nlp.scanner import Scanner
scanner = Scanner()
reports = list(scanner.scan_many([("a", "I drove her to Walmart and back. Counted her pills."), ("b", "")]))
assert [report.status for report in reports] == ["complete", "complete"]
assert reports[0].findings
"""


def test_a_scan_needs_no_network_and_no_checkout_and_leaves_the_process_alone(tmp_path: Path) -> None:
    proxy = "http://127.0.0.1:9"
    run = python(STATE % NO_NETWORK, "-W", "error", folder=tmp_path, http_proxy=proxy, https_proxy=proxy)
    # What libraries below do on import is theirs: scikit-learn adds a filter, and others set variables.
    assert set(json.loads(told(run))) <= {"filters", "environment", "builtins", "random"}
    assert list(tmp_path.iterdir()) == []


def test_the_version_is_one(tmp_path: Path) -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+(\.?[a-z]+\d+)?", peerdrift_nlp.__version__)
    run = subprocess.run(
        [sys.executable, "-m", "peerdrift_nlp", "--version"], env={**os.environ, "PYTHONPATH": str(HOME)}, cwd=tmp_path,
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert run.stdout == f"peerdrift {peerdrift_nlp.__version__}\n"


SIGNATURES = {
    "__init__": "self, *, model, profile, packs, suppress, operating_point, max_chars, max_seconds",
    "scan": "self, text, *, note_id, **meta",
    "scan_many": "self, notes, *, jobs",
    "scan_frame": "self, frame, *, text, id, jobs",
    "explain": "self, text",
    "judge": "self, notes",
    "with_bundle": "self, bundle",
}


FUNCTIONS = {
    "evaluate": "notes, model, *, operating_point, rounds, seed",
    "load_model": "model",
    "train": "notes, out, *, base, unseen, name, precision, flags_per_note, vocabulary, progress",
}


def test_the_public_surface_is_pinned() -> None:
    """Whoever changes this list changes other people's programs: see the compatibility policy of CONTRIBUTING.md."""
    assert peerdrift_nlp.__all__ == [
        "DriftClassifier", "Finding", "Note", "NoteReport", "PeerdriftError", "Scanner", "__version__", "evaluate",
        "load_model", "train",
    ]  # fmt: skip
    assert {name: names_of(inspect.signature(getattr(peerdrift_nlp, name))) for name in FUNCTIONS} == FUNCTIONS
    assert set(inspect.signature(peerdrift_nlp.DriftClassifier).parameters) == {
        "C", "min_authors", "folds", "outputs", "n_jobs",
    }  # fmt: skip
    methods = {
        name: method
        for name, method in vars(peerdrift_nlp.Scanner).items()
        if inspect.isfunction(method) and (not name.startswith("_") or name == "__init__")
    }
    shown = {name: names_of(inspect.signature(method)) for name, method in methods.items()}
    assert shown == SIGNATURES


def names_of(signature: inspect.Signature) -> str:
    """The parameters without types and defaults: ``self, text, *, note_id, **meta``."""
    plain = [
        part.replace(annotation=part.empty, default=None if part.default is not part.empty else part.empty)
        for part in signature.parameters.values()
    ]
    shown = str(signature.replace(parameters=plain, return_annotation=signature.empty))
    return shown.strip("()").replace("=None", "")


def test_every_public_name_can_be_imported() -> None:
    for name in peerdrift_nlp.__all__:
        assert getattr(peerdrift_nlp, name) is not None
    with pytest.raises(AttributeError, match="nonsense"):
        peerdrift_nlp.nonsense  # noqa: B018


def test_what_the_readme_promises_a_developer(tmp_path: Path) -> None:
    """``from peerdrift_nlp import Scanner``, and ``*`` brings no more than it says."""
    code = (
        "from peerdrift_nlp import Scanner, __version__\n"
        "known = set(globals())\n"
        "from peerdrift_nlp import *\n"
        "import peerdrift_nlp\n"
        "print(sorted(set(globals()) - known - {'known', 'peerdrift_nlp'} - set(peerdrift_nlp.__all__)))"
    )
    assert told(python(code, folder=tmp_path)).strip() == "[]"


def test_types_are_shipped() -> None:
    assert (Path(peerdrift_nlp.__file__).parent / "py.typed").is_file()


def test_every_error_is_of_one_family_and_told_in_the_list() -> None:
    errors = importlib.import_module("peerdrift_nlp.errors")
    kinds = [item for item in vars(errors).values() if isinstance(item, type) and issubclass(item, Exception)]
    assert all(issubclass(kind, errors.PeerdriftError) for kind in kinds)
    for kind in kinds:
        assert kind.__name__.startswith("_") or kind.__name__ in (errors.__doc__ or "")


@pytest.mark.parametrize(
    "error",
    [
        errors.NoteReadError("row 3", "is not text"),
        errors.RulePackError([errors.Problem("own.toml", 3, "what"), errors.Problem("own.toml", 0, "else")]),
        errors.UsageError("what"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_cross_processes(error: errors.PeerdriftError) -> None:
    back = pickle.loads(pickle.dumps(error))
    assert (type(back), str(back), vars(back)) == (type(error), str(error), vars(error))
