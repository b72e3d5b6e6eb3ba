import pytest

from models.music.errors import BadInput
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


def test_nothing_is_overwritten_and_then_nothing_is_written(made, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "dummy_00001.wav").write_text("another kick")
    with pytest.raises(BadInput, match=r"dummy_00001.wav exists and differs"):
        publish({"pools": made}, out)
    assert [path.name for path in out.iterdir()] == ["dummy_00001.wav"]


def test_a_single_file_is_named_after_its_output(tmp_path):
    (tmp_path / "take").write_bytes(b"x")
    (tmp_path / "metrics").touch()
    assert publish({"the_take": tmp_path / "take", "metrics": tmp_path / "metrics"}, tmp_path / "out") == [
        tmp_path / "out" / "the-take"
    ]
