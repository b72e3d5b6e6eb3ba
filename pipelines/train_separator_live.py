"""From songs with known stems to a served separator that plays along.  Run: jamflow run train-separator-live"""

from kfp import dsl

from pipelines.separator_into_service import separator_into_service


@dsl.pipeline(name="train-separator-live")
def train_separator_live(
    data: str = "practice",
    practice_songs: int = 40,
    preset: str = "live",
    minutes: float = 0.0,
    seed: int = 0,
    closer: int = 0,
    budget_ms: float = 0.0,
    where: dict = {},
) -> int:
    """Teach a separator that plays along block by block, judge it beside the champion, and serve it if it is not worse.

    Args:
        preset: live, or a file of your own for a network of that kind.
        seed: The same seed, the same training.
    """
    return separator_into_service(
        "separator_live", data, practice_songs, preset, minutes, seed, closer, budget_ms, where
    )
