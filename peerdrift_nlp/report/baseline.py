"""Baselines: which notes and flags a supervisor has seen, as keyed fingerprints and no text."""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

from peerdrift_nlp.errors import BaselineError, DecisionsError, UsageError
from peerdrift_nlp.report.decisions import Decisions, Verdict, merged, read_decisions
from peerdrift_nlp.report.fingerprint import KEY_BYTES, Fingerprints, new_key
from peerdrift_nlp.taxonomy import taxonomy
from peerdrift_nlp.types import Finding, Note, NoteReport

SCHEMA = "peerdrift.baseline/1"
DECIDED = "decided"
"""Under this name ``NoteReport.suppressed`` counts the findings that had a verdict."""

MAX_BYTES = 500_000_000
_FIX = "put back a whole copy of it, or start a new baseline under another name"
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class _Flag:
    """A finding that was shown: its sentence as fingerprint and place, and what was decided ("" for nothing yet)."""

    sentence: str
    start: int
    end: int
    indicator: str
    verdict: str = ""


class Baseline:
    """What earlier runs have shown. Ask ``is_known``, pass reports through ``undecided``, then ``save``.

    A note is known by its id and its text; where the export has no ids, by its text alone. A note with a
    known id and another text was edited: what was decided about sentences that it still holds is not asked again.

    Args:
        path: the baseline, made by ``save`` where there is none; its key lies beside it in ``path.key``.
        by_id: whether the notes' ids are those of the record, and no mere places in the file.

    Attributes:
        key: the key of the fingerprints.
        notices: what is worth saying, one plain sentence each.

    Raises:
        BaselineError: a file that will not do, with what to mend.
    """

    def __init__(self, path: str | os.PathLike[str], *, by_id: bool = True) -> None:
        self._path = Path(path)
        self._key_path = key_path(self._path)
        self._by_id = by_id
        self._notes: dict[tuple[str, str], list[_Flag]] = {}
        self.notices = [] if by_id else ["no note ids: a note that was edited is shown as new, decided flags included"]
        if not self._path.parent.is_dir():
            raise BaselineError(f"{self._path.parent} is no folder; make it, or name another place for the baseline")
        self.key = self._read_key()
        self._fingerprints = Fingerprints(self.key)
        if self._path.exists():
            self._read()
        self._decided = self._by_note()

    @property
    def key_id(self) -> str:
        """Tells the key from others."""
        return self._fingerprints.key_id

    def take_key(self, key: bytes) -> None:
        """Go on with the key of an interrupted run; only a baseline that has no notes yet can."""
        if key != self.key and not self._notes and not self._key_path.exists():
            self.key = key
            self._fingerprints = Fingerprints(key)

    def is_known(self, note: Note) -> bool:
        """Whether an earlier run has shown this note as it stands."""
        return self._name(note.note_id, note.text) in self._notes

    def learn(self, decisions: Decisions) -> None:
        """Take over verdicts on flags that earlier runs have shown.

        Raises:
            DecisionsError: they were made on a run with another key.
        """
        if decisions.key_id != self.key_id:
            raise DecisionsError(
                f"these decisions are on a scan without this baseline (key {decisions.key_id}, not {self.key_id}); "
                "take those made on the report of a scan with --baseline"
            )
        verdicts = {item.about: item.verdict for item in decisions.decisions if item.verdict != "missed"}
        used: set[tuple[str, int, int, str]] = set()
        for (_, text), flags in self._notes.items():
            for place, flag in enumerate(flags):
                about = (text, flag.start, flag.end, flag.indicator)
                if about in verdicts:
                    used.add(about)
                    flags[place] = replace(flag, verdict=verdicts[about])
        self._decided = self._by_note()
        if strange := len(verdicts) - len(used):
            self.notices.append(f"{strange:,} decisions are on flags that the baseline does not know")

    def undecided(self, report: NoteReport) -> NoteReport:
        """The report without the findings that had a verdict already; the baseline keeps what is shown."""
        if report.status != "complete":
            return report
        note, text = self._name(report.note_id, report.text)
        decided = self._decided.get(note, {})
        flags = [self._flag(finding, report.text, decided) for finding in report.findings]
        # A report of an interrupted run comes without what had a verdict; that must not be forgotten.
        before = [flag for flag in self._notes.get((note, text), ()) if flag not in flags]
        self._notes[note, text] = before + flags
        kept = [finding for finding, flag in zip(report.findings, flags, strict=True) if not flag.verdict]
        if left_out := len(flags) - len(kept):
            counts = Counter(report.suppressed) + Counter({DECIDED: left_out})
            return replace(report, findings=tuple(kept), suppressed=dict(counts))
        return report

    def save(self) -> None:
        """Write the baseline and, the first time, its key; both for their owner's eyes alone.

        Raises:
            BaselineError: they cannot be written.
        """
        notes = [
            {"note": text, "id": note, "findings": [_flag_dict(flag) for flag in flags]}
            for (note, text), flags in self._notes.items()
        ]
        data = {"schema": SCHEMA, "key_id": self.key_id, "notes": notes}
        if not self._key_path.exists():
            self._write(self._key_path, self.key.hex() + "\n")
        self._write(self._path, json.dumps(data, separators=(",", ":")) + "\n")

    def _name(self, note_id: str, text: str) -> tuple[str, str]:
        return self._fingerprints.note(note_id) if self._by_id else "", self._fingerprints.note(text)

    def _flag(self, finding: Finding, text: str, decided: Mapping[tuple[str, str], str]) -> _Flag:
        at = finding.sentence
        sentence = self._fingerprints.sentence(text[at.start : at.end])
        verdict = decided.get((sentence, finding.indicator), "")
        return _Flag(sentence, at.start, at.end, finding.indicator, verdict)

    def _by_note(self) -> dict[str, dict[tuple[str, str], str]]:
        """Verdicts by sentence and indicator, for each note with an id of its own."""
        decided: dict[str, dict[tuple[str, str], str]] = {}
        for (note, _), flags in self._notes.items():
            if note:
                found = {(flag.sentence, flag.indicator): flag.verdict for flag in flags if flag.verdict}
                decided.setdefault(note, {}).update(found)
        return decided

    def _read_key(self) -> bytes:
        if not self._key_path.exists():
            if self._path.exists():
                raise BaselineError(
                    f"{self._path.name} has lost its key: {self._key_path.name} must lie beside it; "
                    "put it back, or start a new baseline under another name"
                )
            return new_key()
        try:
            key = bytes.fromhex(self._key_path.read_text(encoding="ascii"))
        except OSError as error:
            raise BaselineError(f"{self._key_path} cannot be read: {error.strerror or error}") from None
        except ValueError:
            key = b""
        if len(key) != KEY_BYTES:
            raise BaselineError(f"{self._key_path.name} holds no key of {2 * KEY_BYTES} hex digits; {_FIX}")
        return key

    def _read(self) -> None:
        data = _loaded(self._path)
        if not isinstance(data, dict) or data.get("schema") != SCHEMA:
            raise BaselineError(f"{self._path.name} is no baseline of the form {SCHEMA}; name another file")
        if data.get("key_id") != self.key_id:
            raise BaselineError(
                f"{self._path.name} was made with another key than {self._key_path.name} holds; put back the two "
                "that belong together, or start a new baseline under another name"
            )
        try:
            for entry in _listed(data["notes"]):
                self._notes[_digits(entry["id"], empty=True), _digits(entry["note"])] = list(_flags(entry["findings"]))
        except (KeyError, TypeError, ValueError):
            place = f"$.notes[{len(self._notes)}]" if isinstance(data.get("notes"), list) else "$.notes"
            raise BaselineError(f"{self._path.name} is damaged at {place}; {_FIX}") from None

    def _write(self, path: Path, text: str) -> None:
        try:
            handle, part = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)  # mode 0600
            try:
                with os.fdopen(handle, "w", encoding="ascii") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
                Path(part).replace(path)
            except BaseException:
                with suppress(OSError):
                    Path(part).unlink()
                raise
        except OSError as error:
            raise BaselineError(
                f"{path} cannot be written: {error.strerror or error}; the results of the run are whole, "
                "but the next run will show its notes again"
            ) from None


def key_path(baseline: Path) -> Path:
    """Where the key of a baseline lies."""
    return baseline.with_name(baseline.name + ".key")


def open_baseline(
    path: str | os.PathLike[str] | None, decisions: Sequence[str | os.PathLike[str]] = (), *, by_id: bool
) -> Baseline | None:
    """The baseline of a run, with decisions taken over; none without a path.

    Raises:
        UsageError: decisions without a baseline.
        BaselineError, DecisionsError: a file that will not do, with what to mend.
    """
    if path is None:
        if decisions:
            raise UsageError("--decisions are noted in a baseline: name it with --baseline")
        return None
    baseline = Baseline(path, by_id=by_id)
    if decisions:
        baseline.learn(merged(map(read_decisions, decisions)))
    return baseline


def _loaded(path: Path) -> Any:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BaselineError(f"{path.name} is larger than {MAX_BYTES:,} bytes; is it the right file?")
        return json.loads(path.read_bytes())
    except OSError as error:
        raise BaselineError(f"{path} cannot be read: {error.strerror or error}; check the path") from None
    except (ValueError, RecursionError):
        raise BaselineError(f"{path.name} is no baseline, or is damaged: it is not JSON; {_FIX}") from None


def _flags(entries: Any) -> Iterator[_Flag]:
    """Flags as they were stored; anything unusual is a ``ValueError``, ``KeyError`` or ``TypeError``."""
    for entry in _listed(entries):
        start, end, verdict = entry["start"], entry["end"], entry["verdict"]
        if type(start) is not int or type(end) is not int or not 0 <= start < end:
            raise ValueError
        if verdict not in ("", *get_args(Verdict)) or entry["indicator"] not in taxonomy().indicators:
            raise ValueError
        yield _Flag(_digits(entry["sentence"]), start, end, entry["indicator"], verdict)


def _listed(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    raise TypeError


def _flag_dict(flag: _Flag) -> dict[str, Any]:
    return {name: getattr(flag, name) for name in ("sentence", "start", "end", "indicator", "verdict")}


def _digits(value: Any, *, empty: bool = False) -> str:
    """A fingerprint, or ``ValueError``."""
    if isinstance(value, str) and set(value) <= _HEX and (len(value) == 32 or (empty and not value)):
        return value
    raise ValueError
