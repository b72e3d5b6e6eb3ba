import pytest

from pipelines.publish import publish


@pytest.fixture
def made(tmp_path):
    folder = tmp_path / "run" / "pools"
    folder.mkdir(parents=True)
    for name in ("pools_1.json", "per_sample_1.json", "dummy_00001.wav", "manifest.json"):
        (folder / name).write_text(name)
    return folder


def test_numbered_files_take_the_next_number_together(made, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "pools_3.json").write_text("older")
    written = publish({"pools": made}, out)
    assert sorted(path.name for path in written) == ["dummy_00001.wav", "per_sample_4.json", "pools_4.json"]
    assert (out / "pools_3.json").read_text() == "older"
    assert (out / "pools_4.json").read_text() == "pools_1.json"
    assert sorted(p.name for p in publish({"pools": made}, out)) == [
        "dummy_00001.wav",
        "per_sample_5.json",
        "pools_5.json",
    ]


def test_another_runs_files_are_kept_and_the_set_goes_beside_them_as_a_whole(made, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "dummy_00001.wav").write_text("another kick")
    written = publish({"pools": made}, out)
    assert (out / "dummy_00001.wav").read_text() == "another kick"
    assert {path.relative_to(out).as_posix() for path in written} == {
        "take_2/dummy_00001.wav",
        "take_2/per_sample_1.json",
        "take_2/pools_1.json",
    }
    assert publish({"pools": made}, out)[0].parent == out / "take_3"


def test_a_single_file_is_named_after_its_output(tmp_path):
    (tmp_path / "take").write_bytes(b"x")
    (tmp_path / "metrics").touch()
    assert publish({"the_take": tmp_path / "take", "metrics": tmp_path / "metrics"}, tmp_path / "out") == [
        tmp_path / "out" / "the-take"
    ]
