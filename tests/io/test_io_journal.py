"""What an interrupted run leaves, and how the next one goes on after it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from peerdrift_nlp import Scanner
from peerdrift_nlp.errors import UsageError
from peerdrift_nlp.io import ResultsFolder
from peerdrift_nlp.io.journal import files_hash, input_hash, options_hash, with_text
from peerdrift_nlp.report.policies import Policies
from peerdrift_nlp.report.profile import read_profile
from peerdrift_nlp.types import NoteReport

MADE_FROM = {"input": "a1", "options": "b2"}
POLICIES = Policies(read_profile(), {})
JOURNAL = ".reports.jsonl.part"


class Killed(BaseException):
    pass


def interrupted(folder: Path, reports: list[NoteReport], made_from: dict[str, str] | None = MADE_FROM) -> None:
    with pytest.raises(Killed), ResultsFolder(folder, made_from=made_from) as results:
        for report in [*results.finished(), *reports]:
            results.write(report)
        raise Killed


def numbered(report: NoteReport, count: int, first: int = 0) -> list[NoteReport]:
    return [replace(report, note_id=str(number)) for number in range(first, first + count)]


def whole(folder: Path, report: NoteReport, count: int) -> dict[str, bytes]:
    """The results of a run that goes on after whatever is in the folder."""
    with ResultsFolder(folder, made_from=MADE_FROM) as results:
        done = 0
        for item in results.finished():
            results.write(with_text(item, report.text, POLICIES))
            done += 1
        for item in numbered(report, count - done, done):
            results.write(item)
    return {item.name: item.read_bytes() for item in folder.iterdir() if item.suffix != ".xlsx"}


def test_an_interrupted_run_goes_on_and_ends_like_any_other(tmp_path: Path, report: NoteReport) -> None:
    interrupted(tmp_path / "a", numbered(report, 3))
    assert sorted(item.name for item in (tmp_path / "a").iterdir()) == [".progress.json", JOURNAL]
    interrupted(tmp_path / "a", numbered(report, 2, 3))
    with pytest.raises(Killed), ResultsFolder(tmp_path / "a", made_from=MADE_FROM) as results:
        assert results.notices == ["going on after 5 notes that an interrupted run had finished"]
        raise Killed
    assert whole(tmp_path / "a", report, 8) == whole(tmp_path / "b", report, 8)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2000))
def test_a_line_that_was_cut_short_is_made_again(
    tmp_path_factory: pytest.TempPathFactory, report: NoteReport, cut: int
) -> None:
    made = with_text(report, "Reminded him to take his meds.", POLICIES)
    folder, other = tmp_path_factory.mktemp("cut"), tmp_path_factory.mktemp("whole")
    interrupted(folder, numbered(made, 2))
    raw = (folder / JOURNAL).read_bytes()
    (folder / JOURNAL).write_bytes(raw[: max(0, len(raw) - cut)])
    assert whole(folder, made, 3) == whole(other, made, 3)


def test_zeros_that_a_power_failure_left_are_dropped(tmp_path: Path, report: NoteReport) -> None:
    interrupted(tmp_path / "a", numbered(report, 2))
    with (tmp_path / "a" / JOURNAL).open("ab") as file:
        file.write(bytes(500))
    assert whole(tmp_path / "a", report, 3) == whole(tmp_path / "b", report, 3)


@pytest.mark.parametrize(
    ("change", "said"),
    [({"input": "x"}, "other input:"), ({"options": "x"}, "other options:"), ({"input": "x", "options": "x"}, "other input and options:")],
)  # fmt: skip
def test_another_input_or_engine_starts_anew_and_says_so(
    tmp_path: Path, report: NoteReport, change: dict[str, str], said: str
) -> None:
    interrupted(tmp_path, numbered(report, 3))
    with ResultsFolder(tmp_path, made_from=MADE_FROM | change) as results:
        assert list(results.finished()) == []
        assert results.notices == [f"an interrupted run had {said} starting anew"]
        results.write(report)
    assert len((tmp_path / "reports.jsonl").read_text("utf-8").splitlines()) == 1


@pytest.mark.parametrize(
    "record", ["", "[]", "{}", '{"schema": "peerdrift.progress/9", "made_from": {}}', "\0\0", "[" * 100_000]
)
def test_a_damaged_record_starts_anew(tmp_path: Path, report: NoteReport, record: str) -> None:
    interrupted(tmp_path, numbered(report, 3))
    (tmp_path / ".progress.json").write_text(record)
    assert json.loads(whole(tmp_path, report, 1)["reports.jsonl"])["note_id"] == "0"


@pytest.mark.parametrize(
    "line",
    [
        b'{"secret": "words"}', b'{"note_id": 1, secret}', b'{"schema": "secret"}', b'{"note_id": "secret\xff"}',
        b'{"secret": ' * 100_000 + b"}",
    ],
    ids=["other", "no JSON", "schema", "no UTF-8", "deep"],
)  # fmt: skip
def test_a_line_that_somebody_changed_is_said(tmp_path: Path, report: NoteReport, line: bytes) -> None:
    interrupted(tmp_path, numbered(report, 2))
    (tmp_path / JOURNAL).write_bytes(line + b"\n")
    with pytest.raises(UsageError, match="does not fit the notes: delete it and run again") as caught:
        whole(tmp_path, report, 2)
    assert "secret" not in str(caught.value)


def test_a_result_that_is_locked_at_the_end_costs_no_scanning(
    tmp_path: Path, report: NoteReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Path.replace

    def locked(self: Path, target: Path) -> Path:
        if self.name == ".findings.csv.part":
            raise PermissionError(13, "Permission denied", str(self))
        return original(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", locked)
        with pytest.raises(UsageError, match=r"\(findings\.csv\): .*close it in Excel.*goes on after the notes"):
            whole(tmp_path, report, 4)
    with ResultsFolder(tmp_path, made_from=MADE_FROM) as results:
        assert results.notices == ["going on after 4 notes that an interrupted run had finished"]


def test_a_full_disk_keeps_what_was_finished(tmp_path: Path, report: NoteReport) -> None:
    with pytest.raises(UsageError, match=r"No space left.*goes on after"), ResultsFolder(tmp_path, made_from=MADE_FROM) as results:  # fmt: skip
        for item in numbered(report, 3):
            results.write(item)
        broken = results._tables["csv"]

        def full(report: NoteReport) -> None:
            raise OSError(28, "No space left on device")

        broken.write = full  # type: ignore[method-assign]
        results.write(replace(report, note_id="3"))
    assert whole(tmp_path, report, 5) == whole(tmp_path / "b", report, 5)


@pytest.mark.parametrize("name", [".progress.json", JOURNAL])
def test_a_run_that_cannot_begin_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    original = Path.touch

    def full(self: Path, mode: int = 0o666, exist_ok: bool = True) -> None:
        if self.name == name:
            raise OSError(28, "No space left on device", str(self))
        original(self, mode, exist_ok)

    monkeypatch.setattr(Path, "touch", full)
    with pytest.raises(UsageError, match="No space left"), ResultsFolder(tmp_path / "a", made_from=MADE_FROM):
        pass
    assert not (tmp_path / "a").exists()


def test_without_a_name_for_the_run_nothing_is_kept(tmp_path: Path, report: NoteReport) -> None:
    interrupted(tmp_path / "a", numbered(report, 3), made_from=None)
    assert not (tmp_path / "a").exists()


# ---------------------------------------------------------------------------------------- reading back


@pytest.mark.parametrize("phrases", [[], ["She said her doctor raised her dose."]])
def test_a_report_that_is_read_back_is_the_one_that_was_written(tmp_path: Path, phrases: list[str]) -> None:
    profile = tmp_path / "profile.toml"
    profile.write_text(f'name = "x"\ntitle = "X"\n[policies]\nrequired_phrases = {phrases}\n')
    scanner, policies = Scanner(model="fast", profile=profile), Policies(read_profile(profile), {})
    texts = [
        "Nurse had me count her pills. \U0001f600 \u201cStay,\u201d she said.\nI shared my own story of the ward, as she asked.",
        "I told him he needs a sponsor and drove him to Walmart. She said her doctor raised her dose.",
        "", "x" * 1_000_001,
    ]  # fmt: skip
    for number, text in enumerate(texts):
        made = scanner.scan(text, note_id=f"{number}\ud800", worker="Ana", date="2026-01-05")
        assert with_text(NoteReport.from_dict(json.loads(made.to_json())), text, policies) == made


def test_hashes_tell_inputs_and_options_apart(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "1.txt").write_text("a")
    first = input_hash(tmp_path / "x")
    assert first == input_hash(tmp_path / "x")
    (tmp_path / "x" / "1.txt").write_text("b")
    second = input_hash(tmp_path / "x")
    (tmp_path / "x" / "1.txt").rename(tmp_path / "x" / "2.txt")
    assert len({first, second, input_hash(tmp_path / "x"), input_hash(tmp_path / "x" / "2.txt")}) == 4
    options = {"point": "careful", "jobs": 1, "out": None}
    assert options_hash(options, "e") == options_hash(options | {"jobs": 2, "out": "y"}, "e")
    assert options_hash(options, "e") != options_hash(options | {"point": "balanced"}, "e")
    assert options_hash(options, "e") != options_hash(options, "f")


def test_files_of_options_count_by_what_they_hold(tmp_path: Path) -> None:
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    absent = files_hash(first, second)
    first.write_text("1")
    there = files_hash(first, second)
    first.rename(second)
    assert len({absent, there, files_hash(first, second)}) == 3, "which of the files holds it counts"
    second.write_text("2")
    assert files_hash(first, second) != there
    assert files_hash(None, second) == files_hash(second, None) != files_hash()
