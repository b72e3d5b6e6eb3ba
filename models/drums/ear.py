"""A small learned ear: is a rise of the flux a hit, or only the tail of one?

    strengths = read_ear().strengths(look(energy, begins, by_band, peak), fluxes)      # 1.0 is a hit just heard

It goes by what a listener could name: how each band rises, how loud it is after against before and against the half
second behind, how it rings on, the levels of every band around it slice by slice, which rises stand near and how alike
they are. The odds are the flux's own, corrected by ninety-six units of a hidden layer, so that what the ear knows nothing
of is left to the flux. Taught by benchmarks/ear_fit.py, which says
from what; the figures of kits, makers and drummers that it never heard come from benchmarks/onsets.py.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.music.audio import HOUSE_RATE_HZ
from models.music.files import read_json

# h rises, b bands, l looks, u hidden units
Array = NDArray[np.float64]
WEIGHTS = Path(__file__).with_name("ear.json")
FAR = 4.0
"""No look lies further from its mean than so many deviations: a strange sound shall not shout."""
SAMPLES_A_MS = HOUSE_RATE_HZ / 1000
FLOOR = 1e-8
"""80 dB under the file's peak all is silence."""
AROUND_MS = (5.0, 20.0, 50.0)
"""So long before and after the attack levels are compared."""
BEHIND_MS = ((20.0, 60.0), (60.0, 160.0), (160.0, 450.0))
"""Stretches before the attack whose loudest 20 ms it is compared with."""
BEHIND_STEP = 256
NEAR_MS = ((-30, 0), (-150, 0), (-500, 0), (0, 30), (0, 100))
"""Stretches around the attack whose strongest rise it is compared with."""
SLICES_MS = (-160.0, -80.0, -40.0, -20.0, -10.0, -5.0, 0.0, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0)
"""Between these, around the attack, the bands' levels are taken."""
ALIKE_MS = ((-70, -4), (4, 70))
"""Stretches before and after whose loudest rise it is likened to."""
BANDS, ALIKE = 5, 4
LOOKS = BANDS * (len(AROUND_MS) + len(BEHIND_MS) + len(SLICES_MS) + 2) + len(NEAR_MS) + len(ALIKE_MS) * ALIKE + 4


class Ear(NamedTuple):
    """What was learned."""

    middle: Array
    """float64[l]: mean of each look."""
    spread: Array
    hidden: Array
    """float64[l, u]."""
    hidden_bias: Array
    correction: Array
    """float64[u]."""
    flux: Array
    """What the logarithm of the flux is worth, float64[1]."""
    bias: Array

    def strengths(self, looks: Array, fluxes: Array) -> Array:
        """Judge every rise: the root of the odds that it is a hit."""
        near = np.clip((looks - self.middle) / self.spread, -FAR, FAR)
        units = np.maximum(0.0, near @ self.hidden + self.hidden_bias)
        return np.exp((units @ self.correction + self.flux * np.log(fluxes) + self.bias) / 2)


@lru_cache(maxsize=1)
def read_ear() -> Ear:
    """The one that was taught."""
    return Ear(**{name: np.array(values) for name, values in read_json(WEIGHTS).items()})


def look(energy: Array, begins: NDArray[np.int64], by_band: Array, peak: float) -> Array:
    """Describe every rise by numbers of about one: float64[h, l].

    energy: float64[b, t + 1], each band's energy before every sample; begins: int64[h], the attack's sample;
    by_band: float64[h, b], how far the flux rises above its median; peak: the file's.
    """

    def level_db(starts: NDArray[np.int64], length_ms: float) -> Array:
        length = round(length_ms * SAMPLES_A_MS)
        first, last = (np.clip(place, 0, energy.shape[1] - 1) for place in (starts, starts + length))
        return 10 * np.log10((energy[:, last] - energy[:, first]) / length / peak**2 + FLOOR)

    def ms(length_ms: float) -> int:
        return round(length_ms * SAMPLES_A_MS)

    now_db = level_db(begins, 20)
    rises_db = [level_db(begins, width) - level_db(begins - ms(width), width) for width in AROUND_MS]
    behind = [np.arange(ms(near), ms(far) + 1, BEHIND_STEP) for near, far in BEHIND_MS]
    above_db = [now_db - level_db(begins[:, None] - places, 20).max(2) for places in behind]
    rings_on_db = level_db(begins + ms(50), 50) - now_db
    bels = np.log10(np.sum(10 ** (now_db / 10), axis=0))
    columns = [np.log1p(by_band), *(db.T / 10 for db in rises_db), now_db.T / 20, *(db.T / 10 for db in above_db)]
    near = [_neighbours(begins, by_band.sum(1)), _likeness(begins, now_db.T, by_band)]
    slices = [level_db(begins + ms(first), last - first) for first, last in pairwise(SLICES_MS)]
    envelope = [(db / 10 - bels).T for db in slices]
    return np.column_stack([*columns, rings_on_db.T / 10, bels, *near, *envelope])


def _neighbours(begins: NDArray[np.int64], rises: Array) -> Array:
    """How near the next rises are, how strong this one is, and how strong against those around it: float64[h, 8]."""
    apart_ms = (begins[None, :] - begins[:, None]) / SAMPLES_A_MS
    gaps_ms = np.diff(begins, prepend=-np.inf, append=np.inf) / SAMPLES_A_MS
    gaps = np.log(np.clip(np.column_stack([gaps_ms[:-1], gaps_ms[1:]]), 1, 500)) - 3
    strong = np.log(np.maximum(rises, 0.01))
    columns = [gaps, strong]
    for first, last in NEAR_MS:
        near = (apart_ms >= first) & (apart_ms <= last) & (apart_ms != 0)
        strongest = np.where(near, strong, np.log(0.01)).max(1, initial=np.log(0.01))
        columns.append((strong - strongest) / 2)
    return np.column_stack(columns)


def _likeness(begins: NDArray[np.int64], now_db: Array, by_band: Array) -> Array:
    """How like the loudest rise close before and after it is, in colour and in its rise, how much louder, how far: [h, 8]."""
    apart_ms = (begins[None, :] - begins[:, None]) / SAMPLES_A_MS
    bels = np.log10(np.sum(10 ** (now_db / 10), axis=1))
    colour = now_db - now_db.mean(1, keepdims=True)
    columns = []
    for first, last in ALIKE_MS:
        near = (apart_ms >= first) & (apart_ms <= last)
        other = np.where(near, bels, -np.inf).argmax(1) if len(begins) else np.zeros(0, int)
        there = near.any(1)
        columns += [np.where(there, _cosine(each, each[other]), 0.0) for each in (colour, by_band)]
        columns.append(np.where(there, bels - bels[other], 2.0))
        columns.append(np.where(there, np.abs(begins - begins[other]) / SAMPLES_A_MS / 35, 2.0))
    return np.column_stack(columns)


def _cosine(one: Array, other: Array) -> Array:
    return (one * other).sum(1) / np.sqrt((one**2).sum(1) * (other**2).sum(1) + 1e-9)
