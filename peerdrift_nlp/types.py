"""What passes between the rooms, none of it to be changed: frozen dataclasses, and tuples where there are many.

Offsets are half-open code-point indices into the note text exactly as it was given.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from annotated_types import Ge, Interval

from peerdrift_nlp.errors import ReportError, UsageError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Actor = Literal["writer", "person", "other_staff", "organization", "other", "unclear"]
Voice = Literal["own", "attributed", "quoted"]
Status = Literal["done", "planned", "declined", "hypothetical", "asked", "regretted"]
Initiator = Literal["person", "writer", "staff", "unknown"]
Origin = Literal["rule", "model", "both"]
NoteStatus = Literal["complete", "incomplete", "failed"]
SentenceKind = Literal["sentence", "heading", "field", "signature"]

Offset = Annotated[int, Ge(0)]
Severity = Annotated[int, Interval(ge=1, le=3)]
Probability = Annotated[float, Interval(ge=0, le=1)]

SCHEMA = "peerdrift.note-report/1"
MAX_NOTE_CHARS = 1_000_000
"""A longer "note" is a mistake of the export, and would hold up the whole run."""


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open stretch ``text[start:end]`` of the note."""

    start: Offset
    end: Offset

    def to_dict(self) -> dict[str, int]:
        """The span as ``{"start", "end"}``."""
        return {"start": self.start, "end": self.end}


@dataclass(frozen=True, slots=True)
class Note:
    """One note as read: an id, its text, and whatever else the export said about it.

    ``meta`` keys that the package knows: ``worker``, ``role``, ``program``, ``date`` (ISO),
    ``status``, ``service``. Others are carried along untouched.

    Raises:
        UsageError: one of them is of another type.
    """

    note_id: str
    text: str
    meta: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.note_id, str):
            raise UsageError(f"the id of a note must be a str, not {type(self.note_id).__name__}")
        if not isinstance(self.text, str):
            kind = type(self.text).__name__
            raise UsageError(f'note {self.note_id!r}: its text must be a str, not {kind}; "" stands for none')
        if not isinstance(self.meta, Mapping) or not all(
            isinstance(item, str) for pair in self.meta.items() for item in pair
        ):
            raise UsageError(f"note {self.note_id!r}: its meta must be a mapping of str to str")


class Sentence(NamedTuple):
    """One unit of a note: a sentence, bullet or fragment, or a heading, field or signature.

    ``section`` is the canonical name of the heading that it stands under ("" for none).
    """

    start: Offset
    end: Offset
    kind: SentenceKind = "sentence"
    section: str = ""


@dataclass(frozen=True, slots=True)
class Cue:
    """Words that decided a stance, e.g. ``Cue("declined", 3, 9)``."""

    kind: str
    start: Offset
    end: Offset

    def to_dict(self) -> dict[str, Any]:
        """The cue as ``{"kind", "start", "end"}``."""
        return {"kind": self.kind, "start": self.start, "end": self.end}


@dataclass(frozen=True, slots=True)
class Stance:
    """Who did it, in whose voice, whether it was done, and whose wish it was."""

    actor: Actor = "writer"
    voice: Voice = "own"
    status: Status = "done"
    initiator: Initiator = "unknown"
    cues: tuple[Cue, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The stance with its cues, ready for JSON."""
        return {
            "actor": self.actor,
            "voice": self.voice,
            "status": self.status,
            "initiator": self.initiator,
            "cues": [cue.to_dict() for cue in self.cues],
        }


class Hit(NamedTuple):
    """A rule that matched in a sentence, with its stance.

    ``cleared_by`` is the codebook's look-alike reason that clears the hit, or "" where it stands;
    ``clearing_cue`` is the stretch of text that cleared it, where there is one; ``policy`` is the policy
    of the program's profile that did.
    """

    rule_id: str
    indicator: str
    severity: Severity
    start: Offset
    end: Offset
    sentence: int
    stance: Stance
    cleared_by: str = ""
    clearing_cue: Span | None = None
    policy: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One rule's part in a finding."""

    rule_id: str
    start: Offset
    end: Offset
    stance: Stance

    def to_dict(self) -> dict[str, Any]:
        """The evidence, ready for JSON."""
        return {
            "rule_id": self.rule_id,
            "start": self.start,
            "end": self.end,
            "stance": self.stance.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class Weight:
    """Words that weighed for the model's verdict; ``weight`` is in log-odds."""

    start: Offset
    end: Offset
    weight: float

    def to_dict(self) -> dict[str, Any]:
        """The weight, ready for JSON."""
        return {"start": self.start, "end": self.end, "weight": round(self.weight, 3)}


@dataclass(frozen=True, slots=True)
class Finding:
    """One drift indicator in one sentence, with everything a conversation about it needs."""

    id: str
    label: str
    indicator: str
    locus: Literal["individual", "organizational"]
    severity: Severity
    probability: Probability
    start: Offset
    end: Offset
    sentence: Span
    origin: Origin
    evidence: tuple[Evidence, ...]
    words: tuple[Weight, ...]
    reason: str
    guideline: str
    question: str
    clears: str
    alternative: str

    def to_dict(self) -> dict[str, Any]:
        """The finding in the form of ``reports.jsonl``."""
        return {
            "id": self.id,
            "label": self.label,
            "indicator": self.indicator,
            "locus": self.locus,
            "severity": self.severity,
            "probability": round(self.probability, 4),
            "start": self.start,
            "end": self.end,
            "sentence": self.sentence.to_dict(),
            "origin": self.origin,
            "evidence": [item.to_dict() for item in self.evidence],
            "words": [item.to_dict() for item in self.words],
            "reason": self.reason,
            "guideline": self.guideline,
            "question": self.question,
            "clears": self.clears,
            "alternative": self.alternative,
        }


@dataclass(frozen=True, slots=True)
class Strength:
    """Role-consistent practice in one sentence. ``practice`` is "" where only the label is sure."""

    practice: str
    probability: Probability
    start: Offset
    end: Offset

    def to_dict(self) -> dict[str, Any]:
        """The strength in the form of ``reports.jsonl``."""
        return {
            "practice": self.practice,
            "probability": round(self.probability, 4),
            "start": self.start,
            "end": self.end,
        }


@dataclass(frozen=True, slots=True)
class LookAlike:
    """A cue that was *not* flagged, with the codebook's reason and the words that cleared it."""

    rule_id: str
    indicator: str
    start: Offset
    end: Offset
    reason: str
    cue: Span | None = None

    def to_dict(self) -> dict[str, Any]:
        """The look-alike in the form of ``reports.jsonl``."""
        return {
            "rule_id": self.rule_id,
            "indicator": self.indicator,
            "start": self.start,
            "end": self.end,
            "reason": self.reason,
            "cue": self.cue.to_dict() if self.cue else None,
        }


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything the engine knows of one sentence.

    ``probabilities`` are the model's, by label; ``features`` are the heaviest for each label, as
    ``(feature, weight in log-odds)``.
    """

    sentence: Sentence
    hits: tuple[Hit, ...]
    probabilities: Mapping[str, float]
    features: Mapping[str, tuple[tuple[str, float], ...]]


@dataclass(frozen=True, slots=True)
class Engine:
    """What made a report: enough to make it again."""

    version: str
    model: str
    profile: str
    packs: Mapping[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Versions and content hashes, ready for JSON."""
        return {
            "version": self.version,
            "model": self.model,
            "profile": self.profile,
            "packs": dict(self.packs),
        }


@dataclass(frozen=True, slots=True)
class NoteReport:
    """The verdict on one note. ``text`` stays in memory for rendering; ``to_dict`` leaves it out.

    ``switched_off`` counts the hits that each policy of the profile cleared, ``suppressed`` the findings
    that each suppression, by its id, left out.
    ``fingerprint`` stands for the text where results are kept: a keyed hash, "" until they are written.
    ``sentence_count`` is what the summary says where ``sentences`` have been left out.
    """

    note_id: str
    status: NoteStatus
    engine: Engine
    problems: tuple[str, ...] = ()
    meta: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    strengths: tuple[Strength, ...] = ()
    look_alikes: tuple[LookAlike, ...] = ()
    sentences: tuple[Sentence, ...] = ()
    text: str = field(default="", repr=False)
    switched_off: Mapping[str, int] = field(default_factory=dict)
    suppressed: Mapping[str, int] = field(default_factory=dict)
    fingerprint: str = ""
    sentence_count: int = field(default=0, compare=False, repr=False)

    @property
    def summary(self) -> dict[str, Any]:
        """Counts: sentences, findings by label, organizational findings, strengths, look-alikes."""
        by_label: dict[str, int] = {}
        for finding in self.findings:
            by_label[finding.label] = by_label.get(finding.label, 0) + 1
        return {
            "sentences": sum(item.kind == "sentence" for item in self.sentences) or self.sentence_count,
            "findings": sum(finding.locus == "individual" for finding in self.findings),
            "organizational": sum(finding.locus == "organizational" for finding in self.findings),
            "by_label": dict(sorted(by_label.items())),
            "strengths": len(self.strengths),
            "look_alikes": len(self.look_alikes),
        }

    def to_dict(self) -> dict[str, Any]:
        """The report as one object of ``reports.jsonl``; it holds offsets, never note text."""
        return {
            "schema": SCHEMA,
            "note_id": self.note_id,
            **({"fingerprint": self.fingerprint} if self.fingerprint else {}),
            "status": self.status,
            "problems": list(self.problems),
            "meta": dict(self.meta),
            "engine": self.engine.to_dict(),
            "summary": self.summary,
            "findings": [finding.to_dict() for finding in self.findings],
            "strengths": [strength.to_dict() for strength in self.strengths],
            "look_alikes": [look_alike.to_dict() for look_alike in self.look_alikes],
            **({"switched_off": dict(self.switched_off)} if self.switched_off else {}),
            **({"suppressed": dict(self.suppressed)} if self.suppressed else {}),
        }

    def to_json(self) -> str:
        """``to_dict`` as one line of JSON."""
        return json.dumps(self.to_dict(), ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> NoteReport:
        """The report that ``to_dict`` gave as an object; ``to_dict`` of it gives that object again.

        Text and sentences, which ``to_dict`` left out, are empty, and numbers stay rounded. Keys that this version
        does not know are passed over, as the compatibility policy says; a value that its type cannot hold is refused.

        Args:
            data: a line of ``reports.jsonl``, or an answer with ``to_dict``, loaded from JSON.

        Raises:
            ReportError: of another schema, with offsets in UTF-16 units, or damaged; the message says where.
        """
        if not isinstance(data, Mapping) or data.get("schema") != SCHEMA:
            raise ReportError(f"no note report of the form {SCHEMA}: read it with the version that wrote it")
        if "offset_unit" in data:
            raise ReportError(
                "offsets count UTF-16 units: keep the report as to_dict gave it, and convert on the way out"
            )
        known = {key: value for key, value in data.items() if key not in ("text", "sentences", "sentence_count")}
        from pydantic import ValidationError

        try:
            return _reader().validate_python(known | {"sentence_count": data["summary"]["sentences"]})
        except ValidationError as error:
            # Of the library's words only place and kind: its full message would quote the value.
            first = error.errors(include_input=False, include_url=False, include_context=False)[0]
            place = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in first["loc"])
            place = place.replace(".sentence_count", ".summary.sentences")
            raise ReportError(f"a damaged note report: ${place}: {first['type']}; scan the note again") from None
        except (LookupError, TypeError):
            raise ReportError("a damaged note report: $.summary.sentences is missing; scan the note again") from None


@cache
def _reader() -> TypeAdapter[NoteReport]:
    # Not at the top: importing the package loads nothing heavy.
    from pydantic import TypeAdapter

    return TypeAdapter(NoteReport)
