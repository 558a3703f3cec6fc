"""Read rule packs: TOML files of word classes, rules and stance cues. All problems are told at once."""

from __future__ import annotations

import difflib
import hashlib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from peerdrift_nlp.errors import Problem, RulePackError
from peerdrift_nlp.taxonomy import POLICIES, ROLE_CONSISTENT, taxonomy
from peerdrift_nlp.types import Actor, Initiator, Status, Voice

PACK_FOLDER = Path(__file__).parent / "packs"

_ID = re.compile(r"[a-z_]+(\.[a-z0-9_]+)+")
_MARKED = re.compile(r"\[\[(.+?)\]\]", re.DOTALL)
_PACK_KEYS = {"name", "version", "language", "description"}
_RULE_KEYS = {
    "id", "matcher", "indicator", "practice", "severity", "patterns", "when", "cleared_by", "policy", "message",
    "source", "fires", "silent",
}  # fmt: skip
_CUE_KEYS = {"id", "sets", "scope", "until", "patterns", "source", "fires", "silent"}
_WHEN: Mapping[str, tuple[str, ...]] = {
    "actor": get_args(Actor),
    "voice": get_args(Voice),
    "status": get_args(Status),
    "initiator": get_args(Initiator),
}
SCOPES = ("forward", "backward", "sentence", "here", "around")
MATCHERS = ("clinical", "diagnostic", "medication", "religious", "hierarchy", "boundary", "organization", "practice")

DEFAULT_WHEN: Mapping[str, frozenset[str]] = {
    "actor": frozenset({"writer", "unclear"}),
    "voice": frozenset({"own"}),
    "status": frozenset({"done", "planned"}),
    "initiator": frozenset(get_args(Initiator)),
}


def default_when(indicator: str) -> Mapping[str, frozenset[str]]:
    """The stances under which a hit of ``indicator`` stands, where its rule says nothing else."""
    entry = taxonomy().indicators.get(indicator)
    when = dict(DEFAULT_WHEN)
    if entry is not None and entry.any_actor:
        when["actor"] = frozenset(get_args(Actor))
    if entry is not None and entry.negated_too:
        when["status"] |= {"declined"}
    return when


def default_clearing(indicator: str) -> frozenset[str]:
    """The look-alike reasons that clear a hit of ``indicator``, where its rule says nothing else."""
    entry = taxonomy().indicators.get(indicator)
    return frozenset(entry.cleared_by) if entry else frozenset()


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: what it matches, when a match stands, and how it is explained.

    ``indicator`` is a codebook indicator or ``role_consistent.<practice>``; ``when`` lists the
    values of each stance question under which a hit stands; ``cleared_by`` the look-alike reasons that clear
    it (beside those that clear any rule); ``policy`` names the profile switch that does.
    """

    id: str
    matcher: str
    indicator: str
    severity: int
    patterns: tuple[str, ...]
    message: str
    source: str
    fires: tuple[str, ...]
    silent: tuple[str, ...]
    policy: str = ""
    when: Mapping[str, frozenset[str]] = field(default_factory=lambda: DEFAULT_WHEN)
    cleared_by: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class StanceCue:
    """Words that tell the stance of what stands near them.

    ``sets`` is ``{"actor"|"voice"|"status"|"initiator": value}`` or ``{"clears": reason}``;
    ``scope`` is where it reaches: ``forward`` or ``backward`` from the cue, the whole
    ``sentence``, only ``here``, where it overlaps, or only what it stands ``around``. ``until``
    names the turns that end it.
    """

    id: str
    sets: Mapping[str, str]
    scope: str
    until: frozenset[str]
    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RulePack:
    """One pack file: its name, version, content hash and what it holds."""

    name: str
    version: str
    sha256: str
    rules: tuple[Rule, ...]
    cues: tuple[StanceCue, ...]
    classes: Mapping[str, tuple[str, ...]]


def shipped_packs() -> list[Path]:
    """The packs that come with the package, in a fixed order."""
    return sorted(PACK_FOLDER.glob("*.toml"))


def read_packs(paths: Iterable[Path] | None = None) -> list[RulePack]:
    """Read and validate packs (the shipped ones by default).

    Raises:
        RulePackError: everything that is wrong in all of the files, with file, line and the fix.
    """
    problems: list[Problem] = []
    packs = [pack for path in (shipped_packs() if paths is None else paths) if (pack := _read_pack(path, problems))]
    seen: dict[str, str] = {}
    for pack in packs:
        for name in [*(rule.id for rule in pack.rules), *(cue.id for cue in pack.cues)]:
            if name in seen:
                problems.append(Problem(f"{pack.name}.toml", 0, f"id {name!r} stands in {seen[name]}, too"))
            seen[name] = f"pack {pack.name!r}"
        for name in pack.classes:
            if f"{{{name}}}" in seen:
                there = seen[f"{{{name}}}"]
                problems.append(
                    Problem(f"{pack.name}.toml", 0, f"word class {name!r} stands in {there}, too; rename it")
                )
            seen[f"{{{name}}}"] = f"pack {pack.name!r}"
    turns = {cue.id for pack in packs for cue in pack.cues if "turn" in cue.sets}
    for pack in packs:
        for cue in pack.cues:
            if strange := sorted(cue.until - turns):
                problems.append(Problem(f"{pack.name}.toml", 0, f"{cue.id}: 'until' names no turn: {strange[0]!r}"))
    if problems:
        raise RulePackError(problems)
    return packs


def examples(rule: Rule) -> Iterator[tuple[str, tuple[int, int] | None]]:
    """The rule's example texts without marks, with the marked span (None for a silent one)."""
    for marked in rule.fires:
        found = _MARKED.search(marked)
        if found is None:
            raise ValueError(f"rule {rule.id}: an example has no [[marked]] span")
        start = found.start()
        yield marked[:start] + found[1] + marked[found.end() :], (start, start + len(found[1]))
    for text in rule.silent:
        yield text, None


class _PackReader:
    """Turns the tables of one file into a pack and collects problems with their lines."""

    def __init__(self, path: Path, text: str, problems: list[Problem]) -> None:
        self._path = path.name
        self._lines = text.splitlines()
        self._problems = problems

    def problem(self, what: str, anchor: str = "") -> None:
        line = next((number for number, text in enumerate(self._lines, 1) if anchor and anchor in text), 1)
        self._problems.append(Problem(self._path, line, what))

    def unknown_keys(self, table: Mapping[str, Any], allowed: set[str], anchor: str, name: str) -> None:
        for key in table.keys() - allowed:
            near = difflib.get_close_matches(key, allowed, 1)
            hint = f" Did you mean {near[0]!r}?" if near else f" Allowed: {', '.join(sorted(allowed))}."
            self.problem(f"{name}: unknown key {key!r}.{hint}", anchor)

    def one_of(self, table: Mapping[str, Any], key: str, allowed: Sequence[str], anchor: str, name: str) -> None:
        value = table.get(key)
        if value not in allowed:
            near = difflib.get_close_matches(str(value), allowed, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"use one of {', '.join(allowed)}."
            self.problem(f"{name}: {key!r} is {value!r}; {hint}", anchor)

    def table(self, data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        """The table of that name, empty where there is none."""
        value = data.get(key, {})
        if isinstance(value, dict):
            return value
        self.problem(f"{key!r} must be a table: [{key}].", key)
        return {}

    def tables(self, data: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
        """The tables of an array of tables, empty where there is none."""
        value = data.get(key, [])
        if isinstance(value, list) and all(isinstance(item, dict) for item in value):
            return value
        self.problem(f"{key!r} must be an array of tables: [[{key}]].", key)
        return []

    def strings(self, table: Mapping[str, Any], key: str, anchor: str, least: int) -> tuple[str, ...]:
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
            self.problem(f"{table.get('id', '?')}: {key!r} must be a list of non-empty strings.", anchor)
            return ()
        if len(value) < least:
            self.problem(
                f"{table.get('id', '?')}: {key!r} needs at least {least} entr{'y' if least == 1 else 'ies'}.", anchor
            )
        for item in value:
            if value.count(item) > 1:
                self.problem(f"{table.get('id', '?')}: {key!r} holds {item!r} twice.", anchor)
                break
        return tuple(value)

    def rule(self, table: Mapping[str, Any]) -> Rule | None:
        name = str(table.get("id", "a rule without id"))
        anchor = f'"{name}"'
        before = len(self._problems)
        self.unknown_keys(table, _RULE_KEYS, anchor, name)
        if not _ID.fullmatch(name):
            self.problem(f"{name}: 'id' must look like 'medication.counting'.", anchor)
        self.one_of(table, "matcher", MATCHERS, anchor, name)
        if "policy" in table:
            self.one_of(table, "policy", POLICIES, anchor, name)
        indicator = self._indicator(table, anchor, name)
        severity = table.get("severity", 2)
        if isinstance(severity, bool) or severity not in (1, 2, 3):
            self.problem(f"{name}: 'severity' is {severity!r}; use 1, 2 or 3.", anchor)
        for key in ("message", "source"):
            if not isinstance(table.get(key), str) or not table[key].strip():
                self.problem(f"{name}: {key!r} is missing.", anchor)
        when = self._when(table.get("when", {}), default_when(indicator), anchor, name)
        patterns = self.strings(table, "patterns", anchor, 1)
        fires = self.strings(table, "fires", anchor, 2)
        silent = self.strings(table, "silent", anchor, 1)
        listed = frozenset(self.strings(table, "cleared_by", anchor, 0))
        clearing = listed if "cleared_by" in table else default_clearing(indicator)
        if not listed <= taxonomy().reasons.keys():
            self.problem(f"{name}: 'cleared_by' takes {', '.join(taxonomy().reasons)}.", anchor)
        for text in fires:
            if len(_MARKED.findall(text)) != 1:
                self.problem(f"{name}: mark exactly one span in each 'fires' example, like [[this]].", anchor)
                break
        if len(self._problems) > before:
            return None
        return Rule(
            id=name, matcher=table["matcher"], indicator=indicator, severity=severity, patterns=patterns,
            message=table["message"], source=table["source"], fires=fires, silent=silent,
            policy=table.get("policy", ""), when=when, cleared_by=clearing,
        )  # fmt: skip

    def _indicator(self, table: Mapping[str, Any], anchor: str, name: str) -> str:
        if "practice" in table:
            self.one_of(table, "practice", list(taxonomy().practices), anchor, name)
            return f"{ROLE_CONSISTENT}.{table['practice']}"
        self.one_of(table, "indicator", list(taxonomy().indicators), anchor, name)
        return str(table.get("indicator"))

    def _when(
        self, table: Any, default: Mapping[str, frozenset[str]], anchor: str, name: str
    ) -> Mapping[str, frozenset[str]]:
        when = dict(default)
        if not isinstance(table, dict):
            self.problem(f"{name}: 'when' must be a table, such as {{ status = [\"done\"] }}.", anchor)
            return when
        self.unknown_keys(table, set(_WHEN), anchor, f"{name}: when")
        for key in table.keys() & _WHEN.keys():
            values = table[key]
            if values == "any":
                when[key] = frozenset(_WHEN[key])
            elif not isinstance(values, list) or not all(value in _WHEN[key] for value in values):
                self.problem(f"{name}: when.{key} takes 'any' or a list of {', '.join(_WHEN[key])}.", anchor)
            else:
                when[key] = frozenset(values)
        return when

    def cue(self, table: Mapping[str, Any]) -> StanceCue | None:
        name = str(table.get("id", "a cue without id"))
        anchor = f'"{name}"'
        before = len(self._problems)
        self.unknown_keys(table, _CUE_KEYS, anchor, name)
        sets = table.get("sets")
        allowed = {**_WHEN, "clears": tuple(taxonomy().reasons), "turn": (name,)}
        if not isinstance(sets, dict) or not sets:
            self.problem(f"{name}: 'sets' must be a table of {', '.join(allowed)}.", anchor)
            sets = {}
        for key in sets:
            if key not in allowed:
                self.problem(f"{name}: 'sets' cannot hold {key!r}; use {', '.join(allowed)}.", anchor)
            else:
                self.one_of(sets, key, allowed[key], anchor, f"{name}: sets")
        self.one_of(table, "scope", SCOPES, anchor, name)
        patterns = self.strings(table, "patterns", anchor, 1)
        until = self.strings(table, "until", anchor, 0)
        if len(self._problems) > before:
            return None
        return StanceCue(name, dict(sets), table["scope"], frozenset(until), patterns)


def _read_pack(path: Path, problems: list[Problem]) -> RulePack | None:
    try:
        raw = path.read_bytes()
        data = tomllib.loads(raw.decode("utf-8"))
    except OSError as error:
        problems.append(Problem(path.name, 0, f"cannot be read ({error.strerror})"))
        return None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        where = re.search(r"line (\d+)", str(error))
        problems.append(Problem(path.name, int(where[1]) if where else 1, f"is not valid TOML: {error}"))
        return None
    reader = _PackReader(path, raw.decode("utf-8"), problems)
    reader.unknown_keys(data, {"pack", "classes", "rule", "cue"}, "[", "the file")
    head = reader.table(data, "pack")
    reader.unknown_keys(head, _PACK_KEYS, "[pack]", "[pack]")
    for key in ("name", "version", "language"):
        if not isinstance(head.get(key), str):
            reader.problem(f"[pack]: {key!r} is missing.", "[pack]")
    classes = {
        name: reader.strings({"id": f"class {name}", name: phrases}, name, name, 1)
        for name, phrases in reader.table(data, "classes").items()
    }
    rules = [rule for table in reader.tables(data, "rule") if (rule := reader.rule(table))]
    cues = [cue for table in reader.tables(data, "cue") if (cue := reader.cue(table))]
    return RulePack(
        str(head.get("name", path.stem)), str(head.get("version", "")), hashlib.sha256(raw).hexdigest(),
        tuple(rules), tuple(cues), classes,
    )  # fmt: skip
