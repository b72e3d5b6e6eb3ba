"""Stages of the soloist: teach a base, teach a style on top of it, judge; and have a solo played over a file."""

from __future__ import annotations

from kfp.dsl import Dataset, Input, Model, Output

from backstage.stage import stage


@stage(image="python-torch", gpu=True)
def train_jam_base_model(
    roles: Input[Dataset],
    model: Output[Model],
    preset: str = "laptop",
    minutes: float = 0.0,
    form: str = "chords",
    seed: int = 0,
    where: dict = {},
) -> float:
    """Teach a soloist, going on where an interrupted attempt stopped; the validation loss comes back.

    Args:
        roles: Role samples.
        preset: tiny, laptop or studio (models/jam/presets.yaml).
        minutes: Wall-clock limit; 0 teaches until the preset's steps or patience end.
        form: What it is told: chords, a bar ahead; or band, the band's notes before its own.
        seed: Of everything random.

    Returns:
        loss
    """
    from backstage.lessons import Journal, workplace
    from models.jam.figures import FIGURES
    from models.jam.train import teach_base
    from serving.where import Where

    settings = {"preset": preset, "minutes": minutes, "seed": seed, "form": form}
    place = workplace(Where.told(where).work, "jam", roles.path, **settings)
    with place as work, Journal("loss", FIGURES) as journal:
        trained = teach_base(roles.path, model.path, **settings, callbacks=[journal], work=work)
    return trained.best["loss"]


@stage(image="python-torch", gpu=True)
def train_jam_style_model(
    roles: Input[Dataset],
    base: Input[Model],
    model: Output[Model],
    style: str,
    preset: str = "laptop",
    minutes: float = 0.0,
    seed: int = 0,
    where: dict = {},
) -> float:
    """Teach a style as a LoRA on top of a soloist that stays as it is; the validation loss comes back.

    Args:
        roles: Role samples; those of the style teach it.
        base: The soloist, with the styles that it has.
        style: Which of the samples' styles.
        preset: tiny, laptop or studio (models/jam/presets.yaml).
        minutes: Wall-clock limit; 0 teaches until the preset's steps or patience end.
        seed: Of everything random.

    Returns:
        loss
    """
    from backstage.lessons import Journal, workplace
    from models.jam.figures import FIGURES
    from models.jam.train import teach_style
    from serving.where import Where

    settings = {"style": style, "preset": preset, "minutes": minutes, "seed": seed}
    place = workplace(Where.told(where).work, "jam-style", roles.path, **settings)
    with place as work, Journal("loss", FIGURES) as journal:
        trained = teach_style(roles.path, base.path, out=model.path, **settings, callbacks=[journal], work=work)
    return trained.best["loss"]


@stage(image="python-torch")
def evaluate_jam(
    roles: Input[Dataset],
    model: Input[Model],
    evaluation: Output[Dataset],
    style: str = "",
    champion: int = 0,
    where: dict = {},
) -> float:
    """Judge a soloist on pieces it never heard, beside the champion and a Markov chain; nats a note come back.

    Args:
        roles: Role samples; the test split is judged.
        model: The trained model.
        style: Judge this style on its own pieces as well.
        champion: The version to judge beside it, on the same data; 0 for none.

    Returns:
        nll
    """
    from backstage.champions import champion_folder
    from backstage.lessons import show_evaluation
    from models.jam.evaluate import judge
    from models.jam.figures import FIGURES
    from serving.where import Where

    with champion_folder("jam", champion, Where.told(where)) as beside:
        figures = judge(roles.path, model.path, evaluation.path, beside, style)
    show_evaluation(evaluation.path, FIGURES)
    return figures["nll"]


@stage(image="python-torch", cached=False)
def fetch_soloist(model: Output[Model], base: str = "champion", where: dict = {}) -> str:
    """Bring the soloist that a style is taught on; its styles come back.

    Args:
        base: champion (the starter, where there is none), starter, or a trained model's folder.

    Returns:
        styles
    """
    from backstage.champions import model_folder
    from models.jam.repertoire import read_repertoire, save_repertoire
    from serving.where import Where

    with model_folder("jam", base, Where.told(where)) as folder:
        save_repertoire(model.path, repertoire := read_repertoire(folder))
    return ", ".join(repertoire.names)


@stage(image="python-torch", cached=False)
def eval_soloist(
    roles: Input[Dataset],
    evaluation: Output[Dataset],
    voice: str = "champion",
    style: str = "",
    bars: int = 32,
    where: dict = {},
) -> float:
    """Judge a soloist that is there already on the test split of role samples; nats a note come back.

    Args:
        roles: Role samples.
        voice: champion (the starter, where none is served), starter, or a trained model's folder.
        style: Judge this style on its own pieces as well.
        bars: Of each piece, that it plays.

    Returns:
        nll
    """
    from backstage.champions import model_folder
    from backstage.lessons import show_evaluation
    from models.jam.evaluate import judge
    from models.jam.figures import FIGURES
    from serving.where import Where

    with model_folder("jam", voice, Where.told(where)) as folder:
        figures = judge(roles.path, folder, evaluation.path, style=style, bars=bars)
    show_evaluation(evaluation.path, FIGURES)
    return figures["nll"]


@stage(image="python-torch", cached=False)
def sweep_primers(
    roles: Input[Dataset],
    evaluation: Output[Dataset],
    primers: str = "32,64,96,128",
    voice: str = "champion",
    bars: int = 32,
    where: dict = {},
) -> str:
    """Have a soloist keep more and more in mind, and count dead air; the least comes back.

    Args:
        roles: Role samples; the test split is played over.
        primers: Words that are kept in mind, one sweep each.
        voice: champion (the starter, where none is served), starter, or a trained model's folder.
        bars: Of each piece, that it plays.

    Returns:
        best
    """
    from backstage.champions import model_folder
    from models.jam.evaluate import sweep
    from serving.where import Where

    with model_folder("jam", voice, Where.told(where)) as folder:
        found = sweep(roles.path, folder, evaluation.path, [int(words) for words in primers.split(",")], bars=bars)
    best = min(found, key=found.__getitem__)
    return f"{best}: dead air {found[best]:.4f}"


@stage(image="python-torch", cached=False)
def play_solo(
    conditioning: Input[Dataset],
    out: Output[Dataset],
    style: str = "any",
    bars: int = 0,
    temperature: float = 1.0,
    top_p: float = 0.8,
    chord_bias: float = 0.0,
    primer_max_tokens: int = 0,
    seed: int = 0,
    voice: str = "champion",
    where: dict = {},
) -> int:
    """Play a solo over what a band plays; count its notes.

    Args:
        conditioning: A MIDI file of the band; its chords are heard.
        style: One of the soloist's styles; any for none in particular.
        bars: How long; 0 as long as the file.
        temperature: 0 plays what is likeliest, 1 as the model learnt it.
        top_p: Only the likeliest pitches, so much of them together, are thrown for; rhythm is played as it was learnt.
        chord_bias: 0 leaves the pitches alone, 1 plays chord tones only.
        primer_max_tokens: At most so many words of what was played are kept in mind; 0 for as many as fit.
        seed: The same seed, the same solo.
        voice: Who plays: champion (the starter, where none is served), starter, or a trained model's folder.

    Returns:
        notes
    """
    from backstage.champions import model_folder
    from models.jam.generate import Generating, generate
    from serving.where import Where

    wished = Generating(style, bars, temperature, top_p, chord_bias, seed, primer_max_tokens)
    with model_folder("jam", voice, Where.told(where)) as folder:
        return generate(folder, conditioning.path, f"{out.path}/solo.mid", wished)
