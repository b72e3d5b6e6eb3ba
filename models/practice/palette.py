"""Drum sounds as wide as a library: skins, sticks, metals, shakers, hands and atmospheres, with layers of velocity and a room.

    rim = palette_sound("rim", np.random.default_rng(7))      # mono, peak 0.9, another one for every seed

The kit of `drum_sounds` is what songs are made of. This palette is what a listener learns from besides: what stands here is
heard seldom in a song and often in a folder of somebody else's samples.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from models.music.audio import HOUSE_RATE_HZ, Audio
from models.music.config import nearest
from models.music.errors import BadConfig
from models.practice.drum_sounds import Bench, Samples, finished

# Skins


def _long_kick(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.7, 2.0))
    body = bench.sweep(time, bench.draw(70, 220), bench.draw(34, 58), bench.draw(0.01, 0.06)) * bench.fall(
        time, time[-1]
    )
    return np.tanh(bench.draw(0.8, 3.0) * body) + bench.draw(0.01, 0.2) * bench.thud(time, 800, 9000)


def _felt_kick(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.15, 0.6))
    head_hz = bench.draw(45, 85)
    skin = bench.modes(time, [head_hz, 1.59 * head_hz, 2.3 * head_hz], 0.7 * time[-1])
    return skin * bench.rise(time, bench.draw(0.001, 0.006)) + bench.draw(0.02, 0.3) * bench.thud(time, 200, 3000)


def _concert_drum(bench: Bench) -> Samples:
    time = bench.time(bench.draw(1.0, 2.4))
    head_hz = bench.draw(32, 60)
    skin = bench.modes(time, [head_hz, 1.6 * head_hz, 2.1 * head_hz, 2.9 * head_hz], time[-1])
    return skin + bench.draw(0.1, 0.5) * bench.thud(time, 80, 900)


def _falling_tom(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.2, 1.6))
    head_hz = bench.draw(55, 380)
    body = bench.sweep(time, bench.draw(1.3, 4.0) * head_hz, head_hz, bench.draw(0.03, 0.35)) * bench.fall(
        time, time[-1]
    )
    hiss = bench.noise(time, bench.draw(300, 2000), 9000) * bench.fall(time, bench.draw(0.01, 0.3))
    return np.tanh(bench.draw(0.5, 2.5) * body) + bench.draw(0.01, 0.4) * hiss


def _skin_tom(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.25, 1.8))
    head_hz = bench.draw(60, 260)
    pitches = [head_hz * ratio for ratio in (1.0, 1.51, 1.59, 1.99, 2.14, 2.3, 2.65)]
    bend = bench.sweep(time, bench.draw(1.02, 1.25) * head_hz, head_hz, bench.draw(0.03, 0.12)) * bench.fall(
        time, time[-1]
    )
    skin = bench.draw(0.2, 1.0) * bench.modes(time, pitches, bench.draw(0.2, 0.7) * time[-1])
    return bend + skin + bench.draw(0.1, 0.8) * bench.thud(time, 400, 7000)


def _hand_drum(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.1, 0.8))
    head_hz = bench.draw(90, 700)
    pitches = [head_hz, *(head_hz * ratio for ratio in sorted(bench.generator.uniform(1.4, 4.0, 4)))]
    skin = bench.modes(time, pitches, bench.draw(0.4, 1.0) * time[-1])
    bend = bench.sweep(time, bench.draw(0.8, 1.3) * head_hz, head_hz, 0.08) * bench.fall(time, time[-1])
    return skin + bench.draw(0.2, 1.5) * bend + bench.draw(0.1, 1.5) * bench.thud(time, 800, 9000)


def _box_drum(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.12, 0.5))
    box_hz = bench.draw(70, 220)
    box = bench.modes(time, [box_hz, 2.2 * box_hz, 3.7 * box_hz], bench.draw(0.3, 0.8) * time[-1])
    return box + bench.draw(0.3, 2.0) * bench.noise(time, 300, bench.draw(2000, 8000)) * bench.fall(
        time, bench.draw(0.02, 0.15)
    )


def _thump(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.08, 0.3))
    return bench.noise(time, bench.draw(50, 200), bench.draw(300, 1500)) * bench.fall(time, 0.8 * time[-1])


# Snares, sticks and hands


def _wired_snare(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.12, 0.7))
    head_hz = bench.draw(140, 380)
    head = bench.modes(time, [head_hz * ratio for ratio in (1.0, 1.59, 2.14, 2.65)], bench.draw(0.05, 0.4))
    wires = bench.noise(time, bench.draw(400, 2500), bench.draw(7000, 15_000)) * bench.fall(time, bench.draw(0.08, 0.6))
    return (
        bench.draw(0.2, 1.5) * head
        + wires * bench.rise(time, bench.draw(0.0003, 0.004))
        + bench.thud(time, 900, 12_000)
    )


def _brush(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.15, 0.6))
    swish = bench.noise(time, bench.draw(600, 2500), 13_000) * bench.rise(time, bench.draw(0.005, 0.06))
    return swish * bench.fall(time, time[-1]) + bench.draw(0.02, 0.3) * bench.modes(time, [bench.draw(150, 260)], 0.15)


def _zap_snare(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.12, 0.4))
    body = bench.sweep(time, bench.draw(400, 1500), bench.draw(140, 260), bench.draw(0.01, 0.05)) * bench.fall(
        time, 0.7 * time[-1]
    )
    hiss = bench.noise(time, bench.draw(500, 3000), 15_000) * bench.fall(time, time[-1])
    return np.tanh(bench.draw(1, 4) * (body + bench.draw(0.7, 3) * hiss))


def _stick(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.03, 0.2))
    stick_hz = bench.draw(350, 2600)
    pitches = [stick_hz, *(stick_hz * ratio for ratio in sorted(bench.generator.uniform(1.3, 5.0, 4)))]
    return bench.modes(time, pitches, bench.draw(0.012, 0.07)) + bench.draw(0.05, 1.0) * bench.thud(time, 600, 10_000)


def _many_hands(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.12, 0.8))
    claps = bench.noise(time, bench.draw(500, 1300), bench.draw(2000, 9000))
    begins = np.concatenate(
        [[0.0], np.sort(bench.generator.uniform(0, bench.draw(0.004, 0.05), bench.generator.integers(1, 8)))]
    )
    hands = sum(bench.generator.uniform(0.4, 1) * bench.after(time, begin, bench.draw(0.006, 0.05)) for begin in begins)
    return claps * (hands + bench.draw(0.02, 0.7) * bench.after(time, begins[-1], 0.8 * time[-1]))


def _snap(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.05, 0.3))
    centre_hz = bench.draw(1100, 3500)
    snap = bench.noise(time, 0.7 * centre_hz, 1.4 * centre_hz) * bench.fall(time, bench.draw(0.015, 0.08))
    return snap + bench.draw(0.01, 0.15) * bench.noise(time, 500, 8000) * bench.fall(time, time[-1])


# Metals


def _bronze(bench: Bench, low_s: float, high_s: float, low_hz: float, high_hz: float) -> Samples:
    """Many partials without order, the higher ones gone sooner, under a wash of noise."""
    time = bench.time(bench.draw(low_s, high_s))
    partials = bench.modes(time, sorted(low_hz * (high_hz / low_hz) ** bench.generator.random(60)), time[-1]) / 10
    wash = bench.noise(time, bench.draw(low_hz, 5 * low_hz), high_hz) * bench.fall(
        time, bench.draw(0.3, 1.0) * time[-1]
    )
    return partials + bench.draw(0.1, 1.0) * wash + bench.draw(0.05, 0.5) * bench.thud(time, 2000, 14_000)


def _struck_hat(bench: Bench) -> Samples:
    return _bronze(bench, 0.03, 0.18, bench.draw(1500, 5000), 16_000)


def _pedal_hat(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.05, 0.25))
    chick = bench.noise(time, bench.draw(500, 3000), bench.draw(6000, 14_000)) * bench.rise(
        time, bench.draw(0.001, 0.02)
    )
    return chick * bench.fall(time, time[-1]) + bench.draw(0.02, 0.4) * bench.thud(time, 150, 1200)


def _loose_hat(bench: Bench) -> Samples:
    sizzle = _bronze(bench, 0.25, 2.0, bench.draw(1200, 4500), 16_000)
    shimmer = 1 + bench.draw(0.05, 0.6) * np.sin(
        2 * np.pi * bench.draw(15, 60) * bench.time(len(sizzle) / bench.rate_hz)
    )
    return sizzle * shimmer[: len(sizzle)]


def _long_crash(bench: Bench) -> Samples:
    crash = _bronze(bench, 1.5, 8.0, bench.draw(200, 900), bench.draw(9000, 16_000))
    return crash * bench.rise(bench.time(len(crash) / bench.rate_hz)[: len(crash)], bench.draw(0.0005, 0.03))


def _splash(bench: Bench) -> Samples:
    return _bronze(bench, 0.3, 1.2, bench.draw(600, 2000), 15_000)


def _china(bench: Bench) -> Samples:
    return np.tanh(bench.draw(2, 6) * _bronze(bench, 0.6, 2.5, bench.draw(250, 800), 10_000))


def _long_ride(bench: Bench) -> Samples:
    ride = _bronze(bench, 1.0, 6.0, bench.draw(350, 1500), bench.draw(7000, 14_000))
    time = bench.time(len(ride) / bench.rate_hz)[: len(ride)]
    ping_hz = bench.draw(700, 5000)
    return bench.draw(0.1, 1) * ride + bench.modes(
        time, [ping_hz, 1.47 * ping_hz, 2.09 * ping_hz], bench.draw(0.2, 1.0) * time[-1]
    )


def _bell(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.15, 2.0))
    bell_hz = bench.draw(400, 3500)
    pitches = [
        bell_hz,
        *(bell_hz * ratio for ratio in sorted(bench.generator.uniform(1.2, 5.5, bench.generator.integers(2, 7)))),
    ]
    return bench.modes(time, pitches, time[-1]) + bench.draw(0.01, 0.3) * bench.thud(time, 1500, 12_000)


def _triangle(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.15, 2.4))
    return bench.modes(time, sorted(bench.generator.uniform(1500, 12_000, bench.generator.integers(4, 10))), time[-1])


# Small percussion


def _shaker(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.06, 0.35))
    grains = bench.noise(time, bench.draw(2000, 6000), bench.draw(8000, 15_000)) * bench.rise(
        time, bench.draw(0.005, 0.1)
    )
    back = bench.draw(0.02, 0.8) * bench.after(time, bench.draw(0.3, 0.7) * time[-1], 0.5 * time[-1])
    return grains * (bench.fall(time, bench.draw(0.5, 1.2) * time[-1]) + back)


def _jingles(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.1, 0.8))
    jingle = bench.modes(time, sorted(bench.generator.uniform(3500, 14_000, 24)), 4 * time[-1]) / 5
    shakes = [0.0, *np.sort(bench.generator.uniform(0.01, 0.7 * time[-1], bench.generator.integers(0, 5)))]
    pulses = sum(bench.generator.uniform(0.3, 1) * bench.after(time, begin, bench.draw(0.05, 0.4)) for begin in shakes)
    return (jingle + bench.draw(0.05, 0.8) * bench.noise(time, 4000, 15_000)) * pulses + bench.draw(
        0.01, 0.4
    ) * bench.thud(time, 200, 1500)


def _scraper(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.1, 0.8))
    teeth = np.arange(0, time[-1], 1 / bench.draw(25, 110))
    strokes = sum(bench.generator.uniform(0.4, 1) * bench.after(time, begin, 0.012) for begin in teeth)
    return (
        bench.noise(time, bench.draw(900, 2500), bench.draw(5000, 10_000)) * strokes * bench.rise(time, 0.3 * time[-1])
    )


def _wood(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.04, 0.25))
    wood_hz = bench.draw(500, 3000)
    wood = bench.modes(time, [wood_hz, bench.draw(1.8, 3.2) * wood_hz], bench.draw(0.3, 1.0) * time[-1])
    return wood + bench.draw(0.01, 0.3) * bench.thud(time, 1000, 9000)


def _square_bell(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.08, 0.5))
    pair = bench.metal(time, bench.draw(300, 900))
    return bench.band(pair, bench.draw(400, 900), bench.draw(2000, 6000)) * bench.fall(time, time[-1])


def _blip(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.03, 0.3))
    blip_hz = bench.draw(200, 3000)
    tone = bench.sweep(time, bench.draw(0.5, 3.0) * blip_hz, blip_hz, bench.draw(0.01, 0.1))
    return np.tanh(bench.draw(0.3, 4) * tone) * bench.fall(time, time[-1])


# Atmospheres


def _weather(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.8, 3.0))
    low_hz = bench.draw(60, 3000)
    gusts = 1 + bench.draw(0.05, 0.9) * np.sin(2 * np.pi * bench.draw(0.3, 8) * time + bench.draw(0.1, 6))
    return bench.noise(time, low_hz, bench.draw(2, 20) * low_hz) * gusts * bench.rise(time, bench.draw(0.001, 0.4))


def _crackle(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.8, 3.0))
    grains = (
        bench.generator.random(len(time)) < bench.draw(10, 400) / bench.rate_hz
    ) * bench.generator.standard_normal(len(time))
    return bench.band(grains, bench.draw(200, 1500), bench.draw(3000, 12_000)) + 0.005 * bench.noise(time, 100, 9000)


def _siren(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.4, 2.5))
    wobble = 1 + bench.draw(0.02, 0.8) * np.sin(2 * np.pi * bench.draw(1, 25) * time)
    tone = np.sin(2 * np.pi * np.cumsum(bench.draw(120, 2500) * wobble) / bench.rate_hz)
    return (
        np.tanh(bench.draw(0.5, 5) * tone) * bench.rise(time, bench.draw(0.001, 0.2)) * bench.fall(time, 3 * time[-1])
    )


def _voices(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.8, 3.0))
    root_hz = bench.draw(90, 500)
    chord = sum(
        np.sin(2 * np.pi * root_hz * ratio * (1 + bench.generator.normal(0, 0.003)) * time + bench.draw(0.1, 6))
        / np.sqrt(ratio)
        for ratio in bench.generator.choice([1, 1.19, 1.26, 1.5, 2, 2.25, 3, 4, 5], 6)
    )
    return (chord + bench.draw(0.01, 0.5) * bench.noise(time, 300, 5000)) * bench.rise(time, bench.draw(0.01, 0.6))


def _rewind(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.4, 2.0))
    backwards = bench.noise(time, bench.draw(200, 1500), 12_000) * bench.fall(time, time[-1])
    return (
        backwards[::-1].copy()
        if bench.generator.random() < 0.5
        else bench.sweep(time, 200, bench.draw(600, 4000), time[-1])
    )


def _boom(bench: Bench) -> Samples:
    time = bench.time(bench.draw(1.2, 3.0))
    rumble = bench.noise(time, 30, bench.draw(200, 1200)) * bench.fall(time, 1.5 * time[-1])
    return rumble + bench.draw(0.1, 0.8) * bench.noise(time, 200, 6000) * bench.fall(time, 0.8 * time[-1])


def _glitch(bench: Bench) -> Samples:
    time = bench.time(bench.draw(0.3, 1.6))
    steps = np.repeat(bench.generator.uniform(100, 4000, 64), len(time) // 64 + 1)[: len(time)]
    gate = np.repeat(bench.generator.random(64) < 0.7, len(time) // 64 + 1)[: len(time)]
    return np.sign(np.sin(2 * np.pi * np.cumsum(steps) / bench.rate_hz)) * gate + 0.3 * bench.noise(time, 200, 8000)


_PALETTE: dict[str, tuple[Callable[[Bench], Samples], ...]] = {
    "kick": (_long_kick, _felt_kick, _concert_drum),
    "snare": (_wired_snare, _wired_snare, _brush, _zap_snare),
    "rim": (_stick,),
    "clap": (_many_hands, _many_hands, _snap),
    "hihat": (_struck_hat, _pedal_hat),
    "openhat": (_loose_hat,),
    "tom": (_falling_tom, _skin_tom),
    "cymbal": (_long_crash, _long_ride, _splash, _china),
    "perc": (_hand_drum, _box_drum, _thump, _shaker, _jingles, _scraper, _wood, _square_bell, _bell, _triangle, _blip),
    "fx": (_weather, _crackle, _siren, _voices, _rewind, _boom, _glitch),
}
PALETTE = {kind: len(recipes) for kind, recipes in _PALETTE.items()}
"""How many recipes a kind has."""


def palette_sound(kind: str, generator: np.random.Generator, rate_hz: int = HOUSE_RATE_HZ) -> Audio:
    """Make one sound of a kind; which one of its recipes, and everything about it, is drawn from the generator."""
    if kind not in _PALETTE:
        raise BadConfig(f"palette sound {kind!r}: {nearest(kind, PALETTE)}.")
    recipes = _PALETTE[kind]
    recipe = recipes[generator.integers(len(recipes))]
    return finished(
        recipe(Bench(generator, rate_hz)), rate_hz, f"{kind} ({recipe.__name__.strip('_').replace('_', ' ')})"
    )
