"""From songs with known stems to a served separator.  Run: jamflow run train-separator --data musdb18hq.zip"""

from kfp import dsl

from pipelines.separator_into_service import separator_into_service


@dsl.pipeline(name="train-separator")
def train_separator(
    data: str = "practice",
    practice_songs: int = 40,
    preset: str = "laptop",
    minutes: float = 0.0,
    seed: int = 0,
    closer: int = 0,
    budget_ms: float = 0.0,
    where: dict = {},
) -> int:
    """Teach a separator, judge it beside the champion, and serve it if it is not worse.

    Args:
        seed: The same seed, the same training.
    """
    return separator_into_service("separator", data, practice_songs, preset, minutes, seed, closer, budget_ms, where)
