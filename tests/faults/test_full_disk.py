"""Fault 12: a disk that takes no more ends in a line with path and free space, and nothing partial under a final name."""

from __future__ import annotations

import subprocess
import sys

WRITE_A_SONG = """
import resource, signal, sys
import numpy as np
from models.music.audio import Audio, write_audio
from models.music.errors import JamflowError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
limit = int(sys.argv[2])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    write_audio(sys.argv[1], Audio(np.random.default_rng(0).uniform(-1, 1, (2, 300_000)).astype(np.float32), 44_100))
except JamflowError as error:
    print(error)
"""


def write_a_song(path, limit):
    command = [sys.executable, "-c", WRITE_A_SONG, str(path), str(limit)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_a_full_disk_leaves_nothing_under_a_final_name_and_a_rerun_succeeds(tmp_path):
    path = tmp_path / "stems" / "song.wav"
    said = write_a_song(path, limit=100_000)
    assert "song.wav: not written" in said
    assert "MB free there" in said
    assert list(path.parent.iterdir()) == []
    assert write_a_song(path, limit=0) == ""
    assert path.stat().st_size > 1_000_000
