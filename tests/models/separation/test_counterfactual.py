"""Diffusion ends in noise and comes back, vocals are the mixture without its band, and a model is taught, saved and judged."""

import dataclasses

import numpy as np
import pytest
from halver import Halver

from models.music.audio import Audio, write_audio
from models.music.errors import BadConfig, BadInput
from models.music.files import read_json
from models.separation.songs import STEMS

torch = pytest.importorskip("torch")

from models.separation.counterfactual.config import PARTS, TINY, CounterfactualConfig  # noqa: E402
from models.separation.counterfactual.diffusion import Diffusion  # noqa: E402
from models.separation.counterfactual.engine import CounterfactualEngine  # noqa: E402
from models.separation.counterfactual.evaluate import judge  # noqa: E402
from models.separation.counterfactual.lesson import CounterfactualLesson, read_preset  # noqa: E402
from models.separation.counterfactual.network import Counterfactual  # noqa: E402
from models.separation.counterfactual.reconstruction import RECONSTRUCTIONS  # noqa: E402
from models.separation.counterfactual.songs import sung  # noqa: E402
from models.separation.counterfactual.spectrogram import Spectrogram  # noqa: E402
from models.separation.counterfactual.train import train_counterfactual  # noqa: E402
from models.separation.dataset import Corpus, prepare  # noqa: E402
from models.separation.metrics import usdr  # noqa: E402
from models.separation.sampling import Sampling, sampled  # noqa: E402
from models.separation.stems import load_separator, separate  # noqa: E402

RATE_HZ = 8000
HZ = dict(zip(STEMS, (100, 300, 900, 2700), strict=True))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Corpus:
    folder, time = tmp_path_factory.mktemp("songs"), np.arange(2 * RATE_HZ) / RATE_HZ
    for number in range(8):
        generator = np.random.default_rng(number)
        for stem, hz in HZ.items():
            tone = 0.1 * np.sin(2 * np.pi * hz * generator.uniform(0.8, 1.25) * time)
            sides = (generator.uniform(0.3, 1, (2, 1)) * tone).astype(np.float32)
            write_audio(folder / f"{number}" / f"{stem}.wav", Audio(sides, RATE_HZ), subtype="PCM_16")
    return prepare(folder, tmp_path_factory.mktemp("prepared") / "prepared", rate_hz=RATE_HZ)


@pytest.fixture(scope="module")
def training():
    tiny = read_preset("tiny")
    plan = dataclasses.replace(tiny.plan, steps=40, learning_rate=1e-2, validate_every=40)
    changes = {"rate_hz": RATE_HZ, "final_steps": 3, "preview_steps": 1}
    return dataclasses.replace(tiny, changes=changes, plan=plan, batch=4)


@pytest.fixture(scope="module")
def model(corpus, training, tmp_path_factory):
    folder = tmp_path_factory.mktemp("taught")
    return folder / "model", train_counterfactual(corpus, training, folder / "model", folder / "work")


@pytest.fixture
def engine() -> CounterfactualEngine:
    """A random network that answers something."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = Counterfactual(dataclasses.replace(TINY, rate_hz=RATE_HZ)).eval()
        torch.nn.init.normal_(network.unet.leave[-1].weight, std=0.1)
    return CounterfactualEngine(network, steps=2)


def noise(frames: int, level: float = 0.1) -> np.ndarray:
    return (level * np.random.default_rng(0).standard_normal((2, frames))).astype(np.float32)


@pytest.mark.parametrize("timesteps", [50, 200, 1000])
def test_the_last_timestep_is_pure_noise_however_many_there_are(timesteps):
    ours = Diffusion(CounterfactualConfig(timesteps=timesteps))
    assert ours.signal[0] == 1
    assert (ours.noise[0], ours.signal[-1], ours.noise[-1]) == (0, 0, 1)
    assert (ours.signal.diff() < 0).all()
    scaled = Diffusion(CounterfactualConfig(timesteps=timesteps, pure_noise=False))
    assert 0 < scaled.signal[-1] < 0.01, "of 200 unscaled timesteps, 0.36 would be left"


@pytest.mark.parametrize("eta", [0.0, 1.0])
@pytest.mark.parametrize("steps", [1, 7, 50])
def test_who_knows_the_image_finds_it_in_one_step_and_in_fifty(steps, eta):
    diffusion, dice = Diffusion(CounterfactualConfig(timesteps=200)), torch.Generator().manual_seed(0)
    image, start = torch.randn(2, 2, 8, 8, generator=dice), torch.randn(2, 2, 8, 8, generator=dice)
    seen = []

    def believe(noisy, time):
        seen.append((noisy, time))
        return image

    torch.testing.assert_close(diffusion.sample(believe, start, steps, eta, dice), image)
    assert len(seen) == steps
    assert [int(time[0]) for _, time in seen] == sorted({int(time[0]) for _, time in seen}, reverse=True)
    torch.testing.assert_close(seen[0][0], start)


def test_ddim_stays_on_the_line_between_image_and_noise():
    diffusion, dice = Diffusion(CounterfactualConfig()), torch.Generator().manual_seed(0)
    image, start = torch.randn(1, 2, 4, 4, generator=dice), torch.randn(1, 2, 4, 4, generator=dice)

    def believe(noisy, time):
        torch.testing.assert_close(noisy, diffusion.noised(image, time, start), atol=1e-4, rtol=1e-4)
        return image

    diffusion.sample(believe, start, 10)


def test_every_step_of_ddpm_has_the_posterior_s_mean_and_variance():
    diffusion = Diffusion(CounterfactualConfig(timesteps=100, pure_noise=False))
    image, noisy, now = torch.full((1, 200_000), 0.3), torch.full((1, 200_000), -0.7), 60
    stepped = diffusion._step(noisy, image, now, now - 1, 1.0, torch.Generator().manual_seed(0))
    kept, before, after = diffusion.signal[now].square(), diffusion.signal[now - 1].square(), 1.0
    alpha = kept / before
    beta = after - alpha
    mean = (before.sqrt() * beta * 0.3 + alpha.sqrt() * (1 - before) * -0.7) / (1 - kept)
    assert float(stepped.mean()) == pytest.approx(float(mean), abs=2e-3)
    assert float(stepped.var()) == pytest.approx(float(beta * (1 - before) / (1 - kept)), rel=0.02)


def test_a_velocity_is_the_image_it_stands_for():
    diffusion, dice = Diffusion(CounterfactualConfig(predicts="v")), torch.Generator().manual_seed(0)
    image, drawn = torch.randn(3, 2, 4, 4, generator=dice), torch.randn(3, 2, 4, 4, generator=dice)
    time = torch.tensor([1, 500, 1000])
    signal, spread = (x[time].view(-1, 1, 1, 1) for x in (diffusion.signal, diffusion.noise))
    found = diffusion.clean(diffusion.noised(image, time, drawn), time, signal * drawn - spread * image)
    torch.testing.assert_close(found, image, atol=1e-5, rtol=1e-5)


def test_an_image_is_its_spectrogram_and_back():
    eyes, sound = Spectrogram(TINY), torch.from_numpy(noise(TINY.window))[None]
    eyes.measure([sound, 0.5 * sound])
    magnitude = eyes.spectrum(sound).abs()
    image = eyes.image(magnitude)
    assert image.shape == (1, 2, TINY.n_fft // 2, TINY.frames)
    assert abs(float(image.mean())) < 1
    torch.testing.assert_close(eyes.magnitude(image)[..., :-1, :], magnitude[..., :-1, :], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(eyes.sound(eyes.spectrum(sound), TINY.window), sound, atol=1e-5, rtol=1e-5)


def test_a_passage_looks_the_same_whatever_is_beside_it():
    eyes, sound = Spectrogram(TINY), torch.from_numpy(noise(TINY.window))[None]
    alone = eyes.image(eyes.spectrum(sound).abs())
    louder = torch.cat([sound, 9 * sound], -1)
    beside = eyes.image(eyes.spectrum(louder).abs())
    torch.testing.assert_close(alone[..., : TINY.frames - 2], beside[..., : TINY.frames - 2])


def test_a_mask_stays_within_the_mixture_and_knows_both_ends():
    dice = torch.Generator().manual_seed(0)
    mixture = torch.randn(1, 2, 9, 9, generator=dice, dtype=torch.complex64)
    band = 3 * torch.rand(1, 2, 9, 9, generator=dice)
    found = RECONSTRUCTIONS["mask"](mixture, band)
    assert (found.abs() <= mixture.abs() + 1e-6).all()
    torch.testing.assert_close(RECONSTRUCTIONS["mask"](mixture, torch.zeros_like(band)), mixture)
    assert RECONSTRUCTIONS["mask"](mixture, mixture.abs()).abs().max() < 1e-5


@pytest.mark.parametrize("way", RECONSTRUCTIONS)
def test_silence_stays_finite(way):
    silence = torch.zeros(1, 2, 9, 9, dtype=torch.complex64)
    assert RECONSTRUCTIONS[way](silence, silence.abs()).abs().max() == 0


def test_with_a_perfect_instrumental_the_literal_design_is_worse_than_silence(corpus):
    vocals, band = torch.from_numpy(sung(corpus, "test")[0].stems())
    eyes = Spectrogram(TINY)
    spectrum, true = eyes.spectrum((vocals + band)[None]), eyes.spectrum(band[None]).abs()
    found = {
        way: usdr(vocals.numpy(), eyes.sound(reconstruct(spectrum, true), vocals.shape[-1])[0].numpy())
        for way, reconstruct in RECONSTRUCTIONS.items()
    }
    assert found["literal"] < -5 < 10 < found["mask"]


def test_both_losses_are_nothing_at_the_perfect_instrumental(corpus, training):
    lesson = CounterfactualLesson(corpus, training, Counterfactual(training.config))
    batch, eyes = lesson.batch(0, torch.Generator().manual_seed(0)), lesson.network.spectrogram
    mixture, band = eyes.spectrum(batch.sum(1)), eyes.spectrum(batch[:, 1]).abs()
    assert lesson.distance(mixture, band, band)[1] == {"generation": 0.0, "separation": 0.0}
    worse = lesson.distance(mixture, band, mixture.abs())[1]
    assert min(worse.values()) > 0.05


def test_a_model_learns_to_imagine_and_is_judged(model, corpus, tmp_path):
    folder, trained = model
    assert trained.best["usdr_vocals"] > 1
    place = str(corpus.songs[0].samples.filename).rsplit("/", 1)[0]
    figures = judge(place, folder, tmp_path / "verdict", champion=folder, curve=(1, 2))
    assert figures["usdr_vocals"] > 1
    assert read_json(tmp_path / "verdict" / "champion.json") == figures
    assert set(read_json(tmp_path / "verdict" / "steps.json")) == {"1", "2"}
    assert (tmp_path / "verdict" / "steps.png").stat().st_size > 1000
    with pytest.raises(BadInput, match="of these songs taught it"):
        judge(place, folder, tmp_path / "again", split="train")


def test_a_taught_folder_is_a_separator_behind_the_one_door(model, corpus):
    separator = load_separator(model[0], "vocals")
    assert isinstance(separator, CounterfactualEngine)
    song = Audio(corpus["test"][0].stems().sum(0), RATE_HZ, "song")
    stems = separate(song, separator)
    assert tuple(stems) == PARTS
    np.testing.assert_allclose(sum(stem.samples for stem in stems.values()), song.samples, atol=1e-5)
    np.testing.assert_allclose(stems["vocals"].samples, separator.separated(song.samples)[0], atol=1e-4)
    assert separator.sampled(Sampling(preview=True)).steps == 1


def test_the_same_seed_gives_the_same_samples_in_pieces_too(engine):
    song = noise(3 * engine.network.config.window + 17)
    once, again = engine.separated(song), engine.separated(song)
    np.testing.assert_array_equal(once, again)
    pieces = iter(np.array_split(song, 5, axis=1))
    spread = float(song.mean(0, dtype=np.float64).std())
    np.testing.assert_array_equal(once, np.concatenate(list(engine.parts(pieces, 0.0, spread)), -1))
    assert not np.array_equal(once, dataclasses.replace(engine, seed=1).separated(song))
    literal = dataclasses.replace(engine, reconstruction="literal").separated(song)
    assert np.abs(literal - once).max() > 0.01


def test_what_was_chosen_of_a_sampler_is_told_and_done(engine):
    assert sampled(engine, Sampling()) is engine
    chosen = Sampling(steps=3, seed=7)
    assert sampled(engine, chosen) == dataclasses.replace(engine, steps=3, seed=7)
    assert chosen.told("mine") == "mine, steps 3, seed 7"
    assert Sampling().told("mine") == "mine"
    assert Sampling(preview=True).told("mine") == "mine, preview"


@pytest.mark.parametrize("frames", [1, 300, 9000])
def test_silence_is_separated_into_silence(engine, frames):
    assert np.abs(engine.separated(np.zeros((2, frames), np.float32))).max() == 0


def test_a_louder_song_is_the_same_song_louder(engine):
    song = noise(4000, 0.02)
    np.testing.assert_allclose(10 * engine.separated(song), engine.separated(10 * song), atol=1e-4)


def test_a_lesson_can_be_heard_and_seen(corpus, training):
    lesson = CounterfactualLesson(corpus, training, Counterfactual(training.config).eval())
    samples = lesson.samples(lesson.network)
    assert set(samples) == {"mixture", *PARTS, "true above, separated below"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"frames": 87}, "frames is 87; it must be a multiple of 4"),
        ({"timesteps": 10}, "more timesteps than 20"),
        ({"final_steps": 2000}, "final_steps is 2000; it must be from 1 to timesteps, 1000"),
        ({"reconstruction": "magic"}, "give one of literal, logarithms"),
        ({"predicts": "noise"}, "give one of x0, v"),
        ({"eta": 2.0}, "eta is 2.0"),
    ],
)
def test_a_config_that_cannot_be_is_refused(changes, words):
    with pytest.raises(BadConfig, match=words):
        CounterfactualConfig(**changes)


def test_what_cannot_be_sampled_or_taught_is_refused_by_name(engine, corpus, training, tmp_path):
    with pytest.raises(BadInput, match="steps is 1001; this model has no more than 1000"):
        sampled(engine, Sampling(steps=1001))
    with pytest.raises(BadInput, match="a preview has its own number of steps, and 5 are asked for"):
        Sampling(steps=5, preview=True)
    with pytest.raises(BadInput, match="steps is -1"):
        Sampling(steps=-1)
    with pytest.raises(BadInput, match="this model draws nothing"):
        sampled(Halver(), Sampling(seed=1))
    with pytest.raises(BadConfig, match="rate_hz is 44100; the songs were prepared at 8000"):
        train_counterfactual(corpus, read_preset("tiny"), tmp_path / "model", tmp_path / "work")
    wordless = dataclasses.replace(corpus, stems=("drums", "bass", "other", "keys"))
    with pytest.raises(BadInput, match="vocals and another are needed"):
        sung(wordless, "test")
    with pytest.raises(BadConfig, match="did you mean 'laptop'"):
        read_preset("labtop")
    for name in ("tiny", "laptop", "studio"):
        assert read_preset(name).config.window
