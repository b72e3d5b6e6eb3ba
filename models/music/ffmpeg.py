"""A sound file that only ffmpeg understands, heard block by block and never held whole.

with Decoded(path) as file: file.read(4096)       # float32[frames, 2]; fewer at the end, then none

It reads like a soundfile.SoundFile, so that one reader serves both.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.music.errors import BadAudio

FRAME_BYTES = 8
CUT_OFF = "partial file"
"""How ffmpeg says so; it ends well all the same."""


class Decoded:
    """What ffmpeg makes of a file: stereo at the house rate."""

    samplerate, channels = 44_100, 2
    frames = 0
    """How many it promises: none, for how many come is known at the end only."""
    extra_info = ""

    def __init__(self, path: Path) -> None:
        if shutil.which("ffmpeg") is None:
            raise BadAudio(
                f"{path.name}: reading {path.suffix[1:]} needs ffmpeg. Install it, or convert the file to wav."
            )
        self._path = path

    def __enter__(self) -> Decoded:
        command = ["ffmpeg", "-v", "error", "-nostdin", "-i", str(self._path.resolve()), "-vn"]
        command += ["-ac", str(self.channels), "-ar", str(self.samplerate), "-f", "f32le", "-"]
        self._said = tempfile.TemporaryFile()  # a pipe that nobody empties would stop a talkative ffmpeg
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self._said)
        return self

    def read(self, frames: int, dtype: str = "float32", always_2d: bool = True) -> NDArray[np.float32]:
        """Give the next frames; those of a file that turned out broken end in a line."""
        sound = self._sound.read(frames * FRAME_BYTES)
        if len(sound) < frames * FRAME_BYTES:
            self._check_end()
        return np.frombuffer(sound, dtype="<f4").reshape(-1, self.channels)

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._sound.close()
        self._said.close()

    @property
    def _sound(self) -> Any:
        return self._process.stdout

    def _check_end(self) -> None:
        failed = self._process.wait()
        self._said.seek(0)
        said = self._said.read().decode(errors="replace").strip().splitlines() or [f"ffmpeg ended with {failed}"]
        if failed:
            raise BadAudio(f"{self._path.name}: not readable as audio ({said[-1]}). Export it again, or leave it out.")
        if CUT_OFF in said[-1]:
            raise BadAudio(f"{self._path.name}: cut off: not all the sound that it promises is there. Export it again.")
