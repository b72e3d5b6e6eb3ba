"""What was played, as a MIDI file of two tracks: the musician's and the soloist's.

two_tracks(tape, bars=8).save("take.mid")      # tape as the desk gives it
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import mido

from realtime_client.messages import TICKS_PER_QUARTER


def last_bars(tape: dict[str, Any], bars: int) -> dict[str, Any]:
    """Cut a tape to the bars that end with the solo's last note."""
    bar = tape["beats_a_bar"] * TICKS_PER_QUARTER
    origin = tape["bar_origin"] % bar
    notes = [*tape["solo"], *tape["player"]]
    last = max((onset for _, _, onset, _ in (tape["solo"] or notes)), default=0)
    first = max(0, ((last - origin) // bar + 1 - bars) * bar + origin)
    names = [tuple(chord) for chord in tape["chords"] if chord[0] <= last]
    standing = max((ticks for ticks, _ in names if ticks <= first), default=first)
    return tape | {
        "first_ticks": first,
        "chords": [(max(ticks, first), symbol) for ticks, symbol in names if ticks >= standing],
        **{
            who: sorted((tuple(n) for n in tape[who] if n[2] >= first), key=lambda n: n[2])
            for who in ("solo", "player")
        },
    }


def two_tracks(tape: dict[str, Any], bars: int) -> mido.MidiFile:
    """Write the last bars; the first of them is the file's beginning, and chords are its markers."""
    cut = last_bars(tape, bars)
    first = cut["first_ticks"]
    file = mido.MidiFile(ticks_per_beat=TICKS_PER_QUARTER)
    head = [
        (0, mido.MetaMessage("track_name", name="You")),
        (0, mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(tape["tempo_bpm"]))),
        (0, mido.MetaMessage("time_signature", numerator=tape["beats_a_bar"], denominator=4)),
        *((ticks - first, mido.MetaMessage("marker", text=symbol)) for ticks, symbol in cut["chords"]),
    ]
    file.tracks.append(_track([*head, *_messages(cut["player"], first)]))
    file.tracks.append(_track([(0, mido.MetaMessage("track_name", name="Jamflow")), *_messages(cut["solo"], first)]))
    return file


def _messages(notes: Iterable[tuple[int, int, int, int]], first: int) -> Iterable[tuple[int, mido.Message]]:
    for pitch, velocity, onset, duration in notes:
        yield onset - first, mido.Message("note_on", note=pitch, velocity=velocity)
        yield onset - first + duration, mido.Message("note_off", note=pitch)


def _track(timed: list[tuple[int, Any]]) -> mido.MidiTrack:
    track, last = mido.MidiTrack(), 0
    for ticks, message in sorted(timed, key=lambda one: (one[0], one[1].type != "note_off" and not one[1].is_meta)):
        track.append(message.copy(time=ticks - last))
        last = ticks
    return track
