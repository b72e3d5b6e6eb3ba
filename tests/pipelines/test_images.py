"""images/build, with a small script in the engine's place."""

import os
import subprocess
from pathlib import Path

from pipelines.catalogue import entries

ROOT = Path(__file__).resolve().parents[2]


def test_every_image_is_built_once_and_tagged_with_the_key_of_every_stage_on_it(tmp_path):
    engine, told = tmp_path / "docker", tmp_path / "told"
    engine.write_text(f'#!/bin/sh\n[ "$1" != image ] || {{ echo 1024; exit; }}\necho "$*" >> {told}\n')
    engine.chmod(0o755)
    environment = {**os.environ, "DOCKER": str(engine), "JAMFLOW_IMAGES": "registry.example:5000/band"}
    subprocess.run([ROOT / "images" / "build"], env=environment, check=True, capture_output=True)
    builds = [line.split() for line in told.read_text().splitlines() if line.startswith("build ")]
    tags = {
        words[words.index("--target") + 1]: {w.removeprefix("--tag=") for w in words if w.startswith("--tag=")}
        for words in builds
    }
    assert sorted(tags) == ["python-audio", "python-ops", "python-torch"]
    assert len(builds) == 3
    for stage in (entry.load() for entry in entries().values() if entry.kind == "stage"):
        key = stage.full_image.rpartition(":")[2]
        assert f"registry.example:5000/band/{stage.image}:{key}" in tags[stage.image]
