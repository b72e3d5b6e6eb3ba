"""Hear the tempo of drums, every beat, and which one begins the bar.

    tempo = find_tempo(read_audio("drums.wav"))
    tempo.bpm, tempo.sure, tempo.beats_s, tempo.downbeats_s
    print(tempo.said)          # tempo 96.2 bpm (sure: 0.87; 48.1 would be half: 0.08), bar begins at 0.31 s

Drums can be counted in several ways (models/drums/pulse.py): at half the tempo, at twice, from another step on. One
logistic regression, fitted on real drummers and practice songs (benchmarks/tempo_fit.py), weighs them all: how it likes
the tempo, whether beats and bars repeat, and how much the bar resembles bars that drummers play. What it gives one
tempo, over all beginnings of the bar, is how sure it is. Bars have four beats.
"""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.drums.pulse import FRAMES_A_SECOND, STEPS, Curve, Reading, hear, readings
from models.music.audio import Audio, find_audio, read_parts
from models.music.errors import BadConfig
from models.music.files import read_json, write_json
from models.music.plots import COLOURS, INK, picture

WEIGHTS = Path(__file__).with_name("tempo.json")
DEFAULT_BPM, MIN_BPM, MAX_BPM = 96.0, 20.0, 400.0
AUTO = "auto"
LATE_S = 0.003
"""The middle of the flux stands so far behind the attack."""
LEAST_REPEATED = 0.2
"""A beat, two or four must resemble the next ones so much; hits strewn at random reach 0.17."""
HEARD = 0.2
"""Of the strongest flux; what is less is no first and no last hit."""
FIRST_HIT_ODDS = 2.0
"""So much likelier is a bar to begin with the first hit than elsewhere, when nothing else speaks."""
SAME = 0.04
"""Tempi that differ by less are one."""
LISTEN_S, SHOWN_S = 600.0, 12.0
PICTURE = "tempo_1.png"


@dataclass(frozen=True)
class Tempo:
    """What was heard, or told."""

    bpm: float
    sure: float
    """0 to 1; 0 when there is no pulse and the tempo is a guess."""
    other_bpm: float = 0.0
    """Half or twice the tempo, whichever is likelier; 0 when it was not asked."""
    other_sure: float = 0.0
    beats_s: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    downbeats_s: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    """The beats that begin a bar."""
    told: bool = False

    def as_json(self) -> dict[str, Any]:
        """All of it for a file."""
        times = {"beats_s": self.beats_s, "downbeats_s": self.downbeats_s}
        rounded = {name: np.round(seconds, 4).tolist() for name, seconds in times.items()}
        return {
            **dataclasses.asdict(self),
            "sure": round(self.sure, 4),
            "other_sure": round(self.other_sure, 4),
        } | rounded

    @property
    def said(self) -> str:
        """All of it in one line."""
        begins = f", bar begins at {self.downbeats_s[0]:.2f} s" if len(self.downbeats_s) else ""
        if self.told:
            return f"tempo {self.bpm:g} bpm, as told{begins}"
        if not self.sure:
            return f"no steady pulse heard: tempo {self.bpm:g} bpm is a guess (sure: 0.00); give --bpm"
        relation = "half" if self.other_bpm < self.bpm else "double"
        other = f"{self.other_bpm:.1f} would be {relation}: {self.other_sure:.2f}"
        return f"tempo {self.bpm:.1f} bpm (sure: {self.sure:.2f}; {other}){begins}"


def read_bpm(text: str) -> float | None:
    """Read what a user gives as a tempo: a number, or None for "auto"."""
    if str(text).strip().lower() == AUTO:
        return None
    try:
        bpm = float(text)
    except ValueError:
        bpm = float("nan")
    if not MIN_BPM <= bpm <= MAX_BPM:
        raise BadConfig(f"bpm is {text}; give auto, or {MIN_BPM:g} to {MAX_BPM:g} (try 96).")
    return bpm


def find_tempo(audio: Audio, bpm: float | None = None) -> Tempo:
    """Find tempo, beats and bars; with a tempo given, only beats and bars."""
    curves = hear(audio)
    heard = np.flatnonzero(curves.sum(1) > HEARD * curves.sum(1).max())
    found = list(readings(curves, [bpm] if bpm else []))
    if not found or max(reading.repeats[-3:].max() for reading in found) < LEAST_REPEATED:
        return Tempo(bpm or DEFAULT_BPM, 0.0, told=bool(bpm))
    odds = _odds(found, heard[0])
    of_tempo = odds.sum(1)
    best = int(of_tempo.argmax())
    reading, first = found[best], int(odds[best].argmax())
    beats_s = _seconds(reading.steps_from(first % 4, 4), reading, heard)
    downbeats_s = _seconds(reading.steps_from(first, STEPS), reading, heard)
    if bpm:
        return Tempo(bpm, 1.0, beats_s=beats_s, downbeats_s=downbeats_s, told=True)

    def sure_of(wanted: float) -> float:
        return float(sum(o for o, r in zip(of_tempo, found, strict=True) if abs(r.bpm / wanted - 1) < SAME))

    half, double = reading.bpm / 2, 2 * reading.bpm
    other = max((half, double) if reading.bpm > 110 else (double, half), key=sure_of)
    return Tempo(round(reading.bpm, 2), sure_of(reading.bpm), round(other, 2), sure_of(other), beats_s, downbeats_s)


def write_tempo(drums: str | os.PathLike[str], folder: str | os.PathLike[str], bpm: str = AUTO) -> Tempo:
    """Hear every file of drums, at most its first ten minutes; write tempo_1.json and a picture of the surest one."""
    told, folder, best = read_bpm(bpm), Path(folder), None
    songs = []
    for file in find_audio(drums):
        _, audio = next(read_parts(file, LISTEN_S, 0.0))
        tempo = find_tempo(audio, told)
        songs.append({"song": file.name, **tempo.as_json()})
        if best is None or tempo.sure > best[0].sure:
            best = tempo, audio
    assert best is not None, "find_audio gives at least one file"
    tempo, audio = best
    write_json(folder / "tempo_1.json", {"bpm": tempo.bpm, "said": tempo.said, "songs": songs})
    draw_tempo(folder / PICTURE, audio, tempo)
    return tempo


def draw_tempo(path: str | os.PathLike[str], audio: Audio, tempo: Tempo) -> None:
    """Draw the curve of beginnings, a line for each beat and a strong one where a bar begins."""
    curve = hear(audio).sum(1)
    seconds = np.arange(len(curve)) / FRAMES_A_SECOND
    start_s = tempo.beats_s[0] if len(tempo.beats_s) else 0.0
    with picture(path, title=f"{audio.label}: {tempo.said}", x="seconds", y="flux", inches=(11.0, 2.8)) as axes:
        axes.fill_between(seconds, 0, curve, color=INK, alpha=0.5, linewidth=0)
        for lines_s, width in ((tempo.beats_s, 0.8), (tempo.downbeats_s, 2.2)):
            axes.vlines(lines_s, 0, curve.max() or 1.0, color=COLOURS[1], linewidth=width)
        axes.set_xlim(max(0.0, start_s - 0.5), max(0.0, start_s - 0.5) + min(SHOWN_S, audio.seconds))


def _odds(found: list[Reading], first_hit: int) -> Curve:
    """How likely each tempo with each beginning of the bar is: float64[tempi, 16], 1 in all."""
    score = np.stack([reading.bars @ _weights() for reading in found])
    odds = np.exp(score - score.max())
    for row, reading in zip(odds, found, strict=True):
        step = round(4 * float(np.interp(first_hit, reading.beats, np.arange(len(reading.beats)))))
        row[step % STEPS] *= FIRST_HIT_ODDS
    return odds / odds.sum()


@lru_cache(maxsize=1)
def _weights() -> Curve:
    """Of a bar's sixteen steps in three bands, then of what speaks for the tempo."""
    told = read_json(WEIGHTS)
    return np.concatenate([np.ravel(list(told["bar"].values()), order="F"), list(told["tempo"].values())])


def _seconds(frames: Curve, reading: Reading, heard: NDArray[np.int64]) -> NDArray[np.float64]:
    """Turn frames into seconds; none lies more than half a beat before the first hit or a beat after the last."""
    beat = 60 * FRAMES_A_SECOND / reading.bpm
    kept = frames[(frames >= heard[0] - beat / 2) & (frames <= heard[-1] + beat)]
    return np.maximum(0.0, kept / FRAMES_A_SECOND - LATE_S)
