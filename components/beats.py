"""Stages that make a beat: a skeleton from pools, a groove from a skeleton."""

from __future__ import annotations

from kfp.dsl import Dataset, Input, Output

from backstage.stage import stage


@stage(image="python-audio")
def make_skeleton(
    pools_json: Input[Dataset],
    beat: Output[Dataset],
    bpm: float,
    bars: int = 4,
    seed: int = 42,
    motion_mode: str = "A",
    motion_keep: int = 6,
    fill_prob: float = 0.25,
    texture: int = 1,
    sample_root: str = "",
    render_sr: int = 44100,
) -> int:
    """Lay a skeleton beat out on a 16-step grid with the samples of a pools file.

    Args:
        pools_json: A pools file; of a folder (`random` is --out-dir) the seed draws one of its pools_N.json.
        bpm: Tempo in quarters a minute; find-tempo hears that of a song.
        bars: How long the loop is.
        seed: The same seed and pools give the same beat.
        motion_mode: A rides the eighths, B pushes off the beat.
        motion_keep: MOTION hits in a bar, 4 to 8.
        fill_prob: How likely the last bar of every four ends in a fill, 0 to 1.
        texture: 1 lays a TEXTURE under the first bar, 0 leaves it out.
        sample_root: Folder of the samples, when they do not lie beside the pools file.
        render_sr: Rate of the sound in Hz.

    Returns:
        hits
    """
    from components.beat_files import present
    from models.drums.session import lay_skeleton
    from models.drums.skeleton import SkeletonPlan

    plan = SkeletonPlan(bpm, bars, seed, motion_mode, motion_keep, fill_prob, texture)  # type: ignore[arg-type]
    laid = lay_skeleton(pools_json.path, beat.path, plan, sample_root=sample_root, render_sr=render_sr)
    return present(laid, "skeleton")


@stage(image="python-torch", cached=False)
def make_groove(
    grid_json: Input[Dataset],
    events_json: Input[Dataset],
    pools_json: Input[Dataset],
    groove: Output[Dataset],
    seed: int = 42,
    render: bool = True,
    sample_root: str = "",
    voice: str = "champion",
    vary: bool = False,
    temperature: float = 0.5,
    timing: float = 1.0,
    velocity: float = 1.0,
    where: dict = {},
) -> int:
    """Play a beat as a human would: the groove model's velocity and micro-timing, or a variation of its own.

    Args:
        grid_json: The beat's grid_N.json, or the folder it lies in.
        events_json: The beat's event_grid_N.json, or the folder it lies in.
        pools_json: A pools file, or a folder with pools_N.json.
        seed: The same seed, the same playing.
        render: Write sound as well as MIDI.
        sample_root: Folder of the samples, when they do not lie beside the pools file.
        voice: Who plays: champion (the starter, where none is served), starter, or a trained model's folder.
        vary: Let some hits change instead of keeping every one.
        temperature: 0 plays the middle of what people do, 1 as widely as they do.
        timing: How much of the human timing to take, 0 to 1.
        velocity: How much of the human velocity to take, 0 to 1.

    Returns:
        hits
    """
    from backstage.voices import voice_of
    from components.beat_files import present
    from models.drums.session import Feel, lay_groove
    from serving.contracts.groove import player

    play = player(voice_of("groove", voice, where).asker, "vary" if vary else "humanise", temperature)
    feel = Feel(seed, vary, timing, velocity)
    files = grid_json.path, events_json.path, pools_json.path, groove.path
    laid = lay_groove(*files, play, feel, sample_root=sample_root, render_sr=44100 if render else 0)
    return present(laid, "groove")


@stage(image="python-audio")
def pack_kit(pools: Input[Dataset], hits: Input[Dataset], kit: Output[Dataset]) -> int:
    """Bring a pools file and its samples into one folder, in which every path is a file name.

    Args:
        pools: The pools file, or the folder with pools_N.json.
        hits: The folder of its samples.

    Returns:
        samples
    """
    from models.drums.release import pack_kit

    return len(pack_kit(pools.path, kit.path, sample_root=hits.path).pieces)


@stage(image="python-audio")
def gather_drums(
    hits: Input[Dataset],
    kit: Input[Dataset],
    beat: Input[Dataset],
    groove: Input[Dataset],
    release: Output[Dataset],
    tempo: Input[Dataset] = None,  # type: ignore[assignment] - KFP's way to say that it may be left out
) -> int:
    """Bring one-shots, kit, skeleton and groove into one folder and open everything in it once; count the files.

    Args:
        hits: What preprocess wrote.
        kit: The packed kit.
        beat: What make-skeleton wrote with it.
        groove: What make-groove made of that.
        tempo: What find-tempo heard, if it listened.

    Returns:
        files
    """
    from models.drums.release import release as bring_together

    parts = [hits, kit, beat, groove, *([tempo] if tempo else [])]
    return bring_together([part.path for part in parts], release.path)
