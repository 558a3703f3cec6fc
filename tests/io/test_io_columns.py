from __future__ import annotations

import pytest

from peerdrift_nlp.errors import InputError, UsageError
from peerdrift_nlp.io.columns import ALIASES, FIELDS, map_columns, normal
from peerdrift_nlp.io.dates import iso_date


def test_case_spaces_and_underscores_do_not_matter() -> None:
    names = ["NOTE_ID", "Progress  Note", "staffName", "Credentials", "program", "Date-of-Service", "Status", "MRN"]
    assert map_columns(names) == {
        "note_id": "NOTE_ID",
        "text": "Progress  Note",
        "worker": "staffName",
        "role": "Credentials",
        "program": "program",
        "date": "Date-of-Service",
        "status": "Status",
        "client": "MRN",
    }


def test_the_more_telling_name_wins() -> None:
    assert map_columns(["Comments", "Note Text", "ID", "Note ID"]) == {"note_id": "Note ID", "text": "Note Text"}


def test_no_alias_stands_for_two_fields() -> None:
    aliases = [normal(alias) for field in FIELDS for alias in ALIASES[field]]
    assert sorted(aliases) == sorted(set(aliases))


def test_overrides_win_and_free_their_column_of_its_usual_field() -> None:
    names = ["Note", "Comments", "Author"]
    assert map_columns(names, {"text": "comments", "note_id": "Note"}) == {
        "note_id": "Note",
        "text": "Comments",
        "worker": "Author",
    }
    assert map_columns(["Author", "Narrative"], {"text": "Author"}) == {"text": "Author"}


def test_an_override_to_an_unknown_column_lists_the_columns() -> None:
    with pytest.raises(UsageError, match=r"x\.csv has no column 'Txt' to read as text; its columns are 'A', 'Text'"):
        map_columns(["A", "Text"], {"text": "Txt"}, source="x.csv")


def test_an_override_of_an_unknown_field_lists_the_fields() -> None:
    with pytest.raises(UsageError, match=r"unknown field 'txt'.*note_id, text, worker"):
        map_columns(["Text"], {"txt": "Text"})


def test_without_a_text_column_the_message_shows_the_fix() -> None:
    with pytest.raises(InputError, match=r"its columns are 'Note ID', 'What happened'\..*--map text=COLUMN"):
        map_columns(["Note ID", "What happened"])


@pytest.mark.parametrize("first", ["0042", "2024-01-05", "He told me of his zebra marmalade confession", "a\nb"])
def test_a_first_row_of_data_is_not_quoted(first: str) -> None:
    with pytest.raises(InputError, match=r"its first row \(2 cells\) seems to be data") as caught:
        map_columns([first, "zebra"])
    assert "zebra" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "iso"),
    [
        ("2024-03-07", "2024-03-07"),
        ("2024-3-7T14:00:00Z", "2024-03-07"),
        ("20240307", "2024-03-07"),
        ("3/7/2024", "2024-03-07"),
        ("03/07/24 2:15 PM", "2024-03-07"),
        ("3-7-1999", "1999-03-07"),
        ("45358", "2024-03-07"),
        ("45358.5", "2024-03-07"),
        ("25/12/2024", "25/12/2024"),
        ("2024-13-40", "2024-13-40"),
        ("12345", "12345"),
        ("last Tuesday", "last Tuesday"),
    ],
)
def test_dates(given: str, iso: str) -> None:
    assert iso_date(given) == iso
