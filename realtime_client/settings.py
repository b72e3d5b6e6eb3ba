"""What a musician chooses for a session. main writes it on each process's command line.

settings = JamSettings(server="127.0.0.1:8001", tempo_bpm=140)
JamSettings.read(settings.written())
"""

from __future__ import annotations

import json
from typing import NamedTuple

from models.music.errors import BadConfig

CLOCKS = ("internal", "midi", "fl")
# name: lowest, highest
RANGES: dict[str, tuple[float, float]] = {
    "tempo_bpm": (30, 300),
    "beats_a_bar": (2, 4),
    "temperature": (0, 4),
    "top_p": (0.01, 1),
    "chord_bias": (0, 1),
    "lookahead_bars": (1, 4),
    "offset_ms": (-500, 500),
    "rest_after_bars": (0, 1000),
    "polyphony": (1, 32),
    "channel": (1, 16),
    "page_port": (0, 65535),
}


class JamSettings(NamedTuple):
    """Everything has a value that works."""

    server: str = ""
    """Triton's gRPC address; "" plays fallback phrases only."""
    input_port: str = ""
    """Part of a MIDI input's name; "" opens a virtual one; inside:NAME is a port of our own, for machines without MIDI."""
    output_port: str = ""
    """The same for where the solo goes."""
    clock: str = "internal"
    """internal, midi or fl."""
    tempo_bpm: float = 120.0
    beats_a_bar: int = 4
    style: str = ""
    """By its name; "" is any."""
    temperature: float = 1.0
    top_p: float = 0.8
    chord_bias: float = 0.3
    lookahead_bars: float = 2.0
    """How far ahead the solo is kept."""
    seed: int = 0
    offset_ms: float = 0.0
    """Notes leave so much later (or earlier): what `jamflow jam calibrate` measures."""
    rest_after_bars: int = 8
    """The soloist rests when no chord came for so long; 0 never rests."""
    polyphony: int = 4
    channel: int = 1
    record: str = ""
    """A folder for the session's MIDI and letters; "" records nothing."""
    page_port: int = 0
    """Of the page; 0 takes a free one."""
    terminal: bool = True

    def written(self) -> str:
        return json.dumps(self._asdict())

    @classmethod
    def read(cls, text: str) -> JamSettings:
        return cls(**json.loads(text)).checked()

    def checked(self) -> JamSettings:
        """Return these settings, or say what is wrong with one."""
        for name, (low, high) in RANGES.items():
            if not low <= getattr(self, name) <= high:
                raise BadConfig(f"{name} is {getattr(self, name):g}; give {low:g} to {high:g}.")
        if self.clock not in CLOCKS:
            raise BadConfig(f"clock is {self.clock!r}; give one of {', '.join(CLOCKS)}.")
        return self
