"""Stages of the groove model: gather performances, prepare, teach, judge; and have a file played by the server."""

from __future__ import annotations

from kfp.dsl import Dataset, Input, Model, Output

from backstage.stage import stage


@stage(image="python-audio")
def gather_grooves(source: str, performances: Output[Dataset], seed: int = 0) -> str:
    """Bring drum performances together: given ones, or practice drummers.

    Args:
        source: A folder, archive or snapshot of MIDI in the Groove MIDI Dataset's layout; "practice" synthesises some.
        seed: Of the practice drummers.

    Returns:
        data
    """
    from backstage.storage import bring
    from models.music.midi import find_midi
    from models.practice.grooves import write_grooves

    if source == "practice":
        write_grooves(performances.path, seed=seed)
        return f"practice {seed}"
    return bring(source, performances.path, find_midi)[:12]


@stage(image="python-audio")
def prepare_grooves(performances: Input[Dataset], corpus: Output[Dataset]) -> int:
    """Cut performances into windows, every session in one split; count the training windows.

    Args:
        performances: Folder of MIDI; an info.csv with the official split is understood.

    Returns:
        training windows
    """
    from backstage.tracking import log_metrics
    from models.groove.dataset import prepare

    prepared = prepare(performances.path, corpus.path)
    log_metrics({f"{name} windows": count for name, count in prepared.summary["windows"].items()})
    return len(prepared.train)


@stage(image="python-torch", gpu=True)
def train_groove_model(
    corpus: Input[Dataset],
    model: Output[Model],
    preset: str = "laptop",
    minutes: float = 0.0,
    seed: int = 0,
    where: dict = {},
) -> float:
    """Teach a groove network, going on where an interrupted attempt stopped; the validation loss comes back.

    Args:
        corpus: Prepared performances.
        preset: tiny, laptop, studio or published (models/groove/presets.yaml).
        minutes: Wall-clock limit; 0 teaches until the preset's steps or patience end.
        seed: Of everything random.

    Returns:
        loss
    """
    from backstage.lessons import Journal, workplace
    from models.groove.figures import FIGURES
    from models.groove.train import teach
    from serving.where import Where

    settings = {"preset": preset, "minutes": minutes, "seed": seed}
    with (
        workplace(Where.told(where).work, "groove", corpus.path, **settings) as work,
        Journal("loss", FIGURES) as journal,
    ):
        trained = teach(corpus.path, model.path, **settings, callbacks=[journal], work=work)
    return trained.best["loss"]


@stage(image="python-torch")
def evaluate_groove(
    corpus: Input[Dataset],
    model: Input[Model],
    evaluation: Output[Dataset],
    regressor_minutes: float = -1.0,
    preset: str = "laptop",
    champion: int = 0,
    where: dict = {},
) -> float:
    """Judge a groove model on held-out sessions, beside the champion and the baselines; timing MAE in ms comes back.

    Args:
        corpus: Prepared performances; the test split is judged.
        model: The trained model.
        regressor_minutes: Teach the BiLSTM regressor for so long and set it beside; 0 leaves it out, -1 takes the preset's.
        preset: Whose regressor_minutes, where none are given.
        champion: The version to judge beside it, on the same data; 0 for none.

    Returns:
        timing_mae_ms
    """
    from backstage.champions import champion_folder
    from backstage.lessons import show_evaluation
    from models.groove.evaluate import judge
    from models.groove.figures import FIGURES
    from models.groove.lesson import read_preset
    from serving.where import Where

    minutes = read_preset(preset).regressor_minutes if regressor_minutes < 0 else regressor_minutes
    with champion_folder("groove", champion, Where.told(where)) as beside:
        figures = judge(corpus.path, model.path, evaluation.path, beside, minutes)
    show_evaluation(evaluation.path, FIGURES)
    return figures["timing_mae_ms"]


@stage(image="python-torch", cached=False)
def humanise_midi(
    midi: Input[Dataset],
    played: Output[Dataset],
    timing: float = 1.0,
    velocity: float = 1.0,
    temperature: float = 0.0,
    seed: int = 0,
    mode: str = "humanise",
    voice: str = "champion",
    where: dict = {},
) -> int:
    """Have a drum file played as a human would; count its notes.

    Args:
        midi: A MIDI file of drums in 4/4.
        timing: How much of the human timing to take, 0 to 1.
        velocity: How much of the human velocity to take, 0 to 1.
        temperature: 0 plays the middle of what people do, 1 as widely as they do.
        seed: The same seed, the same playing.
        mode: humanise keeps every note; vary changes some; tap makes a beat of a rhythm.
        voice: Who plays: champion (the starter, where none is served), starter, or a trained model's folder.

    Returns:
        notes
    """
    from backstage.voices import voice_of
    from models.groove.files import play_file
    from serving.contracts.groove import player

    play = player(voice_of("groove", voice, where).asker, mode, temperature)
    return play_file(midi.path, played.path, play, mode, timing, velocity, seed)
