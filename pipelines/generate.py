"""A solo over a file of chords.  Run: jamflow run generate --conditioning chords.mid --style swing --out solo.mid"""

from kfp import dsl
from kfp.dsl import Dataset, Input

from components.jam import play_solo


@dsl.pipeline(name="generate")
def generate(
    conditioning: Input[Dataset],
    style: str = "any",
    bars: int = 0,
    temperature: float = 1.0,
    top_p: float = 0.8,
    chord_bias: float = 0.0,
    primer_max_tokens: int = 0,
    seed: int = 0,
    voice: str = "champion",
    where: dict = {},
) -> Dataset:
    """Play a solo over what a band plays: both come out as one file, a track each.

    Args:
        conditioning: A MIDI file of the band; its chords are heard.
    """
    played = play_solo(
        conditioning=conditioning,
        style=style,
        bars=bars,
        temperature=temperature,
        top_p=top_p,
        chord_bias=chord_bias,
        primer_max_tokens=primer_max_tokens,
        seed=seed,
        voice=voice,
        where=where,
    )
    return played.outputs["out"]  # type: ignore[return-value]
