"""Planted names, numbers and sentences, searched for in everything but the outputs that are meant to hold note text.

pytest -m campaign -n 0 -s tests/campaigns/test_campaign_leaks.py
"""

from __future__ import annotations

import json
import logging
import os
import random
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from campaign_runs import SEED, at_operation, count, files, run, start

import peerdrift_nlp
from peerdrift_nlp.report.fingerprint import Fingerprints
from peerdrift_nlp.rules.engine import RuleEngine
from peerdrift_nlp.scanner import Scanner

pytestmark = pytest.mark.campaign
HOLD_TEXT = re.compile(
    r"\.?(report(-\d+)?\.html|findings\.(csv|xlsx)|notes\.csv|queue\.csv|check\.txt)(\.part|\.rows)?"
)
"""What is meant to hold note text, whole or growing; and the export itself."""
SYLLABLES = "qua zor vix thul brem wok jast plu dref gnom yax crell".split()
VOICES = Path(__file__).parents[1] / "classifier" / "voices"
DRIFT = ("I counted her pills", "I drove him to Walmart and back", "I told her she has to go", "I prayed over him")


class Planted:
    """Made-up names, numbers and sentences; each occurs in one writer's notes only, the numbers in everybody's."""

    def __init__(self, notes: int) -> None:
        chance = random.Random(SEED)
        made = {"".join(chance.choices(SYLLABLES, k=4)) for _ in range(3 * notes)}
        self.words = sorted(made)
        self.numbers = [str(chance.randrange(10**8, 10**9)) for _ in range(20)]
        places = iter(self.words)
        self.texts = [
            f"{chance.choice(DRIFT)} with {next(places).title()} {next(places).title()}, record {number}. "
            f"She spoke of the {word} and chose the library."
            for number, word in zip(self.numbers * (notes // 20), self.words[::-1], strict=False)
        ]
        self._pattern = re.compile("|".join([*self.words, *self.numbers]), re.IGNORECASE)

    def found_in(self, said: str) -> str:
        """The first that stands in a text, or nothing."""
        match = self._pattern.search(said)
        return match.group() if match else ""

    def leaks(self, folders: Iterable[Path]) -> list[str]:
        """The files below some folders that hold one and should not."""
        return [
            f"{path}: {found}"
            for folder in folders
            for path in files(folder)
            if not any(HOLD_TEXT.fullmatch(part) for part in path.parts[-2:])
            if (found := self.found_in(content(path)) or self.found_in(path.name))
        ]


def content(path: Path) -> str:
    """All that a file holds, packed or not, in either encoding that Python writes strings in."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            data = b"".join(archive.read(name) for name in archive.namelist())
    else:
        data = path.read_bytes()
    return data.decode("utf-8", "replace") + data.replace(b"\0", b"").decode("latin-1")


@pytest.fixture(scope="module")
def planted() -> Planted:
    return Planted(count("NOTES", 300))


@pytest.fixture
def place(tmp_path: Path, planted: Planted) -> Path:
    """A folder with an export of the planted notes, a home and a folder for temporary files."""
    for name in ("home", "tmp", "work"):
        (tmp_path / name).mkdir()
    rows = [f'{number},Ana Roe,2026-03-02,"{text}"' for number, text in enumerate(planted.texts)]
    (tmp_path / "work" / "notes.csv").write_text("\n".join(["id,worker,date,note", *rows]), encoding="utf-8")
    return tmp_path


def peerdrift(place: Path, *arguments: str) -> str:
    """Run the command line in its own process; all that it says."""
    ours = {name: str(place / "tmp") for name in ("TMPDIR", "TEMP", "TMP", "JOBLIB_TEMP_FOLDER")}
    ours |= {"HOME": str(place / "home"), "PEERDRIFT_HOME": str(place / "home" / "p")}
    done = subprocess.run(
        [sys.executable, "-m", "peerdrift_nlp", *arguments], cwd=place / "work", capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(Path(peerdrift_nlp.__file__).parents[1]), **ours},
    )  # fmt: skip
    assert done.returncode in (0, 3), done.stderr
    return done.stdout + done.stderr


def decisions(place: Path) -> None:
    """Decisions on every flag of a scan, as the report would download them."""
    record = json.loads((place / "work" / "out" / "run.json").read_text("utf-8"))
    lines = [json.loads(line) for line in (place / "work" / "out" / "reports.jsonl").read_text("utf-8").splitlines()]
    about = [
        {
            "note": line["fingerprint"], **flag["sentence"], "indicator": flag["indicator"], "verdict": "dismissed",
            "reason": "", "comment": "",
        }
        for line in lines for flag in line["findings"]
    ]  # fmt: skip
    made = {
        "schema": "peerdrift.decisions/1", "run": record["started"], "made": record["finished"], "decisions": about,
        "key_id": Fingerprints(bytes.fromhex(record["key"])).key_id, "read": [line["fingerprint"] for line in lines],
    }  # fmt: skip
    (place / "work" / "decisions.json").write_text(json.dumps(made), encoding="utf-8")


def reports(folder: Path) -> Iterator[dict[str, Any]]:
    """The reports of a results folder, if there is one."""
    path = folder / "reports.jsonl"
    return map(json.loads, path.read_text("utf-8").splitlines() if path.is_file() else ())


def test_from_the_first_scan_to_the_second(place: Path, planted: Planted) -> None:
    """Preview, scan with baseline, decisions, report, sheet, check, labelling queue, and the scan of the next month."""
    formats = [part for name in ("csv", "xlsx", "html", "jsonl", "json") for part in ("--format", name)]
    scan = ("scan", "notes.csv", "--model", "fast", "--baseline", "seen.json", *formats)
    said = peerdrift(place, "preview", "notes.csv") + peerdrift(place, *scan, "--out", "out", "--jobs", "2")
    decisions(place)
    said += peerdrift(place, "report", "out", "--input", "notes.csv", "--decisions", "decisions.json")
    said += peerdrift(place, "sheet", "out", "--worker", "Ana Roe")
    said += peerdrift(place, "label", "queue", "notes.csv", "--out", "queue.csv")
    said += peerdrift(place, *scan, "--out", "out2", "--decisions", "decisions.json")
    assert planted.found_in(said) == ""
    assert planted.leaks([place]) == []
    holding = {path.name for path in files(place) if planted.found_in(content(path))}
    assert {"report.html", "findings.csv", "findings.xlsx", "notes.csv"} <= holding
    searched = sum(1 for _ in files(place))
    print(
        f"\nleaks, scan to scan: seed {SEED}, {len(planted.words)} words, {searched} files, held by {sorted(holding)}"
    )


def test_a_model_that_was_taught(place: Path, planted: Planted) -> None:
    """Bundle, model card and doubtful labels; the numbers stand in every writer's notes, the names in one's."""
    work, words = place / "work", iter(planted.words)
    for path in sorted(VOICES.glob("*.txt")):
        marks = "".join(
            f"\n\n=== {path.stem}-9{n} | setting: drop-in | format: narrative\nMet {next(words).title()} on the "
            f"{next(words)}.{{}} Counted her {planted.numbers[n]} pills at {planted.numbers[0]}.{{clinical.medication/3}}"
            for n in range(10)
        )
        (work / path.name).write_text(path.read_text("utf-8") + marks + "\n", encoding="utf-8")
        said = peerdrift(place, "corpus", "import", path.name, "labels")
    splits = {"train": ["V1", "V2", "V3"], "dev": ["V4"], "test": ["V5"]}
    (work / "labels" / "splits.json").write_text(json.dumps(splits), encoding="utf-8")
    said += peerdrift(place, "train", "--add", "labels", "--base", "fast", "--out", "taught", "--suspects", "doubt.csv")
    said += peerdrift(place, "train", "--corpus", "labels", "--out", "anew", "--name", "anew-1")
    said += peerdrift(place, "compare", "anew", "--with", "fast", "--corpus", "labels", "--split", "test")
    said += peerdrift(place, "adopt", "anew")
    assert planted.found_in(said) == ""
    made = [work / "taught", work / "anew", place / "home", place / "tmp"]
    assert planted.leaks(made) == [] and not planted.found_in((work / "doubt.csv").read_text("utf-8"))
    print(f"\nleaks, training: seed {SEED}, {sum(1 for folder in made for _ in files(folder))} files")


def test_runs_that_end_badly(place: Path, planted: Planted) -> None:
    """Killed at each tenth file operation; what lies there then, and what an error that quotes a note is told as."""
    work, operations = place / "work", 0
    scan = ("scan", "notes.csv", "--model", "fast", "--out", "out")
    for number in range(1, 60, 3):
        end = run(work, *scan, before=at_operation(number, work / "out", lambda _: os.kill(os.getpid(), 9)))
        operations += end.code == -9
        assert planted.found_in(end.said) == "" and planted.leaks([place]) == []
        for item in (work / "out").glob(".progress.json"):
            item.unlink()

    def quoting() -> None:
        def broken(*_: object) -> None:
            raise ValueError(planted.texts)

        RuleEngine.find = broken  # type: ignore[method-assign]

    child = start(work, *scan, before=quoting)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2
    said = (place / "work.said.txt").read_text("utf-8")
    assert "internal error: ValueError at" in said and planted.found_in(said) == ""
    print(f"\nleaks, runs that end badly: {operations} kills")
    assert operations > 10


def test_damaged_exports(place: Path, planted: Planted) -> None:
    """Bytes behind the header put in the place of others: whatever is said of it.

    Damage can make a piece of a note the id or the worker of another row: those cells are kept, up to their length.
    """
    rounds, chance, codes = count("DAMAGES", 200), random.Random(SEED), dict.fromkeys((0, 2, 3), 0)
    work = place / "work"
    whole = (work / "notes.csv").read_bytes()
    rows = [{"id": str(number), "note": text} for number, text in enumerate(planted.texts)]
    kinds = {
        "csv": whole,
        "json": json.dumps(rows).encode(),
        "jsonl": "\n".join(map(json.dumps, rows)).encode(),
        "html": b"<table><tr><th>id<th>note"
        + "".join(f"<tr><td>{row['id']}<td>{row['note']}" for row in rows).encode(),
    }
    for number in range(rounds):
        kind = chance.choice(list(kinds))
        data = bytearray(kinds[kind])
        for _ in range(chance.randrange(1, 8)):
            at = chance.randrange(60, len(data))
            data[at : at + chance.randrange(4)] = chance.choice(
                [b'"', b"\0", b"\n", b"\xff", b",", b"{", b"<", b"]", b";"]
            )
        (work / f"damaged{number}.{kind}").write_bytes(
            data[: chance.choice([len(data), chance.randrange(80, len(data))])]
        )
        command = chance.choice([("preview",), ("scan", "--model", "fast", "--out", "damaged")])
        end = run(work, command[0], f"damaged{number}.{kind}", *command[1:])
        codes[end.code] += 1
        assert planted.found_in(end.said) == "", (number, kind, end.said)
        (work / f"damaged{number}.{kind}").unlink()
        assert [leak for leak in planted.leaks([place]) if "/damaged/reports.jsonl: " not in leak] == []
        for report in reports(work / "damaged"):
            kept = [report.pop("note_id"), *report.pop("meta").values()]
            assert max(map(len, kept)) <= 200 and planted.found_in(json.dumps(report)) == "", (number, kind)
    print(f"\nleaks, damaged exports: seed {SEED}, {rounds} rounds, exit codes {codes}")


def test_logs(planted: Planted, caplog: pytest.LogCaptureFixture) -> None:
    """Every logger at its most talkative, and every representation that a debugger or a log would take."""
    caplog.set_level(logging.DEBUG)
    for scanner in (Scanner(model="fast"), Scanner(max_chars=60, max_seconds=5)):
        reports = list(scanner.scan_many((str(number), text) for number, text in enumerate(planted.texts)))
        said = "".join(map(repr, reports)) + "".join(report.to_json() for report in reports)
        assert planted.found_in(said) == ""
    assert caplog.records and planted.found_in(caplog.text) == ""
    print(f"\nleaks, logs: {len(caplog.records)} records")
