"""The tables of the corpus card, so that what it says is what is there."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from peerdrift_nlp.classifier.corpus.agreement import Agreement, DoubleReading, agreement
from peerdrift_nlp.classifier.corpus.files import SPLITS, Corpus
from peerdrift_nlp.classifier.corpus.inventory import inventory
from peerdrift_nlp.classifier.corpus.pairs import balance
from peerdrift_nlp.errors import UsageError

BEGIN, END = "<!-- tables: peerdrift corpus card -->", "<!-- end of tables -->"


def with_tables(card: str, corpus: Corpus, readings: Sequence[DoubleReading]) -> str:
    """The card with its tables made anew between the two marker lines.

    Raises:
        UsageError: a card without the markers.
    """
    before, begin, rest = card.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise UsageError(f"the card needs the lines '{BEGIN}' and '{END}', in this order")
    return f"{before}{BEGIN}\n{_tables(corpus, readings)}\n{END}{after}"


def _tables(corpus: Corpus, readings: Sequence[DoubleReading]) -> str:
    parts = [
        _table((heading, *SPLITS, "all"), [(name, *map(str, counts)) for name, counts in rows.items()])
        for heading, rows in inventory(corpus).items()
    ]
    found = balance(corpus.pairs)
    parts.append(
        f"Of {found.pairs:,} pairs with a flagged and a harmless member, the flagged one is the longer in "
        f"{found.longer:.0%} and stands first in {found.first:.0%}."
    )
    if readings:
        parts.append(f"Two readings of {len(readings):,} sentences, before they were reconciled:")
        parts += [_agreement_table(heading, rows) for heading, rows in agreement(readings).items()]
    return "\n\n".join(parts)


def _agreement_table(heading: str, rows: Mapping[str, Agreement]) -> str:
    return _table(
        (heading, "writer", "blind", "both", "F1", "kappa"),
        [
            (name, str(row.writer), str(row.blind), str(row.both), _decimal(row.f1), _decimal(row.kappa))
            for name, row in rows.items()
        ],
    )


def _decimal(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.2f}"


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heading, ["---", *(["---:"] * (len(heading) - 1))], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
