"""Stems as files: as the song came, whole or not at all, made once."""

import os
import shutil
from collections import namedtuple

import numpy as np
import pytest
import soundfile
from halver import Halver, noise

from models.music.audio import Audio, read_audio, write_audio
from models.music.errors import BadAudio, BadInput, StorageError
from models.music.files import check_folder
from models.separation.delivery import Wishes, deliver
from models.separation.ensemble import Ensemble, members
from models.separation.stems import load_separator, separate


class Doubler(Halver):
    """Stems far louder than the song."""

    def parts(self, song, middle, spread):
        for piece in song:
            yield np.stack([4 * piece, piece])


@pytest.mark.parametrize(
    ("name", "subtype"),
    [
        ("song.wav", "PCM_16"),
        ("song.wav", "PCM_24"),
        ("song.wav", "FLOAT"),
        ("song.flac", "PCM_16"),
        ("song.ogg", "VORBIS"),
        ("song.mp3", "MPEG_LAYER_III"),
    ],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_stems_are_of_the_songs_kind_depth_rate_channels_and_exact_length(tmp_path, name, subtype, channels):
    song = write_audio(tmp_path / name, noise(12.3456, 22_050, channels), subtype=subtype)
    deliver(song, Halver(), tmp_path / "stems")
    given = soundfile.info(str(song))
    for stem in ("drums", "other"):
        made = soundfile.info(str(tmp_path / "stems" / f"{stem}{song.suffix}"))
        for what in ("frames", "samplerate", "channels", "subtype", "format"):
            assert getattr(made, what) == getattr(given, what)


def test_the_files_hold_what_separate_gives(tmp_path):
    song = write_audio(tmp_path / "song.wav", noise(23.0), subtype="FLOAT")
    deliver(song, Halver(), tmp_path / "stems")
    for stem, audio in separate(song, Halver()).items():
        np.testing.assert_array_equal(read_audio(tmp_path / "stems" / f"{stem}.wav").samples, audio.samples)


def test_another_kind_is_written_when_it_is_asked_for_and_an_unknown_one_refused(tmp_path):
    song = write_audio(tmp_path / "song.wav", noise(1.0))
    note = deliver(song, Halver(), tmp_path / "stems", Wishes(kind="flac"))
    assert [made["file"] for made in note["stems"].values()] == ["drums.flac", "other.flac"]
    with pytest.raises(BadInput, match=r"format is 'wma'; choose one of wav, flac, ogg, mp3\."):
        Wishes(kind="wma")


@pytest.mark.parametrize("wishes", [Wishes(only="drums"), Wishes(add_up=True)])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_stems_add_up_to_the_mixture(tmp_path, wishes, subtype):
    song = write_audio(tmp_path / "song.wav", noise(21.7, 22_050), subtype=subtype)
    note = deliver(song, Halver(), tmp_path / "stems", wishes)
    summed = sum(read_audio(tmp_path / "stems" / made["file"]).samples for made in note["stems"].values())
    np.testing.assert_allclose(summed, read_audio(song).samples, atol=1e-4)


def test_two_stems_are_the_one_and_everything_else(tmp_path):
    song = write_audio(tmp_path / "song.wav", noise(2.0), subtype="FLOAT")
    assert list(deliver(song, Halver(), tmp_path / "stems", Wishes(only="drums"))["stems"]) == ["drums", "no_drums"]
    with pytest.raises(BadInput, match="two stems of 'vocals': this model knows drums, other"):
        deliver(song, Halver(), tmp_path / "vocals", Wishes(only="vocals"))


def test_what_would_clip_is_made_softer_by_one_gain_for_all(tmp_path):
    song = write_audio(tmp_path / "song.wav", noise(2.0), subtype="PCM_24")
    note = deliver(song, Doubler(), tmp_path / "stems")
    loud, soft = (read_audio(tmp_path / "stems" / f"{stem}.wav").samples for stem in ("drums", "other"))
    assert np.abs(loud).max() == pytest.approx(1.0, abs=1e-5)
    np.testing.assert_allclose(loud, 4 * soft, atol=1e-5)
    assert note["gain_db"] == pytest.approx(-6.0, abs=0.1)


def test_samples_of_floating_point_keep_what_lies_above_full_scale(tmp_path):
    song = write_audio(tmp_path / "song.wav", noise(1.0), subtype="FLOAT")
    assert deliver(song, Doubler(), tmp_path / "stems")["gain_db"] == 0
    assert read_audio(tmp_path / "stems" / "drums.wav").peak > 1.5


def test_the_very_same_stems_are_not_made_again_but_others_are(tmp_path):
    song, worked = write_audio(tmp_path / "song.wav", noise(1.0)), []

    class Counting(Halver):
        def parts(self, song, middle, spread):
            worked.append(1)
            return super().parts(song, middle, spread)

    first = deliver(song, Counting(), tmp_path / "stems")
    assert deliver(song, Counting(), tmp_path / "stems") == first
    assert len(worked) == 1
    deliver(song, Counting(), tmp_path / "stems", Wishes(add_up=True))
    assert len(worked) == 2
    (tmp_path / "stems" / "drums.wav").unlink()
    deliver(song, Counting(), tmp_path / "stems", Wishes(add_up=True))
    assert len(worked) == 3, "what is damaged is made again"
    assert (tmp_path / "stems" / "drums.wav").is_file()


def test_a_folder_that_is_not_ours_is_left_alone_before_any_work(tmp_path):
    song = write_audio(tmp_path / "song.wav", noise(1.0))
    (tmp_path / "stems").mkdir()
    (tmp_path / "stems" / "diary.txt").write_text("dear diary")

    class Idle(Halver):
        def parts(self, song, middle, spread):
            raise AssertionError("it was set to work")

    with pytest.raises(StorageError, match="something is there that no separation made"):
        deliver(song, Idle(), tmp_path / "stems")
    assert (tmp_path / "stems" / "diary.txt").read_text() == "dear diary"


def test_a_name_that_is_not_utf_8_is_no_hindrance(tmp_path):
    song = tmp_path / os.fsdecode(b"caf\xe9.wav")
    write_audio(tmp_path / "song.wav", noise(1.0)).rename(song)
    deliver(song, Halver(), tmp_path / "stems")
    assert read_audio(tmp_path / "stems" / "drums.wav").frames == 16_000


def test_progress_is_told_and_whoever_raises_there_stops_the_work_without_a_trace(tmp_path):
    song, shares = write_audio(tmp_path / "song.wav", noise(35.0)), []
    deliver(song, Halver(), tmp_path / "stems", heard=shares.append)
    assert shares == sorted(shares)
    assert (len(shares) > 3, shares[-1]) == (True, 1.0)

    def enough(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deliver(song, Halver(), tmp_path / "stopped", heard=enough)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["song.wav", "stems"]


def test_every_file_stands_in_the_manifest_and_nothing_else_is_there(tmp_path):
    song = write_audio(tmp_path / "song.wav", noise(1.0))
    note = deliver(song, Halver(), tmp_path / "stems", named="halver")
    held = check_folder(tmp_path / "stems")
    assert sorted(held) == ["drums.wav", "other.wav", "separation.json"]
    assert {made["sha256"] for made in note["stems"].values()} == {
        held[f"{stem}.wav"]["sha256"] for stem in note["stems"]
    }
    assert {each.name for each in (tmp_path / "stems").iterdir()} == {*held, "manifest.json"}


def test_too_little_room_is_said_before_the_work(tmp_path, monkeypatch):
    song = write_audio(tmp_path / "song.wav", noise(60.0))
    free = namedtuple("free", "total used free")(1, 1, 5_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: free)
    with pytest.raises(StorageError, match="its stems need 31 MB while they are made, 5 MB are free"):
        deliver(song, Doubler(), tmp_path / "stems")


def test_too_little_memory_is_said_before_the_work(tmp_path):
    class Greedy(Halver):
        memory_mb = 10**9

    with pytest.raises(BadInput, match="needs about 1000000000 MB of memory"):
        deliver(write_audio(tmp_path / "song.wav", noise(1.0)), Greedy(), tmp_path / "stems")


@pytest.mark.parametrize("frames", [1, 2, 100])
def test_a_song_of_hardly_any_samples_has_stems(tmp_path, frames):
    song = write_audio(tmp_path / "song.wav", noise(frames / 16_000))
    deliver(song, Halver(), tmp_path / "stems")
    assert read_audio(tmp_path / "stems" / "drums.wav").frames == frames


def test_silence_gives_silence(tmp_path):
    song = write_audio(tmp_path / "song.wav", Audio(np.zeros((2, 16_000), np.float32), 16_000))
    assert deliver(song, Halver(), tmp_path / "stems", Wishes(add_up=True))["gain_db"] == 0
    assert read_audio(tmp_path / "stems" / "drums.wav").peak == 0


def test_a_song_that_is_cut_off_leaves_nothing_behind(tmp_path):
    song = write_audio(tmp_path / "song.wav", noise(20.0))
    song.write_bytes(song.read_bytes()[:100_000])
    with pytest.raises(BadAudio, match="cut off"):
        deliver(song, Halver(), tmp_path / "stems")
    assert [each.name for each in tmp_path.iterdir()] == ["song.wav"]


def test_an_ensemble_is_the_weighted_average_of_its_members(tmp_path):
    class Late(Halver):
        def parts(self, song, middle, spread):
            whole = np.concatenate(list(song), axis=1)
            yield from np.array_split(np.stack([whole, whole]), 7, axis=-1)

    song = noise(33.0)
    both = Ensemble.of({"one": (Halver(), 3.0), "two": (Late(), 1.0)})
    drums = separate(song, both)["drums"].samples
    np.testing.assert_allclose(drums, (3 * song.samples / 2 + song.samples) / 4, atol=1e-6)


def test_models_that_disagree_do_not_play_together():
    with pytest.raises(BadInput, match=r"two has channels: 1, one 2; only models that agree play together"):
        Ensemble.of({"one": (Halver(), 1.0), "two": (Halver(1), 1.0)})


def test_members_are_read_with_their_weights():
    assert members("htdemucs:2, models/mine") == {"htdemucs": 2.0, "models/mine": 1.0}
    assert members("C:/models/mine") == {"C:/models/mine": 1.0}
    for wrong in ("a,,b", "a,a", "a:-1", "a:0"):
        with pytest.raises(BadInput, match="among its models"):
            load_separator(wrong)
