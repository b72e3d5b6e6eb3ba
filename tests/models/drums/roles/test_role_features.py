"""How one-shots are heard and measured."""

from __future__ import annotations

import numpy as np
import pytest

from models.drums.roles.features import measure
from models.drums.roles.listening import FRAME, HOP, AudioConfig, batches, listen, prepare
from models.drums.roles.picture import SPANS, draw
from models.drums.roles.types import FEATURES
from models.music.audio import Audio
from models.music.errors import BadAudio, BadConfig
from models.practice.drum_sounds import KINDS, synthesise

RATE = 16_000
TIME = np.arange(RATE) / RATE


def sounds() -> list[np.ndarray]:
    generator = np.random.default_rng(5)
    return [prepare(synthesise(kind, generator), AudioConfig()) for kind in KINDS]


def feature(samples: np.ndarray, name: str) -> float:
    return getattr(measure([samples.astype(np.float32)])[0], name)


def test_a_sound_is_heard_mono_at_16_khz_trimmed_and_at_its_peak():
    quiet = np.zeros((2, 3 * 44_100), np.float32)
    quiet[:, 44_100:] = 0.1 * np.sin(2 * np.pi * 200 * np.arange(2 * 44_100) / 44_100)
    clip = prepare(Audio(quiet, 44_100), AudioConfig())
    assert clip.ndim == 1
    assert abs(np.abs(clip).max() - 0.95) < 1e-3
    assert len(clip) == pytest.approx(2 * RATE, abs=40)
    long = np.ones(5 * RATE, np.float32)
    assert len(prepare(Audio(long, RATE), AudioConfig())) == 2 * RATE


def test_preparing_twice_changes_nothing():
    for clip in sounds():
        assert np.allclose(prepare(Audio(clip, RATE), AudioConfig()), clip, atol=1e-6)


@pytest.mark.parametrize("samples", [np.zeros((1, 4000)), np.array([[1.0] * 4000, [-1.0] * 4000])])
def test_silence_is_said_in_one_line(samples):
    with pytest.raises(BadAudio, match="silent"):
        prepare(Audio(samples, RATE, "hit"), AudioConfig())


def test_no_rate_but_16_khz_is_measured():
    with pytest.raises(BadConfig, match="16000"):
        AudioConfig(rate_hz=44_100)


def test_a_sounds_features_do_not_depend_on_its_company():
    clips = sounds()
    together = measure(clips)
    for clip, features in zip(clips, together, strict=True):
        assert np.allclose(measure([clip])[0].as_array(), features.as_array(), atol=1e-6)
    assert all(np.allclose(draw([clip])[0], seen, atol=1e-4) for clip, seen in zip(clips, draw(clips), strict=True))


def test_all_features_lie_between_0_and_1_even_for_a_click():
    click = np.zeros(20, np.float32)
    click[3] = 0.95
    for features in measure([*sounds(), click]):
        assert np.isfinite(features.as_array()).all()
        assert (features.as_array() >= 0).all()
        assert (features.as_array() <= 1).all()
    assert len(FEATURES) == 11


@pytest.mark.parametrize(("hz", "band"), [(60, "low_ratio"), (600, "mid_ratio"), (5_000, "high_ratio")])
def test_a_tone_lies_in_its_band(hz, band):
    tone = 0.9 * np.sin(2 * np.pi * hz * TIME)
    assert feature(tone, band) > 0.95
    assert feature(tone, "centroid") * RATE / 2 == pytest.approx(hz, rel=0.35)
    assert feature(tone, "zero_crossing_rate") == pytest.approx(2 * hz / RATE, rel=0.1)


def test_noise_is_flat_and_a_tone_is_not():
    noise = np.random.default_rng(0).normal(0, 0.2, RATE)
    assert feature(noise, "flatness") > 0.5
    assert feature(np.sin(2 * np.pi * 440 * TIME), "flatness") < 0.01


def test_attack_and_decay_are_timed_in_their_windows():
    tone = np.sin(2 * np.pi * 1_000 * TIME)
    slow = tone * np.minimum(TIME / 0.05, 1)
    assert feature(slow, "attack") * 0.08 == pytest.approx(0.04, abs=0.006)  # from 10 % to 90 % of 50 ms
    assert feature(tone * np.exp(-TIME / 0.1), "attack") < 0.06
    assert feature(tone * np.exp(-TIME / 0.1), "decay") * 0.60 == pytest.approx(0.1 * np.log(1 / 0.3), abs=0.01)
    assert feature(tone, "decay") == 1.0


def test_a_click_is_sharper_than_a_swell():
    noise = np.random.default_rng(1).normal(0, 0.2, RATE)
    assert feature(noise * np.exp(-TIME / 0.05), "sharpness") > 2 * feature(noise * TIME, "sharpness")


def test_a_silent_tail_says_nothing():
    hit = np.random.default_rng(2).normal(0, 0.2, 2_000) * np.exp(-np.arange(2_000) / 300)
    tail = np.concatenate([hit, 1e-5 * np.sin(2 * np.pi * 50 * TIME)])
    for name in ("flatness", "centroid", "zero_crossing_rate"):
        assert feature(tail, name) == pytest.approx(feature(hit, name), abs=2e-3)


def test_frames_are_those_of_a_plain_loop():
    clips = sounds()[:3]
    frames = listen(clips)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)
    for start, clip in zip(frames.starts, clips, strict=True):
        padded = np.pad(clip, FRAME // 2)
        plain = [np.abs(np.fft.rfft(padded[i : i + FRAME] * window)) for i in range(0, len(clip) + 1, HOP)]
        assert np.allclose(frames.magnitude[start : start + len(plain)], plain, atol=1e-3)


def test_batches_hold_every_clip_once_and_stay_small():
    clips = [np.ones(n, np.float32) for n in (30_000, 30_000, 30_000, 5, 32_000)]
    cut = list(batches(clips))
    assert [len(clip) for batch in cut for clip in batch] == [len(clip) for clip in clips]
    assert [len(batch) for batch in cut] == [2, 3]


def test_a_picture_is_small_and_bounded():
    pictures = draw(sounds())
    assert pictures.shape == (len(KINDS), 64, SPANS)
    assert pictures.min() >= -1
    assert pictures.max() == pytest.approx(1, abs=1e-3)
