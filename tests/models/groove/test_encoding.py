"""The 27 columns, against the reference tensors and in sentences."""

import numpy as np
import pytest

from models.groove.encoding import (
    GM,
    ROLAND,
    WIDTH,
    drums_of,
    from_cells,
    hits_of,
    humanised,
    padded,
    tapped,
    to_cells,
    windows,
    with_fixed_velocities,
    with_notes_dropped,
    without,
)
from models.groove.sequences import Performance, cells_of_sequence

CASES = ("basic_1bar", "collision_maxvel", "empty", "groove_2bar_120", "half_step_rounding", "swing_4bar_95")
MODES = {
    "ae_full": (ROLAND, None, None, lambda x: x),
    "ae_2bar": (ROLAND, 2, None, lambda x: x),
    "ae_4bar": (ROLAND, 4, None, lambda x: x),
    "ae_2bar_hop1": (ROLAND, 2, 1, lambda x: x),
    "humanize_2bar": (ROLAND, 2, None, humanised),
    "tap_2bar": (ROLAND, 2, None, lambda x: with_fixed_velocities(tapped(x))),
    "tapvel_full": (ROLAND, None, None, tapped),
    "addhh_2bar": (ROLAND, 2, None, without),
    "hits_control_2bar": (ROLAND, 2, None, lambda x: x),
    "gm_full": (GM, None, None, lambda x: x),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("case", CASES)
def test_the_reference_tensors_come_out(shared, case, mode):
    golden = np.load(shared / "golden" / "groove" / f"{case}.npz")
    meters = tuple((int(top), int(bottom)) for top, bottom in golden["ts"])
    performance = Performance(golden["notes"], tuple(np.atleast_1d(golden["qpm"]).tolist()), meters)
    table, bars, hop, heard = MODES[mode]
    cells = windows(performance.cells(table), bars, hop)
    assert len(cells) == golden[f"{mode}/n"]
    if len(cells):
        np.testing.assert_allclose(cells, golden[f"{mode}/out"], atol=1e-5)
        np.testing.assert_allclose(heard(cells), golden[f"{mode}/in"], atol=1e-5)
        if mode == "hits_control_2bar":
            np.testing.assert_array_equal(hits_of(cells), golden[f"{mode}/ctrl"])
    for index in range(len(cells)):
        if f"{mode}/dec_{index}" in golden:
            np.testing.assert_allclose(from_cells(cells[index], table), golden[f"{mode}/dec_{index}"], atol=1e-5)


def performance(rows, **facts):
    return Performance(np.array(rows, np.float64).reshape(-1, 4), **facts)


@pytest.mark.parametrize(
    "facts", [{"tempos_bpm": (120.0, 90.0)}, {"meters": ((3, 4),)}, {"meters": ((6, 8),)}, {"meters": ((4, 4), (3, 4))}]
)
def test_several_tempos_and_other_meters_give_nothing(facts):
    assert performance([(36, 100, 0.0, 0.1)], **facts).cells().shape == (0, WIDTH)


def test_an_early_note_has_a_positive_offset_and_comes_back_before_the_beginning():
    early = to_cells([36], [127], [-0.2])
    assert early[0, 18] == pytest.approx(0.4)
    assert from_cells(early)[0, 2] == pytest.approx(-0.2 * 0.125)


def test_a_note_before_the_first_step_does_not_come_back_at_the_end():
    np.testing.assert_array_equal(to_cells([36, 38], [100, 90], [0.0, -1.2]), to_cells([36], [100], [0.0]))
    assert to_cells([38], [90], [-1.2]).shape == (0, WIDTH)


def test_a_sequence_may_repeat_its_meter():
    note_seq = pytest.importorskip("note_seq")
    sequence = note_seq.NoteSequence()
    sequence.notes.add(pitch=36, velocity=100, start_time=0.0, end_time=0.1, is_drum=True)
    for time in (0.0, 2.0):
        sequence.time_signatures.add(time=time, numerator=4, denominator=4)
    assert cells_of_sequence(sequence).shape == (16, WIDTH)
    sequence.time_signatures.add(time=4.0, numerator=3, denominator=4)
    assert cells_of_sequence(sequence).shape == (0, WIDTH)


def test_halfway_between_two_steps_belongs_to_the_later_one():
    cells = to_cells([36, 38], [100, 100], [0.5, 2.5])
    assert cells[1, 0] == 1
    assert cells[1, 18] == 1.0
    assert cells[3, 1] == 1


def test_the_loudest_note_speaks_for_its_cell_and_the_first_of_equals():
    cells = to_cells([38, 40, 37, 36], [90, 100, 100, 1], [0.1, 0.2, 0.3, 15.0])
    assert cells[0, 10] == pytest.approx(100 / 127)
    assert cells[0, 19] == pytest.approx(-0.4)


def test_an_unmapped_pitch_leaves_no_trace_and_does_not_lengthen_the_pattern():
    assert to_cells([88, 36], [100, 100], [40.0, 3.0]).shape == (16, WIDTH)
    assert to_cells([88], [100], [0.0]).shape == (0, WIDTH)
    assert windows(to_cells([], [], []), None).shape == (0, 0, WIDTH)


def test_the_two_pitch_tables_disagree_where_the_facts_say():
    assert drums_of([45, 48, 58], ROLAND).tolist() == [5, 6, 4]
    assert drums_of([45, 48, 58], GM).tolist() == [4, 5, 7]
    assert from_cells(to_cells([45], [9], [0.0], GM), GM)[0, 0] == 45


def test_an_incomplete_tail_is_dropped_and_padding_keeps_it():
    cells = to_cells([36, 36], [100, 100], [0.0, 40.0])
    assert len(windows(cells, 2)) == 1
    assert len(windows(padded(cells, 4), 2)) == 2
    assert len(windows(cells, 4)) == 0


def test_dropping_notes_spares_the_loud_and_changes_nothing_it_was_given():
    cells = np.zeros((400, 16, WIDTH))
    cells[:, :, 0], cells[:, :, 9], cells[:, :, 1], cells[:, :, 10] = 1, 1.0, 1, 0.1
    kept = with_notes_dropped(cells, np.random.default_rng(1))
    assert 0.9 < kept[..., 0].mean() < 0.94
    assert 0.6 < kept[..., 1].mean() < 0.68
    assert (kept[..., 9] == kept[..., 0]).all()
    assert cells[..., 0].all()
