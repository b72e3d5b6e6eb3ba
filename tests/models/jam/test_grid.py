import numpy as np
import pytest

from models.jam.grid import BAR_LINE, LENGTHS, TICKS_PER_PLACE, VELOCITIES, from_grid, symbols_of, to_grid

BAR = 3840


@pytest.mark.parametrize("ticks_per_bar", [3840, 2880, 3360])
def test_a_note_on_the_grid_survives_it_exactly(ticks_per_bar):
    dice = np.random.default_rng(3)
    at = np.sort(dice.choice(8 * ticks_per_bar // TICKS_PER_PLACE, 200, replace=False)) * TICKS_PER_PLACE
    notes = np.stack(
        [dice.integers(0, 128, 200), dice.choice(VELOCITIES, 200), at, dice.choice(LENGTHS, 200) * TICKS_PER_PLACE], 1
    )
    cells = to_grid(notes, ticks_per_bar)
    assert np.array_equal(from_grid(cells, ticks_per_bar), notes)
    assert np.array_equal(to_grid(from_grid(cells, ticks_per_bar), ticks_per_bar), cells)


def test_a_note_just_before_a_bar_line_belongs_to_the_bar_it_leads_into():
    cells = to_grid([(60, 90, BAR - 15, 100), (60, 90, BAR - 25, 100)], BAR)
    assert cells[:, :2].tolist() == [[0, 95], [1, 0]]


def test_of_two_notes_that_fall_together_the_louder_stays():
    cells = to_grid([(60, 40, 0, 240), (60, 110, 10, 480), (64, 40, 5, 240)], BAR)
    assert cells.tolist() == [[0, 0, 3, 60, 7], [0, 0, 0, 64, 4]]


def test_bar_lines_stand_before_their_notes_and_in_empty_bars_too():
    cells = to_grid([(60, 88, 0, 960), (62, 88, 2 * BAR + 960, 960)], BAR)
    assert symbols_of(cells, 4) == [BAR_LINE, (2, 60, 10), BAR_LINE, BAR_LINE, (98, 62, 10), BAR_LINE]


def test_nothing_on_the_grid_is_nothing():
    assert to_grid([], BAR).shape == (0, 5)
    assert from_grid(np.zeros((0, 5), np.int32), BAR).shape == (0, 4)
