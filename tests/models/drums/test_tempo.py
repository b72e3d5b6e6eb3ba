"""Tempo, beats and bars are heard in drums, and what cannot be heard is said."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from models.drums.tempo import DEFAULT_BPM, Tempo, draw_tempo, find_tempo, read_bpm, write_tempo
from models.music.audio import Audio, write_audio
from models.music.errors import BadConfig
from models.music.files import read_json
from models.practice.drum_sounds import synthesise
from models.practice.songs import compose

RATE_HZ = 22_050
SHOTS = {kind: synthesise(kind, np.random.default_rng(3), RATE_HZ).samples[0] for kind in ("kick", "clap", "openhat")}


def played(hits: list[tuple[float, str]], seconds: float) -> Audio:
    sound = np.zeros(round(seconds * RATE_HZ), np.float32)
    for time_s, kind in hits:
        first = round(time_s * RATE_HZ)
        shot = SHOTS[kind][: len(sound) - first]
        sound[first : first + len(shot)] += 0.3 * shot
    return Audio(sound, RATE_HZ)


def four_on_the_floor(beats_s: np.ndarray) -> Audio:
    """Kick on every beat, a clap on two and four, an open hat between."""
    hits = []
    for beat, (now, after) in enumerate(pairwise(beats_s)):
        hits += [(now, "kick"), ((now + after) / 2, "openhat")] + ([(now, "clap")] if beat % 2 else [])
    return played(hits, float(beats_s[-1]))


@pytest.mark.parametrize("seed", [21, 22, 23])
def test_a_practice_songs_tempo_is_found_within_one_percent(seed: int):
    song = compose(np.random.default_rng(seed), bars=8)
    tempo = find_tempo(song.stems["drums"])
    assert tempo.bpm == pytest.approx(song.grid.tempo_bpm, rel=0.01)
    assert tempo.sure > 0.5
    assert tempo.downbeats_s[0] == pytest.approx(0.0, abs=0.03)


def test_four_on_the_floor_is_counted_from_its_first_kick():
    beats_s = 0.7 + np.arange(33) * 60 / 124
    tempo = find_tempo(four_on_the_floor(beats_s))
    assert tempo.bpm == pytest.approx(124, rel=0.005)
    np.testing.assert_allclose(tempo.beats_s[:32], beats_s[:32], atol=0.015)
    np.testing.assert_allclose(tempo.downbeats_s[:8], beats_s[:32:4], atol=0.015)


def test_beats_follow_a_drummer_who_drifts():
    beats_s = 0.3 + np.cumsum(60 / np.linspace(100, 112, 65))
    tempo = find_tempo(four_on_the_floor(beats_s))
    assert tempo.bpm == pytest.approx(106, rel=0.02)
    near = np.abs(tempo.beats_s[:, None] - beats_s).min(1)
    assert np.mean(near < 0.03) > 0.95


def test_half_or_double_is_named_with_its_odds():
    song = compose(np.random.default_rng(24), bars=8, tempo_bpm=120)
    tempo = find_tempo(song.stems["drums"])
    assert tempo.other_bpm == pytest.approx(tempo.bpm / 2, abs=0.01)
    assert f"{tempo.other_bpm:.1f} would be half: {tempo.other_sure:.2f}" in tempo.said
    slow = Tempo(70.0, 0.6, 140.0, 0.4)
    assert slow.said == "tempo 70.0 bpm (sure: 0.60; 140.0 would be double: 0.40)"


@pytest.mark.parametrize("rate_hz", [8_000, 48_000])
def test_any_rate_is_heard_alike(rate_hz: int):
    song = compose(np.random.default_rng(25), bars=6, tempo_bpm=104)
    assert find_tempo(song.stems["drums"].at_rate(rate_hz)).bpm == pytest.approx(104, rel=0.01)


def test_a_number_overrides_what_is_heard_and_the_beats_follow_it():
    song = compose(np.random.default_rng(26), bars=8, tempo_bpm=120)
    tempo = find_tempo(song.stems["drums"], 60.0)
    assert (tempo.bpm, tempo.told) == (60.0, True)
    assert np.diff(tempo.beats_s) == pytest.approx(1.0, abs=0.05)
    assert tempo.said.startswith("tempo 60 bpm, as told, bar begins at ")


@pytest.mark.parametrize(
    "audio",
    [
        Audio(np.zeros(3 * RATE_HZ, np.float32), RATE_HZ, "silence"),
        Audio(np.full(5, 0.5, np.float32), RATE_HZ, "a click"),
        played([(1.0, "kick")], 3.0),
        played([(t, "kick") for t in np.random.default_rng(1).uniform(0, 20, 60)], 21.0),
        Audio(0.1 * np.random.default_rng(2).standard_normal(8 * RATE_HZ).astype(np.float32), RATE_HZ, "noise"),
    ],
    ids=["silence", "a click", "one hit", "strewn hits", "noise"],
)
def test_without_a_pulse_the_tempo_is_a_guess_and_says_so(audio: Audio):
    tempo = find_tempo(audio)
    assert (tempo.bpm, tempo.sure) == (DEFAULT_BPM, 0.0)
    assert "no steady pulse" in tempo.said
    assert "--bpm" in tempo.said
    assert len(tempo.beats_s) == len(tempo.downbeats_s) == 0


@pytest.mark.parametrize("text", ["0", "19.9", "401", "nan", "inf", "fast", ""])
def test_a_tempo_nobody_plays_is_one_line(text: str):
    with pytest.raises(BadConfig, match=r"^bpm is .*; give auto, or 20 to 400"):
        read_bpm(text)


def test_auto_listens_and_a_number_is_read():
    assert (read_bpm("auto"), read_bpm("96.5"), read_bpm("20"), read_bpm("400")) == (None, 96.5, 20.0, 400.0)


def test_of_many_songs_the_surest_counts_and_every_beat_is_written(tmp_path: Path):
    song = compose(np.random.default_rng(27), bars=6, tempo_bpm=100)
    write_audio(tmp_path / "drums" / "a silent.wav", Audio(np.zeros(RATE_HZ, np.float32), RATE_HZ))
    write_audio(tmp_path / "drums" / "b.wav", song.stems["drums"])
    tempo = write_tempo(tmp_path / "drums", tmp_path / "tempo")
    assert tempo.bpm == pytest.approx(100, rel=0.01)
    told = read_json(tmp_path / "tempo" / "tempo_1.json")
    assert (told["bpm"], told["said"]) == (tempo.bpm, tempo.said)
    assert [row["song"] for row in told["songs"]] == ["a silent.wav", "b.wav"]
    np.testing.assert_allclose(told["songs"][1]["downbeats_s"], tempo.downbeats_s, atol=1e-4)


def test_a_guess_can_be_drawn(tmp_path: Path):
    silence = Audio(np.zeros(RATE_HZ, np.float32), RATE_HZ)
    draw_tempo(tmp_path / "tempo.png", silence, find_tempo(silence))
    assert (tmp_path / "tempo.png").stat().st_size > 1000
