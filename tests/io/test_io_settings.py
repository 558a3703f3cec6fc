"""``peerdrift.toml``: found, read, and refused with every problem at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from peerdrift_nlp.errors import SettingsError
from peerdrift_nlp.io import open_export
from peerdrift_nlp.io.settings import Settings, find_settings, read_settings
from peerdrift_nlp.types import Note

FULL = """
profile = "ours.toml"
encoding = "cp1252"
sheet = "Notes"
join_on = "Visit"
order = "Line"
roles = ["Case Manager"]
keep_statuses = ["draft"]

[columns]
note_text = "What happened"
worker = "Who"
"""


def test_all_keys(export) -> None:
    path = export("peerdrift.toml", FULL)
    found = read_settings(path)
    assert found == Settings(
        path, {"note_text": "What happened", "worker": "Who"}, "cp1252", "Notes", "Visit", "Line",
        str(path.parent / "ours.toml"), ("Case Manager",), ("draft",),
    )  # fmt: skip
    assert found.reading({"worker": "Staff"}, encoding=None, order="Seq") == {
        "columns": {"note_text": "What happened", "worker": "Staff"}, "encoding": "cp1252", "order": "Seq",
    }  # fmt: skip


def test_it_is_looked_for_beside_the_export_then_in_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (here, there):
        folder.mkdir()
    (there / "a.csv").write_text("x")
    monkeypatch.chdir(here)
    assert find_settings(there / "a.csv") == Settings()
    (here / "peerdrift.toml").write_text('sheet = "here"')
    assert find_settings(there / "a.csv").sheet == "here"
    (there / "peerdrift.toml").write_text('sheet = "there"')
    for source in (there / "a.csv", there):
        found = find_settings(source)
        assert (found.sheet, found.notices) == ("there", [f"settings from {there / 'peerdrift.toml'}"])


def test_every_problem_is_told_at_once(export) -> None:
    path = export(
        "peerdrift.toml",
        'rolls = ["x"]\norder = 7\nroles = "Coach"\nkeep_statuses = [1]\n\n[columns]\ntxt = "Note"\nworker = ""\n',
    )
    with pytest.raises(SettingsError) as caught:
        read_settings(path)
    assert str(caught.value).splitlines() == [
        "peerdrift.toml:1: unknown key 'rolls' in the file. Did you mean 'roles'?",
        "peerdrift.toml:2: 'order' must be a text, e.g. order = \"...\".",
        "peerdrift.toml:3: 'roles' must be a list of texts, e.g. roles = [\"...\"].",
        "peerdrift.toml:4: 'keep_statuses' must be a list of texts, e.g. keep_statuses = [\"...\"].",
        "peerdrift.toml:7: unknown key 'txt' in [columns]. Did you mean 'text'?",
        "peerdrift.toml:8: 'worker' must be the name of a column.",
        "peerdrift.toml:2: 'order' needs 'join_on': the column that the rows of a note share.",
        "7 problems; nothing was loaded.",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("columns = 3", "peerdrift.toml:1: 'columns' must be a table"),
        ("\nsheet = \n", "peerdrift.toml:2: is not valid TOML"),
        (b"sheet = '\xff'", "peerdrift.toml:1: is not valid TOML"),
        ("nonsense = 1", "unknown key 'nonsense' in the file. Allowed: encoding, sheet, join_on"),
    ],
)
def test_a_file_that_will_not_do(export, text: str | bytes, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(export("peerdrift.toml", text))
    assert message in str(caught.value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "peerdrift.toml"
    path.write_bytes(content)
    try:
        assert isinstance(read_settings(path), Settings)
    except SettingsError as error:
        assert error.problems


def test_fields_go_by_the_names_of_their_columns_too(export) -> None:
    path = export("a.csv", "id,What happened,Note\n1,a,b\n")
    assert list(open_export(path, columns={"note_text": "what happened"})) == [Note("1", "a")]
