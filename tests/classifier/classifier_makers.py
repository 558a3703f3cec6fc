"""Hand-made verdicts and notes."""

from __future__ import annotations

import random

from peerdrift_nlp.classifier.corpus import LabelledNote, LabelledSentence, parse_marked
from peerdrift_nlp.classifier.evaluation import Judged, Verdict

MEDS, RIDE, FILING = "clinical.medication", "lax_boundaries.transport", "organizational.misassigned_tasks"


def judged(
    gold: tuple[str, ...] = (), flags: tuple[str, ...] = (), *, voice: str = "v", note: str = "n", at: int = 0,
    practices: tuple[str, ...] = (), strong: bool = False, look_alike: str = "", probability: float = 0.0,
) -> Judged:  # fmt: skip
    """A sentence with its gold indicators and the verdict on it; ``probability`` is that of ``clinical``."""
    unit = LabelledSentence(at, at + 1, "sentence", dict.fromkeys(gold, 2), practices, look_alike)
    verdict = Verdict(frozenset(flags), strong, (probability, 0.0, 0.0, 0.0, 0.0, 0.0))
    return Judged(LabelledNote(note, voice, "." * (at + 1), (unit,)), unit, verdict)


WORDS = """
    apples bench bridge bus candle chairs church clouds coffee corner daughter dinner dog door evening fence garden
    grandmother guitar hallway harvest kitchen ladder lake laundry letter library market morning music neighbor onions
    orchard paint park piano porch puzzle radio rain river road salt shoes sister snow soup station store summer table
    tea train walk window winter wool
""".split()


def agency(
    writers: int = 6, notes: int = 10, *, counted: int = 10, drove: int = 5, prayed: int = 1, extra: str = ""
) -> list[LabelledNote]:
    """Notes of an agency: of each writer's, so many tell of pills counted, rides given and prayers said."""
    found = []
    chance = random.Random(7)
    for writer in range(writers):
        parts = []
        for at in range(notes):
            kinds = (
                ("Counted her pills and wrote it down.{clinical.medication/3}", counted),
                ("I drove him to the bank and back.{lax_boundaries.transport/2}", drove),
                ("I prayed over her before she left.{religious.promotion/2}", prayed),
            )
            drift = " ".join(text for text, count in kinds if at < count)
            parts.append(
                f"=== w{writer}-{at} | setting: drop-in | format: narrative\n"
                f"We talked of {' '.join(chance.sample(WORDS, 25))}.{{}} {drift} "
                f"He said his doctor counts his pills now.{{~reported_speech}} I listened.{{+listening}} {extra}\n"
            )
        found += parse_marked("\n".join(parts), f"w{writer}")
    return found
