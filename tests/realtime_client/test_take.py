"""What is kept of a take."""

from realtime_client.take import last_bars, two_tracks

BAR = 3840
TAPE = {
    "tempo_bpm": 100.0,
    "beats_a_bar": 4,
    "bar_origin": 0,
    "chords": [(0, "C"), (BAR, "Am7"), (3 * BAR, "F")],
    "solo": [(60 + bar, 90, bar * BAR, 480) for bar in range(4)],
    "player": [(48, 70, 0, BAR), (45, 70, BAR + 2, 2 * BAR), (41, 70, 3 * BAR, BAR)],
}


def test_the_last_bars_begin_with_the_chord_that_stood_there():
    cut = last_bars(TAPE, 2)
    assert cut["first_ticks"] == 2 * BAR
    assert cut["chords"] == [(2 * BAR, "Am7"), (3 * BAR, "F")]
    assert [note[0] for note in cut["solo"]] == [62, 63]


def test_notes_come_in_the_order_in_which_they_were_played():
    falling = TAPE | {"solo": [(70 - bar, 90, bar * BAR, 480) for bar in range(4)]}
    assert last_bars(falling, 4)["solo"] == falling["solo"]


def test_more_bars_than_there_are_are_all_there_are():
    assert last_bars(TAPE, 64)["solo"] == TAPE["solo"]


def test_a_note_that_ends_where_another_of_its_pitch_begins_ends_first():
    again = TAPE | {"solo": [(60, 90, 0, 480), (60, 80, 480, 480)], "player": [], "chords": []}
    _, solo = two_tracks(again, 4).tracks
    assert [(m.type, m.time) for m in solo if not m.is_meta] == [
        ("note_on", 0),
        ("note_off", 480),
        ("note_on", 0),
        ("note_off", 480),
    ]


def test_bars_that_begin_elsewhere_are_cut_where_they_begin():
    shifted = TAPE | {"bar_origin": 7 * BAR + 960, "solo": [(60, 90, 2 * BAR + 960, 480)]}
    assert last_bars(shifted, 1)["first_ticks"] == 2 * BAR + 960
