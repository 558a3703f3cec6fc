"""What each part of the model adds: the same sentences, the same unseen voices, one part more at a time.

    python models/ablation.py             # some minutes
    python models/ablation.py --frozen    # and with the encoder before tuning; needs what encoder.py needs

Every variant learns from the train voices' notes and pairs and is judged on those of the dev voices. So that none is
flattered, the thresholds for a dev voice are those that give the best F1 on the *other* dev voices, and what the rest
of a note adds is fitted on them. Of a pair both members must get exactly their labels. Intervals are 95% bootstraps
over voices. The tuned encoder is that of ``models/default``. Writes ``ablation.csv`` beside this file.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score

from peerdrift_nlp.classifier.baseline import judge_by_keywords, judge_by_rules
from peerdrift_nlp.classifier.cascade import SentenceEncoder, read_encoder
from peerdrift_nlp.classifier.corpus import read_corpus
from peerdrift_nlp.classifier.estimator import DriftClassifier
from peerdrift_nlp.classifier.evaluation import Judged, Verdict, figures, pairs_right
from peerdrift_nlp.classifier.features import Row
from peerdrift_nlp.classifier.linear import log_odds as log_odds_of
from peerdrift_nlp.classifier.training import Examples, examples, fit_whole_note
from peerdrift_nlp.report.profile import read_profile
from peerdrift_nlp.rules.engine import RuleEngine
from peerdrift_nlp.taxonomy import DRIFT_LABELS, LABELS, ROLE_CONSISTENT

HERE = Path(__file__).parent
ROUNDS = 1000

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Parts:
    """What is learnt from, notes and members of pairs; and what is judged."""

    train: Examples
    taught: Examples
    dev: Examples
    members: Examples

    def learnt(self) -> Examples:
        """Train notes, then members of pairs."""
        return self.train + self.taught.without_place()

    def unseen(self) -> Examples:
        """Dev notes, then members of pairs."""
        return self.dev + self.members


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--frozen", action="store_true", help="with the encoder as it was before tuning")
    options = parser.parse_args()
    corpus, engine = read_corpus(HERE.parent / "data" / "corpus"), RuleEngine()
    dev, pairs = corpus.part("dev"), corpus.pairs_of("dev")
    taught, members = (
        [member for pair in corpus.pairs_of(split) for member in pair.members] for split in ("train", "dev")
    )
    parts = Parts(*(examples(notes, engine) for notes in (corpus.part("train"), taught, dev, members)))

    judged = {
        "keywords": [list(judge_by_keywords(notes, engine)) for notes in (dev, members)],
        "rules with stance": [list(judge_by_rules(notes, engine, read_profile().allowed)) for notes in (dev, members)],
    }
    for name, log_odds in variants(parts, with_frozen=options.frozen):
        judged[name] = list(verdicts(parts, log_odds))
    table = []
    for name, (of_notes, of_members) in judged.items():
        found = figures(of_notes, rounds=ROUNDS)
        row = {"variant": name}
        for measure in ("any_drift_precision", "any_drift_recall", "any_drift_f1", "macro_f1", "role_consistent_f1"):
            row[measure] = str(found[measure])
        row["average_precision"] = f"{ranking(of_notes):.2f}"
        for measure in ("decoys_found", "look_alikes_flagged"):
            row[measure] = str(found[measure])
        row["pairs_right"] = f"{pairs_right(pairs, of_members, rounds=1).value:.2f}"
        table.append(row)
        print(row, flush=True)
    pd.DataFrame(table).to_csv(HERE / "ablation.csv", index=False)


def variants(parts: Parts, *, with_frozen: bool) -> Iterator[tuple[str, Scores]]:
    """Each variant's log-odds of the labels, for the dev notes and then the pairs."""
    unseen, learnt = parts.unseen(), parts.learnt()
    targets = learnt.targets(LABELS)
    fast = np.zeros(0)
    for name, view in VIEWS.items():
        classifier = DriftClassifier(C=8.0, outputs=LABELS)
        classifier.fit([view(row) for row in learnt.rows], targets, groups=learnt.voices)
        fast = log_odds_of(classifier.model_.probabilities([view(row) for row in unseen.rows]).astype(np.float64))
        yield name, fast
    yield "and the rest of the note (the fast model)", with_rest_of_note(parts, fast)
    if with_frozen:
        from encoder import Encoder

        frozen = Encoder(len(LABELS))
        yield "encoder, frozen", heads(frozen.embed(learnt.texts), targets, frozen.embed(unseen.texts))
    encoder = SentenceEncoder(read_encoder(HERE / "default"))
    tuned = np.array([encoder(text)[: len(LABELS)] for text in unseen.texts], dtype=np.float64)
    yield "encoder, fine-tuned", tuned
    both = (tuned + fast) / 2
    yield "mean of encoder and words, hits, neighbours", both
    yield "and the rest of the note", with_rest_of_note(parts, both)


def with_rest_of_note(parts: Parts, log_odds: Scores) -> Scores:
    """Weighed with the other sentences of each note: each dev voice as the others teach it, the pairs as all do."""
    probabilities = (1 / (1 + np.exp(-log_odds))).astype(np.float32)
    of_dev, of_members = probabilities[: len(parts.dev.rows)], probabilities[len(parts.dev.rows) :]
    targets, notes = parts.dev.targets(LABELS), parts.dev.note_numbers
    voices = np.array(parts.dev.voices)
    weighed = np.zeros_like(of_dev)
    for voice in np.unique(voices):
        own = voices == voice
        weighed[own] = fit_whole_note(of_dev[~own], targets[~own], notes[~own])(of_dev[own], notes[own])
    whole_note = fit_whole_note(of_dev, targets, notes)
    return log_odds_of(np.vstack([weighed, whole_note(of_members, parts.members.note_numbers)]).astype(np.float64))


def _words(row: Row) -> Row:
    return Row(row.words, ())


def _with_hits(row: Row) -> Row:
    return Row(row.words, [name for name in row.others if not name.startswith(("place=", "before:", "after:"))])


def _all(row: Row) -> Row:
    return row


VIEWS: dict[str, Callable[[Row], Row]] = {
    "words, pairs, triples": _words,
    "and hits with stance": _with_hits,
    "and neighbours and place": _all,
}


def heads(vectors: NDArray[np.float32], targets: NDArray[np.int8], unseen: NDArray[np.float32]) -> Scores:
    """Logistic regressions on frozen vectors, one a label."""
    columns = []
    for target in targets[:, : len(LABELS)].T:
        head = LogisticRegression(C=10.0, max_iter=2000).fit(vectors, target)
        columns.append(head.decision_function(unseen))
    return np.column_stack(columns)


def verdicts(parts: Parts, log_odds: Scores) -> Iterator[list[Judged]]:
    """The verdicts on the dev notes, each voice by the thresholds of the others, and on the pairs, by those of all."""
    gold = parts.dev.targets(LABELS).astype(bool)
    of_dev = log_odds[: len(gold)]
    voices = np.array(parts.dev.voices)
    flags = np.zeros_like(gold)
    for voice in np.unique(voices):
        flags[voices == voice] = of_dev[voices == voice] >= bars(of_dev[voices != voice], gold[voices != voice])
    yield list(as_judged(parts.dev, of_dev, flags))
    of_members = log_odds[len(gold) :]
    yield list(as_judged(parts.members, of_members, of_members >= bars(of_dev, gold)))


def bars(log_odds: Scores, gold: NDArray[np.bool_]) -> Scores:
    """For each label the threshold with the best F1."""
    best = []
    for scores, wanted in zip(log_odds.T, gold.T, strict=True):
        order = np.argsort(-scores, kind="stable")
        right = np.cumsum(wanted[order])
        f1 = 2 * right / (np.arange(1, len(order) + 1) + wanted.sum())
        best.append(scores[order[int(f1.argmax())]])
    return np.array(best)


def as_judged(data: Examples, log_odds: Scores, flags: NDArray[np.bool_]) -> Iterator[Judged]:
    probabilities = 1 / (1 + np.exp(-log_odds))
    for note, unit, row, flagged in zip(data.notes, data.sentences, probabilities.tolist(), flags, strict=True):
        labels = {label for label, flag in zip(LABELS, flagged, strict=True) if flag}
        named = frozenset(f"{label}.any" for label in labels - {ROLE_CONSISTENT})
        yield Judged(note, unit, Verdict(named, ROLE_CONSISTENT in labels, tuple(row)))


def ranking(judged: Sequence[Judged]) -> float:
    """Average precision of any drift by the likeliest drift label: no threshold in it."""
    drift = [LABELS.index(label) for label in DRIFT_LABELS]
    wanted = [bool(row.gold_labels & set(DRIFT_LABELS)) for row in judged]
    return float(average_precision_score(wanted, [max(row.verdict.probabilities[n] for n in drift) for row in judged]))


if __name__ == "__main__":
    main()
