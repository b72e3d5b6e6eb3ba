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
