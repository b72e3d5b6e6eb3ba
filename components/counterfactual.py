"""Stages of the counterfactual separator: teach and judge."""

from __future__ import annotations

from kfp.dsl import Dataset, Input, Model, Output

from backstage.stage import stage


@stage(image="python-torch", gpu=True)
def train_counterfactual_model(
    corpus: Input[Dataset],
    model: Output[Model],
    preset: str = "laptop",
    minutes: float = 0.0,
    seed: int = 0,
    where: dict = {},
) -> float:
    """Teach a counterfactual separator, going on where an interrupted attempt stopped; its validation loss comes back.

    Args:
        corpus: Prepared songs.
        preset: tiny, laptop or studio (models/separation/counterfactual/presets.yaml).
        minutes: Wall-clock limit; 0 teaches until the preset's steps, minutes or patience end.
        seed: Of everything random.

    Returns:
        loss
    """
    from backstage.lessons import Journal, workplace
    from models.separation.counterfactual.figures import FIGURES
    from models.separation.counterfactual.train import teach
    from serving.where import Where

    settings = {"preset": preset, "minutes": minutes, "seed": seed}
    with (
        workplace(Where.told(where).work, "counterfactual", corpus.path, **settings) as work,
        Journal("loss", FIGURES) as journal,
    ):
        trained = teach(corpus.path, model.path, **settings, callbacks=[journal], work=work)
    return trained.best["loss"]


@stage(image="python-torch")
def evaluate_counterfactual(
    corpus: Input[Dataset],
    model: Input[Model],
    evaluation: Output[Dataset],
    steps: int = 0,
    champion: int = 0,
    where: dict = {},
) -> float:
    """Judge a counterfactual separator on held-out songs, beside the champion and what costs nothing; its mean uSDR comes back.

    Args:
        corpus: Prepared songs; the test split is judged.
        model: The trained model.
        steps: Of sampling; 0 takes the model's own number.
        champion: The version to judge beside it, on the same data; 0 for none.

    Returns:
        usdr
    """
    from backstage.champions import champion_folder
    from backstage.lessons import show_evaluation
    from models.separation.counterfactual.evaluate import judge
    from models.separation.counterfactual.figures import FIGURES
    from serving.where import Where

    with champion_folder("counterfactual", champion, Where.told(where)) as beside:
        figures = judge(corpus.path, model.path, evaluation.path, beside, steps=steps)
    show_evaluation(evaluation.path, FIGURES)
    return figures["usdr"]
