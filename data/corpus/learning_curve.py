"""The learning curve of the fast model: how much another voice still teaches.

    python data/corpus/learning_curve.py

Trains on 10, 25, 50 and 100% of the train voices (three draws of the smaller shares), thresholds set on held-out
folds of those voices, and judges on the dev voices by the model's probabilities, rules among its features. Writes
``learning_curve.csv`` and ``learning_curve.svg`` beside this file. Needs ``pip install ".[dev]"``.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from sklearn.metrics import f1_score, precision_score, recall_score

from peerdrift_nlp.classifier.corpus import read_corpus
from peerdrift_nlp.classifier.training import Examples, examples, train
from peerdrift_nlp.rules.engine import RuleEngine
from peerdrift_nlp.taxonomy import DRIFT_LABELS, LABELS

SHARES = (0.10, 0.25, 0.50, 1.00)
DRAWS = 3
HERE = Path(__file__).parent


def main() -> None:
    corpus, engine = read_corpus(HERE), RuleEngine()
    train_data, dev_data = examples(corpus.part("train"), engine), examples(corpus.part("dev"), engine)
    voices = sorted(set(train_data.voices))
    rows = []
    for share in SHARES:
        for draw in range(DRAWS if share < 1 else 1):
            count = max(3, round(share * len(voices)))
            chosen = set(np.random.default_rng(draw).permutation(voices)[:count])
            part = train_data.part([row for row, voice in enumerate(train_data.voices) if voice in chosen])
            rows.append({"share": share, "draw": draw, "voices": count, **figures(part, dev_data)})
            print(rows[-1], flush=True)
    table = pd.DataFrame(rows)
    table.round(3).to_csv(HERE / "learning_curve.csv", index=False)
    plot(table)


def figures(data: Examples, unseen: Examples) -> dict[str, float]:
    model, whole_note, thresholds = train(data)
    probabilities = whole_note(model.probabilities(unseen.rows, slice(len(LABELS))), unseen.note_numbers)
    flags = probabilities >= [thresholds["balanced"][label] for label in LABELS]
    gold = unseen.targets(LABELS).astype(bool)
    drift = [LABELS.index(label) for label in DRIFT_LABELS]
    any_gold, any_flag = gold[:, drift].any(axis=1), flags[:, drift].any(axis=1)
    named = [*drift, LABELS.index("organizational")]
    return {
        "sentences": len(data.rows),
        "precision": float(precision_score(any_gold, any_flag)),
        "recall": float(recall_score(any_gold, any_flag)),
        "any_drift_f1": float(f1_score(any_gold, any_flag)),
        "macro_f1": float(f1_score(gold[:, named], flags[:, named], average="macro")),
    }


def plot(table: pd.DataFrame) -> None:
    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "learning curve"  # the same file each time
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 3.6), layout="constrained")
    for column, label, marker in (("any_drift_f1", "any drift", "o"), ("macro_f1", "macro over five labels", "s")):
        mean = table.groupby("share")[["sentences", column]].mean()
        axes.plot(mean["sentences"], mean[column], marker=marker, label=label)
        axes.scatter(table["sentences"], table[column], s=8, alpha=0.4, color="grey")
    axes.set(xlabel="training sentences", ylabel="F1 on unseen dev voices", ylim=(0, 1))
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    figure.savefig(HERE / "learning_curve.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
