import numpy as np
import pytest

from models.music.audio import Audio, find_audio, read_audio, write_audio
from models.music.errors import BadAudio

TONE = np.sin(np.arange(4410) / 10).astype(np.float32) * 0.5


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_a_sound_survives_writing_and_reading(tmp_path, suffix):
    written = Audio(np.stack([TONE, -TONE]), 44_100)
    read = read_audio(write_audio(tmp_path / f"tone{suffix}", written))
    assert read.rate_hz == 44_100
    np.testing.assert_allclose(read.samples, written.samples, atol=2e-7)


def test_resampling_keeps_the_length_in_seconds_and_the_tone():
    there = Audio(TONE, 44_100).at_rate(48_000)
    assert there.frames == 4800
    back = there.at_rate(44_100)
    np.testing.assert_allclose(back.samples[0, 500:-500], TONE[500:-500], atol=1e-3)


def test_mono_is_the_mean_of_both_sides():
    assert np.allclose(Audio(np.stack([TONE, -TONE]), 44_100).mono().samples, 0)


def test_samples_are_never_changed():
    with pytest.raises(ValueError, match="read-only"):
        Audio(TONE, 44_100).samples[0, 0] = 1


def test_a_folder_lists_its_sounds_in_order_and_an_empty_one_says_so(tmp_path):
    for name in ("b.wav", "a.WAV", "notes.txt"):
        (tmp_path / name).touch()
    assert [f.name for f in find_audio(tmp_path)] == ["a.WAV", "b.wav"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadAudio, match="no audio in this folder"):
        find_audio(tmp_path / "empty")


@pytest.mark.parametrize(
    ("samples", "rate_hz", "said"),
    [
        (np.array([[0.0, np.nan]]), 44_100, "NaN or infinite"),
        (np.zeros((1, 0)), 44_100, "0 frames"),
        (np.zeros((3, 8)), 44_100, "3 channels"),
        (np.zeros((1, 8)), 10, "rate 10 Hz"),
    ],
)
def test_what_is_not_sound_is_refused_in_one_line(samples, rate_hz, said):
    with pytest.raises(BadAudio, match=said) as caught:
        Audio(samples.astype(np.float32), rate_hz)
    assert "\n" not in str(caught.value)
