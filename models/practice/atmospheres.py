"""Recipes of the palette: what lies under a beat and is no hit.

sound = weather(Bench(np.random.default_rng(7), 44_100))
"""

from __future__ import annotations

import numpy as np

from models.practice.drum_bench import Bench, Samples


def weather(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.8, 3.0))
    low_hz = bench.draw(60, 3000)
    gusts = 1 + bench.draw(0.05, 0.9) * np.sin(2 * np.pi * bench.draw(0.3, 8) * time + bench.draw(0.1, 6))
    return bench.noise(time, low_hz, bench.draw(2, 20) * low_hz) * gusts * bench.rise(time, bench.draw(0.001, 0.4))


def crackle(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.8, 3.0))
    grains = (
        bench.generator.random(len(time)) < bench.draw(10, 400) / bench.rate_hz
    ) * bench.generator.standard_normal(len(time))
    return bench.band(grains, bench.draw(200, 1500), bench.draw(3000, 12_000)) + 0.005 * bench.noise(time, 100, 9000)


def siren(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.4, 2.5))
    wobble = 1 + bench.draw(0.02, 0.8) * np.sin(2 * np.pi * bench.draw(1, 25) * time)
    tone = np.sin(2 * np.pi * np.cumsum(bench.draw(120, 2500) * wobble) / bench.rate_hz)
    return (
        np.tanh(bench.draw(0.5, 5) * tone) * bench.rise(time, bench.draw(0.001, 0.2)) * bench.fall(time, 3 * time[-1])
    )


def voices(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.8, 3.0))
    root_hz = bench.draw(90, 500)
    chord = sum(
        np.sin(2 * np.pi * root_hz * ratio * (1 + bench.generator.normal(0, 0.003)) * time + bench.draw(0.1, 6))
        / np.sqrt(ratio)
        for ratio in bench.generator.choice([1, 1.19, 1.26, 1.5, 2, 2.25, 3, 4, 5], 6)
    )
    return (chord + bench.draw(0.01, 0.5) * bench.noise(time, 300, 5000)) * bench.rise(time, bench.draw(0.01, 0.6))


def rewind(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.4, 2.0))
    backwards = bench.noise(time, bench.draw(200, 1500), 12_000) * bench.fall(time, time[-1])
    return (
        backwards[::-1].copy()
        if bench.generator.random() < 0.5
        else bench.sweep(time, 200, bench.draw(600, 4000), time[-1])
    )


def boom(bench: Bench) -> Samples:
    time = bench.time(bench.draw(1.2, 3.0))
    rumble = bench.noise(time, 30, bench.draw(200, 1200)) * bench.fall(time, 1.5 * time[-1])
    return rumble + bench.draw(0.1, 0.8) * bench.noise(time, 200, 6000) * bench.fall(time, 0.8 * time[-1])


def glitch(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.3, 1.6))
    steps = np.repeat(bench.generator.uniform(100, 4000, 64), len(time) // 64 + 1)[: len(time)]
    gate = np.repeat(bench.generator.random(64) < 0.7, len(time) // 64 + 1)[: len(time)]
    return np.sign(np.sin(2 * np.pi * np.cumsum(steps) / bench.rate_hz)) * gate + 0.3 * bench.noise(time, 200, 8000)
