"""The door to separation: every way through it gives the same stems, as the song was, part by part."""

import tracemalloc

import numpy as np
import pytest
from halver import Halver, noise

from models.music.audio import Audio, read_audio, read_parts, write_audio, write_parts
from models.music.errors import BadAudio, BadInput
from models.music.files import write_json
from models.separation.stems import load_separator, separate, stem_parts, stem_reader


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("heard", [1, 2])
@pytest.mark.parametrize("frames", [1, 12_345, 444_321])
def test_stems_have_the_rate_the_channels_and_the_exact_length_of_the_song(rate_hz, channels, heard, frames):
    song = noise(frames / rate_hz, rate_hz, channels)
    stems = separate(song, Halver(heard))
    assert list(stems) == ["drums", "other"]
    assert {(stem.rate_hz, stem.samples.shape) for stem in stems.values()} == {(rate_hz, song.samples.shape)}


def test_a_song_in_memory_in_a_file_and_in_parts_gives_the_same_samples(tmp_path):
    song, model = noise(35.5, 22_050), Halver()
    path = write_audio(tmp_path / "song.wav", song, subtype="FLOAT")
    whole = separate(song, model)["drums"].samples
    np.testing.assert_array_equal(separate(path, model)["drums"].samples, whole)
    parts = [part["drums"].samples for part in stem_parts(path, model)]
    assert len(parts) > 3
    np.testing.assert_array_equal(np.concatenate(parts, 1), whole)
    read = stem_reader(model, "drums")
    joined = np.concatenate([part.samples[:, : 7 * 22_050] for _, part in read(path, 7.0, 1.0)], 1)
    np.testing.assert_array_equal(joined, whole)
    write_parts(tmp_path / "drums.wav", (part["drums"] for part in stem_parts(path, model)), subtype="FLOAT")
    np.testing.assert_array_equal(read_audio(tmp_path / "drums.wav").samples, whole)


def test_an_engine_is_told_the_level_of_the_whole_song():
    told = []

    class Listener(Halver):
        def parts(self, song, middle, spread):
            told.append((middle, spread))
            return super().parts(song, middle, spread)

    song = Audio(noise(25.0).samples + np.float32(0.1), 16_000)
    separate(song, Listener())
    assert told[0] == pytest.approx((song.samples.mean(), song.samples.mean(0).std()), rel=1e-4)


def test_memory_depends_on_the_part_and_not_on_the_song(tmp_path):
    def peak(seconds: int) -> int:
        blocks = (noise(10.0) for _ in range(seconds // 10))
        path = write_parts(tmp_path / f"{seconds}.wav", blocks)
        tracemalloc.start()
        write_parts(tmp_path / "drums.wav", (part["drums"] for part in stem_parts(path, Halver())))
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    short, long = peak(60), peak(600)
    assert long < 1.1 * short
    assert long < 600 * 16_000 * 2 * 4 / 3


def test_a_broken_song_is_refused_before_any_work(tmp_path):
    path = write_audio(tmp_path / "song.wav", noise(30.0))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    class Idle(Halver):
        def parts(self, song, middle, spread):
            raise AssertionError("it was set to work")

    with pytest.raises(BadAudio, match="cut off"):
        next(stem_parts(path, Idle()))


def test_a_file_that_is_read_as_drums_starts_and_overlaps_like_any_other(tmp_path):
    path = write_audio(tmp_path / "song.wav", noise(25.0), subtype="FLOAT")
    plain, drums = list(read_parts(path, 8.0, 2.0)), list(stem_reader(Halver(), "drums")(path, 8.0, 2.0))
    assert [(start_s, part.frames) for start_s, part in drums] == [(start_s, part.frames) for start_s, part in plain]
    for (_, half), (_, whole) in zip(drums, plain, strict=True):
        np.testing.assert_array_equal(half.samples, whole.samples / 2)


def test_a_folder_of_another_kind_is_no_separator(tmp_path):
    write_json(tmp_path / "config.json", {"kind": "groove"})
    with pytest.raises(
        BadInput,
        match=r"kind 'groove' is no separator; there are htdemucs, separator, counterfactual, separator_live\.",
    ):
        load_separator(tmp_path)
