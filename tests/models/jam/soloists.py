"""Random soloists for tests, small enough to be made at once."""

import numpy as np
import torch

from models.jam.config import TINY
from models.jam.network import JamNetwork
from models.jam.roles import SPLITS, SUMMARY, RoleSample, write_sample
from models.music.chords import Chord
from models.music.files import whole_folder, write_json
from models.music.notes import Take


def random_network(config=TINY, seed=0, height=3.0):
    """A network that knows nothing and is sure of it: its expectations differ as a taught one's do."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = JamNetwork(config)
    with torch.no_grad():
        network.llama.lm_head.weight.mul_(height)
    return network.eval()


def weights_of(network):
    return {name: weight.numpy() for name, weight in network.state_dict().items()}


STYLES = ("rising", "falling")


def toy_sample(number, style, split, bars=16):
    """A tune of one chord a bar over which somebody plays the chord's tones, up or down."""
    dice = np.random.default_rng(number)
    chords = [Chord(int(dice.integers(12)), ("major", "minor-seventh")[int(dice.integers(2))]) for _ in range(bars)]
    lead, band = [], []
    for bar, chord in enumerate(chords):
        tones = sorted(60 + tone for tone in chord.pitch_classes[:3])
        band += [(tone - 24, 64, bar * 3840, 3840) for tone in tones]
        for step, tone in enumerate([*tones, tones[0] + 12][:: 1 if style == "rising" else -1]):
            lead.append((tone, 88, bar * 3840 + step * 960, 480))
    told = tuple((4.0 * bar, chord) for bar, chord in enumerate(chords))
    name = f"{style}-{number:02d}"
    return RoleSample(name, name, style, split, 0, told, Take(np.array(band), 140), Take(np.array(lead), 140))


def write_toy_roles(folder, pieces=20):
    """Role samples of two styles, as prepare-roles writes them."""
    splits = [("train", "train", "train", "valid", "test")[number // 2 % 5] for number in range(pieces)]
    with whole_folder(folder) as part:
        for number, split in enumerate(splits):
            write_sample(part, toy_sample(number, STYLES[number % 2], split))
        write_json(part / SUMMARY, {"samples": {split: splits.count(split) for split in SPLITS}})
    return folder
