"""The workbench that drum sounds are made at: oscillators, noises, filters, envelopes; and how a recipe becomes a sound.

sound = play_one({"kick": (deep_kick, hard_kick)}, "kick", np.random.default_rng(7), 44_100)     # mono, peak 0.9
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from models.music.audio import Audio
from models.music.config import nearest
from models.music.errors import BadConfig

PEAK = 0.9
FADE_MS = 4.0

Samples = NDArray[np.float64]


class Bench:
    """The few oscillators, noises, filters and envelopes every sound is made of."""

    def __init__(self, generator: np.random.Generator, rate_hz: int) -> None:
        self.generator, self.rate_hz = generator, rate_hz

    def draw(self, low: float, high: float) -> float:
        """Draw a value evenly on a logarithmic scale: what pitches and lengths are heard on."""
        return float(low * (high / low) ** self.generator.random())

    def time(self, seconds: float) -> Samples:
        return np.arange(max(1, round(seconds * self.rate_hz))) / self.rate_hz

    def fall(self, time: Samples, decay_s: float) -> Samples:
        """Fall to -60 dB in decay_s."""
        return 10.0 ** (-3.0 * time / decay_s)

    def rise(self, time: Samples, attack_s: float) -> Samples:
        """Come up to full within attack_s."""
        return np.minimum(1.0, (time + 1 / self.rate_hz) / attack_s)

    def after(self, time: Samples, begin_s: float, decay_s: float) -> Samples:
        """Nothing, then at begin_s a fall."""
        return np.where(time >= begin_s, self.fall(np.maximum(time - begin_s, 0.0), decay_s), 0.0)

    def thud(self, time: Samples, low_hz: float, high_hz: float) -> Samples:
        """The noise of whatever strikes: a burst of a few milliseconds."""
        return self.noise(time, low_hz, high_hz) * self.fall(time, self.draw(0.004, 0.05))

    def sweep(self, time: Samples, from_hz: float, to_hz: float, glide_s: float) -> Samples:
        """A sine whose pitch glides down; its first sample already moves."""
        pitch = to_hz + (from_hz - to_hz) * np.exp(-time / glide_s)
        return np.sin(2 * np.pi * np.cumsum(pitch) / self.rate_hz)

    def noise(self, time: Samples, low_hz: float, high_hz: float) -> Samples:
        return self.band(self.generator.standard_normal(len(time)), low_hz, high_hz)

    def band(self, sound: Samples, low_hz: float, high_hz: float) -> Samples:
        top = 0.45 * self.rate_hz
        edges = min(low_hz, 0.5 * top), min(high_hz, top)
        return np.asarray(sosfilt(butter(2, edges, "bandpass", fs=self.rate_hz, output="sos"), sound))

    def modes(self, time: Samples, pitches_hz: list[float], decay_s: float) -> Samples:
        """Add decaying partials; the higher, the shorter, as in struck metal and skin."""
        sound = np.zeros(len(time))
        for pitch_hz in pitches_hz:
            if pitch_hz < 0.45 * self.rate_hz:
                shorter = (pitches_hz[0] / pitch_hz) ** 0.3
                sound += np.sin(2 * np.pi * pitch_hz * time) * self.fall(time, decay_s * shorter) * shorter
        return sound

    def metal(self, time: Samples, base_hz: float) -> Samples:
        """Six detuned square waves, the metallic voice of the early drum machines."""
        ratios = np.array([1.0, 1.342, 1.2312, 1.6532, 1.9523, 2.1523]) * self.generator.uniform(0.97, 1.03, 6)
        return np.sign(np.sin(2 * np.pi * base_hz * np.outer(ratios, time))).mean(0)


Recipes = Mapping[str, tuple[Callable[[Bench], Samples], ...]]
"""By kind of drum."""


def play_one(recipes: Recipes, kind: str, generator: np.random.Generator, rate_hz: int) -> Audio:
    """Draw one of a kind's recipes and make its sound: it ends without a click, at its peak."""
    if kind not in recipes:
        raise BadConfig(f"drum sound {kind!r}: {nearest(kind, recipes)}.")
    recipe = recipes[kind][generator.integers(len(recipes[kind]))]
    sound = recipe(Bench(generator, rate_hz))
    fade = min(round(FADE_MS * rate_hz / 1000), len(sound))
    sound[-fade:] *= np.linspace(1.0, 0.0, fade)
    sound *= PEAK / np.abs(sound).max()
    return Audio(sound.astype(np.float32)[None], rate_hz, f"{kind} ({recipe.__name__.strip('_').replace('_', ' ')})")
