"""A soloist on the wire: chords and what was played in, notes out, each as soon as it is thought of.

    with asker.session(JAM) as session:                       # its memory stays on the server between requests
        cue = Cue(chords=((0, Chord.parse("Am7")), (3840, Chord.parse("D7"))), start_ticks=0, horizon_ticks=7680)
        for note in solo(session, cue): ...                   # (pitch, velocity, onset_ticks, duration_ticks)

Ticks count from the beginning of the piece, 960 a quarter. A request that only goes on, or in which the last chords have
changed, costs what is new in it: leave the beginning as it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.music.chords import Chord, chord_number
from models.music.files import read_mapping
from models.music.notes import MAX_TEMPO_BPM, MIN_TEMPO_BPM, TICKS_PER_QUARTER
from serving.asker import Session
from serving.client import JamflowClient
from serving.contract import Axis, Capacity, ModelContract, Patience, Tensor

ANY, STYLES = "any", "styles"
MAX_NOTES, MAX_CHORDS, MAX_STYLES = 2048, 1024, 64
"""More styles than a model has words for: most may be LoRAs on top of it."""
MAX_TICKS = 2**30
MAX_HORIZON_TICKS = 64 * 4 * TICKS_PER_QUARTER


def _told(folder: Path) -> dict[str, str]:
    """The names of the styles in the order of their places, as models/jam/repertoire.py has them."""
    about = read_mapping(folder / "config.json")
    named = (ANY, *about.get("config", {}).get("styles", ()), *about.get("styles", ()))
    return {STYLES: ",".join(dict.fromkeys(named))}


JAM = ModelContract(
    name="jam",
    inputs=(
        Tensor("chords", "INT32", (Axis("m", MAX_CHORDS, shortest=0), 2), low=0, high=MAX_TICKS, optional=True),
        Tensor("context", "INT32", (Axis("n", MAX_NOTES, shortest=0), 4), low=0, high=MAX_TICKS, optional=True),
        Tensor("primer", "INT32", (Axis("k", MAX_NOTES, shortest=0), 4), low=0, high=MAX_TICKS, optional=True),
        Tensor("tempo", "FP32", (1,), low=MIN_TEMPO_BPM, high=MAX_TEMPO_BPM),
        Tensor("meter", "INT32", (2,), low=1, high=32, optional=True),
        Tensor("start_ticks", "INT32", (1,), low=0, high=MAX_TICKS),
        Tensor("horizon_ticks", "INT32", (1,), low=1, high=MAX_HORIZON_TICKS),
        Tensor("style", "INT32", (1,), low=0, high=MAX_STYLES - 1, optional=True),
        Tensor("temperature", "FP32", (1,), low=0.0, high=4.0, optional=True),
        Tensor("top_p", "FP32", (1,), low=0.01, high=1.0, optional=True),
        Tensor("chord_bias", "FP32", (1,), low=0.0, high=1.0, optional=True),
        Tensor("seed", "INT64", (1,), optional=True),
    ),
    outputs=(Tensor("note", "INT32", (1, 4), low=0, tolerance=0, join=0),),
    canary={
        "chords": [[0, 79], [3840, 19]],
        "tempo": [140.0],
        "start_ticks": [0],
        "horizon_ticks": [3 * 3840],  # nobody rests for longer than two bars
        "temperature": [0.0],
    },
    mode="session",
    patience=Patience(first_s=5.0, between_s=5.0, canary_s=5.0),
    capacity=Capacity(at_once=4, waiting=16, sessions=64, idle_s=120.0, memory_mb=512.0),
    gpu=True,
    told=_told,
)


@dataclass(frozen=True)
class Cue:
    """What a soloist is asked to play."""

    start_ticks: int
    """Where it begins."""
    horizon_ticks: int
    """How far it plays from there."""
    chords: tuple[tuple[int, Chord | None], ...] = ()
    """Each with the tick at which it begins, in order; those of the next bar are heard as well."""
    context: ArrayLike = ()
    """What the band has played, [n, 4]: chords are heard in it where none are given."""
    primer: ArrayLike = ()
    """What the soloist has played until now, [k, 4]."""
    tempo_bpm: float = 120.0
    meter: tuple[int, int] = (4, 4)
    style: int = 0
    """By its place among the model's styles; 0 for any."""
    temperature: float = 1.0
    top_p: float = 0.8
    chord_bias: float = 0.0
    """0 leaves the choice of pitches alone, 1 plays chord tones only."""
    seed: int = 0
    """The same seed, the same solo."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The same as the wire has it."""
        whole = {"start_ticks": self.start_ticks, "horizon_ticks": self.horizon_ticks, "style": self.style}
        shares = {"temperature": self.temperature, "top_p": self.top_p, "chord_bias": self.chord_bias}
        return {
            "chords": _table([(tick, chord_number(chord)) for tick, chord in self.chords], 2),
            "context": _table(self.context, 4),
            "primer": _table(self.primer, 4),
            "meter": np.array(self.meter, np.int32),
            "tempo": np.array([self.tempo_bpm], np.float32),
            "seed": np.array([self.seed], np.int64),
            **{name: np.array([value], np.int32) for name, value in whole.items()},
            **{name: np.array([value], np.float32) for name, value in shares.items()},
        }


def styles(client: JamflowClient) -> tuple[str, ...]:
    """The names of the served model's styles, each at its place; none where it does not tell them."""
    return tuple(filter(None, client.told(JAM).get(STYLES, "").split(",")))


def solo(session: Session, cue: Cue, deadline_s: float | None = None) -> Iterator[NDArray[np.int32]]:
    """Ask for a solo; each note comes as soon as it is sampled, and whoever leaves early stops the work."""
    with session.ask(cue.arrays(), deadline_s) as parts:
        for part in parts:
            yield part.arrays["note"][0]


def _table(rows: ArrayLike, columns: int) -> NDArray[np.int32]:
    return np.asarray(rows, np.int32).reshape(-1, columns)
