"""Teach the ear of models/drums/onsets.py and write models/drums/ear.json.  Run: python -m benchmarks.ear_fit [--data ../shared]

Every maker's kit in ../shared and three of the practice room's are played by every drummer of the Groove MIDI Dataset
(CC BY 4.0), plainly and through noise, rooms, MP3, other gear and velocity curves, again as strange kits
(benchmarks/strange_kits.py), and with a band from whose mix the starter separator takes the drums out again; then every
one-shot alone, some twice as a flam; then noises and held chords, in which nothing happens once they have begun. A rise is
a hit when it is the nearest to a true onset. benchmarks/onsets.py teaches again with kits, makers and drummers left out and
judges on those. Licences of the recordings: ../shared/data/SOURCES.csv (CC0, CC BY, public domain).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.near_real import PRACTICE, Clip, attack_s, kit_of, perform
from benchmarks.recordings import add_data_argument, are_here, one_shots
from benchmarks.strange_kits import strange_kit, strange_sound
from benchmarks.wear import in_a_room, out_of_a_mix, through_mp3, through_other_gear, with_noise
from models.drums.ear import FAR, LOOKS, WEIGHTS, Ear
from models.drums.onsets import OnsetConfig, find_rises
from models.music.audio import HOUSE_RATE_HZ, Audio
from models.music.files import write_text

DRUMMERS = tuple(f"drummer{number}" for number in range(1, 11))
FULL_KITS = (
    "karoryfer",
    "oramics_drum_machines",
    "sonicpi_freesound",
    "muldjord",
    "smpldsnds_machines",
    "uzu_switchangel_mot4i",
    "enoe_pearl_master",
)
KITS = (
    *FULL_KITS[:3],
    "stargate_freesound",
    "versilian_vcsl",
    "freepats_worldperc",
    *FULL_KITS[3:],
    *(f"{PRACTICE}{seed}" for seed in (1, 2, 3)),
)
CURVES, STRANGE, STRANGE_CURVES = (1.0, 1.0, 2.0), 4, (0.8, 2.0)
"""Clips by each drummer on each kit as it is, with the first plain; clips on strange kits, and their curves."""
NEAR_S, DOUBLED_S = 0.04, 0.02
ALONE_WEIGHT, DOUBLED_WEIGHT = 1.0, 0.1
FLAMS, FLAM_S = 0.3, (0.024, 0.045)
"""Share of one-shots that are struck twice, and how far apart."""
STEADY, STEADY_S = 60, 4
"""Clips of steady sounds, and their seconds."""
UNITS, EPOCHS, BATCH, RATE, DECAY, DROPPED = 96, 30, 2048, 8e-3, 0.05, 0.2


class Lessons(NamedTuple):
    """Rises, and whether they are hits."""

    looks: NDArray[np.float32]
    """[h, l]."""
    fluxes: NDArray[np.float32]
    hits: NDArray[np.bool_]
    weights: NDArray[np.float32]
    makers: NDArray
    drummers: NDArray
    """Empty for a one-shot alone."""

    def only(self, chosen: NDArray[np.bool_]) -> Lessons:
        return Lessons._make(column[chosen] for column in self)

    def without(self, maker: str, drummers: tuple[str, ...]) -> Lessons:
        """Leave out a maker, whoever plays, and drummers, whatever they play on."""
        return self.only((self.makers != maker) & ~np.isin(self.drummers, drummers))


def prepare_lessons(data: Path) -> Lessons:
    """Render and hear everything that may be learnt from."""
    parts = [
        _heard(clip, kit, drummer, 1.0) for kit in KITS for drummer in DRUMMERS for clip in _played(data, kit, drummer)
    ]
    parts += [_heard(clip, maker, "", ALONE_WEIGHT) for maker, clip in _alone(data)]
    parts += [_heard(clip, PRACTICE, "", ALONE_WEIGHT) for clip in _steady()]
    parts += [_heard(clip, maker, "", ALONE_WEIGHT) for maker, clip in _flams(data)]
    return Lessons._make(np.concatenate(column) for column in zip(*parts, strict=True))


def _played(data: Path, kit: str, drummer: str) -> Iterator[Clip]:
    """One clip for each curve, the first as it is; then on strange kits."""
    generator = np.random.default_rng((KITS.index(kit), DRUMMERS.index(drummer)))
    known = kit_of(data, kit)
    for number, curve in enumerate(CURVES):
        clip = perform(data, drummer, known, generator, curve)
        if number and generator.random() < 0.6:
            clip = through_other_gear(clip, generator)
        yield _worn(clip, generator) if number else clip
    for _ in range(STRANGE):
        clip = perform(data, drummer, strange_kit(known, generator), generator, generator.uniform(*STRANGE_CURVES))
        yield _worn(clip, generator)
    yield out_of_a_mix(perform(data, drummer, known, generator, 1.0), generator)


def _worn(clip: Clip, generator: np.random.Generator) -> Clip:
    change, seed = generator.random(), int(generator.integers(1 << 30))
    if change < 0.2:
        return with_noise(clip, generator.uniform(20, 55), seed)
    return in_a_room(clip, seed) if change < 0.4 else through_mp3(clip) if change < 0.5 else clip


def _alone(data: Path) -> Iterator[tuple[str, Clip]]:
    """Every one-shot: as it is, later, later in another recording, and twice as a strange sound."""
    generator = np.random.default_rng(0)
    for shot in one_shots(data):
        clip = _one_hit(shot.sound)
        yield shot.maker, clip
        yield shot.maker, _later(clip, 20_000, generator)
        if generator.random() < 0.7:
            clip = _one_hit(through_other_gear(clip, generator).audio.samples[0])
        clip = _later(clip, 10_000, generator)
        if generator.random() < 0.5:
            yield shot.maker, with_noise(clip, generator.uniform(25, 60), int(generator.integers(1 << 30)))
        else:
            yield shot.maker, in_a_room(clip, int(generator.integers(1 << 30)))
        for _ in range(2):
            clip = _later(
                _one_hit(strange_sound(generator)(shot.sound)), int(generator.integers(1000, 20_000)), generator
            )
            noisy = generator.random() < 0.3
            seed = int(generator.integers(1 << 30))
            yield shot.maker, with_noise(clip, generator.uniform(30, 70), seed) if noisy else clip


def _flams(data: Path) -> Iterator[tuple[str, Clip]]:
    """One-shots struck twice, a grace note before the beat: two hits."""
    generator = np.random.default_rng(2)
    for shot in one_shots(data):
        if generator.random() < FLAMS:
            after = round(generator.uniform(*FLAM_S) * HOUSE_RATE_HZ)
            sound = np.pad(shot.sound, (0, after)) * np.float32(generator.uniform(0.2, 1.0))
            sound[after:] += shot.sound
            first_s = attack_s(shot.sound, HOUSE_RATE_HZ)
            times_s = np.array([first_s, first_s + after / HOUSE_RATE_HZ])
            yield shot.maker, _later(Clip(Audio(sound, HOUSE_RATE_HZ), times_s, np.zeros(2)), 5_000, generator)


def _steady() -> Iterator[Clip]:
    """Noise and held chords: they begin once, and nothing happens after."""
    generator = np.random.default_rng(1)
    time_s = np.arange(STEADY_S * HOUSE_RATE_HZ) / HOUSE_RATE_HZ
    spectrum_hz = np.fft.rfftfreq(len(time_s), 1 / HOUSE_RATE_HZ) + 20.0
    for _ in range(STEADY):
        colour = spectrum_hz ** -generator.choice([0.0, 0.0, 0.5, 1.0]) * (
            spectrum_hz < 2000 * 11 ** generator.random()
        )
        noise = np.fft.irfft(np.fft.rfft(generator.standard_normal(len(time_s))) * colour, len(time_s))
        chord = sum(np.sin(2 * np.pi * hz * time_s) for hz in 60 * 40 ** generator.random(generator.integers(1, 5)))
        share = generator.choice([0.0, 1.0, generator.random()])
        sound = share * chord / np.abs(chord).max() + (1 - share) * noise / np.abs(noise).max()
        sound = (sound * 10 ** generator.uniform(-2, 0)).astype(np.float32)
        yield Clip(Audio(sound, HOUSE_RATE_HZ), np.zeros(1), np.zeros(1))


def _one_hit(sound: NDArray[np.float32]) -> Clip:
    return Clip(Audio(sound, HOUSE_RATE_HZ), np.array([attack_s(sound, HOUSE_RATE_HZ)]), np.zeros(1))


def _later(clip: Clip, after: int, generator: np.random.Generator) -> Clip:
    """Put silence before it, and so many samples after."""
    before = int(generator.integers(2_000, 30_000))
    audio = Audio(np.pad(clip.audio.samples[0], (before, after)), HOUSE_RATE_HZ)
    return replace(clip, audio=audio, onsets_s=clip.onsets_s + before / HOUSE_RATE_HZ)


def _heard(clip: Clip, maker: str, drummer: str, weight: float) -> Lessons:
    rises = find_rises(clip.audio, OnsetConfig())
    hits = _matched(clip.onsets_s, rises.seconds)
    after_s = rises.seconds[:, None] - rises.seconds[None, hits]
    doubled = ((after_s > 0) & (after_s < DOUBLED_S)).any(1) & ~hits
    count = len(hits)
    return Lessons(
        rises.looks.astype(np.float32),
        rises.fluxes.astype(np.float32),
        hits,
        (weight * np.where(doubled, DOUBLED_WEIGHT, 1.0)).astype(np.float32),
        np.array([maker] * count),
        np.array([drummer] * count),
    )


def _matched(onsets_s: NDArray[np.float64], rises_s: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Give each onset its nearest rise, the closest pairs first."""
    apart_s = np.abs(onsets_s[:, None] - rises_s[None, :])
    hits, taken = np.zeros(len(rises_s), bool), np.zeros(len(onsets_s), bool)
    pairs = np.argwhere(apart_s < NEAR_S)
    for onset, rise in pairs[np.argsort(apart_s[tuple(pairs.T)], kind="stable")]:
        if not taken[onset] and not hits[rise]:
            taken[onset] = hits[rise] = True
    return hits


def teach(lessons: Lessons, seed: int = 0) -> Ear:
    """Fit the odds: those of the flux, corrected by a small hidden layer that is kept small."""
    import torch

    torch.set_num_threads(1)  # so that the same lessons make the same ear to the last digit
    generator = torch.Generator().manual_seed(seed)
    middle, spread = lessons.looks.mean(0), lessons.looks.std(0) + 1e-3
    looks = torch.from_numpy(np.clip((lessons.looks - middle) / spread, -FAR, FAR))
    flux = torch.from_numpy(np.log(lessons.fluxes))
    hits, weights = torch.from_numpy(lessons.hits).float(), torch.from_numpy(lessons.weights)
    hidden = (torch.randn(LOOKS, UNITS, generator=generator) / LOOKS**0.5).requires_grad_()
    hidden_bias, correction = (torch.zeros(UNITS, requires_grad=True) for _ in range(2))
    line = torch.tensor([2.0, 0.0], requires_grad=True)
    free = {"params": [line], "weight_decay": 0.0}
    optimiser = torch.optim.AdamW([{"params": [hidden, hidden_bias, correction]}, free], RATE, weight_decay=DECAY)
    steps = EPOCHS * -(-len(looks) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(looks), generator=generator).split(BATCH):
            units = torch.relu(looks[rows] @ hidden + hidden_bias)
            units = units * (torch.rand(units.shape, generator=generator) >= DROPPED) / (1 - DROPPED)
            odds = units @ correction + line[0] * flux[rows] + line[1]
            loss = torch.nn.functional.binary_cross_entropy_with_logits(odds, hits[rows], weights[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    learned = (weight.detach().double().numpy() for weight in (hidden, hidden_bias, correction, line[:1], line[1:]))
    return Ear(np.asarray(middle, np.float64), np.asarray(spread, np.float64), *learned)


def write_ear(ear: Ear) -> None:
    """Write the weights, a line each, to four places."""
    rows = (f'"{name}": {json.dumps(np.round(values, 4).tolist())}' for name, values in ear._asdict().items())
    write_text(WEIGHTS, "{\n" + ",\n".join(rows) + "\n}\n")


def main() -> int:
    """Teach on everything and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_data_argument(parser)
    data = parser.parse_args().data
    if not are_here(data):
        return 1
    ear = teach(prepare_lessons(data))
    write_ear(ear)
    print(f"wrote {WEIGHTS.name}: {sum(values.size for values in ear)} numbers")
    return 0


if __name__ == "__main__":
    sys.exit(main())
