"""What a humaniser promises: the same notes, two dials, one character, no seams."""

import hashlib

import numpy as np
import pytest
import torch

from models.groove.dials import apply_groove, blend, extract_groove
from models.groove.encoding import GM, drums_of, nearest_steps
from models.groove.humaniser import Humaniser
from models.groove.network import TINY, GrooveConfig, GrooveVAE
from models.groove.request import MAX_BARS, GrooveRequest
from models.groove.sequences import positions_of_ticks
from models.music.errors import BadInput, BadMidi
from models.music.notes import DURATION, ONSET, PITCH, VELOCITY, Take


def taken(rows):
    return Take(np.array(rows))


def shaken(config):
    """A network whose every answer differs from its neighbour's, as a trained one's do."""
    torch.manual_seed(4)
    network = GrooveVAE(config)
    with torch.no_grad():
        for weight in network.parameters():
            weight += 0.3 * torch.randn_like(weight)
    return Humaniser(network)


@pytest.fixture(scope="module")
def humaniser():
    return shaken(TINY)


def beat(bars=2, seed=0, density=0.25):
    generator = np.random.default_rng(seed)
    step, drum = np.nonzero(generator.random((bars * 16, 9)) < density)
    pitch = np.array([members[0] for members in GM])[drum]
    return np.stack([pitch, generator.integers(1, 128, len(step)), step * 240, np.full(len(step), 100)], 1).astype(
        np.int32
    )


AWKWARD = np.array(
    [
        (38, 100, 950, 60), (38, 40, 900, 60), (40, 100, 1010, 60),  # a flam of three in one cell
        (88, 77, 480, 60), (54, 20, 0, 60), (36, 127, 0, 60), (36, 1, 3839, 10), (42, 64, 3839, 10),
    ],
    np.int32,
)  # fmt: skip


@pytest.mark.parametrize("temperature", [0.0, 1.0, 4.0])
@pytest.mark.parametrize("hits", [AWKWARD, AWKWARD[::-1], beat(5), beat(1), np.zeros((0, 4))], ids=len)
def test_humanising_neither_adds_nor_removes_a_note(humaniser, hits, temperature):
    request = GrooveRequest(hits, bars=5, temperature=temperature, seed=3)
    [rows] = humaniser.play([request])
    assert rows.dtype == np.int32
    assert rows.shape == request.hits.shape
    assert (rows[:, [PITCH, DURATION]] == request.hits[:, [PITCH, DURATION]]).all()
    for column, low, high in ((VELOCITY, 1, 127), (ONSET, 0, 2**31 - 1)):
        assert ((rows[:, column] >= low) & (rows[:, column] <= high)).all()
    mapped = drums_of(rows[:, PITCH]) >= 0
    before, after = (nearest_steps(positions_of_ticks(x[:, ONSET])) for x in (request.hits, rows))
    assert (before == after).all()
    assert (rows[~mapped] == request.hits[~mapped]).all()


def test_a_flam_keeps_its_spacing_and_its_order_of_loudness(humaniser):
    [rows] = humaniser.play([GrooveRequest(AWKWARD, 1)])
    assert np.diff(rows[:3, ONSET]).tolist() == np.diff(AWKWARD[:3, ONSET]).tolist()
    assert rows[1, VELOCITY] < rows[0, VELOCITY] == rows[2, VELOCITY]


def test_a_request_is_answered_alike_alone_and_in_company(humaniser):
    asked = [
        GrooveRequest(beat(1, 1), 1, "humanise", 1.0, 1),
        GrooveRequest(beat(7, 7), 7, "vary", 1.0, 7),
        GrooveRequest(beat(3, 3), 3, "tap", 1.0, 3),
        GrooveRequest(beat(4, 4), 4, "humanise", 1.0, 4),
    ]
    together = humaniser.play(asked)
    for request, rows in zip(asked, together, strict=True):
        np.testing.assert_array_equal(rows, humaniser.play([request])[0])
    assert humaniser.play([]) == []


def test_the_seed_is_the_playing_and_temperature_zero_has_no_dice(humaniser):
    def played(temperature, seed):
        return humaniser.play([GrooveRequest(beat(), 2, "humanise", temperature, seed)])[0]

    assert (played(1.0, 1) == played(1.0, 1)).all()
    assert (played(0.0, 1) == played(0.0, 2)).all()
    assert (played(1.0, 1) != played(1.0, 2)).any()


def test_a_long_take_has_no_seam(humaniser):
    """The same bar over and over is played the same in its middle, whichever window a bar falls into."""
    bar = beat(1, 5)
    hits = np.concatenate([np.add(bar, [0, 0, 3840 * index, 0]) for index in range(9)]).astype(np.int32)
    [rows] = humaniser.play([GrooveRequest(hits, 9)])
    inner = [rows[index * len(bar) : (index + 1) * len(bar)] - [0, 0, 3840 * index, 0] for index in range(1, 8)]
    assert all((other == inner[0]).all() for other in inner)


def test_the_two_dials_go_from_written_to_played(humaniser):
    take = Take(beat(), label="beat")
    [human] = humaniser.play([GrooveRequest(take.notes, 2)])
    np.testing.assert_array_equal(humaniser.humanise(take, 0.0, 0.0).notes, take.notes)
    np.testing.assert_array_equal(humaniser.humanise(take).notes, take.with_notes(human).notes)
    half = blend(take.notes, human, 0.5, 0.0)
    assert (half[:, VELOCITY] == take.notes[:, VELOCITY]).all()
    assert np.abs(half[:, ONSET] * 2 - take.notes[:, ONSET] - human[:, ONSET]).max() <= 1
    with pytest.raises(BadInput, match=r"timing is 1\.2"):
        humaniser.humanise(take, timing=1.2)


def test_a_variation_keeps_what_it_is_not_told_to_change(humaniser):
    take = Take(np.concatenate([beat(), [(88, 50, 100, 20)]]))
    cold, warm = humaniser.vary(take, 0.0), humaniser.vary(take, 1.0, seed=2)
    assert {(88, 50, 100, 20)} <= {tuple(row) for row in warm.notes.tolist()}
    assert set(take.notes[:, PITCH]) <= set(cold.notes[:, PITCH])
    assert len(warm) != len(take) or (warm.notes[:, PITCH] != take.notes[:, PITCH]).any()


@pytest.mark.parametrize("mode", ["vary", "tap"])
def test_what_is_added_stays_within_the_bars_that_were_asked_for(humaniser, mode):
    played = humaniser.play([GrooveRequest(beat(1), 1, mode, 1.0, seed) for seed in range(4)])
    assert max(rows[:, ONSET].max() for rows in played) < 3840


def test_every_tap_sounds_and_the_finger_may_be_anything(humaniser):
    rhythm = taken([(60, 90, t, 10) for t in (0, 720, 1440, 2400, 3360)] + [(99, 50, 3840, 10)])
    played = humaniser.tap(rhythm, temperature=0.0)
    steps = set(nearest_steps(positions_of_ticks(played.notes[:, ONSET])).tolist())
    assert {0, 3, 6, 10, 14, 16} <= steps
    assert (drums_of(played.notes[:, PITCH]) >= 0).all()


def test_the_published_variants_play_too():
    for controls in ("none", "hits"):
        other = shaken(GrooveConfig(8, 4, (8, 8), controls, dropout=0.0))
        rows = other.play([GrooveRequest(beat(), 2, "humanise", 1.0), GrooveRequest(beat(3), 3, "vary", 1.0)])[0]
        assert (rows[:, PITCH] == beat()[:, PITCH]).all()
    with pytest.raises(BadInput, match="only hits that it is given"):
        other.tap(Take(beat()))


def test_what_cannot_be_played_is_refused_in_a_sentence(humaniser):
    with pytest.raises(BadMidi, match="waltz: meter 3/4"):
        humaniser.humanise(Take(beat(), meter=(3, 4), label="waltz"))
    with pytest.raises(BadInput, match=f"at most {MAX_BARS} at once"):
        humaniser.humanise(taken([(36, 100, 3840 * MAX_BARS, 10)]))
    for wrong, said in (
        ({"bars": 0}, "bars is 0"), ({"bars": 1}, "give bars=2"), ({"temperature": float("nan")}, "temperature is nan"),
        ({"mode": "swing"}, "humanise, vary, tap"), ({"seed": 2**63}, "64 bits"), ({"hits": np.zeros((9000, 4))}, "9000"),
        ({"hits": [(36, 0, 0, 1)]}, "velocity is 0"), ({"hits": np.full((1, 4), np.nan)}, "NaN"),
    ):  # fmt: skip
        with pytest.raises(BadInput, match=said):
            GrooveRequest(**({"hits": beat(), "bars": 2} | wrong))  # type: ignore[arg-type]


def test_a_groove_is_extracted_and_applied():
    late_snare = taken(
        [(42, 60 + 40 * (s % 4 == 0), s * 240, 50) for s in range(16)]
        + [(38, 110, 960 + 30, 50), (38, 90, 2880 + 50, 50)]
    )
    groove = extract_groove(late_snare)
    assert groove.bars == 1
    assert groove.lean_ticks[4, 1] == 30
    assert np.isnan(groove.lean_ticks[0, 1])
    programmed = taken(
        [(38, 80, 960, 50), (38, 80, 2880 + 3840, 50), (36, 70, 960, 50), (42, 80, 0, 50), (90, 5, 7, 5)]
    )
    played = {(p, o): v for p, v, o, _ in apply_groove(groove, programmed).notes.tolist()}
    assert played[38, 990] == 110
    assert played[38, 2930 + 3840] == 90
    assert played[42, 0] == 100
    assert played[36, 975] == 70
    assert played[90, 7] == 5
    np.testing.assert_array_equal(apply_groove(groove, programmed, 0, 0).notes, programmed.notes)
    with pytest.raises(BadInput, match="none on a drum"):
        extract_groove(taken([(100, 5, 0, 5)]))


@pytest.mark.parametrize(
    ("mode", "digest"),
    [("humanise", "722c624088b540e3"), ("vary", "3e7cd4567dcbcf4f"), ("tap", "b491993169db85f7")],
)
def test_the_starter_plays_a_seed_as_it_always_did(mode, digest):
    asked = [
        GrooveRequest(beat(bars, seed), bars, mode, temperature, seed)
        for seed, (bars, temperature) in enumerate([(2, 0.0), (1, 0.7), (5, 1.0), (2, 2.0)])
    ]
    played = np.concatenate(Humaniser.load().play(asked))
    assert hashlib.sha256(played.tobytes()).hexdigest()[:16] == digest
