"""Rendering: every onset on its sample, dynamics, chokes, tails, and a true peak that never passes the ceiling."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.drums.events import Beat, Event, Role
from models.drums.kit import Kit, Piece
from models.drums.render import CEILING_DB, render, true_peak_db
from models.drums.skeleton import SkeletonPlan, make_skeleton
from models.music.audio import Audio, write_audio
from models.music.errors import BadConfig, BadInput
from models.music.grid import Grid

RATE = 44_100


def kit_of(folder: Path, rate_hz: int = RATE, role: Role = "CORE", **sounds: np.ndarray) -> Kit:
    pieces = []
    for name, samples in sounds.items():
        write_audio(folder / f"{name}.wav", Audio(samples.astype(np.float32), rate_hz), subtype="FLOAT")
        pieces.append(Piece(name, role, 36, 1.0, folder / f"{name}.wav"))
    return Kit(tuple(pieces))


def click(length: int = 40) -> np.ndarray:
    return 0.5 * np.exp(-np.arange(length) / 8.0)


def tone(seconds: float, rate_hz: int = RATE) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * 200 * np.arange(round(seconds * rate_hz)) / rate_hz + 0.5)


def onsets(loop: Audio) -> np.ndarray:
    sounding = np.concatenate([[False], np.abs(loop.samples[0]) > 0])
    return np.flatnonzero(np.diff(sounding.astype(int)) == 1)


def test_every_hit_begins_within_one_sample_of_its_event(tmp_path: Path):
    generator = np.random.default_rng(1)
    events = [
        Event(bar, step, "CORE", "click", 0.9, 1, float(generator.normal(0, 15)))
        for bar in range(4)
        for step in range(16)
    ]
    events[0] = Event(0, 0, "CORE", "click", 0.9, 1, 0.0)
    beat = Beat(Grid(117.3, 4), tuple(events))
    loop = render(beat, kit_of(tmp_path, click=click()), RATE)
    wanted = np.array([(e.bar * 16 + e.step) * 60 / 117.3 / 4 + e.micro_offset_ms / 1000 for e in events]) * RATE
    found = onsets(loop)
    assert len(found) == 64
    assert np.abs(found - np.sort(wanted)).max() <= 1


def test_a_hit_before_the_beginning_begins_with_the_file(tmp_path: Path):
    beat = Beat(
        Grid(120, 1), (Event(0, 0, "CORE", "click", 1.0, 1, -30.0), Event(0, 4, "CORE", "click", 1.0, 1, -30.0))
    )
    assert onsets(render(beat, kit_of(tmp_path, click=click()), RATE)).tolist() == [0, round(0.47 * RATE)]


def test_softer_is_quieter_and_duller(tmp_path: Path):
    noise = np.random.default_rng(2).standard_normal(8000) * 0.1
    kit = kit_of(tmp_path, noise=noise)

    def struck(vel: float) -> np.ndarray:
        return render(Beat(Grid(120, 1), (Event(0, 0, "CORE", "noise", vel),)), kit, RATE).samples[0, :8000]

    def treble_share(samples: np.ndarray) -> float:
        power = np.abs(np.fft.rfft(samples)) ** 2
        return float(power[len(power) // 4 :].sum() / power.sum())

    powers = [float(np.square(struck(vel)).sum()) for vel in (0.1, 0.3, 0.5, 0.7, 0.9, 1.0)]
    assert np.all(np.diff(powers) > 0)
    shares = [treble_share(struck(vel)) for vel in (0.1, 0.5, 1.0)]
    assert shares[0] < shares[1] < shares[2]
    hardest = struck(1.0)
    assert np.allclose(hardest / np.abs(hardest).max(), noise / np.abs(noise).max(), atol=1e-6)  # the sample as it is


def test_a_sample_recorded_quietly_is_as_loud_as_its_neighbours(tmp_path: Path):
    kit = kit_of(tmp_path, loud=tone(0.2), quiet=tone(0.2) / 30)
    heard = [
        render(Beat(Grid(120, 1), (Event(0, 0, "CORE", name, 0.8),)), kit, RATE).peak for name in ("loud", "quiet")
    ]
    assert heard[0] == pytest.approx(heard[1], rel=1e-4)


def test_a_hat_is_choked_by_the_next_hat_and_a_cymbal_rings(tmp_path: Path):
    events = (Event(0, 0, "MOTION", "long", 1.0), Event(0, 2, "MOTION", "tick", 1.0))
    after = round(0.3 * RATE)  # the second hit, at 0.25 s, is over
    hats = kit_of(tmp_path, role="MOTION", long=tone(0.5), tick=click())
    assert np.abs(render(Beat(Grid(120, 1), events), hats, RATE).samples[0, after:]).max() == 0
    cymbal = kit_of(tmp_path, role="MOTION", long=tone(0.9), tick=click())
    assert np.abs(render(Beat(Grid(120, 1), events), cymbal, RATE).samples[0, after : round(0.8 * RATE)]).max() > 0.05


def test_tails_ring_beyond_the_last_bar_and_a_texture_fades_at_its_end(tmp_path: Path):
    kit = kit_of(tmp_path, long=tone(3.0))
    rung = render(Beat(Grid(120, 1), (Event(0, 12, "CORE", "long", 1.0),)), kit, RATE)
    assert rung.frames == round((1.5 + 3.0) * RATE)
    assert np.abs(rung.samples[:, -1000:]).max() > 0.1
    texture = render(Beat(Grid(120, 1), (Event(0, 0, "TEXTURE", "long", 1.0, 8),)), kit, RATE)
    assert np.abs(texture.samples[:, round(1.2 * RATE) :]).max() == 0
    assert texture.frames == 2 * RATE


def test_the_true_peak_stays_below_the_ceiling_without_changing_the_shape(tmp_path: Path):
    from scipy.signal import resample_poly

    loud = np.sign(np.sin(2 * np.pi * 5_512 * np.arange(4000) / RATE + 0.4)) * 0.99
    kit = kit_of(tmp_path, loud=loud, more=loud, most=loud)
    beat = Beat(Grid(120, 1), tuple(Event(0, 0, "CORE", name, 1.0) for name in ("loud", "more", "most")))
    mix = render(beat, kit, RATE).samples
    curve = resample_poly(mix.astype(np.float64), 8, 1, axis=1, window=("kaiser", 9.0))
    assert -1.5 < 20 * np.log10(np.abs(curve).max()) < CEILING_DB
    assert np.allclose(mix[0, :4000] / mix[0, 0], loud / loud[0], atol=1e-5)  # scaled, never bent


def test_a_whole_kit_at_full_strength_stays_below_the_ceiling(kit: Kit):
    loop = render(make_skeleton(kit, SkeletonPlan(bpm=180, bars=4, fill_prob=1.0, motion_keep=8)), kit, RATE)
    assert true_peak_db(loop.samples) < CEILING_DB
    assert loop.peak > 0.3


def test_true_peak_sees_between_the_samples():
    wave = np.sin(2 * np.pi * np.arange(4096) / 4 + np.pi / 4).astype(np.float32)[None]  # samples at ±0.707 only
    assert np.abs(wave).max() == pytest.approx(0.707, abs=1e-3)
    assert true_peak_db(wave) == pytest.approx(0.0, abs=0.15)
    assert true_peak_db(np.zeros((2, 64), np.float32)) == -np.inf


@pytest.mark.parametrize("rate_hz", [8_000, 48_000])
def test_mono_samples_of_any_rate_play_at_any_rate(tmp_path: Path, rate_hz: int):
    kit = kit_of(tmp_path, 22_050, tone=tone(0.2, 22_050))
    loop = render(Beat(Grid(120, 1), (Event(0, 4, "CORE", "tone", 1.0),)), kit, rate_hz)
    assert (loop.rate_hz, loop.channels) == (rate_hz, 2)
    start = rate_hz // 2
    assert np.abs(loop.samples[:, :start]).max() == 0
    assert np.abs(loop.samples[:, start : start + rate_hz // 5]).max() > 0.3


def test_what_cannot_be_rendered_says_why(kit: Kit):
    beat = Beat(Grid(120, 1), (Event(0, 0, "CORE", "dummy_99999", 1.0),))
    with pytest.raises(BadInput, match="no sample 'dummy_99999'"):
        render(beat, kit)
    with pytest.raises(BadConfig, match="render_sr is 0"):
        render(beat, kit, 0)
    with pytest.raises(BadInput, match="at most 60 are rendered"):
        render(Beat(Grid(10, 4096), beat.events), kit)


def test_silent_samples_render_to_silence(tmp_path: Path):
    loop = render(Beat(Grid(120, 1), (Event(0, 0, "MOTION", "nothing", 1.0),)), kit_of(tmp_path, nothing=np.zeros(100)))
    assert loop.peak == 0
