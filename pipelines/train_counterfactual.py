"""From songs to a judged counterfactual separator.  Run: jamflow run train-counterfactual --data my-songs"""

from kfp import dsl

from components.counterfactual import evaluate_counterfactual, train_counterfactual_model
from components.separation import gather_stem_songs, prepare_stem_songs


@dsl.pipeline(name="train-counterfactual")
def train_counterfactual(
    data: str = "practice",
    practice_songs: int = 40,
    preset: str = "laptop",
    minutes: float = 0.0,
    seed: int = 0,
    steps: int = 0,
    where: dict = {},
) -> float:
    """Teach a separator that imagines songs without their singer, and judge it on songs that it never heard.

    Args:
        seed: The same seed, the same training.
    """
    gathered = gather_stem_songs(source=data, practice_songs=practice_songs)
    corpus = prepare_stem_songs(songs=gathered.outputs["songs"]).outputs["corpus"]
    model = train_counterfactual_model(corpus=corpus, preset=preset, minutes=minutes, seed=seed, where=where).outputs[
        "model"
    ]
    judged = evaluate_counterfactual(corpus=corpus, model=model, steps=steps)
    return judged.outputs["Output"]  # type: ignore[return-value]
