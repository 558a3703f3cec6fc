"""Build sdist and wheel, install the wheel into fresh environments, and run the tests against what was installed.

    python tests/packaging/check_wheel.py [--python 3.11 --python 3.13] [--lowest | --offline] [PYTEST ARGUMENTS]

Needs uv (``pip install uv``). The wheel is built from the sdist, so both are whole. The tests run in a folder that
holds the checkout without the package: what is imported is what was installed. ``--lowest`` installs the oldest
dependencies that pyproject.toml allows. ``--offline`` fills a folder of wheels, installs from it alone, and scans the
samples instead: README's recipe for a machine without internet.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
_LEFT_BEHIND = ("peerdrift_nlp", ".git", ".venv*", "dist", "__pycache__", ".*_cache", ".hypothesis")


def run(*command: str | Path, cwd: Path = ROOT) -> int:
    """Run a command, show it, and give its exit code."""
    print("$", *command, flush=True)
    return subprocess.run(list(map(str, command)), cwd=cwd, check=False).returncode


def build(folder: Path) -> Path:
    """The wheel, built from the sdist."""
    if run("uv", "build", "--quiet", "--out-dir", folder):
        sys.exit("the wheel cannot be built")
    (wheel,) = folder.glob("*.whl")
    return wheel


def test(wheel: Path, python: str, resolution: str, folder: Path, arguments: list[str]) -> bool:
    """Install the wheel for a Python and run the tests; whether all passed."""
    environment, checkout = folder / "venv", folder / "checkout"
    shutil.copytree(ROOT, checkout, ignore=shutil.ignore_patterns(*_LEFT_BEHIND))
    inside = environment / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    failed = (
        run("uv", "venv", "--quiet", "--python", python, environment)
        or run(
            "uv", "pip", "install", "--quiet", "--python", inside, "--resolution", resolution, f"{wheel}[dev,parquet]"
        )
        or run(inside, "-m", "pytest", "-q", *arguments, cwd=checkout)
    )
    return not failed


def test_offline(wheel: Path, python: str, folder: Path) -> bool:
    """Fill a folder of wheels, install from it with no index, and scan the samples; whether all went well."""
    wheels, commands = folder / "wheelhouse", []
    for name in ("with_internet", "without"):
        run("uv", "venv", "--quiet", "--seed", "--python", python, folder / name)
        commands.append(folder / name / ("Scripts" if sys.platform == "win32" else "bin"))
    with_internet, without = commands
    failed = (
        run(with_internet / "pip", "wheel", "--quiet", wheel, "--wheel-dir", wheels)
        or run(without / "pip", "install", "--quiet", "--no-index", "--find-links", wheels, "peerdrift-nlp")
        or run(without / "peerdrift", "scan", ROOT / "data" / "samples" / "notes.csv", "--out", "out", cwd=folder)
    )
    return not failed


def main() -> None:
    """Build once, and test for each Python."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--python", action="append", help="version or path; repeatable. Default: this one.")
    parser.add_argument("--lowest", action="store_true", help="the oldest dependencies that are allowed")
    parser.add_argument("--offline", action="store_true", help="install from a folder of wheels")
    options, arguments = parser.parse_known_args()
    resolution = "lowest-direct" if options.lowest else "highest"
    passed = {}
    with tempfile.TemporaryDirectory() as name:
        wheel = build(Path(name) / "dist")
        for number, python in enumerate(options.python or [sys.executable]):
            folder = Path(name) / str(number)
            folder.mkdir()
            if options.offline:
                passed[python] = test_offline(wheel, python, folder)
            else:
                passed[python] = test(wheel, python, resolution, folder, arguments)
    for python, fine in passed.items():
        print(f"{python} ({'offline' if options.offline else resolution}): {'passed' if fine else 'FAILED'}")
    sys.exit(not all(passed.values()))


if __name__ == "__main__":
    main()
