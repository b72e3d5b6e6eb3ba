"""Onsets of the drums that a separator takes out of a whole mix, beside those of the true drums.

    python -m benchmarks.onsets_in_mixes [--songs 12] [--separator separator]

Practice songs (drums, bass, chords, a sung line; models/practice/songs.py), whose hits are known, of seeds that nothing
was taught on. The separator is the starter, or a model's folder or name. Our F is of the same finder on three sounds: the
true drums, the separated ones, and the mix as it is; librosa hears the separated drums too. Brackets hold 95 % over songs.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np

from benchmarks.near_real import Clip, merged
from benchmarks.onsets import Finder, librosa_default, librosa_superflux, ours, score
from models.practice.songs import compose
from models.separation.stems import load_separator, separate

SEEDS, SONG_BARS = 70_000, 4
SHOWN = ("F50", "F50 low", "F50 high", "F10", "P", "R", "bias ms")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--songs", type=int, default=12, help="how many")
    parser.add_argument("--separator", default="separator", help="a pretrained name or a model's folder")
    asked = parser.parse_args()
    model = load_separator(asked.separator, "drums")
    sounds: dict[str, list[Clip]] = {"true drums": [], "separated": [], "whole mix": []}
    for number in range(asked.songs):
        song = compose(np.random.default_rng(SEEDS + number), bars=SONG_BARS)
        levels_db = 20 * np.log10([hit.velocity for hit in song.hits])
        truth = merged(song.onsets_s, levels_db)
        heard = (song.stems["drums"], separate(song.mix, model)["drums"], song.mix)
        for clips, audio in zip(sounds.values(), heard, strict=True):
            clips.append(Clip(audio.mono(), *truth))
    print(f"{asked.songs} practice songs of {SONG_BARS} bars, drums out of the mix by {asked.separator}")
    print(" " * 25 + "".join(f"{name:>9}" for name in SHOWN))
    rows = [(sound, "ours", ours) for sound in sounds]
    rows += [("separated", "librosa", librosa_default), ("separated", "superflux", librosa_superflux)]
    for sound, name, finder in rows:
        show(sound, name, sounds[sound], finder)
    return 0


def show(sound: str, name: str, clips: list[Clip], finder: Finder) -> None:
    scores = score(clips, finder)
    print(f"{sound:14}{name:11}" + "".join(f"{scores[each]:9.3f}" for each in SHOWN), flush=True)


if __name__ == "__main__":
    sys.exit(main())
