"""Doubtful labels as a CSV: places that Excel shows as they are, whatever an export calls its notes."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import pytest

from peerdrift_nlp.classifier.suspects import Suspect
from peerdrift_nlp.errors import UsageError
from peerdrift_nlp.io.suspects import write_suspects


def suspect(note_id: str, voice: str = "V1") -> Suspect:
    return Suspect(voice, note_id, 3, 9, "clinical", True, 0.012)


def test_ids_are_no_formulas_and_no_surrogate_stops_the_file(tmp_path: Path) -> None:
    path = tmp_path / "doubtful.csv"
    write_suspects(path, [suspect("=1+1", "@voice"), suspect("lone \ud800"), suspect("a,\nb")])
    with path.open(encoding="utf-8", newline="") as file:
        rows = [(row["voice"], row["note_id"], row["start"], row["given"]) for row in csv.DictReader(file)]
    assert rows == [
        ("'@voice", "'=1+1", "3", "True"), ("V1", "lone \\ud800", "3", "True"), ("V1", "a,\nb", "3", "True"),
    ]  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX rights")
def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    write_suspects(tmp_path / "doubtful.csv", [])
    assert (tmp_path / "doubtful.csv").stat().st_mode & 0o077 == 0


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"doubtful\.csv cannot be written \(No such file .*choose another place"):
        write_suspects(tmp_path / "none" / "doubtful.csv", [])
