"""How far stems are from what they should be: losses that are defined in silence too.

    weights = LossWeights(snr=1.0, spectral=0.5)
    loss, parts = separation_loss(estimates, references, weights)       # [b, s, c, t] both

A stem that is silent has no ratio of signal to error. There the error alone is judged, beside the power of the mixture
and with a tenth of the weight, as in the MUSDB recipe of the Locoformer's authors.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial

import torch
from torch import Tensor

from models.music.audio import HOUSE_RATE_HZ
from models.music.errors import BadConfig

# b batch, s stems, c channels, t samples
FLOOR = 1e-7
"""Power that nobody hears: 70 dB below full scale."""
SILENT = 1e-9
"""A stem below this power is silent."""
THRESHOLD = 1e-3
"""Beyond 30 dB a better ratio is worth nothing."""
SILENT_WEIGHT = 0.1
WINDOWS = (256, 512, 1024, 2048)
MELS = 80


@dataclass(frozen=True)
class LossWeights:
    """How much each loss counts; 0 leaves it out."""

    snr: float = 1.0
    """Ratio of error to signal in dB, up to a threshold of 30 dB."""
    si_sdr: float = 0.0
    """The same, whatever the estimate's loudness."""
    l1: float = 0.0
    """Mean absolute error of samples, per standard deviation of the mixture."""
    l2: float = 0.0
    """Mean squared error of samples, per variance of the mixture."""
    spectral: float = 0.0
    """Mean absolute error of magnitudes at four resolutions, per mean magnitude of the mixture."""
    mel: float = 0.0
    """Mean absolute error of log mel magnitudes: nearer to what is heard."""

    def __post_init__(self) -> None:
        weights = {field.name: getattr(self, field.name) for field in fields(self)}
        if min(weights.values()) < 0 or not any(weights.values()):
            raise BadConfig(f"losses are {weights}; none may be below 0 and one must be above (try snr: 1.0).")


def separation_loss(
    estimates: Tensor, references: Tensor, weights: LossWeights, rate_hz: int = HOUSE_RATE_HZ
) -> tuple[Tensor, dict[str, float]]:
    """Return the weighted sum, and every loss that counts by its name; the rate tells `mel` how high a frequency is."""
    estimates, references = estimates.float(), references.float()
    losses = LOSSES | {"mel": partial(mel, rate_hz=rate_hz)}
    found = {name: loss(estimates, references) for name, loss in losses.items() if getattr(weights, name)}
    total = torch.stack([getattr(weights, name) * loss for name, loss in found.items()]).sum()
    return total, {name: float(loss.detach()) for name, loss in found.items()}


def snr(estimates: Tensor, references: Tensor) -> Tensor:
    """Mean ratio of error to signal in dB: the lower the better."""
    error, power = _power(estimates - references), _power(references)
    heard = _db(error + THRESHOLD * power) - _db(power)
    return _judged(heard, error, references)


def si_sdr(estimates: Tensor, references: Tensor) -> Tensor:
    """The same after the reference has been given the loudness that suits the estimate best."""
    fitting = (estimates * references).mean((-2, -1), keepdim=True) / (_power(references) + FLOOR)[..., None, None]
    fitted = fitting * references
    heard = _db(_power(estimates - fitted) + THRESHOLD * _power(fitted)) - _db(_power(fitted))
    return _judged(heard, _power(estimates - references), references)


def l1(estimates: Tensor, references: Tensor) -> Tensor:
    return ((estimates - references).abs().mean((1, 2, 3)) / _loudness(references)).mean()


def l2(estimates: Tensor, references: Tensor) -> Tensor:
    return ((estimates - references).square().mean((1, 2, 3)) / _loudness(references) ** 2).mean()


def spectral(estimates: Tensor, references: Tensor) -> Tensor:
    differences = []
    for window in (w for w in WINDOWS if w <= estimates.shape[-1]):
        found, wanted = _magnitudes(estimates, window), _magnitudes(references, window)
        loudness = _magnitudes(references.sum(1, keepdim=True), window).mean((1, 2, 3, 4)) + math.sqrt(FLOOR)
        differences.append(((found - wanted).abs().mean((1, 2, 3, 4)) / loudness).mean())
    return torch.stack(differences).mean() if differences else estimates.sum() * 0.0


def mel(estimates: Tensor, references: Tensor, rate_hz: int = HOUSE_RATE_HZ) -> Tensor:
    window = min(WINDOWS[-1], estimates.shape[-1])
    filters = mel_filters(window, rate_hz).to(estimates.device)
    found, wanted = (torch.log(filters @ _magnitudes(x, window) + 1e-3) for x in (estimates, references))
    return (found - wanted).abs().mean()


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "snr": snr,
    "si_sdr": si_sdr,
    "l1": l1,
    "l2": l2,
    "spectral": spectral,
    "mel": mel,
}


def mel_filters(n_fft: int, rate_hz: int, count: int = MELS) -> Tensor:
    """Triangles on the mel scale: [count, n_fft / 2 + 1]."""
    top = 2595 * math.log10(1 + rate_hz / 2 / 700)
    edges = 700 * (10 ** (torch.linspace(0, top, count + 2) / 2595) - 1)
    hz = torch.linspace(0, rate_hz / 2, n_fft // 2 + 1)
    rising = (hz - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - hz) / (edges[2:] - edges[1:-1])[:, None]
    return torch.minimum(rising, falling).clamp_min(0)


def _judged(heard: Tensor, error: Tensor, references: Tensor) -> Tensor:
    """Take the ratio of stems that are heard, and the error alone of those that are silent."""
    mixture = _power(references.sum(1, keepdim=True))
    unheard = SILENT_WEIGHT * _db(error + THRESHOLD * mixture)
    return torch.where(_power(references) < SILENT, unheard, heard).mean()


def _power(sound: Tensor) -> Tensor:
    """[..., c, t] -> [...]"""
    return sound.square().mean((-2, -1))


def _db(power: Tensor) -> Tensor:
    return 10 * torch.log10(power + FLOOR)


def _loudness(references: Tensor) -> Tensor:
    """[b]: the mixture's deviation, as far as it is heard."""
    return (_power(references.sum(1)) + FLOOR).sqrt()


def _magnitudes(sound: Tensor, window: int) -> Tensor:
    """[b, s, c, t] -> [b, s, c, f, frames]"""
    shape = torch.hann_window(window, device=sound.device)
    spectrum = torch.stft(sound.flatten(0, 2), window, window // 4, window=shape, return_complex=True)
    return spectrum.abs().unflatten(0, sound.shape[:3])
