from __future__ import annotations

import pytest

from peerdrift_nlp.errors import NoteReadError
from peerdrift_nlp.io import Skipped, select
from peerdrift_nlp.types import Note


def why(**meta: str) -> str:
    (item,) = select([Note("1", "text", meta)])
    return item.why if isinstance(item, Skipped) else ""


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("VOID", "status: void"),
        ("Voided", "status: voided"),
        ("entered-in-error", "status: entered in error"),
        ("Entered_In_Error", "status: entered in error"),
        ("Note deleted 3/4", "status: deleted"),
        ("Draft - not signed", "status: draft"),
        ("superseded", "status: superseded"),
        ("preliminary", "status: preliminary"),
        ("Signed", ""),
        ("Signed (was draft)", ""),
        ("Avoided", ""),
        ("", ""),
    ],
)
def test_statuses(status: str, reason: str) -> None:
    assert why(status=status) == reason


@pytest.mark.parametrize(
    "role",
    [
        "",
        "CRSS",
        "C.P.S.S.",
        "Certified Peer Specialist",
        "peer support specialists",
        "Recovery Coach",
        "Family Partner",
        "Peer Counselor",
        "CRSS, LSW",
        "RN / Certified Peer Specialist",
        "House Manager",
        "Housing Navigator",
    ],
)
def test_peers_and_unknown_roles_are_kept(role: str) -> None:
    assert why(role=role) == ""


@pytest.mark.parametrize(
    ("role", "found"),
    [
        ("LCSW", "lcsw"),
        ("L.C.S.W.", "lcsw"),
        ("Jane, M.D.", "md"),
        ("Staff Nurse", "nurse"),
        ("RN", "rn"),
        ("Case Managers", "case managers"),
        ("outpatient_therapist", "therapist"),
        ("Psychiatrist", "psychiatrist"),
    ],
)
def test_others_are_left_out(role: str, found: str) -> None:
    assert why(role=role) == f"not a peer role: {found}"


@pytest.mark.parametrize(
    ("worker", "reason"),
    [
        ("Dana Roe, LCSW", "not a peer role: lcsw"),
        ("Roe, Dana, R.N.", "not a peer role: rn"),
        ("Roe, Dana, CPSS, LSW", ""),
        ("Kim, Do", ""),
        ("Roe, Dana", ""),
        ("KIM, DO", ""),
        ("MD ROE", ""),
    ],
)
def test_credentials_behind_the_name_count_where_there_is_no_role(worker: str, reason: str) -> None:
    assert why(worker=worker) == reason
    assert why(worker=worker, role="Recovery Coach") == ""


def test_tables_can_be_extended_and_other_items_pass() -> None:
    manager, draft = Note("1", "x", {"role": "Case Manager"}), Note("2", "x", {"status": "Draft"})
    error, skipped = NoteReadError("row 3", "is short"), Skipped("row 4", "4", "no text")
    items = [manager, draft, error, skipped]
    assert list(select(items, roles=["case manager"], keep_statuses=["DRAFT"])) == items
    assert list(select(items)) == [
        Skipped("1", "1", "not a peer role: case manager"),
        Skipped("2", "2", "status: draft"),
        error,
        skipped,
    ]
