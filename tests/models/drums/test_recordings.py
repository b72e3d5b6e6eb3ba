"""Benchmarks judge anybody's recordings."""

from pathlib import Path

import numpy as np
import pytest

from models.music.audio import write_audio
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
