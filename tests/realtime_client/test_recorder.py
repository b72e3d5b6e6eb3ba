"""A session on disk: letters that come back, numbers that never overwrite, two tracks at the end."""

import mido
import pytest

from models.music.errors import BadInput
from realtime_client.messages import Beat, Harmony, Heard, Played
from realtime_client.recorder import Recorder, letters_of, newest_session, write_midi

LETTERS = [
    Beat(0, 0, 140.0, True, "internal"),
    Harmony(10, 10, 0, "Am7", True, 1),
    Heard(10, (0x90, 57, 80)),
    Played(30, 20, 72, 90, 960, 480, "model", 1),
    Heard(900_000_000, (0x80, 57, 0)),
]


def recorded(folder):
    recorder = Recorder(folder)
    for letter in LETTERS:
        recorder.take(letter)
    recorder.close()
    return recorder.file


def test_letters_come_back_as_they_were(tmp_path):
    assert list(letters_of(recorded(tmp_path))) == LETTERS


def test_every_session_takes_the_next_number(tmp_path):
    assert [recorded(tmp_path).name for _ in range(3)] == [f"session_{n}.jsonl" for n in (1, 2, 3)]
    assert newest_session(tmp_path).name == "session_3.jsonl"


def test_musician_and_soloist_have_a_track_each(tmp_path):
    file = mido.MidiFile(recorded(tmp_path).with_suffix(".mid"))
    pitches = [[m.note for m in track if m.type == "note_on" and m.velocity] for track in file.tracks]
    assert pitches == [[57], [72]]
    assert [m.text for m in file.tracks[0] if m.type == "marker"] == ["Am7"]


def test_a_session_that_was_cut_off_still_becomes_a_midi_file(tmp_path):
    file = recorded(tmp_path)
    file.with_suffix(".mid").unlink()
    file.write_text(file.read_text() + '["Played",1,2,')
    assert list(letters_of(file)) == LETTERS
    assert write_midi(file) == file.with_suffix(".mid")


def test_more_notes_than_the_desk_keeps_are_all_in_the_file(tmp_path):
    recorder = Recorder(tmp_path)
    for n in range(5000):
        recorder.take(Played(n, n, 60, 90, n * 480, 240, "model", 1))
    recorder.close()
    track = mido.MidiFile(recorder.file.with_suffix(".mid")).tracks[1]
    assert sum(m.type == "note_on" and m.velocity > 0 for m in track) == 5000


def test_a_folder_without_sessions_says_how_to_make_one(tmp_path):
    with pytest.raises(BadInput, match="no recorded session"):
        newest_session(tmp_path)
