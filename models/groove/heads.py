"""What the decoder's last layer says about each drum of a step, how wrong that was, and how it becomes cells.

Two kinds, one interface (b batch, t steps, w logits):
    heads.loss(logits[b, t, w], target[b, t, 27], masked)   -> hits, velocity, offset losses, each [b]
    heads.read(logits[b, t, w], hits, chance, step)         -> cells[b, t, 27]

MeanHeads are the published ones: a probability, one velocity, one offset, each drum. SpreadHeads say for velocity and
offset how likely every value is. A model of means alone plays everything in the middle: right on average and stiff.
With the whole spread, the same model gives the median (temperature 0) and plays as widely as people do (temperature 1).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

N = 9
STEPS_PER_BAR = 16
EPSILON = 1e-7
FEW = 20.0
"""Hits of a cell from which on its own histogram counts more than its drum's."""


@dataclass(frozen=True)
class Chance:
    """The dice of one playing, thrown by the caller: the network itself is deterministic."""

    hits: Tensor
    """Uniform in [0, 1), [b, t, 9]."""
    velocities: Tensor
    """Standard normal, [b, t, 9]."""
    offsets: Tensor
    """Standard normal, [b, t, 9]."""
    temperature: Tensor
    """How far from the middle, [b, 1, 1]; 0 ignores the dice."""

    def at(self, step: int) -> Chance:
        one = slice(step, step + 1)
        return Chance(self.hits[:, one], self.velocities[:, one], self.offsets[:, one], self.temperature)

    def thresholds(self) -> Tensor:
        """What a drum's logit must exceed to sound, [b, t, 9]: a Bernoulli draw of sigmoid(logit / temperature), turned
        round so that all of it is thrown before the first logit is known; the likelier side at temperature 0."""
        return self.temperature * torch.logit(torch.where(self.temperature > 0, self.hits, 0.5))


def hits_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy with the published epsilon, summed over drums and steps: [b]."""
    p = torch.sigmoid(logits)
    return -(target * torch.log(p + EPSILON) + (1 - target) * torch.log(1 - p + EPSILON)).sum((-1, -2))


class MeanHeads(nn.Module):
    """The published heads: sigmoid velocities and tanh offsets under squared error."""

    width = 3 * N

    def loss(self, logits: Tensor, target: Tensor, masked: bool) -> tuple[Tensor, Tensor, Tensor]:
        hits, velocity, offset = target.split(N, -1)
        counted = hits if masked else torch.ones_like(hits)
        velocity_error = (torch.sigmoid(logits[..., N : 2 * N]) - velocity).square() * counted
        offset_error = (torch.tanh(logits[..., 2 * N :]) - offset).square() * counted
        return hits_loss(logits[..., :N], hits), velocity_error.sum((-1, -2)), offset_error.sum((-1, -2))

    def read(self, logits: Tensor, hits: Tensor, chance: Chance, step: int = 0) -> Tensor:
        return torch.cat([hits, torch.sigmoid(logits[..., N : 2 * N]), torch.tanh(logits[..., 2 * N :])], -1)


class SpreadHeads(nn.Module):
    """Velocity and offset as histograms: cross-entropy to learn, the quantile of a normal throw to play."""

    def __init__(self, bins: int) -> None:
        super().__init__()
        self.bins = bins
        self.width = N + 2 * N * bins
        self.doubt: Tensor
        self.habit: Tensor
        self.register_buffer("doubt", torch.ones(2))
        """How far velocity and offset fall back on habit: 1 not at all, infinity altogether; see calibrate."""
        self.register_buffer("habit", torch.zeros(STEPS_PER_BAR, 2, N, bins))
        """Everybody's histogram of each drum on each sixteenth of the bar, in logarithms."""

    def histograms(self, logits: Tensor, step: int = 0) -> tuple[Tensor, Tensor]:
        """Return velocity and offset, each [b, t, 9, bins] in logarithms; the first step lies so far behind a bar line."""
        found = logits[..., N:].unflatten(-1, (2, N, self.bins))
        if not self.training:
            place = (torch.arange(logits.shape[1], device=logits.device) + step) % STEPS_PER_BAR
            trust = 1 / self.doubt[:, None, None]
            found = trust * found.log_softmax(-1) + (1 - trust) * self.habit[place]
        velocity, offset = found.unbind(-3)
        return velocity, offset

    def learn_habit(self, cells: Tensor) -> None:
        """Count everybody's histograms in windows [b, t, 27]; a cell that few struck leans on its drum's."""
        bars = cells.unflatten(1, (-1, STEPS_PER_BAR)).flatten(0, 1)
        hits, velocity, offset = bars.split(N, -1)
        shares = torch.stack([velocity, (offset + 1) / 2], 2)
        found = functional.one_hot((shares * self.bins).long().clamp(0, self.bins - 1), self.bins)
        counts = (found * hits[:, :, None, :, None]).sum(0).to(self.habit)
        drums = counts.sum(0) + 0.1
        counts = counts + FEW * drums / drums.sum(-1, keepdim=True)
        self.habit.copy_((counts / counts.sum(-1, keepdim=True)).log())

    def calibrate(self, logits: Tensor, target: Tensor, performance: Tensor) -> None:
        """Set the doubt by drummers that taught nothing: the largest that surprises within a standard error, over
        performances, of the least surprising (temperature scaling, Guo et al. 2017; the rule is Breiman's, 1984)."""
        tried, losses = torch.linspace(1.0, 3.0, 41), []
        for doubt in tried:
            self.doubt.fill_(float(doubt))
            both = torch.stack(self.loss(logits, target, True)[1:])
            losses.append(both.new_zeros(2, int(performance.max()) + 1).index_add_(1, performance, both))
        surprise = torch.stack(losses)  # [tried, 2, performances]
        for part in range(2):
            best = surprise[:, part].sum(-1).argmin()
            more = surprise[:, part] - surprise[best, part]
            error = more.std(-1) * more.shape[-1] ** 0.5
            self.doubt[part] = tried[more.sum(-1) <= error].max()

    def loss(self, logits: Tensor, target: Tensor, masked: bool) -> tuple[Tensor, Tensor, Tensor]:
        """Velocity and offset count where there is a hit, masked or not: silence has no spread to learn."""
        hits, velocity, offset = target.split(N, -1)
        of_velocity, of_offset = self.histograms(logits)
        struck = hits > 0.5
        return (
            hits_loss(logits[..., :N], hits),
            self._surprise(of_velocity, velocity, struck),
            self._surprise(of_offset, (offset + 1) / 2, struck),
        )

    def _surprise(self, histogram: Tensor, share: Tensor, struck: Tensor) -> Tensor:
        found = (share[struck] * self.bins).long().clamp(0, self.bins - 1)
        nats = functional.cross_entropy(histogram[struck], found, reduction="none")
        return torch.zeros_like(share).masked_scatter(struck, nats).sum((-1, -2))

    def read(self, logits: Tensor, hits: Tensor, chance: Chance, step: int = 0) -> Tensor:
        of_velocity, of_offset = self.histograms(logits, step)
        velocity = self._quantile(of_velocity, chance.velocities * chance.temperature)
        offset = self._quantile(of_offset, chance.offsets * chance.temperature) * 2 - 1
        return torch.cat([hits, velocity, offset], -1)

    def _quantile(self, histogram: Tensor, normal: Tensor) -> Tensor:
        """Return the value, 0 to 1, below which the histogram holds the normal's share; linear within a bin."""
        share = torch.special.ndtr(normal).clamp(1e-6, 1 - 1e-6)
        weights = histogram.softmax(-1)
        below = weights.cumsum(-1)
        place = (below < share[..., None]).sum(-1, keepdim=True).clamp(max=self.bins - 1)
        weight, upper = weights.gather(-1, place)[..., 0], below.gather(-1, place)[..., 0]
        inside = ((share - (upper - weight)) / weight.clamp(min=1e-9)).clamp(0, 1)
        return (place[..., 0] + inside) / self.bins
