"""Any song becomes a kit, a beat and a groove.  Run: jamflow run make-drums --song song.wav --out-dir out

Without a song the practice room plays one. Songs that are drums already: --no-separation. Several songs are separated
side by side; cutting them is a matter of seconds and happens in one stage.
"""

from kfp import dsl
from kfp.dsl import Dataset

from components.beats import gather_drums, make_groove, make_skeleton, pack_kit
from components.hits import preprocess
from components.roles import assign_roles
from components.songs import collect_stems, gather_songs, take_drums
from components.tempo import find_tempo


@dsl.pipeline(name="make-drums")
def make_drums(
    song: str = "practice",
    separation: bool = True,
    model: str = "htdemucs",
    skip_bad: bool = False,
    bpm: str = "auto",
    bars: int = 4,
    seed: int = 42,
    motion_mode: str = "A",
    motion_keep: int = 6,
    fill_prob: float = 0.25,
    texture: int = 1,
    voice: str = "champion",
    temperature: float = 0.5,
    timing: float = 1.0,
    velocity: float = 1.0,
    where: dict = {},
) -> Dataset:
    """Turn songs into one-shots with roles, a skeleton beat and a human groove, in one folder.

    Args:
        separation: Take the drums out first; --no-separation when it is drums already.
        seed: The same seed, the same drums.
        voice: Who hears roles and plays the groove: champion (the starter, where none is served), starter, or the folder
            of a trained model, which takes its own part.
    """
    gathered = gather_songs(song=song, separation=separation, seed=seed)
    with dsl.ParallelFor(gathered.outputs["Output"]) as name:
        taken = take_drums(songs=gathered.outputs["songs"], name=name, model=model, skip_bad=skip_bad)
    drums = collect_stems(taken=dsl.Collected(taken.outputs["drums"])).outputs["stems"]
    tempo = find_tempo(drums=drums, bpm=bpm)
    hits = preprocess(song=drums, separation=False, skip_bad=skip_bad).outputs["hits"]
    pools = assign_roles(input_dir=hits, limit=0, seed=seed, voice=voice, where=where).outputs["pools"]
    kit = pack_kit(pools=pools, hits=hits).outputs["kit"]
    beat = make_skeleton(
        pools_json=kit,
        bpm=tempo.outputs["Output"],
        bars=bars,
        seed=seed,
        motion_mode=motion_mode,
        motion_keep=motion_keep,
        fill_prob=fill_prob,
        texture=texture,
    ).outputs["beat"]
    groove = make_groove(
        grid_json=beat,
        events_json=beat,
        pools_json=kit,
        seed=seed,
        voice=voice,
        temperature=temperature,
        timing=timing,
        velocity=velocity,
        where=where,
    ).outputs["groove"]
    release = gather_drums(hits=hits, kit=kit, beat=beat, groove=groove, tempo=tempo.outputs["tempo"])
    return release.outputs["release"]  # type: ignore[return-value]
