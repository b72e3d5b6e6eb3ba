"""A drum file, played as a human would and heard.  Run: jamflow run play-groove --midi beat.mid --out-dir out"""

from typing import NamedTuple

from kfp import dsl
from kfp.dsl import Dataset, Input

from components.groove import humanise_midi
from components.listening import render_midi


class Heard(NamedTuple):
    """What comes out."""

    played: Dataset
    sound: Dataset


@dsl.pipeline(name="play-groove")
def play_groove(
    midi: Input[Dataset],
    timing: float = 1.0,
    velocity: float = 1.0,
    temperature: float = 0.0,
    seed: int = 0,
    mode: str = "humanise",
    pools_json: str = "",
    sample_root: str = "",
    voice: str = "champion",
    where: dict = {},
) -> Heard:
    """Play a drum file with a human's timing and velocity, and render it on a kit.

    Args:
        midi: A MIDI file of drums in 4/4, or a folder of them.
        timing: How much of the human timing to take, 0 to 1.
        velocity: How much of the human velocity to take, 0 to 1.
        temperature: 0 plays the middle of what people do, 1 as widely as they do.
        seed: The same seed, the same playing.
        mode: humanise keeps every note; vary changes some; tap makes a beat of a rhythm.
        pools_json: The kit's pools file; empty plays the practice room's kit.
        sample_root: Folder of the samples, when they do not lie beside the pools file.
        voice: Who plays: champion (the starter, where none is served), starter, or a trained model's folder.
    """
    human = humanise_midi(
        midi=midi,
        timing=timing,
        velocity=velocity,
        temperature=temperature,
        seed=seed,
        mode=mode,
        voice=voice,
        where=where,
    )
    heard = render_midi(midi=human.outputs["played"], pools_json=pools_json, sample_root=sample_root)
    return Heard(human.outputs["played"], heard.outputs["sound"])  # type: ignore[arg-type]
