"""Recognise the lines of a note: headings, header fields, bullets, signatures, wrapped lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

LineKind = Literal["blank", "heading", "field", "title", "signature", "bullet", "plain"]

# Heading words and the section that they open. One-letter headings need a colon, dash or own line.
_SECTIONS: dict[str, str] = {
    "data": "data",
    "d": "data",
    "subjective": "subjective",
    "s": "subjective",
    "objective": "objective",
    "o": "objective",
    "assessment": "assessment",
    "a": "assessment",
    "plan": "plan",
    "p": "plan",
    "behavior": "behavior",
    "behaviour": "behavior",
    "b": "behavior",
    "intervention": "intervention",
    "interventions": "intervention",
    "i": "intervention",
    "response": "response",
    "r": "response",
    "goal": "goal",
    "goals": "goal",
    "g": "goal",
    "problem": "problem",
    "evaluation": "evaluation",
    "e": "evaluation",
    "narrative": "narrative",
    "note": "narrative",
    "progress note": "narrative",
    "summary": "narrative",
    "session summary": "narrative",
    "strengths": "strengths",
    "next steps": "plan",
    "next step": "plan",
    "next": "plan",
    "follow up": "plan",
    "follow-up": "plan",
    "f/u": "plan",
    "action": "intervention",
    "actions": "intervention",
    "purpose": "goal",
    "topic": "narrative",
    "topics": "narrative",
    "outcome": "response",
    "progress": "response",
    "comments": "narrative",
}

_FIELDS = """
    date|time|duration|start|end|start time|end time|time in|time out|length|minutes|units|client|client id|
    client name|member|member id|name|participant|guest|vet|veteran|person served|id|case id|record|mrn|dob|
    program|service|service type|service code|type of service|billing code|code|cpt|procedure|modifier|location|
    place|place of service|pos|setting|site|staff|worker|provider|author|peer|peer specialist|peer support|
    peer support specialist|writer|facilitator|credential|credentials|role|title|contact|contact type|
    type of contact|type|mode|method|modality|dx|diagnosis|diagnoses|icd|icd-10|status|funding|payer|insurance|
    goal #|goal number|objective #|group|group name|topic code|attendance|attendees|present|unit|room|shift|call|
    caller|call type|call length|visit|visit type|encounter|note type|signature|signed|supervisor|cosign|county|
    region|vehicle|mileage|miles|language|interpreter|housing|court|case|po|phase|county case|tele|travel|
    travel time|activity|activity code|billable|svc
    """
_FIELD_NAMES = frozenset(name.strip() for name in _FIELDS.split("|"))
# The first word of a field's name, where the form goes on ("Dx (auto-filled)", "Goal 2", "Svc code").
_FORMS = frozenset("dx diagnosis diagnoses icd svc service goal objective billing".split())
# Fields in which some tell what they did ("Call: told him he must attend").
_TOLD_IN = frozenset(
    """
    contact call visit encounter activity group staff worker peer writer facilitator service status housing court case
    """.split()
) | {"peer specialist", "peer support", "peer support specialist", "type of contact", "type of service"}
# What stands after one of these is an observation, whatever form asks for it ("Affect: flat").
_CHARTED = frozenset(
    """
    affect mood sleep appetite si hi si/hi avh orientation speech thoughts insight judgment behavior risk symptoms
    cravings withdrawal anxiety depression meds medication medications adherence compliance ua uds utox bac
    breathalyzer bp pulse temp vitals weight ciwa cows glucose
    """.split()
)
# A few words in one of these name a service or a post, and say nothing of what was done ("Service: Peer Counseling").
_TITLE_FIELDS = frozenset(
    {
        *("service", "service type", "type of service", "service code", "billing code", "code", "cpt", "procedure"),
        *("modifier", "program", "title", "role", "credential", "credentials"),
    }
)
_LONGEST_TITLE = 5
_LONGEST_VALUE = 5
_LONGEST_OTHER = 4
_SHORTEST_PROSE = 4

_CREDENTIALS = (
    r"(?:CRSS|CPRS|CPSS?|CPS-\w+|PSS|CRPA(?:-\w+)?|CPRC|CRC|NCPS|CPSW|PRSS?|PRC|RCP|FPS|CFPS?|PS|CHW|VPS|CRS|CCAR|"
    r"LCSW|LPC|RN|MSW|[Pp]eer(?: [Ss]upport| [Rr]ecovery)?(?: [Ss]pecialist| [Cc]oach| [Ww]orker| [Cc]ounselor)|"
    r"[Rr]ecovery [Cc]oach)"
)
_HEADING = re.compile(
    r"[ \t]*(?P<word>[A-Za-z][A-Za-z/\- ]{0,18}?)(?:[ \t]*\([A-Za-z ]{1,14}\))?(?P<mark>[ \t]*(?::|-(?=[ \t]))+)"
)
_HEADING_ALONE = re.compile(r"[ \t]*(?P<word>[A-Za-z][A-Za-z/\- ]{0,18}?)[ \t]*+[:.\-]?+[ \t]*+$")
# A colon between digits belongs to a time.
_FIELD = re.compile(
    r"[ \t]*(?:[*\-][ \t]*)?(?P<key>[A-Za-z][A-Za-z0-9 #/()\-.]{0,28}?)[ \t]*(?:=|(?<!\d):|:(?!\d))[ \t]*(?P<value>.*)$"
)
# "Mental status (required): Cooperative ...": some agency's own heading, told by its capital and colon.
_NAMED_HEADING = re.compile(
    r"[ \t]*(?!(?:He|She|They|I|We|It|Told|Said|Asked|Then|So|Also|And|But|Note|Quote)\b)"
    r"[A-Z][A-Za-z/&-]*(?: [A-Za-z/&-]+){0,3}(?: ?\([^()\n]{1,16}\))?:[ \t]+(?=[A-Z\"])"
)
# What stands in a field is the writer's own word where it says so ("Dx: F33.1 per our talk") or tells of the person.
_JUDGED = re.compile(
    r"\b(?:I|my|our|we|per (?:my|our|this)|(?:seems|appears|looks) (?:to|like)|"
    r"(?i:he|him|his|she|her|hers|they|them|their))\b"
)
_BULLET = re.compile(r"[ \t]*(?:[-*+>~]+(?=[ \t]|[A-Za-z])|\(?\d{1,2}[.)](?=[ \t])|\(?[a-h]\)(?=[ \t])|-->?)")
_SIGNED = re.compile(
    r"[ \t]*+(?:electronically[ \t]++signed\b|signed(?:[ \t]++by\b|[ \t]*+[:,])).{0,80}$", re.IGNORECASE
)
# Names with a credential; whatever a worker did with a nurse ("Told the RN") is none.
_ACT = (
    r"(?:Told|Said|Asked|Met|Saw|Called|Gave|Took|Drove|Got|Went|Sat|Had|Spoke|Will|Did|Let|Put|Sent|Made|Kept|Held|Ran|Left|"
    r"Talked|Helped|Walked|Reminded|Counted|Checked|Watched|Texted|Emailed|Referred|Discussed|Reviewed|Informed|Notified|"
    r"The|A|An|He|She|They|I|We|It|No|Next|Plan|Per|With|And|Then|After|Before|Also|Ct|Pt|Client|Member|Nurse|Dr|Doctor)\b"
)
_SIGNATURE = re.compile(
    rf"[ \t]*+[-~/*]*+[ \t]*+(?:s/[ \t]*+)?(?!{_ACT})(?:[A-Z][\w'\-]*+\.?+|de|la|del|van|von|bin|al)"
    r"(?:(?:[ \t]++|(?<=\.))(?:[A-Z][\w'\-]*+\.?+|de|la|del|van|von|bin|al)){0,3}?[ \t]*+[,/\-|]?+[ \t]*+(?<!\w)"
    rf"{_CREDENTIALS}(?!\w)(?:[ \t,./:\-|]|\d|[AaPp][Mm]\b|[A-Z][\w'\-]*+){{0,40}}(?<!\w\.)$"
)
_INITIALS = re.compile(r"[ \t]*+(?:[A-Z]{2,3}|(?:[A-Z]\.){2,3})[ \t]*+$")
_DASHED_NAME = re.compile(rf"[ \t]*+[-~]{{1,2}}[ \t]*+(?!{_ACT})[A-Z][a-z]*+(?:[ .]*+[A-Z][a-z]*+\.?+)?+[ \t]*+$")


class Line(NamedTuple):
    """One line of a note. ``body`` is where the text after a heading begins (else ``start``)."""

    start: int
    end: int
    kind: LineKind
    body: int
    section: str


def lines(folded: str) -> list[Line]:
    """The lines of a folded note, in order, without their line breaks."""
    rows: list[Line] = []
    stretches = list(_stretches(folded))
    last = max((index for index, (_, _, text) in enumerate(stretches) if text.strip()), default=-1)
    before: LineKind = "blank"
    for index, (start, end, text) in enumerate(stretches):
        is_signed = index >= last - 1 and index > 0 and _is_signature(text, before)
        rows.append(Line(start, end, "signature", start, "") if is_signed else _classify(text, start, end))
        before = rows[-1].kind if rows[-1].kind != "blank" else before
    return rows


def _is_signature(text: str, before: LineKind) -> bool:
    """Whether one of the last two lines signs the note; a dash after bullets is one more of them."""
    if _SIGNED.match(text) or _SIGNATURE.match(text) or _INITIALS.match(text):
        return True
    return before != "bullet" and _DASHED_NAME.match(text) is not None


def _stretches(folded: str) -> Iterator[tuple[int, int, str]]:
    start = 0
    for text in folded.split("\n"):
        yield start, start + len(text), text
        start += len(text) + 1


def _classify(text: str, start: int, end: int) -> Line:
    if not text.strip():
        return Line(start, end, "blank", start, "")
    if ":" in text or "-" in text or len(text) < 24:
        heading = _heading(text)
        if heading is not None:
            length, section = heading
            return Line(start, end, "heading", start + length, section)
        if field := _field(text):
            return Line(start, end, "title" if _is_title(field) else "field", start, "")
        if (named := _NAMED_HEADING.match(text)) and _tells(text[named.end() :]):
            return Line(start, end, "heading", start + named.end(), "")
    if _BULLET.match(text):
        return Line(start, end, "bullet", start, "")
    return Line(start, end, "plain", start, "")


def _heading(text: str) -> tuple[int, str] | None:
    """Length of an opening heading (blanks after it included) and its section."""
    alone = _HEADING_ALONE.match(text)
    if alone and (section := _SECTIONS.get(alone["word"].strip().lower())):
        return len(text), section
    opening = _HEADING.match(text)
    if opening and (section := _SECTIONS.get(opening["word"].strip().lower())):
        length = opening.end()
        return length + len(text[length:]) - len(text[length:].lstrip()), section
    return None


def _field(text: str) -> re.Match[str] | None:
    """A field of a form with what was entered; none where that is the writer's telling, or an observation."""
    field = _FIELD.match(text)
    if not field or _JUDGED.search(field["value"]):
        return None
    key, words = field["key"].strip().lower(), field["value"].split()
    ends = bool(words) and words[-1][-1] in ".!?"
    if key in _TOLD_IN:
        return None if len(words) > _LONGEST_VALUE or (ends and len(words) >= _SHORTEST_PROSE) else field
    if key in _FIELD_NAMES or key.split()[0].split("(")[0] in _FORMS:
        return field
    is_short = 0 < len(words) <= _LONGEST_OTHER and not ends
    return field if is_short and field["key"][0].isupper() and key not in _CHARTED else None


def _tells(value: str) -> bool:
    """Whether what stands after a heading says something without it, as "flat" after "Affect" does not."""
    return len(value.split()) >= _SHORTEST_PROSE or _JUDGED.search(value) is not None


def _is_title(field: re.Match[str]) -> bool:
    return field["key"].strip().lower() in _TITLE_FIELDS and len(field["value"].split()) <= _LONGEST_TITLE
