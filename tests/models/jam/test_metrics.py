"""What is counted of a line is what one counts by hand."""

from dataclasses import replace

import numpy as np
import pytest

from models.jam.metrics import dead_air, divergence, grid_error_ms, lateness_ms, measure, repetition, silences, swing
from models.jam.roles import RoleSample
from models.music.chords import Chord
from models.music.notes import Take, as_notes

BAR = 3840
C_MAJOR = ((0.0, Chord(0, "major")),)


def take(rows, tempo_bpm=120.0, meter=(4, 4)) -> Take:
    return Take(as_notes(rows), tempo_bpm, meter)


def sample(lead: Take, chords=C_MAJOR) -> RoleSample:
    band = take([(48, 60, 0, 480)], lead.tempo_bpm, lead.meter)
    return RoleSample("a", "tune", "swing", "test", 0, chords, band, lead)


def test_dead_air_is_the_share_of_intervals_of_180_ms_and_more():
    assert dead_air([0.0, 0.1, 0.25, 0.46]) == pytest.approx(1 / 3)
    assert dead_air([0.0, 0.180]) == 1.0
    assert dead_air([0, 0, 0, 0.5]) == pytest.approx(1 / 3)
    assert np.isnan(dead_air([1.0]))


def test_dead_air_follows_the_tempo_and_silence_does_not_count_what_sounds():
    eighths = [(60, 90, 480 * i, 470) for i in range(8)]
    slow, fast = (measure(take(eighths, bpm), sample(take(eighths, bpm))).figures for bpm in (100, 200))
    assert (slow["dead_air"], fast["dead_air"]) == (1.0, 0.0)
    assert slow["silence"] == fast["silence"] == 0.0


def test_silence_is_what_no_note_covers_edges_too_in_gaps_of_180_ms():
    begins, ends = np.array([0.5, 1.0, 2.0]), np.array([1.5, 1.2, 2.5])
    assert silences(begins, ends, 4.0) == (pytest.approx(0.5 + 0.5 + 1.5), 3)
    assert silences(np.array([0.1]), np.array([3.9]), 4.0) == (0.0, 0)
    assert silences(np.array([]), np.array([]), 4.0) == (4.0, 1)
    assert silences(np.array([0.0]), np.array([9.0]), 4.0) == (0.0, 0)


def test_chord_tones_are_counted_on_strong_beats_and_everywhere_and_nowhere_without_a_chord():
    line = take(
        [(60, 90, 0, 400), (61, 90, 480, 400), (62, 90, 1920, 400), (64, 90, BAR, 400), (65, 90, BAR + 1920, 400)]
    )
    figures = measure(line, sample(line, ((0.0, Chord(0, "major")), (6.0, None)))).figures
    assert figures["chord_tones"] == pytest.approx(2 / 4)
    assert figures["chord_tones_strong"] == pytest.approx(2 / 3)


def test_a_note_a_little_late_or_early_still_belongs_to_its_beat():
    line = take([(60, 90, 80, 400), (65, 90, BAR - 80, 400)])
    figures = measure(line, sample(line, ((0.0, Chord(0, "major")), (4.0, Chord(5, "major"))))).figures
    assert figures["chord_tones_strong"] == 1.0


def test_what_is_played_again_counts_and_what_is_new_does_not():
    assert repetition(np.array([60, 62, 64, 65] * 2)) == pytest.approx(1 / 5)
    assert repetition(np.arange(20)) == 0.0
    assert repetition(np.full(20, 60)) == pytest.approx(16 / 17)
    assert np.isnan(repetition(np.array([60, 62])))


def test_swing_is_long_to_short():
    triplets = np.sort(np.concatenate([np.arange(8) * 960, np.arange(8) * 960 + 640]))
    assert swing(triplets) == pytest.approx(2.0)
    assert swing(np.arange(16) * 480) == pytest.approx(1.0)
    assert np.isnan(swing(np.arange(4) * 960))


def test_a_soloist_who_lays_back_is_late_by_so_many_milliseconds():
    line = take([(60, 90, 960 * i + 19, 400) for i in range(8)], 120.0)
    assert lateness_ms(line).mean() == pytest.approx(19 / 960 * 500)


def test_what_is_on_the_grid_is_not_moved_by_it_and_else_by_at_most_half_a_place():
    assert grid_error_ms(take([(60, 90, 40 * i, 40) for i in range(50)])).max() == 0.0
    onsets = np.random.default_rng(0).integers(0, 40_000, 300)
    line = take(np.stack([np.full(300, 60), np.full(300, 90), onsets, np.full(300, 40)], axis=1), 120.0)
    assert 0 < grid_error_ms(line).max() <= 20 / 960 * 500 + 1e-9


def test_divergence_is_nothing_of_oneself_one_of_a_stranger_and_the_same_both_ways():
    a, b = np.array([3.0, 1.0, 0.0]), np.array([0.0, 1.0, 3.0])
    assert divergence(a, 5 * a) == pytest.approx(0.0)
    assert divergence(np.array([1.0, 0]), np.array([0, 2.0])) == pytest.approx(1.0)
    assert divergence(a, b) == pytest.approx(divergence(b, a))
    assert np.isnan(divergence(a, np.zeros(3)))


def test_an_empty_line_is_all_silence_and_has_no_tones():
    band = take([(48, 60, 0, 480)])
    nothing = replace(sample(band), lead=take([]))
    figures = measure(take([]), nothing).figures
    assert figures["silence"] == 1.0
    assert figures["density"] == 0.0
    assert np.isnan(figures["chord_tones"])
