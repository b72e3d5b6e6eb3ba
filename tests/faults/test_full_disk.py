"""Fault 12: a disk that takes no more ends in a line with path and free space, and nothing partial under a final name."""

from __future__ import annotations

import subprocess
import sys

import pytest

WITHIN_A_LIMIT = """
import resource, signal, sys
import numpy as np
from models.music.errors import JamflowError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
limit = int(sys.argv[2])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    {write}
except JamflowError as error:
    print(error)
"""
SONG = """
    from models.music.audio import Audio, write_audio
    write_audio(sys.argv[1], Audio(np.random.default_rng(0).uniform(-1, 1, (2, 300_000)).astype(np.float32), 44_100))
"""
WEIGHTS = """
    import torch
    from models.learning.checkpoint import write_tensors
    from models.music.files import whole_file
    with whole_file(sys.argv[1]) as part:
        write_tensors(part, {"weight": torch.zeros(300_000)})
"""


@pytest.mark.parametrize(
    ("name", "write", "why"),
    [("song.wav", SONG, ""), ("groove.safetensors", WEIGHTS, "File too large; ")],
)
def test_a_full_disk_leaves_nothing_under_a_final_name_and_a_rerun_succeeds(tmp_path, name, write, why):
    path = tmp_path / "takes" / name

    def writes(limit: int) -> str:
        code = WITHIN_A_LIMIT.replace("{write}", write.strip())
        command = [sys.executable, "-c", code, str(path), str(limit)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    said = writes(limit=100_000)
    assert said.startswith(f"{path}: not written ({why}"), said
    assert said.endswith(" MB free there). Free some space or choose another folder.\n")
    assert "rror" not in said, "what a library calls an error tells the user nothing"
    assert list(path.parent.iterdir()) == []
    assert writes(limit=0) == ""
    assert path.stat().st_size > 1_000_000


RELEASE = """
    from pathlib import Path
    from pipelines.publish import publish
    publish({"release": Path(sys.argv[1]).with_name("made")}, Path(sys.argv[1]))
"""


@pytest.mark.parametrize("before", [False, True])
def test_a_release_appears_whole_or_not_at_all(tmp_path, before):
    made, out = tmp_path / "made", tmp_path / "out"
    made.mkdir()
    for name, size in (("a_1.json", 10), ("dummy_00001.wav", 50_000), ("render_1.wav", 300_000)):
        (made / name).write_bytes(bytes(size))
    if before:
        out.mkdir()
        (out / "dummy_00001.wav").write_bytes(b"another run's")

    def publishes(limit: int) -> str:
        code = WITHIN_A_LIMIT.replace("{write}", RELEASE.strip())
        command = [sys.executable, "-c", code, str(out), str(limit)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    said = publishes(limit=100_000)
    assert "not written (File too large; " in said
    assert [path.name for path in out.rglob("*")] == (["dummy_00001.wav"] if before else [])
    assert publishes(limit=0) == ""
    place = out / "take_2" if before else out
    assert sorted(path.name for path in place.iterdir()) == ["a_1.json", "dummy_00001.wav", "render_1.wav"]
