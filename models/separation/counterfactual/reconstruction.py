"""Vocals from a mixture and its instrumental: five ways, by name.

    vocals = RECONSTRUCTIONS["mask"](mixture, instrumental)     # complex and magnitude [b, c, f, n] -> complex

`mask` is the one to use. The others are kept to show the difference (python -m benchmarks.counterfactual): logarithms
that are subtracted give a ratio and no difference, and 0 in a scale from -1 to 1 is not silence but its middle.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

# b batch, c channels, f frequencies, n frames
Reconstruction = Literal["literal", "logarithms", "magnitudes", "difference", "mask"]
TINY_POWER = 1e-12


def literal(mixture: Tensor, instrumental: Tensor) -> Tensor:
    """Subtract logarithms that were scaled from -1 to 1, as first designed: louder than the mixture where nobody sings."""
    heard, band = torch.log1p(mixture.abs()), torch.log1p(instrumental)
    low, high = heard.amin((-3, -2, -1), keepdim=True), heard.amax((-3, -2, -1), keepdim=True)
    span = (high - low).clamp_min(TINY_POWER)
    scaled = (2 * (heard - band) / span).clamp(-1, 1)
    return _sung(mixture, torch.expm1((scaled + 1) / 2 * span + low))


def logarithms(mixture: Tensor, instrumental: Tensor) -> Tensor:
    """Subtract logarithms, with 0 as silence: still a ratio."""
    return _sung(mixture, torch.expm1((torch.log1p(mixture.abs()) - torch.log1p(instrumental)).clamp_min(0)))


def magnitudes(mixture: Tensor, instrumental: Tensor) -> Tensor:
    """Subtract magnitudes as far as something is left."""
    return _sung(mixture, (mixture.abs() - instrumental).clamp_min(0))


def difference(mixture: Tensor, instrumental: Tensor) -> Tensor:
    """Subtract the instrumental as a sound, in the mixture's phase."""
    return mixture - _sung(mixture, instrumental)


def mask(mixture: Tensor, instrumental: Tensor) -> Tensor:
    """Take the share of the mixture's power that the instrumental does not have: never more than the mixture."""
    power = mixture.abs().square().clamp_min(TINY_POWER)
    return mixture * (1 - instrumental.square() / power).clamp(0, 1)


RECONSTRUCTIONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "literal": literal,
    "logarithms": logarithms,
    "magnitudes": magnitudes,
    "difference": difference,
    "mask": mask,
}


def _sung(mixture: Tensor, magnitude: Tensor) -> Tensor:
    """Give a magnitude the mixture's phase."""
    return magnitude * torch.sgn(mixture)
