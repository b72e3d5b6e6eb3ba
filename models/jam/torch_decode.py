"""The decoder in plain torch, for GPUs: bfloat16, memory that never moves, and a word as one recorded CUDA graph.

    decoder = TorchDecoder(weights, config, "cuda", torch.bfloat16)
    logits = decoder.open().follow(words)

On a CPU it is the eager loop that somebody would write by hand; benchmarks set it beside ONNX Runtime.
t words, h heads, d numbers of a head, c context.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from models.jam.config import NORM_EPSILON, ROTARY_BASE, JamConfig
from models.jam.decode import Logits, Reader


class TorchDecoder:
    """One soloist's weights on a device."""

    def __init__(self, weights: Mapping[str, Tensor], config: JamConfig, device: str, kind: torch.dtype) -> None:
        self.config, self.device, self.kind = config, torch.device(device), kind

        def packed(*names: str) -> Tensor:
            parts = [weights[f"llama.{name}.weight"] for name in names]
            return torch.cat(parts).to(self.device, kind).contiguous()

        self.embedding, self.norm, self.head = packed("model.embed_tokens"), packed("model.norm"), packed("lm_head")
        self.layers = [
            (
                packed(f"{block}.input_layernorm"),
                packed(*(f"{block}.self_attn.{part}_proj" for part in "qkv")),
                packed(f"{block}.self_attn.o_proj"),
                packed(f"{block}.post_attention_layernorm"),
                packed(f"{block}.mlp.gate_proj", f"{block}.mlp.up_proj"),
                packed(f"{block}.mlp.down_proj"),
            )
            for block in (f"model.layers.{layer}" for layer in range(config.layers))
        ]
        half = config.width // config.heads // 2
        turns = ROTARY_BASE ** (-torch.arange(half) / half)
        angles = (torch.arange(config.context)[:, None] * turns).repeat(1, 2)[:, None]  # [c, 1, d]
        self.cos, self.sin = angles.cos().to(self.device, kind), angles.sin().to(self.device, kind)

    def open(self) -> TorchReader:
        return TorchReader(self)

    def step(self, words: Tensor, beside: Tensor, places: Tensor, memory: Tensor, span: int) -> Tensor:
        """Read words [t] with those beside them [t, 2] at places [t]; keys and values up to `span` are looked at and the new ones written."""
        seen = torch.arange(span, device=self.device) <= places[:, None]
        cos, sin = self.cos[places], self.sin[places]
        stream = self.embedding[words] + self.embedding[beside].sum(1)
        for layer, (before, qkv, out, after, gate_up, down) in enumerate(self.layers):
            shape = (len(words), 3, self.config.heads, -1)
            query, key, value = functional.linear(_normed(stream, before), qkv).view(shape).unbind(1)  # [t, h, d]
            memory[layer, 0].index_copy_(0, places, _turned(key, cos, sin))
            memory[layer, 1].index_copy_(0, places, value)
            keys, values = memory[layer, :, :span].transpose(1, 2)
            query = _turned(query, cos, sin).transpose(0, 1)
            attended = functional.scaled_dot_product_attention(query[None], keys[None], values[None], attn_mask=seen)
            stream = stream + functional.linear(attended[0].transpose(0, 1).flatten(1), out)
            gate, up = functional.linear(_normed(stream, after), gate_up).chunk(2, -1)
            stream = stream + functional.linear(functional.silu(gate) * up, down)
        return functional.linear(_normed(stream, self.norm), self.head)


class TorchReader(Reader):
    """Keys and values of what was read, on the device."""

    def __init__(self, decoder: TorchDecoder) -> None:
        config = decoder.config
        super().__init__(config.context)
        shape = (config.layers, 2, config.context, config.heads, config.width // config.heads)
        self._decoder = decoder
        self._memory = torch.zeros(shape, device=decoder.device, dtype=decoder.kind)
        self.nbytes = self._memory.nbytes
        self._graph: torch.cuda.CUDAGraph | None = None
        self._word, self._place = torch.zeros(2, 1, dtype=torch.long, device=decoder.device)
        self._beside = torch.zeros(1, 2, dtype=torch.long, device=decoder.device)

    def _read(self, words: NDArray[np.int64], beside: NDArray[np.int64]) -> Logits:
        device, begin, end = self._decoder.device, len(self.words), len(self.words) + len(words)
        with torch.no_grad():
            if len(words) == 1 and device.type == "cuda":
                logits = self._replayed(words, beside, begin)
            else:
                places = torch.arange(begin, end, device=device)
                read, heard = torch.from_numpy(words).to(device), torch.from_numpy(beside).to(device)
                logits = self._decoder.step(read, heard, places, self._memory, end)
            return logits.float().cpu().numpy()

    def _replayed(self, word: NDArray[np.int64], beside: NDArray[np.int64], place: int) -> Tensor:
        """Read one word by a graph, recorded the first time: all its kernels are started at once."""
        self._word.copy_(torch.from_numpy(word))
        self._beside.copy_(torch.from_numpy(beside))
        self._place.fill_(place)
        if self._graph is None:
            self._step()  # what is lazy, happens here
            torch.cuda.synchronize()
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
                self._logits = self._step()
        self._graph.replay()
        return self._logits

    def _step(self) -> Tensor:
        return self._decoder.step(self._word, self._beside, self._place, self._memory, self.context)


def _normed(stream: Tensor, weight: Tensor) -> Tensor:
    return functional.rms_norm(stream, weight.shape, weight, NORM_EPSILON)


def _turned(heads: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn queries or keys [t, h, d] by their places."""
    first, second = heads.chunk(2, -1)
    return heads * cos + torch.cat([-second, first], -1) * sin
