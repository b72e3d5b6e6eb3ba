"""A memory of sounds: every taught one-shot pulls towards its role, the more alike it is to what is heard.

    memory = recall(pictures, features, roles, weights, width=64)      # solved at once, no training steps
    shares = memory(pictures, features)                                # [b, 5]

Kernel ridge regression: Gaussian kernel on the picture and the eleven features in their `width` main directions. It
learns in a second what a convolution needs minutes for, and errs elsewhere, so the two are asked together.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.drums.roles.listening import MELS
from models.drums.roles.picture import SPANS
from models.drums.roles.types import FEATURES, ROLES

FEATURE_SCALE = 4.0  # a feature's spread weighs as much as four cells of the picture
SHARPNESS = 2.0  # of the kernel: exp(-SHARPNESS * distance² / mean distance²)
RIDGE = 0.3
TEMPERATURE = 0.6  # of the softmax over the answers


class SoundMemory(nn.Module):
    """What was learned, as plain tensors; n sounds, w directions."""

    def __init__(self, sounds: int, width: int) -> None:
        super().__init__()
        size = MELS * SPANS + len(FEATURES)
        self.register_buffer("feature_mean", torch.zeros(len(FEATURES)))
        self.register_buffer("feature_spread", torch.ones(len(FEATURES)))
        self.register_buffer("centre", torch.zeros(size))
        self.register_buffer("directions", torch.zeros(size, width))
        self.register_buffer("sounds", torch.zeros(sounds, width))
        self.register_buffer("pulls", torch.zeros(sounds, len(ROLES)))
        self.register_buffer("reach", torch.ones(()))

    def fill(self, tensors: dict[str, Tensor]) -> None:
        """Set some of the tensors."""
        for name, values in tensors.items():
            self.get_buffer(name).copy_(values)

    def forward(self, pictures: Tensor, features: Tensor) -> Tensor:
        """[b, m, s], [b, 11] -> share of every role [b, 5]."""
        heard = (self.describe(pictures, features) - self.get_buffer("centre")) @ self.get_buffer("directions")
        return (self.likeness(heard) @ self.get_buffer("pulls") / TEMPERATURE).softmax(1)

    def describe(self, pictures: Tensor, features: Tensor) -> Tensor:
        """Give what is compared: [b, d]. A picture's mean is left out: it is length and noise floor more than kind."""
        pictures = pictures - pictures.mean((1, 2), keepdim=True)
        measures = (features - self.get_buffer("feature_mean")) / self.get_buffer("feature_spread")
        return torch.cat([pictures.flatten(1), FEATURE_SCALE * measures], dim=1)

    def likeness(self, heard: Tensor) -> Tensor:
        """[b, w] -> [b, n], 1 for the very same sound."""
        return torch.exp(-SHARPNESS * torch.cdist(heard, self.get_buffer("sounds")) ** 2 / self.get_buffer("reach"))


def recall(pictures: Tensor, features: Tensor, roles: Tensor, weights: Tensor, width: int) -> SoundMemory:
    """Solve a memory of taught sounds: [n, m, s], [n, 11], int [n], and how much each is to be heeded [n]."""
    width = min(width, len(roles))
    memory = SoundMemory(len(roles), width)
    tensors = {"feature_mean": features.mean(0), "feature_spread": features.std(0).clamp_min(1e-3)}
    memory.fill(tensors)
    described = memory.describe(pictures, features)
    centred = described - described.mean(0)
    directions = main_directions(centred, width)
    sounds = centred @ directions
    reach = torch.cdist(sounds, sounds).square().mean().clamp_min(1e-6)
    memory.fill({"centre": described.mean(0), "directions": directions, "sounds": sounds, "reach": reach})
    targets = 2.0 * nn.functional.one_hot(roles, len(ROLES)).double() - 2.0 / len(ROLES)
    ridge = RIDGE * weights.double().mean() / weights.double()
    kernel = memory.likeness(sounds).double() + torch.diag(ridge)
    memory.fill({"pulls": torch.cholesky_solve(targets, torch.linalg.cholesky(kernel)).float()})
    return memory


def main_directions(centred: Tensor, width: int) -> Tensor:
    """Principal directions of rows [n, d]: [d, width], solved on the shorter side."""
    if len(centred) >= centred.shape[1]:
        return torch.linalg.eigh((centred.T @ centred).double())[1][:, -width:].float()
    strengths, mixtures = torch.linalg.eigh((centred @ centred.T).double())
    strengths = strengths[-width:].clamp_min(1e-9).sqrt()
    return (centred.T.double() @ mixtures[:, -width:] / strengths).float()
