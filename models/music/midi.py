"""MIDI files in and out.

take = read_midi("groove.mid")                     # one tempo, one meter: what a groove or a phrase is
write_midi("out.mid", take, drums=True)
write_parts("song.mid", {"Lead": lead, "Comping": comping}, markers=[(0, "Am7"), (3840, "D7")])     # a track a part
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.music.errors import BadMidi
from models.music.files import whole_file
from models.music.notes import DURATION, TICKS_PER_QUARTER, VELOCITY, Take, as_notes

MIDI_SUFFIXES = frozenset({".mid", ".midi"})
MAX_BYTES = 16 * 2**20
DRUM_CHANNEL = 9


def read_score(path: str | os.PathLike[str]) -> Any:
    """Read a MIDI file as a symusic.Score in its own ticks, or say in a sentence why not."""
    import symusic

    path, size = _small_file(path)
    try:
        score: Any = symusic.Score(path, fmt="midi")
    except (RuntimeError, ValueError, OverflowError, MemoryError) as error:
        raise _unreadable(path, size) from error
    _check_division(path, score.ticks_per_quarter)
    return score


def read_midi(path: str | os.PathLike[str], *, drums: bool = False) -> Take:
    """Read every note of a file as one take, at its first tempo and meter (120 bpm, 4/4 when it names none).

    For drums, a file that has a drum channel gives that one alone; a file without one is taken for drums as it is.
    """
    import mido
    from mido.midifiles.meta import KeySignatureError

    path, size = _small_file(path)
    try:
        file = mido.MidiFile(path, clip=True)
    except (OSError, EOFError, ValueError, KeyError, IndexError, KeySignatureError) as error:
        raise _unreadable(path, size) from error
    _check_division(path, file.ticks_per_beat)
    signed, paced = _first(file.tracks, "time_signature"), _first(file.tracks, "set_tempo")
    meter = (signed.numerator, signed.denominator) if signed else (4, 4)
    tempo_bpm = 60e6 / max(1, paced.tempo) if paced else 120.0
    scale = TICKS_PER_QUARTER / file.ticks_per_beat
    notes = _notes(file.tracks, scale, max(1, TICKS_PER_QUARTER * 4 * meter[0] // max(1, meter[1])))
    only = [note for channel, note in notes if channel == DRUM_CHANNEL] if drums else []
    rows = only or [note for _, note in notes]
    if not rows:
        raise BadMidi(f"{path.name}: 0 notes, need 1. Export it again, or leave it out.")
    return Take(np.array(rows), round(tempo_bpm, 4), meter, path.name)


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


def write_parts(
    path: str | os.PathLike[str], parts: Mapping[str, Take], markers: Sequence[tuple[int, str]] = ()
) -> Path:
    """Write parts of one tempo and meter as a track each at 960 ticks per quarter; markers carry words with their ticks."""
    import symusic

    score: Any = symusic.Score(TICKS_PER_QUARTER)
    first = next(iter(parts.values()))
    score.tempos.append(symusic.Tempo(0, qpm=first.tempo_bpm))
    score.time_signatures.append(symusic.TimeSignature(0, *first.meter))
    for tick, text in markers:
        score.markers.append(symusic.TextMeta(tick, text))
    for name, take in parts.items():
        pitch, velocity, onset, duration = np.array(take.notes.T, order="C")
        track: Any = symusic.Track(name, 0, False)
        track.notes = symusic.Note.from_numpy(onset, duration, pitch.astype(np.int8), velocity.astype(np.int8))
        score.tracks.append(track)
    with whole_file(path) as part:
        score.dump_midi(part)
    return Path(path)


def notes_of_track(track: Any) -> NDArray[np.int32]:
    """The notes of a symusic track in its score's ticks, as as_notes has them; those that last no tick are dropped."""
    columns = track.notes.numpy()
    rows = np.stack([columns[name] for name in ("pitch", "velocity", "time", "duration")], axis=1)
    return as_notes(rows[(rows[:, DURATION] > 0) & (rows[:, VELOCITY] > 0)])


def read_texts(path: str | os.PathLike[str]) -> list[str]:
    """Read the text events of a MIDI file that read_midi has accepted, in order of track and time."""
    import mido

    tracks = mido.MidiFile(path, clip=True).tracks
    return [message.text for track in tracks for message in track if message.type == "text"]


def _small_file(path: str | os.PathLike[str]) -> tuple[Path, int]:
    path = Path(path)
    if not path.is_file():
        raise BadMidi(f"{path}: no such file. Check the path.")
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise BadMidi(f"{path.name}: {size} bytes; a MIDI file here has at most {MAX_BYTES}. Cut it into parts.")
    return path, size


def _unreadable(path: Path, size: int) -> BadMidi:
    return BadMidi(f"{path.name}: not readable as MIDI ({size} bytes). Export it again, or leave it out.")


def _check_division(path: Path, ticks_per_quarter: int) -> None:
    if ticks_per_quarter < 1:
        raise BadMidi(f"{path.name}: {ticks_per_quarter} ticks per quarter; at least 1 is needed. Export it again.")


def _first(tracks: Sequence[Any], kind: str) -> Any:
    """Find the earliest message of a kind in all tracks, or None."""
    found = []
    for track in tracks:
        now = 0
        for message in track:
            now += message.time
            if message.type == kind:
                found.append((now, message))
                break
    return min(found, key=lambda each: each[0])[1] if found else None


def _notes(tracks: Sequence[Any], scale: float, ticks_per_bar: int) -> list[tuple[int, tuple[int, int, int, int]]]:
    """Pair beginnings with ends, first with first: (channel, note). What never ends is closed at the end of its bar."""
    notes = []
    for track in tracks:
        now, begun = 0, {}
        for message in track:
            now += message.time
            if message.type == "note_on" and message.velocity > 0:
                begun.setdefault((message.channel, message.note), []).append((now, message.velocity))
            elif message.type in ("note_on", "note_off") and begun.get((message.channel, message.note)):
                start, velocity = begun[message.channel, message.note].pop(0)
                if now > start:
                    lasts = max(1, round((now - start) * scale))
                    notes.append((message.channel, (message.note, velocity, round(start * scale), lasts)))
        for (channel, pitch), starts in begun.items():
            for start, velocity in starts:
                onset = round(start * scale)
                notes.append((channel, (pitch, velocity, onset, ticks_per_bar - onset % ticks_per_bar)))
    return notes


def find_midi(path: str | os.PathLike[str]) -> list[Path]:
    """List the MIDI files at a path: the file itself, or every one below a folder, in order of name."""
    path = Path(path)
    if path.is_file():
        return [path]
    found = sorted(f for f in path.rglob("*") if f.is_file() and f.suffix.lower() in MIDI_SUFFIXES)
    if not found:
        raise BadMidi(f"{path}: no MIDI in it; give a folder or an archive that holds .mid files.")
    return found
