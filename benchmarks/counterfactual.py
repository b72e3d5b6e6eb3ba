"""Vocals as the mixture less an imagined instrumental: the literal design against ours.  Run: python -m benchmarks.counterfactual

First with a perfect instrumental, so that only the reconstruction is judged; then with one that a network imagined, which
was taught here for --minutes on one thread, in 1 to 50 steps of sampling. The songs come from a seed; those that examine
are never learnt from. About 9 minutes with the default of 4. Bars: with the perfect instrumental the mask is 20 dB above the
literal design, and with the imagined one, in as many steps as the model takes by itself, it is above silence (0 dB).
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from models.learning.training import on_threads
from models.practice.stem_songs import write_stem_songs
from models.separation.counterfactual.config import PARTS, CounterfactualConfig
from models.separation.counterfactual.evaluate import STEPS, draw_steps, vocals_of
from models.separation.counterfactual.lesson import read_preset
from models.separation.counterfactual.network import Counterfactual, load_counterfactual
from models.separation.counterfactual.reconstruction import RECONSTRUCTIONS
from models.separation.counterfactual.songs import SungSong, sung
from models.separation.counterfactual.spectrogram import Spectrogram
from models.separation.counterfactual.train import train_counterfactual
from models.separation.dataset import Corpus, prepare
from models.separation.metrics import usdr
from models.separation.overlap import Samples, overlap_added
from models.separation.report import evaluate

OURS, LITERAL = "mask", "literal"
SONG_S = 6.0
BAR_DB = 20.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=4.0, help="of teaching")
    parser.add_argument("--songs", type=int, default=32, help=f"songs of {SONG_S:g} s to learn from")
    parser.add_argument("--preset", default="laptop", help="of counterfactual/presets.yaml, or a file of your own")
    parser.add_argument("--picture", type=Path, default=Path("build/counterfactual_steps.png"))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="jamflow-bench-") as there, on_threads(1):
        counts = {"train": asked.songs, "valid": 3, "test": 4}
        corpus = prepare(write_stem_songs(Path(there, "songs"), counts, SONG_S), Path(there, "prepared"))
        oracle = show_oracle(sung(corpus, "test"))
        network = taught(corpus, asked.preset, asked.minutes, Path(there))
        found = show_steps(network, sung(corpus, "test"), corpus.rate_hz)
    draw_steps(found, asked.picture)
    print(f"picture: {asked.picture}")
    apart, final = oracle[OURS] - oracle[LITERAL], found[OURS][network.config.final_steps]
    print(
        f"perfect instrumental: {apart:+.1f} dB (bar {BAR_DB:+.0f}); imagined, all steps: {final:+.2f} dB (bar: above 0)"
    )
    return int(apart < BAR_DB or final <= 0)


def show_oracle(songs: Sequence[SungSong]) -> dict[str, float]:
    """Print what each reconstruction makes of the true instrumental; return the figures of the first transform."""
    sizes = [CounterfactualConfig(n_fft=2048, hop=512), CounterfactualConfig(n_fft=8192, hop=1024)]
    pairs = [song.stems() for song in songs]
    rows = {"mixture": [float(np.median([usdr(pair[0], pair.sum(0)) for pair in pairs]))] * len(sizes)}
    for way in RECONSTRUCTIONS:
        rows[way] = [float(np.median([_oracle(pair, way, size) for pair in pairs])) for size in sizes]
    print(f"vocals' uSDR in dB, median of {len(songs)} songs, with a perfect instrumental spectrogram")
    print(f"{'reconstruction':16}" + "".join(f"{f'{size.n_fft}/{size.hop}':>12}" for size in sizes))
    for way, values in rows.items():
        print(f"{way:16}" + "".join(f"{value:12.1f}" for value in values), flush=True)
    return {way: values[0] for way, values in rows.items()}


def _oracle(pair: Samples, way: str, size: CounterfactualConfig) -> float:
    """[2 parts, 2, t] -> dB"""
    transform, (vocals, band) = Spectrogram(size), torch.from_numpy(pair)
    mixture = transform.spectrum((vocals + band)[None])
    found = RECONSTRUCTIONS[way](mixture, transform.spectrum(band[None]).abs())
    return usdr(pair[0], transform.sound(found, pair.shape[-1])[0].numpy())


def taught(corpus: Corpus, preset: str, minutes: float, there: Path) -> Counterfactual:
    training = read_preset(preset)
    plan = dataclasses.replace(training.plan, minutes=minutes, threads=1, steps=100_000, schedule="constant", workers=0)
    began = time.monotonic()
    trained = train_counterfactual(
        corpus, dataclasses.replace(training, plan=plan, validation_chunks=6), there / "model", there / "work"
    )
    network, _ = load_counterfactual(there / "model")
    count = sum(weight.numel() for weight in network.parameters()) / 1e6
    print(
        f"\ntaught {count:.2f} M parameters for {trained.steps} steps of {training.batch} mixtures in"
        f" {time.monotonic() - began:.0f} s on one thread; best validation uSDR {trained.best['usdr']:.2f} dB",
        flush=True,
    )
    return network


def show_steps(network: Counterfactual, songs: Sequence[SungSong], rate_hz: int) -> dict[str, dict[int, float]]:
    """Print the vocals' uSDR of both reconstructions, by number of steps."""
    found: dict[str, dict[int, float]] = {OURS: {}, LITERAL: {}}
    print(f"{'steps':>6}{OURS:>10}{LITERAL:>10}{'seconds of computing per second of song':>45}")
    for steps in STEPS:
        began = time.monotonic()
        answers = [_both(network, song.stems().sum(0), steps) for song in songs]
        cost = (time.monotonic() - began) / (sum(song.frames for song in songs) / rate_hz)
        for place, way in enumerate(found):
            coming = iter([answer[place] for answer in answers])
            report = evaluate(lambda mixture, coming=coming: _parts(next(coming), mixture), songs, PARTS, rate_hz)
            found[way][steps] = vocals_of(report, "separator")
        print(f"{steps:6}{found[OURS][steps]:10.2f}{found[LITERAL][steps]:10.2f}{cost:45.2f}", flush=True)
    return found


def _parts(vocals: Samples, mixture: Samples) -> Samples:
    return np.stack([vocals, mixture - vocals])


def _both(network: Counterfactual, mixture: Samples, steps: int) -> Samples:
    """Imagine once, reconstruct in both ways: [2, t] -> vocals [2 ways, 2, t]"""
    eyes, window, dice = network.spectrogram, network.config.window, torch.Generator().manual_seed(0)
    gain = np.float32(float(eyes.level) / max(float(mixture.mean(0).std()), 1e-4))

    @torch.no_grad()
    def hear(around: Samples, start: int) -> Samples:
        heard = torch.from_numpy(np.ascontiguousarray(around[:, start : start + window]))
        whole = torch.nn.functional.pad(heard, (0, window - heard.shape[-1]))
        spectrum = eyes.spectrum(whole[None])
        band = network.imagine(spectrum, steps, dice)
        vocals = [eyes.sound(RECONSTRUCTIONS[way](spectrum, band), window)[0] for way in (OURS, LITERAL)]
        return torch.stack(vocals)[..., : heard.shape[-1]].numpy()

    return np.concatenate(list(overlap_added(iter([mixture * gain]), hear, window)), -1) / gain


if __name__ == "__main__":
    sys.exit(main())
