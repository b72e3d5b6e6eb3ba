"""Stages of the roles: give one-shots theirs; and gather labelled ones, prepare, teach and judge the learned voice."""

from __future__ import annotations

from kfp.dsl import Dataset, Input, Model, Output

from backstage.stage import stage


@stage(image="python-torch")
def assign_roles(
    input_dir: Input[Dataset],
    pools: Output[Dataset],
    limit: int = 10,
    seed: int = 0,
    voice: str = "champion",
    where: dict = {},
) -> int:
    """Give one-shots their roles and sort them into pools; count them.

    Args:
        input_dir: A folder tree of one-shots; those that cannot be used are left out.
        limit: Draw so many at random; 0 takes all.
        seed: Of the draw.
        voice: Who is the learned scorer: champion (the starter, where none is served), starter, or a model's folder.

    Returns:
        one-shots
    """
    from backstage.voices import voice_of
    from components.one_shots import learned_voice, show_roles
    from models.drums.roles.files import assign_folder

    learned = learned_voice(voice_of("roles", voice, where))
    assigned = assign_folder(input_dir.path, pools.path, limit=limit, seed=seed, learned=learned)
    show_roles(assigned)
    return len(assigned.results)


@stage(image="python-audio")
def gather_one_shots(
    source: str, one_shots: Output[Dataset], practice_sounds: int = -1, seed: int = 0, preset: str = "laptop"
) -> str:
    """Bring labelled one-shots together, and synthesised ones beside them that everyone may learn from.

    Args:
        source: A folder, archive or snapshot in which folders name labels and top folders makers, or which has a
            labels.csv (path, label, maker); "practice" makes three small sample packs.
        practice_sounds: Synthesise so many of every kind; -1 takes the preset's.
        seed: Of the synthesised sounds.
        preset: tiny, laptop or studio.

    Returns:
        data
    """
    from components.one_shots import bring_one_shots
    from models.drums.roles.learned.presets import read_preset

    count = read_preset(preset).practice_sounds if practice_sounds < 0 else practice_sounds
    return bring_one_shots(source, one_shots.path, count, seed)


@stage(image="python-audio")
def prepare_one_shots(
    one_shots: Input[Dataset], dataset: Output[Dataset], variants: int = 0, seed: int = 0, preset: str = "laptop"
) -> int:
    """Hear labelled one-shots once, with variations, as pictures and features; count them.

    Args:
        one_shots: Folder tree of labelled one-shots, or a CSV of path, label and maker.
        variants: Variations of every sound: speed, equaliser, room, noise; 0 takes the preset's.
        seed: Of the variations.
        preset: tiny, laptop or studio.

    Returns:
        one-shots
    """
    from backstage.tracking import log_metrics
    from models.drums.roles.learned.dataset import find_labelled, prepare_dataset
    from models.drums.roles.learned.presets import read_preset

    variants = variants or read_preset(preset).variants
    prepared = prepare_dataset(find_labelled(one_shots.path), dataset.path, variants=variants, seed=seed)
    log_metrics({"one-shots": len(prepared.shots), "makers": len(set(prepared.makers.tolist()))})
    return len(prepared.shots)


@stage(image="python-torch", gpu=True)
def train_role_scorer(
    dataset: Input[Dataset],
    model: Output[Model],
    steps: int = 0,
    preset: str = "laptop",
    held_out: float = 0.25,
    minutes: float = 0.0,
    seed: int = 0,
    where: dict = {},
) -> float:
    """Teach the learned voice of the roles, going on where an interrupted attempt stopped; the validation loss comes back.

    Args:
        dataset: Prepared one-shots.
        steps: How long a listener learns; 0 takes the preset's.
        preset: tiny, laptop or studio (models/drums/roles/learned/presets.yaml).
        held_out: Share of the makers left for the evaluation; 0 teaches on all of them.
        minutes: Wall-clock limit of a listener; 0 sets none.
        seed: Of everything random.

    Returns:
        loss
    """
    from backstage.lessons import Journal, workplace
    from models.drums.roles.figures import FIGURES
    from models.drums.roles.learned.train import teach
    from serving.where import Where

    settings = {"preset": preset, "steps": steps, "held_out": held_out, "minutes": minutes, "seed": seed}
    work = workplace(Where.told(where).work, "roles", dataset.path, **settings)
    with work as folder, Journal("loss", FIGURES) as journal:
        return teach(dataset.path, model.path, **settings, callbacks=[journal], work=folder)


@stage(image="python-torch")
def evaluate_roles(
    dataset: Input[Dataset],
    model: Input[Model],
    evaluation: Output[Dataset],
    champion: int = 0,
    where: dict = {},
) -> float:
    """Judge a role scorer on makers it never heard, beside the champion; macro accuracy comes back.

    Args:
        dataset: Prepared one-shots.
        model: The trained model.
        champion: The version to judge beside it, on the same data; 0 for none.

    Returns:
        macro_accuracy
    """
    from backstage.champions import champion_folder
    from backstage.lessons import show_evaluation
    from models.drums.roles.figures import FIGURES
    from models.drums.roles.learned.evaluate import judge
    from serving.where import Where

    with champion_folder("roles", champion, Where.told(where)) as beside:
        figures = judge(dataset.path, model.path, evaluation.path, beside)
    show_evaluation(evaluation.path, FIGURES)
    return figures["macro_accuracy"]
