"""Recipes of the palette: whatever is struck on skin, wire, wood or with hands.

sound = skin_tom(Bench(np.random.default_rng(7), 44_100))
"""

from __future__ import annotations

import numpy as np

from models.practice.drum_bench import Bench, Samples


def long_kick(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.7, 2.0))
    body = bench.sweep(time, bench.draw(70, 220), bench.draw(34, 58), bench.draw(0.01, 0.06)) * bench.fall(
        time, time[-1]
    )
    return np.tanh(bench.draw(0.8, 3.0) * body) + bench.draw(0.01, 0.2) * bench.thud(time, 800, 9000)


def felt_kick(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.15, 0.6))
    head_hz = bench.draw(45, 85)
    skin = bench.modes(time, [head_hz, 1.59 * head_hz, 2.3 * head_hz], 0.7 * time[-1])
    return skin * bench.rise(time, bench.draw(0.001, 0.006)) + bench.draw(0.02, 0.3) * bench.thud(time, 200, 3000)


def concert_drum(bench: Bench) -> Samples:
    time = bench.time(bench.draw(1.0, 2.4))
    head_hz = bench.draw(32, 60)
    skin = bench.modes(time, [head_hz, 1.6 * head_hz, 2.1 * head_hz, 2.9 * head_hz], time[-1])
    return skin + bench.draw(0.1, 0.5) * bench.thud(time, 80, 900)


def falling_tom(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.2, 1.6))
    head_hz = bench.draw(55, 380)
    body = bench.sweep(time, bench.draw(1.3, 4.0) * head_hz, head_hz, bench.draw(0.03, 0.35)) * bench.fall(
        time, time[-1]
    )
    hiss = bench.noise(time, bench.draw(300, 2000), 9000) * bench.fall(time, bench.draw(0.01, 0.3))
    return np.tanh(bench.draw(0.5, 2.5) * body) + bench.draw(0.01, 0.4) * hiss


def skin_tom(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.25, 1.8))
    head_hz = bench.draw(60, 260)
    pitches = [head_hz * ratio for ratio in (1.0, 1.51, 1.59, 1.99, 2.14, 2.3, 2.65)]
    bend = bench.sweep(time, bench.draw(1.02, 1.25) * head_hz, head_hz, bench.draw(0.03, 0.12)) * bench.fall(
        time, time[-1]
    )
    skin = bench.draw(0.2, 1.0) * bench.modes(time, pitches, bench.draw(0.2, 0.7) * time[-1])
    return bend + skin + bench.draw(0.1, 0.8) * bench.thud(time, 400, 7000)


def hand_drum(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.1, 0.8))
    head_hz = bench.draw(90, 700)
    pitches = [head_hz, *(head_hz * ratio for ratio in sorted(bench.generator.uniform(1.4, 4.0, 4)))]
    skin = bench.modes(time, pitches, bench.draw(0.4, 1.0) * time[-1])
    bend = bench.sweep(time, bench.draw(0.8, 1.3) * head_hz, head_hz, 0.08) * bench.fall(time, time[-1])
    return skin + bench.draw(0.2, 1.5) * bend + bench.draw(0.1, 1.5) * bench.thud(time, 800, 9000)


def box_drum(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.12, 0.5))
    box_hz = bench.draw(70, 220)
    box = bench.modes(time, [box_hz, 2.2 * box_hz, 3.7 * box_hz], bench.draw(0.3, 0.8) * time[-1])
    return box + bench.draw(0.3, 2.0) * bench.noise(time, 300, bench.draw(2000, 8000)) * bench.fall(
        time, bench.draw(0.02, 0.15)
    )


def thump(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.08, 0.3))
    return bench.noise(time, bench.draw(50, 200), bench.draw(300, 1500)) * bench.fall(time, 0.8 * time[-1])


def wired_snare(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.12, 0.7))
    head_hz = bench.draw(140, 380)
    head = bench.modes(time, [head_hz * ratio for ratio in (1.0, 1.59, 2.14, 2.65)], bench.draw(0.05, 0.4))
    wires = bench.noise(time, bench.draw(400, 2500), bench.draw(7000, 15_000)) * bench.fall(time, bench.draw(0.08, 0.6))
    return (
        bench.draw(0.2, 1.5) * head
        + wires * bench.rise(time, bench.draw(0.0003, 0.004))
        + bench.thud(time, 900, 12_000)
    )


def brush(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.15, 0.6))
    swish = bench.noise(time, bench.draw(600, 2500), 13_000) * bench.rise(time, bench.draw(0.005, 0.06))
    return swish * bench.fall(time, time[-1]) + bench.draw(0.02, 0.3) * bench.modes(time, [bench.draw(150, 260)], 0.15)


def zap_snare(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.12, 0.4))
    body = bench.sweep(time, bench.draw(400, 1500), bench.draw(140, 260), bench.draw(0.01, 0.05)) * bench.fall(
        time, 0.7 * time[-1]
    )
    hiss = bench.noise(time, bench.draw(500, 3000), 15_000) * bench.fall(time, time[-1])
    return np.tanh(bench.draw(1, 4) * (body + bench.draw(0.7, 3) * hiss))


def stick(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.03, 0.2))
    stick_hz = bench.draw(350, 2600)
    pitches = [stick_hz, *(stick_hz * ratio for ratio in sorted(bench.generator.uniform(1.3, 5.0, 4)))]
    return bench.modes(time, pitches, bench.draw(0.012, 0.07)) + bench.draw(0.05, 1.0) * bench.thud(time, 600, 10_000)


def many_hands(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.12, 0.8))
    claps = bench.noise(time, bench.draw(500, 1300), bench.draw(2000, 9000))
    begins = np.concatenate(
        [[0.0], np.sort(bench.generator.uniform(0, bench.draw(0.004, 0.05), bench.generator.integers(1, 8)))]
    )
    hands = sum(bench.generator.uniform(0.4, 1) * bench.after(time, begin, bench.draw(0.006, 0.05)) for begin in begins)
    return claps * (hands + bench.draw(0.02, 0.7) * bench.after(time, begins[-1], 0.8 * time[-1]))


def snap(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.05, 0.3))
    centre_hz = bench.draw(1100, 3500)
    snap = bench.noise(time, 0.7 * centre_hz, 1.4 * centre_hz) * bench.fall(time, bench.draw(0.015, 0.08))
    return snap + bench.draw(0.01, 0.15) * bench.noise(time, 500, 8000) * bench.fall(time, time[-1])
