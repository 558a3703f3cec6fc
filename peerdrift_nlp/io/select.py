"""Which notes to scan: those of peer workers, and of those the ones that count."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from peerdrift_nlp.io.readers import Item, Skipped
from peerdrift_nlp.types import Note

SKIPPED_STATUSES = (
    "void",
    "voided",
    "entered in error",
    "error",
    "deleted",
    "draft",
    "preliminary",
    "superseded",
    "retracted",
    "nullified",
)
"""A note whose status begins with one of these is left out."""

PEER_ROLES = (
    "peer",
    "lived experience",
    "recovery coach",
    "recovery support specialist",
    "recovery specialist",
    "recovery guide",
    "recovery mentor",
    "family partner",
    "parent partner",
    "family support specialist",
    "family support partner",
    "youth partner",
    "youth support partner",
    "CARC",
    "CPRC",
    "CPRS",
    "CPRSS",
    "CPS",
    "CPSS",
    "CPSW",
    "CPSWR",
    "CRPA",
    "CRS",
    "CRSS",
    "CPFS",
    "CFPS",
    "MHPS",
    "NCPRSS",
    "NCPS",
    "PRC",
    "PRS",
    "PRSS",
    "PSS",
    "PSW",
    "RSPS",
)
"""Roles and credentials of peer workers; one of these decides, whatever else is there."""

OTHER_ROLES = (
    "therapist",
    "psychotherapist",
    "psychiatrist",
    "psychologist",
    "nurse",
    "nurse practitioner",
    "physician",
    "physician assistant",
    "prescriber",
    "doctor",
    "clinician",
    "clinical supervisor",
    "social worker",
    "counselor",
    "counsellor",
    "case manager",
    "care manager",
    "care coordinator",
    "case worker",
    "pharmacist",
    "medical assistant",
    "APN",
    "APRN",
    "ARNP",
    "CADC",
    "CNA",
    "CNS",
    "CRNP",
    "DNP",
    "DO",
    "LAC",
    "LADC",
    "LCPC",
    "LCSW",
    "LCSWR",
    "LICSW",
    "LISW",
    "LMFT",
    "LMHC",
    "LMSW",
    "LPC",
    "LPCC",
    "LPN",
    "LSW",
    "LVN",
    "MD",
    "MFT",
    "MSW",
    "NP",
    "PA",
    "PMHNP",
    "PsyD",
    "QMHP",
    "RN",
)
"""Roles and credentials of others, whose notes would be wrongly measured by the peer role."""

KNOWN = "known from an earlier run"
"""Why a note of the baseline is left out."""

_TOO_SHORT_FOR_A_NAME = 3
_LEADING_WORDS = re.compile(r"^(?:(?:note|document|record|status|is|was|marked|as) )+")


def select(
    items: Iterable[Item], *, roles: Iterable[str] | None = None, keep_statuses: Iterable[str] | None = None
) -> Iterator[Item]:
    """Pass notes through; turn those that should not be scanned into ``Skipped``.

    A note with an unknown or without a role is kept. Without a role, credentials in capitals behind the
    worker's name ("Dana Roe, LCSW") count.

    Args:
        items: what an ``Export`` gives.
        roles: more roles that count as peer roles, e.g. ``["Case Manager"]``.
        keep_statuses: statuses to scan although they are usually left out, e.g. ``["draft"]``.
    """
    kept = {_words(status) for status in keep_statuses or ()}
    statuses = tuple(status for status in SKIPPED_STATUSES if status not in kept)
    peers = _pattern((*PEER_ROLES, *(roles or ())))
    others = _pattern(OTHER_ROLES)
    for item in items:
        if isinstance(item, Note) and (why := _why_not(item, statuses, peers, others)):
            yield Skipped(item.note_id, item.note_id, why)
        else:
            yield item


def only_new(items: Iterable[Item], is_known: Callable[[Note], bool]) -> Iterator[Item]:
    """Pass items through; turn notes that an earlier run has shown into ``Skipped``."""
    for item in items:
        if isinstance(item, Note) and is_known(item):
            yield Skipped(item.note_id, item.note_id, KNOWN)
        else:
            yield item


def _why_not(note: Note, statuses: tuple[str, ...], peers: re.Pattern[str], others: re.Pattern[str]) -> str:
    status = _LEADING_WORDS.sub("", _words(note.meta.get("status", ""))) + " "
    found = next((skipped for skipped in statuses if status.startswith(f"{skipped} ")), "")
    if found:
        return f"status: {found}"
    role = _words(note.meta.get("role", "")) or _credentials(note.meta.get("worker", ""))
    other = others.search(role)
    return f"not a peer role: {other[0]}" if other and not peers.search(role) else ""


def _credentials(worker: str) -> str:
    """What stands in capitals behind the comma of a worker's name; two letters may be a name."""
    parts = re.findall(r"\b[A-Z]+\b", worker.partition(",")[2].replace(".", ""))
    return _words(" ".join(part for part in parts if len(part) >= _TOO_SHORT_FOR_A_NAME or part in ("RN", "MD")))


def _words(value: str) -> str:
    """``value`` in lower-case words, with ``L.C.S.W.`` as one."""
    return " ".join(re.findall(r"\w+", value.replace(".", "").replace("_", " ").casefold()))


def _pattern(names: Iterable[str]) -> re.Pattern[str]:
    return re.compile(r"\b(?:" + "|".join(re.escape(_words(name)) for name in names) + r")s?\b")
