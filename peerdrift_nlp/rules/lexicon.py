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
from typing import Literal, cast, get_args

import numpy as np

from peerdrift_nlp.errors import Problem, RulePackError
from peerdrift_nlp.text.fold import fold
from peerdrift_nlp.text.lookup import LookUp
from peerdrift_nlp.text.tokens import Tokenizer, Tokens

LEXICON_FOLDER = Path(__file__).parent / "lexicons"
_REACH = 3
Ambiguity = Literal["0", "1", "name"]
_TELLS_A_PERSON = "told reminded advised informed warned urged encouraged texted drove".split()


@dataclass(frozen=True, slots=True)
class Lexicon:
    """A list of names that stand for one symbol in patterns, e.g. ``@med``.

    An ambiguous name ("thrive", "grace") counts only where one of ``company`` stands within
    three words of it, and an ambiguous abbreviation ("DID") only in its capitals. What people are
    called, too ("Jesus"), counts where it does not read as somebody's name.
    """

    names: dict[str, tuple[str, Ambiguity]]
    company: frozenset[str]


def read_lexicon(path: Path, symbols: dict[str, str], default: str, company: Iterable[str]) -> Lexicon:
    """Read ``name,kind,...,ambiguous`` rows; ``symbols`` maps a kind to its symbol.

    Raises:
        RulePackError: a missing column, an empty or a repeated name, with its line.
    """
    problems: list[Problem] = []
    names: dict[str, tuple[str, Ambiguity]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        missing = {"name", "kind", "ambiguous"} - set(reader.fieldnames or ())
        if missing:
            raise RulePackError([Problem(path.name, 1, f"missing column(s) {', '.join(sorted(missing))}")])
        for row in reader:
            name = row["name"].strip()
            if not name or row["ambiguous"] not in get_args(Ambiguity):
                problems.append(Problem(path.name, reader.line_num, "needs a name, and 0, 1 or name for 'ambiguous'"))
            elif name in names:
                problems.append(Problem(path.name, reader.line_num, f"{name!r} stands here twice"))
            names[name] = (symbols.get(row["kind"], default), cast(Ambiguity, row["ambiguous"]))
    if problems:
        raise RulePackError(problems)
    return Lexicon(names, frozenset(company))


@dataclass(frozen=True, slots=True)
class _Entry:
    symbol: int
    ambiguous: Ambiguity
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
        self._tells = frozenset(vocabulary[word] for word in _TELLS_A_PERSON)
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
                if entry and (
                    entry.ambiguous == "0" or self._counts(entry, head, head + length, limit, numbers, text_of)
                ):
                    yield head, head + length, entry.symbol
                    reached = head + length
                    break

    def _counts(
        self, entry: _Entry, first: int, stop: int, limit: int, numbers: list[int], text_of: Callable[[int, int], str]
    ) -> bool:
        """Whether an ambiguous name means what its lexicon means."""
        if entry.ambiguous == "name":
            # "told Jesus", "Jesus R.": a person.
            after = text_of(stop, stop + 1).rstrip(".") if stop < limit else ""
            initial = len(after) == 1 and after.isupper() and after != "I"
            return not initial and not (first and numbers[first - 1] in self._tells)
        near = numbers[max(0, first - _REACH) : first] + numbers[stop : stop + _REACH]
        return entry.capitals in ("", text_of(first, stop)) and not entry.company.isdisjoint(near)
