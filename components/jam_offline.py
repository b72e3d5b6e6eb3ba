"""The stage that compares a soloist's lines with people's and with baselines, without any model at hand."""

from __future__ import annotations

from kfp.dsl import Dataset, Input, Output

from backstage.stage import stage


@stage(image="python-audio")
def eval_offline(
    roles: Input[Dataset],
    evaluation: Output[Dataset],
    played: str = "",
    split: str = "test",
    bars: int = 32,
    seed: int = 0,
) -> float:
    """Measure lines over held-out pieces beside people, random chord tones and a Markov chain; dead air comes back.

    Args:
        roles: What prepare-roles wrote.
        played: A folder with a <sample_id>.mid for each sample of the split; nothing judges the Markov chain.
        split: test, valid or train.
        bars: Of each piece.
        seed: Of whoever draws.

    Returns:
        dead_air
    """
    from backstage.lessons import show_evaluation
    from models.jam.baselines import players_in
    from models.jam.figures import PLAYED
    from models.jam.offline import judge
    from models.jam.roles import read_roles

    figures = judge(read_roles(roles.path), evaluation.path, players_in(played), split=split, bars=bars, seed=seed)
    show_evaluation(evaluation.path, PLAYED)
    return figures["dead_air"]
