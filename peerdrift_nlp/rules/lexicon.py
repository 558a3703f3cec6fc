"""Name lexicons (medications, diagnoses, faiths): CSV files looked up with spaCy's PhraseMatcher."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from spacy.matcher import PhraseMatcher

from peerdrift_nlp.errors import Problem, RulePackError
from peerdrift_nlp.text.fold import fold
from peerdrift_nlp.text.tokens import Tokenizer, Tokens

LEXICON_FOLDER = Path(__file__).parent / "lexicons"
_REACH = 3


@dataclass(frozen=True, slots=True)
class Lexicon:
    """A list of names that stand for one symbol in patterns, e.g. ``@med``.

    An ambiguous name ("thrive", "grace") counts only where one of ``company`` stands within
    three words of it, and an ambiguous abbreviation ("DID") only in its capitals.
    """

    names: dict[str, tuple[str, bool]]
    company: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Entry:
    symbol: str
    ambiguous: bool
    capitals: str
    company: frozenset[str]

    def counts(self, text: str, company: Sequence[str]) -> bool:
        """Whether an ambiguous name found as ``text`` among ``company`` means what the lexicon means."""
        return self.capitals in ("", text) and not self.company.isdisjoint(company)


def read_lexicon(path: Path, symbols: dict[str, str], default: str, company: Iterable[str]) -> Lexicon:
    """Read ``name,kind,...,ambiguous`` rows; ``symbols`` maps a kind to its symbol.

    Raises:
        RulePackError: a missing column, an empty or a repeated name, with its line.
    """
    problems: list[Problem] = []
    names: dict[str, tuple[str, bool]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        missing = {"name", "kind", "ambiguous"} - set(reader.fieldnames or ())
        if missing:
            raise RulePackError([Problem(path.name, 1, f"missing column(s) {', '.join(sorted(missing))}")])
        for row in reader:
            name = row["name"].strip()
            if not name or row["ambiguous"] not in ("0", "1"):
                problems.append(Problem(path.name, reader.line_num, "needs a name, and 0 or 1 for 'ambiguous'"))
            elif name in names:
                problems.append(Problem(path.name, reader.line_num, f"{name!r} stands here twice"))
            names[name] = (symbols.get(row["kind"], default), row["ambiguous"] == "1")
    if problems:
        raise RulePackError(problems)
    return Lexicon(names, frozenset(company))


class LexiconMatcher:
    """Finds the names of several lexicons in one pass; the longest match wins."""

    def __init__(self, lexicons: Sequence[Lexicon], tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._matcher = PhraseMatcher(tokenizer.nlp.vocab, attr="ORTH")
        self._entries: dict[int, _Entry] = {}
        for lexicon in lexicons:
            for name, (symbol, ambiguous) in lexicon.names.items():
                key = f"{symbol}\t{name}"
                self._matcher.add(key, [tokenizer.doc(tokenizer.norms(fold(name)))])
                capitals = name if name.isupper() else ""
                self._entries[tokenizer.nlp.vocab.strings[key]] = _Entry(symbol, ambiguous, capitals, lexicon.company)

    def __call__(self, folded: str, tokens: Tokens) -> list[tuple[int, int, str]]:
        """``(first, stop, symbol)`` token spans, disjoint and in order."""
        found: list[tuple[int, int, str]] = []
        reached = 0
        matches = ((first, stop, key) for key, first, stop in self._matcher(self._tokenizer.doc(tokens.norms)))
        for first, stop, key in sorted(matches, key=lambda item: (item[0], -item[1])):
            if first < reached:
                continue
            entry = self._entries[key]
            if entry.ambiguous:
                text = folded[tokens.starts[first] : tokens.ends[stop - 1]]
                if not entry.counts(text, tokens.norms[max(0, first - _REACH) : stop + _REACH]):
                    continue
            found.append((first, stop, entry.symbol))
            reached = stop
        return found
