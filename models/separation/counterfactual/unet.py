"""The network that imagines: a U-Net over spectrograms that knows how noisy its image is.

    answer = UNet(LAPTOP)(noisy, mixture, time)         # [b, 2, f, n] twice, [b] -> [b, 2, f, n]

Its two inputs lie on top of each other. Neighbouring frequencies are folded into channels first: the maps are smaller
by as much, and no frequency is lost.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.separation.counterfactual.config import CounterfactualConfig

# b batch, c channels, f frequencies, n frames, d width
SIDES = 2
NORM_GROUPS = 8


class UNet(nn.Module):
    def __init__(self, config: CounterfactualConfig) -> None:
        super().__init__()
        self.fold = config.fold
        d, told = config.width, 4 * config.width
        widths = [d * times for times in config.widths]
        self.time = nn.Sequential(Sinusoids(d), nn.Linear(d, told), nn.SiLU(), nn.Linear(told, told))
        self.enter = nn.Conv2d(2 * SIDES * self.fold, d, 3, padding=1)
        self.place = nn.Parameter(torch.zeros(d, config.n_fft // 2 // self.fold, 1))
        self.down, self.up, skips, now = nn.ModuleList(), nn.ModuleList(), [d], d
        for level, width in enumerate(widths):
            heads = config.heads if level >= config.attention_below else 0
            for _ in range(config.blocks):
                self.down.append(Look(now, width, told, heads))
                skips.append(now := width)
            if level < len(widths) - 1:
                self.down.append(Coarser(now))
                skips.append(now)
        self.middle = nn.ModuleList([Look(now, now, told, config.heads), Look(now, now, told, 0)])
        for level, width in reversed(list(enumerate(widths))):
            heads = config.heads if level >= config.attention_below else 0
            for _ in range(config.blocks + 1):
                self.up.append(Look(now + skips.pop(), width, told, heads))
                now = width
            if level:
                self.up.append(Finer(now))
        self.leave = nn.Sequential(_norm(now), nn.SiLU(), nn.Conv2d(now, SIDES * self.fold, 3, padding=1))
        nn.init.zeros_(self.leave[-1].weight)  # pyright: ignore[reportArgumentType]

    def forward(self, noisy: Tensor, mixture: Tensor, time: Tensor) -> Tensor:
        told = self.time(time)
        x = self.enter(self._folded(torch.cat([noisy, mixture], 1))) + self.place
        skips = [x]
        for part in self.down:
            x = part(x, told)
            skips.append(x)
        for part in self.middle:
            x = part(x, told)
        for part in self.up:
            x = part(x if isinstance(part, Finer) else torch.cat([x, skips.pop()], 1), told)
        return self._unfolded(self.leave(x))

    def _folded(self, image: Tensor) -> Tensor:
        """[b, c, f k, n] -> [b, c k, f, n]"""
        return image.unflatten(2, (-1, self.fold)).transpose(2, 3).flatten(1, 2)

    def _unfolded(self, maps: Tensor) -> Tensor:
        return maps.unflatten(1, (-1, self.fold)).transpose(2, 3).flatten(2, 3)


class Look(nn.Module):
    """A residual block that is told the time, and on coarse maps attention behind it."""

    def __init__(self, into: int, out: int, told: int, heads: int) -> None:
        super().__init__()
        self.first = nn.Sequential(_norm(into), nn.SiLU(), nn.Conv2d(into, out, 3, padding=1))
        self.time = nn.Sequential(nn.SiLU(), nn.Linear(told, out))
        self.second = nn.Sequential(_norm(out), nn.SiLU(), nn.Conv2d(out, out, 3, padding=1))
        self.past = nn.Conv2d(into, out, 1) if into != out else nn.Identity()
        self.attention = Attention(out, heads) if heads else nn.Identity()

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        within = self.second(self.first(x) + self.time(told)[:, :, None, None])
        return self.attention(self.past(x) + within)


class Attention(nn.Module):
    """Every place of a map looks at every other."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads, self.norm = heads, _norm(width)
        self.ask, self.answer = nn.Conv2d(width, 3 * width, 1), nn.Conv2d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        asked = self.ask(self.norm(x)).flatten(2).unflatten(1, (3, self.heads, -1)).transpose(-2, -1)
        found = functional.scaled_dot_product_attention(*asked.unbind(1))
        return x + self.answer(found.transpose(-2, -1).reshape(x.shape))


class Coarser(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.halve = nn.Conv2d(width, width, 3, stride=2, padding=1)

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        return self.halve(x)


class Finer(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.smooth = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        return self.smooth(functional.interpolate(x, scale_factor=2.0))


class Sinusoids(nn.Module):
    """A time as waves of many lengths: [b] -> [b, width]"""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    def forward(self, time: Tensor) -> Tensor:
        half = self.width // 2
        turns = torch.exp(-math.log(10_000) / half * torch.arange(half, device=time.device))
        angles = time.float()[:, None] * turns
        return torch.cat([angles.sin(), angles.cos()], 1)


def _norm(width: int) -> nn.GroupNorm:
    return nn.GroupNorm(math.gcd(NORM_GROUPS, width), width)
