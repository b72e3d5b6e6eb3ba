"""One-shots in, roles and files out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.drums.roles import RoleAssigner, RoleAssignerConfig
from models.drums.roles.assigner import unique_ids
from models.drums.roles.files import assign_folder
from models.drums.roles.types import FEATURES, Role
from models.music.audio import read_audio
from models.music.errors import BadAudio, BadConfig, BadInput
from models.music.files import read_json
from models.practice.one_shots import write_one_shots

NO_CLAP = RoleAssignerConfig.from_dict({"clap": {"enabled": False}})


@pytest.fixture(scope="module")
def hits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hits")
    write_one_shots(folder, 2, seed=4)
    return folder


@pytest.fixture(scope="module")
def assigner() -> RoleAssigner:
    return RoleAssigner(NO_CLAP)


def test_one_file_many_files_and_bare_samples_get_the_same_result(hits, assigner):
    paths = sorted(hits.rglob("*.wav"))
    told = []
    many = assigner.assign_many(paths, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (len(paths), len(paths))
    for path, result in zip(paths, many, strict=True):
        alone = assigner.assign_file(path, path.stem)
        sound = read_audio(path)
        bare = assigner.assign_audio(sound.samples, sound.rate_hz, path.stem, str(path))
        for other in (alone, bare):
            assert other.role == result.role
            assert other.scores.confidence == pytest.approx(result.scores.confidence, abs=1e-4)
        assert result.scores.learned is not None
        assert 0 <= result.scores.confidence <= 1


def test_kicks_and_hats_are_told_apart(hits, assigner):
    assert assigner.assign_file(hits / "kick" / "kick_01.wav").role is Role.CORE
    assert assigner.assign_file(hits / "hihat" / "hihat_01.wav").role is Role.MOTION


def test_without_a_scorer_the_rules_decide(hits):
    rules = RoleAssigner(RoleAssignerConfig.from_dict({"clap": {"enabled": False}, "fusion": {"scorer": ""}}))
    result = rules.assign_file(hits / "kick" / "kick_01.wav")
    assert result.scores.learned is None
    assert result.debug["weights"]["rule"] == 1


def test_a_bad_file_ends_the_run_or_is_left_out(hits, assigner, tmp_path, caplog):
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF")
    good = hits / "kick" / "kick_01.wav"
    with pytest.raises(BadAudio, match=r"broken\.wav"):
        assigner.assign_many([good, broken])
    assert [r.sample_id for r in assigner.assign_many([broken, good], skip_bad=True)] == ["kick_01"]
    assert "broken.wav" in caplog.text


def test_samples_are_named_once():
    assert unique_ids(["a/kick.wav", "b/kick.wav", "kick~2.wav", "snare.wav"]) == [
        "kick",
        "kick~2",
        "kick~2~2",
        "snare",
    ]


def test_a_folder_becomes_numbered_files_with_the_users_fields(hits, tmp_path):
    first = assign_folder(hits, tmp_path, limit=0, config=NO_CLAP)
    second = assign_folder(hits, tmp_path, limit=5, seed=1, config=NO_CLAP)
    assert (first.number, second.number) == (1, 2)
    pools, samples = read_json(tmp_path / "pools_1.json"), read_json(tmp_path / "per_sample_1.json")
    assert sum(pools["counts"].values()) == sum(len(pools[f"{role.value}_POOL"]) for role in Role)
    assert len(samples) == len(first.results) == 18
    assert set(samples[0]["features"]) == set(FEATURES)
    entry = pools["CORE_POOL"][0]
    assert set(entry) == {"sample_id", "filepath", "confidence"}
    assert Path(entry["filepath"]).is_file()
    assert len(read_json(tmp_path / "per_sample_2.json")) == 5


def test_samples_below_the_output_are_named_relative_to_it(tmp_path):
    write_one_shots(tmp_path / "hits", 1, seed=0)
    assign_folder(tmp_path / "hits", tmp_path, limit=0, config=NO_CLAP)
    pools = read_json(tmp_path / "pools_1.json")
    assert pools["CORE_POOL"][0]["filepath"].startswith("hits/")


def test_the_draw_is_the_seeds(hits, tmp_path):
    draws = [
        {r.sample_id for r in assign_folder(hits, tmp_path / str(i), limit=4, seed=seed, config=NO_CLAP).results}
        for i, seed in enumerate((3, 3, 4))
    ]
    assert draws[0] == draws[1]
    assert draws[0] != draws[2]


def test_bad_input_ends_in_one_line_and_writes_nothing(hits, tmp_path):
    (tmp_path / "empty").mkdir()
    silent = tmp_path / "silent"
    silent.mkdir()
    import soundfile

    soundfile.write(silent / "silence.wav", np.zeros(4_000), 16_000)
    for source, error, why in (
        (tmp_path / "empty", BadAudio, "no audio"),
        (silent, BadInput, r"0 of 1 files can be used\. silence\.wav: silent"),
    ):
        with pytest.raises(error, match=why):
            assign_folder(source, tmp_path / "out", config=NO_CLAP)
    with pytest.raises(BadConfig, match="limit is -1"):
        assign_folder(hits, tmp_path / "out", limit=-1, config=NO_CLAP)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("section", "name", "value"), [("pool", "core_max", -1), ("guards", "texture_suppress_factor", -3.0)]
)
def test_a_number_that_would_spoil_every_result_is_refused(section: str, name: str, value: float):
    with pytest.raises(BadConfig, match=f"{section}: {name} is {value}"):
        RoleAssignerConfig.from_dict({section: {name: value}})
