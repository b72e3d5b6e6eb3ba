"""Hits are heard where they begin, and nowhere else."""

from pathlib import Path

import numpy as np
import pytest

from models.drums.onsets import OnsetConfig, find_onsets
from models.music.audio import Audio
from models.music.errors import BadConfig
from models.practice.drum_sounds import synthesise
from models.practice.songs import compose

RATE_HZ = 44_100


def placed(times_s: list[float], seconds: float, kinds=("kick", "snare", "hihat"), rate_hz: int = RATE_HZ) -> Audio:
    sound = np.zeros(round(seconds * rate_hz), np.float32)
    for n, time_s in enumerate(times_s):
        shot = synthesise(kinds[n % len(kinds)], np.random.default_rng(n), rate_hz).samples[0]
        first = round(time_s * rate_hz)
        sound[first : first + len(shot)] += 0.5 * shot[: len(sound) - first]
    return Audio(sound, rate_hz)


def test_hits_are_found_within_a_millisecond():
    times_s = [0.25, 0.7, 1.1, 1.62, 2.0]
    found = find_onsets(placed(times_s, 2.5))
    np.testing.assert_allclose(found.seconds, times_s, atol=0.001)
    assert (found.strengths >= 1).all()


def test_the_very_first_sample_may_be_a_hit():
    found = find_onsets(placed([0.0, 0.6], 1.2))
    np.testing.assert_allclose(found.seconds, [0.0, 0.6], atol=0.001)
    assert found.seconds.min() >= 0


def test_a_flam_is_two_hits_and_a_doubled_hit_is_one():
    flam = find_onsets(placed([0.3, 0.335], 1.0, kinds=("snare",)))
    doubled = find_onsets(placed([0.3, 0.312], 1.0, kinds=("snare",)))
    assert len(flam.seconds) == 2
    assert len(doubled.seconds) == 1


def test_a_hat_right_after_a_kick_is_a_hit_of_its_own():
    found = [find_onsets(placed([0.3, 0.3 + gap_s], 1.0, kinds=("kick", "hihat"))) for gap_s in (0.024, 0.03, 0.04)]
    assert [len(each.seconds) for each in found] == [2, 2, 2]


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 48_000, 96_000])
def test_any_rate_is_heard_alike(rate_hz: int):
    times_s = [0.2, 0.8, 1.5]
    found = find_onsets(placed(times_s, 2.0, rate_hz=rate_hz))
    np.testing.assert_allclose(found.seconds, times_s, atol=0.002)


@pytest.mark.parametrize("kind", ["kick", "snare", "clap", "hihat", "openhat", "tom", "cymbal", "perc"])
def test_a_hit_alone_is_one_hit(kind: str):
    counts = [len(find_onsets(synthesise(kind, np.random.default_rng(seed))).seconds) for seed in range(20)]
    assert counts.count(1) >= 19


def test_a_tail_that_flutters_is_no_hit_to_the_ear_though_it_is_to_the_flux():
    generator = np.random.default_rng(4)
    time = np.arange(2 * RATE_HZ) / RATE_HZ
    flutter = 1 + 0.1 * np.sin(2 * np.pi * 7 * time + 3 * np.sin(2 * np.pi * 1.3 * time))
    sizzle = 0.3 * generator.standard_normal(len(time)) * flutter * np.exp(-2.5 * time)
    hat = Audio(sizzle.astype(np.float32), RATE_HZ)
    assert len(find_onsets(hat).seconds) == 1
    assert len(find_onsets(hat, OnsetConfig(judged=False)).seconds) > 1


def test_silence_has_no_hits():
    assert len(find_onsets(Audio(np.zeros((2, RATE_HZ), np.float32), RATE_HZ)).seconds) == 0


def test_steady_noise_and_a_held_tone_have_next_to_none():
    generator = np.random.default_rng(0)
    time = np.arange(5 * RATE_HZ) / RATE_HZ
    noise = 0.1 * generator.standard_normal(len(time))
    tone = 0.3 * np.sin(2 * np.pi * 220 * time) * (1 + 0.1 * np.sin(2 * np.pi * 5 * time))
    assert len(find_onsets(Audio(noise.astype(np.float32), RATE_HZ)).seconds) <= 2
    assert len(find_onsets(Audio(tone.astype(np.float32), RATE_HZ)).seconds) <= 2


def test_sections_of_a_long_file_leave_no_seam():
    times_s = [0.5 + 0.5 * n for n in range(100)]  # 50 s: three sections, hits on their borders
    found = find_onsets(placed(times_s, 51.0))
    assert len(found.seconds) == len(times_s)
    np.testing.assert_allclose(found.seconds, times_s, atol=0.002)


def test_a_practice_song_is_heard_as_it_was_played():
    from mir_eval.onset import f_measure

    song = compose(np.random.default_rng(5), bars=4)
    truth = np.array([t for n, t in enumerate(song.onsets_s) if n == 0 or t - song.onsets_s[n - 1] >= 0.02])
    score, _, _ = f_measure(truth, find_onsets(song.stems["drums"]).seconds, window=0.01)
    assert score >= 0.9


def test_a_higher_threshold_hears_fewer():
    drums = compose(np.random.default_rng(5), bars=2).stems["drums"]
    counts = [len(find_onsets(drums, OnsetConfig(threshold)).seconds) for threshold in (1.0, 3.0, 6.0)]
    assert counts[0] > counts[1] > counts[2] > 0


def test_a_threshold_of_zero_is_refused():
    with pytest.raises(BadConfig, match="threshold is 0"):
        OnsetConfig(threshold=0)


def test_real_drummers_on_real_drums_are_heard(shared, monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).resolve().parents[3])
    from benchmarks.near_real import REPORTED, near_real_clips
    from benchmarks.onsets import ours, score

    scores = score(near_real_clips(shared, REPORTED, clips=6), ours)
    assert scores["F50"] >= 0.93
    assert scores["F10"] >= 0.89
    assert abs(scores["bias ms"]) <= 3
