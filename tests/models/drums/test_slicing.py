"""Hits are cut without clicks, with their tails, as loud as each other."""

import numpy as np
import pytest

from models.drums.slicing import SliceConfig, slice_hits
from models.music.audio import Audio
from models.music.errors import BadConfig

RATE_HZ = 44_100


def decaying(
    times_s: list[float], decay_s: float = 0.1, seconds: float = 2.0, level: float = 0.5, channels: int = 1
) -> Audio:
    time = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    sound = np.zeros_like(time)
    for start_s in times_s:
        since = time - start_s
        sound += np.where(
            since >= 0, level * np.cos(2 * np.pi * 300 * since) * 10 ** (-3 * np.maximum(since, 0) / decay_s), 0
        )
    return Audio(np.repeat(sound[None].astype(np.float32), channels, 0), RATE_HZ, "drums.wav")


def test_a_tail_is_kept_until_it_is_silent():
    (hit,) = slice_hits(decaying([0.5]), [0.5])
    assert hit.whole
    assert hit.audio.seconds == pytest.approx(0.1, abs=0.02)
    assert hit.start_s == 0.5


def test_a_tail_ends_where_the_next_hit_begins():
    first, second = slice_hits(decaying([0.2, 0.3], decay_s=1.0), [0.2, 0.3])
    assert not first.whole
    assert first.audio.seconds == pytest.approx(0.1, abs=0.002)
    assert second.audio.seconds > 0.5


def test_cutting_makes_no_click():
    for hit in slice_hits(decaying([0.2, 0.3], decay_s=1.0), [0.2, 0.3]):
        assert abs(hit.audio.samples[0, 0]) < 1e-6
        assert abs(hit.audio.samples[0, -1]) < 1e-3


def test_the_attack_itself_is_untouched():
    song = decaying([0.5])
    (hit,) = slice_hits(song, [0.5], SliceConfig(peak=0))
    lead = round(0.001 * RATE_HZ)
    start = round(0.5 * RATE_HZ)
    np.testing.assert_array_equal(hit.audio.samples[:, lead : lead + 500], song.samples[:, start : start + 500])


def test_every_hit_has_the_same_peak_and_remembers_its_own():
    loud, soft = (slice_hits(decaying([0.5], level=level), [0.5])[0] for level in (0.8, 0.01))
    assert loud.audio.peak == pytest.approx(0.95, abs=1e-3)
    assert soft.audio.peak == pytest.approx(0.95, abs=1e-3)
    assert (loud.peak, soft.peak) == (pytest.approx(0.8, abs=0.01), pytest.approx(0.01, abs=1e-3))


def test_what_rang_before_is_measured():
    alone, over = slice_hits(decaying([0.2, 0.4], decay_s=1.0), [0.2, 0.4])
    assert alone.before_db == -96
    assert -30 < over.before_db < 0


def test_clipping_is_counted_and_a_lone_peak_is_not():
    samples = decaying([0.5]).samples.copy()
    samples[0, 22_060] = 1.0
    (clean,) = slice_hits(Audio(samples, RATE_HZ), [0.5])
    (clipped,) = slice_hits(Audio(np.clip(4 * samples, -1, 1), RATE_HZ), [0.5])
    assert clean.clipped == 0
    assert clipped.clipped > 10


def test_channels_stay_and_the_given_is_not_written_to():
    song = decaying([0.5], channels=2)
    before = song.samples.copy()
    (hit,) = slice_hits(song, [0.5])
    assert hit.audio.channels == 2
    np.testing.assert_array_equal(song.samples, before)


def test_a_hit_too_short_or_silent_is_left_out():
    assert slice_hits(decaying([0.5], decay_s=0.005), [0.5]) == []
    assert slice_hits(decaying([0.5]), [1.5]) == []


def test_a_hit_ends_at_the_longest_allowed():
    (hit,) = slice_hits(decaying([0.1], decay_s=20.0), [0.1], SliceConfig(max_s=0.5))
    assert hit.audio.seconds == pytest.approx(0.501, abs=0.001)


def test_a_wrong_setting_names_itself():
    with pytest.raises(BadConfig, match=r"tail_db is 3; give -120 to -10"):
        SliceConfig(tail_db=3)
