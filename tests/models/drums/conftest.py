"""A small kit of synthesised one-shots with its pools file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from models.drums.kit import Kit, read_kit
from models.music.audio import write_audio
from models.practice.drum_sounds import synthesise

KINDS = {
    "CORE": ("kick", "kick"),
    "ACCENT": ("snare", "clap"),
    "MOTION": ("hihat", "openhat", "cymbal"),
    "FILL": ("tom", "tom", "tom"),
    "TEXTURE": ("fx",),
}


@pytest.fixture(scope="session")
def pools_json(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kit")
    generator, pools, number = np.random.default_rng(3), {}, 0
    for role, kinds in KINDS.items():
        rows = pools[f"{role}_POOL"] = []
        for kind in kinds:
            number += 1
            name = f"dummy_{number:05d}"
            write_audio(folder / f"{name}.wav", synthesise(kind, generator))
            rows.append({"sample_id": name, "filepath": f"{name}.wav", "confidence": round(0.9 - 0.2 * len(rows), 2)})
    pools["counts"] = {role: len(kinds) for role, kinds in KINDS.items()}
    (folder / "pools_1.json").write_text(json.dumps(pools))
    return folder / "pools_1.json"


@pytest.fixture(scope="session")
def kit(pools_json: Path) -> Kit:
    return read_kit(pools_json)
