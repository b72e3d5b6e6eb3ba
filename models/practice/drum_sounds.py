"""One-shots synthesised from a seed: nine kinds, several sub-types of each, the attack on the very first sample.

kick = synthesise("kick", np.random.default_rng(7))      # mono, peak 0.9, another one for every seed
kit = drum_kit(np.random.default_rng(7))                 # one sound of every kind
"""

from __future__ import annotations

import numpy as np

from models.music.audio import HOUSE_RATE_HZ, Audio
from models.practice.drum_bench import Bench, Recipes, Samples, play_one

KINDS = ("kick", "snare", "clap", "hihat", "openhat", "tom", "cymbal", "perc", "fx")


def synthesise(kind: str, generator: np.random.Generator, rate_hz: int = HOUSE_RATE_HZ) -> Audio:
    """Make one sound of a kind; its sub-type, pitch, length and colour are drawn from the generator."""
    return play_one(_RECIPES, kind, generator, rate_hz)


def drum_kit(generator: np.random.Generator, rate_hz: int = HOUSE_RATE_HZ) -> dict[str, Audio]:
    """Make one sound of every kind."""
    return {kind: synthesise(kind, generator, rate_hz) for kind in KINDS}


# Kicks


def _deep_kick(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.5, 1.1))
    body = bench.sweep(time, bench.draw(90, 160), bench.draw(38, 55), 0.03) * bench.fall(time, time[-1])
    return body + 0.15 * bench.noise(time, 800, 6000) * bench.fall(time, 0.012)


def _skin_kick(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.2, 0.4))
    body = bench.sweep(time, bench.draw(130, 260), bench.draw(48, 75), 0.02) * bench.fall(time, 0.8 * time[-1])
    return body + bench.draw(0.2, 0.6) * bench.noise(time, 1500, 7000) * bench.fall(time, bench.draw(0.02, 0.05))


def _hard_kick(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.25, 0.6))
    body = bench.sweep(time, bench.draw(250, 600), bench.draw(45, 60), 0.015) * bench.fall(time, time[-1])
    return np.tanh(bench.draw(2, 6) * body)


# Snares and claps


def _skin_snare(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.2, 0.4))
    head_hz = bench.draw(160, 240)
    head = bench.modes(time, [head_hz, 1.59 * head_hz, 2.14 * head_hz], bench.draw(0.12, 0.25))
    wires = bench.noise(time, bench.draw(800, 1500), 11_000) * bench.fall(time, bench.draw(0.15, 0.35))
    return head + bench.draw(0.8, 2.0) * wires


def _machine_snare(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.15, 0.3))
    head_hz = bench.draw(170, 220)
    head = bench.sweep(time, 1.8 * head_hz, head_hz, 0.01) * bench.fall(time, 0.12)
    return head + bench.draw(0.5, 1.5) * bench.noise(time, 2000, 14_000) * bench.fall(time, 0.8 * time[-1])


def _rim_shot(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.06, 0.14))
    rim_hz = bench.draw(420, 800)
    crack = bench.modes(time, [rim_hz, 2.3 * rim_hz, 4.1 * rim_hz], bench.draw(0.03, 0.06))
    return crack + 0.6 * bench.noise(time, 1500, 9000) * bench.fall(time, 0.03)


def _hand_clap(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.2, 0.4))
    gap_s, hands = bench.draw(0.008, 0.013), int(bench.generator.integers(3, 5))
    burst = sum(np.where(time >= n * gap_s, bench.fall(np.maximum(time - n * gap_s, 0), 0.02), 0) for n in range(hands))
    room = np.where(time >= (hands - 1) * gap_s, bench.fall(np.maximum(time - hands * gap_s, 0), 0.7 * time[-1]), 0)
    return bench.noise(time, bench.draw(700, 1000), bench.draw(2000, 4000)) * (burst + 0.6 * room)


def _tight_clap(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.08, 0.16))
    return bench.noise(time, bench.draw(900, 1600), bench.draw(4000, 8000)) * bench.fall(time, 0.8 * time[-1])


# Hats and cymbals


def _machine_hat(bench: Bench, low_s: float = 0.04, high_s: float = 0.12) -> Samples:
    time = bench.time(bench.draw(low_s, high_s))
    return bench.band(bench.metal(time, bench.draw(250, 450)), 7000, 16_000) * bench.fall(time, time[-1])


def _noise_hat(bench: Bench, low_s: float = 0.03, high_s: float = 0.1) -> Samples:
    time = bench.time(bench.draw(low_s, high_s))
    return bench.noise(time, bench.draw(5500, 8500), 16_000) * bench.fall(time, time[-1])


def _machine_open_hat(bench: Bench) -> Samples:
    return _machine_hat(bench, 0.35, 0.8)


def _noise_open_hat(bench: Bench) -> Samples:
    return _noise_hat(bench, 0.3, 0.7)


def _crash(bench: Bench) -> Samples:
    time = bench.time(bench.draw(1.2, 2.4))
    bronze = bench.modes(time, sorted(bench.generator.uniform(400, 9000, 40)), time[-1]) / 8
    return bronze + bench.noise(time, bench.draw(2500, 4500), 15_000) * bench.fall(time, 0.9 * time[-1])


def _ride(bench: Bench) -> Samples:
    time = bench.time(bench.draw(1.0, 2.0))
    ping_hz = bench.draw(2800, 5200)
    ping = bench.modes(time, [ping_hz, 1.41 * ping_hz, 1.93 * ping_hz], 0.6 * time[-1])
    shimmer = bench.band(bench.metal(time, bench.draw(300, 500)), 5000, 14_000) * bench.fall(time, time[-1])
    return 0.4 * ping + shimmer + 0.5 * bench.noise(time, 3000, 12_000) * bench.fall(time, 0.04)


# Toms, percussion and effects


def _tom(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.3, 0.8))
    head_hz = bench.draw(75, 220)
    head = bench.sweep(time, bench.draw(1.15, 1.6) * head_hz, head_hz, 0.06) * bench.fall(time, time[-1])
    overtone = bench.modes(time, [1.6 * head_hz, 2.2 * head_hz], 0.3 * time[-1])
    return head + 0.25 * overtone + 0.3 * bench.noise(time, 500, 5000) * bench.fall(time, 0.025)


def _wood_block(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.08, 0.18))
    pitch_hz = bench.draw(700, 1600)
    return bench.modes(time, [pitch_hz, 2.57 * pitch_hz], 0.7 * time[-1])


def _cowbell(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.2, 0.4))
    pitch_hz = bench.draw(480, 620)
    pair = np.sign(np.sin(2 * np.pi * pitch_hz * time)) + np.sign(np.sin(2 * np.pi * 1.48 * pitch_hz * time))
    return bench.band(pair, 500, 4500) * bench.fall(time, time[-1])


def _conga(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.18, 0.4))
    head_hz = bench.draw(220, 420)
    slap = bench.noise(time, 1200, 5000) * bench.fall(time, 0.02)
    return bench.modes(time, [head_hz, 1.5 * head_hz, 2.3 * head_hz], 0.8 * time[-1]) + bench.draw(0.2, 0.8) * slap


def _reverb_tail(bench: Bench) -> Samples:
    time = bench.time(bench.draw(1.5, 2.8))
    return bench.noise(time, bench.draw(120, 300), bench.draw(1500, 4000)) * bench.fall(time, 1.6 * time[-1])


def _drone(bench: Bench) -> Samples:
    time = bench.time(bench.draw(1.5, 2.8))
    pitch_hz = bench.draw(80, 260)
    chord = sum(np.sin(2 * np.pi * pitch_hz * ratio * time) / ratio for ratio in (1.0, 1.498, 2.003, 2.997))
    swell = np.minimum(1.0, time / bench.draw(0.1, 0.5))
    return (chord + 0.3 * bench.noise(time, 200, 2500)) * swell * bench.fall(time, 3 * time[-1])


def _riser(bench: Bench) -> Samples:
    time = bench.time(bench.draw(1.2, 2.4))
    tone = bench.sweep(time, bench.draw(150, 300), bench.draw(900, 2000), 0.7 * time[-1])
    return (bench.noise(time, 400, 6000) + 0.4 * tone) * (0.05 + (time / time[-1]) ** 2)


_RECIPES: Recipes = {
    "kick": (_deep_kick, _skin_kick, _hard_kick),
    "snare": (_skin_snare, _machine_snare, _rim_shot),
    "clap": (_hand_clap, _tight_clap),
    "hihat": (_machine_hat, _noise_hat),
    "openhat": (_machine_open_hat, _noise_open_hat),
    "tom": (_tom,),
    "cymbal": (_crash, _ride),
    "perc": (_wood_block, _cowbell, _conga),
    "fx": (_reverb_tail, _drone, _riser),
}
