"""A stranger's pools file carries nothing of ours into what we share."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from models.drums.release import pack_kit
from models.music.audio import write_audio
from models.music.errors import BadAudio, BadInput
from models.practice.drum_sounds import synthesise


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    (tmp_path / "kit").mkdir()
    write_audio(tmp_path / "kit" / "kick.wav", synthesise("kick", np.random.default_rng(0)))
    return tmp_path / "kit"


def pools(kit: Path, filepath: str, scored: str = "kick.wav") -> Path:
    row = {"sample_id": "kick", "filepath": filepath, "confidence": 0.9}
    (kit / "pools_1.json").write_text(json.dumps({"CORE_POOL": [row]}))
    (kit / "per_sample_1.json").write_text(json.dumps([{"sample_id": "spare", "filepath": scored}]))
    return kit / "pools_1.json"


@pytest.mark.parametrize("place", ["{outside}/secret.wav", "../secret.wav", "link.wav", "deep/../../secret.wav"])
@pytest.mark.parametrize("in_scores", [False, True])
def test_a_path_that_leads_out_is_refused_by_name(kit, tmp_path, place, in_scores):
    shutil.copyfile(kit / "kick.wav", tmp_path / "secret.wav")
    (kit / "deep").mkdir()
    (kit / "link.wav").symlink_to(tmp_path / "secret.wav")
    named = place.format(outside=tmp_path)
    file = pools(kit, "kick.wav", named) if in_scores else pools(kit, named)
    with pytest.raises(BadInput, match=rf"{'spare' if in_scores else 'kick'}.*outside"):
        pack_kit(file, tmp_path / "packed")
    assert not (tmp_path / "packed").exists()


def test_a_file_that_is_no_sound_is_not_packed(kit, tmp_path):
    (kit / "letter.wav").write_text("dear diary")
    with pytest.raises(BadAudio, match=r"letter\.wav"):
        pack_kit(pools(kit, "letter.wav"), tmp_path / "packed")
    assert not (tmp_path / "packed").exists()


def test_a_kit_whose_samples_lie_in_the_folder_of_hits_is_packed(kit, tmp_path):
    hits = tmp_path / "hits"
    hits.mkdir()
    shutil.move(kit / "kick.wav", hits / "kick.wav")
    for named in ("kick.wav", str(hits / "kick.wav"), "/elsewhere/kick.wav"):
        shutil.rmtree(tmp_path / "packed", ignore_errors=True)
        assert len(pack_kit(pools(kit, named), tmp_path / "packed", sample_root=hits).pieces) == 1


@pytest.mark.parametrize("scores", ["[3]", "{}", '[{"sample_id": []}]', '[{"sample_id": "a"}]', "null"])
def test_scores_that_are_none_are_one_line(kit, tmp_path, scores):
    file = pools(kit, "kick.wav")
    (kit / "per_sample_1.json").write_text(scores)
    with pytest.raises(BadInput, match=r"per_sample_1\.json"):
        pack_kit(file, tmp_path / "packed")
