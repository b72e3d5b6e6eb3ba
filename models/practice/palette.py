"""Drum sounds as wide as a library: skins, sticks, metals, shakers, hands and atmospheres.

    rim = palette_sound("rim", np.random.default_rng(7))      # mono, peak 0.9, another one for every seed

The kit of `drum_sounds` is what songs are made of. This palette is what a listener learns from besides: what stands here is
heard seldom in a song and often in a folder of somebody else's samples.
"""

from __future__ import annotations

import numpy as np

from models.music.audio import HOUSE_RATE_HZ, Audio
from models.practice import atmospheres, metals, skins
from models.practice.drum_bench import Recipes, play_one

_PALETTE: Recipes = {
    "kick": (skins.long_kick, skins.felt_kick, skins.concert_drum),
    "snare": (skins.wired_snare, skins.wired_snare, skins.brush, skins.zap_snare),
    "rim": (skins.stick,),
    "clap": (skins.many_hands, skins.many_hands, skins.snap),
    "hihat": (metals.struck_hat, metals.pedal_hat),
    "openhat": (metals.loose_hat,),
    "tom": (skins.falling_tom, skins.skin_tom),
    "cymbal": (metals.long_crash, metals.long_ride, metals.splash, metals.china),
    "perc": (
        skins.hand_drum,
        skins.box_drum,
        skins.thump,
        metals.shaker,
        metals.jingles,
        metals.scraper,
        metals.wood,
        metals.square_bell,
        metals.bell,
        metals.triangle,
        metals.blip,
    ),
    "fx": (
        atmospheres.weather,
        atmospheres.crackle,
        atmospheres.siren,
        atmospheres.voices,
        atmospheres.rewind,
        atmospheres.boom,
        atmospheres.glitch,
    ),
}
PALETTE = {kind: len(recipes) for kind, recipes in _PALETTE.items()}
"""How many recipes a kind has; one that stands twice is drawn twice as often."""


def palette_sound(kind: str, generator: np.random.Generator, rate_hz: int = HOUSE_RATE_HZ) -> Audio:
    """Make one sound of a kind; which one of its recipes, and everything about it, is drawn from the generator."""
    return play_one(_PALETTE, kind, generator, rate_hz)
