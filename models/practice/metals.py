"""Recipes of the palette: hats, cymbals, bells, and the small things that are shaken and scraped.

sound = pedal_hat(Bench(np.random.default_rng(7), 44_100))
"""

from __future__ import annotations

import numpy as np

from models.practice.drum_bench import Bench, Samples


def bronze(bench: Bench, low_s: float, high_s: float, low_hz: float, high_hz: float) -> Samples:
    """Many partials without order, the higher ones gone sooner, under a wash of noise."""
    time = bench.time(bench.draw(low_s, high_s))
    partials = bench.modes(time, sorted(low_hz * (high_hz / low_hz) ** bench.generator.random(60)), time[-1]) / 10
    wash = bench.noise(time, bench.draw(low_hz, 5 * low_hz), high_hz) * bench.fall(
        time, bench.draw(0.3, 1.0) * time[-1]
    )
    return partials + bench.draw(0.1, 1.0) * wash + bench.draw(0.05, 0.5) * bench.thud(time, 2000, 14_000)


def struck_hat(bench: Bench) -> Samples:
    return bronze(bench, 0.03, 0.18, bench.draw(1500, 5000), 16_000)


def pedal_hat(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.05, 0.25))
    chick = bench.noise(time, bench.draw(500, 3000), bench.draw(6000, 14_000)) * bench.rise(
        time, bench.draw(0.001, 0.02)
    )
    return chick * bench.fall(time, time[-1]) + bench.draw(0.02, 0.4) * bench.thud(time, 150, 1200)


def loose_hat(bench: Bench) -> Samples:
    sizzle = bronze(bench, 0.25, 2.0, bench.draw(1200, 4500), 16_000)
    shimmer = 1 + bench.draw(0.05, 0.6) * np.sin(
        2 * np.pi * bench.draw(15, 60) * bench.time(len(sizzle) / bench.rate_hz)
    )
    return sizzle * shimmer[: len(sizzle)]


def long_crash(bench: Bench) -> Samples:
    crash = bronze(bench, 1.5, 8.0, bench.draw(200, 900), bench.draw(9000, 16_000))
    return crash * bench.rise(bench.time(len(crash) / bench.rate_hz)[: len(crash)], bench.draw(0.0005, 0.03))


def splash(bench: Bench) -> Samples:
    return bronze(bench, 0.3, 1.2, bench.draw(600, 2000), 15_000)


def china(bench: Bench) -> Samples:
    return np.tanh(bench.draw(2, 6) * bronze(bench, 0.6, 2.5, bench.draw(250, 800), 10_000))


def long_ride(bench: Bench) -> Samples:
    ride = bronze(bench, 1.0, 6.0, bench.draw(350, 1500), bench.draw(7000, 14_000))
    time = bench.time(len(ride) / bench.rate_hz)[: len(ride)]
    ping_hz = bench.draw(700, 5000)
    return bench.draw(0.1, 1) * ride + bench.modes(
        time, [ping_hz, 1.47 * ping_hz, 2.09 * ping_hz], bench.draw(0.2, 1.0) * time[-1]
    )


def bell(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.15, 2.0))
    bell_hz = bench.draw(400, 3500)
    pitches = [
        bell_hz,
        *(bell_hz * ratio for ratio in sorted(bench.generator.uniform(1.2, 5.5, bench.generator.integers(2, 7)))),
    ]
    return bench.modes(time, pitches, time[-1]) + bench.draw(0.01, 0.3) * bench.thud(time, 1500, 12_000)


def triangle(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.15, 2.4))
    return bench.modes(time, sorted(bench.generator.uniform(1500, 12_000, bench.generator.integers(4, 10))), time[-1])


def shaker(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.06, 0.35))
    grains = bench.noise(time, bench.draw(2000, 6000), bench.draw(8000, 15_000)) * bench.rise(
        time, bench.draw(0.005, 0.1)
    )
    back = bench.draw(0.02, 0.8) * bench.after(time, bench.draw(0.3, 0.7) * time[-1], 0.5 * time[-1])
    return grains * (bench.fall(time, bench.draw(0.5, 1.2) * time[-1]) + back)


def jingles(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.1, 0.8))
    jingle = bench.modes(time, sorted(bench.generator.uniform(3500, 14_000, 24)), 4 * time[-1]) / 5
    shakes = [0.0, *np.sort(bench.generator.uniform(0.01, 0.7 * time[-1], bench.generator.integers(0, 5)))]
    pulses = sum(bench.generator.uniform(0.3, 1) * bench.after(time, begin, bench.draw(0.05, 0.4)) for begin in shakes)
    return (jingle + bench.draw(0.05, 0.8) * bench.noise(time, 4000, 15_000)) * pulses + bench.draw(
        0.01, 0.4
    ) * bench.thud(time, 200, 1500)


def scraper(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.1, 0.8))
    teeth = np.arange(0, time[-1], 1 / bench.draw(25, 110))
    strokes = sum(bench.generator.uniform(0.4, 1) * bench.after(time, begin, 0.012) for begin in teeth)
    return (
        bench.noise(time, bench.draw(900, 2500), bench.draw(5000, 10_000)) * strokes * bench.rise(time, 0.3 * time[-1])
    )


def wood(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.04, 0.25))
    wood_hz = bench.draw(500, 3000)
    wood = bench.modes(time, [wood_hz, bench.draw(1.8, 3.2) * wood_hz], bench.draw(0.3, 1.0) * time[-1])
    return wood + bench.draw(0.01, 0.3) * bench.thud(time, 1000, 9000)


def square_bell(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.08, 0.5))
    pair = bench.metal(time, bench.draw(300, 900))
    return bench.band(pair, bench.draw(400, 900), bench.draw(2000, 6000)) * bench.fall(time, time[-1])


def blip(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.03, 0.3))
    blip_hz = bench.draw(200, 3000)
    tone = bench.sweep(time, bench.draw(0.5, 3.0) * blip_hz, blip_hz, bench.draw(0.01, 0.1))
    return np.tanh(bench.draw(0.3, 4) * tone) * bench.fall(time, time[-1])
