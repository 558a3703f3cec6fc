"""Name lexicons (medications, diagnoses, faiths): CSV files, looked up as word numbers.

spaCy's ``PhraseMatcher`` finds the same names, but needs a ``Doc`` of every note, which costs three
times as much as looking the names up.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from peerdrift_nlp.errors import Problem, RulePackError
from peerdrift_nlp.text.fold import fold
from peerdrift_nlp.text.lookup import LookUp
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


@dataclass(frozen=True, slots=True)
class _Entry:
    symbol: int
    ambiguous: bool
    capitals: str
    company: frozenset[int]


class LexiconMatcher:
    """Finds the names of several lexicons in one pass; the longest name wins."""

    def __init__(self, lexicons: Sequence[Lexicon], tokenizer: Tokenizer) -> None:
        self._entries: dict[tuple[int, ...], _Entry] = {}
        lengths: dict[int, set[int]] = {}
        vocabulary = tokenizer.vocabulary
        names = [
            (name, entry, company)
            for lexicon in lexicons
            for company in [frozenset(vocabulary[word] for word in lexicon.company)]
            for name, entry in lexicon.names.items()
        ]
        tokens = tokenizer([fold(name) for name, _, _ in names])
        words = tokens.words.tolist()
        for (name, (symbol, ambiguous), company), (first, stop) in zip(
            names, pairwise(tokens.first.tolist()), strict=True
        ):
            key = tuple(words[first:stop])
            capitals = name if name.isupper() else ""
            self._entries[key] = _Entry(vocabulary[symbol], ambiguous, capitals, company)
            lengths.setdefault(key[0], set()).add(len(key))
        self._lengths = {head: sorted(found, reverse=True) for head, found in lengths.items()}
        # By word number; the last entry stands for words that are newer.
        self._is_name, self._opens = (np.zeros(len(vocabulary) + 1, dtype=bool) for _ in range(2))
        self._is_name[[key[0] for key in self._entries if len(key) == 1]] = True
        self._opens[[key[0] for key in self._entries if len(key) > 1]] = True
        self._pairs = LookUp({key[0] * len(self._opens) + key[1]: 1 for key in self._entries if len(key) > 1})

    def find(self, tokens: Tokens, text_of: Callable[[int, int], str]) -> Iterator[tuple[int, int, int]]:
        """``(first, stop, symbol)`` token spans of a batch, disjoint and in order.

        Args:
            tokens: the batch.
            text_of: the text of tokens ``first`` to ``stop``.
        """
        known = np.minimum(tokens.words, len(self._opens) - 1).astype(np.int64)
        may_be = self._is_name[known]
        opens = self._opens[known[:-1]].nonzero()[0]
        may_be[opens] |= self._pairs.find(known[opens] * len(self._opens) + known[opens + 1]) > 0
        heads = may_be.nonzero()[0].tolist()
        notes = np.searchsorted(tokens.first, heads, side="right").tolist()
        numbers = tokens.words.tolist()
        reached = 0
        for head, note in zip(heads, notes, strict=True):
            if head < reached:
                continue
            limit = int(tokens.first[note])
            for length in self._lengths[numbers[head]]:
                entry = self._entries.get(tuple(numbers[head : head + length])) if head + length <= limit else None
                if entry and (not entry.ambiguous or self._counts(entry, head, head + length, numbers, text_of)):
                    yield head, head + length, entry.symbol
                    reached = head + length
                    break

    @staticmethod
    def _counts(entry: _Entry, first: int, stop: int, numbers: list[int], text_of: Callable[[int, int], str]) -> bool:
        """Whether an ambiguous name means what its lexicon means."""
        near = numbers[max(0, first - _REACH) : first] + numbers[stop : stop + _REACH]
        return entry.capitals in ("", text_of(first, stop)) and not entry.company.isdisjoint(near)
