"""Labelled one-shots as a data set: found, heard once, varied, and kept as pictures and features.

    shots = find_labelled("my samples")          # a folder tree (with or without labels.csv), or a CSV of path, label, maker
    prepare_dataset(shots, "datasets/one-shots", variants=8, seed=0)
    dataset = read_dataset("datasets/one-shots")

A folder anywhere in a file's path names its label (`.../kick/...`); the top folder is its maker. Makers never cross a
split: two takes of one drum sound alike, and whoever tests on the second has tested nothing.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.drums.roles.features import DSPConfig, measure_frames
from models.drums.roles.learned.variation import vary
from models.drums.roles.listening import AudioConfig, Clip, batches, listen, prepare
from models.drums.roles.picture import draw_frames
from models.drums.roles.types import FEATURES, ROLES, Role
from models.music.audio import find_audio, read_audio
from models.music.errors import BadAudio, BadInput
from models.music.files import check_folder, read_json, whole_folder, write_json
from models.music.plain import parse_csv, shown

log = logging.getLogger(__name__)
ROLE_OF_LABEL: dict[str, Role] = {
    "kick": Role.CORE,
    "snare": Role.ACCENT,
    "clap": Role.ACCENT,
    "hihat": Role.MOTION,
    "cymbal": Role.MOTION,
    "tom": Role.FILL,
    "perc": Role.FILL,
    "fx": Role.TEXTURE,
}
LABELS = tuple(ROLE_OF_LABEL)
ALSO_CALLED = {
    "hat": "hihat",
    "openhat": "hihat",
    "hh": "hihat",
    "crash": "cymbal",
    "ride": "cymbal",
    "percussion": "perc",
    "rim": "perc",
    "rimshot": "perc",
    "sidestick": "perc",
}
"""A stick on the rim plays fills and patterns of its own; the backbeat is the snare's."""
PRACTICE = "practice"
"""Maker of synthesised sounds: everyone may learn from them, nobody is tested on them."""
LISTING = "labels.csv"
SHOTS, PICTURES, MEASURES = "shots.json", "pictures.npy", "features.npy"


@dataclass(frozen=True)
class LabelledShot:
    """One sound file, what it is and who made it."""

    path: str
    label: str
    maker: str


@dataclass(frozen=True)
class Dataset:
    """What the scorer learns from; v variants (the first is the sound itself), n shots."""

    shots: tuple[LabelledShot, ...]
    pictures: NDArray[np.float16]
    """float16[v, n, MELS, SPANS]"""
    features: NDArray[np.float32]
    """float32[v, n, 11]"""

    @property
    def labels(self) -> NDArray[np.int64]:
        """int64[n]: index into LABELS."""
        return np.array([LABELS.index(shot.label) for shot in self.shots])

    @property
    def roles(self) -> NDArray[np.int64]:
        """int64[n]: index into ROLES."""
        return np.array([ROLES.index(ROLE_OF_LABEL[shot.label]) for shot in self.shots])

    @property
    def makers(self) -> NDArray[np.str_]:
        """str[n]: who made each shot."""
        return np.array([shot.maker for shot in self.shots])

    def only(self, chosen: NDArray[np.bool_]) -> Dataset:
        """Keep some of the shots."""
        shots = tuple(shot for shot, keep in zip(self.shots, chosen, strict=True) if keep)
        return Dataset(shots, self.pictures[:, chosen], self.features[:, chosen])


def find_labelled(source: str | os.PathLike[str]) -> list[LabelledShot]:
    """List the labelled one-shots of a folder tree or a CSV; what has no known label is left out and counted."""
    source = Path(source)
    found = _from_csv(source) if source.suffix.lower() == ".csv" else _from_tree(source)
    shots = [LabelledShot(path, label, maker) for path, word, maker in found if (label := _label_of(word))]
    if not shots:
        raise BadInput(f"{source}: no labelled one-shots. Name folders (or the column label) {', '.join(LABELS)}.")
    if len(found) > len(shots):
        log.info("%d of %d files have no label we know and are left out", len(found) - len(shots), len(found))
    return shots


def prepare_dataset(
    shots: Sequence[LabelledShot],
    folder: str | os.PathLike[str],
    *,
    variants: int = 8,
    seed: int = 0,
    audio: AudioConfig | None = None,
) -> Dataset:
    """Hear every shot once, vary it, and write the data set whole; unusable files are left out with a warning."""
    kept, clips, reasons = [], [], []
    for shot in shots:
        try:
            clips.append(prepare(read_audio(shot.path), audio or AudioConfig()))
            kept.append(shot)
        except BadAudio as error:
            log.warning("left out: %s", error)
            reasons.append(str(error))
    if not kept:
        raise BadInput(f"{folder}: none of {len(shots)} one-shots can be used; the first: {reasons[0]}")
    pictures, features = see(clips)
    tables = [(pictures, features)]
    for variant in range(1, variants + 1):
        # Each shot's variations are its own: another shot more or less in the set changes none of them.
        seeds = (np.random.default_rng([seed, variant, index]) for index in range(len(clips)))
        tables.append(see([prepare_variant(clip, random) for clip, random in zip(clips, seeds, strict=False)]))
    dataset = Dataset(
        tuple(kept),
        np.stack([table[0] for table in tables]).astype(np.float16),
        np.stack([table[1] for table in tables]),
    )
    with whole_folder(folder, replace=True) as part:
        write_json(part / SHOTS, [asdict(shot) for shot in kept])
        np.save(part / PICTURES, dataset.pictures)
        np.save(part / MEASURES, dataset.features)
    return dataset


def prepare_variant(clip: Clip, random: np.random.Generator) -> Clip:
    varied = vary(clip, random)
    return varied if np.abs(varied).max() > 0.1 else clip


def see(clips: Sequence[Clip]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the pictures and features of prepared clips, from the same frames."""
    pictures, features = [], []
    for batch in batches(clips):
        frames = listen(batch)
        pictures.append(draw_frames(frames))
        features += [f.as_array() for f in measure_frames(frames, DSPConfig())]
    return np.concatenate(pictures), np.stack(features)


def read_dataset(folder: str | os.PathLike[str]) -> Dataset:
    """Read a data set that prepare_dataset wrote."""
    folder = Path(folder)
    check_folder(folder)
    shots = tuple(LabelledShot(**shot) for shot in read_json(folder / SHOTS))
    pictures = np.load(folder / PICTURES, allow_pickle=False)
    features = np.load(folder / MEASURES, allow_pickle=False)
    if pictures.shape[1] != len(shots) or features.shape[1:] != (len(shots), len(FEATURES)):
        raise BadInput(f"{folder}: {len(shots)} shots but pictures {pictures.shape}. Prepare the one-shots again.")
    return Dataset(shots, pictures, features)


def _from_tree(root: Path) -> list[tuple[str, str, str]]:
    """List (path, word for the label, maker); a labels.csv in the folder has the first word."""
    listed = _from_csv(root / LISTING) if (root / LISTING).is_file() else []
    named = {Path(path) for path, _, _ in listed}
    if out := next((path for path in named if not _is_below(path, root)), None):
        raise BadInput(f"{LISTING}: {shown(str(out), 300)} lies outside its folder. Leave it out, or put it there.")
    found = []
    for path in find_audio(root):
        folders = path.relative_to(root).parts[:-1]
        word = next((folder for folder in reversed(folders) if _label_of(folder)), "")
        maker = folders[0] if len(folders) > 1 else root.name  # kick/x.wav has a label and no maker
        if path not in named:
            found.append((str(path), word, maker))
    return listed + found


def _from_csv(path: Path) -> list[tuple[str, str, str]]:
    if not path.is_file():
        raise BadInput(f"{path}: no such file. Check the path.")
    rows = parse_csv(path.read_bytes(), path.name, ["path", "label"])
    if not rows:
        raise BadInput(f"{path.name}: no rows. The columns are path, label and maker.")
    named = [row for row in rows if row["path"]]
    return [
        (str(path.parent / row["path"]), _finest(row), row.get("maker") or Path(row["path"]).parts[0]) for row in named
    ]


def _finest(row: dict[str, str]) -> str:
    """The word for a row's label: its sublabel's, where that is known."""
    sublabel = row.get("sublabel") or ""
    return sublabel if _label_of(sublabel) else row["label"]


def _is_below(path: Path, root: Path) -> bool:
    return "\0" not in str(path) and path.resolve().is_relative_to(root.resolve())


def _label_of(word: str) -> str:
    """Return the label a folder's name means, or ""."""
    plain = word.lower().replace("-", "").replace("_", "").replace(" ", "")
    for name in (plain, plain.removesuffix("s")):
        if name in ROLE_OF_LABEL or name in ALSO_CALLED:
            return ALSO_CALLED.get(name, name)
    return ""
