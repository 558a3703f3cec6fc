"""The second reading: a small transformer for the sentences that the fast model leaves open.

Word order and who does what to whom are what words, pairs and triples see badly. The encoder sees them,
at some thousand times the cost; so it reads only where the fast model is unsure, and the two are weighed
together. Each sentence is read by itself, because int8 activations are scaled by what is read together:
so no sentence's verdict depends on its neighbours in a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from peerdrift_nlp.classifier.linear import Floats, log_odds
from peerdrift_nlp.errors import UsageError
from peerdrift_nlp.taxonomy import LABELS, ROLE_CONSISTENT

ENCODER, TOKENIZER = "encoder.onnx", "tokenizer.json"
"""The files of an encoder: in a bundle, or in the folder that ``models/encoder.py`` writes."""

OPEN = {label: (0.03, 0.97) for label in LABELS} | {ROLE_CONSISTENT: (0.1, 0.9)}
"""Between which probabilities a label is open; to name a strength wrongly does less harm."""
_LONGEST = 96
_SILENT = 4


class EncoderFiles(NamedTuple):
    """The bytes of a graph (ONNX) and of its tokenizer (the ``tokenizers`` library's JSON)."""

    graph: bytes
    tokenizer: bytes


class SentenceEncoder:
    """Reads one sentence at a time, on one CPU thread. Safe to share between threads.

    Args:
        files: graph and tokenizer; the graph takes ``pieces`` of shape ``(1, length)`` and gives
            ``log_odds`` of shape ``(1, outputs)``.
    """

    def __init__(self, files: EncoderFiles) -> None:
        # Not at the top: the fast model does without them.
        import onnxruntime
        from tokenizers import Tokenizer

        onnxruntime.disable_telemetry_events()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = _SILENT
        self._session = onnxruntime.InferenceSession(files.graph, options, providers=["CPUExecutionProvider"])
        self._tokenizer = Tokenizer.from_str(files.tokenizer.decode())
        self._tokenizer.enable_truncation(_LONGEST)

    def __call__(self, text: str) -> Floats:
        """Log-odds of one sentence, shape ``(outputs,)``."""
        pieces = np.array([self._tokenizer.encode(text).ids], dtype=np.int64)
        (log_odds,) = self._session.run(["log_odds"], {"pieces": pieces})
        row: Floats = log_odds[0]
        return row


@dataclass(frozen=True)
class Cascade:
    """An encoder and how it is weighed with the fast model.

    Attributes:
        encoder: reads the open sentences.
        mixing: slope and offset of each label, shape ``(labels, 2)``, for the mean of both log-odds.
    """

    encoder: SentenceEncoder
    mixing: NDArray[np.float64]

    def __call__(self, probabilities: Floats, text_of: Callable[[int], str]) -> Floats:
        """The fast model's probabilities, with those of the open sentences weighed anew.

        Args:
            probabilities: shape ``(sentences, labels)``.
            text_of: the text of a sentence, by its row; asked just before the sentence is read.
        """
        numbers = open_sentences(probabilities)
        if not len(numbers):
            return probabilities
        mean = mean_log_odds(self.encoder, probabilities[numbers], map(text_of, numbers.tolist()))
        slope, offset = self.mixing.T
        weighed = probabilities.copy()
        weighed[numbers] = 1 / (1 + np.exp(-np.clip(mean * slope + offset, -700, 700)))
        return weighed


def read_encoder(folder: Path) -> EncoderFiles:
    """The files of an encoder from a folder, which may be a bundle that has one.

    Raises:
        UsageError: they are not there.
    """
    try:
        return EncoderFiles((folder / ENCODER).read_bytes(), (folder / TOKENIZER).read_bytes())
    except OSError as error:
        raise UsageError(f"{folder} holds no encoder ({ENCODER} and {TOKENIZER}): {error.strerror}") from None


def open_sentences(probabilities: Floats) -> NDArray[np.int64]:
    """The rows of which the fast model is unsure for any label."""
    least, most = np.array([OPEN[label] for label in LABELS]).T
    return np.flatnonzero(((probabilities > least) & (probabilities < most)).any(axis=1))


def mean_log_odds(encoder: SentenceEncoder, probabilities: Floats, texts: Iterable[str]) -> NDArray[np.float64]:
    """The mean of the fast model's and the encoder's log-odds of the labels, shape ``(texts, labels)``."""
    read: dict[str, Floats] = {}
    rows = [read[text] if text in read else read.setdefault(text, encoder(text)[: len(LABELS)]) for text in texts]
    mean: NDArray[np.float64] = (log_odds(probabilities) + np.array(rows)) / 2
    return mean
