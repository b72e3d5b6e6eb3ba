"""A separator is taught, saved, judged and beaten by nobody who costs nothing."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from halver import tiny_htdemucs

from models.music.audio import Audio, write_audio
from models.music.errors import BadConfig, BadInput
from models.music.files import read_json
from models.separation.songs import STEMS

torch = pytest.importorskip("torch")

from models.separation.chunks import separated  # noqa: E402
from models.separation.closer import look_closer  # noqa: E402
from models.separation.dataset import Corpus, prepare  # noqa: E402
from models.separation.evaluate import judge  # noqa: E402
from models.separation.htdemucs import HTDemucs  # noqa: E402
from models.separation.lesson import PRESETS, SeparationLesson, SeparationTraining, read_preset  # noqa: E402
from models.separation.locoformer.engine import LocoformerEngine  # noqa: E402
from models.separation.locoformer.network import Locoformer, load_locoformer  # noqa: E402
from models.separation.report import evaluate, table  # noqa: E402
from models.separation.stems import apart, load_separator, separate  # noqa: E402
from models.separation.train import train_separator  # noqa: E402

RATE_HZ = 8000
HZ = dict(zip(STEMS, (100, 300, 900, 2700), strict=True))
"""Every stem has a register of its own: easy to tell apart."""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Corpus:
    folder, time = tmp_path_factory.mktemp("songs"), np.arange(2 * RATE_HZ) / RATE_HZ
    for number in range(8):
        generator = np.random.default_rng(number)
        for stem, hz in HZ.items():
            tone = 0.1 * np.sin(2 * np.pi * hz * generator.uniform(0.8, 1.25) * time)
            sides = generator.uniform(0.3, 1, (2, 1)) * tone
            write_audio(
                folder / f"{number}" / f"{stem}.wav", Audio(sides.astype(np.float32), RATE_HZ), subtype="PCM_16"
            )
    return prepare(folder, tmp_path_factory.mktemp("prepared") / "prepared", rate_hz=RATE_HZ)


@pytest.fixture(scope="module")
def training() -> SeparationTraining:
    tiny = read_preset("tiny")
    changes = {"rate_hz": RATE_HZ, "bands": [[1000, 4], [3000, 8]], "segment_s": 0.25}
    plan = dataclasses.replace(tiny.plan, steps=40, learning_rate=1e-2, validate_every=20)
    return dataclasses.replace(tiny, changes=changes, plan=plan, batch=4)


@pytest.fixture(scope="module")
def model(corpus, training, tmp_path_factory):
    folder = tmp_path_factory.mktemp("taught")
    return folder / "model", train_separator(corpus, training, folder / "model", folder / "work")


def test_a_separator_learns_and_is_saved_whole(model, corpus):
    folder, trained = model
    network, facts = load_locoformer(folder)
    assert trained.history[-1]["usdr"] > 3
    assert trained.best["loss"] < -3
    assert facts["songs"] == corpus.summary["songs"]
    assert network.stems == STEMS


def test_a_verdict_stands_beside_what_costs_nothing(model, corpus, tmp_path):
    place = corpus.songs[0].samples.filename
    figures = judge(str(place).rsplit("/", 1)[0], model[0], tmp_path / "verdict", champion=model[0])
    assert figures["usdr"] > 3
    assert read_json(tmp_path / "verdict" / "champion.json") == figures
    nobody = read_json(tmp_path / "verdict" / "baselines.json")
    assert nobody["zeros"]["usdr"] == 0
    assert nobody["mixture"]["usdr"] < 0 < figures["usdr"] < nobody["ideal ratio mask"]["usdr"]
    assert "usdr" in (tmp_path / "verdict" / "report.txt").read_text()
    assert (tmp_path / "verdict" / "separation.png").stat().st_size > 1000


def test_songs_that_taught_a_model_do_not_examine_it(model, corpus, tmp_path):
    place = str(corpus.songs[0].samples.filename).rsplit("/", 1)[0]
    with pytest.raises(BadInput, match="of these songs taught it"):
        judge(place, model[0], tmp_path / "verdict", split="train")


def test_a_perfect_separator_is_judged_perfect_and_silent_stems_do_not_count(corpus):
    songs = [song for song in corpus.songs if song.split == "test"]
    answers = iter([song.stems() for song in songs])
    report = evaluate(lambda mixture: next(answers), songs, corpus.stems, corpus.rate_hz)
    assert report.mean() > 40
    assert report.beats("ideal ratio mask")
    silent = dataclasses.replace(songs[0], samples=np.zeros_like(songs[0].samples))
    report = evaluate(lambda mixture: np.zeros((4, *mixture.shape), np.float32), [silent], corpus.stems, corpus.rate_hz)
    assert report.mean() == 0
    assert "nan" not in table(report)


def test_a_closer_look_tells_what_is_not_installed(corpus, caplog):
    pytest.importorskip("museval")
    song = dataclasses.replace(corpus["test"][0], samples=corpus["test"][0].samples[..., :1000])
    half = song.stems() * np.float32(0.5)
    found = look_closer(lambda mixture: half, [song], corpus.stems, RATE_HZ)
    assert found["museval_sdr_vocals"] == pytest.approx(6.02, abs=0.1)
    missing = {name for name in ("pesq", "stoi") if f"{name}_vocals" not in found}
    assert {record.args[0] for record in caplog.records} == missing


class Doubling(torch.nn.Module):
    """Gives back what it hears, and twice that."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = torch.nn.Parameter(torch.tensor([1.0, 2.0]))

    def forward(self, mixture):
        return self.scale[:, None, None] * mixture[:, None]


@pytest.mark.parametrize("frames", [1, 700, 1000, 1001, 5300])
def test_chunks_of_one_who_changes_nothing_are_the_song(frames):
    song = np.random.default_rng(0).standard_normal((2, frames)).astype(np.float32)
    found = separated(Doubling(), song, 1000)
    np.testing.assert_allclose(found, np.stack([song, 2 * song]), atol=2e-6)


def test_a_taught_folder_is_a_separator_behind_the_one_door(model, corpus):
    separator = load_separator(model[0], "vocals")
    assert isinstance(separator, LocoformerEngine)
    assert 350 < separator.memory_mb < 400
    song = Audio(corpus["test"][0].stems().sum(0), RATE_HZ, "song")
    stems = separate(song, separator)
    assert list(stems) == list(STEMS)
    assert {stem.samples.shape for stem in stems.values()} == {song.samples.shape}
    network, _ = load_locoformer(model[0])
    whole = separated(network, song.samples, separator.window)
    np.testing.assert_allclose(stems["vocals"].samples, whole[3], atol=1e-5)


def test_a_lesson_can_be_heard_and_seen(corpus, training):
    lesson = SeparationLesson(corpus, training, Locoformer(training.config), 0.25)
    with torch.no_grad():
        samples = lesson.samples(lesson.network.eval())
    assert set(samples) == {"mixture", *STEMS, "true above, separated below"}
    picture = samples["true above, separated below"]
    assert isinstance(picture, np.ndarray)
    assert picture.shape == (256, 4 * 256, 3)


def test_a_step_s_batch_is_its_seed(corpus, training):
    lesson = SeparationLesson(corpus, training, Locoformer(training.config), 0.25)
    one, same, other = (lesson.batch(0, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    torch.testing.assert_close(one, same, atol=0, rtol=0)
    assert not torch.equal(one, other)


def test_presets_stand_and_epochs_become_steps(corpus, tmp_path):
    for name in ("tiny", "laptop", "studio", "full", "base", "live", "htdemucs"):
        assert read_preset(name).config.n_fft
    base = read_preset("base")
    assert (base.config.n_fft, base.config.hop, base.batch, base.plan.learning_rate) == (2048, 1024, 8, 1e-4)
    seconds = sum(song.frames for song in corpus["train"]) / RATE_HZ
    assert base.plan_for(corpus, base.config.segment_s).steps == int(
        np.ceil(200 * seconds / (8 * base.config.segment_s))
    )
    own = tmp_path / "own.yaml"
    own.write_text("{network: tiny, changes: {hop: 64}, plan: {steps: 7}}")
    assert (read_preset(str(own)).config.hop, read_preset(str(own)).plan.steps) == (64, 7)
    with pytest.raises(BadConfig, match="did you mean 'laptop'"):
        read_preset("labtop")
    with pytest.raises(BadConfig, match="unknown key 'hopp'"):
        _ = SeparationTraining(read_preset("tiny").plan, "tiny", {"hopp": 64}).config
    assert PRESETS.is_file()


def test_a_network_at_another_rate_is_refused_before_it_learns(corpus, tmp_path):
    with pytest.raises(BadConfig, match="rate_hz is 44100; the songs were prepared at 8000"):
        train_separator(corpus, read_preset("tiny"), tmp_path / "model", tmp_path / "work")


def test_a_network_of_demucs_goes_on_learning_and_plays_from_its_own_folder(corpus, training, tmp_path):
    start = tiny_htdemucs(tmp_path / "start", RATE_HZ)
    plan = dataclasses.replace(training.plan, steps=4, validate_every=2, learning_rate=1e-3)
    going_on = dataclasses.replace(training, start=str(start), plan=plan, batch=1, validation_chunks=1)
    trained = train_separator(corpus, going_on, tmp_path / "model", tmp_path / "work")
    before, after = load_separator(start), load_separator(tmp_path / "model")
    assert isinstance(after, HTDemucs)
    song = corpus["test"][0].stems().sum(0)
    window = torch.from_numpy(song[None, :, :RATE_HZ])
    with torch.inference_mode():
        np.testing.assert_allclose(trained.network(window), after.network.models[0](window), atol=1e-6)
    assert np.abs(apart(song, before) - apart(song, after)).max() > 1e-5
    prepared = Path(str(corpus.songs[0].samples.filename)).parent
    assert "usdr" in judge(prepared, tmp_path / "model", tmp_path / "verdict")
    with pytest.raises(BadInput, match="of these songs taught it"):
        judge(prepared, tmp_path / "model", tmp_path / "again", split="train")


def test_what_cannot_go_on_learning_is_refused_by_name(corpus, training, tmp_path):
    start = tiny_htdemucs(tmp_path / "start")
    with pytest.raises(BadInput, match="at 44100 Hz; the songs were prepared otherwise"):
        train_separator(corpus, dataclasses.replace(training, start=str(start)), tmp_path / "model", tmp_path / "work")
    (start / "bag.yaml").write_text('models: ["tiny", "tiny"]')
    with pytest.raises(BadInput, match="a bag of 2; one network is taught"):
        train_separator(corpus, dataclasses.replace(training, start=str(start)), tmp_path / "model", tmp_path / "work")
    assert not (tmp_path / "model").exists()
