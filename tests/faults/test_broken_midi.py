"""Fault 4: MIDI files that are empty, cut, silent or impossible each end in one line that names the file."""

from __future__ import annotations

import numpy as np
import pytest

from models.music.errors import BadMidi
from models.music.midi import read_midi, write_midi
from models.music.notes import DURATION, Take


def midi(track: bytes, ticks_per_quarter: int = 480, tracks: int = 1) -> bytes:
    head = b"MThd" + (6).to_bytes(4) + (0).to_bytes(2) + tracks.to_bytes(2) + ticks_per_quarter.to_bytes(2)
    return head + (b"MTrk" + len(track).to_bytes(4) + track) * tracks


END = b"\x00\xff\x2f\x00"
NOTE = b"\x00\x99\x24\x64\x60\x89\x24\x00"
BROKEN = {
    "zero.mid": (b"", "not readable as MIDI"),
    "text.mid": (b"la la la", "not readable as MIDI"),
    "cut.mid": (midi(NOTE * 200 + END)[:100], "not readable as MIDI|0 notes"),
    "no_tracks.mid": (midi(b"", tracks=0), "0 notes, need 1|not readable as MIDI"),
    "silent.mid": (midi(END), "0 notes, need 1"),
    "zero_ticks.mid": (midi(NOTE + END, ticks_per_quarter=0), "0 ticks per quarter|not readable as MIDI"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_midi_file_ends_in_one_line_that_names_it(tmp_path, name):
    data, said = BROKEN[name]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(BadMidi, match=said) as caught:
        read_midi(tmp_path / name)
    message = str(caught.value)
    assert message.startswith(name)
    assert "\n" not in message


def test_a_good_file_built_by_hand_is_read(tmp_path):
    (tmp_path / "good.mid").write_bytes(midi(NOTE + END))
    assert read_midi(tmp_path / "good.mid").notes.tolist() == [[36, 100, 0, 192]]


def test_a_hanging_note_ends_with_its_bar(tmp_path):
    hanging = b"\x00\x99\x24\x64" + b"\x60\x99\x26\x50\x60\x89\x26\x00"
    (tmp_path / "hanging.mid").write_bytes(midi(hanging + END))
    take = read_midi(tmp_path / "hanging.mid")
    assert [36, 100, 0, 3840] in take.notes.tolist()


def test_a_file_that_is_not_there_says_so(tmp_path):
    with pytest.raises(BadMidi, match="no such file"):
        read_midi(tmp_path / "none.mid")


def test_a_note_of_no_length_is_left_out(tmp_path):
    (tmp_path / "flat.mid").write_bytes(midi(NOTE + b"\x00\x99\x26\x64\x00\x89\x26\x00" + END))
    assert len(read_midi(tmp_path / "flat.mid")) == 1


def test_nothing_half_written_is_left_where_a_take_could_not_go(tmp_path):
    (tmp_path / "blocked").touch()
    take = Take(np.array([(36, 100, 0, 240)]))
    assert take.notes[0, DURATION] == 240
    with pytest.raises(Exception, match="not written"):
        write_midi(tmp_path / "blocked" / "out.mid", take)
    assert [f.name for f in tmp_path.iterdir()] == ["blocked"]
