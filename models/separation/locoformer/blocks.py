"""What a Locoformer is made of: blocks that look along frequencies and along time, each with attention between convolutions.

    block = Block(config)
    block(x)                # [b, t, f, d] in and out

There is no factor of one half before the feed-forwards' residuals: the paper has it, its weights were trained without.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.separation.locoformer.config import LocoformerConfig

# b batch, t frames, f frequencies or bands, r rows of sequences, l steps of a sequence, d width, h heads


class Block(nn.Module):
    """Look along frequencies, then along time, or the other way round."""

    def __init__(self, config: LocoformerConfig) -> None:
        super().__init__()
        self.along_frequency, self.along_time = Path(config), Path(config)
        self.frequency_first = config.order == "frequency first"

    def forward(self, x: Tensor) -> Tensor:
        """[b, t, f, d] -> [b, t, f, d]"""
        if self.frequency_first:
            x = self.along_frequency(x)
        x = self.along_time(x.transpose(1, 2)).transpose(1, 2)
        return x if self.frequency_first else self.along_frequency(x)


class Path(nn.Module):
    """Feed-forward, attention, feed-forward along the last axis but one, each normed before and added after."""

    def __init__(self, config: LocoformerConfig) -> None:
        super().__init__()
        *before, after = config.hidden
        self.before = nn.Sequential(make_norm(config), FeedForward(config, before[0])) if before else None
        self.attention = nn.Sequential(make_norm(config), Attention(config))
        self.after = nn.Sequential(make_norm(config), FeedForward(config, after))

    def forward(self, x: Tensor) -> Tensor:
        """[b, r, l, d] -> [b, r, l, d]"""
        x = x.contiguous()
        if self.before is not None:
            x = x + self.before(x)
        x = x + self.attention(x)
        return x + self.after(x)


class FeedForward(nn.Module):
    """A convolution to a value and its gate, and a transposed one back (ConvSwiGLU).

    Rows of sequences are pictures of one convolution with a flat kernel, in channels-last memory: nothing is moved.
    """

    def __init__(self, config: LocoformerConfig, hidden: int) -> None:
        super().__init__()
        self.open = nn.Conv1d(config.width, 2 * hidden, config.kernel, config.stride)
        self.close = nn.ConvTranspose1d(hidden, config.width, config.kernel, config.stride)
        self.dropout = nn.Dropout(config.dropout)
        self.kernel, self.stride = config.kernel, config.stride

    def forward(self, x: Tensor) -> Tensor:
        """[b, r, l, d] -> [b, r, l, d]"""
        steps, margin = x.shape[2], self.kernel - self.stride
        beyond = -(steps + 2 * margin - self.kernel) % self.stride  # so that the last kernel is full
        rows = functional.pad(x, (0, 0, margin, margin + beyond)).permute(0, 3, 1, 2)
        opened = functional.conv2d(rows, self.open.weight[:, :, None], self.open.bias, (1, self.stride))
        value, gate = opened.chunk(2, 1)
        closed = self._closed(self.dropout(value * functional.silu(gate)), steps)
        return self.dropout(closed.permute(0, 2, 3, 1))

    def _closed(self, rows: Tensor, steps: int) -> Tensor:
        """[b, c, r, l'] -> [b, d, r, l]"""
        weight = self.close.weight[:, :, None]
        if self.stride == 1:  # what remains after cropping is a plain convolution backwards, and faster so
            return functional.conv2d(rows, weight.flip(-1).transpose(0, 1), self.close.bias)
        closed = functional.conv_transpose2d(rows, weight, self.close.bias, (1, self.stride))
        margin = self.kernel - self.stride
        return closed[..., margin : margin + steps]


class Attention(nn.Module):
    """Every step of a sequence looks at every other, through torch's fused kernels."""

    def __init__(self, config: LocoformerConfig) -> None:
        super().__init__()
        self.heads, self.rotary = config.heads, config.positions == "rotary"
        self.enter = nn.Linear(config.width, 3 * config.attention, bias=False)
        self.leave = nn.Linear(config.attention, config.width, bias=False)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """[b, r, l, d] -> [b, r, l, d]"""
        b, r, steps, _ = x.shape
        entered = self.enter(x).view(b * r, steps, 3, self.heads, -1)
        query, key, value = entered.permute(2, 0, 3, 1, 4)  # [b·r, h, l, d / h] each
        if self.rotary:
            query, key = turned(query), turned(key)
        left_out = self.dropout.p if self.training else 0.0
        seen = functional.scaled_dot_product_attention(query, key, value, dropout_p=left_out)
        return self.dropout(self.leave(seen.transpose(1, 2).reshape(b, r, steps, -1)))


def turned(x: Tensor) -> Tensor:
    """Turn neighbouring pairs of [..., l, d] by their step times their frequency (interleaved rotary positions).

    Angles are never computed in half precision: bfloat16 knows only 256 steps apart from each other.
    """
    real = torch.promote_types(x.dtype, torch.float32)
    with torch.autocast(x.device.type, enabled=False):
        frequencies = rotary_frequencies(x.shape[-1]).to(x.device, real)
        angles = torch.arange(x.shape[-2], device=x.device, dtype=real)[:, None] * frequencies
        cos, sin = angles.cos(), angles.sin()
        even, odd = x.to(real).unflatten(-1, (-1, 2)).unbind(-1)
        pairs = torch.stack([even * cos - odd * sin, odd * cos + even * sin], -1)
    return pairs.flatten(-2).to(x.dtype)


def rotary_frequencies(width: int) -> Tensor:
    """float32[d / 2], rounded as in published weights."""
    return 1.0 / (10000 ** (torch.arange(0, width, 2).float() / width))


def make_norm(config: LocoformerConfig) -> nn.Module:
    if config.norm == "layer":
        return nn.LayerNorm(config.width, config.eps)
    return RMSGroupNorm(config)


class RMSGroupNorm(nn.Module):
    """Divide each group of channels by its root mean square; eps stands outside the root."""

    def __init__(self, config: LocoformerConfig) -> None:
        super().__init__()
        self.groups, self.eps = config.groups, config.eps
        self.weight = nn.Parameter(torch.ones(config.width))

    def forward(self, x: Tensor) -> Tensor:
        """[..., d] -> [..., d]"""
        with torch.autocast(x.device.type, enabled=False):
            grouped = x.to(self.weight.dtype).unflatten(-1, (self.groups, -1))
            # A vector's norm has a gradient in silence, the root of a mean square has none.
            size = torch.linalg.vector_norm(grouped, dim=-1, keepdim=True) / grouped.shape[-1] ** 0.5
            return (grouped / (size + self.eps)).flatten(-2) * self.weight
