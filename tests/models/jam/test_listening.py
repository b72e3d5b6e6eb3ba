"""Any MIDI file is parted into a lead and its band, or left out with a reason."""

import numpy as np
import pytest

from models.jam.listening import LeftOut, Wishes, has_pulse, hear
from models.jam.parts import apart, split_pitch, top_voice
from models.music.errors import BadConfig
from models.music.midi import write_midi, write_parts
from models.music.notes import DURATION, ONSET, PITCH, Take, as_notes

TUNE = [(72 + step, 90, 480 * i, 400) for i, step in enumerate((0, 2, 4, 5, 7, 5, 4, 2) * 4)]
BAND = [(48 + tone, 60, 3840 * bar, 3800) for bar in range(4) for tone in (0, 4, 7)]


def take(rows, tempo_bpm=120.0, meter=(4, 4)) -> Take:
    return Take(as_notes(rows), tempo_bpm, meter)


def sounds(header: bytes, *tracks: bytes) -> bytes:
    return header + b"".join(b"MTrk" + len(track).to_bytes(4) + track for track in tracks)


def head(tracks: int = 1, ticks_per_quarter: int = 480) -> bytes:
    return b"MThd" + (6).to_bytes(4) + (1).to_bytes(2) + tracks.to_bytes(2) + ticks_per_quarter.to_bytes(2)


END = b"\x00\xff\x2f\x00"
PLAYED = b"".join(bytes([0, 0x90, pitch, 90, 0x78, 0x80, pitch, 0]) for pitch in (72, 48, 74, 52, 76, 55, 77, 48) * 8)
DRUMMED = PLAYED.replace(b"\x00\x90", b"\x00\x99").replace(b"\x78\x80", b"\x78\x89")


def tempo(microseconds: int) -> bytes:
    return b"\x00\xff\x51\x03" + microseconds.to_bytes(3)


def many_notes() -> bytes:
    return bytes([0, 0x90, 72, 90, 10, 0x80, 72, 0]) * 100_000


BROKEN = {
    "empty.mid": (b"", "empty file"),
    "text.mid": (b"la la la", "not readable"),
    "cut.mid": (sounds(head(), PLAYED + END)[:120], "not readable|no notes|short lead"),
    "silent.mid": (sounds(head(), END), "no notes"),
    "drums.mid": (sounds(head(), DRUMMED + END), "drums only"),
    "no_ticks.mid": (sounds(head(ticks_per_quarter=0), PLAYED + END), "not readable"),
    "tempo_0.mid": (sounds(head(), tempo(0) + PLAYED + END), "tempo"),
    "tempo_1000.mid": (sounds(head(), tempo(60_000) + PLAYED + END), "tempo"),
    "endless.mid": (sounds(head(), many_notes() + END), "too many notes"),
    "far.mid": (
        sounds(head(ticks_per_quarter=1), PLAYED + b"\xff\xff\xff\x7f\x90\x48\x40\x01\x80\x48\x00" + END),
        "too long",
    ),
    "five_four.mid": (sounds(head(), b"\x00\xff\x58\x04\x05\x02\x18\x08" + PLAYED + END), "long bars"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_makes_no_sample_is_left_out_with_a_reason_and_one_line(tmp_path, name):
    data, reason = BROKEN[name]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(LeftOut) as caught:
        hear(tmp_path / name, Wishes())
    assert caught.value.reason in reason.split("|")
    assert str(caught.value).startswith(name)
    assert "\n" not in str(caught.value)


def test_the_same_bytes_unbroken_are_heard(tmp_path):
    (tmp_path / "good.mid").write_bytes(sounds(head(), PLAYED + END))
    sample = hear(tmp_path / "good.mid", Wishes())
    assert sample.tempo_bpm == 120
    assert len(sample.lead) == len(sample.conditioning) == 32


def test_a_piece_in_seven_eight_keeps_its_bars(tmp_path):
    write_parts(tmp_path / "seven.mid", {"Lead": take(TUNE, meter=(7, 8)), "Piano": take(BAND, meter=(7, 8))})
    sample = hear(tmp_path / "seven.mid", Wishes())
    assert sample.meter == (7, 8)
    assert sample.quarters_per_bar == 3.5
    assert sample.lead.notes[:, ONSET].tolist() == [row[2] for row in TUNE]


def test_a_track_with_a_name_is_the_lead_whatever_its_pitch(tmp_path):
    low = [(pitch - 30, *rest) for pitch, *rest in TUNE]
    write_parts(tmp_path / "named.mid", {"Solo": take(low), "Piano": take(BAND)}, [(0, "Cmaj7"), (3840, "Am7")])
    sample = hear(tmp_path / "named.mid", Wishes())
    assert sample.lead.notes[:, PITCH].max() < 52
    assert [(at, str(chord)) for at, chord in sample.chords] == [(0.0, "Cmaj7"), (4.0, "Am7")]


def test_one_track_is_parted_at_the_pitch_that_divides_it_best(tmp_path):
    write_midi(tmp_path / "piano.mid", take(TUNE + BAND))
    sample = hear(tmp_path / "piano.mid", Wishes())
    assert sample.lead.notes[:, PITCH].min() == 72
    assert sample.conditioning.notes[:, PITCH].max() == 55
    assert 56 <= split_pitch(as_notes(TUNE + BAND)) <= 72
    higher = hear(tmp_path / "piano.mid", Wishes(split_pitch=74))
    assert higher.lead.notes[:, PITCH].min() == 74


def test_all_above_the_split_is_the_leads_where_one_voice_is_not_wanted(tmp_path):
    thirds = [(pitch - 4, *rest) for pitch, *rest in TUNE]
    write_midi(tmp_path / "thirds.mid", take(TUNE + thirds + BAND))
    assert len(hear(tmp_path / "thirds.mid", Wishes()).lead) == 32
    assert len(hear(tmp_path / "thirds.mid", Wishes(one_voice=False)).lead) == 64


def test_bars_before_and_after_the_lead_are_cut_and_chords_with_them(tmp_path):
    late = [(pitch, velocity, onset + 2 * 3840, length) for pitch, velocity, onset, length in TUNE]
    band = [(48 + tone, 60, 3840 * bar, 3800) for bar in range(9) for tone in (0, 4, 7)]
    write_parts(tmp_path / "late.mid", {"Lead": take(late), "Piano": take(band)}, [(0, "C"), (4 * 3840, "F")])
    sample = hear(tmp_path / "late.mid", Wishes())
    assert sample.lead.notes[0, ONSET] == 0
    assert sample.bars == 4
    assert [(at, str(chord)) for at, chord in sample.chords] == [(0.0, "C"), (8.0, "F")]


def test_a_table_of_chords_beside_the_file_is_believed(tmp_path):
    write_parts(tmp_path / "song.mid", {"MELODY": take(TUNE), "PIANO": take(BAND)})
    (tmp_path / "song_chord.txt").write_text("0.02\t2.0\tA:min7/b3\n2.0\t4.0\tN\n4.01\t8\tD:7\n")
    chords = hear(tmp_path / "song.mid", Wishes()).chords
    assert [(at, chord and str(chord)) for at, chord in chords] == [(0.0, "Am7"), (4.0, None), (8.0, "D7")]
    (tmp_path / "song_chord.txt").write_text("0.02\t2.0\tH:min7\n")
    with pytest.raises(LeftOut, match=r"song_chord\.txt, line 1"):
        hear(tmp_path / "song.mid", Wishes())


def test_a_solo_without_a_band_is_left_out(tmp_path):
    write_midi(tmp_path / "alone.mid", take(TUNE))
    with pytest.raises(LeftOut, match=r"alone\.mid"):
        hear(tmp_path / "alone.mid", Wishes(split_pitch=60))


def test_what_is_strewn_at_random_has_no_pulse_and_swing_has_one():
    dice = np.random.default_rng(1)
    assert not has_pulse(dice.integers(0, 960 * 400, 800))
    eighths = np.arange(400) * 960 + np.tile([0, 600 - 960], 200)
    assert has_pulse(eighths + dice.normal(0, 40, 400))


def test_the_top_voice_leaves_what_sounds_under_a_held_note():
    notes = as_notes(
        [(76, 90, 0, 1900), (67, 80, 0, 400), (69, 80, 480, 400), (74, 90, 1920, 400), (60, 80, 1925, 400)]
    )
    assert notes[top_voice(notes), PITCH].tolist() == [76, 74]


def test_a_pitch_struck_again_ends_what_sounded():
    table = apart(as_notes([(60, 90, 0, 2000), (60, 90, 960, 500), (60, 100, 960, 300), (62, 90, 970, 500)]))
    assert table[:, [PITCH, ONSET, DURATION]].tolist() == [[60, 0, 960], [60, 960, 300], [62, 970, 500]]


@pytest.mark.parametrize("wrong", [{"split_pitch": 128}, {"min_notes": 1}])
def test_wishes_that_cannot_be_are_refused(wrong):
    with pytest.raises(BadConfig, match=next(iter(wrong))):
        Wishes(**wrong)


def test_a_pickup_does_not_move_the_bars_away_from_the_chords(tmp_path):
    late = [(pitch, velocity, onset + 960, length) for pitch, velocity, onset, length in TUNE]
    band = [(pitch, velocity, onset + 960, length) for pitch, velocity, onset, length in BAND]
    marks = [(960 + 3840 * bar, name) for bar, name in enumerate(("C", "Am", "F", "G"))]
    write_parts(tmp_path / "pickup.mid", {"Lead": take([(67, 80, 480, 400), *late]), "Piano": take(band)}, marks)
    sample = hear(tmp_path / "pickup.mid", Wishes())
    assert [at for at, _ in sample.chords] == [4.0, 8.0, 12.0, 16.0]
    assert sample.lead.notes[:2, ONSET].tolist() == [3840 - 480, 3840]


def test_bars_of_one_quarter_are_taken_four_by_four_from_where_chords_change(tmp_path):
    late = [(pitch, velocity, onset + 2 * 960, length) for pitch, velocity, onset, length in TUNE]
    band = [
        (root + tone, 60, (4 * bar + 2) * 960, 3800) for bar, root in enumerate((48, 53, 55, 48)) for tone in (0, 4, 7)
    ]
    write_parts(tmp_path / "unbarred.mid", {"Lead": take(late, meter=(1, 4)), "Piano": take(band, meter=(1, 4))})
    sample = hear(tmp_path / "unbarred.mid", Wishes())
    assert sample.meter == (4, 4)
    assert sample.lead.notes[0, ONSET] == 0
    assert [(at, str(chord)) for at, chord in sample.chords] == [(0.0, "C"), (4.0, "F"), (8.0, "G"), (12.0, "C")]


def test_letters_far_apart_are_sections_and_close_together_chords(tmp_path):
    long = [
        (pitch, velocity, onset + 15360 * again, length)
        for again in range(4)
        for pitch, velocity, onset, length in TUNE
    ]
    band = [
        (pitch, velocity, onset + 15360 * again, length)
        for again in range(4)
        for pitch, velocity, onset, length in BAND
    ]
    parts = {"Lead": take(long), "Piano": take(band)}
    write_parts(tmp_path / "sections.mid", parts, [(0, "A"), (30720, "B")])
    assert {str(chord) for _, chord in hear(tmp_path / "sections.mid", Wishes()).chords} == {"C"}
    write_parts(tmp_path / "chords.mid", parts, [(3840 * bar, "AF"[bar % 2]) for bar in range(16)])
    assert {str(chord) for _, chord in hear(tmp_path / "chords.mid", Wishes()).chords} == {"A", "F"}
