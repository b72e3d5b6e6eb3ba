"""Stages of separation: songs into stems, song by song and so side by side; and a separator taught and judged."""

from __future__ import annotations

from kfp.dsl import Dataset, Input, Model, Output

from backstage.stage import stage


@stage(image="python-torch")
def take_stems(
    songs: Input[Dataset],
    stems: Output[Dataset],
    name: str,
    model: str = "htdemucs",
    two_stems: str = "",
    format: str = "",
    stems_add_up: bool = False,
    steps: int = 0,
    seed: int = 0,
    preview: bool = False,
    skip_bad: bool = False,
) -> int:
    """Separate one song into stems with its own rate, channels, length and bit depth.

    Args:
        songs: What gather-songs brought together.
        name: The song's path in there.
        model: Who separates: htdemucs, separator (it comes with Jamflow), a model's folder, or several with commas
            between (htdemucs:2,models/mine): their stems are averaged.
        two_stems: Only this stem, and everything else as a second one.
        format: wav, flac, ogg or mp3; nothing gives what the song is.
        stems_add_up: Share what is missing to the song among its stems, so that they sum to it.
        steps: Of a counterfactual model's sampling; 0 takes its own number.
        seed: Of a counterfactual model's dice: the same seed, the same stems.
        preview: A counterfactual model's quick look, in its few steps.
        skip_bad: Leave a song out that cannot be read instead of stopping.

    Returns:
        songs
    """
    from components.stems import take
    from models.separation.delivery import Wishes
    from models.separation.sampling import Sampling

    how, wishes = Sampling(steps, seed, preview), Wishes(format, two_stems, stems_add_up)
    return take(songs.path, name, stems.path, model, how, wishes, skip_bad)


@stage(image="python-audio")
def gather_stem_songs(source: str, songs: Output[Dataset], practice_songs: int = 40) -> str:
    """Bring songs with known stems together: given ones, or the practice room's.

    Args:
        source: A folder, archive or snapshot: MUSDB18, MUSDB18-HQ, or a folder of stems for each song; "practice"
            synthesises some.
        practice_songs: How many of those to learn from; an eighth as many more judge.

    Returns:
        data
    """
    from backstage.storage import bring
    from models.practice.stem_songs import write_stem_songs
    from models.separation.songs import find_songs

    if source == "practice":
        judging = max(2, practice_songs // 8)
        counts = {"train": practice_songs, "valid": judging, "test": judging, "unfamiliar": judging}
        write_stem_songs(songs.path, counts)
        return f"practice {practice_songs}"
    return bring(source, songs.path, find_songs)[:12]


@stage(image="python-audio")
def prepare_stem_songs(songs: Input[Dataset], corpus: Output[Dataset]) -> int:
    """Make songs ready to be learnt from, each in one split; count the songs to learn from.

    Args:
        songs: Songs with known stems.

    Returns:
        songs to learn from
    """
    from backstage.tracking import log_metrics
    from models.separation.dataset import prepare

    summary = prepare(songs.path, corpus.path).summary
    log_metrics({f"{split} songs": count for split, count in summary["songs"].items()})
    return summary["songs"]["train"]


@stage(image="python-torch", gpu=True)
def train_separator_model(
    corpus: Input[Dataset],
    model: Output[Model],
    preset: str = "laptop",
    minutes: float = 0.0,
    seed: int = 0,
    where: dict = {},
) -> float:
    """Teach a separator, going on where an interrupted attempt stopped; the validation loss comes back.

    Args:
        corpus: Prepared songs.
        preset: tiny, laptop, studio, full, base, live or htdemucs (models/separation/presets.yaml), or a file like it.
        minutes: Wall-clock limit; 0 teaches until the preset's steps, minutes or patience end.
        seed: Of everything random.

    Returns:
        loss
    """
    from backstage.lessons import Journal, workplace
    from models.separation.figures import FIGURES
    from models.separation.train import teach
    from serving.where import Where

    settings = {"preset": preset, "minutes": minutes, "seed": seed}
    work = workplace(Where.told(where).work, "separator", corpus.path, **settings)
    with work as folder, Journal("loss", FIGURES) as journal:
        trained = teach(corpus.path, model.path, **settings, callbacks=[journal], work=folder)
    return trained.best["loss"]


@stage(image="python-torch")
def evaluate_separator(
    corpus: Input[Dataset],
    model: Input[Model],
    evaluation: Output[Dataset],
    split: str = "test",
    closer: int = 0,
    champion: int = 0,
    name: str = "separator",
    where: dict = {},
) -> float:
    """Judge a separator on songs it never heard, beside the champion and what costs nothing; the mean uSDR comes back.

    Args:
        corpus: Prepared songs.
        model: The trained model.
        split: test, or unfamiliar: songs unlike those of the others.
        closer: Look at so many songs with BSS Eval, PESQ and STOI as well, minutes each.
        champion: The version to judge beside it, on the same data; 0 for none.
        name: The registered name: separator, or separator_live.

    Returns:
        usdr
    """
    from backstage.champions import champion_folder
    from backstage.lessons import show_evaluation
    from models.separation.evaluate import judge
    from models.separation.figures import FIGURES
    from serving.where import Where

    with champion_folder(name, champion, Where.told(where)) as beside:
        figures = judge(corpus.path, model.path, evaluation.path, beside, split, closer)
    show_evaluation(evaluation.path, FIGURES)
    return figures["usdr"]
