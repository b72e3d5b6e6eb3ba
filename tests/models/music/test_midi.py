import numpy as np
import pytest

from models.music.errors import BadMidi
from models.music.grid import Grid
from models.music.midi import read_midi, write_midi
from models.music.notes import ONSET, Take, as_notes, ticks_from_seconds

BEAT = Take(np.array([(36, 100, 0, 240), (42, 61, 7, 120), (38, 90, 961, 240), (36, 1, 3839, 10)]), 97.5, (4, 4))


def test_a_take_survives_the_file_to_the_tick(tmp_path):
    read = read_midi(write_midi(tmp_path / "beat.mid", BEAT, drums=True))
    np.testing.assert_array_equal(read.notes, BEAT.notes)
    assert (read.meter, read.tempo_bpm) == (BEAT.meter, pytest.approx(97.5, abs=1e-3))


def test_a_repeated_note_ends_before_it_begins_again(tmp_path):
    roll = Take(np.array([(38, 90, 0, 240), (38, 80, 240, 240)]))
    np.testing.assert_array_equal(read_midi(write_midi(tmp_path / "roll.mid", roll)).notes, roll.notes)


def test_notes_are_sorted_and_checked():
    assert as_notes([(40, 1, 9, 1), (30, 1, 2, 1)])[:, ONSET].tolist() == [2, 9]
    with pytest.raises(BadMidi, match=r"velocity is 200; give 1 to 127"):
        as_notes([(40, 200, 0, 1)])


def test_seconds_and_ticks_agree():
    assert ticks_from_seconds(BEAT.seconds([0, 480, 961]), BEAT.tempo_bpm).tolist() == [0, 480, 961]


def test_halfway_between_two_steps_belongs_to_the_later_one():
    grid = Grid(120, 2)
    assert grid.nearest_step([119, 120, 3840]).tolist() == [0, 1, 16]
    assert (grid.tick_of(1, 4), grid.bar_seconds) == (4800, 2.0)


def test_of_a_whole_song_only_its_drums_are_a_groove(tmp_path):
    import mido

    song = mido.MidiFile(ticks_per_beat=960)
    for channel, pitch in ((0, 36), (9, 38)):
        on, off = (
            mido.Message(kind, channel=channel, note=pitch, time=t) for kind, t in (("note_on", 0), ("note_off", 240))
        )
        song.tracks.append(mido.MidiTrack([on.copy(velocity=90), off]))
    song.save(tmp_path / "song.mid")
    assert read_midi(tmp_path / "song.mid", drums=True).notes[:, 0].tolist() == [38]
    assert read_midi(tmp_path / "song.mid").notes[:, 0].tolist() == [36, 38]


def test_a_file_is_parsed_once(tmp_path, monkeypatch):
    import sys

    import mido

    path, parsed = write_midi(tmp_path / "beat.mid", BEAT), []

    class Counted(mido.MidiFile):
        def __init__(self, *told, **named):
            parsed.append(told)
            super().__init__(*told, **named)

    monkeypatch.setattr(mido, "MidiFile", Counted)
    monkeypatch.setitem(sys.modules, "symusic", None)  # importing it would fail
    read_midi(path)
    assert len(parsed) == 1


def test_the_earliest_tempo_of_all_tracks_counts(tmp_path):
    import mido

    file = mido.MidiFile(ticks_per_beat=480)
    for wait, bpm in ((240, 90), (0, 130)):
        notes = [mido.Message("note_on", note=36, velocity=90), mido.Message("note_off", note=36, time=240)]
        file.tracks.append(
            mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(bpm), time=wait), *notes])
        )
    file.save(tmp_path / "two.mid")
    assert read_midi(tmp_path / "two.mid").tempo_bpm == pytest.approx(130, abs=1e-3)
