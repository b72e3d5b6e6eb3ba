"""Benchmarks judge anybody's recordings, and make strange kits of them whose hits begin where they did."""

from pathlib import Path

import numpy as np
import pytest

from models.drums.onsets import find_onsets
from models.music.audio import HOUSE_RATE_HZ, Audio, write_audio
from models.practice.drum_sounds import synthesise


@pytest.fixture(autouse=True)
def _benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).resolve().parents[3])


def test_a_folder_of_anybodys_recordings_is_read_by_maker_and_kind(tmp_path):
    from benchmarks.recordings import are_here, makers, one_shots

    rows = ["path,label,sublabel,maker"]
    for maker, label, sublabel in (("anna", "kick", ""), ("ben", "hihat", "hihat_open"), ("ben", "fx", "noise")):
        rows.append(f"drums/{maker}/{label}.wav,{label},{sublabel},{maker}")
        sound = synthesise("kick" if label == "kick" else "openhat", np.random.default_rng(0))
        write_audio(tmp_path / f"data/drums/{maker}/{label}.wav", sound)
    assert not are_here(tmp_path)
    (tmp_path / "data/SOURCES.csv").write_text("\n".join(rows) + "\n")
    assert are_here(tmp_path)
    assert makers(tmp_path) == ["anna", "ben"]
    assert [(shot.maker, shot.kind) for shot in one_shots(tmp_path)] == [("anna", "kick"), ("ben", "openhat")]
    assert [shot.kind for shot in one_shots(tmp_path, "ben")] == ["openhat"]


def test_a_strange_kit_has_every_voice_and_sounds_like_no_kit_before():
    from benchmarks.near_real import LEVEL_DB
    from benchmarks.strange_kits import strange_kit

    kit = {voice: [synthesise("snare", np.random.default_rng(n)).samples[0]] for n, voice in enumerate(LEVEL_DB)}
    strange = strange_kit(kit, np.random.default_rng(1))
    assert strange.keys() == kit.keys()
    for shot in (shot for shots in strange.values() for shot in shots):
        assert np.abs(shot).max() == pytest.approx(1.0)
        assert not any(len(shot) == len(old) and np.allclose(shot, old) for old in kit["snare"])


def test_a_strange_sound_alone_is_mostly_heard_as_one():
    from benchmarks.strange_kits import strange_sound

    kinds = ("kick", "snare", "hihat", "openhat", "tom", "clap")
    generator = np.random.default_rng(3)
    sounds = [synthesise(kinds[n % len(kinds)], np.random.default_rng(900 + n)).samples[0] for n in range(30)]
    strange = [Audio(0.5 * strange_sound(generator)(sound), HOUSE_RATE_HZ) for sound in sounds]
    assert [len(find_onsets(audio).seconds) for audio in strange].count(1) >= 27
