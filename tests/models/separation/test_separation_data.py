"""Songs are found in every layout, no split hears another's songs, and mixtures are their stems' sum."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from models.music.audio import Audio, write_audio
from models.music.errors import BadAudio, BadConfig, BadInput
from models.separation.dataset import prepare, read_corpus
from models.separation.mixing import Mixer, Mixing
from models.separation.songs import MUSDB_VALIDATION, STEMS, Song, find_songs

RATE_HZ = 8000


def write_song(folder: Path, seed: int, stems=STEMS, seconds: float = 2.0) -> None:
    generator = np.random.default_rng(seed)
    for stem in stems:
        samples = 0.1 * generator.standard_normal((2, round(seconds * RATE_HZ)))
        write_audio(folder / f"{stem}.wav", Audio(samples.astype(np.float32), RATE_HZ), subtype="PCM_16")


@pytest.fixture
def songs(tmp_path) -> Path:
    """Ten songs, the last two of which are clips of one."""
    for number in range(8):
        write_song(tmp_path / "songs" / f"Song {number}", number)
    for clip in (1, 2):
        write_song(tmp_path / "songs" / f"Clipped_clip{clip}_30s", 10 + clip)
    return tmp_path / "songs"


def test_songs_are_divided_and_clips_stay_together(songs):
    found = find_songs(songs)
    splits = {song.name: song.split for song in found}
    assert len(found) == 10
    assert set(splits.values()) == {"train", "valid", "test"}
    assert splits["Clipped_clip1_30s"] == splits["Clipped_clip2_30s"]
    assert splits == {song.name: song.split for song in find_songs(songs)}


def test_musdb18_hq_is_read_as_its_authors_divide_it(tmp_path):
    held_out = sorted(MUSDB_VALIDATION)[0]
    for place, seed in (("train/A - B", 0), (f"train/{held_out}", 1), ("test/C - D", 2)):
        write_song(tmp_path / place, seed, (*STEMS, "mixture"))
    splits = {song.name: song.split for song in find_songs(tmp_path)}
    assert splits == {"train/A - B": "train", f"train/{held_out}": "valid", "test/C - D": "test"}


def test_our_validation_songs_are_musdb_s():
    musdb = pytest.importorskip("musdb")
    from models.music.config import read_yaml

    assert set(read_yaml(Path(musdb.__file__).parent / "configs" / "mus.yaml")["validation_tracks"]) == MUSDB_VALIDATION


def test_musdb18_s_stem_mp4_is_read_through_musdb(tmp_path):
    pytest.importorskip("musdb")
    if shutil.which("ffmpeg") is None:
        pytest.skip("needs ffmpeg")
    write_song(tmp_path / "wav", 3, ("mixture", *STEMS))
    inputs = [word for stem in ("mixture", *STEMS) for word in ("-i", str(tmp_path / "wav" / f"{stem}.wav"))]
    maps = [word for stream in range(5) for word in ("-map", str(stream))]
    place = tmp_path / "musdb18" / "train" / "A - B.stem.mp4"
    place.parent.mkdir(parents=True)
    subprocess.run(["ffmpeg", "-v", "error", *inputs, *maps, "-c:a", "aac", "-b:a", "256k", place], check=True)
    for name in ("C - D", "E - F"):
        shutil.copy(place, place.with_name(f"{name}.stem.mp4"))
    song = next(song for song in find_songs(tmp_path / "musdb18") if song.name == "train/A - B")
    heard, true = song.read(STEMS, RATE_HZ), np.stack([_samples(tmp_path / "wav" / f"{stem}.wav") for stem in STEMS])
    alike = [np.corrcoef(h[0, : true.shape[2]], t[0, : h.shape[1]])[0, 1] for h, t in zip(heard, true, strict=True)]
    assert min(alike) > 0.8


def test_a_broken_stem_mp4_is_told_in_one_line(tmp_path):
    pytest.importorskip("musdb")
    (tmp_path / "A - B.stem.mp4").write_bytes(b"no film at all")
    with pytest.raises(BadAudio, match=r"A - B\.stem\.mp4: not read as stems"):
        Song("A - B", tmp_path / "A - B.stem.mp4").read(STEMS, RATE_HZ)


def _samples(path: Path) -> np.ndarray:
    from models.music.audio import read_audio

    return read_audio(path).samples


def test_a_missing_stem_is_silent_and_mono_is_heard_on_both_sides(tmp_path):
    write_song(tmp_path / "a", 1, ("drums",))
    write_audio(tmp_path / "a" / "bass.wav", Audio(np.full((1, 100), 0.1, np.float32), RATE_HZ))
    for number in range(3):
        write_song(tmp_path / f"b{number}", number)
    stems = next(song for song in find_songs(tmp_path) if song.name == "a").read(STEMS, RATE_HZ)
    assert stems.shape == (4, 2, 2 * RATE_HZ)
    assert stems[2:].max() == 0
    np.testing.assert_array_equal(stems[1, 0], stems[1, 1])


def test_a_prepared_corpus_is_what_was_read(songs, tmp_path):
    corpus = prepare(songs, tmp_path / "prepared", rate_hz=RATE_HZ)
    again = read_corpus(tmp_path / "prepared")
    assert [song.name for song in corpus.songs] == [song.name for song in again.songs]
    song = next(song for song in again.songs if song.name == "songs/Song 3")
    true = next(found for found in find_songs(songs) if found.name == "Song 3").read(STEMS, RATE_HZ)
    np.testing.assert_allclose(song.stems(), true, atol=2 * song.scale)
    np.testing.assert_array_equal(song.stretch(1, 100, 50), song.stems()[1, :, 100:150])
    assert song.stretch(0, song.frames - 10, 50)[:, 10:].max() == 0
    assert song.loudness_db.mean() == pytest.approx(-20, abs=0.5)
    assert again.summary["seconds"] == 20


def test_what_cannot_be_read_is_left_out_and_said(songs, tmp_path):
    (songs / "Song 2" / "bass.wav").write_bytes(b"not a wav")
    corpus = prepare(songs, tmp_path / "prepared", rate_hz=RATE_HZ)
    assert list(corpus.summary["left_out"]) == ["songs/Song 2"]
    assert len(corpus.songs) == 9
    with pytest.raises(BadInput, match="no song in the split 'unfamiliar'"):
        corpus["unfamiliar"]


def test_too_little_to_hold_out_is_told(tmp_path):
    write_song(tmp_path / "songs" / "only", 0)
    with pytest.raises(BadInput, match="1 songs: at least 3"):
        find_songs(tmp_path / "songs")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match="no songs"):
        find_songs(tmp_path / "empty")


@pytest.fixture
def train(songs, tmp_path):
    return prepare(songs, tmp_path / "prepared", rate_hz=RATE_HZ)["train"]


def test_the_same_dice_draw_the_same_mixture(train):
    mixer = Mixer(train, RATE_HZ, Mixing(speed=0.1), 4000)
    one, same, other = (mixer.draw(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one.shape == (4, 2, 4000)
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_without_changes_a_mixture_is_a_stretch_of_a_song(train):
    still = Mixing(strangers=0.0, gain_db=0.0, polarity=0.0, swapping=0.0)
    drawn = Mixer(train, RATE_HZ, still, 4000).draw(np.random.default_rng(5))
    places = [
        (song, start)
        for song in train
        for start in np.flatnonzero(song.stretch(0, 0, song.frames - 3999)[0] == drawn[0, 0, 0])
    ]
    assert any(np.array_equal(drawn, song.stems()[..., start : start + 4000]) for song, start in places)


def test_silent_stems_are_drawn_now_and_then(tmp_path):
    for number in range(4):
        write_song(tmp_path / "songs" / f"{number}", number, ("drums", "vocals"))
    train = prepare(tmp_path / "songs", tmp_path / "prepared", rate_hz=RATE_HZ)["train"]
    drawn = Mixer(train, RATE_HZ, Mixing(), 1000).draw(np.random.default_rng(0))
    assert np.abs(drawn).max((1, 2)).astype(bool).tolist() == [True, False, False, True]


def test_chances_are_chances():
    with pytest.raises(BadConfig, match=r"strangers is 1\.5"):
        Mixing(strangers=1.5)
    with pytest.raises(BadConfig, match=r"speed is 0\.7"):
        Mixing(speed=0.7)
