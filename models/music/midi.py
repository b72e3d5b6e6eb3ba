"""MIDI files in and out.

take = read_midi("groove.mid")                     # one tempo, one meter: what a groove or a phrase is
write_midi("out.mid", take, drums=True)
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.music.errors import BadMidi
from models.music.files import whole_file
from models.music.notes import TICKS_PER_QUARTER, Take

MIDI_SUFFIXES = frozenset({".mid", ".midi"})
MAX_BYTES = 16 * 2**20
DRUM_CHANNEL = 9


def read_score(path: str | os.PathLike[str]) -> Any:
    """Read a MIDI file as a symusic.Score in its own ticks, or say in a sentence why not. Zero-length notes are dropped."""
    import symusic

    path = Path(path)
    if not path.is_file():
        raise BadMidi(f"{path}: no such file. Check the path.")
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise BadMidi(f"{path.name}: {size} bytes; a MIDI file here has at most {MAX_BYTES}. Cut it into parts.")
    try:
        score: Any = symusic.Score(path, fmt="midi")
    except (RuntimeError, ValueError, OverflowError, MemoryError) as error:
        raise BadMidi(f"{path.name}: not readable as MIDI ({size} bytes). Export it again, or leave it out.") from error
    if score.ticks_per_quarter < 1:
        raise BadMidi(
            f"{path.name}: {score.ticks_per_quarter} ticks per quarter; at least 1 is needed. Export it again."
        )
    return score


def read_midi(path: str | os.PathLike[str], *, drums: bool = False) -> Take:
    """Read every note of a file as one take, at its first tempo and meter (120 bpm, 4/4 when it names none).

    For drums, a file that has a drum channel gives that one alone; a file without one is taken for drums as it is.
    """
    path = Path(path)
    score = read_score(path)
    scale = TICKS_PER_QUARTER / score.ticks_per_quarter
    only = [track for track in score.tracks if track.is_drum and len(track.notes)] if drums else []
    rows = [
        (note.pitch, note.velocity, round(note.time * scale), max(1, round(note.duration * scale)))
        for track in (only or score.tracks)
        for note in track.notes
        if note.duration > 0 and note.velocity > 0
    ]
    meters = score.time_signatures
    meter = (meters[0].numerator, meters[0].denominator) if len(meters) else (4, 4)
    rows += _hanging_notes(path, scale, TICKS_PER_QUARTER * 4 * meter[0] // max(1, meter[1]), drums=bool(only))
    if not rows:
        raise BadMidi(f"{path.name}: 0 notes, need 1. Export it again, or leave it out.")
    tempo_bpm = score.tempos[0].qpm if len(score.tempos) else 120.0
    return Take(np.array(rows), round(float(tempo_bpm), 4), meter, path.name)


def write_midi(
    path: str | os.PathLike[str],
    take: Take,
    *,
    drums: bool = False,
    program: int = 0,
    texts: Sequence[tuple[int, str]] = (),
) -> Path:
    """Write a take as a one-track MIDI file at 960 ticks per quarter, on channel 10 when drums.

    Texts, each with its tick, carry what notes cannot; players and instruments skip them.
    """
    import mido

    channel = DRUM_CHANNEL if drums else 0
    events: list[tuple[int, int, Any]] = [(tick, -1, mido.MetaMessage("text", text=text)) for tick, text in texts]
    for pitch, velocity, onset, duration in take.notes.tolist():
        events.append((onset, 1, mido.Message("note_on", channel=channel, note=pitch, velocity=velocity)))
        events.append((onset + duration, 0, mido.Message("note_off", channel=channel, note=pitch, velocity=0)))
    events.sort(key=lambda event: event[:2])  # a note ends before the next one of its pitch begins
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(take.tempo_bpm))])
    track.append(mido.MetaMessage("time_signature", numerator=take.meter[0], denominator=take.meter[1]))
    track.append(mido.Message("program_change", channel=channel, program=program))
    now = 0
    for tick, _, message in events:
        track.append(message.copy(time=tick - now))
        now = tick
    file = mido.MidiFile(ticks_per_beat=TICKS_PER_QUARTER)
    file.tracks.append(track)
    with whole_file(path) as part:
        file.save(part)
    return Path(path)


def read_texts(path: str | os.PathLike[str]) -> list[str]:
    """Read the text events of a MIDI file that read_midi has accepted, in order of track and time."""
    import mido

    tracks = mido.MidiFile(path, clip=True).tracks
    return [message.text for track in tracks for message in track if message.type == "text"]


def _hanging_notes(path: Path, scale: float, ticks_per_bar: int, drums: bool) -> list[tuple[int, int, int, int]]:
    """Close the notes that a file begins and never ends, which symusic leaves out, at the end of their bar."""
    import mido

    try:
        tracks = mido.MidiFile(path, clip=True).tracks
    except (OSError, EOFError, ValueError, KeyError, IndexError) as error:
        raise BadMidi(f"{path.name}: not readable as MIDI ({error or 'it is cut off'}). Export it again.") from error
    hanging = []
    for track in tracks:
        now, begun = 0, {}
        for message in track:
            now += message.time
            if message.type == "note_on" and message.velocity > 0:
                begun.setdefault((message.channel, message.note), []).append((now, message.velocity))
            elif message.type in ("note_on", "note_off") and begun.get((message.channel, message.note)):
                begun[message.channel, message.note].pop(0)
        for (channel, pitch), starts in begun.items():
            if drums and channel != DRUM_CHANNEL:
                continue
            for start, velocity in starts:
                onset = round(start * scale)
                hanging.append((pitch, velocity, onset, ticks_per_bar - onset % ticks_per_bar))
    return hanging


def find_midi(path: str | os.PathLike[str]) -> list[Path]:
    """List the MIDI files at a path: the file itself, or every one below a folder, in order of name."""
    path = Path(path)
    if path.is_file():
        return [path]
    found = sorted(f for f in path.rglob("*") if f.is_file() and f.suffix.lower() in MIDI_SUFFIXES)
    if not found:
        raise BadMidi(f"{path}: no MIDI here; give a folder that holds .mid files.")
    return found
