"""What must not matter: the same notes with other names, genders, faiths, spelling, case and line breaks.

Each *variation* rewrites labelled notes sentence by sentence, so that gold labels and spans stay theirs. A tool that
is fair and stable says the same of both.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from peerdrift_nlp.classifier.corpus import LabelledNote
from peerdrift_nlp.classifier.evaluation import Judged
from peerdrift_nlp.rules.engine import RuleEngine
from peerdrift_nlp.rules.normal import NAME
from peerdrift_nlp.text.fold import fold
from peerdrift_nlp.types import Sentence

Variation = Callable[[str, random.Random], str]
"""A sentence to the same sentence said otherwise."""

_WORD = re.compile(r"[A-Za-z']+")
# Of many origins; some are words, too.
_NAMES = """
    Aisha Angel Babak Chidi Dolores Ewa Faith Fatuma Giang Grace Hope Hyun Ines Jamal Kofi Lakshmi Mark Mateo Mohammed
    Noor Oksana Pilar Rashad Thu Will
""".split()
_GENDER = dict(
    pair.split("/")
    for pair in """
        he/she him/her his/her himself/herself she/he hers/his herself/himself man/woman men/women woman/man women/men
        mr/ms ms/mr mrs/mr
    """.split()
)
_FAITH = dict(
    pair.split("/")
    for pair in """
        church/mosque mosque/temple temple/synagogue synagogue/church pastor/imam imam/rabbi rabbi/priest priest/pastor
        bible/quran quran/torah torah/bible jesus/allah allah/krishna christian/muslim muslim/jewish jewish/christian
    """.split()
)
_TYPO_EVERY = 12
_LONG = 5
_WRAP_AFTER = 48


class Stability(NamedTuple):
    """How verdicts fare under one variation.

    Attributes:
        changed: the share of the rewritten sentences whose labels are not the same.
        kept: of those flagged before, the share with the same labels after.
        appeared: of those not flagged before, the share flagged after.
        sentences: how many the variation rewrote.
    """

    changed: float
    kept: float
    appeared: float
    sentences: int


def vary(notes: Iterable[LabelledNote], variation: Variation, seed: int = 0) -> list[LabelledNote]:
    """The notes with every sentence rewritten; spans and gold labels move along.

    Args:
        notes: labelled notes.
        variation: what to do to a sentence.
        seed: of whatever is drawn.
    """
    chance = random.Random(seed)
    return [_rewritten(note, lambda text: variation(text, chance)) for note in notes]


def stability(before: Sequence[Judged], after: Sequence[Judged]) -> Stability:
    """Compare the verdicts on notes and on their rewritten selves.

    Args:
        before: the verdicts on the notes.
        after: those on the same notes after ``vary``.
    """
    pairs = [(one, other) for one, other in zip(before, after, strict=True) if _text(one) != _text(other)]
    flagged = [one.flagged == other.flagged for one, other in pairs if one.flagged]
    silent = [bool(other.flagged) for one, other in pairs if not one.flagged]
    changed = [one.flagged != other.flagged for one, other in pairs]
    return Stability(_share(changed), _share(flagged), _share(silent), len(pairs))


def _rewritten(note: LabelledNote, variation: Callable[[str], str]) -> LabelledNote:
    parts: list[str] = []
    sentences = []
    end = length = 0
    for unit in note.sentences:
        between, text = note.text[end : unit.start], note.text[unit.start : unit.end]
        text = variation(text) if unit.kind == "sentence" else text
        start = length + len(between)
        length = start + len(text)
        parts += (between, text)
        sentences.append(replace(unit, start=start, end=length))
        end = unit.end
    return replace(note, text="".join([*parts, note.text[end:]]), sentences=tuple(sentences))


def _text(row: Judged) -> str:
    return row.note.text[row.gold.start : row.gold.end]


def _share(values: Sequence[bool]) -> float:
    return sum(values) / len(values) if values else float("nan")


def _other_names(engine: RuleEngine) -> Variation:
    def renamed(text: str, chance: random.Random) -> str:
        batch = engine.normalise([fold(text)], [[Sentence(0, len(text))]])
        name = batch.vocabulary[NAME]
        for unit in reversed(np.flatnonzero(batch.words == name).tolist()):
            text = text[: batch.starts[unit]] + chance.choice(_NAMES) + text[batch.ends[unit] :]
        return text

    return renamed


def _other_gender(text: str, chance: random.Random) -> str:
    def swapped(match: re.Match[str]) -> str:
        word = match[0].lower()
        if word == "her":
            # Before a noun it owns something; elsewhere it is whom something was done to.
            owns = re.match(r" [a-z]+(?<! to)(?<! and)(?<! that)(?<! a)(?<! the)\b", text[match.end() :])
            return _cased("his" if owns else "him", match[0])
        return _cased(_GENDER.get(word, match[0]), match[0])

    return _WORD.sub(swapped, text)


def _other_faith(text: str, chance: random.Random) -> str:
    return _WORD.sub(lambda match: _cased(_FAITH.get(match[0].lower(), match[0]), match[0]), text)


def _dropped_g(text: str, chance: random.Random) -> str:
    return re.sub(r"(?<=[a-z]{3}in)g\b", "", text)


def _typos(text: str, chance: random.Random) -> str:
    def slipped(match: re.Match[str]) -> str:
        word = match[0]
        if len(word) < _LONG or chance.randrange(_TYPO_EVERY):
            return word
        at = chance.randrange(1, len(word) - 2)
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]

    return _WORD.sub(slipped, text)


def _wrapped(text: str, chance: random.Random) -> str:
    return re.sub(rf"(.{{{_WRAP_AFTER}}}\S*) (?=\S)", r"\1\n", text)


def _cased(word: str, like: str) -> str:
    if word == like:
        return word
    return word.upper() if like.isupper() and len(like) > 1 else word.capitalize() if like[0].isupper() else word


def variations(engine: RuleEngine) -> Mapping[str, Variation]:
    """Every variation by name; ``engine`` says what is a name."""
    return {
        "other names": _other_names(engine),
        "other gender": _other_gender,
        "other faith": _other_faith,
        "dropped g (goin, tryin)": _dropped_g,
        "typos": _typos,
        "all capitals": lambda text, chance: text.upper(),
        "all lower case": lambda text, chance: text.lower(),
        "wrapped lines": _wrapped,
    }
