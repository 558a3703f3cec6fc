"""What a supervisor decided about the flags of a scan: the file that the report's page downloads and loads.

Notes are named by their fingerprints, sentences by their offsets, so the file holds no note text. Joined with the
notes again, each decision is a labelled sentence.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from jsonschema import Draft202012Validator

from peerdrift_nlp.errors import DecisionsError
from peerdrift_nlp.taxonomy import taxonomy

SCHEMA = "peerdrift.decisions/1"
MAX_BYTES = 20_000_000
MAX_COMMENT = 2000
_TOLD = 20
_FIX = "take the file as the report's page made it"

Verdict = Literal["accepted", "dismissed", "missed"]


@dataclass(frozen=True, slots=True)
class Decision:
    """One verdict on one sentence.

    ``note`` is the note's fingerprint; ``start`` and ``end`` are the sentence's offsets in code points. ``indicator``
    is the flag's or, where something was missed, the one she chose ("" for none). ``reason`` is the codebook's
    look-alike reason of a dismissed flag ("" for none).
    """

    note: str
    start: int
    end: int
    indicator: str
    verdict: Verdict
    reason: str = ""
    comment: str = ""

    @property
    def about(self) -> tuple[str, int, int, str]:
        """What it is a verdict on: of several on the same, the last one counts."""
        return (self.note, self.start, self.end, self.indicator)


@dataclass(frozen=True, slots=True)
class Decisions:
    """The decisions on one scan, or on one part of its report.

    ``run`` and ``made`` say when the scan began and when the file was made (ISO 8601); ``key_id`` which key made the
    fingerprints; ``read`` are the notes that were read to the end.
    """

    run: str
    key_id: str
    made: str = ""
    decisions: tuple[Decision, ...] = ()
    read: frozenset[str] = frozenset()

    def to_dict(self) -> dict[str, Any]:
        """The decisions as one object, ready for JSON."""
        return {
            "schema": SCHEMA,
            "run": self.run,
            "key_id": self.key_id,
            "made": self.made,
            "decisions": [asdict(item) for item in self.decisions],
            "read": sorted(self.read),
        }

    def to_json(self) -> str:
        """The decisions as a file."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=1) + "\n"


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a decisions file; yours to change."""
    loaded: dict[str, Any] = json.loads(Path(__file__).with_name("decisions.schema.json").read_text("utf-8"))
    return loaded


def read_decisions(path: str | os.PathLike[str]) -> Decisions:
    """Read a decisions file.

    Raises:
        DecisionsError: it cannot be read or is none; the message says where and what, and quotes no comment.
    """
    path = Path(path)
    data = _loaded(path)
    problems = list(_problems(data))
    if problems:
        more = [f"... and {len(problems) - _TOLD:,} more"] if len(problems) > _TOLD else []
        raise DecisionsError("\n".join([f"{path.name} is no decisions file; {_FIX}", *problems[:_TOLD], *more]))
    return Decisions(
        run=data["run"],
        key_id=data["key_id"],
        made=data["made"],
        decisions=tuple(Decision(**item) for item in data["decisions"]),
        read=frozenset(data["read"]),
    )


def merged(parts: Iterable[Decisions]) -> Decisions:
    """Decisions on the same scan as one; of two on the same flag, that of the file made last counts.

    Raises:
        DecisionsError: there are none, or they are on notes with different keys.
    """
    ordered = sorted(parts, key=lambda part: part.made)
    if len({part.key_id for part in ordered}) != 1:
        raise DecisionsError("decisions on different scans cannot be merged; take those of one scan's pages")
    last = {item.about: item for part in ordered for item in part.decisions}
    read = frozenset[str]().union(*(part.read for part in ordered))
    return replace(ordered[-1], decisions=tuple(last.values()), read=read)


def _loaded(path: Path) -> Any:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DecisionsError(f"{path.name} is larger than {MAX_BYTES:,} bytes; {_FIX}")
        return json.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise DecisionsError(f"{path} cannot be read: {error.strerror or error}; check the path") from None
    except (ValueError, RecursionError):
        raise DecisionsError(f"{path.name} is not JSON; {_FIX}") from None


def _problems(data: Any) -> Iterator[str]:
    """All that is wrong, each with its place; names are quoted, values are not: a comment could tell of somebody."""
    found = sorted(Draft202012Validator(schema()).iter_errors(data), key=lambda error: list(map(str, error.path)))
    for error in found:
        yield f"  {error.json_path}: {_wrong(error.validator, error.validator_value, error.instance, error.schema)}"
    if found:
        return
    for number, item in enumerate(data["decisions"]):
        for what in _at_odds(item):
            yield f"  $.decisions[{number}].{what}"


def _wrong(rule: Any, wanted: Any, value: Any, part: Any) -> str:
    if rule == "required":
        return f"lacks {', '.join(repr(name) for name in wanted if name not in value)}"
    if rule == "additionalProperties":
        unknown = sorted(set(value) - set(part["properties"]))
        return f"unknown {', '.join(repr(name[:40]) for name in unknown[:5])}"
    said = {"type": "must be of type", "const": "must be", "enum": "must be one of", "pattern": "must match"}
    most = {"maxLength": "is too long; the most is", "maxItems": "is too long; the most is", "minimum": "the least is"}
    return f"{(said | most).get(rule, rule)} {', '.join(wanted) if isinstance(wanted, list) else wanted}"


def _at_odds(item: dict[str, Any]) -> Iterator[str]:
    """What the schema cannot say of a decision."""
    if item["end"] <= item["start"]:
        yield "end: must be greater than start"
    if item["indicator"] not in taxonomy().indicators and (item["indicator"] or item["verdict"] != "missed"):
        yield "indicator: not in the codebook; `peerdrift rules list` names those that are"
    if item["reason"] and item["verdict"] != "dismissed":
        yield "reason: only a dismissed flag has one"
    elif item["reason"] and item["reason"] not in taxonomy().reasons:
        yield f"reason: must be one of {', '.join(taxonomy().reasons)}, or empty"
