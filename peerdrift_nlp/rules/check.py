"""Run a pack's own examples: every rule must fire where it says so, and stay silent where it says so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from peerdrift_nlp.rules.engine import RuleEngine
from peerdrift_nlp.rules.pack import Rule, examples
from peerdrift_nlp.text.fold import fold
from peerdrift_nlp.text.sentences import split_sentences
from peerdrift_nlp.types import Hit

_PLAIN_PHRASE = re.compile(r"[\w' -]+")


def find_hits(engine: RuleEngine, text: str) -> list[Hit]:
    """All hits of a text, cleared ones included."""
    folded = fold(text)
    sentences = split_sentences(folded)
    return engine.find(engine.normalise([folded], [sentences]), [sentences])[0]


def check_rules(engine: RuleEngine, rules: Sequence[Rule] | None = None) -> Iterator[str]:
    """What is wrong with the examples, one line each; nothing where all is well."""
    for rule in engine.rules.values() if rules is None else rules:
        yield from _check_examples(engine, rule)
        yield from _check_phrases(engine, rule)


def _check_examples(engine: RuleEngine, rule: Rule) -> Iterator[str]:
    for text, span in examples(rule):
        found = [hit for hit in find_hits(engine, text) if hit.rule_id == rule.id]
        standing = [hit for hit in found if not hit.cleared_by]
        if span is None and standing:
            yield f"{rule.id}: fires in its silent example {text!r}, at {text[standing[0].start : standing[0].end]!r}"
        if span is None or any((hit.start, hit.end) == span for hit in standing):
            continue
        if standing:
            marked = text[standing[0].start : standing[0].end]
            yield f"{rule.id}: in {text!r} it marks {marked!r}, not {text[slice(*span)]!r}"
        elif found:
            yield f"{rule.id}: is cleared ({found[0].cleared_by}) in {text!r}"
        else:
            yield f"{rule.id}: does not fire in {text!r}"


def _check_phrases(engine: RuleEngine, rule: Rule) -> Iterator[str]:
    """A phrase without classes or gaps must match when it stands alone."""
    for pattern in rule.patterns:
        is_plain = _PLAIN_PHRASE.fullmatch(pattern) and " _" not in f" {pattern}"
        if is_plain and not any(hit.rule_id == rule.id for hit in find_hits(engine, pattern)):
            yield f"{rule.id}: its phrase {pattern!r} does not match when it stands alone"
